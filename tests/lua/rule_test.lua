-- Rules of routing, with `ip rule` as the oracle.
local ways = dofile((arg[0]:gsub("[^/]*$", "ways.lua")))
local lu = require "luaunit"
local support = ways.support

local space = ways.space

-- nsh's arguments, ip's words.
local cases = {
    { { from = "10.0.0.0/8" }, "from 10.0.0.0/8" },
    { { from = "10.0.0.1", to = "10.1.0.0/16", table = 100 }, "from 10.0.0.1 to 10.1.0.0/16 table 100" },
    { { to = "10.1.0.0/16", src = "10.0.0.0", srclen = 24, lookup = "default" },
        "from 10.0.0.0/24 to 10.1.0.0/16 lookup default" },
    { { from = "all", fwmark = 1, table = 70000 }, "from all fwmark 1 table 70000" },
    { { fwmark = "0x10/0xf0", not_ = true, tos = "0x10" }, "not fwmark 0x10/0xf0 tos 0x10" },
    { { fwmark = "16", fwmask = 255 }, "fwmark 16/255" },
    { { iif = "v0", oif = "nowhere" }, "iif v0 oif nowhere" },
    { { iif = "lo", protocol = "static" }, "iif lo protocol static" },
    { { uidrange = "0-0", ipproto = "tcp", sport = 80, dport = "100-200" },
        "uidrange 0-0 ipproto tcp sport 80 dport 100-200" },
    { { uid_start = 0, uid_end = 0, ipproto = 17, sport_start = 5, sport_end = 6 },
        "uidrange 0-0 ipproto udp sport 5-6" },
    { { type = "blackhole" }, "blackhole" },
    { { action = "unreachable", to = "10.0.0.0/8" }, "to 10.0.0.0/8 unreachable" },
    { { type = "prohibit", from = "10.0.0.9" }, "from 10.0.0.9 prohibit" },
    { { goto_ = 32766 }, "goto 32766" },
    { { ["goto"] = 77 }, "goto 77" },
    { { nop = true }, "nop" },
    { { table = "main", suppress_prefixlength = 0 }, "table main suppress_prefixlength 0" },
    { { table = "main", suppress_ifgroup = 5 }, "table main suppress_ifgroup 5" },
    { { table = "main", suppress_ifgroup = "default" }, "table main suppress_ifgroup default" },
    { { l3mdev = true }, "l3mdev" },
    { { from = "0.0.0.0/1" }, "from 0.0.0.0/1" },
    { { from = "fd00::/64", to = "fd01::1" }, "from fd00::/64 to fd01::1", "inet6" },
    { { family = "inet6", ipproto = "ipv6-icmp" }, "ipproto ipv6-icmp", "inet6" },
    { { family = "inet6", type = "unreachable", not_ = true, iif = "v0" }, "not iif v0 unreachable", "inet6" },
    { { tun_id = 7, table = 9 }, "tun_id 7 table 9" },
    { { tun_id = "0x7fffffffffffffff", realms = "7/9" }, "tun_id 9223372036854775807 realms 7/9" },
    { { to = "10.0.0.0/8", realms = 5, tos = "4" }, "to 10.0.0.0/8 realms 5 tos 4" },
    { { flow_from = 3, flow_to = "cosmos" }, "realms 3/0" },
    { { flow_from = 3, flow_to = 4 }, "realms 3/4" },
    { { family = "inet6", tun_id = 8, tos = "AF11", l3mdev = true }, "tun_id 8 tos AF11 l3mdev", "inet6" },
    { { family = "inet6", from = "fd00::/64", fwmark = "1/3", oif = "v0", uidrange = "0-0", dport = 9 },
        "from fd00::/64 fwmark 1/3 oif v0 uidrange 0-0 dport 9", "inet6" },
}

for _, case in ipairs(cases) do
    case[1].priority, case[2] = 50, "pref 50 " .. case[2]
end

local EINVAL, ERANGE = "EINVAL", "ERANGE"

