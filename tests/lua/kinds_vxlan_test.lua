-- VXLAN tunnels, by the words of ip-link(8).
local kinds = dofile((arg[0]:gsub("[^/]*$", "kinds.lua")))
local support = kinds.support
local lu = require "luaunit"
local nsh = require "nsh"

kinds.test{
    kind = "vxlan",
    ether = true,
    cases = {
        { { id = 4097, dev = "eth0", dstport = 4789, local_ = "10.0.0.1", remote = "10.0.0.2" },
            "type vxlan id 4097 dev eth0 dstport 4789 local 10.0.0.1 remote 10.0.0.2" },
        { { vni = 16777215 }, "type vxlan id 16777215" },
        { { id = 0, remote = "fd00::2", local_ = "fd00::1", flowlabel = "0xfffff", udp6zerocsumtx = true,
            udp6zerocsumrx = true },
            "type vxlan id 0 remote fd00::2 local fd00::1 flowlabel 0xfffff udp6zerocsumtx udp6zerocsumrx" },
        { { id = 5, group = "239.1.1.1", dev = "eth0", ttl = 5, tos = "10", df = "set" },
            "type vxlan id 5 group 239.1.1.1 dev eth0 ttl 5 tos 10 df set" },
        { { id = 5, group = "ff02::1:1", link = "eth0", ttl = "inherit", tos = "inherit", df = "inherit" },
            "type vxlan id 5 group ff02::1:1 dev eth0 ttl inherit tos inherit df inherit" },
        { { id = 5, ttl = "auto", tos = 16, df = "unset", label = 0, port = 0 },
            "type vxlan id 5 ttl auto tos 0x10 df unset dstport 0" },
        { { id = 5, srcport = { 32768, 61000 }, dstport = 65535 },
            "type vxlan id 5 srcport 32768 61000 dstport 65535" },
        { { id = 5, port_range = { low = 7, high = 9 } }, "type vxlan id 5 srcport 7 9" },
        { { id = 5, learning = false, proxy = true, rsc = true, l2miss = true, l3miss = true },
            "type vxlan id 5 nolearning proxy rsc l2miss l3miss" },
        { { id = 5, learning = true, proxy = false, rsc = false, l2miss = false, l3miss = false },
            "type vxlan id 5 learning noproxy norsc nol2miss nol3miss" },
        { { id = 5, ageing = 600, maxaddress = 100 }, "type vxlan id 5 ageing 600 maxaddress 100" },
        { { id = 5, ageing = "none", limit = "unlimited" }, "type vxlan id 5 ageing none maxaddress unlimited" },
        { { id = 5, udpcsum = false, remcsumtx = true, remcsumrx = true },
            "type vxlan id 5 noudpcsum remcsumtx remcsumrx" },
        { { id = 5, udp_csum = true, remcsum_tx = false, remcsum_rx = false, udp_zero_csum6_tx = false },
            "type vxlan id 5 udpcsum noremcsumtx noremcsumrx noudp6zerocsumtx" },
        { { id = 5, gbp = true }, "type vxlan id 5 gbp" },
        { { id = 5, gbp = false, gpe = false, external = false }, "type vxlan id 5 noexternal" },
        { { external = true, dstport = 4789 }, "type vxlan external dstport 4789" },
        { { external = true, vnifilter = true, learning = true }, "type vxlan external vnifilter learning" },
        { { external = true, vnifilter = false }, "type vxlan external novnifilter" },
        { { id = 5, group = 7, mtu = 1400, txqueuelen = 5 }, "group 7 mtu 1400 txqueuelen 5 type vxlan id 5" },
        { { vxlan = { id = 5, dev = "eth0" } }, "type vxlan id 5 dev eth0" },
    },
    changes = {
        { { ttl = 9 }, "ttl 9" },
        { { learning = false }, "nolearning" },
        { { learning = true, ttl = "auto" }, "learning ttl auto" },
        { { remote = "10.0.0.3" }, "remote 10.0.0.3" },
        { { group = "239.1.1.1", dev = "eth0" }, "group 239.1.1.1 dev eth0" },
        { { ageing = 100, tos = 4, df = "set" }, "ageing 100 tos 4 df set" },
    },
    wrong = {
        { {}, "EINVAL", "id: missing" },
        { { id = -1 }, "ERANGE", "id: -1 is out of range: 0 to 16777215" },
        { { vni = 1 << 24 }, "ERANGE", "vni: 16777216 is out of range: 0 to 16777215" },
        { { id = "x" }, "EINVAL", 'id: "x" given, an integer expected' },
        { { id = 1, external = true }, "EINVAL", "id: an external one has none of its own" },
        { { id = 1, remote = "239.1.1.1" }, "EINVAL",
            'remote: "239.1.1.1" given, an address that is not multicast expected' },
        { { id = 1, group = "10.0.0.1" }, "EINVAL", 'group: "10.0.0.1" given, a multicast address expected' },
        { { id = 1, group = "239.1.1.1" }, "EINVAL", "dev: a multicast group needs the link that it is on" },
        { { id = 1, remote = 7 }, "EINVAL", 'remote: 7 given, an address such as "10.0.0.1" expected' },
        { { id = 1, remote = "10.0.0.2", remote6 = "fd00::2" }, "EINVAL", "remote: given twice" },
        { { id = 1, local_ = "10.0.0.1", local6 = "fd00::1" }, "EINVAL", "local: given twice" },
        { { id = 1, dev = "eth9" }, "ENODEV", 'dev: there is no interface "eth9"' },
        { { id = 1, ttl = "long" }, "EINVAL", 'ttl: "long" given, an integer or "auto" expected' },
        { { id = 1, ttl = 256 }, "ERANGE", "ttl: 256 is out of range: 0 to 255" },
        { { id = 1, tos = "100" }, "ERANGE", "tos: 256 is out of range: 0 to 255" },
        { { id = 1, flowlabel = 1 << 20 }, "ERANGE", "flowlabel: 1048576 is out of range: 0 to 1048575" },
        { { id = 1, df = "never" }, "EINVAL", 'df: "never" given, one of unset, set, inherit expected' },
        { { id = 1, dstport = 65536 }, "ERANGE", "dstport: 65536 is out of range: 0 to 65535" },
        { { id = 1, srcport = { 1, 2, 3 } }, "EINVAL", "srcport: too many values" },
        { { id = 1, srcport = { 1, 65536 } }, "ERANGE", "srcport high: 65536 is out of range: 0 to 65535" },
        { { id = 1, srcport = "1 2" }, "EINVAL", "srcport: a table expected" },
        { { id = 1, learning = "maybe" }, "EINVAL", 'learning: "maybe" given, true or false expected' },
        { { id = 1, gbp = "x" }, "EINVAL", 'gbp: "x" given, true or false expected' },
        { { id = 1, ageing = "never" }, "EINVAL", 'ageing: "never" given, an integer or "none" expected' },
        { { id = 1, dstprt = 1 }, "EINVAL", 'unknown key "dstprt"; did you mean dstport' },
        { { id = 1, remote = "fd00::2", local_ = "10.0.0.1" }, "EINVAL",
            "Local and remote address must be from the same family" },
    },
}

