-- Routes, with `ip route` as the oracle.
local ways = dofile((arg[0]:gsub("[^/]*$", "ways.lua")))
local lu = require "luaunit"
local support = ways.support

local EINVAL, ERANGE = "EINVAL", "ERANGE"

local function nexthops(ns)
    ns.nexthop:add{ id = 1, via = "10.0.0.2", dev = "v0" }
    ns.nexthop:add{ id = 2, via = "10.0.0.3", dev = "v0" }
    ns.nexthop:add{ id = 3, blackhole = true }
    ns.nexthop:add{ id = 4, via = "fd00::4", dev = "v0" }
    ns.nexthop:add{ id = 5, group = { 1, { id = 2, weight = 3 } } }
    ns.nexthop:add{ id = 6, blackhole = true, family = "inet6" }
    ns.nexthop:add{ id = 7, group = { 4 } }
end

local HERE = { via = "10.0.0.2" }

-- HERE and what else is said, in nsh's words.
local function here(more)
    for key, value in pairs(HERE) do more[key] = more[key] or value end
    more[1] = more[1] or "10.9.0.0/16"
    return more
end

local cases = {
    -- several ways
    { { "10.9.0.0/16", nexthops = { { via = "10.0.0.2", dev = "v0", weight = 3 }, { via = "10.0.0.3" } } },
        "10.9.0.0/16 nexthop via 10.0.0.2 dev v0 weight 3 nexthop via 10.0.0.3" },
    { { "default", metric = 5, nexthop = { { dev = "v0", weight = 256 }, { dev = "v1" } } },
        "default metric 5 nexthop dev v0 weight 256 nexthop dev v1" },
    { { "10.9.0.0/16", nexthops = { { via = "172.31.0.1", dev = "v0", onlink = true },
        { via = "inet6 fe80::2", dev = "v0", realms = "7/9" }, { via = "10.0.0.2", realms = 8 } } },
        "10.9.0.0/16 nexthop via 172.31.0.1 dev v0 onlink " ..
        "nexthop via inet6 fe80::2 dev v0 realms 7/9 nexthop via 10.0.0.2 realms 8" },
    { { "fd09::/64", nexthops = { { via = "fd00::2", weight = 7 }, { via = "fe80::2", dev = "v1" } } },
        "fd09::/64 nexthop via fd00::2 weight 7 nexthop via fe80::2 dev v1", "inet6" },
    { { "fd09::/64", nexthops = { { via = "fd99::2", dev = "v0", flags = { "onlink" } }, { via = "fd00::3" } },
        metric = 3, pref = "low" },
        "fd09::/64 metric 3 pref low nexthop via fd99::2 dev v0 onlink nexthop via fd00::3", "inet6" },
    -- by a nexthop
    { { "10.9.0.0/16", nhid = 1 }, "10.9.0.0/16 nhid 1" },
    { { "10.9.0.0/16", nhid = 5 }, "10.9.0.0/16 nhid 5" },
    { { "10.9.0.0/16", nhid = 3, metric = 4 }, "10.9.0.0/16 nhid 3 metric 4" },
    { { "10.9.0.0/16", nhid = 4 }, "10.9.0.0/16 nhid 4" },
    { { "fd09::/64", nhid = 4 }, "fd09::/64 nhid 4", "inet6" },
    { { "fd09::/64", nhid = 6 }, "fd09::/64 nhid 6", "inet6" },
    { { "fd09::/64", nhid = 7 }, "fd09::/64 nhid 7", "inet6" },
    -- over a gateway of the other family
    { { "10.9.0.0/16", via = "inet6 fe80::2", dev = "v0" }, "10.9.0.0/16 via inet6 fe80::2 dev v0" },
    { { "10.9.0.0/16", via = { family = "inet6", host = "fd00::2" }, dev = "v0" },
        "10.9.0.0/16 via inet6 fd00::2 dev v0" },
    { { "default", via = "inet6 fe80::2", dev = "v0", family = "inet" }, "default via inet6 fe80::2 dev v0",
        "inet" },
    { { "fd09::/64", via = "inet6 fe80::2", dev = "v0" }, "fd09::/64 via fe80::2 dev v0", "inet6" },
    -- metrics
    { here{ mtu = 1400, advmss = 1000, initcwnd = 5, initrwnd = 6, hoplimit = 7, window = 8, ssthresh = 9,
        cwnd = 10, reordering = 11, quickack = 1, fastopen_no_cookie = 1 },
        "10.9.0.0/16 via 10.0.0.2 mtu 1400 advmss 1000 initcwnd 5 initrwnd 6 hoplimit 7 window 8 ssthresh 9 " ..
        "cwnd 10 reordering 11 quickack 1 fastopen_no_cookie 1" },
    { here{ rtt = "50ms", rttvar = "2s", rto_min = 300, features = "ecn", congctl = "reno" },
        "10.9.0.0/16 via 10.0.0.2 rtt 50ms rttvar 2s rto_min 300ms features ecn congctl reno" },
    { here{ rtt = "401", rttvar = "9", rto_min = "5ms", ecn = true, congestion = "reno", lock = "congestion" },
        "10.9.0.0/16 via 10.0.0.2 rtt 401 rttvar 9 rto_min 5ms features ecn congctl lock reno" },
    { here{ mtu = "lock 1400", advmss = "lock 1000", window = 8, ssthresh = 9, cwnd = 10, rtt = "lock 50ms",
        lock = { "window", "ssthresh" } },
        "10.9.0.0/16 via 10.0.0.2 mtu lock 1400 advmss lock 1000 window lock 8 ssthresh lock 9 cwnd 10 " ..
        "rtt lock 50ms" },
    { { "fd09::/64", dev = "v0", mtu = "lock 1300", hoplimit = 3, rtt = "5s" },
        "fd09::/64 dev v0 mtu lock 1300 hoplimit 3 rtt 5s", "inet6" },
    -- types
    { { "10.9.0.1", type = "local", dev = "v0" }, "local 10.9.0.1 dev v0" },
    { { "10.9.0.1", type = "broadcast", dev = "v0" }, "broadcast 10.9.0.1 dev v0" },
    { { "10.9.0.1", type = "anycast", dev = "v0" }, "anycast 10.9.0.1 dev v0" },
    { { "224.9.0.1", type = "multicast", dev = "v0" }, "multicast 224.9.0.1 dev v0" },
    { { "10.9.0.0/16", type = "throw", table = 7 }, "throw 10.9.0.0/16 table 7" },
    { { "10.9.0.0/16", type = "unreachable" }, "unreachable 10.9.0.0/16" },
    { { "10.9.0.0/16", type = "prohibit" }, "prohibit 10.9.0.0/16" },
    { { "10.9.0.0/16", type = "blackhole" }, "blackhole 10.9.0.0/16" },
    { { "fd09::1", type = "local", dev = "v0" }, "local fd09::1 dev v0", "inet6" },
    { { "fd09::1", type = "anycast", dev = "v0" }, "anycast fd09::1 dev v0", "inet6" },
    { { "ff0e::1", type = "multicast", dev = "v0", table = "local" }, "multicast ff0e::1 dev v0 table local", "inet6" },
    { { "fd09::/64", type = "throw", table = 7 }, "throw fd09::/64 table 7", "inet6" },
    { { "fd09::/64", type = "prohibit" }, "prohibit fd09::/64", "inet6" },
    { { "fd09::/64", type = "unreachable" }, "unreachable fd09::/64", "inet6" },
    { { "default", type = "blackhole", family = "inet6" }, "blackhole default", "inet6" },
    -- the rest
    { here{ tos = "AF11", scope = "site", proto = "bird", metric = 7, src = "10.0.0.1" },
        "10.9.0.0/16 via 10.0.0.2 tos AF11 scope site proto bird metric 7 src 10.0.0.1" },
    { here{ tos = "0x10", scope = 77, proto = 200, table = 70000, realms = "7/9" },
        "10.9.0.0/16 via 10.0.0.2 tos 10 scope 77 proto 200 table 70000 realms 7/9" },
    { here{ tos = "4", flow = { to = 9 }, table = "default" },
        "10.9.0.0/16 via 10.0.0.2 tos 4 realms 9 table default" },
    { here{ realms = "3/cosmos" }, "10.9.0.0/16 via 10.0.0.2 realms 3/0" },
    { here{ via = "172.31.0.1", dev = "v0", onlink = true }, "10.9.0.0/16 via 172.31.0.1 dev v0 onlink" },
    { { "fd09::/64", from = "fd08::/64", dev = "v0", expires = 5000, pref = "high", src = "fd00::1" },
        "fd09::/64 from fd08::/64 dev v0 expires 5000 pref high src fd00::1", "inet6" },
    { { "fd09::/64", via = "fd99::1", dev = "v1", onlink = true, proto = "ra", metric = 1 },
        "fd09::/64 via fd99::1 dev v1 onlink proto ra metric 1", "inet6" },
}

