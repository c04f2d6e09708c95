-- Bonds, by the words of ip-link(8).
local kinds = dofile((arg[0]:gsub("[^/]*$", "kinds.lua")))

kinds.test{
    kind = "bond",
    cases = {
        { { address = "02:00:00:00:00:05" }, "address 02:00:00:00:00:05 type bond" },
        { { mode = "802.3ad", miimon = 100, updelay = 200, downdelay = 300, peer_notify_delay = 100, use_carrier = 1,
            xmit_hash_policy = "layer2+3", min_links = 1, lacp_rate = "fast", ad_select = "bandwidth",
            ad_user_port_key = 5, ad_actor_sys_prio = 7, ad_actor_system = "02:00:00:00:00:01", lacp_active = "off",
            address = "02:00:00:00:00:05" },
            "address 02:00:00:00:00:05 type bond mode 802.3ad miimon 100 updelay 200 downdelay 300 " ..
            "peer_notify_delay 100 use_carrier 1 xmit_hash_policy layer2+3 min_links 1 lacp_rate fast " ..
            "ad_select bandwidth ad_user_port_key 5 ad_actor_sys_prio 7 ad_actor_system 02:00:00:00:00:01 " ..
            "lacp_active off" },
        { { mode = "active-backup", arp_interval = 100, arp_validate = "active", arp_all_targets = "all",
            primary_reselect = "better", fail_over_mac = "active", num_grat_arp = 3, all_slaves_active = 1,
            arp_missed_max = 4, address = "02:00:00:00:00:05" },
            "address 02:00:00:00:00:05 type bond mode active-backup arp_interval 100 arp_validate active " ..
            "arp_all_targets all primary_reselect better fail_over_mac active num_grat_arp 3 all_slaves_active 1 " ..
            "arp_missed_max 4" },
        { { mode = "active-backup", arp_interval = 100, arp_ip_target = { "10.0.0.2", "10.0.0.3" },
            ns_ip6_target = { "fd00::2" }, address = "02:00:00:00:00:05" },
            "address 02:00:00:00:00:05 type bond mode active-backup arp_interval 100 " ..
            "arp_ip_target 10.0.0.2,10.0.0.3 ns_ip6_target fd00::2" },
        { { mode = "active-backup", arp_ip_target = "10.0.0.2", ns_ip6_target = { "fd00::2", "fd00::3" },
            address = "02:00:00:00:00:05" }, "address 02:00:00:00:00:05 type bond mode active-backup " ..
            "arp_ip_target 10.0.0.2 ns_ip6_target fd00::2,fd00::3" },
        { { mode = "balance-rr", packets_per_slave = 2, resend_igmp = 3, lp_interval = 5,
            address = "02:00:00:00:00:05" },
            "address 02:00:00:00:00:05 type bond mode balance-rr packets_per_slave 2 resend_igmp 3 lp_interval 5" },
        { { mode = "balance-tlb", tlb_dynamic_lb = 0, use_carrier = 0, address = "02:00:00:00:00:05" },
            "address 02:00:00:00:00:05 type bond mode balance-tlb tlb_dynamic_lb 0 use_carrier 0" },
    },
    changes = {
        { { miimon = 200, updelay = 400 }, "miimon 200 updelay 400" },
        { { mode = 4, lacp_rate = "fast" }, "mode 802.3ad lacp_rate fast" },
    },
    wrong = {
        { { mode = "fast" }, "EINVAL", 'mode: "fast" given, one of balance-rr, active-backup, balance-xor, ' ..
            'broadcast, 802.3ad, balance-tlb, balance-alb expected' },
        { { miimon = -1 }, "ERANGE", "miimon: -1 is out of range: 0 to 4294967295" },
        { { primary = "eth9" }, "ENODEV", 'primary: there is no interface "eth9"' },
        { { arp_ip_target = { "10.0.0.2", "fd00::2" } }, "EINVAL", 'arp_ip_target: "fd00::2" is not an IPv4 address' },
        { { ns_ip6_target = "10.0.0.2" }, "EINVAL", 'ns_ip6_target: "10.0.0.2" is not an IPv6 address' },
        { { ad_actor_system = "x" }, "EINVAL",
            'ad_actor_system: "x" is not a MAC address such as 02:00:00:00:00:01' },
    },
}

os.exit(kinds.run())
