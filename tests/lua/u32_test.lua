-- Filters of kind u32, with mirred, against tc; and the verbs of all filters.
local classifiers = dofile((arg[0]:gsub("[^/]*$", "classifiers.lua")))
local lu = require "luaunit"

local qdiscs = classifiers.qdiscs
local support, traced, with, tc = qdiscs.support, qdiscs.traced, qdiscs.with, qdiscs.tc
local by_nsh, by_record = qdiscs.by_nsh, qdiscs.by_record

local redirect = { "mirred", redirect = true, dev = "v1" }
local to_v1 = "action mirred egress redirect dev v1"

classifiers.test("u32", "u32 match u32 0 0 flowid 1:1", {
    { { "u32", protocol = "ip", pref = 5, match = "ip src 10.0.0.0/8", flowid = "1:1" },
        "protocol ip pref 5 u32 match ip src 10.0.0.0/8 flowid 1:1" },
    { { "u32", protocol = "ip", prio = 6, match = { "ip src 10.0.0.0/8", "ip dst 10.0.0.1", "ip protocol 6 0xff",
        "ip dport 80 0xffff", "ip sport 0x400 0xfc00" }, action = redirect },
        "protocol ip prio 6 u32 match ip src 10.0.0.0/8 match ip dst 10.0.0.1 match ip protocol 6 0xff " ..
        "match ip dport 80 0xffff match ip sport 0x400 0xfc00 " .. to_v1 },
    { { "u32", protocol = "ip", pref = 5, match = { "u32 0x0a000001 0xffffffff at 12", "u16 5 0xff at 2",
        "u8 3 7 at nexthdr+1", "u16 7 7 at nexthdr+4" }, classid = "1:a" },
        "protocol ip pref 5 u32 match u32 0x0a000001 0xffffffff at 12 match u16 5 0xff at 2 " ..
        "match u8 3 7 at nexthdr+1 match u16 7 7 at nexthdr+4 classid 1:a" },
    { { "u32", protocol = "ip", pref = 5, handle = "800::5", match = "ip tos 0x10 0xfc",
        action = { "mirred", mirror = true, direction = "ingress", dev = "lo" } },
        "protocol ip pref 5 handle 800::5 u32 match ip tos 0x10 0xfc action mirred ingress mirror dev lo" },
    { { "u32", protocol = "ipv6", pref = 5, match = { "ip6 dst fe80::1", "ip6 src fd00::/40", "ip6 dport 53 0xffff" },
        skip_hw = true, indev = "v0", flowid = "1:3", action = {
            { "mirred", egress = true, mirror = true, dev = "v1" },
            { "mirred", ingress = true, mirred_action = "mirror", dev = "lo", control_action = "continue" },
            { kind = "mirred", direction = "egress", mirred_action = "redirect", to_dev = "v0" } } },
        "protocol ipv6 pref 5 u32 match ip6 dst fe80::1 match ip6 src fd00::/40 match ip6 dport 53 0xffff skip_hw " ..
        "indev v0 flowid 1:3 action mirred egress mirror dev v1 action mirred ingress mirror dev lo " ..
        "continue action mirred egress redirect dev v0" },
    { { "u32", protocol = "arp", match = "00000000/00000000 at 0", action = redirect },
        "protocol arp u32 match u32 0 0 " .. to_v1 },
    { { "u32", match = { "ip icmp_type 8 0xff", "ip icmp_code 0 0xff", "ip ihl 5 0xf" }, flowid = "1:2" },
        "u32 match ip icmp_type 8 0xff match ip icmp_code 0 0xff match ip ihl 5 0xf flowid 1:2" },
})

TestVerbs = { setUp = classifiers.start }

-- The arguments of one, without what is false in `more`.
local function filter(more)
    local args = with({ "u32", dev = "v0", ingress = true, protocol = "ip", pref = 5, match = "ip src 10.0.0.1",
        action = redirect }, more)
    for key, value in pairs(args) do args[key] = value or nil end
    return args
end

