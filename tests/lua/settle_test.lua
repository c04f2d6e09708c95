-- An ACK is not readiness: what is pinged, run or listed right after a change finds its links ready.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"
local nsh = require "nsh"
local settle = require "nsh.settle"

nsh.sandbox()

local SOON = 0.9 -- seconds: a lost request for an address is repeated after one
local MANY = 120 -- pairs: their ends are more than the 200 links that the kernel settles at once

-- 6.008 for Linux 6.8
local KERNEL = (function()
    local file <close> = io.open "/proc/sys/kernel/osrelease"
    local major, minor = file:read "a":match "^(%d+)%.(%d+)"
    return major + minor / 1000
end)()

local a, b

local function setup()
    a, b = nsh.netns.new(), nsh.netns.new()
end

local function teardown()
    a:close()
    b:close()
end

local function assert_answers(from, address)
    local result = from:ping(address, { timeout = SOON })
    lu.assertTrue(result.ok, tostring(result))
end

local function up(ns, name) ns.link:set{ name, up = true } end

-- Not from `get`, which settles the link that it asks for.
local function operstates(ns, filter)
    return support.pluck(ns.link:list(filter), "operstate")
end

-- --- packets -------------------------------------------------------------------------------------

TestPackets = { setUp = setup, tearDown = teardown }

-- Of 300 first packets about four were lost.
function TestPackets.test_the_first_one_arrives()
    for _ = 1, 150 do
        setup()
        a.link:add{ "v0", type = "veth", up = true, peer = { "v1", netns = b } }
        a.addr:add{ "10.0.0.1/24", dev = "v0" }
        b.addr:add{ "10.0.0.2/24", dev = "v1" }
        up(b, "v1")
        assert_answers(a, "10.0.0.2")
        assert_answers(b, "10.0.0.1")
        teardown()
    end
end

function TestPackets.test_the_first_one_over_a_bridge()
    for _ = 1, 30 do
        setup()
        local bridge <close> = nsh.netns.new()
        bridge.link:add{ "br0", type = "bridge", up = true }
        for i, ns in ipairs{ a, b } do
            bridge.link:add{ "port" .. i, type = "veth", up = true, peer = { "v" .. i, netns = ns } }
            ns.addr:add{ ("10.0.0.%d/24"):format(i), dev = "v" .. i }
            bridge.link:set{ "port" .. i, master = "br0" }
            up(ns, "v" .. i)
        end
        assert_answers(a, "10.0.0.2")
        teardown()
    end
end

function TestPackets.test_the_first_one_of_a_program()
    for _ = 1, 100 do
        setup()
        a.link:add{ "v0", type = "veth", up = true, peer = { "v1", netns = b } }
        a.addr:add{ "10.0.0.1/24", dev = "v0" }
        b.addr:add{ "10.0.0.2/24", dev = "v1" }
        up(b, "v1")
        lu.assertEquals(a:exec{ "ping", "-nqc1", "-W", tostring(SOON), "10.0.0.2", output = true }.status, 0)
        teardown()
    end
end

-- --- more links than the kernel handles at once --------------------------------------------------

-- Pairs from a to b, whose ends have different indexes if there is another link before those of b.
-- Without IPv6: the neighbours of so many links would fill the table of the whole machine.
local function build(count)
    for _, ns in ipairs{ a, b } do ns:sysctl("net.ipv6.conf.default.disable_ipv6", true) end
    for i = 1, count do
        a.link:add{ "v" .. i, type = "veth", group = 7, peer = { "w" .. i, netns = b, group = 7 } }
        a.addr:add{ ("10.0.%d.1/24"):format(i), dev = "v" .. i }
        b.addr:add{ ("10.0.%d.2/24"):format(i), dev = "w" .. i }
    end
end

-- Within one request for each namespace: so nothing is settled before the last link has changed.
local function set_many(state)
    for _, ns in ipairs{ a, b } do
        lu.assertEquals(ns:exec{ "ip", "link", "set", "group", "7", state }.status, 0)
    end
end

