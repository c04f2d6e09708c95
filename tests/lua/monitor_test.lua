-- Monitors: what changes in namespaces, as `ip monitor` tells it, and what is told again after an overflow.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"
local core = require "nsh.core"

nsh.sandbox()

local ns, other -- namespaces for each test: v0 in ns, v1 in other, a veth pair

local function setup(class)
    function class.setUp()
        ns, other = support.pair("mon1", "mon2")
    end
    function class.tearDown()
        nsh.netns.del(ns)
        nsh.netns.del(other)
    end
end

-- What events say, without their records: "new link v0".
local function names(events)
    return support.map(events, function(event)
        local record = event.record or {}
        local name = record.local_ or record.dst or record.ifname or record.priority or record.nsid
        return table.concat({ event.event, event.object, name and tostring(name) }, " ")
    end)
end

local function lines(events)
    return support.map(events, tostring)
end

-- --- what is told --------------------------------------------------------------------------------

TestMonitor = {}
setup(TestMonitor)

function TestMonitor.test_an_event_has_the_record_that_list_has()
    local monitor <close> = ns:monitor "addr"
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    local event = monitor:next(5)
    lu.assertEquals({ event.event, event.object, event.netns, event.nsid }, { "new", "addr", "mon1" })
    lu.assertEquals(support.as_json(event.record), support.as_json(ns.addr:list{ dev = "v0" }[1]))
    ns.addr:del{ "10.0.0.1/24", dev = "v0" }
    lu.assertEquals(names{ monitor:next(5) }, { "del addr 10.0.0.1" })
    lu.assertEquals(support.as_json(event).record.ifname, "v0")
end

function TestMonitor.test_a_link_event_tells_what_get_tells()
    local monitor <close> = ns:monitor{ "link" }
    ns.link:set{ "v0", alias = "uplink", mtu = 1400 }
    local event
    for one in function() return monitor:next(0.2) end do event = one end
    lu.assertEquals({ event.record.ifname, event.record.mtu, event.record.ifalias }, { "v0", 1400, "uplink" })
    lu.assertEquals(event.record.linkinfo.info_kind, "veth")
end