local wrong = {
    { here{ nexthops = {} }, EINVAL, "nexthops: a list of tables expected", "10.9.0.0/16" },
    { here{ nexthop = "10.0.0.2" }, EINVAL, "nexthop: a list of tables expected", "10.9.0.0/16" },
    { here{ nexthops = { {}, { weight = 257 } } }, ERANGE, "nexthops[2] weight: 257 is out of range: 1 to 256",
        "10.9.0.0/16" },
    { here{ nexthops = { { weight = 0 } } }, ERANGE, "nexthops[1] weight: 0 is out of range: 1 to 256",
        "10.9.0.0/16" },
    { here{ nexthops = { { vai = "10.0.0.2" } } }, EINVAL, 'nexthops[1]: unknown key "vai"; did you mean via',
        "10.9.0.0/16" },
    { here{ nexthops = { { "10.0.0.2" } } }, EINVAL, "nexthops[1] [1]: a key is missing before this value",
        "10.9.0.0/16" },
    { { "10.9.0.0/16", nexthops = { { via = "10.0.0.2" }, { via = "fd00::2" } } }, EINVAL,
        'nexthops[2] via: "fd00::2" is not an IPv4 address', "10.9.0.0/16" },
    { here{ nhid = 1 }, EINVAL, "Nexthop specification and nexthop id are mutually exclusive", "10.9.0.0/16" },
    { { "10.9.0.0/16", nhid = 99 }, EINVAL, "Nexthop id does not exist", "10.9.0.0/16" },
    { here{ via = "inet6 10.0.0.2" }, EINVAL, 'via: "10.0.0.2" is not an IPv6 address', "10.9.0.0/16" },
    { here{ via = { host = 7 } }, EINVAL, 'via host: 7 given, an address such as "inet6 fe80::1" expected',
        "10.9.0.0/16" },
    { here{ realms = "1/2/3" }, EINVAL, 'realms: "1/2/3" given, realms such as "1/2" expected', "10.9.0.0/16" },
    { here{ realms = 65536 }, EINVAL, 'realms: 65536 given, realms such as "1/2" expected', "10.9.0.0/16" },
    { here{ flow = { to = "nowhere" } }, EINVAL, 'flow to: "nowhere" given, one of cosmos expected', "10.9.0.0/16" },
    { here{ mtu = "lock" }, EINVAL, 'mtu: "lock" given, an integer expected', "10.9.0.0/16" },
    { here{ mtu = "lock x" }, EINVAL, 'mtu: "x" given, an integer expected', "10.9.0.0/16" },
    { here{ lock = "via" }, EINVAL, 'lock: "via" given, one of mtu, window, rtt, rttvar, ssthresh, cwnd, advmss, ' ..
        "reordering, hoplimit, initcwnd, rto_min, initrwnd, quickack, congestion expected", "10.9.0.0/16" },
    { here{ rtt = "50 apples" }, EINVAL, 'rtt: "50 apples" given, a time such as "50ms" expected', "10.9.0.0/16" },
    { here{ rto_min = -1 }, ERANGE, "rto_min: -1 is out of range: 0 to 4294967295ms", "10.9.0.0/16" },
    { here{ fastopen_no_cookie = 2 }, ERANGE, "fastopen_no_cookie: 2 is out of range: 0 to 1", "10.9.0.0/16" },
    { here{ features = "ecm" }, EINVAL, 'features: "ecm" given, one of ecn expected', "10.9.0.0/16" },
    { here{ type = "nat" }, EINVAL, 'type: "nat" given, one of unicast, local, broadcast, anycast, multicast, ' ..
        "blackhole, unreachable, prohibit, throw expected", "10.9.0.0/16" },
}

