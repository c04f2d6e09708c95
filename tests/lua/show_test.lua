-- Values as text for people: every expected text is written out.
local lu = require "luaunit"
local show = require "nsh.show"
local width = require "nsh.show.width"

local function shows(value, expected)
    lu.assertEquals(show.format(value), (expected:gsub("\n$", "")))
end

local function of_kind(kind, records)
    for _, record in ipairs(records) do setmetatable(record, { __record = kind }) end
    return records
end

TestScalars = {}

function TestScalars.test_are_plain()
    shows(nil, "nil")
    shows(true, "true")
    shows(1, "1")
    shows(1.5, "1.5")
    shows("two\nlines", "two\nlines")
    shows("", "")
end

function TestScalars.test_without_addresses()
    shows(print, "function")
    shows(coroutine.create(print), "thread")
    shows(setmetatable({}, { __tostring = function() return "itself" end }), "itself")
    shows(io.stdout, "file")
end

TestTables = {}

function TestTables.test_on_one_line()
    shows({}, "{}")
    shows({ 1, "two", true }, '{ 1, "two", true }')
    shows({ 1, b = 2, a = { 3 } }, "{ 1, a = { 3 }, b = 2 }")
    shows({ [2.5] = 1, [-1] = 2, [true] = 3, ["a b"] = 4, x = 5 },
        '{ [-1] = 2, [2.5] = 1, ["a b"] = 4, x = 5, [true] = 3 }')
    shows({ 'quote " and \\', "\1\n\xff" }, [[{ "quote \" and \\", "\x01\n\xFF" }]])
    shows({ print, {} }, "{ function, {} }")
end

function TestTables.test_over_lines_where_too_long()
    local long = ("x"):rep(40)
    shows({ { long, long }, 1 }, ([[
{
  {
    "%s",
    "%s",
  },
  1,
}]]):format(long, long))
end

function TestTables.test_cycles_and_repetitions()
    local ring = { 1 }
    ring[2] = ring
    shows(ring, "{ 1, <cycle> }")
    local shared = { 1 }
    shows({ shared, shared }, "{ { 1 }, { 1 } }")
    local long = { ("x"):rep(80) }
    shows({ long, long }, '{\n  {\n    "' .. long[1] .. '",\n  },\n  <see above>,\n}')
end

