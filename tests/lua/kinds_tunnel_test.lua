-- Tunnels of IP, by the words of ip-link(8): gre, gretap, erspan, ipip, sit, vti, and those over IPv6. Each
-- change shows as well that the rest of the tunnel stays: the kernel resets what it is not told.
local kinds = dofile((arg[0]:gsub("[^/]*$", "kinds.lua")))
local support = kinds.support
local lu = require "luaunit"
local nsh = require "nsh"

-- Of encapsulation in UDP the kernel knows nothing without its module, which whoever asks for its family of
-- generic netlink makes it load.
local function load_fou() os.execute "ip fou show >/dev/null 2>&1" end

local ENDS4 = { remote = "10.0.0.2", local_ = "10.0.0.1" }
local ENDS6 = { remote = "fd00::2", local_ = "fd00::1" }

local function with(fields, more)
    local copy = {}
    for _, one in ipairs{ fields, more } do for key, value in pairs(one) do copy[key] = value end end
    return copy
end

local function four(more) return with(ENDS4, more) end
local function six(more) return with(ENDS6, more) end

-- --- GRE -----------------------------------------------------------------------------------------

local encap_wrong = {
    { { encap = "udp" }, "EINVAL", 'encap: "udp" given, one of none, fou, gue expected' },
    { { encap = { type = "gue", sport = 65536 } }, "ERANGE",
        "encap sport: 65536 is out of range: 0 to 65535" },
    { { encap_dport = -1 }, "ERANGE", "encap-dport: -1 is out of range: 0 to 65535" },
    { { encap_csum = "maybe" }, "EINVAL", 'encap-csum: "maybe" given, true or false expected' },
    { { encap = { type = "gue", port = 7 } }, "EINVAL",
        'encap: unknown key "port"; did you mean sport, dport' },
}

