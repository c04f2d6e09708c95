-- Nexthops, with `ip nexthop` as the oracle.
local ways = dofile((arg[0]:gsub("[^/]*$", "ways.lua")))
local lu = require "luaunit"
local support = ways.support

local EINVAL, ERANGE = "EINVAL", "ERANGE"

-- What groups are made of.
local function members(ns)
    for i = 1, 3 do ns.nexthop:add{ id = 100 + i, via = "10.0.0." .. 100 + i, dev = "v0", proto = "zebra" } end
    for i = 4, 5 do ns.nexthop:add{ id = 100 + i, via = "fd00::" .. i, dev = "v0", proto = "zebra" } end
    ns.nexthop:add{ id = 110, via = "10.0.0.110", fdb = true, proto = "zebra" }
    ns.nexthop:add{ id = 111, via = "10.0.0.111", fdb = true, proto = "zebra" }
end

local cases = {
    { { id = 1, via = "10.0.0.2", dev = "v0" }, "id 1 via 10.0.0.2 dev v0" },
    { { 2, gateway = "172.31.0.1", dev = "v0", onlink = true, proto = "static" },
        "id 2 via 172.31.0.1 dev v0 onlink proto static" },
    { { 2, via = "172.31.0.1", dev = "v0", flags = { "onlink" }, protocol = 77 },
        "id 2 via 172.31.0.1 dev v0 onlink proto 77" },
    { { 3, dev = "v1" }, "id 3 dev v1" },
    { { 4294967295, blackhole = true }, "id 4294967295 blackhole" },
    { { 5, via = "10.0.0.9", fdb = true }, "id 5 via 10.0.0.9 fdb" },
    { { 6, via = "fd00::9", dev = "v0" }, "id 6 via fd00::9 dev v0", "inet6" },
    { { 6, via = "fd99::9", dev = "v0", onlink = true }, "id 6 via fd99::9 dev v0 onlink", "inet6" },
    { { 7, dev = "v0", family = "inet6" }, "id 7 dev v0", "inet6" },
    { { 8, family = "inet6", blackhole = true }, "id 8 blackhole", "inet6" },
    { { 9, via = "fd00::9", fdb = true }, "id 9 via fd00::9 fdb", "inet6" },
    { { 10, group = { 101, 102 } }, "id 10 group 101/102" },
    { { 10, group = { { id = 101, weight = 7 }, { 102 }, { 103, weight = 255 } }, type = "mpath" },
        "id 10 group 101,7/102/103,255 type mpath" },
    { { 10, group = { { id = 104, weight = 2 }, 105 }, proto = "bird" }, "id 10 group 104,2/105 proto bird" },
    { { 11, group = { 110, 111 }, fdb = true }, "id 11 group 110/111 fdb" },
    { { 12, group = { 101, { id = 102, weight = 3 } }, type = "resilient", buckets = 16 },
        "id 12 group 101/102,3 type resilient buckets 16" },
    { { 12, group = { 101, 102 }, type = "resilient", buckets = 64, idle_timer = 10, unbalanced_timer = 300 },
        "id 12 group 101/102 type resilient buckets 64 idle_timer 10 unbalanced_timer 300" },
    { { 12, group = { 101 }, type = "resilient", resilient_args = { buckets = 8, idle_timer = "20s" } },
        "id 12 group 101 type resilient buckets 8 idle_timer 20" },
}

local group = { 101, 102 }

local wrong = {
    { { 0, blackhole = true }, ERANGE, "id: 0 is out of range: 1 to 4294967295", "0" },
    { { "one", blackhole = true }, EINVAL, 'id: "one" given, an integer expected', "one" },
    { { 1, group = {} }, EINVAL, "group: a list of tables expected", "1" },
    { { 1, group = "101/102" }, EINVAL, "group: a list of tables expected", "1" },
    { { 1, group = { 0 } }, ERANGE, "group[1] id: 0 is out of range: 1 to 4294967295", "1" },
    { { 1, group = { 101, "two" } }, EINVAL, 'group[2] id: "two" given, an integer expected', "1" },
    { { 1, group = { 101, { id = 102, weight = 0 } } }, ERANGE, "group[2] weight: 0 is out of range: 1 to 256", "1" },
    { { 1, group = { 101, { id = 102, wieght = 2 } } }, EINVAL, 'group[2]: unknown key "wieght"; did you mean weight',
        "1" },
    { { 1, group = { { weight = 2 } } }, EINVAL, "group[1] id: missing", "1" },
    { { 1, group = { 999 } }, EINVAL, nil },
    { { 1, group = group, type = "random" }, EINVAL, 'type: "random" given, one of mpath, resilient expected', "1" },
    { { 1, group = group, type = "resilient", buckets = 65536 }, ERANGE, "buckets: 65536 is out of range: 0 to 65535",
        "1" },
    { { 1, group = group, type = "resilient", idle_timer = "10 min" }, EINVAL,
        'idle_timer: "10 min" given, a time such as "10s" expected', "1" },
    { { 1, via = "10.0.0.2" }, EINVAL },
    { { 1, via = "10.0.0.2", dev = "nope" }, "ENODEV", 'dev: there is no interface "nope"', "1 on nope" },
    { { 1, blackhole = true, dev = "v0" }, EINVAL },
    { { 1, blackhole = "maybe" }, EINVAL, 'blackhole: "maybe" given, true or false expected', "1" },
    { { 101, blackhole = true }, "EEXIST", "File exists", "101" },
    { { 1, via = "10.0.0.2", dev = "v0", wieght = 1 }, EINVAL, 'unknown key "wieght"; valid are id, group, type, ' ..
        "buckets, idle_timer, unbalanced_timer, family, encap, via, dev, blackhole, proto, flags, onlink, fdb",
        "1 on v0" },
    { { 1, group = group, via = "10.0.0.2" }, EINVAL },
    { { 1, group = { 101, 101 } }, EINVAL },
    { { 1, group = { 101 }, fdb = true }, EINVAL },
}

