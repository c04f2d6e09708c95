-- Which records `list` and `flush` mean: every key of a record either chooses it or is refused.
-- (Single keys: objects_test.lua.)
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local MAC = "02:00:00:00:00:07"
local ns, other

-- Until nothing of them changes by itself: a carrier that comes or goes flushes neighbours as well.
local function settle()
    support.wait_for("all that is up is up", function()
        return #ns.link:list{ up = true, state = "UP" } == 3
    end)
end

local function setup(class)
    function class.setUp()
        ns, other = nsh.netns.new(), nsh.netns.new()
        ns.nsid:add{ other, nsid = 7 }
        ns.link:set{ "lo", up = true }
        ns.link:add{ "b0", type = "bridge", alias = "a bridge", group = 7, addrgenmode = "none", up = true }
        ns.link:add{ "v0", type = "veth", peer = "v1", master = "b0", addrgenmode = "none", up = true }
        ns.link:add{ "w0", type = "veth", peer = { "w1", netns = other }, addrgenmode = "none" }
        ns.link:add{ "x0", type = "veth", peer = "x1" }
        ns.link:set{ "v1", addrgenmode = "none" }
        ns.link:set{ "v1", up = true }
        settle()
        ns.addr:add{ "10.0.0.1/24", dev = "b0", brd = "+", label = "b0:x", valid_lft = 5000, preferred_lft = 500 }
        ns.addr:add{ "10.0.1.1", peer = "10.0.2.1/24", dev = "b0", metric = 9 }
        ns.addr:add{ "fd00::1/64", dev = "b0", nodad = true }
        ns.route:add{ "10.5.0.0/16", via = "10.0.0.7", mtu = 1300, src = "10.0.0.1", metric = 6, tos = 16 }
        ns.route:add{ "default", via = "10.0.0.7", onlink = true, dev = "b0", protocol = "static" }
        ns.route:add{ "10.6.0.0/16", type = "blackhole", table = 100 }
        ns.route:add{ "fd03::/64", dev = "b0", pref = "high" }
        ns.neigh:add{ "10.0.0.7", dev = "b0", lladdr = MAC, router = true }
        ns.neigh:add{ "10.0.0.8", dev = "b0", lladdr = MAC, extern_learn = true, protocol = "static" }
        ns.neigh:add{ "10.0.0.9", dev = "b0", proxy = true }
    end
    function class.tearDown()
        ns:close()
        other:close()
    end
end

local function dsts(records)
    return support.pluck(records, "dst")
end

-- --- keys ----------------------------------------------------------------------------------------

TestKeys = {}
setup(TestKeys)

local function with(base, key, value)
    local args = { [key] = value }
    for k, v in pairs(base) do args[k] = args[k] or v end
    return args
end

-- Whether the two records of a kind are of the same thing.
local function is_same(a, b)
    for _, key in ipairs{ "ifname", "nsid", "dst", "local_", "dev", "table", "metric" } do
        if a[key] ~= b[key] then return false end
    end
    return true
end

local function includes(list, record)
    for _, one in ipairs(list) do
        if is_same(one, record) then return true end
    end
    return false
end

-- nil if it may not choose; else whether the record is among those that it chose.
local function chosen(object, args, record)
    local ok, list = pcall(ns[object].list, ns[object], args)
    if ok then return includes(list, record) end
    lu.assertEquals(list.code, "EINVAL")
    lu.assertStrContains(list.message, "nothing can be chosen by it")
end

local tried, refused

local function check(object, base, key, value, record)
    local result = chosen(object, with(base, key, value), record)
    tried = tried + 1
    if result == nil then refused[key] = true end
    lu.assertTrue(result ~= false, ("%s.%s = %s of %s"):format(object, key, nsh.show.format(value),
        record.ifname or record.dst))
end

local function check_kind(base, info, record)
    check("link", base, "type", info.info_kind, record)
    for key, value in pairs(info.info_data or {}) do
        check("link", with(base, "type", info.info_kind), key, value, record)
    end
    local port = info.info_slave_kind
    for key, value in pairs(info.info_slave_data or {}) do
        check("link", with(base, "type", port .. "_slave"), port .. "_slave", { [key] = value }, record)
    end
end

local function check_record(object, base, record)
    for key, value in pairs(record) do
        if key == "linkinfo" then
            check_kind(base, value, record)
        elseif not (type(value) == "table" and next(value) == nil) then -- an empty list asks for nothing
            check(object, base, key, value, record)
        end
    end
end