-- Every eighth: those that the kernel leaves for later stand together.
local function assert_answers_from_all(count)
    local addresses = {}
    for i = 1, count, 8 do addresses[#addresses + 1] = ("10.0.%d.2"):format(i) end
    for _, result in ipairs(a:ping(addresses, { timeout = SOON })) do
        lu.assertTrue(result.ok, tostring(result))
    end
end

local function all_up()
    local states = {}
    for i = 1, MANY do states[i] = "UP" end
    return states
end

TestMany = { setUp = setup, tearDown = teardown }

function TestMany.test_packets()
    b.link:add{ "another", type = "bridge" }
    build(MANY)
    set_many "up"
    up(a, "lo")
    assert_answers_from_all(MANY)
end

-- Then the kernel's UP is that of the time before; which older ones cannot tell.
function TestMany.test_packets_after_both_ends_were_down()
    lu.skipIf(KERNEL < 6.008, "needs Linux 6.8")
    build(2 * MANY)
    set_many "up"
    nsh.settle{ a, b }
    set_many "down"
    set_many "up"
    up(a, "lo")
    assert_answers_from_all(2 * MANY)
end

-- The end that is not ready is often the one that nobody touched.
function TestMany.test_the_peers_of_changed_links()
    b.link:add{ "another", type = "bridge" }
    build(MANY)
    set_many "up"
    up(b, "lo")
    settle.ready()
    lu.assertEquals(operstates(a, { type = "veth" }), all_up())
end

function TestMany.test_settle()
    b.link:add{ "another", type = "bridge" }
    build(MANY)
    set_many "up"
    lu.assertTrue(nsh.settle({ a, b }, 10))
    lu.assertEquals(operstates(a, { type = "veth" }), all_up())
    lu.assertEquals(operstates(b, { type = "veth" }), all_up())
end

-- --- states --------------------------------------------------------------------------------------

TestStates = { setUp = setup, tearDown = teardown }

function TestStates.test_they_are_those_that_links_keep()
    a.link:add{ "br0", type = "bridge", up = true }
    a.link:add{ "v0", type = "veth", up = true, master = "br0", peer = { "v1", netns = b } }
    a.link:add{ "alone", type = "veth", up = true, peer = { "down" } }
    up(b, "v1")
    lu.assertTrue(nsh.settle())
    local before = { operstates(a), operstates(b) }
    lu.assertEquals(before, { { "DOWN", "DOWN", "LOWERLAYERDOWN", "UP", "UP" }, { "DOWN", "UP" } })
    lu.assertEquals(a.link:list{ dev = "v0" }[1].linkinfo.info_slave_data.state, "forwarding")
    nsh.sleep(1.1)
    lu.assertEquals({ operstates(a), operstates(b) }, before)
end

function TestStates.test_a_bridge_follows_its_port()
    for i = 1, 25 do
        setup()
        a.link:add{ "br0", type = "bridge", up = true }
        a.link:add{ "v0", type = "veth", up = true, master = "br0", peer = { "v1", netns = b } }
        nsh.settle()
        up(b, "v1")
        lu.assertTrue(nsh.settle(i % 2 == 0 and a or b))
        lu.assertEquals(operstates(a, "br0"), { "UP" })
        teardown()
    end
end

function TestStates.test_of_a_link_that_goes_elsewhere()
    local far <close> = nsh.netns.new()
    a.link:add{ "v1", type = "veth", peer = { "v0", netns = far } }
    far:exec "ip link set v0 up"
    a.link:set{ "v1", netns = b, up = true }
    lu.assertTrue(nsh.settle())
    lu.assertEquals(operstates(b, "v1"), { "UP" })
end

-- --- which namespaces, and how long --------------------------------------------------------------

-- What looks like a namespace, and never settles; it counts how often it is asked.
local function restless(...)
    local answers = table.pack(...)
    local ns = { name = "restless", asked = 0 }
    function ns.socket() return ns end
    function ns.unsettled()
        ns.asked = ns.asked + 1
        return table.unpack(answers)
    end
    return ns
end

TestWaiting = { setUp = setup, tearDown = teardown }

function TestWaiting.test_until_the_time_is_over()
    for _, what in ipairs{ { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } do
        local ns = restless(table.unpack(what))
        lu.assertFalse(nsh.settle(ns, 0.02))
        lu.assertTrue(ns.asked > 1)
        lu.assertFalse(nsh.settle({ a, ns }, 0))
    end
end

function TestWaiting.test_other_tasks_go_on()
    local ticks = 0
    local task = nsh.go(function()
        for _ = 1, 3 do
            nsh.sleep(0.001)
            ticks = ticks + 1
        end
    end)
    nsh.settle(restless(1, 0, 0), 1)
    lu.assertEquals(ticks, 3)
    task:wait()
end

-- For packets: what is doubtful is given up soon, what is only late is no reason to wait, and what was
-- given up is not asked again.
function TestWaiting.test_before_a_ping()
    local late, doubtful = restless(0, 0, 1), restless(0, 1, 0)
    settle.mark(late)
    settle.mark(doubtful)
    settle.ready()
    lu.assertEquals(late.asked, 1)
    lu.assertTrue(doubtful.asked > 1)
    late.asked, doubtful.asked = 0, 0
    settle.ready()
    lu.assertEquals({ late.asked, doubtful.asked }, { 0, 0 })
    nsh.settle(nil, 0)
    lu.assertEquals({ late.asked, doubtful.asked }, { 1, 1 })
    late.closed, doubtful.closed = true, true
end

function TestWaiting.test_a_namespace_that_is_closed()
    up(a, "lo")
    a:close()
    settle.ready()
    lu.assertTrue(nsh.settle())
    lu.assertTrue(nsh.settle(a))
    lu.assertTrue(nsh.settle{ a, b, nsh.host })
end

function TestWaiting.test_a_namespace_that_is_collected()
    local marked = setmetatable({}, { __mode = "k" })
    for _ = 1, 10 do
        local ns = nsh.netns.new()
        up(ns, "lo")
        marked[ns] = true
    end
    collectgarbage()
    lu.assertNil(next(marked))
end

function TestWaiting.test_what_is_no_namespace()
    local function sentence(...) return tostring(support.raised(nsh.settle, ...)):gsub("^[^ ]+ ", "") end
    local expected = "cannot settle: a namespace or a list of them expected (EINVAL)"
    for _, bad in ipairs{ "ns1", 1, { a, 1 }, { a, {} } } do lu.assertEquals((sentence(bad)), expected) end
    lu.assertEquals((sentence(a, "1")), "cannot settle: a number of seconds expected, not a string (EINVAL)")
end

os.exit(support.run())