TestRoute = ways.test{
    object = "route", setup = nexthops, cases = cases, wrong = wrong, show = "route show table all",
    filter = { table = "all" }, running = { "expires" },
    own = function(route) return route.protocol ~= "kernel" end,
}

function TestRoute.test_what_is_refused_elsewhere_than_by_add()
    local ns = ways.space()
    support.refused(EINVAL, "cannot list route in by-nsh: nexthops: nothing can be chosen by it, but by type, to, " ..
        "from, family, tos, nhid, via, dev, iif, table, proto, scope, src, metric, flags, onlink, realms, uid, pref " ..
        "(EINVAL)",
        ns.route.list, ns.route, { nexthops = { { via = "10.0.0.2" } } })
end

function TestRoute.test_flush_takes_what_nexthops_say()
    local ns = ways.space()
    for _, id in ipairs{ 1, 3, 5 } do ns.route:add{ "10.9." .. id .. ".0/24", nhid = id } end
    lu.assertEquals(ns.route:flush{ protocol = "boot" }, 3)
    lu.assertEquals(#ns.route:list{ protocol = "boot" }, 0)
end

function TestRoute.test_replace_and_set()
    local ns = ways.space()
    ns.route:add{ "10.9.0.0/16", nexthops = { { via = "10.0.0.2" }, { via = "10.0.0.3", weight = 2 } } }
    local route = ns.route:list{ dst = "10.9.0.0/16" }[1]
    route.nexthops[1].weight = 9
    ns.route:set(route)
    lu.assertEquals(support.pluck(ns.route:list{ dst = "10.9.0.0/16" }[1].nexthops, "weight"), { 2, 9 })
    ns.route:replace{ "10.9.0.0/16", nhid = 1 }
    lu.assertEquals(ns.route:list{ dst = "10.9.0.0/16" }[1].nhid, 1)
end

-- Traffic takes both ways.
function TestRoute.test_a_packet_takes_each_way()
    local ns, seen = ways.space(), {}
    ns.route:add{ "10.9.0.0/16", nexthops = { { via = "10.0.0.2" }, { via = "10.0.0.3" } } }
    for i = 1, 64 do seen[ns.route:get("10.9.0." .. i).gateway] = true end
    lu.assertEquals(seen, { ["10.0.0.2"] = true, ["10.0.0.3"] = true })
end

os.exit(ways.run())
