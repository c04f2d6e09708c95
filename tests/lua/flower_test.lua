-- Filters of kinds matchall and flower, and the actions gact and police, against tc.
local classifiers = dofile((arg[0]:gsub("[^/]*$", "classifiers.lua")))
local lu = require "luaunit"

local qdiscs = classifiers.qdiscs

-- --- matchall, and every action ------------------------------------------------------------------

local function does(action, words, more)
    return { qdiscs.with({ "matchall", protocol = "ip", pref = 7, action = action }, more or {}),
        "protocol ip pref 7 matchall " .. words }
end

classifiers.test("matchall", "matchall action drop", {
    { { "matchall", action = "drop" }, "matchall action drop" },
    { { "matchall", protocol = "all", pref = 9, chain = 3, handle = 5, skip_hw = true, classid = "1:2",
        action = { kind = "gact", control_action = "pipe" } },
        "protocol all pref 9 chain 3 handle 5 matchall skip_hw classid 1:2 action gact pipe" },
    does("ok", "action ok"),
    does("continue", "action continue"),
    does({ "continue", "drop" }, "action continue action drop"),
    does("reclassify", "action reclassify"),
    does({ { "pipe" }, { "mirred", mirror = true, dev = "v1" }, { "pass" } },
        "action pipe action mirred egress mirror dev v1 action pass"),
    does({ "mirred", redirect = true, ingress = true, dev = "lo" }, "action mirred ingress redirect dev lo"),
    does({ "police", rate = "1mbit", burst = "10k" }, "action police rate 1mbit burst 10k"),
    does({ "police", rate = 125000, burst = 20480, mtu = "4k", ["conform-exceed"] = "drop/pipe" },
        "action police rate 1mbit burst 20k mtu 4k conform-exceed drop/pipe"),
    does({ { "police", rate = "3mbit", burst = "10k", peakrate = "4mbit", mtu = 2000, mpu = 64, overhead = 4,
        linklayer = "ethernet", ["conform-exceed"] = "drop" }, { "ok" } },
        "action police rate 3mbit burst 10k peakrate 4mbit mtu 2000 mpu 64 overhead 4 linklayer ethernet " ..
        "conform-exceed drop action ok"),
    does({ "police", rate = "100gbit", burst = "1mb", mtu = "9k", linklayer = "atm",
        ["conform-exceed"] = "continue/reclassify" }, "action police rate 100gbit burst 1mb mtu 9k linklayer atm " ..
        "conform-exceed continue/reclassify"),
    does({ "police", pkts_rate = 100, pkts_burst = 10, ["conform-exceed"] = "drop/pass" },
        "action police pkts_rate 100 pkts_burst 10 conform-exceed drop/pass"),
})

-- --- flower --------------------------------------------------------------------------------------

local function flower(protocol, keys, words)
    return { qdiscs.with({ "flower", protocol = protocol, pref = 7, action = "drop" }, keys),
        ("protocol %s pref 7 flower %s action drop"):format(protocol, words) }
end

