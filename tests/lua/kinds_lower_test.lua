-- Links that stand on another one, and those without attributes: macvlan, macvtap, ipvlan, ipvtap, vlan,
-- vrf, dummy, ifb.
local kinds = dofile((arg[0]:gsub("[^/]*$", "kinds.lua")))

-- What the kernel makes of the length, and what no two links of a kind differ in.
local queue = { usedbcqueuelen = true }

local function macvlan(kind)
    local on = "link eth0 type " .. kind
    kinds.test{
        kind = kind,
        ether = true,
        constant = kind == "macvtap" and { nopromisc = true, usedbcqueuelen = true } or queue,
        cases = {
            { { link = "eth0" }, on },
            { { link = "eth0", mode = "private" }, on .. " mode private" },
            { { link = "eth0", mode = "VEPA", mtu = 1400 }, "link eth0 mtu 1400 type " .. kind .. " mode vepa" },
            { { link = "eth0", mode = "bridge", bcqueuelen = 55 }, on .. " mode bridge bcqueuelen 55" },
            { { link = "eth0", mode = "source", linkmode = "dormant" }, "link eth0 mode dormant type " .. kind ..
                " mode source" },
            { { link = "eth0", mode = "source", macaddr_data = { "02:00:00:00:00:31", "02:00:00:00:00:32" } },
                on .. " mode source macaddr set 02:00:00:00:00:31 02:00:00:00:00:32" },
            { { link = "eth0", mode = "source", macaddr_data = {} }, on .. " mode source" },
            { { link = "eth0", [kind] = { mode = 4 } }, on .. " mode bridge" },
            { { link = "eth0", mode = "passthru" }, on .. " mode passthru" },
            { { link = "eth0", mode = "passthru", nopromisc = true }, on .. " mode passthru nopromisc" },
        },
        changes = {
            { { mode = "bridge" }, "mode bridge" },
            { { mode = "private", bcqueuelen = 7 }, "mode private bcqueuelen 7" },
            { { mode = "source", macaddr_data = "02:00:00:00:00:33" }, "mode source macaddr set 02:00:00:00:00:33" },
            { { macaddr_data = { "02:00:00:00:00:34" } }, "macaddr set 02:00:00:00:00:34" },
        },
        wrong = {
            { { link = "eth0", mode = "none" }, "EINVAL",
                'mode: "none" given, one of private, vepa, bridge, passthru, source expected' },
            { { link = "eth9" }, "ENODEV", 'link: there is no interface "eth9"' },
            { { link = "eth0", bcqueuelen = -1 }, "ERANGE", "bcqueuelen: -1 is out of range: 0 to 4294967295" },
            { { link = "eth0", nopromisc = 7 }, "EINVAL", "nopromisc: 7 given, true or false expected" },
            { { link = "eth0", mode = "source", macaddr_data = { "02:00:00:00:00:31", "x" } }, "EINVAL",
                'macaddr_data: "x" is not a MAC address such as 02:00:00:00:00:01' },
            { { link = "eth0", mode = "source", macaddr_data = { {} } }, "EINVAL",
                "macaddr_data: a list of plain values expected" },
            { { link = "eth0", mode = "source", macaddr_data = 7 }, "EINVAL",
                'macaddr_data: 7 given, a MAC address such as "02:00:00:00:00:01" expected' },
            { { link = "eth0", id = 7 }, "EINVAL", 'unknown key "id": it belongs to type = "bridge_slave"' },
        },
    }
end

macvlan "macvlan"
macvlan "macvtap"

local function bare(kind)
    kinds.test{
        kind = kind,
        ether = true,
        cases = {
            { {}, "type " .. kind },
            { { mtu = 1400, txqueuelen = 7, numtxqueues = 2 }, "mtu 1400 txqueuelen 7 numtxqueues 2 type " .. kind },
        },
        wrong = {
            { { mtu = -1 }, "ERANGE", "mtu: -1 is out of range: 0 to 4294967295" },
        },
    }
end

bare "dummy"
bare "ifb"

kinds.test{
    kind = "vlan",
    cases = {
        { { link = "eth0", id = 5 }, "link eth0 type vlan id 5" },
        { { link = "eth0", id = 4094, protocol = "802.1ad" }, "link eth0 type vlan id 4094 protocol 802.1ad" },
        { { link = "eth0", id = 5, reorder_hdr = false }, "link eth0 type vlan id 5 reorder_hdr off" },
        { { link = "eth0", id = 5, gvrp = true, mvrp = true, loose_binding = true, address = "02:00:00:00:00:05" },
            "link eth0 address 02:00:00:00:00:05 type vlan id 5 gvrp on mvrp on loose_binding on" },
        { { link = "eth0", vlan = { id = 5, flags = { "GVRP" } } },
            "link eth0 type vlan id 5 reorder_hdr off gvrp on" },
        { { link = "eth0", vlan = { id = 5, flags = {} } }, "link eth0 type vlan id 5 reorder_hdr off" },
    },
    changes = {
        { { gvrp = true }, "gvrp on" },
        { { gvrp = false, loose_binding = true }, "gvrp off loose_binding on" },
        { { reorder_hdr = false }, "reorder_hdr off" },
    },
    wrong = {
        { { link = "eth0" }, "EINVAL", "id: missing" },
        { { link = "eth0", id = 4096 }, "ERANGE", "id: 4096 is out of range: 0 to 4095" },
        { { link = "eth0", id = 5, protocol = "802.1x" }, "EINVAL",
            'protocol: "802.1x" given, one of 802.1Q, 802.1ad expected' },
        { { link = "eth0", id = 5, gvrp = "x" }, "EINVAL", 'gvrp: "x" given, true or false expected' },
    },
}

kinds.test{
    kind = "vrf",
    ether = true,
    cases = {
        { { table = 10 }, "type vrf table 10" },
        { { table = 4294967295 }, "type vrf table 4294967295" },
    },
    wrong = {
        { {}, "EINVAL", "table: missing" },
        { { table = 0 }, "ERANGE", "table: 0 is out of range: 1 to 4294967295" },
    },
}

local function ipvlan(kind)
    local on = "link eth0 type " .. kind
    kinds.test{
        kind = kind,
        cases = {
            { { link = "eth0" }, on },
            { { link = "eth0", mode = "l2", private = true }, on .. " mode l2 private" },
            { { link = "eth0", mode = "l3s", vepa = true }, on .. " mode l3s vepa" },
            { { link = "eth0", mode = "l3", bridge = true }, on .. " mode l3 bridge" },
        },
        changes = {
            { { mode = "l2", private = true }, "mode l2 private" },
        },
        wrong = {
            { { link = "eth0", mode = "l4" }, "EINVAL", 'mode: "l4" given, one of l2, l3, l3s expected' },
            { { link = "eth0", private = 2 }, "EINVAL", "private: 2 given, true or false expected" },
        },
    }
end

ipvlan "ipvlan"
ipvlan "ipvtap"

os.exit(kinds.run())