function TestTables.test_a_web_of_tables_ends()
    local nodes = {}
    for i = 1, 30 do nodes[i] = { name = "node" .. i } end
    for _, node in ipairs(nodes) do node.all = nodes end
    lu.assertTrue(#show.format({ nodes, nodes }) < 20000)
    lu.assertTrue(#show.format(nodes) < 20000)
    lu.assertTrue(#show.format(_G) < 200000)
end

function TestTables.test_no_metamethod_but_tostring_is_called()
    local function forbidden() error "called" end
    shows(setmetatable({ 1, a = 2 }, { __index = forbidden, __len = forbidden, __pairs = forbidden }),
        "{ 1, a = 2 }")
end

TestRecords = {}

function TestRecords.test_one_as_lines()
    shows({ mtu = 1500, ifname = "lo", flags = { "UP", "LOWER_UP" }, zone = {}, note = "a\nb\n" }, [[
ifname   lo
mtu (B)  1500
flags    UP,LOWER_UP
note     a
         b
zone     {}
]])
end

function TestRecords.test_nested_and_cyclic()
    local record = { name = "n", inner = { b = 1, a = { 2, 3 } } }
    record.self = record
    shows(record, "name   n\ninner  { a = { 2, 3 }, b = 1 }\nself   <cycle>")
end

function TestRecords.test_many_as_a_table()
    shows({ { dev = "eth0", b = true, dst = "default" }, { dst = "10.0.0.0/8", a = { x = { y = { 1 } } } } }, [[
DST         DEV   A                    B
default     eth0                       true
10.0.0.0/8        { x = { y = {…} } }
]])
end

function TestRecords.test_empty_columns_are_dropped()
    shows({ { a = 1, b = "", c = {} }, { a = 22 } }, "A\n1\n22")
end

function TestRecords.test_cells_stay_on_their_line()
    local text = show.format { { a = "x\ny\27[31m", b = 1 }, { a = ("long"):rep(50), b = 2 } }
    local lines = {}
    for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
    lu.assertEquals(#lines, 3)
    lu.assertEquals(lines[2]:match "^(.-) +1$", [[x\ny\x1B[31m]])
    lu.assertStrContains(lines[3], "…  2")
    lu.assertEquals(width.columns(lines[2]), width.columns(lines[3]))
end

function TestRecords.test_wide_characters_count_double()
    shows({ { a = "東京", b = 1 }, { a = "e\u{301}", b = 2 }, { a = "abcde", b = 3 } },
        "A      B\n東京   1\ne\u{301}      2\nabcde  3")
end

function TestRecords.test_mixed_lists_are_no_table()
    shows({ { a = 1 }, 2 }, "{ { a = 1 }, 2 }")
    shows({ { a = 1 }, n = 1 }, "{ { a = 1 }, n = 1 }")
end

TestKinds = {}

function TestKinds.test_link()
    shows(of_kind("link", {
        { ifindex = 1, ifname = "lo", operstate = "UNKNOWN", mtu = 65536, address = "00:00:00:00:00:00" },
        { ifindex = 2, ifname = "veth0", operstate = "UP", mtu = 1500, master = "br0",
            address = "02:00:00:00:00:01", link_index = 3, linkinfo = { info_kind = "veth" } },
    }), [[
IFNAME  STATE    ADDRESS            MTU (B)  MASTER  KIND  PEER
lo      UNKNOWN  00:00:00:00:00:00  65536
veth0   UP       02:00:00:00:00:01  1500     br0     veth  if3
]])
    shows(of_kind("link", { { ifname = "a", link = "b" }, { ifname = "c", link_index = 2, link_netnsid = 0 } }),
        "IFNAME  PEER\na       b\nc       if2 (netnsid 0)")
end

function TestKinds.test_addr()
    shows(of_kind("addr", {
        { ifname = "lo", family = "inet", local_ = "127.0.0.1", prefixlen = 8, scope = "host" },
        { ifname = "eth0", family = "inet6", ["local"] = "fe80::1", prefixlen = 64, scope = "link" },
    }), [[
DEV   FAMILY  ADDRESS/PLEN  SCOPE
lo    inet    127.0.0.1/8   host
eth0  inet6   fe80::1/64    link
]])
end

function TestKinds.test_a_route_of_another_table_shows_it()
    shows(of_kind("route", { { dst = "default", dev = "a", table = "main" }, { dst = "10.0.0.0/8", dev = "b",
        table = "100" } }), "DST         DEV  TABLE\ndefault     a    main\n10.0.0.0/8  b    100")
    shows(of_kind("route", { { dst = "default", dev = "a", table = "main" } }), "DST      DEV\ndefault  a")
end

function TestKinds.test_nothing()
    lu.assertEquals(show.format(require "nsh.core".json.list{}), "(none)")
    lu.assertEquals(show.format(nsh.host.link:list{ type = "none" }), "(none)")
    show.json(true)
    lu.assertEquals(show.format(nsh.host.link:list{ type = "none" }), "[]")
    show.json(false)
end

function TestKinds.test_route()
    shows(of_kind("route", {
        { dst = "default", gateway = "10.0.0.1", dev = "eth0", protocol = "static", flags = {} },
        { dst = "10.0.0.0/24", dev = "eth0", prefsrc = "10.0.0.2", protocol = "kernel", metric = 100 },
        { type = "blackhole", dst = "10.1.0.0/16", protocol = "static" },
        { dst = "10.2.0.0/16", nexthops = {
            { gateway = "10.0.0.3", dev = "a" }, { via = { family = "inet6", host = "fe80::2" }, dev = "b" },
        } },
    }), [[
DST                    VIA               DEV   SRC       METRIC  PROTO
default                10.0.0.1          eth0                    static
10.0.0.0/24                              eth0  10.0.0.2  100     kernel
blackhole 10.1.0.0/16                                            static
10.2.0.0/16            10.0.0.3,fe80::2  a,b
]])
end

function TestKinds.test_neigh()
    shows(of_kind("neigh", {
        { dst = "10.0.0.2", dev = "eth0", lladdr = "02:00:00:00:00:02", state = { "REACHABLE" } },
        { dst = "10.0.0.3", dev = "eth0", state = { "FAILED" } },
    }), [[
DST       DEV   LLADDR             STATE
10.0.0.2  eth0  02:00:00:00:00:02  REACHABLE
10.0.0.3  eth0                     FAILED
]])
end

function TestKinds.test_qdisc()
    shows(of_kind("qdisc", {
        { dev = "lo", root = true, handle = "0:", kind = "noqueue", options = {} },
        { dev = "v0", root = true, handle = "1:", kind = "netem", options = { limit = 77, gap = 0, ecn = true,
            ["loss-random"] = { loss = 0.01, correlation = 0 }, delay = { delay = 0.05, jitter = 0.01 } } },
        { dev = "v0", parent = "1:1", handle = "2:", kind = "prio", options = { bands = 3, priomap = { 1, 2 } } },
    }), [[
DEV  PARENT  HANDLE  KIND     OPTIONS
lo   root    0:      noqueue
v0   root    1:      netem    delay 50ms 10ms loss 1% limit 77 ecn
v0   1:1     2:      prio     bands 3
]])
end

function TestKinds.test_vlan()
    shows(of_kind("vlan", {
        { ifname = "p1", vlan = 1, flags = { "PVID", "Egress Untagged" }, state = "forwarding" },
        { ifname = "p1", vlan = 10, vlanEnd = 20, flags = {}, state = "blocking" },
    }), [[
DEV  VLAN   FLAGS                 STATE
p1   1      PVID,Egress Untagged  forwarding
p1   10-20                        blocking
]])
end

function TestKinds.test_two_kinds_in_one_list()
    local records = of_kind("link", { { ifname = "lo" } })
    records[2] = { ifname = "x", extra = 1 }
    shows(records, "IFNAME  EXTRA\nlo\nx       1")
end

TestJson = {}

function TestJson.tearDown()
    show.json(false)
end

function TestJson.test_on_and_off()
    show.json(true)
    shows({ { a = 1, b = "x" } }, '[{"a":1,"b":"x"}]')
    shows("text", '"text"')
    show.json(false)
    shows("text", "text")
end

function TestJson.test_what_json_cannot_hold_is_an_error_object()
    show.json(true)
    local ok, err = pcall(show.format, print)
    lu.assertFalse(ok)
    lu.assertEquals(err.code, "EINVAL")
end

TestWidth = {}

function TestWidth.test_columns()
    lu.assertEquals(width.columns "", 0)
    lu.assertEquals(width.columns "aé…", 3)
    lu.assertEquals(width.columns "한글", 4)
    lu.assertEquals(width.columns "🙂", 2)
    lu.assertEquals(width.columns "\xff\xfe", 2)
end

function TestWidth.test_cut()
    lu.assertEquals(width.cut("abc", 3), "abc")
    lu.assertEquals(width.cut("abcd", 3), "ab…")
    lu.assertEquals(width.cut("東京都", 4), "東…")
    lu.assertEquals(width.cut("東京都", 5), "東京…")
end

TestObjects = {}

function TestObjects.test_a_list_of_them_is_a_line_each()
    local object = setmetatable({}, { __tostring = function() return "says itself" end })
    lu.assertEquals(show.format { object, object }, "says itself\nsays itself")
    lu.assertEquals(show.format(object), "says itself")
end

os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run())
