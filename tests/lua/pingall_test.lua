-- Does everybody reach everybody: pingall against the real kernel. What fills the machine's neighbour
-- table is in pingall_alone_test.lua.
package.path = (arg[0]:match "^(.*/)" or "./") .. "?.lua;" .. package.path

local lab = require "pingall_lab"
local lu = require "luaunit"
local matrix = require "nsh.lab.matrix"
local nsh = require "nsh"
local pingall = require "nsh.lab.pingall".pingall
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))

local V4, V6 = "10.0.0.%d/24", "fd00::%x/64"

-- What must hold for every result, whoever answered.
local function check_sums(r)
    local answered, unanswered = 0, 0
    for _, from in ipairs(r.nodes) do
        lu.assertNil(r.matrix[from][from])
        for _, rtt in pairs(r.matrix[from]) do
            if rtt then answered = answered + 1 else unanswered = unanswered + 1 end
            lu.assertTrue(not rtt or rtt >= r.min and rtt <= r.max)
        end
    end
    lu.assertEquals(r.received + #r.failures, r.transmitted)
    lu.assertEquals(r.ok, r.transmitted > 0 and #r.failures == 0)
    lu.assertEquals(unanswered == 0, #r.failures == 0)
    if #r.families == 1 then
        lu.assertEquals(answered, r.received)
        lu.assertEquals(unanswered, #r.failures)
    end
    lu.assertTrue(r.received == 0 or r.min <= r.avg and r.avg <= r.max)
end

local function ping(nodes, opts)
    local r = pingall(nodes, opts)
    check_sums(r)
    lab.skip_if_crowded(r)
    return r
end

local function assert_all_answered(r, count)
    lu.assertTrue(r.ok, tostring(r))
    lu.assertEquals(r.transmitted, count)
    lu.assertEquals(r.received, count)
    lu.assertEquals(r.loss, 0)
    lu.assertEquals(#r.failures, 0)
end

-- { "n1>n3 inet", … } of what failed, which is sorted already.
local function failed(r)
    return support.map(r.failures, function(f) return ("%s>%s %s"):format(f.from, f.to, f.family) end)
end

-- Calls fn(received, transmitted) after each wave while ping(nodes, opts) runs.
local function ping_watched(nodes, opts, fn)
    package.loaded["nsh.progress"] = function(_, total)
        local closed = setmetatable({}, { __close = function() end })
        closed.at = function(_, count) fn(count, total) end
        return closed
    end
    local ok, result = pcall(ping, nodes, opts)
    package.loaded["nsh.progress"] = nil
    if not ok then error(result, 0) end
    return result
end

-- --- who answers ---------------------------------------------------------------------------------

TestReach = {}

function TestReach.test_a_star()
    local nodes, switch = lab.star(12, { V4 })
    local r = ping(nodes)
    assert_all_answered(r, 132)
    lu.assertEquals(r.families, { "inet" })
    lu.assertEquals(#r.nodes, 12)
    for _, from in ipairs(r.nodes) do
        for _, to in ipairs(r.nodes) do
            if from ~= to then lu.assertEquals(math.type(r.matrix[from][to]), "float") end
        end
    end
    lab.close(nodes, switch)
end

function TestReach.test_two_halves()
    local left, switch = lab.star(3, { V4 })
    local right, other = lab.star(3, { "10.0.0.1%d/24" })
    for i, node in ipairs(right) do node.name = "m" .. i end
    local r = ping(table.move(right, 1, 3, 4, table.move(left, 1, 3, 1, {})), { timeout = 0.5 })
    lu.assertEquals(r.transmitted, 30)
    lu.assertEquals(r.received, 12)
    lu.assertEquals(r.loss, 60)
    lu.assertEquals(r.retried >= 18, true)
    lu.assertEquals(#r.failures, 18)
    for _, f in ipairs(r.failures) do
        lu.assertNotEquals(f.from:sub(1, 1), f.to:sub(1, 1))
        lu.assertEquals(f.reason, "unreachable") -- the kernel's own word, although 0.5 s are too short for it
        lu.assertStrContains(f.message, "host unreachable")
        lu.assertFalse(r.matrix[f.from][f.to])
    end
    lab.close(left, right, switch, other)
end

function TestReach.test_one_node_is_down()
    local nodes, switch = lab.star(4, { V4 })
    nodes[2].ns.link:set{ "eth0", up = false }
    local r = ping(nodes, { timeout = 0.5 })
    lu.assertEquals(failed(r), { "n1>n2 inet", "n2>n1 inet", "n2>n3 inet", "n2>n4 inet", "n3>n2 inet",
        "n4>n2 inet" })
    for _, f in ipairs(r.failures) do
        lu.assertEquals(f.reason, f.from == "n2" and "no route" or "unreachable")
        lu.assertEquals(f.address, "10.0.0." .. f.to:sub(2))
    end
    lu.assertStrContains(tostring(r.failures[2]), "n2 -> n1 10.0.0.1: no route (Network is unreachable)")
    lab.close(nodes, switch)
end

-- a - router - b, where b knows no way but its own network.
local function build_routed()
    local near, far = lab.switch "near", lab.switch "far"
    local router = lab.connect(near, "router", { "10.1.0.1/24" })
    far.ns.link:add{ "router", type = "veth", master = "br0", up = true,
        peer = { "eth1", netns = router.ns } }
    router.ns.link:set{ "eth1", up = true }
    router.ns.addr:add{ "10.2.0.1/24", dev = "eth1" }
    router.ns:sysctl("net.ipv4.ip_forward", 1)
    local a, b = lab.connect(near, "a", { "10.1.0.2/24" }), lab.connect(far, "b", { "10.2.0.2/24" })
    a.ns.route:add{ "default", via = "10.1.0.1" }
    for _, switch in ipairs{ near, far } do switch.ns.link:set{ "br0", up = true } end
    return { a, router, b }, { near, far }
end

function TestReach.test_a_missing_route()
    local nodes, switches = build_routed()
    local r = ping(nodes, { timeout = 0.5 })
    lu.assertEquals(failed(r), { "a>b inet", "b>a inet", "b>router inet" })
    lu.assertEquals(support.map(r.failures, function(f) return f.reason end), { "timeout", "no route", "no route" })
    lab.close(nodes, switches)
end

-- Whoever is named without an address is on the way only, and has neighbours all the same.
function TestReach.test_over_a_router()
    local nodes, switches = build_routed()
    nodes[3].ns.route:add{ "default", via = "10.2.0.1" }
    assert_all_answered(ping(nodes), 6)
    nodes[2].addresses = {}
    assert_all_answered(ping(nodes), 2)
    lu.assertEquals(#nodes[2].ns.neigh:list(), 0)
    lab.close(nodes, switches)
end

-- --- which addresses -----------------------------------------------------------------------------

function TestReach.test_a_lab()
    local net = nsh.lab "pingall"
    local pool, switch = net:pool "10.0.0.0/24", net:switch "s1"
    for i = 1, 3 do
        net:node("a-node-with-a-long-name-" .. i):connect{ "eth0", addr = { pool:next(), "fd00::" .. i .. "/64" },
            to = switch }
    end
    net.nodes[2]:addr{ "10.1.0.1/24", dev = "eth0" }
    local err = support.raised(net.pingall, net)
    lu.assertEquals(err.code, "ENOENT")
    net:up()
    local r = net:pingall()
    lab.skip_if_crowded(r)
    assert_all_answered(r, 12)
    lu.assertEquals(r.nodes[3], "a-node-with-a-long-name-3")
    lu.assertNumber(r.matrix[r.nodes[1]][r.nodes[2]])
    lu.assertEquals(net:pingall{ all = true, family = "inet" }.transmitted, 8)
    net:down()
end

TestFamilies = {}

function TestFamilies.test_ipv6_only()
    local nodes, switch = lab.star(5, { V6 })
    local r = ping(nodes)
    assert_all_answered(r, 20)
    lu.assertEquals(r.families, { "inet6" })
    lab.close(nodes, switch)
end

function TestFamilies.test_dual_stack()
    local nodes, switch = lab.star(4, { V4, V6 })
    local r = ping(nodes)
    assert_all_answered(r, 24)
    lu.assertEquals(r.families, { "inet", "inet6" })
    assert_all_answered(ping(nodes, { family = "inet" }), 12)
    r = ping(nodes, { family = "inet6" })
    assert_all_answered(r, 12)
    lu.assertEquals(r.families, { "inet6" })
    lab.close(nodes, switch)
end

function TestFamilies.test_nothing_in_common()
    local switch = lab.switch "switch"
    local nodes = { lab.connect(switch, "old", { "10.0.0.1/24" }), lab.connect(switch, "new", { "fd00::2/64" }),
        lab.connect(switch, "both", { "fd00::3/64", "10.0.0.3/24" }), switch }
    switch.ns.link:set{ "br0", up = true }
    local r = ping(nodes)
    assert_all_answered(r, 4)
    lu.assertEquals(r.nodes, { "old", "new", "both" })
    lu.assertNil(r.matrix.old.new)
    lu.assertNil(r.matrix.new.old)
    lu.assertNumber(r.matrix.old.both)
    r = ping{ nodes[1], nodes[2] }
    lu.assertFalse(r.ok)
    lu.assertEquals(r.transmitted, 0)
    lu.assertStrContains(tostring(r), "nothing to ping")
    lu.assertFalse(ping({}).ok)
    lab.close(nodes)
end

function TestFamilies.test_one_family_fails()
    local nodes, switch = lab.star(3, { V4, V6 })
    nodes[2].ns.addr:del{ "fd00::2/64", dev = "eth0" }
    local r = ping(nodes, { timeout = 0.3 })
    lu.assertEquals(failed(r), { "n1>n2 inet6", "n2>n1 inet6", "n2>n3 inet6", "n3>n2 inet6" })
    lu.assertFalse(r.matrix.n1.n2)
    lu.assertStrMatches(tostring(r), ".*\nn1 +%- +X6 +%d%.%d+\nn2 +X6 +%- +X6\nn3 +%d%.%d+ +X6 +%-\n.*")
    lab.close(nodes, switch)
end

function TestFamilies.test_all_addresses()
    local nodes, switch = lab.star(3, { V4, "10.0.1.%d/24", V6, "fe80::%x/64", "FE9a::1%x/64" })
    assert_all_answered(ping(nodes), 12)
    assert_all_answered(ping(nodes, { all = true }), 18)
    nodes[1].ns.addr:del{ "10.0.1.1/24", dev = "eth0" }
    nodes[1].ns.addr:add{ "10.0.1.9/24", dev = "eth0" }
    local r = ping(nodes, { all = true, timeout = 0.3 })
    lu.assertEquals(failed(r), { "n2>n1 inet", "n3>n1 inet" })
    lu.assertEquals(r.failures[1].address, "10.0.1.1")
    lab.close(nodes, switch)
end

-- --- what is left behind -------------------------------------------------------------------------

TestNeighbours = {}

-- { "10.0.0.2 eth0", … } of all nodes, whatever their state.
local function neighbours(nodes)
    local list = {}
    for _, node in ipairs(nodes) do
        for _, record in ipairs(node.ns.neigh:list()) do
            table.insert(list, ("%s %s %s"):format(node.name, record.dst, record.dev))
        end
    end
    table.sort(list)
    return list
end

-- 30 nodes do not fit into one wave.
function TestNeighbours.test_new_ones_go_and_old_ones_stay()
    local nodes, switch = lab.star(30, { V4, V6 })
    local overflows = lab.overflows()
    local a, b = nodes[1].ns:ping("10.0.0.2", { timeout = 5 }), nodes[30].ns:ping("fd00::3", { timeout = 5 })
    lab.overflows(overflows)
    lu.assertTrue(a.ok and b.ok)
    nodes[7].ns:ping("10.0.0.99", { timeout = 0.05 })
    nodes[5].ns.neigh:add{ "10.0.0.6", lladdr = "02:00:00:00:00:06", dev = "eth0", nud = "permanent" }
    local before, waves = neighbours(nodes), 0
    local r = ping_watched(nodes, { timeout = 0.3 }, function() waves = waves + 1 end)
    lab.overflows(overflows)
    lu.assertEquals(#before, 6)
    lu.assertEquals(failed(r), { "n5>n6 inet", "n6>n5 inet" }) -- the MAC is wrong
    lu.assertTrue(waves > 3)
    lu.assertEquals(neighbours(nodes), before)
    lab.close(nodes, switch)
end

function TestNeighbours.test_what_is_configured_meanwhile_stays()
    local nodes, switch = lab.star(2, { V4 })
    local function configure()
        nodes[1].ns.neigh:replace{ "10.0.0.77", lladdr = "02:00:00:00:00:77", dev = "eth0" }
    end
    assert_all_answered(ping_watched(nodes, {}, configure), 2)
    lu.assertEquals(neighbours(nodes), { "n1 10.0.0.77 eth0" })
    lab.close(nodes, switch)
end

function TestNeighbours.test_they_go_after_an_error_too()
    local nodes, switch = lab.star(30, { V4 })
    local err = support.raised(ping_watched, nodes, {}, function() error "enough" end)
    lu.assertStrContains(err, "enough")
    lu.assertEquals(neighbours(nodes), {})
    lab.close(nodes, switch)
end

-- --- beside other things -------------------------------------------------------------------------

TestTasks = {}

function TestTasks.test_tasks_go_on_meanwhile()
    local nodes, switch = lab.star(3, { V4 })
    nodes[3].ns.link:set{ "eth0", up = false }
    local turns, over = 0, false
    local task = nsh.go(function()
        while not over do
            nsh.sleep(0.01)
            turns = turns + 1
        end
    end)
    lu.assertEquals(ping(nodes, { timeout = 0.5 }).received, 2)
    over = true
    task:wait()
    lu.assertTrue(turns > 5, turns)
    lab.close(nodes, switch)
end

function TestTasks.test_two_at_a_time()
    local nodes, switch = lab.star(8, { V4 })
    local others, other = lab.star(8, { V4 })
    local tasks = { nsh.go(ping, nodes), nsh.go(ping, others) }
    for _, task in ipairs(tasks) do assert_all_answered(task:wait(), 56) end
    lab.close(nodes, others, switch, other)
end

function TestTasks.test_progress()
    local nodes, switch = lab.star(30, { V4 })
    local last = 0
    assert_all_answered(ping_watched(nodes, {}, function(received, transmitted)
        lu.assertTrue(last <= received and received <= transmitted)
        lu.assertEquals(transmitted, 870)
        last = received
    end), 870)
    lu.assertEquals(last, 870)
    lab.close(nodes, switch)
end

-- --- as text -------------------------------------------------------------------------------------

TestText = {}

-- A result in which `lost(i, j)` says who has no answer from whom: true, or a list of families.
local function made_up(count, lost, families)
    local r = { nodes = {}, matrix = {}, families = families or { "inet" }, failures = {}, received = 0,
        transmitted = count * (count - 1), min = 0.01, avg = 0.0216, max = 123.4567 }
    for i = 1, count do
        r.nodes[i], r.matrix["n" .. i] = "n" .. i, {}
        for j = 1, count do
            local missing = i ~= j and lost(i, j)
            if i ~= j then r.matrix["n" .. i]["n" .. j] = not missing and j / 100 end
            for _, family in ipairs(missing == true and r.families or missing or {}) do
                table.insert(r.failures, { from = "n" .. i, to = "n" .. j, family = family,
                    address = "10.0.0." .. j, reason = "timeout", message = "no reply within 1 s" })
            end
        end
    end
    r.received = r.transmitted - #r.failures
    r.loss = 100 * #r.failures / math.max(1, r.transmitted)
    return r
end

local function text_of(...)
    return matrix.format(made_up(...))
end

local function nobody() return false end

function TestText.test_a_matrix_with_times()
    lu.assertEquals(text_of(3, function(i, j) return i == 1 and j == 3 end), [[
       n1     n2     n3
n1      -  0.020      X
n2  0.010      -  0.030
n3  0.010  0.020      -
n1 -> n3 10.0.0.3: timeout (no reply within 1 s)
6 transmitted, 5 received, 16.7% loss, rtt min/avg/max = 0.010/0.022/123.457 ms]])
end

function TestText.test_both_families()
    local text = text_of(2, function(i) return i == 1 and { "inet6" } end, { "inet", "inet6" })
    lu.assertStrMatches(text, " +n1 +n2\nn1 +%- +X6\nn2 +0%.010 +%-\n.*")
    text = text_of(2, function(i) return i == 1 and { "inet", "inet6" } end, { "inet", "inet6" })
    lu.assertStrMatches(text, " +n1 +n2\nn1 +%- +X\nn2 +0%.010 +%-\n.*")
end

function TestText.test_without_times()
    local text = text_of(14, function(i, j) return i == 2 and j > 3 end)
    lu.assertStrContains(text, "\n 2 n2  . - . X X X X X X  X  X  X  X  X\n 3 n3  . . - . . . . . .  .  .  .  .  .\n")
    lu.assertStrContains(text, "\n11 × timeout, such as n2 -> n4 10.0.0.4: timeout (no reply within 1 s)\n")
end

function TestText.test_many_nodes()
    lu.assertEquals(text_of(100, nobody),
        "9900 transmitted, 9900 received, 0% loss, rtt min/avg/max = 0.010/0.022/123.457 ms")
    lu.assertEquals(text_of(100, function(i, j) return i == 7 or j == 7 end), [[
n1 n2 n3 n4 n5 n6 n8 n9 … (99) -> no answer from n7
n7 -> no answer from n1 n2 n3 n4 n5 n6 n8 n9 n10 n11 n12 n13 n14 n15 … (99)
198 × timeout, such as n1 -> n7 10.0.0.7: timeout (no reply within 1 s)
9900 transmitted, 9702 received, 2% loss, rtt min/avg/max = 0.010/0.022/123.457 ms]])
end

function TestText.test_bounded()
    local text = text_of(60, function(i, j) return i < j end)
    local count = 0
    for line in text:gmatch "[^\n]+ no answer from [^\n]+" do
        count = count + 1
        lu.assertTrue(utf8.len(line) <= 76, line)
    end
    lu.assertEquals(count, 20)
    lu.assertStrContains(text, "\n… and 39 more such lines\n")
end

function TestText.test_a_name_fit_for_no_terminal()
    local r = made_up(2, nobody)
    r.nodes[1], r.matrix["\27[2J"] = "\27[2J", r.matrix.n1
    lu.assertNotStrContains(matrix.format(r), "\27")
end

function TestText.test_as_json()
    local nodes, switch = lab.star(2, { V4 })
    local r = support.as_json(ping(nodes))
    lu.assertEquals(r.ok, true)
    lu.assertEquals(r.failures, {})
    lu.assertEquals(r.nodes, { "n1", "n2" })
    lu.assertNumber(r.matrix.n1.n2)
    lab.close(nodes, switch)
end

-- --- misuse --------------------------------------------------------------------------------------

TestRefused = {}

function TestRefused.test_nodes()
    local nodes, switch = lab.star(2, { V4 })
    local a, b = table.unpack(nodes)
    local no_table = "cannot ping all: node 1 is no table { name =, ns =, addresses = {…} } (EINVAL)"
    support.refused("EINVAL", "cannot ping all: a list of nodes expected, not nil (EINVAL)", pingall)
    support.refused("EINVAL", no_table, pingall, { 1 })
    support.refused("EINVAL", no_table, pingall, { { name = "a", addresses = {} } })
    support.refused("EINVAL", no_table, pingall, { { name = "a", ns = a.ns } })
    support.refused("EINVAL", 'cannot ping all: two nodes have the name "n1" (EINVAL)', pingall, { a, b, a })
    a.addresses = { "10.0.0.x/24" }
    support.refused("EINVAL", 'cannot ping 10.0.0.x in n2: "10.0.0.x" is not an IPv4 or IPv6 address (EINVAL)',
        pingall, nodes)
    lab.close(nodes, switch)
    support.refused("EINVAL", "cannot ping all: the namespace of n2 is closed (EINVAL)", pingall, { b })
end

function TestRefused.test_options()
    for text, opts in pairs{
        ['"al" is no option; there are all, family, timeout and size'] = { al = true },
        ['all is true or false, not 1'] = { all = 1 },
        ['family is "inet" or "inet6", not "ipv4"'] = { family = "ipv4" },
        ['timeout is 0.001 to 3600 seconds, not 0'] = { timeout = 0 },
        ['size is 0 to 65507 bytes, not 1.5'] = { size = 1.5 },
        ['options are a table, as in { all = … }, not 3'] = 3,
    } do
        support.refused("EINVAL", "cannot ping all: " .. text .. " (EINVAL)", pingall, {}, opts)
    end
    lu.assertEquals(support.raised(pingall, {}, { size = -1 }).key, "size")
end

os.exit(support.run())