TestWords = {}

function TestWords.setUp()
    TestWords.ns = nsh.netns.new()
    TestWords.ns.link:add{ "eth0", type = "veth", peer = "eth1" }
    TestWords.ns.link:add{ "x0", type = "vxlan", id = 5, remote = "fd00::2", dev = "eth0" }
    TestWords.ns.link:add{ "x1", type = "vxlan", id = 6, remote = "10.0.0.2" }
end

function TestWords.tearDown() TestWords.ns:close() end

function TestWords.test_a_changed_record_says_only_what_was_changed()
    local ns, lines = TestWords.ns, {}
    local record = ns.link:get "x0"
    record.linkinfo.info_data.ttl = 7
    nsh.trace(function(line) lines[#lines + 1] = line end)
    ns.link:set(record)
    nsh.trace(false)
    lu.assertEquals(lines, { "ip -n " .. ns.name .. " link set dev x0 type vxlan ttl 7" })
end

-- `dev` is the tunnel's lower link where something else says which link is meant.
function TestWords.test_dev_in_set()
    local ns = TestWords.ns
    ns.link:set{ dev = "x0", type = "vxlan", ttl = 5 }
    lu.assertEquals(ns.link:get("x0").linkinfo.info_data.ttl, 5)
    ns.link:set{ "x1", type = "vxlan", dev = "eth1" }
    lu.assertEquals(ns.link:get("x1").linkinfo.info_data.link, "eth1")
    support.refused("EINVAL", "cannot set link eth0 in " .. ns.name .. ": dev: given twice (EINVAL)",
        ns.link.set, ns.link, { "eth0", dev = "eth1", mtu = 1400 })
end

function TestWords.test_what_is_listed()
    local ns = TestWords.ns
    local function names(filter) return support.pluck(ns.link:list(filter), "ifname") end
    lu.assertEquals(names{ type = "vxlan" }, { "x0", "x1" })
    lu.assertEquals(names{ type = "vxlan", remote = "fd00::2" }, { "x0" })
    lu.assertEquals(names{ type = "vxlan", remote = "fd00::3" }, {})
    lu.assertEquals(names{ type = "vxlan", remote = "10.0.0.2" }, { "x1" })
    lu.assertEquals(names{ type = "vxlan", id = 6 }, { "x1" })
    lu.assertEquals(names{ dev = "x1", type = "vxlan" }, { "x1" })
end

-- --- in a lab ------------------------------------------------------------------------------------

TestLab = {}

-- Two hosts whose bridges meet over a router; everything that stands on something is declared before it.
local function declare()
    local lab = nsh.lab "overlay"
    local router = lab:node "router"
    router:sysctl("net.ipv4.ip_forward", 1)
    for i, name in ipairs{ "a", "b" } do
        local node, own, other = lab:node(name), "10.0." .. i, "10.0." .. 3 - i
        node:link{ "vxlan0", type = "vxlan", id = 42, dstport = 4789, dev = "under", local_ = own .. ".2",
            remote = other .. ".2", master = "br0" }
        node:link{ "under", type = "macvlan", link = "eth0", addr = own .. ".2/24", via = own .. ".1" }
        node:bridge{ "br0", addr = "10.9.0." .. i .. "/24" }
        node:connect{ "eth0", to = router, peer = { "to-" .. name, addr = own .. ".1/24" } }
    end
    return lab
end

function TestLab.test_overlay()
    local lab <close> = declare()
    lab:up()
    local a = lab:find "a"
    support.wait_for("the tunnel carries", function() return a:ping("10.9.0.2").received > 0 end)
    local record = a.link:get "vxlan0"
    lu.assertEquals({ record.master, record.linkinfo.info_data.link }, { "br0", "under" })
    a.by_name.vxlan0:set{ ttl = 9 }
    lab:up()
    lu.assertEquals(a.link:get("vxlan0").linkinfo.info_data.ttl, 9)
end

function TestLab.test_what_it_looks_like()
    local lab <close> = declare()
    for _ = 1, 2 do -- before it is up, and while it is
        local text = lab:graph():text()
        lu.assertStrContains(text, "vxlan0 vxlan 42")
        lu.assertStrContains(text, "under macvlan on eth0")
        lab:up()
    end
end

os.exit(kinds.run())
