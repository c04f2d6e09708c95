-- A link's record given back to `add` and `set`, and the keys that act only on a link that exists.
-- (Addresses, routes and neighbours: objects_test.lua.)
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local ns, other -- a bridge b0 with the port v0 and a veth pair w0 = w1; and an empty namespace

local function setup(class)
    function class.setUp()
        ns, other = nsh.netns.new(), nsh.netns.new()
        ns.link:add{ "b0", type = "bridge", priority = 77, stp_state = 1, group_fwd_mask = 8, mtu = 1400,
            alias = "a bridge", group = 7, address = "02:00:00:00:00:0b", hello_time = 300, up = true }
        ns.link:add{ "v0", type = "veth", peer = "v1", master = "b0", up = true, txqlen = 7 }
        ns.link:add{ "w0", type = "veth", peer = { "w1", mtu = 1300 }, mtu = 1300 }
        ns.link:set{ "v1", up = true }
        ns.link:set{ "v0", type = "bridge_slave", cost = 33, hairpin = true, group_fwd_mask = 8 }
        ns.link:set{ "w0", addrgenmode = "none", alias = "a veth" }
    end
    function class.tearDown()
        ns:close()
        other:close()
    end
end

local function names(links)
    return support.pluck(links, "ifname")
end

-- What changes by itself, or with the link's number.
local volatile = { ifindex = true, operstate = true, flags = true, qdisc = true, promiscuity = true,
    allmulti = true, state = true, id = true, no = true, designated_port = true, designated_cost = true,
    tso_max_size = true, root_id = true, root_port = true, root_path_cost = true, topology_change = true,
    topology_change_detected = true }

local function lasting(record)
    local kept = {}
    for key, value in pairs(record) do
        if not volatile[key] and not key:find "_timer$" then
            kept[key] = type(value) == "table" and lasting(value) or value
        end
    end
    return kept
end

local function assert_same_links(theirs, ours)
    lu.assertEquals(lasting(theirs), lasting(ours))
end

-- The commands of fn(...), which may fail.
local trace = support.trace

-- --- records -------------------------------------------------------------------------------------

TestRecord = {}
setup(TestRecord)