TestNexthop = ways.test{
    object = "nexthop", families = { false }, setup = members, cases = cases, wrong = wrong, show = "nexthop show",
    own = function(nexthop) return nexthop.protocol ~= "zebra" end,
    constant = { ["resilient_args.unbalanced_time"] = true },
}

local function ids(list) return support.pluck(list, "id") end

function TestNexthop.test_get_replace_del()
    local ns = ways.space()
    ns.nexthop:add{ 1, via = "10.0.0.2", dev = "v0" }
    ns.nexthop:replace{ 1, via = "10.0.0.3", dev = "v0" }
    lu.assertEquals(ns.nexthop:get(1).gateway, "10.0.0.3")
    lu.assertEquals(support.as_json(ns.nexthop:get{ id = 103 }), support.as_json(ns.nexthop:list{ id = 103 }[1]))
    ns.nexthop:del(1)
    support.refused("ENOENT", "cannot get nexthop 1 in by-nsh: No such file or directory (ENOENT)",
        ns.nexthop.get, ns.nexthop, 1)
    support.refused("ENOENT", "cannot del nexthop 1 in by-nsh: No such file or directory (ENOENT)",
        ns.nexthop.del, ns.nexthop, { id = 1 })
    support.refused(EINVAL, "cannot replace nexthop in by-nsh: id: missing (EINVAL)",
        ns.nexthop.replace, ns.nexthop, { blackhole = true })
end

function TestNexthop.test_the_kernel_chooses_an_id()
    local ns = ways.space()
    ns.nexthop:add{ blackhole = true, proto = "babel" }
    lu.assertEquals(#ns.nexthop:list{ protocol = "babel", blackhole = true }, 1)
end

function TestNexthop.test_filters_and_flush()
    local ns = ways.space()
    ns.nexthop:add{ 1, via = "10.0.0.2", dev = "v1", onlink = true }
    ns.nexthop:add{ 2, group = { 1, 101 } }
    ns.nexthop:add{ 3, dev = "v1", proto = "bird" }
    ns.nexthop:add{ 4, dev = "v1", proto = "bird", family = "inet6" }
    lu.assertEquals(ids(ns.nexthop:list{ dev = "v1" }), { 1, 3, 4 })
    lu.assertEquals(ids(ns.nexthop:list{ via = "10.0.0.2" }), { 1 })
    lu.assertEquals(ids(ns.nexthop:list{ fdb = true }), { 110, 111 })
    lu.assertEquals(ids(ns.nexthop:list{ proto = "bird", family = "inet" }), { 3 })
    support.refused(EINVAL, "cannot list nexthop in by-nsh: group: nothing can be chosen by it, but by id, type, " ..
        "family, via, dev, scope, blackhole, proto, flags, onlink, fdb (EINVAL)",
        ns.nexthop.list, ns.nexthop, { group = { 1 } })
    lu.assertEquals(ns.nexthop:flush{ dev = "v1" }, 3)
    lu.assertEquals(#ns.nexthop:list{ dev = "v1" }, 0)
    lu.assertEquals(ns.nexthop:get(2).group[1].id, 101)
end

function TestNexthop.test_routes_go_with_it()
    local ns = ways.space()
    ns.nexthop:add{ 1, via = "10.0.0.2", dev = "v0" }
    ns.nexthop:add{ 2, group = { 1, 101 } }
    ns.route:add{ "10.9.0.0/16", nhid = 2 }
    lu.assertEquals(#ns.route:list{ nhid = 2 }[1].nexthops, 2)
    ns.nexthop:replace{ 1, via = "10.0.0.77", dev = "v0" }
    lu.assertEquals(support.pluck(ns.route:list{ nhid = 2 }[1].nexthops, "gateway"), { "10.0.0.101", "10.0.0.77" })
    ns.nexthop:del(2)
    lu.assertEquals(#ns.route:list{ dst = "10.9.0.0/16" }, 0)
end

os.exit(ways.run())
