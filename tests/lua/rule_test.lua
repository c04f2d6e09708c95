-- Rules of routing, with `ip rule` as the oracle: the same are made by nsh, by ip, by the command that nsh
-- prints, and from records.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local null = require("cjson").null

local function new(name)
    local ns = nsh.netns.add(name)
    ns.link:add{ "v0", type = "veth", peer = "v1" }
    return ns
end

local by_nsh, by_ip, by_command, by_record = new "by-nsh", new "by-ip", new "by-command", new "by-record"
local all = { by_nsh, by_ip, by_command, by_record }

local function ip(ns, family, words)
    return support.sh(("ip -n %s %s %s"):format(ns.name, family == "inet6" and "-6" or "", words))
end

local compared = 0

local function theirs(ns, family)
    local rules = support.decode(ip(ns, family, "-j -d rule show"))
    for _, rule in ipairs(rules) do
        for key, value in pairs(rule) do
            compared = compared + 1
            if value == null then rule[key] = true end
        end
    end
    return rules
end

local function ours(ns, family)
    return support.as_json(ns.rule:list(family and { family = family }))
end

local function is_own(rule) return rule.priority > 0 and rule.priority < 32766 end

local function clear()
    for _, ns in ipairs(all) do
        for _, family in ipairs{ "inet", "inet6" } do
            for _, rule in ipairs(ns.rule:list{ family = family }) do
                if is_own(rule) then
                    rule.family = family
                    ns.rule:del(rule)
                end
            end
        end
    end
end

local function traced(fn)
    local lines = {}
    nsh.trace(function(line) lines[#lines + 1] = line end)
    local ok, err = pcall(fn)
    nsh.trace(false)
    if not ok then error(err, 0) end
    return table.concat(lines, "\n")
end

-- --- what can be said ----------------------------------------------------------------------------

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
}

local function check_case(args, words, family)
    args.priority = 50
    local command = traced(function() by_nsh.rule:add(args) end)
    ip(by_ip, family, "rule add pref 50 " .. words)
    support.sh((command:gsub("by%-nsh", "by-command")))
    local shown = theirs(by_ip, family)
    lu.assertEquals(theirs(by_nsh, family), shown, words)
    lu.assertEquals(theirs(by_command, family), shown, command)
    local own = ours(by_nsh, family)
    for _, rule in ipairs(own) do rule.family = nil end -- which ip tells by -4 and -6 only
    lu.assertEquals(own, shown, words)
    for _, rule in ipairs(by_nsh.rule:list{ family = family or "inet", priority = 50 }) do
        by_record.rule:add(rule)
    end
    lu.assertEquals(theirs(by_record, family), shown, words)
end

TestRule = { setUp = clear }

for i, case in ipairs(cases) do
    TestRule[("test_%02d"):format(i)] = function() check_case(table.unpack(case, 1, 3)) end
end

function TestRule.test_filters_and_flush()
    by_nsh.rule:add{ priority = 10, from = "10.0.0.0/8", table = 5 }
    by_nsh.rule:add{ priority = 11, from = "10.0.0.0/16", table = 5 }
    by_nsh.rule:add{ priority = 12, to = "10.0.0.0/8", table = 6, dport = "80-90" }
    local function count(filter) return #by_nsh.rule:list(filter) end
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
    lu.assertEquals(by_nsh.rule:flush{ table = 5 }, 2)
    lu.assertEquals(count(), 4)
    by_nsh.rule:del{ priority = 12 }
    lu.assertEquals(count(), 3)
end

function TestRule.test_it_chooses_the_table()
    by_nsh.addr:add{ "10.0.0.1/24", dev = "v0" }
    by_nsh.link:set{ "v0", up = true }
    by_nsh.link:set{ "v1", up = true }
    by_nsh.route:add{ "10.9.0.0/16", via = "10.0.0.2", table = 100 }
    lu.assertEquals(support.raised(by_nsh.route.get, by_nsh.route, "10.9.0.1").code, "ENETUNREACH")
    by_nsh.rule:add{ to = "10.9.0.0/16", table = 100 }
    lu.assertEquals(by_nsh.route:get("10.9.0.1").gateway, "10.0.0.2")
end

-- --- what is refused -----------------------------------------------------------------------------

local EINVAL, ERANGE = "EINVAL", "ERANGE"

local bad = {
    { { "10.0.0.0/8" }, "10.0.0.0/8", "[1]: a key is missing before this value", EINVAL },
    { { priority = -1 }, "-1", "priority: -1 is out of range: 0 to 4294967295", ERANGE },
    { { priority = 5, from = "10.0.0.0/33" }, "5",
        'from: "10.0.0.0/33": the prefix length of an IPv4 address is 0 to 32', EINVAL },
    { { priority = 5, from = "10.0.0.1", to = "fd00::1" }, "5", nil, EINVAL },
    { { priority = 5, sport = "80-" }, "5", 'sport: "80-" given, an integer, or two expected', EINVAL },
    { { priority = 5, sport = "80-65536" }, "5", "sport: 65536 is out of range: 0 to 65535", ERANGE },
    { { priority = 5, fwmark = "1/2/3" }, "5", 'fwmark: "1/2/3" given, an integer, or two expected', EINVAL },
    { { priority = 5, suppress_prefixlength = 129 }, "5",
        "suppress_prefixlength: 129 is out of range: 0 to 128", ERANGE },
    { { priority = 5, type = "drop" }, "5",
        'type: "drop" given, one of blackhole, unreachable, prohibit expected', EINVAL },
    { { priority = 5, iif = "a-name-that-is-too-long" }, "5",
        'iif: "a-name-that-is-too-long" has 23 characters, at most 15 are allowed', "ENAMETOOLONG" },
    { { priority = 5, ipproto = "tpc" }, "5",
        'ipproto: "tpc" given, one of icmp, tcp, udp, dccp, gre, ipv6-icmp, sctp, udplite expected', EINVAL },
    { { priority = 5, fromm = "10.0.0.1" }, "5", 'unknown key "fromm"; did you mean from', EINVAL },
    { { priority = 5, sport = "80-70" }, "5", nil, EINVAL },
}

TestErrors = {}

function TestErrors.test_bad_arguments()
    for _, case in ipairs(bad) do
        local args, name, text, code = table.unpack(case, 1, 4)
        local sentence = ("cannot add rule %s in by-nsh: %s (%s)"):format(name, text, code)
        if text then
            support.refused(code, sentence, by_nsh.rule.add, by_nsh.rule, args)
        else -- in the kernel's words or those of addresses
            lu.assertEquals(support.raised(by_nsh.rule.add, by_nsh.rule, args).code, code)
        end
    end
end

function TestErrors.test_what_the_kernel_says()
    clear()
    by_nsh.rule:add{ priority = 5, from = "10.0.0.1" }
    lu.assertEquals(support.raised(by_nsh.rule.add, by_nsh.rule, { priority = 5, from = "10.0.0.1" }).code,
        "EEXIST")
    lu.assertEquals(support.raised(by_nsh.rule.del, by_nsh.rule, { priority = 6 }).code, "ENOENT")
end

local status = support.run()
print(("# %d fields compared with ip"):format(compared))
os.exit(status)