local wrong = {
    { { "10.0.0.0/8" }, EINVAL, "[1]: a key is missing before this value", "10.0.0.0/8" },
    { { priority = -1 }, ERANGE, "priority: -1 is out of range: 0 to 4294967295", "-1" },
    { { priority = 5, from = "10.0.0.0/33" }, EINVAL,
        'from: "10.0.0.0/33": the prefix length of an IPv4 address is 0 to 32', "5" },
    { { priority = 5, from = "10.0.0.1", to = "fd00::1" }, EINVAL },
    { { priority = 5, sport = "80-" }, EINVAL, 'sport: "80-" given, an integer, or two expected', "5" },
    { { priority = 5, sport = "80-65536" }, ERANGE, "sport: 65536 is out of range: 0 to 65535", "5" },
    { { priority = 5, sport = "80-70" }, EINVAL },
    { { priority = 5, fwmark = "1/2/3" }, EINVAL, 'fwmark: "1/2/3" given, an integer, or two expected', "5" },
    { { priority = 5, suppress_prefixlength = 129 }, ERANGE, "suppress_prefixlength: 129 is out of range: 0 to 128",
        "5" },
    { { priority = 5, type = "drop" }, EINVAL, 'type: "drop" given, one of blackhole, unreachable, prohibit expected',
        "5" },
    { { priority = 5, iif = "a-name-that-is-too-long" }, "ENAMETOOLONG",
        'iif: "a-name-that-is-too-long" has 23 characters, at most 15 are allowed', "5" },
    { { priority = 5, ipproto = "tpc" }, EINVAL,
        'ipproto: "tpc" given, one of icmp, tcp, udp, dccp, gre, ipv6-icmp, sctp, udplite expected', "5" },
    { { priority = 5, fromm = "10.0.0.1" }, EINVAL, 'unknown key "fromm"; did you mean from', "5" },
    { { priority = 5, tun_id = "many" }, EINVAL, 'tun_id: "many" given, an integer expected', "5" },
    { { priority = 5, tun_id = -1 }, ERANGE, "tun_id: -1 is out of range: 0 to 9223372036854775807", "5" },
    { { priority = 5, realms = "1/" }, EINVAL, 'realms: "1/" given, realms such as "1/2" expected', "5" },
    { { priority = 5, flow_to = 65536 }, ERANGE, "flow_to: 65536 is out of range: 0 to 65535", "5" },
    { { priority = 5, tos = "AF99" }, EINVAL, nil },
}

TestRule = ways.test{
    object = "rule", cases = cases, wrong = wrong, show = "rule show", constant = { priority = true },
    own = function(rule) return rule.priority > 0 and rule.priority < 32766 end,
}

function TestRule.test_filters_and_flush()
    space().rule:add{ priority = 10, from = "10.0.0.0/8", table = 5 }
    space().rule:add{ priority = 11, from = "10.0.0.0/16", table = 5 }
    space().rule:add{ priority = 12, to = "10.0.0.0/8", table = 6, dport = "80-90" }
    local function count(filter) return #space().rule:list(filter) end
    lu.assertEquals(count(), 6)
    lu.assertEquals(count{ family = "inet6" }, 2)
    lu.assertEquals(count{ table = 5 }, 2)
    lu.assertEquals(count{ from = "10.0.0.0/8" }, 1)
    lu.assertEquals(count{ src = "10.0.0.0" }, 2)
    lu.assertEquals(count{ from = "all" }, 4)
    lu.assertEquals(count{ to = "10.0.0.0/8" }, 1)
    lu.assertEquals(count{ dport = 85 }, 1)
    lu.assertEquals(count{ dport = 91 }, 0)
    lu.assertEquals(count{ priority = 12, table = 6 }, 1)
    lu.assertEquals(space().rule:flush{ table = 5 }, 2)
    lu.assertEquals(count(), 4)
    space().rule:del{ priority = 12 }
    lu.assertEquals(count(), 3)
end

function TestRule.test_it_chooses_the_table()
    space().route:add{ "10.9.0.0/16", via = "10.0.0.2", table = 100 }
    lu.assertEquals(support.raised(space().route.get, space().route, "10.9.0.1").code, "ENETUNREACH")
    space().rule:add{ to = "10.9.0.0/16", table = 100 }
    lu.assertEquals(space().route:get("10.9.0.1").gateway, "10.0.0.2")
    space().route:del{ "10.9.0.0/16", table = 100 }
end

function TestRule.test_what_the_kernel_says()
    space().rule:add{ priority = 5, from = "10.0.0.1" }
    lu.assertEquals(support.raised(space().rule.add, space().rule, { priority = 5, from = "10.0.0.1" }).code,
        "EEXIST")
    lu.assertEquals(support.raised(space().rule.del, space().rule, { priority = 6 }).code, "ENOENT")
end

os.exit(ways.run())