function TestVerbs.test_lists_are_of_all_places_or_of_one()
    by_nsh.filter:add(filter{})
    by_nsh.filter:add(filter{ ingress = false, egress = true, pref = 7 })
    by_nsh.qdisc:add{ "htb", dev = "v0", root = true, handle = "1:" }
    by_nsh.class:add{ "htb", dev = "v0", parent = "1:", classid = "1:1", rate = "1mbit" }
    by_nsh.filter:add(filter{ ingress = false, parent = "1:1", flowid = "1:1" })
    local function places(args)
        local found = {}
        for _, one in ipairs(by_nsh.filter:list(args)) do
            found[#found + 1] = one.ingress and "ingress" or one.egress and "egress" or one.parent
        end
        return table.concat(found, " ")
    end
    lu.assertEquals(places(), "ingress egress 1:1")
    lu.assertEquals(places "v0", "ingress egress 1:1")
    lu.assertEquals(places{ "v0", parent = "1:" }, "")
    lu.assertEquals(places{ "v0", parent = "1:1" }, "1:1")
    lu.assertEquals(places{ egress = true }, "egress")
    lu.assertEquals(places{ pref = 5, kind = "u32" }, "ingress 1:1")
    lu.assertEquals(places{ protocol = "ipv6" }, "")
    lu.assertEquals(places "lo", "")
    local command = traced(function() lu.assertEquals(by_nsh.filter:flush{ "v0", egress = true }, 1) end)
    lu.assertEquals(command, "tc -n by-nsh filter del dev v0 egress")
    lu.assertEquals(by_nsh.filter:flush "v0", 2)
    lu.assertEquals(by_nsh.filter:list(), {})
end

function TestVerbs.test_change_replace_get_and_del()
    by_nsh.filter:add(filter{})
    local record = by_nsh.filter:list("v0")[1]
    lu.assertEquals(by_nsh.filter:get{ "u32", dev = "v0", ingress = true, protocol = "ip", pref = 5,
        handle = "800::800" }, record)
    by_nsh.filter:replace(filter{ handle = "800::800", action = { "mirred", mirror = true, dev = "v1" } })
    lu.assertEquals(by_nsh.filter:list("v0")[1].options.actions[1].mirred_action, "mirror")
    by_nsh.filter:replace(filter{ handle = "800::801" })
    lu.assertEquals(#by_nsh.filter:list "v0", 2)
    lu.assertEquals(traced(function() by_nsh.filter:del(record) end),
        "tc -n by-nsh filter del dev v0 ingress protocol ip pref 5 chain 0 handle 800::800 u32")
    lu.assertEquals(#by_nsh.filter:list "v0", 1)
    by_nsh.filter:del{ dev = "v0", ingress = true, protocol = "ip", prio = 5, kind = "u32" }
    lu.assertEquals(by_nsh.filter:list "v0", {})
end

function TestVerbs.test_what_tc_has_made_is_listed_without_its_tables()
    tc(by_nsh, "filter add dev v0 ingress protocol ip pref 9 handle 2: u32 divisor 16")
    tc(by_nsh, "filter add dev v0 ingress protocol ip pref 9 handle 2:3:4 u32 ht 2:3: match ip src 1.2.3.4 flowid 1:2")
    local records = by_nsh.filter:list "v0"
    lu.assertEquals(#records, 1)
    lu.assertEquals({ records[1].handle, records[1].options.flowid }, { "2:3:4", "1:2" })
end

-- What one end of a cable sends comes out of another one, if a filter there says so.
function TestVerbs.test_packets_are_redirected()
    local ns, far = by_nsh, by_record
    ns.link:add{ "a0", type = "veth", up = true, peer = { "b0", netns = far } }
    ns.link:add{ "a1", type = "veth", up = true, address = "02:00:00:00:00:01", peer = { "b1", netns = far } }
    for _, name in ipairs{ "b0", "b1" } do far.link:set{ name, up = true } end
    far.addr:add{ "10.7.0.2/24", dev = "b0" }
    far.neigh:add{ "10.7.0.1", dev = "b0", lladdr = "02:00:00:00:00:01" }
    ns.qdisc:add{ "clsact", dev = "a0" }
    local capture <close> = far:capture{ "b1", filter = "icmp" }
    lu.assertFalse(far:ping("10.7.0.1", { count = 1, timeout = 0.2 }).ok)
    lu.assertEquals(#capture:list(), 0)
    ns.filter:add{ "u32", dev = "a0", ingress = true, protocol = "ip", match = "ip dst 10.7.0.1",
        action = { "mirred", redirect = true, dev = "a1" } }
    lu.assertFalse(far:ping("10.7.0.1", { count = 1, timeout = 0.2 }).ok)
    lu.assertEquals(#capture:list(), 1)
    lu.assertStrContains(tostring(capture:list()[1]), "10.7.0.2 > 10.7.0.1: ICMP echo request")
    for _, name in ipairs{ "a0", "a1" } do ns.link:del(name) end
end

-- --- what is refused -----------------------------------------------------------------------------

local EXPECTED = 'a match such as "ip dst 10.0.0.0/8" or "u16 80 0xffff at 22" expected'

local bad = {
    { { match = false }, "match: missing" },
    { { match = 5 }, "match: 5 given, " .. EXPECTED },
    { { match = "" }, 'match: "" given, ' .. EXPECTED },
    { { match = "ip src" }, 'match: "ip src" given, ' .. EXPECTED },
    { { match = "ip src 10.0.0.0/33" }, 'match: "ip src 10.0.0.0/33" given, ' .. EXPECTED },
    { { match = "ip src fe80::1" }, 'match: "ip src fe80::1" given, ' .. EXPECTED },
    { { match = "ip dport 65536 0xffff" }, 'match: "ip dport 65536 0xffff" given, ' .. EXPECTED },
    { { match = "u16 1 1 at 3" }, 'match: "u16 1 1 at 3" given, ' .. EXPECTED },
    { { match = "u32 1 1 at x" }, 'match: "u32 1 1 at x" given, ' .. EXPECTED },
    { { match = "u32 1 1 at 4 5" }, 'match: "u32 1 1 at 4 5" given, ' .. EXPECTED },
    { { match = { "ip src 10.0.0.1", "ip src 10.0.0.2" } }, "match: it contradicts another match" },
    { { match = { "ip src 10.0.0.1", {} } }, "match: a table given, a plain value expected" },
    { { action = "dropp" }, 'action kind: "dropp" given, one of gact, mirred, police, or drop, pass, … expected' },
    { { action = {} }, "action kind: missing" },
    { { action = { redirect, "fly" } },
        'action kind: "fly" given, one of gact, mirred, police, or drop, pass, … expected' },
    { { action = { "mirred", redirect } }, "action redirect: missing" },
    { { action = 5 }, 'action kind: 5 given, an action such as "drop" or "mirred" expected' },
    { { action = { { "mirred", redirect = true, dev = "v1" }, { "mirred", mirror = true } } }, "action dev: missing" },
    { { action = { "mirred", dev = "v1" } }, "action redirect: missing" },
    { { action = { "mirred", redirect = true, dev = "v9" } }, 'action dev: there is no interface "v9"', "ENODEV" },
    { { action = { "mirred", redirect = true, dev = "v1", control_action = "pass" } },
        "action control_action: what is redirected is gone: nothing else can happen to it" },
    { { action = { "mirred", redirect = true, dev = "v1", rate = 1 } },
        'action: unknown key "rate": it belongs to kind = "police"' },
    { { action = { "police", burst = 1 } }, "action rate: missing" },
    { { action = { "police", rate = "1mbit" } }, "action burst: missing" },
    { { action = { "police", rate = "1mbit", burst = "10k", peakrate = "2mbit" } }, "action mtu: missing" },
    { { action = { "police", pkts_rate = 5 } }, "action pkts_burst: missing" },
    { { action = { "police", rate = "1mbit", burst = "10k", ["conform-exceed"] = "drop/fly" } },
        'action conform-exceed: two words such as "drop/pass" expected' },
    { { action = { "gact", control_action = "fly" } }, 'action control_action: "fly" given, one of continue, pass, ' ..
        'reclassify, drop, pipe, stolen, trap, ok, shot expected' },
    { { prio = 6 }, "prio: given twice: pref is the same" },
    { { pref = 65536 }, "pref: 65536 is out of range: 0 to 65535", "ERANGE" },
    { { egress = true }, "parent: it is either ingress or egress or has a parent" },
    { { protocol = "ipx" }, 'protocol: "ipx" given, one of all, ip, ipv6, arp, 802.1Q, 802.1ad, mpls_uc, mpls_mc, ' ..
        'ipv4 expected' },
    { { handle = "800:x" }, 'handle: "800:x" given, a number, or of u32 such as "800::5" expected' },
    { { flowid = "x" }, 'flowid: "x" given, a handle such as "1:" or "1:2" expected' },
    { { mach = 1 }, 'unknown key "mach"; did you mean match' },
    { { "matchall", match = false, action = false, skip = true }, 'unknown key "skip"; did you mean skip_hw, skip_sw' },
    { { "flower", match = false, dst_port = 80 }, "dst_port: it needs ip_proto: tcp, udp or sctp" },
    { { "flower", match = false, ip_proto = "udp", type = 8 }, "type: it needs ip_proto: icmp or icmpv6" },
    { { "flower", match = false, dst_ip = "10.0.0.0/33" },
        'dst_ip: "10.0.0.0/33" given, an address such as "10.0.0.0/8" expected' },
    { { "flower", match = false, dst_mac = "02:00" },
        'dst_mac: "02:00" given, a MAC address such as "02:00:00:00:00:01", or "…/24" expected' },
    { { "flower", match = false, vlan_id = 4096 }, "vlan_id: 4096 is out of range: 0 to 4095", "ERANGE" },
    { { "flower", match = false, ip_tos = "1/2/3" }, 'ip_tos: "1/2/3" given, an integer, or two expected' },
}

TestErrors = { setUp = classifiers.start }

function TestErrors.test_bad_arguments()
    for _, case in ipairs(bad) do
        local args, code = filter(case[1]), case[3] or "EINVAL"
        support.refused(code, ("cannot add filter %s on v0 in by-nsh: %s (%s)"):format(args[1], case[2], code),
            by_nsh.filter.add, by_nsh.filter, args)
    end
    lu.assertEquals(by_nsh.filter:list(), {})
end

function TestErrors.test_what_is_missing()
    local function refused(verb, args, text)
        support.refused("EINVAL", text .. " (EINVAL)", by_nsh.filter[verb], by_nsh.filter, args)
    end
    refused("add", { dev = "v0" }, "cannot add filter v0 in by-nsh: kind: missing")
    refused("add", { "u32", ingress = true }, "cannot add filter u32 in by-nsh: dev: missing")
    refused("del", { dev = "v0", ingress = true }, "cannot del filter v0 in by-nsh: pref: missing")
    refused("flush", {}, "cannot flush filter in by-nsh: say which: flush requires arguments")
    refused("list", { "v0", action = "drop" }, "cannot list filter v0 in by-nsh: unknown key \"action\": " ..
        'it belongs to kind = "matchall"')
end

function TestErrors.test_a_filter_needs_a_qdisc()
    qdiscs.clear()
    local err = support.raised(by_nsh.filter.add, by_nsh.filter, filter{})
    lu.assertEquals(err.code, "EINVAL")
    lu.assertStrContains(err.hint, 'ns.qdisc:add{ "clsact", dev = … }')
end

-- What this kernel lacks is said, and how to get it.
function TestErrors.test_kinds_that_are_not_there()
    local err = support.raised(by_nsh.filter.add, by_nsh.filter, { "nonsense", dev = "v0", ingress = true })
    lu.assertEquals({ err.code, err.message }, { "ENOENT", "TC classifier not found" })
    lu.assertStrContains(err.hint, "modprobe cls_nonsense")
end

os.exit(classifiers.run())