function TestMonitor.test_only_what_was_asked_for()
    local monitor <close> = ns:monitor{ "route", "rule" }
    ns.link:set{ "v0", mtu = 1400 }
    ns.addr:add{ "10.0.0.1/32", dev = "v0" }
    ns.rule:add{ priority = 7, from = "10.0.0.0/8", table = 9 }
    lu.assertEquals(names(monitor:list()), { "new route 10.0.0.1", "new rule 7" })
    lu.assertEquals(#monitor:list(), 2)
end

function TestMonitor.test_what_happens_elsewhere_is_not_told()
    local monitor <close> = ns:monitor()
    other.addr:add{ "10.0.0.2/24", dev = "v1" }
    lu.assertEquals(lines(monitor:list()), {})
end

function TestMonitor.test_what_is_gone_keeps_its_names()
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    local monitor <close> = ns:monitor{ "link", "addr", "route", "neigh" }
    ns.link:set{ "v0", down = true } -- older kernels rename only such
    ns.link:set{ "v0", name = "v7" }
    ns.link:set{ "v7", up = true }
    ns.link:del "v7"
    local last = {}
    for _, event in ipairs(monitor:list()) do
        if event.event == "del" then last[event.object] = event.record.ifname or event.record.dev end
    end
    lu.assertEquals({ last.link, last.addr, last.route }, { "v7", "v7", "v7" })
end

-- What the events of ports of bridges look like to who does not look closely: the port is gone.
function TestMonitor.test_a_port_that_leaves_its_bridge_is_no_link_that_is_gone()
    ns.link:add{ "br0", type = "bridge" }
    local monitor <close> = ns:monitor{ "link", "neigh" }
    ns.link:set{ "v0", master = "br0" }
    ns.link:set{ "v0", nomaster = true }
    for _, event in ipairs(monitor:list()) do
        lu.assertEquals({ event.event, event.object }, { "new", "link" }, tostring(event))
    end
end

function TestMonitor.test_with_what_is_there_at_first()
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    local monitor <close> = ns:monitor{ "link", "addr", initial = true }
    lu.assertEquals(names(monitor:list()), { "new link lo", "new link v0", "new addr 10.0.0.1", "synced" })
end

-- The kernel tells nothing of routes of IPv4 that go with a link.
function TestMonitor.test_a_resync_tells_what_went_silently()
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    ns.route:add{ "10.9.0.0/16", via = "10.0.0.2" }
    local monitor <close> = ns:monitor{ "route" }
    ns.link:set{ "v0", down = true }
    lu.assertEquals(#support.map(ns.route:list{ "10.9.0.0/16" }, print), 0)
    lu.assertNotStrContains(table.concat(lines(monitor:list()), "\n"), "10.9.0.0/16")
    lu.assertStrContains(table.concat(lines(monitor:resync():list()), "\n"), "Deleted 10.9.0.0/16 via 10.0.0.2 dev v0")
end

-- --- other namespaces ----------------------------------------------------------------------------

TestAll = {}
setup(TestAll)

function TestAll.test_namespaces_that_have_an_id_here()
    local monitor <close> = ns:monitor{ "addr", "nsid", all = true }
    other.addr:add{ "10.0.0.2/24", dev = "v1" }
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    local there, here = table.unpack(monitor:list())
    lu.assertEquals({ there.netns, there.nsid, there.record.ifname }, { "mon2", ns.link:get("v0").link_netnsid, "v1" })
    lu.assertEquals({ here.netns, here.nsid, here.record.ifname }, { "mon1", nil, "v0" })
    lu.assertStrContains(tostring(there), "[mon2] 2: v1    inet 10.0.0.2/24 scope global v1\\")
end

function TestAll.test_one_that_gets_its_id_later()
    local monitor <close> = ns:monitor{ "link", "nsid", all = true }
    local third <close> = nsh.netns.new()
    third.link:add{ "w1", type = "veth", peer = { "w0", netns = ns } }
    local given = ns.link:get("w0").link_netnsid -- the kernel gives an id when one is needed first
    third.link:set{ "w1", mtu = 1300 }
    local mtu, id
    for _, event in ipairs(monitor:list()) do
        if event.object == "nsid" and not event.nsid then id = event.record.nsid end
        if event.netns == third.name then mtu = event.record.mtu end
    end
    lu.assertEquals({ mtu, id }, { 1300, given })
end

function TestAll.test_namespaces_without_an_id_are_not_heard()
    local monitor <close> = other:monitor{ "link", all = true }
    local third <close> = nsh.netns.new()
    third.link:add{ "br0", type = "bridge" }
    lu.assertEquals(lines(monitor:list()), {})
end

-- Of a program that nsh knows nothing of.
function TestAll.test_a_namespace_without_a_name()
    local monitor <close> = ns:monitor{ "link", all = true }
    local program = ns:spawn{ "unshare", "-n", "sh", "-c", "echo $$; read line; ip link set lo up; read line",
        output = true, input = true }
    local pid = assert(math.tointeger(tonumber(program:read "l")))
    support.sh(("ip link add w0 type veth peer name w1 netns /proc/%d/ns/net"):format(pid), ns)
    program:write "\n"
    local event
    support.wait_for("lo is up", function()
        for one in function() return monitor:next(0) end do
            if one.nsid and one.record.ifname == "lo" then event = one end
        end
        return event
    end)
    lu.assertEquals({ event.netns, event.nsid }, { nil, ns.link:get("w0").link_netnsid })
    lu.assertStrContains(tostring(event), ("[nsid %d] 1: lo: <LOOPBACK,UP"):format(event.nsid))
    local last = monitor:resync():list()
    lu.assertEquals(last[#last].unknown, { event.nsid })
    program:close()
end

-- --- how it is used ------------------------------------------------------------------------------

TestUse = {}
setup(TestUse)

function TestUse.test_a_for_loop_ends_with_the_count()
    local monitor <close> = ns:monitor{ "addr", count = 2 }
    for i = 1, 3 do ns.addr:add{ ("10.0.%d.1/24"):format(i), dev = "v0" } end
    local found = {}
    for event in monitor do found[#found + 1] = event.record.local_ end
    lu.assertEquals(found, { "10.0.1.1", "10.0.2.1" })
    lu.assertEquals(tostring(monitor), "monitor of addr in mon1 (count)")
end

function TestUse.test_a_count_may_be_full_at_once()
    local monitor <close> = ns:monitor{ "addr", "link", initial = true, all = true, count = 1 }
    lu.assertEquals(names(monitor:list()), { "new link lo" })
    lu.assertEquals(monitor.reason, "count")
end

function TestUse.test_it_ends_after_its_time()
    local monitor <close> = ns:monitor{ "addr", timeout = 0.05 }
    for event in monitor do lu.fail(tostring(event)) end
    lu.assertEquals(monitor.reason, "timeout")
end

function TestUse.test_a_function_is_called_for_each_event()
    local found = {}
    local function note(event) found[#found + 1] = event.record.local_ end
    local first <close> = ns:monitor({ "addr" }, note)
    local second <close> = ns:monitor(note, { "addr" })
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    support.wait_for("both were called", function() return #found == 2 end)
    first:stop()
    ns.addr:add{ "10.0.0.2/24", dev = "v0" }
    support.wait_for("the second was called", function() return #found == 3 end)
    lu.assertEquals(first.task:wait(1), nil)
    lu.assertTrue(first.task:done())
    lu.assertFalse(second.task:done())
end

function TestUse.test_two_who_wait_let_others_go_on()
    local told, done = {}, false
    local monitor <close> = ns:monitor("link", function(event) told[#told + 1] = event end)
    nsh.go(function()
        nsh.sleep(0.02)
        ns.link:set{ "v0", alias = "something" }
        done = true
    end)
    local own = monitor:next(0.5)
    told[#told + 1] = own
    lu.assertTrue(done)
    lu.assertEquals(names(told), { "new link v0" })
end

function TestUse.test_next_waits_for_its_time_at_most()
    local monitor <close> = ns:monitor{ "addr" }
    lu.assertNil(monitor:next(0.01))
    nsh.go(function()
        nsh.sleep(0.05)
        ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    end)
    lu.assertEquals(names{ monitor:next() }, { "new addr 10.0.0.1" })
end

function TestUse.test_stop_takes_what_there_is()
    local monitor = ns:monitor{ "addr" }
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    lu.assertEquals(names(monitor:stop():list()), { "new addr 10.0.0.1" })
    ns.addr:add{ "10.0.0.2/24", dev = "v0" }
    monitor:stop():close()
    lu.assertEquals(#monitor:resync():list(), 1)
    lu.assertNotNil(monitor:next())
    lu.assertNil(monitor:next())
end

function TestUse.test_beside_pings_programs_and_captures()
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    other.addr:add{ "10.0.0.2/24", dev = "v1" }
    local states = {}
    local function note(event) states[event.record.dst] = event.record.state end
    local monitor <close> = ns:monitor({ "neigh" }, note)
    local capture <close> = ns:capture{ "v0", filter = "icmp" }
    local program = other:spawn{ "sh", "-c", "ip addr add 10.0.0.3/24 dev v1; echo done", output = true }
    lu.assertTrue(ns:ping("10.0.0.2").ok)
    lu.assertEquals(program:read "l", "done")
    lu.assertTrue(ns:ping("10.0.0.3").ok)
    lu.assertEquals(#capture:list(), 4)
    support.wait_for("both neighbours are known", function() return states["10.0.0.2"] and states["10.0.0.3"] end)
    lu.assertNotNil(monitor.handle)
    program:close()
end

function TestUse.test_a_node_of_a_lab_is_monitored()
    local lab <close> = nsh.lab()
    local node = lab:node "mon9"
    node:bridge{ "br0" }
    lab:up()
    local monitor <close> = node:monitor{ "addr" }
    node.addr:add{ "10.0.0.1/24", dev = "br0" }
    lu.assertEquals(monitor:list()[1].netns, "mon9")
    lab:down()
end

function TestUse.test_one_that_nobody_has_is_collected()
    local weak = setmetatable({ ns:monitor{ "link" } }, { __mode = "v" })
    for _ = 1, 3 do
        ns.link:set{ "v0", mtu = 1400 }
        nsh.sleep(0.01)
        collectgarbage()
    end
    lu.assertNil(weak[1])
end

-- As if the script were far behind: then the kernel's buffer is the bound, and tells of it if it is too small.
function TestUse.test_what_is_not_taken_waits_in_the_kernel()
    local monitor <close> = ns:monitor{ "addr" }
    local most = 100000
    monitor.first = monitor.first - most - 1
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    nsh.sleep(0.1)
    lu.assertEquals(monitor.last, 0)
    monitor.first = monitor.last + 1
    lu.assertEquals(names{ monitor:next(5) }, { "new addr 10.0.0.1" })
end

function TestUse.test_what_is_told_by_x()
    local told = {}
    nsh.trace(function(line) told[#told + 1] = line end)
    ns:monitor{ "addr", "link", all = true }:close()
    nsh.host:monitor():close()
    nsh.trace(false)
    lu.assertEquals(told[1], "# ip -n mon1 monitor all-nsid link addr")
    lu.assertStrMatches(told[2], "# ip monitor nsid link addr .*")
end

function TestUse.test_what_is_refused()
    local all = "nsid, link, addr, .*route, rule, neigh"
    for _, case in ipairs{
        { { "links" }, '"links" is nothing that can be monitored; there are ' .. all },
        { "qdisc", '"qdisc" is nothing that can be monitored; there are ' .. all },
        { { {} }, "table: .* is nothing that can be monitored; there are " .. all },
        { 5, "5 is nothing that can be monitored; there are " .. all },
        { { "link", al = true }, '"al" is no option; there are all, initial, buffer, count and timeout' },
        { { all = 1 }, "all is true or false, not 1" },
        { { initial = "yes" }, 'initial is true or false, not "yes"' },
        { { buffer = 1 }, "buffer is 4 KiB to 1 GiB, in bytes, not 1" },
        { { buffer = 5000.5 }, "buffer is 4 KiB to 1 GiB, in bytes, not 5000.5" },
        { { count = 0 }, "count is a number of events from 1, not 0" },
        { { timeout = "1" }, 'timeout is a number of seconds from 0, not "1"' },
    } do
        local err = support.raised(ns.monitor, ns, case[1])
        lu.assertEquals(err.code, "EINVAL")
        lu.assertStrMatches(tostring(err), ".*cannot monitor in mon1: " .. case[2] .. " %(EINVAL%).*")
    end
    lu.assertEquals(support.raised(ns.monitor, ns, { "lnk" }).hint, "did you mean link")
    local monitor <close> = ns:monitor()
    lu.assertStrContains(tostring(support.raised(monitor.next, monitor, "1")), 'a number of seconds expected, not "1"')
    lu.assertStrContains(tostring(support.raised(ns.monitor, "link")), "a colon is missing")
    lu.assertError(core.netlink.dump, ns:socket(), "qdisc")
end

function TestUse.test_of_a_namespace_that_is_closed()
    local third = nsh.netns.new()
    local monitor <close> = third:monitor{ "link" }
    third:close()
    lu.assertEquals(names(monitor:resync():list()), { "overflow", "new link lo", "synced" })
    lu.assertEquals(support.raised(function() return third.monitor end).code, "EBADF")
end

os.exit(support.run())