function TestKeys.test_every_key_of_every_record()
    tried, refused = 0, {}
    for object, bases in pairs{ link = { {} }, addr = { {} }, neigh = { {}, { proxy = true } }, nsid = { {} },
        route = { {}, { family = "inet6" }, { table = "all" }, { table = "all", family = "inet6" } } } do
        for _, base in ipairs(bases) do
            local records = ns[object]:list(base)
            lu.assertTrue(#records > 0, object)
            for _, record in ipairs(records) do
                -- where all tables are listed, each names its own, and so may be of either family
                local own = base.table and with({ family = record.family }, "table", record.table) or base
                check_record(object, own, record)
            end
        end
    end
    lu.assertTrue(tried > 300, tried)
    for key in pairs(refused) do
        local known = key:find "_timer$" or key:find "_id$" or key == "expires" or key == "bridge_slave"
        lu.assertNotNil(known or nil, key)
    end
end

function TestKeys.test_what_no_record_has_is_refused_with_what_can_be_used()
    for _, case in ipairs{
        { "link", { netns = other }, "netns", "but by ifindex, dev, " },
        { "link", { type = "veth", peer = "v1" }, "peer", "" },
        { "link", { type = "bridge", gc_timer = 1 }, "gc_timer", "but by forward_delay, " },
        { "nsid", { netns = other }, "netns", "but by nsid" },
        { "route", { family = "inet6", expires = 5 }, "expires", "but by type, to, " },
    } do
        local object = ns[case[1]]
        local err = support.raised(object.list, object, case[2])
        lu.assertEquals({ err.code, err.key }, { "EINVAL", case[3] })
        lu.assertStrContains(err.message, case[3] .. ": nothing can be chosen by it")
        lu.assertStrContains(err.message, case[4])
        if case[1] == "route" then
            lu.assertEquals(support.raised(object.flush, object, case[2]).key, case[3])
        end
    end
    lu.assertEquals(ns.nsid:get(other).nsid, 7)
end

function TestKeys.test_a_list_of_what_cannot_choose()
    support.sh("ip link property add dev v0 altname other", ns)
    lu.assertEquals(support.raised(ns.link.list, ns.link, { altnames = { "other" } }).key, "altnames")
    lu.assertEquals(support.raised(ns.link.list, ns.link, { altnames = "other" }).key, "altnames")
end

-- --- what a flush keeps --------------------------------------------------------------------------

TestFlush = {}
setup(TestFlush)

local states = { "permanent", "noarp", "reachable", "stale" }

local function fill(dev)
    for i, state in ipairs(states) do
        ns.neigh:add{ "10.1.0." .. i, lladdr = MAC, dev = dev, nud = state }
    end
end

local function left(dev)
    return dsts(ns.neigh:list{ dev = dev, state = states })
end

-- The same entries, flushed by nsh and by ip; of links that are down.
local function assert_flushes(args, words)
    local device = { ours = "w0", theirs = "x0" }
    for _, dev in pairs(device) do
        support.sh("ip neigh flush nud permanent nud noarp nud reachable nud stale dev " .. dev, ns)
        fill(dev)
    end
    args.dev = device.ours
    local count = ns.neigh:flush(args)
    support.sh(("ip neigh flush dev %s %s"):format(device.theirs, words), ns)
    lu.assertEquals(left(device.ours), left(device.theirs))
    lu.assertEquals(count, #states - #left(device.ours))
    return left(device.ours)
end

function TestFlush.test_permanent_neighbours_stay_as_with_ip()
    lu.assertEquals(assert_flushes({}, ""), { "10.1.0.1", "10.1.0.2" })
    lu.assertEquals(assert_flushes({ state = "stale" }, "nud stale"), { "10.1.0.1", "10.1.0.2", "10.1.0.3" })
    lu.assertEquals(assert_flushes({ nud = { "noarp", "reachable" } }, "nud noarp nud reachable"),
        { "10.1.0.1", "10.1.0.4" })
    lu.assertEquals(assert_flushes({ "10.1.0.1" }, "to 10.1.0.1"),
        { "10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4" })
end

-- What a switch or a daemon has learned is not kept, whatever its state: here, too.
function TestFlush.test_neighbours_from_outside()
    ns.neigh:add{ "10.0.0.10", lladdr = MAC, dev = "b0", extern_learn = true, nud = "noarp" }
    lu.assertEquals(dsts(ns.neigh:list{ dev = "b0" }), support.pluck(support.ip(ns, "neigh show dev b0"), "dst"))
    lu.assertEquals(ns.neigh:flush{ dev = "b0" }, 2)
    lu.assertEquals(dsts(ns.neigh:list{ dev = "b0" }), { "10.0.0.7" })
end

function TestFlush.test_proxies()
    lu.assertEquals(ns.neigh:flush{ proxy = true }, 1)
    lu.assertEquals(ns.neigh:list{ proxy = true }, {})
end

os.exit(support.run())
