-- nsh.expect and its like: what holds is told, and what does not is an error with the script's line.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"
local nsh = require "nsh"

local host = nsh.host
local expect = nsh.expect

-- What fn() prints, and its error if it raises one.
local function printed(fn)
    local lines, own = {}, print
    print = function(text) lines[#lines + 1] = text or "" end -- luacheck: ignore
    local ok, err = pcall(fn)
    print = own -- luacheck: ignore
    return table.concat(lines, "\n"), not ok and err or nil
end

local function assert_holds(fn, line)
    local text, err = printed(fn)
    lu.assertNil(err and tostring(err))
    lu.assertStrContains(text, "ok    " .. line)
end

local function assert_fails(fn, line, message)
    local text, err = printed(fn)
    lu.assertStrContains(text, "FAIL  " .. line)
    lu.assertNotNil(err)
    lu.assertStrMatches(err.where, ".*lesson_test.lua:%d+")
    lu.assertStrContains(tostring(err), "not so: " .. (message or line))
end

local function assert_refused(fn, message)
    local _, err = printed(fn)
    lu.assertNotNil(err)
    lu.assertStrContains(tostring(err), message)
end

local lab

TestLesson = {}

function TestLesson.setUp()
    lab = nsh.lab "lesson"
    local a, b = lab:node "a", lab:node "b"
    a:connect{ "eth0", addr = "10.0.0.1/24", to = b, peer = { "eth0", addr = "10.0.0.2/24" } }
    lab.host:bridge "br0"
    lab:up()
end

function TestLesson.tearDown()
    lab:down()
    support.wait_for("br0 is gone", function() return #host.link:list() == 1 end)
end

function TestLesson.testReaches()
    local a, b = lab:find "a", lab:find "b"
    assert_holds(function() expect(a):reaches(b) end, "a reaches b (10.0.0.2)")
    assert_holds(function() expect(a):reaches{ b, "10.0.0.1" } end, "a reaches b (10.0.0.2) and 10.0.0.1")
    assert_holds(function() expect(a):reaches(b, { ttl = 64, count = 2 }) end, "a reaches b")
    assert_fails(function() expect(a):reaches(b, { ttl = 63 }) end, "a reaches b (10.0.0.2)  ttl 64, not 63",
        "a reaches b (10.0.0.2): ttl 64, not 63")
    assert_fails(function() expect(host):reaches(b) end, "host reaches b (10.0.0.2)  Network is unreachable",
        "host reaches b (10.0.0.2): Network is unreachable")
    assert_refused(function() expect(a):reaches "10.0.0.x" end, '"10.0.0.x" is not an IPv4 or IPv6 address')
end

function TestLesson.testDoesNotReach()
    local a, b = lab:find "a", lab:find "b"
    assert_holds(function() expect(host):does_not_reach(b) end, "host does not reach b (10.0.0.2)  no route")
    assert_holds(function() expect(a):does_not_reach("10.0.0.9", { reason = "timeout" }) end, "a does not reach")
    assert_fails(function() expect(a):does_not_reach(b) end, "a does not reach b (10.0.0.2)")
    assert_fails(function() expect(host):does_not_reach(b, { reason = "timeout" }) end, "host does not reach b",
        "host does not reach b (10.0.0.2): Network is unreachable, not timeout")
end

-- The next ping would wait for the kernel's next question, for up to a second.
function TestLesson.testFailedPingLeavesNoNeighbour()
    local a, b = lab:find "a", lab:find "b"
    b.link:set{ "eth0", arp = false }
    printed(function() expect(a):does_not_reach(b) end)
    lu.assertEquals(#a.neigh:list{ "10.0.0.2" }, 0)
    a:ping("10.0.0.2", { timeout = 0.1 })
    lu.assertEquals(#a.neigh:list{ "10.0.0.2" }, 1)
end

function TestLesson.testPingForgetsOnlyWhatIsSilent()
    local a = lab:find "a"
    a:ping({ "10.0.0.2", "10.0.0.9" }, { timeout = 0.3, forget = true })
    lu.assertEquals(#a.neigh:list{ "10.0.0.2" }, 1)
    lu.assertEquals(#a.neigh:list{ "10.0.0.9" }, 0)
end

function TestLesson.testRecords()
    local a = lab:find "a"
    assert_holds(function() expect(host.link):has{ "br0", up = true } end, "host has a link br0: up")
    assert_holds(function() expect(a.link):has{ "eth0", up = true, carrier = true } end,
        "a has a link eth0: carrier, up")
    assert_holds(function() expect(a.addr):has{ "10.0.0.1/24", dev = "eth0" } end,
        "a has an address 10.0.0.1/24: dev eth0")
    assert_holds(function() expect(a.addr):has({ family = "inet", dev = "eth0" }, 1) end,
        "a has 1 address: dev eth0, family inet")
    assert_holds(function() expect(a.route):has_no "default" end, "a has no route default")
    assert_holds(function() expect(host.link):has_no{ "nix" } end, "host has no link nix")
    assert_holds(function() expect(a.addr):has_no{ "10.0.0.1/16" } end, "a has no address 10.0.0.1/16")
    assert_fails(function() expect(host.link):has{ "br0", up = false } end, "host has a link br0: down\n      there",
        "host has a link br0: down")
    assert_fails(function() expect(host.link):has({ "br0" }, 2) end, "host has 2 links br0  there are 1",
        "host has 2 links br0: there are 1")
    assert_fails(function() expect(host.link):has_no{ "br0" } end, "host has no link br0\n", "host has no link br0")
    local b = lab:find "b"
    assert_holds(function() expect(a.link):has{ "eth0", link_netns = b } end, "a has a link eth0: peer in b")
    assert_fails(function() expect(a.link):has{ "eth0", link_netns = host } end,
        "a has a link eth0: peer in host\n", "a has a link eth0: peer in host")
    assert_refused(function() expect(host.link):has{ mtuu = 1 } end, "did you mean mtu")
end

function TestLesson.testFieldsInWords()
    assert_holds(function() expect(host.link):has{ "br0", linkinfo = { info_data = { stp_state = 0 } } } end,
        "host has a link br0: stp_state 0")
    assert_fails(function() expect(host.link):has{ "br0", linkinfo = { info_data = { stp_state = 1 } } } end,
        "host has a link br0: stp_state 1", "host has a link br0: stp_state 1")
    assert_fails(function() expect(host.addr):has{ local_ = "10.0.0.1" } end, "host has an address: 10.0.0.1",
        "host has an address: 10.0.0.1")
end

function TestLesson.testPackets()
    local a, b = lab:find "a", lab:find "b"
    local wire <close> = a:capture{ "eth0", filter = "icmp" }
    a:ping(b, { count = 2, interval = 0.05 })
    assert_holds(function() expect(wire):sees "10.0.0.1 > 10.0.0.2: ICMP echo request" end,
        'eth0 in a sees "10.0.0.1 > 10.0.0.2: ICMP echo request"')
    assert_holds(function() expect(wire):sees("ICMP", 4) end, 'eth0 in a sees "ICMP" 4×')
    assert_holds(function() expect(wire):sees("request", { count = 2, ip = { ttl = 64 } }) end,
        'eth0 in a sees "request", ip ttl 64 2×')
    assert_holds(function() expect(wire):sees_no "ARP" end, 'eth0 in a sees no "ARP"')
    assert_fails(function() expect(wire):sees("ICMP", 3) end,
        'eth0 in a sees "ICMP" 3×\n      it saw:\n', 'eth0 in a sees "ICMP" 3×')
    assert_fails(function() expect(wire):sees_no("reply", { ip = { src = "10.0.0.2" } }) end,
        'eth0 in a sees no "reply"')
end

function TestLesson.testPrograms()
    local a = lab:find "a"
    assert_holds(function() expect(a):runs("ip -br addr", "10.0.0.1/24") end, 'a runs "ip -br addr"')
    assert_holds(function() expect(a):cannot_run{ "false" } end, 'a cannot run "false"  status 1')
    assert_fails(function() expect(a):runs("echo one", "two") end, 'a runs "echo one"\n      it prints:\n      one',
        'a runs "echo one"')
    assert_fails(function() expect(a):runs "exit 3" end, 'a runs "exit 3"  status 3', 'a runs "exit 3": status 3')
    assert_fails(function() expect(a):cannot_run "nix-there" end, 'a cannot run "nix-there"')
    assert_fails(function() expect(a):cannot_run "true" end, 'a cannot run "true"')
end

function TestLesson.testNames()
    assert_holds(function() expect(nsh.netns):has{ "a", "b" } end, "there are namespaces a and b")
    assert_holds(function() expect(nsh.netns):has_no "c" end, "there is no namespace c")
    assert_holds(function() expect(nsh.netns):has(lab:find "a") end, "there is a namespace a")
    assert_fails(function() expect(nsh.netns):has_no(lab:find "a") end, "there is no namespace a")
    assert_fails(function() expect(nsh.netns):has{ "a", "c" } end, "there are namespaces a and c  not c",
        "there are namespaces a and c: not c")
    assert_fails(function() expect(nsh.netns):has_no{ "a", "c" } end, "there is no namespace a or c  a",
        "there is no namespace a or c: a")
end

function TestLesson.testCallsAndValues()
    local function missing() host.link:get "nix" end
    assert_holds(function() expect(missing):fails("ENODEV", "nix is not there") end, "nix is not there")
    assert_holds(function() expect(function() host.link:get "lo" end):succeeds "lo is there" end, "lo is there")
    assert_holds(function() expect(1 + 1):is(2, "the sum") end, "the sum is 2")
    assert_holds(function() expect(1):is_not(2, "one") end, "one is not 2")
    assert_holds(function() nsh.check(true, "it is so") end, "it is so")
    assert_fails(function() expect(missing):fails("EEXIST", "nix is there") end, "nix is there")
    assert_fails(function() expect(missing):succeeds "nix is there" end, "nix is there")
    assert_fails(function() expect(function() end):fails("EEXIST", "it fails") end, "it fails  it succeeds", "it fails")
    assert_fails(function() expect(3):is(2, "the sum") end, "the sum is 2  it is 3", "the sum is 2: it is 3")
    assert_fails(function() expect(2):is_not(2, "two") end, "two is not 2")
    assert_fails(function() nsh.check(nil, "it is so") end, "it is so")
end

function TestLesson.testWrongWords()
    assert_refused(function() expect(host):reach "10.0.0.1" end, "did you mean reaches")
    assert_refused(function() expect(host.link):reaches "10.0.0.1" end, "of an object of a namespace one cannot expect")
    assert_refused(function() expect(host).reaches(host) end, "a colon is missing")
    assert_refused(function() nsh.check(true) end, "what is claimed is a text")
end

-- A claim about nothing would hold for ever; and what is written wrongly is shown as it is right.
function TestLesson.testMistakesAreExplained()
    local a, b = lab:find "a", lab:find "b"
    local wire <close> = a:capture "eth0"
    local mistakes = {
        { "say whom: ", function() expect(a):reaches() end },
        { "say whom: ", function() expect(a):does_not_reach{} end },
        { "a namespace may have many addresses", function() expect(a):reaches(host) end },
        { "options are a table: ", function() expect(a):reaches(b, 3) end },
        { "this is nil", function() expect(nil):reaches(b) end },
        { "say which records", function() expect(a.link):has() end },
        { "say which records", function() expect(a.link):has_no() end },
        { "say which records", function() expect(a.link):loses() end },
        { "how many there are: ", function() expect(a.link):has({ "eth0" }, "1") end },
        { "say which namespaces: ", function() expect(nsh.netns):has{} end },
        { "say what its line contains: ", function() expect(wire):sees() end },
        { "how many, or fields: ", function() expect(wire):sees("ICMP", "1") end },
        { 'a packet has no field "ipp"; did you mean ip',
            function() expect(wire):sees_no("ICMP", { ipp = { ttl = 3 } }) end },
        { 'a packet has no field "tttl"; did you mean ttl',
            function() expect(wire):sees_no("ICMP", { vxlan = { inner = { ip = { tttl = 3 } } } }) end },
        { 'unknown key "maste"; did you mean master', function() expect(a.link):has_no{ "none", maste = "br0" } end },
        { 'unknown key "maste"; did you mean master',
            function() expect(a.link):loses{ master = "none", maste = 1 } end },
        { "there is no number: ", function() expect(wire):sees_no("ICMP", 2) end },
        { "say to what: ", function() expect(a):connects "10.0.0.2:80" end },
        { "say to what: ", function() expect(a):does_not_connect{ "10.0.0.2" } end },
        { "say which program: ", function() expect(a):runs() end },
        { "say with which error: ", function() expect(function() error "x" end):fails() end },
        { "is in a function: ", function() nsh.together(nil) end },
        { "a step has a title: ", function() nsh.step() end },
        { "say what is missing: ", function() nsh.skip() end },
        { "there is nothing to look at: ", function() nsh.look() end },
        { "what was learnt is a text: ", function() nsh.done(5) end },
    }
    for _, mistake in ipairs(mistakes) do
        assert_refused(mistake[2], mistake[1])
        local _, err = printed(mistake[2])
        lu.assertEquals(err.code, "EINVAL")
        lu.assertStrMatches(err.where, ".*lesson_test.lua:%d+")
    end
end

function TestLesson.testLookAtACaptureNamesItsCommand()
    local wire <close> = host:capture{ "lo", filter = "icmp" }
    lu.assertEquals(wire:command(), "tcpdump -n -i lo icmp")
    lu.assertEquals(wire:command "src 10.0.0.1", "tcpdump -n -i lo '(icmp) and (src 10.0.0.1)'")
    local inside <close> = lab:find "a":capture "eth0"
    lu.assertEquals(inside:command "arp", "ip netns exec a tcpdump -n -i eth0 arp")
    lu.assertStrContains(printed(function() nsh.look(wire) end), "$ tcpdump -n -i lo icmp")
end

-- As long as the slowest, and each is told, in the order of the script.
function TestLesson.testTogether()
    local a, b = lab:find "a", lab:find "b"
    local text, err = printed(function()
        nsh.together(function()
            for i = 11, 30 do expect(a):does_not_reach("10.0.0." .. i, { timeout = 0.5 }) end
            expect(a):reaches(b)
        end)
    end)
    lu.assertNil(err)
    local _, count = text:gsub("ok    ", "")
    lu.assertEquals(count, 21)
    lu.assertStrMatches(text, ".*10%.0%.0%.11.*10%.0%.0%.30.*a reaches b.*")
end

function TestLesson.testTogetherIsSideBySide()
    local most, running = 0, 0
    local claim = require "nsh.lesson.claim"
    printed(function()
        nsh.together(function()
            for i = 1, 5 do
                claim.check("claim " .. i, function()
                    running = running + 1
                    most = math.max(most, running)
                    nsh.sleep(0.05)
                    running = running - 1
                    return true
                end)
            end
        end)
    end)
    lu.assertEquals(most, 5)
end

function TestLesson.testTogetherReportsAllThatFail()
    local a, b = lab:find "a", lab:find "b"
    local text, err = printed(function()
        nsh.together(function()
            expect(a):does_not_reach(b)
            expect(b):reaches(a)
            expect(host):reaches(a)
        end)
    end)
    local _, failures = text:gsub("FAIL", "")
    lu.assertEquals(failures, 2)
    lu.assertStrContains(text, "ok    b reaches a")
    lu.assertStrContains(tostring(err), "not so: a does not reach b")
    lu.assertStrContains(tostring(err), "(and 1 more)")
    lu.assertStrMatches(err.where, ".*lesson_test.lua:%d+")
end

function TestLesson.testErrorInTogetherIsRaised()
    local a = lab:find "a"
    assert_refused(function() nsh.together(function() expect(a):reaches "nowhere" end) end, '"nowhere" is not an')
    assert_refused(function() nsh.together(function() error("mine", 0) end) end, "mine")
    assert_holds(function() nsh.check(true, "and the next claim is checked at once") end, "and the next claim")
end

function TestLesson.testLookShowsTheCommandAndTheTable()
    local stdout = support.sh(([[%s -S -e 'nsh.look(host.link, { "lo" }) nsh.step "Next" nsh.check(true, "so")
        nsh.done "That was all."']]):format(os.getenv "NSH"))
    lu.assertStrContains(stdout, "$ ip link show dev lo\nIFNAME")
    lu.assertStrContains(stdout, "\n\n## Next\n\nok    so\n\nThat was all.\nOne check holds.\n")
    lu.assertNotStrContains(stdout, "\n\n\n")
end

function TestLesson.testAScriptEndsWithOneUnlessItsClaimsHold()
    local function status(code)
        return (support.sh(("%s -S -e '%s' >/dev/null 2>&1; echo $?"):format(os.getenv "NSH", code)):match "%d+")
    end
    lu.assertEquals(status 'nsh.check(true, "so") nsh.done()', "0")
    lu.assertEquals(status 'nsh.check(false, "so") nsh.done()', "1")
    lu.assertEquals(status 'nsh.done()', "1")
    lu.assertEquals(status 'nsh.together(function() nsh.check(false, "so") end)', "1")
end

function TestLesson.testBridgeTakesPorts()
    local a = lab:node "c"
    a:connect{ "eth1", to = lab:find "b", peer = "eth9" }
    a:bridge{ "br1", ports = { "eth1" } }
    lab:up()
    lu.assertEquals(a.link:get("eth1").master, "br1")
    lu.assertEquals(a:find "eth1".name, "eth1")
    assert_refused(function() a:bridge{ "br2", ports = { "eth7" } } end, "ports: there is no interface eth7")
    assert_refused(function() a:bridge{ "br3", ports = "eth1" } end, "ports are a list of names")
end

os.exit(support.run())