local class = classifiers.test("flower", "flower action drop", {
    flower("ip", {}, ""),
    flower("ip", { dst_ip = "10.0.0.0/24", src_ip = "10.1.1.1", ip_proto = "tcp", dst_port = 80,
        src_port = "1000-2000" },
        "dst_ip 10.0.0.0/24 src_ip 10.1.1.1 ip_proto tcp dst_port 80 src_port 1000-2000"),
    flower("ip", { dst_ip = "10.0.0.0/31", src_ip = "10.0.0.0/8", ip_proto = "udp", dst_port = "5-7",
        src_port = 9 },
        "dst_ip 10.0.0.0/31 src_ip 10.0.0.0/8 ip_proto udp dst_port 5-7 src_port 9"),
    flower("ipv6", { dst_ip = "fe80::/64", src_ip = "fd00::1", ip_proto = "icmpv6", type = 128, code = 0 },
        "dst_ip fe80::/64 src_ip fd00::1 ip_proto icmpv6 type 128 code 0"),
    flower("ipv6", { dst_ip = "fd00::7", src_ip = "fd00::/8", ip_proto = "sctp", dst_port = 5, src_port = "6/0xff" },
        "dst_ip fd00::7 src_ip fd00::/8 ip_proto sctp dst_port 5 src_port 6/0xff"),
    flower("ip", { ip_proto = "icmp", icmp_type = "8/7", icmp_code = 1, ip_tos = "0x10/0xfc", ip_ttl = 64 },
        "ip_proto icmp type 8/7 code 1 ip_tos 0x10/0xfc ip_ttl 64"),
    flower("ip", { ip_proto = "icmp", type = 3, code = "2/3", ip_tos = 4, ip_ttl = "32/0xe0" },
        "ip_proto icmp type 3 code 2/3 ip_tos 4 ip_ttl 32/0xe0"),
    flower("ip", { ip_proto = "tcp", tcp_flags = "0x2/0x12", dst_port = "80/0xfff0", classid = "1:1", skip_hw = true },
        "ip_proto tcp tcp_flags 0x2/0x12 dst_port 80/0xfff0 classid 1:1 skip_hw"),
    flower("ip", { ip_proto = "tcp", tcp_flags = 16, indev = "v0", classid = "1:2" },
        "ip_proto tcp tcp_flags 0x10 indev v0 classid 1:2"),
    flower("ip", { ip_proto = 99, indev = "v1" }, "ip_proto 63 indev v1"),
    flower("arp", { arp_tip = "10.0.0.1", arp_sip = "10.0.0.0/24", arp_op = "request", arp_sha = "02:00:00:00:00:01",
        arp_tha = "02:00:00:00:00:02/ff:ff:ff:00:00:00" }, "arp_tip 10.0.0.1 arp_sip 10.0.0.0/24 arp_op request " ..
        "arp_sha 02:00:00:00:00:01 arp_tha 02:00:00:00:00:02/ff:ff:ff:00:00:00"),
    flower("arp", { arp_tip = "10.0.0.0/8", arp_sip = "10.0.0.7", arp_op = "reply", arp_sha = "02:00:00:00:00:00/24",
        arp_tha = "02:00:00:00:00:03" }, "arp_tip 10.0.0.0/8 arp_sip 10.0.0.7 arp_op reply " ..
        "arp_sha 02:00:00:00:00:00/24 arp_tha 02:00:00:00:00:03"),
    flower("802.1Q", { vlan_id = 10, vlan_prio = 3, vlan_ethtype = "ip", dst_ip = "1.2.3.4" },
        "vlan_id 10 vlan_prio 3 vlan_ethtype ipv4 dst_ip 1.2.3.4"),
    flower("802.1ad", { vlan_id = 11, vlan_prio = 4, vlan_ethtype = "802.1Q", cvlan_id = 5, cvlan_prio = 1,
        cvlan_ethtype = "ipv4" },
        "vlan_id 11 vlan_prio 4 vlan_ethtype 802.1q cvlan_id 5 cvlan_prio 1 cvlan_ethtype ipv4"),
    flower("802.1ad", { vlan_ethtype = "802.1Q", cvlan_id = 6, cvlan_prio = 2, cvlan_ethtype = "ipv6",
        dst_ip = "fd00::/9" }, "vlan_ethtype 802.1q cvlan_id 6 cvlan_prio 2 cvlan_ethtype ipv6 dst_ip fd00::/9"),
    flower("all", { dst_mac = "02:00:00:00:00:01", src_mac = "02:00:00:00:00:02/24" },
        "dst_mac 02:00:00:00:00:01 src_mac 02:00:00:00:00:02/24"),
    flower("all", { dst_mac = "02:00:00:00:00:00/ff:ff:00:00:00:ff", src_mac = "02:00:00:00:00:03" },
        "dst_mac 02:00:00:00:00:00/ff:ff:00:00:00:ff src_mac 02:00:00:00:00:03"),
    flower("ip", { enc_dst_ip = "1.1.1.1", enc_src_ip = "2.2.2.0/24", enc_key_id = 7, enc_dst_port = 4789, enc_tos = 1,
        enc_ttl = "3/0xf" }, "enc_dst_ip 1.1.1.1 enc_src_ip 2.2.2.0/24 enc_key_id 7 enc_dst_port 4789 enc_tos 1 " ..
        "enc_ttl 3/0xf"),
    flower("ip", { enc_dst_ip = "fd00::1", enc_src_ip = "fd00::2", enc_key_id = 8, enc_dst_port = 6081,
        enc_tos = "2/3", enc_ttl = 5 },
        "enc_dst_ip fd00::1 enc_src_ip fd00::2 enc_key_id 8 enc_dst_port 6081 enc_tos 2/3 enc_ttl 5"),
    flower("ip", { ct_zone = 3, ct_mark = "4/0xff" }, "ct_zone 3 ct_mark 4/0xff"),
    flower("ip", { ct_zone = "4/0xf", ct_mark = 5 }, "ct_zone 4/0xf ct_mark 5"),
})

