-- The verbs of every object, what they take, and what they return.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local ns -- a namespace for each test, with v0 = v1, a veth pair that is up

local function fresh()
    local new = nsh.netns.new()
    new.link:set{ "lo", up = true }
    new.link:add{ "v0", type = "veth", address = "02:00:00:00:00:01",
        peer = { "v1", address = "02:00:00:00:00:02" } }
    for _, name in ipairs{ "v0", "v1" } do
        new.link:set{ name, addrgenmode = "none" } -- addresses are the tests' own
        new.link:set{ name, up = true }
    end
    return new
end

local function setup(class)
    function class.setUp() ns = fresh() end
    function class.tearDown() ns:close() end
end

local function names(links)
    return support.pluck(links, "ifname")
end

local function locals(addresses)
    return support.pluck(addresses, "local_")
end

local function dsts(records)
    return support.pluck(records, "dst")
end

local function assert_equal_lists(a, b)
    lu.assertEquals(support.as_json(a), support.as_json(b))
end

-- --- links ---------------------------------------------------------------------------------------

TestLink = {}
setup(TestLink)

function TestLink.test_add_and_del()
    ns.link:add{ "br0", type = "bridge" }
    lu.assertEquals(ns.link:get("br0").linkinfo.info_kind, "bridge")
    ns.link:del "br0"
    support.refused("ENODEV", 'cannot get link br0 in ' .. ns.name ..
        ': dev: there is no interface "br0" (ENODEV)', ns.link.get, ns.link, "br0")
end

function TestLink.test_the_name_may_stand_first_or_under_its_names()
    ns.link:add{ "b1", type = "bridge" }
    ns.link:add{ name = "b2", type = "bridge" }
    ns.link:add{ ifname = "b3", info_kind = "bridge" }
    lu.assertEquals(names(ns.link:list{ type = "bridge" }), { "b1", "b2", "b3" })
    ns.link:set{ "b1", mtu = 1401 }
    ns.link:set{ dev = "b2", mtu = 1402 }
    ns.link:set{ ifname = "b3", mtu = 1403 }
    lu.assertEquals(support.pluck(ns.link:list{ type = "bridge" }, "mtu"), { 1401, 1402, 1403 })
    lu.assertEquals(ns.link:get("b1").mtu, 1401)
    lu.assertEquals(ns.link:get{ "b2" }.mtu, 1402)
    lu.assertEquals(ns.link:get{ dev = "b3" }.mtu, 1403)
    ns.link:del{ "b1" }
    ns.link:del "b2"
    ns.link:del{ dev = "b3" }
    lu.assertEquals(ns.link:list{ type = "bridge" }, {})
end

function TestLink.test_words_and_json_names()
    ns.link:set{ "v0", txqueuelen = 7, alias = "one", addrgenmode = "none" }
    local link = ns.link:get "v0"
    lu.assertEquals({ link.txqlen, link.ifalias, link.inet6_addr_gen_mode }, { 7, "one", "none" })
    ns.link:set{ "v0", txqlen = 8, ifalias = "two", inet6_addr_gen_mode = "eui64" }
    link = ns.link:get "v0"
    lu.assertEquals({ link.txqlen, link.ifalias, link.inet6_addr_gen_mode }, { 8, "two", "eui64" })
end

function TestLink.test_a_peer_is_a_name_or_a_table()
    ns.link:add{ "a0", type = "veth", peer = "a1" }
    ns.link:add{ "b0", type = "veth", peer = { "b1", mtu = 1300 } }
    ns.link:add{ "c0", type = "veth", peer = { name = "c1", address = "02:00:00:00:00:c1" } }
    ns.link:add{ "d0", type = "veth" }
    lu.assertEquals(ns.link:get("a1").link, "a0")
    lu.assertEquals(ns.link:get("b1").mtu, 1300)
    lu.assertEquals(ns.link:get("c1").address, "02:00:00:00:00:c1")
    lu.assertStrContains(ns.link:get("d0").link, "veth")
end

function TestLink.test_up_and_down()
    local function is_up(name)
        for _, flag in ipairs(ns.link:get(name).flags) do
            if flag == "UP" then return true end
        end
        return false
    end
    for _, args in ipairs{ { up = true }, { up = "on" }, { up = 1 }, { down = false } } do
        args[1] = "v0"
        ns.link:set{ "v0", down = true }
        lu.assertFalse(is_up "v0")
        ns.link:set(args)
        lu.assertTrue(is_up "v0")
    end
    ns.link:set{ "v0", up = false }
    lu.assertFalse(is_up "v0")
    ns.link:add{ "b0", type = "bridge", up = true }
    lu.assertTrue(is_up "b0")
end