function TestRecord.test_every_link_of_a_namespace_is_made_again()
    for _, record in ipairs(ns.link:list()) do
        local ok, err = pcall(other.link.add, other.link, record)
        if not ok then -- lo is there, and the second end of a pair came with the first
            lu.assertEquals(record.ifname == "lo" and "EINVAL" or record.link and "EEXIST", err.code, tostring(err))
            other.link:set(record)
        end
    end
    for _, record in ipairs(ns.link:list()) do
        assert_same_links(other.link:get(record.ifname), record)
    end
    lu.assertEquals(#other.link:list(), 6)
end

function TestRecord.test_a_link_is_made_again_where_it_was()
    for _, name in ipairs{ "w0", "v0", "b0" } do
        local before = ns.link:get(name)
        ns.link:del(name)
        if name == "b0" then ns.link:set{ "v0", nomaster = true } end
        ns.link:add(before)
        assert_same_links(ns.link:get(name), before)
    end
end

function TestRecord.test_set_takes_every_record_and_changes_nothing()
    local before = ns.link:list()
    local lines = trace(function()
        for _, record in ipairs(before) do ns.link:set(record) end
    end)
    lu.assertEquals(lines, {})
    for _, record in ipairs(before) do assert_same_links(ns.link:get(record.ifname), record) end
end

function TestRecord.test_set_sends_what_was_changed()
    local port = ns.link:get "v0"
    port.txqlen, port.linkinfo.info_slave_data.cost = 8, 44
    local set = "ip -n " .. ns.name .. " link set dev "
    lu.assertEquals(trace(ns.link.set, ns.link, port),
        { set .. "v0 txqueuelen 8", set .. "v0 type bridge_slave cost 44" })
    assert_same_links(ns.link:get "v0", port)
    local bridge = ns.link:get "b0"
    bridge.linkinfo.info_data.max_age, bridge.ifalias = 2100, "changed"
    lu.assertEquals(trace(ns.link.set, ns.link, bridge), { set .. "b0 alias changed type bridge max_age 2100" })
    assert_same_links(ns.link:get "b0", bridge)
end

function TestRecord.test_set_restores()
    local before = ns.link:get "v0"
    ns.link:set{ "v0", mtu = 1300, down = true, alias = "other" }
    ns.link:set{ "v0", type = "bridge_slave", cost = 44, hairpin = false }
    before.ifalias = ""
    ns.link:set(before)
    before.ifalias = nil
    assert_same_links(ns.link:get "v0", before)
end

function TestRecord.test_words_beside_a_records_fields()
    local record = ns.link:get "w0"
    record.up, record.netns, record.peer = true, other, { "x1", mtu = 1280 }
    record.ifname = "x0"
    ns.link:add(record)
    lu.assertEquals(other.link:get("x0").ifalias, "a veth")
    lu.assertItemsEquals(support.pluck(other.link:list{ up = true }, "ifname"), { "x0" })
    lu.assertEquals(ns.link:get("x1").mtu, 1280)
    record = ns.link:get "w1"
    record.up = true
    lu.assertEquals(trace(ns.link.set, ns.link, record), { "ip -n " .. ns.name .. " link set dev w1 up" })
    lu.assertEquals(names(ns.link:list{ dev = "w1", up = true }), { "w1" })
end

function TestRecord.test_a_copy_of_a_record_is_one()
    local copy = {}
    for key, value in pairs(ns.link:get "b0") do copy[key] = value end
    other.link:add(copy)
    other.link:set(copy)
    assert_same_links(other.link:get "b0", copy)
end

function TestRecord.test_a_port_without_its_master()
    local record = ns.link:get "v0"
    record.master = nil
    other.link:add(record)
    lu.assertNil(other.link:get("v0").master)
    record.master, record.ifname, record.link = "b9", "v9", "v8"
    support.refused("ENODEV", "cannot add link v9 in " .. other.name ..
        ': master: there is no interface "b9" (ENODEV)', other.link.add, other.link, record)
    lu.assertEquals(names(other.link:list()), { "lo", "v0", "v1" })
end

-- Nobody can set it on a port that is down.
function TestRecord.test_the_state_of_a_port_is_only_told()
    ns.link:add{ "b1", type = "bridge" }
    ns.link:set{ "w0", master = "b1" }
    local record = ns.link:get "w0"
    record.linkinfo.info_slave_data.state = "forwarding"
    ns.link:set(record)
    local err = support.raised(ns.link.set, ns.link,
        { "w0", type = "bridge_slave", bridge_slave = { state = "forwarding" } })
    lu.assertEquals(err.code, "ENETDOWN")
end

-- --- what acts on a link that exists only --------------------------------------------------------

TestLater = {}
setup(TestLater)

function TestLater.test_it_takes_effect_in_add()
    local lines = trace(ns.link.add, ns.link, { "x0", type = "veth", master = "b0", peer = "x1",
        address = "02:00:00:00:00:01", addrgenmode = "none", alias = "later",
        info_slave_kind = "bridge", cost = 9, hairpin = true })
    local link = ns.link:get "x0"
    lu.assertEquals({ link.inet6_addr_gen_mode, link.ifalias, link.linkinfo.info_slave_data.cost,
        link.linkinfo.info_slave_data.hairpin }, { "none", "later", 9, true })
    lu.assertEquals(#lines, 2)
    lu.assertStrMatches(lines[1], "ip %-n %S+ link add name x0 master b0 address 02:00:00:00:00:01 " ..
        "type veth peer name x1 address %S+")
    lu.assertEquals(lines[2], "ip -n " .. ns.name .. " link set dev x0 addrgenmode none alias later " ..
        "type bridge_slave cost 9 hairpin on")
end

function TestLater.test_in_the_namespace_of_the_link()
    local named <close> = nsh.netns.add "named"
    local program <close> = other:spawn{ "sleep", "60" }
    for i, where in ipairs{ other, "named", named, program.pid, nsh.host } do
        local lines = trace(ns.link.add, ns.link,
            { "x" .. i, type = "veth", netns = where, peer = "y" .. i, alias = "far" })
        lu.assertEquals(#lines, 2)
        lu.assertNotNil(ns.link:get("y" .. i).link_index)
    end
    lu.assertEquals(support.map(other.link:list{ type = "veth" }, function(l) return l.ifalias end),
        { "far", "far" })
    lu.assertEquals({ named.link:get("x2").ifalias, named.link:get("x3").ifalias,
        nsh.host.link:get("x5").ifalias }, { "far", "far", "far" })
    lu.assertEquals(trace(nsh.host.link.add, nsh.host.link, { "z0", type = "bridge", netns = named, alias = "z" }),
        { "ip link add name z0 netns named type bridge", "ip -n named link set dev z0 alias z" })
    nsh.host.link:del "x5"
    program:kill()
    nsh.netns.del "named"
end

function TestLater.test_what_is_refused_is_not_half_made()
    local args = { "x0", type = "veth", peer = "x1", address = "02:00:00:00:00:01", carrier = false }
    local lines, ok, err = trace(ns.link.add, ns.link, args)
    lu.assertFalse(ok)
    lu.assertEquals(err.key, "carrier")
    lu.assertStrContains(tostring(err), "cannot add link x0 in " .. ns.name .. ": carrier: ")
    lu.assertEquals({ #lines, lines[2]:sub(1, 4), lines[3] },
        { 3, "# ip", "ip -n " .. ns.name .. " link del dev x0" })
    lu.assertEquals(names(ns.link:list{ type = "veth" }), { "v0", "v1", "w0", "w1" })
end

function TestLater.test_values_are_checked_before_anything_is_sent()
    for key, value in pairs{ addrgenmode = "own", alias = ("x"):rep(300), protodown = "maybe" } do
        local lines, ok, err = trace(ns.link.add, ns.link, { "x0", type = "bridge", [key] = value })
        lu.assertEquals({ lines, ok, err.key }, { {}, false, key })
    end
    local lines, ok, err = trace(ns.link.add, ns.link, { type = "bridge", alias = "nameless" })
    lu.assertEquals({ lines, ok, err.key, err.message }, { {}, false, "name", "name: missing" })
end

function TestLater.test_a_peer_cannot_have_it_yet()
    for key, value in pairs{ addrgenmode = "none", alias = "x" } do
        support.refused("EOPNOTSUPP", "cannot add link x0 in " .. ns.name .. ": peer " .. key ..
            ": it can only be set once the link is there (EOPNOTSUPP)", ns.link.add, ns.link,
            { "x0", type = "veth", peer = { "x1", [key] = value } })
    end
end

function TestLater.test_replace_changes_or_creates()
    ns.link:replace{ "x0", type = "bridge", alias = "one", priority = 5 }
    ns.link:replace{ "x0", type = "bridge", alias = "two", mtu = 1400 }
    local link = ns.link:get "x0"
    lu.assertEquals({ link.ifalias, link.mtu, link.linkinfo.info_data.priority }, { "two", 1400, 5 })
end

-- --- what a kernel without the feature refuses to write ------------------------------------------

TestFeature = {}
setup(TestFeature)

function TestFeature.test_a_feature_that_is_off_anyway()
    ns.link:add{ "x0", type = "bridge", vlan_filtering = 0, mcast_vlan_snooping = false,
        no_linklocal_learn = 1 }
    local data = ns.link:get("x0").linkinfo.info_data
    lu.assertEquals({ data.vlan_filtering, data.mcast_vlan_snooping, data.no_linklocal_learn }, { 0, 0, 1 })
end

function TestFeature.test_it_takes_effect_or_is_refused()
    local ok, err = pcall(ns.link.add, ns.link, { "x0", type = "bridge", vlan_filtering = 1 })
    if ok then
        lu.assertEquals(ns.link:get("x0").linkinfo.info_data.vlan_filtering, 1)
        ns.link:set{ "x0", type = "bridge", vlan_filtering = 0 }
        lu.assertEquals(ns.link:get("x0").linkinfo.info_data.vlan_filtering, 0)
    else
        lu.assertEquals(err.code, "EOPNOTSUPP")
        lu.assertEquals(#ns.link:list "b0", 1)
    end
end

os.exit(support.run())