function class.test_zz_every_key_was_varied()
    lu.assertEquals(classifiers.unvaried "flower.keys", {})
end

-- --- what packets make of it ---------------------------------------------------------------------

TestPackets = { setUp = classifiers.start }

function TestPackets.tearDown()
    pcall(qdiscs.by_nsh.link.del, qdiscs.by_nsh.link, "a0") -- a skipped test has made none
end

local function cable(ns)
    ns.link:add{ "a0", type = "veth", up = true, address = "02:00:00:00:00:01",
        peer = { "b0", netns = qdiscs.by_record, address = "02:00:00:00:00:02" } }
    local far = qdiscs.by_record
    far.link:set{ "b0", up = true }
    far.addr:add{ "10.7.0.2/24", dev = "b0" }
    ns.addr:add{ "10.7.0.1/24", dev = "a0" }
    ns.qdisc:add{ "clsact", dev = "a0" }
    return far
end

local function lost(far, count, options)
    local result = far:ping("10.7.0.1", qdiscs.with({ count = count, interval = 0.005, timeout = 3 }, options or {}))
    return result.loss
end

-- Ten large packets at once are more than the burst, and most of them too much.
function TestPackets.test_police_lets_a_burst_pass()
    lu.skipIf(not classifiers.has "matchall action police rate 1mbit burst 10k", "this kernel has no police")
    local ns = qdiscs.by_nsh
    local far = cable(ns)
    lu.assertEquals(lost(far, 10, { size = 1400 }), 0)
    ns.filter:add{ "matchall", dev = "a0", ingress = true, protocol = "ip", pref = 1,
        action = { "police", rate = "8kbit", burst = 4500, ["conform-exceed"] = "drop/pass" } }
    local loss = lost(far, 10, { size = 1400 })
    lu.assertTrue(loss >= 40 and loss < 100, loss)
    ns.filter:flush "a0"
    lu.assertEquals(lost(far, 10, { size = 1400 }), 0)
end

function TestPackets.test_flower_drops_what_it_is_for()
    lu.skipIf(not classifiers.has "flower action drop", "this kernel has no flower")
    local ns = qdiscs.by_nsh
    local far = cable(ns)
    ns.filter:add{ "flower", dev = "a0", ingress = true, protocol = "ip", pref = 1, ip_proto = "icmp", type = 8,
        src_ip = "10.7.0.2", action = "drop" }
    lu.assertEquals(lost(far, 2), 100)
    ns.filter:set{ "flower", dev = "a0", ingress = true, protocol = "ip", pref = 1, handle = 1, ip_proto = "icmp",
        type = 8, src_ip = "10.7.0.3", action = "drop" }
    lu.assertEquals(lost(far, 2), 0)
end

os.exit(classifiers.run())