local function gre(kind, ether)
    local on = "type " .. kind .. " "
    local wrong = {
        { { remote = "fd00::2" }, "EINVAL", 'remote: "fd00::2" is not an IPv4 address' },
        { { remote = 7 }, "EINVAL", 'remote: 7 given, an address such as "10.0.0.1" expected' },
        { { dev = "eth9" }, "ENODEV", 'dev: there is no interface "eth9"' },
        { { ttl = 256 }, "ERANGE", "ttl: 256 is out of range: 0 to 255" },
        { { ttl = "long" }, "EINVAL", 'ttl: "long" given, an integer or "inherit" expected' },
        { { tos = "100" }, "ERANGE", "tos: 256 is out of range: 0 to 255" },
        { { key = "1.2.3" }, "EINVAL",
            'key: "1.2.3" given, an integer or four of them such as "10.0.0.1" expected' },
        { { ikey = -1 }, "ERANGE", "ikey: -1 is out of range: 0 to 4294967295" },
        { { seq = 7 }, "EINVAL", "seq: 7 given, true or false expected" },
        { { pmtudisc = "x" }, "EINVAL", 'pmtudisc: "x" given, true or false expected' },
        { { external = "x" }, "EINVAL", 'external: "x" given, true or false expected' },
        { { fwmark = "red" }, "EINVAL", 'fwmark: "red" given, an integer expected' },
        { { remote = "239.1.1.1" }, "EINVAL", "local: missing" },
        { { hoplimit = 7 }, "EINVAL", 'unknown key "hoplimit": it belongs to type = "ip6gre"' },
        { { csum6 = true }, "EINVAL", "of what? Write it as in encap = { …, csum6 = … }" },
        { { encap = { type = "gue" }, encap_dport = 7 }, "EINVAL",
            "encap: given both as a table and beside it" },
    }
    for _, one in ipairs(encap_wrong) do wrong[#wrong + 1] = one end
    kinds.test{
        kind = kind,
        ether = ether,
        setup = load_fou,
        cases = {
            { four{}, on .. "remote 10.0.0.2 local 10.0.0.1" },
            { {}, on },
            { { remote = "10.0.0.2", local_ = "10.0.0.9" }, on .. "remote 10.0.0.2 local 10.0.0.9" },
            { four{ dev = "eth0", ttl = 5, tos = "inherit", key = 5, seq = true, csum = true, fwmark = 7 },
                on .. "remote 10.0.0.2 local 10.0.0.1 dev eth0 ttl 5 tos inherit key 5 seq csum fwmark 7" },
            { four{ ttl = "inherit", tos = "10", ikey = "1.2.3.4", okey = 77, iseq = true, ocsum = true },
                on .. "remote 10.0.0.2 local 10.0.0.1 ttl inherit tos 10 ikey 1.2.3.4 okey 77 iseq ocsum" },
            { four{ okey = 0, oseq = true, icsum = true }, on .. "remote 10.0.0.2 local 10.0.0.1 okey 0 oseq icsum" },
            { four{ pmtudisc = false, ignore_df = true },
                on .. "remote 10.0.0.2 local 10.0.0.1 nopmtudisc ignore-df" },
            { four{ ["ignore-df"] = false }, on .. "remote 10.0.0.2 local 10.0.0.1 noignore-df" },
            { { remote = "239.1.1.1", local_ = "10.0.0.1" }, on .. "remote 239.1.1.1 local 10.0.0.1" },
            { four{ encap = "gue", encap_sport = 5, ["encap-dport"] = 6, encap_csum = true, encap_remcsum = true },
                on .. "remote 10.0.0.2 local 10.0.0.1 encap gue encap-sport 5 encap-dport 6 encap-csum " ..
                "encap-remcsum" },
            { four{ encap = { type = "fou", sport = "auto", dport = 7, csum = false, csum6 = true } },
                on .. "remote 10.0.0.2 local 10.0.0.1 encap fou encap-sport auto encap-dport 7 noencap-csum " ..
                "encap-udp6-csum" },
            { four{ noencap = true }, on .. "remote 10.0.0.2 local 10.0.0.1 noencap" },
            { { external = true }, on .. "external" },
        },
        changes = {
            { { ttl = 9 }, "ttl 9" },
            { { key = 5, iseq = true }, "key 5 iseq" },
            { { tos = 4, ocsum = true }, "tos 0x4 ocsum" },
            { { remote = "10.0.0.3", dev = "eth0" }, "remote 10.0.0.3 dev eth0" },
            { { encap = "gue", encap_sport = 257, encap_dport = 514 },
                "encap gue encap-sport 257 encap-dport 514" },
            -- ip, which reads ports in the wrong order of their bytes, wants the second again
            { { encap_csum = true }, "encap-csum encap-dport 514" },
            { { encap_dport = 0, encap_remcsum = true }, "encap-dport 0 encap-remcsum" },
            { { fwmark = 1 }, "fwmark 1" },
        },
        wrong = wrong,
    }
end

gre("gre", false)
gre("gretap", true)

local wrong6 = {
    { { remote = "10.0.0.2" }, "EINVAL", 'remote: "10.0.0.2" is not an IPv6 address' },
    { { hoplimit = 256 }, "ERANGE", "hoplimit: 256 is out of range: 0 to 255" },
    { { encaplimit = "some" }, "EINVAL", 'encaplimit: "some" given, an integer expected' },
    { { tclass = "100" }, "ERANGE", "tclass: 256 is out of range: 0 to 255" },
    { { tclass = "x" }, "EINVAL", 'tclass: "x" given, an integer expected' },
    { { flowlabel = 1 << 20 }, "ERANGE", "flowlabel: 1048576 is out of range: 0 to 1048575" },
    { { dscp = "copy" }, "EINVAL", 'dscp: "copy" given, "inherit" expected' },
    { { fwmark = -1 }, "ERANGE", "fwmark: -1 is out of range: 0 to 4294967295" },
}

-- What tunnels over IPv6 share.
local function cases6(on, more)
    local ends = on .. "remote fd00::2 local fd00::1 "
    local cases = {
        { six{}, ends },
        { {}, on },
        { six{ dev = "eth0", hoplimit = 5, encaplimit = 7, tclass = "1f", flowlabel = "0xabcde", fwmark = 8 },
            ends .. "dev eth0 hoplimit 5 encaplimit 7 tclass 1f flowlabel 0xabcde fwmark 8" },
        { six{ ttl = "inherit", encaplimit = "none", tclass = "inherit", flowlabel = "inherit", dscp = "inherit",
            fwmark = "inherit" },
            ends .. "hoplimit inherit encaplimit none tclass inherit flowlabel inherit dscp inherit fwmark inherit" },
        { six{ encap = { type = "gue", sport = 4, dport = 7 }, flowlabel = 5 },
            ends .. "encap gue encap-sport 4 encap-dport 7 flowlabel 5" },
        { six{ encap = "fou", encap_dport = 6, encap_csum = true, encap_udp6_csum = false, encap_remcsum = true },
            ends .. "encap fou encap-dport 6 encap-csum noencap-udp6-csum encap-remcsum" },
        { { external = true }, on .. "external" },
    }
    for _, one in ipairs(more) do cases[#cases + 1] = one end
    return cases
end

local changes6 = {
    { { hoplimit = 9 }, "hoplimit 9" },
    { { tclass = "inherit" }, "tclass inherit" },
    { { flowlabel = 7 }, "flowlabel 7" },
    { { tclass = 31, fwmark = "inherit" }, "tclass 0x1f fwmark inherit" },
    { { encaplimit = "none", dscp = "inherit" }, "encaplimit none dscp inherit" },
    { { encaplimit = 3, fwmark = 4 }, "encaplimit 3 fwmark 4" },
    { { remote = "fd00::3" }, "remote fd00::3" },
}

local function ip6gre(kind, ether)
    local on = "type " .. kind .. " "
    kinds.test{
        kind = kind,
        ether = ether,
        cases = cases6(on, {
            { six{ key = 7, seq = true, csum = true }, on .. "remote fd00::2 local fd00::1 key 7 seq csum" },
            { six{ ikey = 1 }, on .. "remote fd00::2 local fd00::1 ikey 1" },
        }),
        changes = changes6,
        wrong = wrong6,
    }
end

ip6gre("ip6gre", false)
ip6gre("ip6gretap", true)

-- --- ERSPAN: a mirrored port in GRE --------------------------------------------------------------

local function erspan(kind, ends, words)
    local on = "type " .. kind .. " " .. words .. " seq key 5 "
    local function args(more) return with(with(ends, { seq = true, key = 5 }), more) end
    kinds.test{
        kind = kind,
        ether = true,
        cases = {
            { args{ erspan_ver = 1, erspan = 100 }, on .. "erspan_ver 1 erspan 100" },
            { args{ erspan_ver = 2, erspan_dir = "egress", erspan_hwid = 7 },
                on .. "erspan_ver 2 erspan_dir egress erspan_hwid 7" },
            { args{ erspan_ver = 2, erspan_dir = "ingress", erspan_hwid = "0x3f", key = "0.0.0.9" },
                "type " .. kind .. " " .. words .. " seq key 9 erspan_ver 2 erspan_dir ingress erspan_hwid 0x3f" },
        },
        changes = {},
        constant = { remote = true, ["local"] = true, ttl = true, pmtudisc = true, iseq = true, oseq = true,
            erspan_index = true, encap_limit = true, tclass = true, flowlabel = true },
        wrong = {
            { args{ erspan_ver = 3 }, "ERANGE", "erspan_ver: 3 is out of range: 0 to 2" },
            { args{ erspan_ver = 1, erspan = 0 }, "ERANGE", "erspan: 0 is out of range: 1 to 1048575" },
            { args{ erspan_ver = 2, erspan_dir = "up" }, "EINVAL",
                'erspan_dir: "up" given, one of ingress, egress expected' },
            { args{ erspan_ver = 2, erspan_hwid = 65536 }, "ERANGE",
                "erspan_hwid: 65536 is out of range: 0 to 65535" },
        },
    }
end

erspan("erspan", ENDS4, "remote 10.0.0.2 local 10.0.0.1")
erspan("ip6erspan", ENDS6, "remote fd00::2 local fd00::1")

-- --- IP in IP ------------------------------------------------------------------------------------

local function iptunnel(kind, mode, cases, changes, wrong)
    local on = "type " .. kind .. " "
    local ends = on .. "remote 10.0.0.2 local 10.0.0.1 "
    local all = {
        { four{}, ends },
        { four{ mode = mode, dev = "eth0", ttl = 4, tos = "10", fwmark = 6 },
            ends .. ("mode %s dev eth0 ttl 4 tos 10 fwmark 6"):format(mode) },
        { four{ mode = "any", pmtudisc = false, tos = "inherit" }, ends .. "mode any nopmtudisc tos inherit" },
        { four{ mode = "mplsip" }, ends .. "mode mplsip" },
        { four{ encap = { type = "gue", sport = 4, dport = 7, csum = true }, ttl = "inherit" },
            ends .. "encap gue encap-sport 4 encap-dport 7 encap-csum ttl inherit" },
        { four{ encap = "fou", encap_dport = 6, encap_udp6_csum = true, encap_remcsum = true },
            ends .. "encap fou encap-dport 6 encap-udp6-csum encap-remcsum" },
        { { external = true }, on .. "external" },
    }
    for _, one in ipairs(cases) do all[#all + 1] = { four(one[1]), ends .. one[2] } end
    kinds.test{ kind = kind, setup = load_fou, cases = all, changes = changes, wrong = wrong }
end

iptunnel("ipip", "ipip", {}, {
    { { ttl = 9 }, "ttl 9" },
    { { mode = "ipip" }, "mode ipip" },
    { { remote = "10.0.0.3", tos = 4 }, "remote 10.0.0.3 tos 0x4" },
    { { encap = "gue", encap_dport = 5 }, "encap gue encap-dport 5" },
}, {
    { { mode = "ip6ip" }, "EINVAL", 'mode: "ip6ip" given, one of ipip, ip4ip4, ipv4/ipv4, mplsip, mpls/ipv4, ' ..
        "any, any/ipv4 expected" },
    { { key = 5 }, "EINVAL", 'unknown key "key": it belongs to type = "gre"' },
    { { remote = "10.0.0.2/24" }, "EINVAL",
        'remote: "10.0.0.2/24": the address is wanted without a prefix length' },
})

iptunnel("sit", "ip6ip", {
    { { isatap = true }, "isatap" },
    { { ["6rd-prefix"] = "2001:db8::/32" }, "6rd-prefix 2001:db8::/32" },
    { { prefix = "2001:db8::", prefixlen = 32, ["6rd-relay_prefix"] = "10.0.0.0/8" },
        "6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.0.0.0/8" },
}, {
    { { ttl = 9 }, "ttl 9" },
    { { mode = "ip6ip", isatap = true }, "mode ip6ip isatap" },
}, {
    { { ["6rd-prefix"] = "2001:db8::" }, "EINVAL", '6rd-prefix: its length is missing, as in "/16"' },
    { { ["6rd-prefix"] = "10.0.0.0/8" }, "EINVAL",
        '6rd-prefix: "10.0.0.0/8" is not an IPv6 address, with or without a prefix length' },
    { { ["6rd-prefix"] = 7 }, "EINVAL", '6rd-prefix: 7 given, an address such as "10.0.0.0/8" expected' },
    { { ["6rd-relay_prefix"] = "10.0.0.0/33" }, "EINVAL",
        '6rd-relay_prefix: "10.0.0.0/33": the prefix length of an IPv4 address is 0 to 32' },
    { { prefix = "2001:db8::", prefixlen = 129 }, "ERANGE", "prefixlen: 129 is out of range: 0 to 128" },
})

kinds.test{
    kind = "ip6tnl",
    cases = cases6("type ip6tnl ", {
        { six{ mode = "ipip6", ["allow-localremote"] = true },
            "type ip6tnl mode ipip6 remote fd00::2 local fd00::1 allow-localremote" },
        { six{ proto = "ip6ip6", allow_localremote = false },
            "type ip6tnl mode ip6ip6 remote fd00::2 local fd00::1 noallow-localremote" },
    }),
    changes = {
        { { mode = "ipip6", allow_localremote = true }, "mode ipip6 allow-localremote" },
        table.unpack(changes6),
    },
    wrong = wrong6,
}

-- --- virtual tunnels of IPsec --------------------------------------------------------------------

local function vti(kind, ends, words)
    local on = "type " .. kind .. " " .. words
    kinds.test{
        kind = kind,
        cases = {
            { ends, on },
            { {}, "type " .. kind },
            { with(ends, { key = 7, fwmark = 8, dev = "eth0" }), on .. " key 7 fwmark 8 dev eth0" },
            { with(ends, { ikey = "1.2.3.4", okey = 9 }), on .. " ikey 1.2.3.4 okey 9" },
        },
        changes = {
            { { okey = 5 }, "okey 5" },
            { { fwmark = 3 }, "fwmark 3" },
            { { ikey = 6, dev = "eth0" }, "ikey 6 dev eth0" },
        },
        wrong = {
            { { seq = true }, "EINVAL", 'unknown key "seq": it belongs to type = "gre"' },
            { { okey = "x" }, "EINVAL", 'okey: "x" given, an integer or four of them such as "10.0.0.1" expected' },
        },
    }
end

vti("vti", ENDS4, "remote 10.0.0.2 local 10.0.0.1")
vti("vti6", ENDS6, "remote fd00::2 local fd00::1")

-- --- what a tunnel is for ------------------------------------------------------------------------

TestUse = {}

function TestUse.setUp()
    local ns <close> = nsh.netns.new()
    local ok, err = pcall(ns.link.add, ns.link, { "x0", type = "gre" })
    lu.skipIf(not ok and err.message == "Unknown device type", "this kernel has no links of kind gre")
end

-- Two nodes, and a tunnel between them; what is declared first stands on what comes later.
function TestUse.test_in_a_lab()
    local lab <close> = nsh.lab "tunnels"
    local a, b = lab:node "a", lab:node "b"
    for i, node in ipairs{ a, b } do
        node:link{ "gre1", type = "gre", dev = "eth0", key = 7, local_ = "10.0.0." .. i, remote = "10.0.0." .. 3 - i,
            addr = ("10.9.0.%d/24"):format(i) }
    end
    a:connect{ "eth0", addr = "10.0.0.1/24", to = b, peer = { "eth0", addr = "10.0.0.2/24" } }
    lab:up()
    support.wait_for("the tunnel carries", function() return a:ping("10.9.0.2").received > 0 end)
    a.by_name.gre1:set{ ttl = 9 }
    lab:up()
    local data = a.link:get("gre1").linkinfo.info_data
    lu.assertEquals({ data.ttl, data.remote, data.local_, data.ikey, data.link },
        { 9, "10.0.0.2", "10.0.0.1", "0.0.0.7", "eth0" })
    lu.assertEquals(a:ping("10.9.0.2").received, 1)
end

-- What is changed of a record is all that is said, and all that is lost is nothing.
function TestUse.test_a_changed_record()
    local ns <close> = nsh.netns.new()
    ns.link:add{ "x0", type = "gre", remote = "10.0.0.2", local_ = "10.0.0.1", seq = true, okey = 5, tos = 16 }
    local record, lines = ns.link:get "x0", {}
    record.linkinfo.info_data.ttl = 7
    nsh.trace(function(line) lines[#lines + 1] = line end)
    ns.link:set(record)
    nsh.trace(false)
    lu.assertEquals(lines, { "ip -n " .. ns.name .. " link set dev x0 type gre ttl 7" })
    lu.assertEquals(ns.link:get("x0").linkinfo, record.linkinfo)
end

os.exit(kinds.run())