function TestLink.test_master()
    ns.link:add{ "b0", type = "bridge" }
    ns.link:add{ "w0", type = "veth", master = "b0", peer = "w1" }
    ns.link:set{ "v0", master = "b0" }
    lu.assertEquals(names(ns.link:list{ master = "b0" }), { "v0", "w0" })
    ns.link:set{ "v0", nomaster = true }
    lu.assertEquals(names(ns.link:list{ master = "b0" }), { "w0" })
    lu.assertNil(ns.link:get("v0").master)
end

function TestLink.test_attributes_of_a_kind_beside_the_links_or_in_a_table()
    ns.link:add{ "b1", type = "bridge", priority = 1, hello_time = 300 }
    ns.link:add{ "b2", type = "bridge", bridge = { priority = 2, hello_time = 400 } }
    ns.link:add{ "b3", linkinfo = { info_kind = "bridge",
        info_data = { priority = 3, hello_time = 500 } } }
    for i = 1, 3 do
        local data = ns.link:get("b" .. i).linkinfo.info_data
        lu.assertEquals({ data.priority, data.hello_time }, { i, 200 + i * 100 })
    end
end

function TestLink.test_rename()
    ns.link:set{ "v0", down = true } -- before Linux 6.2 only then
    ns.link:set{ "v0", name = "new" }
    lu.assertEquals(names(ns.link:list()), { "lo", "new", "v1" })
    ns.link:set{ "new", name = "abcdefghijklmno", up = true }
    lu.assertEquals(#names(ns.link:list())[1], 15)
end

function TestLink.test_alternative_names()
    support.sh("ip link property add dev v0 altname short altname " .. ("long"):rep(20), ns)
    lu.assertEquals(ns.link:get("short").ifname, "v0")
    lu.assertEquals(ns.link:get(("long"):rep(20)).ifname, "v0")
    lu.assertItemsEquals(ns.link:get("v0").altnames, { ("long"):rep(20), "short" })
    ns.link:set{ ("long"):rep(20), mtu = 1234 }
    ns.addr:add{ "10.0.0.1/24", dev = "short" }
    lu.assertEquals(ns.link:get("v0").mtu, 1234)
    lu.assertEquals(locals(ns.addr:list "v0"), { "10.0.0.1" })
    lu.assertEquals(locals(ns.addr:list "short"), { "10.0.0.1" })
end

function TestLink.test_move_to_another_namespace()
    local name <close> = nsh.netns.add "named"
    local anonymous <close> = nsh.netns.new()
    ns.link:set{ "v0", netns = name }
    lu.assertEquals(names(name.link:list()), { "lo", "v0" })
    lu.assertEquals(names(ns.link:list()), { "lo", "v1" })
    name.link:set{ "v0", netns = anonymous, name = "moved" }
    lu.assertEquals(names(anonymous.link:list()), { "lo", "moved" })
    anonymous.link:set{ "moved", netns = "named" }
    lu.assertEquals(names(name.link:list()), { "lo", "moved" })
    name.link:set{ "moved", netns = nsh.host }
    lu.assertEquals(nsh.host.link:get("moved").ifname, "moved")
    nsh.host.link:set{ "moved", netns = ns, name = "v0" }
    lu.assertEquals(names(ns.link:list()), { "lo", "v0", "v1" })
    nsh.netns.del "named"
end

function TestLink.test_move_to_the_namespace_of_a_process()
    local other <close> = nsh.netns.new()
    local program <close> = other:spawn{ "sleep", "60" }
    ns.link:set{ "v0", netns = program.pid }
    lu.assertEquals(names(other.link:list()), { "lo", "v0" })
    program:kill()
end

function TestLink.test_both_ends_in_their_namespaces_at_once()
    local other <close> = nsh.netns.new()
    ns.link:add{ "far", type = "veth", netns = other, peer = { "near", mtu = 1300 } }
    lu.assertEquals(names(other.link:list()), { "far", "lo" })
    lu.assertEquals(ns.link:get("near").mtu, 1300)
    ns.link:add{ "a", type = "veth", peer = { "b", netns = other, address = "02:00:00:00:00:bb" } }
    lu.assertEquals(other.link:get("b").address, "02:00:00:00:00:bb")
end

function TestLink.test_filters()
    ns.link:add{ "b0", type = "bridge" }
    ns.link:set{ "v0", master = "b0" }
    ns.link:set{ "v1", group = 7, mtu = 1400 }
    lu.assertEquals(names(ns.link:list()), { "b0", "lo", "v0", "v1" })
    lu.assertEquals(names(ns.link:list{}), { "b0", "lo", "v0", "v1" })
    lu.assertEquals(names(ns.link:list "v0"), { "v0" })
    lu.assertEquals(names(ns.link:list{ dev = "v0" }), { "v0" })
    lu.assertEquals(names(ns.link:list{ type = "veth" }), { "v0", "v1" })
    lu.assertEquals(names(ns.link:list{ type = "veth", master = "b0" }), { "v0" })
    lu.assertEquals(names(ns.link:list{ type = "bridge_slave" }), { "v0" })
    lu.assertEquals(names(ns.link:list{ type = "vxlan" }), {})
    lu.assertEquals(names(ns.link:list{ group = 7 }), { "v1" })
    lu.assertEquals(names(ns.link:list{ group = "default" }), { "b0", "lo", "v0" })
    lu.assertEquals(names(ns.link:list{ mtu = 1400 }), { "v1" })
    lu.assertEquals(names(ns.link:list{ up = true }), { "lo", "v0", "v1" })
    lu.assertEquals(names(ns.link:list{ up = false }), { "b0" })
    lu.assertEquals(names(ns.link:list{ down = true }), { "b0" })
    lu.assertEquals(names(ns.link:list{ address = "02:00:00:00:00:02" }), { "v1" })
    lu.assertEquals(names(ns.link:list{ nomaster = true }), { "b0", "lo", "v1" })
end

function TestLink.test_strings_with_odd_characters()
    for _, alias in ipairs{ "a b", 'x"y', "it's", "$(touch x) `y` \\ ;|&<>*?", "tab\tnew\nline", "é€😀",
        "\xff\xfe", ("x"):rep(254), ("x"):rep(255), "7", "-n", "null" } do
        ns.link:set{ "v0", alias = alias }
        lu.assertEquals(ns.link:get("v0").ifalias, alias)
    end
    ns.link:set{ "v0", alias = "" }
    lu.assertNil(ns.link:get("v0").ifalias)
    for _, name in ipairs{ "a.b", "a@b", "a-b", "a'b", 'a"b', "$x", "é", "0", "a;b", "#", "{}" } do
        ns.link:add{ name, type = "bridge" }
        lu.assertEquals(ns.link:get(name).ifname, name)
        ns.addr:add{ "10.0.0.1/32", dev = name }
        lu.assertEquals(ns.addr:list(name)[1].ifname, name)
        ns.link:del(name)
    end
end

function TestLink.test_numbers_at_their_limits()
    for _, group in ipairs{ 0, 1, 2147483647, 2147483648, 4294967295 } do
        ns.link:set{ "v0", group = group }
        lu.assertEquals(ns.link:get("v0").group, group == 0 and "default" or tostring(group))
    end
    for _, mtu in ipairs{ 68, 65535 } do
        ns.link:set{ "v0", mtu = mtu }
        lu.assertEquals(ns.link:get("v0").mtu, mtu)
    end
    ns.link:set{ "v0", txqlen = 32767 } -- one more is ERANGE for Linux 6.1
    lu.assertEquals(ns.link:get("v0").txqlen, 32767)
end

function TestLink.test_numbers_as_text()
    for _, mtu in ipairs{ 1400, "1401", "0x57a", 1403.0 } do
        ns.link:set{ "v0", mtu = mtu }
        lu.assertEquals(ns.link:get("v0").mtu, math.tointeger(tonumber(mtu)))
    end
    lu.assertEquals(math.type(ns.link:get("v0").mtu), "integer")
end

-- --- addresses -----------------------------------------------------------------------------------

TestAddr = {}
setup(TestAddr)

function TestAddr.test_add_and_del()
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    ns.addr:add{ local_ = "10.0.0.2/24", ifname = "v0" }
    ns.addr:add{ local_ = "10.0.0.3", prefixlen = 24, dev = "v0" }
    lu.assertEquals(support.pluck(ns.addr:list "v0", "prefixlen"), { 24, 24, 24 })
    ns.addr:del{ "10.0.0.2/24", dev = "v0" }
    lu.assertEquals(locals(ns.addr:list{ dev = "v0" }), { "10.0.0.1", "10.0.0.3" })
end

-- What a table holds first is chance: each test of many orders is one that chance decided.
local function in_many_orders(pairs_of, fn)
    for i = 1, 100 do
        local args = {}
        for j = 1, i % 13 do args["filler" .. j] = true end
        for j = 1, i % 13 do args["filler" .. j] = nil end
        for j = 1, #pairs_of do
            local pair = pairs_of[(i + j) % #pairs_of + 1]
            args[pair[1]] = pair[2]
        end
        fn(args)
    end
end

function TestAddr.test_the_order_of_keys_does_not_matter()
    local function check(pairs_of, expected)
        in_many_orders(pairs_of, function(args)
            ns.addr:add(args)
            lu.assertEquals(ns.addr:list("v0")[1].prefixlen, expected)
            ns.addr:flush "v0"
        end)
    end
    check({ { "local_", "10.0.0.1" }, { "prefixlen", 24 }, { "dev", "v0" }, { "scope", "link" } }, 24)
    check({ { "local_", "10.0.0.1" }, { "address", "10.0.1.1/24" }, { "dev", "v0" } }, 24)
    check({ { "local_", "10.0.0.1" }, { "address", "10.0.1.1" }, { "prefixlen", 16 }, { "dev", "v0" } }, 16)
    check({ { "local_", "10.0.0.1/8" }, { "peer", "10.0.1.1/24" }, { "dev", "v0" } }, 24)
    check({ { "local_", "fd00::1" }, { "prefixlen", 48 }, { "dev", "v0" }, { "nodad", true } }, 48)
    check({ { "local_", "10.0.0.1/24" }, { "dev", "v0" }, { "brd", "+" }, { "label", "v0:1" } }, 24)
end

function TestAddr.test_set_and_replace()
    ns.addr:add{ "fd00::1/64", dev = "v0", nodad = true }
    ns.addr:set{ "fd00::1/64", dev = "v0", metric = 5 }
    lu.assertEquals(ns.addr:list("v0")[1].metric, 5)
    ns.addr:replace{ "fd00::1/64", dev = "v0", metric = 6 }
    ns.addr:replace{ "fd00::2/64", dev = "v0", nodad = true }
    lu.assertEquals(#ns.addr:list "v0", 2)
end

function TestAddr.test_filters()
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    ns.addr:add{ "10.0.0.2/24", dev = "v0" }
    ns.addr:add{ "10.0.1.1/24", dev = "v1", scope = "link", label = "v1:x" }
    ns.addr:add{ "fd00::1/64", dev = "v0", nodad = true }
    lu.assertEquals(locals(ns.addr:list "v0"), { "10.0.0.1", "10.0.0.2", "fd00::1" })
    lu.assertEquals(locals(ns.addr:list{ dev = "v0", family = "inet" }), { "10.0.0.1", "10.0.0.2" })
    lu.assertEquals(locals(ns.addr:list{ family = "inet6" }), { "::1", "fd00::1" })
    lu.assertEquals(locals(ns.addr:list{ scope = "link" }), { "10.0.1.1" })
    lu.assertEquals(locals(ns.addr:list{ scope = "host" }), { "127.0.0.1", "::1" })
    lu.assertEquals(locals(ns.addr:list{ label = "v1:x" }), { "10.0.1.1" })
    lu.assertEquals(locals(ns.addr:list{ prefixlen = 64 }), { "fd00::1" })
    lu.assertEquals(locals(ns.addr:list{ local_ = "10.0.0.2" }), { "10.0.0.2" })
    lu.assertEquals(locals(ns.addr:list{ secondary = true }), { "10.0.0.2" })
    lu.assertEquals(locals(ns.addr:list{ nodad = true }), { "fd00::1" })
    lu.assertEquals(locals(ns.addr:list{ local_ = "10.0.0.9" }), {})
end

function TestAddr.test_flush()
    for i = 1, 200 do ns.addr:add{ ("10.0.0.%d/32"):format(i), dev = "v0" } end
    ns.addr:add{ "10.1.0.1/24", dev = "v1" }
    lu.assertEquals(#ns.addr:list "v0", 200)
    lu.assertEquals(ns.addr:flush "v0", 200)
    lu.assertEquals(ns.addr:list "v0", {})
    lu.assertEquals(ns.addr:flush "v0", 0)
    lu.assertEquals(#ns.addr:list "v1", 1)
end

function TestAddr.test_flush_of_secondary_addresses_that_go_with_the_first()
    for i = 1, 200 do ns.addr:add{ ("10.0.0.%d/24"):format(i), dev = "v0" } end
    ns.addr:flush "v0"
    lu.assertEquals(ns.addr:list "v0", {})
end

-- --- routes --------------------------------------------------------------------------------------

TestRoute = {}
setup(TestRoute)

function TestRoute.test_verbs()
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    ns.route:add{ "default", via = "10.0.0.2" }
    ns.route:add{ to = "10.1.0.0/16", gateway = "10.0.0.2" }
    ns.route:add{ dst = "10.2.0.0/16", via = "10.0.0.2", metric = 5 }
    lu.assertEquals(dsts(ns.route:list()), { "10.0.0.0/24", "10.1.0.0/16", "10.2.0.0/16", "default" })
    ns.route:set{ "10.1.0.0/16", via = "10.0.0.3" }
    lu.assertEquals(ns.route:list("10.1.0.0/16")[1].gateway, "10.0.0.3")
    ns.route:replace{ "10.1.0.0/16", via = "10.0.0.4" }
    ns.route:replace{ "10.3.0.0/16", via = "10.0.0.4" }
    lu.assertEquals(ns.route:list("10.1.0.0/16")[1].gateway, "10.0.0.4")
    ns.route:append{ "10.3.0.0/16", via = "10.0.0.5" }
    lu.assertEquals(support.map(ns.route:list "10.3.0.0/16", function(r) return r.gateway end),
        { "10.0.0.4", "10.0.0.5" })
    ns.route:del "default"
    ns.route:del{ "10.3.0.0/16", via = "10.0.0.5" }
    lu.assertEquals(dsts(ns.route:list()), { "10.0.0.0/24", "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16" })
end

function TestRoute.test_get()
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    ns.addr:add{ "fd00::1/64", dev = "v0", nodad = true }
    ns.route:add{ "10.1.0.0/16", via = "10.0.0.2", mtu = 1300 }
    lu.assertEquals(ns.route:get("10.0.0.7").dev, "v0")
    lu.assertEquals(ns.route:get("10.0.0.7").prefsrc, "10.0.0.1")
    lu.assertEquals(ns.route:get{ "10.1.2.3" }.gateway, "10.0.0.2")
    lu.assertEquals(ns.route:get{ "10.1.2.3", from = "10.0.0.1" }.dst, "10.1.2.3")
    lu.assertEquals(ns.route:get("127.0.0.1").type, "local")
    lu.assertEquals(ns.route:get("fd00::7").dev, "v0")
    lu.assertEquals(support.raised(ns.route.get, ns.route, "192.0.2.1").code, "ENETUNREACH")
    ns.route:add{ "192.0.2.0/24", type = "prohibit" }
    lu.assertEquals(support.raised(ns.route.get, ns.route, "192.0.2.1").code, "EACCES")
end

function TestRoute.test_default_of_both_families()
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    ns.addr:add{ "fd00::1/64", dev = "v0", nodad = true }
    ns.route:add{ "default", via = "10.0.0.2" }
    ns.route:add{ "default", via = "fd00::2" }
    ns.route:add{ "0.0.0.0/0", via = "10.0.0.2", metric = 7 }
    ns.route:add{ "default", family = "inet6", dev = "v1", metric = 9 }
    lu.assertEquals(#ns.route:list "default", 2)
    lu.assertEquals(ns.route:list{ "default", family = "inet6", metric = 1024 }[1].gateway, "fd00::2")
    lu.assertEquals(#ns.route:list{ "default", family = "inet6" }, 2)
    lu.assertEquals(#ns.route:list "::/0", 2)
    ns.route:del{ "default", family = "inet6", dev = "v1", metric = 9 }
    ns.route:del{ "default", via = "fd00::2" }
    lu.assertEquals(#ns.route:list "::/0", 0)
    lu.assertEquals(#ns.route:list "default", 2)
end

function TestRoute.test_filters()
    ns.addr:add{ "10.0.0.1/24", dev = "v0" }
    ns.addr:add{ "10.1.0.1/24", dev = "v1" }
    ns.addr:add{ "fd00::1/64", dev = "v0", nodad = true }
    ns.route:add{ "10.2.0.0/16", via = "10.0.0.2", table = 100 }
    ns.route:add{ "10.3.0.0/16", type = "blackhole", metric = 5, protocol = "static" }
    lu.assertEquals(dsts(ns.route:list()), { "10.0.0.0/24", "10.1.0.0/24", "10.3.0.0/16" })
    lu.assertEquals(dsts(ns.route:list{ dev = "v1" }), { "10.1.0.0/24" })
    lu.assertEquals(dsts(ns.route:list{ type = "blackhole" }), { "10.3.0.0/16" })
    lu.assertEquals(dsts(ns.route:list{ protocol = "static" }), { "10.3.0.0/16" })
    lu.assertEquals(dsts(ns.route:list{ metric = 5 }), { "10.3.0.0/16" })
    lu.assertEquals(dsts(ns.route:list{ table = 100 }), { "10.2.0.0/16" })
    lu.assertEquals(dsts(ns.route:list{ table = "100" }), { "10.2.0.0/16" })
    lu.assertEquals(dsts(ns.route:list{ via = "10.0.0.2", table = "all" }), { "10.2.0.0/16" })
    lu.assertEquals(dsts(ns.route:list{ table = "main" }), dsts(ns.route:list()))
    lu.assertEquals(dsts(ns.route:list{ family = "inet6", dev = "v0" }), { "fd00::/64" })
    lu.assertEquals(ns.route:list{ table = 77 }, {})
    lu.assertEquals(dsts(ns.route:list{ table = "local", dev = "v0", type = "broadcast" }),
        { "10.0.0.255" })
    lu.assertEquals(dsts(ns.route:list{ table = "all", metric = 256, type = "unicast" }), { "fd00::/64" })
end

function TestRoute.test_flush()
    for i = 1, 200 do ns.route:add{ ("10.1.%d.0/24"):format(i), dev = "v0", table = 100 } end
    ns.route:add{ "10.2.0.0/16", dev = "v0" }
    lu.assertEquals(ns.route:flush{ table = 100 }, 200)
    lu.assertEquals(ns.route:list{ table = 100 }, {})
    lu.assertEquals(#ns.route:list{ "10.2.0.0/16" }, 1)
    for i = 1, 200 do ns.route:add{ ("fd00:%x::/64"):format(i), dev = "v0" } end
    lu.assertEquals(ns.route:flush{ family = "inet6", dev = "v0", protocol = "boot" }, 200)
end

-- --- neighbours ----------------------------------------------------------------------------------

TestNeigh = {}
setup(TestNeigh)

local mac = "02:00:00:00:01:01"

function TestNeigh.test_verbs()
    ns.neigh:add{ "10.0.0.1", lladdr = mac, dev = "v0" }
    ns.neigh:add{ to = "10.0.0.2", lladdr = mac, dev = "v0", nud = "stale" }
    ns.neigh:add{ dst = "fd00::3", lladdr = mac, dev = "v0", state = { "PERMANENT" } }
    lu.assertEquals(dsts(ns.neigh:list()), { "10.0.0.1", "10.0.0.2", "fd00::3" })
    lu.assertEquals(ns.neigh:list("10.0.0.1")[1].state, { "PERMANENT" })
    ns.neigh:set{ "10.0.0.1", lladdr = "02:00:00:00:01:02", dev = "v0", nud = "reachable" }
    local one = ns.neigh:get{ "10.0.0.1", dev = "v0" }
    lu.assertEquals({ one.lladdr, one.state }, { "02:00:00:00:01:02", { "REACHABLE" } })
    ns.neigh:replace{ "10.0.0.1", lladdr = mac, dev = "v0" }
    ns.neigh:replace{ "10.0.0.4", lladdr = mac, dev = "v0" }
    ns.neigh:del{ "10.0.0.2", dev = "v0" }
    lu.assertEquals(dsts(ns.neigh:list{ family = "inet", state = "permanent" }), { "10.0.0.1", "10.0.0.4" })
end

function TestNeigh.test_filters()
    ns.neigh:add{ "10.0.0.1", lladdr = mac, dev = "v0" }
    ns.neigh:add{ "10.0.0.2", lladdr = mac, dev = "v0", nud = "reachable" }
    ns.neigh:add{ "10.0.0.3", lladdr = "02:00:00:00:01:03", dev = "v1", nud = "stale", router = true }
    ns.neigh:add{ "10.0.0.4", lladdr = mac, dev = "v1", nud = "noarp" }
    ns.neigh:add{ "fd00::5", lladdr = mac, dev = "v1" }
    ns.neigh:add{ proxy = true, dst = "10.0.0.6", dev = "v1" }
    lu.assertEquals(dsts(ns.neigh:list()), { "10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::5" })
    lu.assertEquals(dsts(ns.neigh:list{ dev = "v1" }), { "10.0.0.3", "fd00::5" })
    lu.assertEquals(dsts(ns.neigh:list{ family = "inet6" }), { "fd00::5" })
    lu.assertEquals(dsts(ns.neigh:list{ state = "REACHABLE" }), { "10.0.0.2" })
    lu.assertEquals(dsts(ns.neigh:list{ nud = { "stale", "reachable" } }), { "10.0.0.2", "10.0.0.3" })
    lu.assertEquals(dsts(ns.neigh:list{ nud = "noarp", dev = "v1" }), { "10.0.0.4" })
    lu.assertEquals(dsts(ns.neigh:list{ lladdr = "02:00:00:00:01:03" }), { "10.0.0.3" })
    lu.assertEquals(dsts(ns.neigh:list{ router = true }), { "10.0.0.3" })
    lu.assertEquals(dsts(ns.neigh:list{ proxy = true }), { "10.0.0.6" })
    lu.assertEquals(dsts(ns.neigh:list "10.0.0.3"), { "10.0.0.3" })
end

function TestNeigh.test_flush()
    for i = 1, 200 do ns.neigh:add{ "10.0.1." .. i, lladdr = mac, dev = "v0", nud = "stale" } end
    ns.neigh:add{ "10.0.0.1", lladdr = mac, dev = "v1", nud = "stale" }
    lu.assertEquals(ns.neigh:flush{ dev = "v0" }, 200)
    lu.assertEquals(dsts(ns.neigh:list()), { "10.0.0.1" })
    lu.assertEquals(ns.neigh:flush{ state = "stale" }, 1)
end

-- --- ids -----------------------------------------------------------------------------------------

TestNsid = {}
setup(TestNsid)

function TestNsid.test_verbs()
    local a <close> = nsh.netns.add "a"
    local b <close> = nsh.netns.new()
    local c <close> = nsh.netns.new()
    ns.nsid:add{ a, nsid = 0 }
    ns.nsid:add{ netns = b, nsid = 2147483647 }
    lu.assertEquals(support.pluck(ns.nsid:list(), "nsid"), { 0, 2147483647 })
    lu.assertEquals(ns.nsid:get(a).nsid, 0)
    lu.assertEquals(ns.nsid:get("a").nsid, 0)
    lu.assertEquals(ns.nsid:get{ b }.nsid, 2147483647)
    lu.assertEquals(support.raised(ns.nsid.get, ns.nsid, c).code, "ENOENT")
    lu.assertEquals(support.raised(ns.nsid.add, ns.nsid, { a, nsid = 5 }).code, "EEXIST")
    nsh.netns.del "a"
end

function TestNsid.test_a_link_names_the_namespace_of_its_peer()
    local other <close> = nsh.netns.new()
    ns.nsid:add{ other, nsid = 33 }
    ns.link:add{ "a", type = "veth", peer = { "b", netns = other } }
    lu.assertEquals(ns.link:get("a").link_netnsid, 33)
    lu.assertEquals(ns.link:get("a").link_index, other.link:get("b").ifindex)
    lu.assertNil(ns.link:get("a").link)
end

-- --- what is read can be written -----------------------------------------------------------------

TestRecords = {}
setup(TestRecords)

local function sorted(list, key)
    table.sort(list, function(a, b) return a[key] < b[key] end)
    return list
end

-- Gives every address of v0 to `verb` in another namespace; both must list the same.
local function copy_addresses(verb)
    local other <close> = fresh()
    for _, record in ipairs(ns.addr:list "v0") do other.addr[verb](other.addr, record) end
    assert_equal_lists(sorted(other.addr:list "v0", "local_"), sorted(ns.addr:list "v0", "local_"))
end

function TestRecords.test_addresses()
    ns.addr:add{ "10.0.0.1/24", dev = "v0", brd = "+", label = "v0:x" }
    ns.addr:add{ "10.0.0.2/24", dev = "v0" }
    ns.addr:add{ "10.0.1.1", peer = "10.0.2.1/24", dev = "v0", scope = "link", metric = 7 }
    ns.addr:add{ "10.0.3.1/24", dev = "v0", noprefixroute = true }
    ns.addr:add{ "fd00::1/64", dev = "v0", nodad = true, home = true }
    ns.addr:add{ "fd00::2", peer = "fd00::3", dev = "v0", nodad = true }
    copy_addresses "add"
    copy_addresses "replace"
end

function TestRecords.test_an_address_with_a_lifetime()
    ns.addr:add{ "10.0.0.1/24", dev = "v0", valid_lft = 5000, preferred_lft = 4000 }
    local record = ns.addr:list("v0")[1]
    ns.addr:flush "v0"
    ns.addr:add(record)
    local again = ns.addr:list("v0")[1]
    lu.assertTrue(again.dynamic)
    lu.assertEquals(again.prefixlen, 24)
    lu.assertTrue(again.valid_life_time > 4000 and again.valid_life_time <= 5000)
end

function TestRecords.test_routes()
    for _, pair in ipairs{ { "10.0.0.1/24", "10.0.0.2" }, { "fd00::1/64", "fd00::2" } } do
        ns.addr:add{ pair[1], dev = "v0", nodad = true }
        ns.route:add{ "default", via = pair[2] }
        ns.route:add{ pair[2] .. (pair[2]:find ":" and "00:0:0:0/80" or "3/32"), via = pair[2],
            metric = 7, mtu = 1300, advmss = 1200, protocol = "static" }
    end
    ns.route:add{ "10.1.0.0/16", type = "blackhole" }
    ns.route:add{ "10.2.0.0/16", via = "192.0.2.1", dev = "v0", onlink = true, src = "10.0.0.1" }
    ns.route:add{ "10.3.0.0/16", dev = "v0", table = 1000, tos = "0x10", scope = "host" }
    ns.route:add{ "fd02::/64", type = "unreachable", metric = 9 }
    ns.route:add{ "fd03::/64", dev = "v0", pref = "high", expires = 5000 }
    local function made_by_hand(family)
        local found = {}
        for _, route in ipairs(ns.route:list{ table = "all", family = family }) do
            if route.protocol ~= "kernel" then found[#found + 1] = route end
        end
        return found
    end
    for _, family in ipairs{ "inet", "inet6" } do
        local before = made_by_hand(family)
        lu.assertTrue(#before > 3)
        for _, route in ipairs(before) do ns.route:del(route) end
        lu.assertEquals(made_by_hand(family), {})
        for _, route in ipairs(before) do ns.route:add(route) end
        local after = made_by_hand(family)
        for _, list in ipairs{ before, after } do
            for _, route in ipairs(list) do
                if route.expires then route.expires = route.expires > 4000 end
            end
        end
        assert_equal_lists(sorted(after, "dst"), sorted(before, "dst"))
    end
end

function TestRecords.test_neighbours()
    ns.neigh:add{ "10.0.0.1", lladdr = mac, dev = "v0" }
    ns.neigh:add{ "10.0.0.2", lladdr = mac, dev = "v0", nud = "noarp", router = true }
    ns.neigh:add{ "10.0.0.3", lladdr = mac, dev = "v0", extern_learn = true, protocol = "static" }
    ns.neigh:add{ "fd00::1", lladdr = mac, dev = "v0" }
    local all = { state = { "permanent", "noarp" }, dev = "v0" }
    local before = sorted(ns.neigh:list(all), "dst")
    lu.assertEquals(#before, 4)
    for _, record in ipairs(before) do ns.neigh:del(record) end
    lu.assertEquals(ns.neigh:list(all), {})
    for _, record in ipairs(before) do ns.neigh:add(record) end
    assert_equal_lists(sorted(ns.neigh:list(all), "dst"), before)
    ns.neigh:add{ proxy = true, dst = "10.0.0.9", dev = "v0" }
    local proxy = ns.neigh:list{ proxy = true }[1]
    ns.neigh:del(proxy)
    lu.assertEquals(ns.neigh:list{ proxy = true }, {})
    ns.neigh:add(proxy)
    assert_equal_lists(ns.neigh:list{ proxy = true }, { proxy })
end

function TestRecords.test_del_takes_records()
    ns.addr:add{ "10.0.0.1", peer = "10.0.0.2/32", dev = "v0" }
    ns.addr:add{ "fd00::1/64", dev = "v0", nodad = true }
    for _, record in ipairs(ns.addr:list "v0") do ns.addr:del(record) end
    lu.assertEquals(ns.addr:list "v0", {})
    ns.link:del(ns.link:get "v0")
    lu.assertEquals(names(ns.link:list()), { "lo" })
end

-- --- more than one buffer ------------------------------------------------------------------------

TestMany = {}
setup(TestMany)

function TestMany.test_3000_addresses()
    local expected = {}
    for i = 0, 2999 do
        local address = ("10.%d.%d.%d"):format(i // 10000 + 1, i // 200, i % 200 + 1)
        ns.addr:add{ address .. "/32", dev = "v0", noprefixroute = true }
        expected[i + 1] = address
    end
    table.sort(expected)
    lu.assertEquals(locals(ns.addr:list "v0"), expected)
    lu.assertEquals(#ns.addr:list(), 3002)
    lu.assertEquals(ns.addr:flush "v0", 3000)
    lu.assertEquals(ns.addr:list "v0", {})
end

function TestMany.test_5000_routes()
    local expected = {}
    for i = 0, 4999 do
        local dst = ("10.%d.%d.0/24"):format(i // 250, i % 250)
        ns.route:add{ dst, dev = "v0" }
        expected[i + 1] = dst
    end
    table.sort(expected)
    lu.assertEquals(dsts(ns.route:list()), expected)
    lu.assertEquals(ns.route:flush{ dev = "v0" }, 5000)
    lu.assertEquals(ns.route:list(), {})
end

function TestMany.test_1000_links()
    for i = 1, 500 do ns.link:add{ "n" .. i, type = "veth", peer = "m" .. i } end
    lu.assertEquals(#ns.link:list(), 1003)
    lu.assertEquals(#ns.link:list{ type = "veth" }, 1002)
end

-- A list of a table that changes all the time may be refused after some attempts, but is never less
-- than what stays.
local function list_all(object, ...)
    for _ = 1, 1000 do
        local ok, result = pcall(object.list, object, ...)
        if ok then return result end
        if result.code ~= "EAGAIN" then error(result, 0) end
    end
    error "it is never listed"
end

-- While others add and delete, what stays must be listed each time, and nothing twice.
function TestMany.test_a_list_is_complete_while_the_table_changes()
    for i = 1, 1000 do ns.route:add{ ("10.1.%d.%d/32"):format(i // 200, i % 200), dev = "v0" } end
    for i = 1, 1000 do
        ns.addr:add{ ("10.2.%d.%d/32"):format(i // 200, i % 200), dev = "v0", noprefixroute = true }
    end
    local changer <close> = ns:spawn{ "sh", "-c", [[
        while :; do
            for i in 1 2 3 4 5 6 7 8 9; do
                echo "route add 10.0.0.$i/32 dev v1"; echo "addr add 10.0.1.$i/32 dev v0"
            done
            for i in 1 2 3 4 5 6 7 8 9; do
                echo "route del 10.0.0.$i/32 dev v1"; echo "addr del 10.0.1.$i/32 dev v0"
            done
            sleep 0.05
        done | ip -force -batch - 2>/dev/null]] }
    for _ = 1, 30 do
        local seen, lasting = {}, 0
        for _, route in ipairs(list_all(ns.route)) do
            lu.assertNil(seen[route.dst])
            seen[route.dst] = true
            if route.dst:find "^10%.1%." then lasting = lasting + 1 end
        end
        lu.assertEquals(lasting, 1000)
        seen, lasting = {}, 0
        for _, address in ipairs(list_all(ns.addr, "v0")) do
            lu.assertNil(seen[address.local_])
            seen[address.local_] = true
            if address.local_:find "^10%.2%." then lasting = lasting + 1 end
        end
        lu.assertEquals(lasting, 1000)
    end
    changer:kill()
end

os.exit(support.run())
