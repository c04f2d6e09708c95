-- iproute2 as the oracle. The same network is built twice, by nsh's words and by those of `ip`; what
-- nsh lists of each is compared with `ip -j -d`, field by field, and each with the other.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local oracle = dofile((arg[0]:gsub("[^/]*$", "oracle.lua")))
local prepare, differences = oracle.prepare, oracle.differences

-- --- the views -----------------------------------------------------------------------------------

local function ip(ns, words)
    local where = ns == nsh.host and "" or "-n " .. ns.name .. " "
    return support.records(support.iproute.run(("ip %s-j %s"):format(where, words)))
end

-- One record per address, as nsh has it, where iproute2 puts all of a link's under it.
local function flatten(links)
    local addresses = {}
    for _, link in ipairs(links) do
        for _, address in ipairs(link.addr_info or {}) do
            if next(address) then
                address.ifindex, address.ifname = link.ifindex, link.ifname
                addresses[#addresses + 1] = address
            end
        end
    end
    return addresses
end

local function itself(list) return list end

local views = {
    { "link", {}, "-d link", itself },
    { "addr", {}, "-d addr", flatten },
    { "addr", { family = "inet" }, "-4 -d addr", flatten },
    { "addr", { family = "inet6" }, "-6 -d addr", flatten },
    { "route", {}, "-d route", itself },
    { "route", { family = "inet6" }, "-6 -d route", itself },
    { "route", { table = "local" }, "-d route show table local", itself },
    { "route", { table = 100 }, "-d route show table 100", itself },
    { "route", { table = "all" }, "-d route show table all", itself },
    { "route", { table = "all", family = "inet6" }, "-6 -d route show table all", itself },
    { "neigh", {}, "-d neigh", itself },
    { "neigh", { proxy = true }, "-d neigh show proxy", itself },
    { "neigh", { family = "inet6" }, "-6 -d neigh", itself },
    { "nsid", {}, "netns list-id", itself },
}

-- The kernel tells all of IPv4 first, then IPv6; iproute2 sorts that by link.
local function by_link(addresses)
    local sorted = {}
    for _, link in ipairs(addresses) do
        sorted[link.ifindex] = sorted[link.ifindex] or {}
        table.insert(sorted[link.ifindex], link)
    end
    local result = {}
    for index = 1, 100 do
        for _, address in ipairs(sorted[index] or {}) do result[#result + 1] = address end
    end
    return result
end

local function ours(ns, view)
    local object = ns[view[1]]
    local records = support.as_json(object:list(view[2]))
    if view[1] == "route" and view[2].table ~= "all" then -- where iproute2 leaves it out
        for _, route in ipairs(records) do route.table = nil end
    end
    return prepare("nsh", view[1], view[1] == "addr" and by_link(records) or records)
end

local function theirs(ns, view)
    local ok, records = pcall(ip, ns, view[3])
    if not ok and records:find "FIB table does not exist" then return {} end
    if not ok then error(records, 0) end
    return prepare("ip", view[1], view[4](records))
end

-- What both show of one moment: if nsh sees the same before and after, iproute2 saw that as well.
local function one_moment(ns, view)
    for _ = 1, 100 do
        local before, shown = ours(ns, view), theirs(ns, view)
        if #differences(before, ours(ns, view), "", {}) == 0 then return before, shown end
    end
    error(view[3] .. " does not come to rest")
end

local function compare(ns)
    for _, view in ipairs(views) do
        local own, shown = one_moment(ns, view)
        lu.assertEquals(differences(own, shown, view[3], {}), {})
    end
end

-- --- the networks --------------------------------------------------------------------------------

-- Each step in nsh's words, and in those of `ip -n NS`. PEER stands for the other namespace's name.
local steps = {
    -- links
    { "link", "set", { "lo", up = true }, "link set lo up" },
    { "link", "add", { "v0", type = "veth", address = "02:00:00:00:00:01",
        peer = { "v1", address = "02:00:00:00:00:02" } },
        "link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02" },
    { "link", "add", { "far", type = "veth", address = "02:00:00:00:00:03", mtu = 1400,
        peer = { "near", address = "02:00:00:00:00:04", netns = "PEER" } },
        "link add far address 02:00:00:00:00:03 mtu 1400 type veth " ..
        "peer name near address 02:00:00:00:00:04 netns PEER" },
    { "link", "add", { "q0", type = "veth", address = "02:00:00:00:00:05", numtxqueues = 3,
        numrxqueues = 2, txqueuelen = 77, group = 5, alias = "an alias of q0",
        peer = { "q1", address = "02:00:00:00:00:06", mtu = 9000, txqueuelen = 5 } },
        "link add q0 address 02:00:00:00:00:05 numtxqueues 3 numrxqueues 2 txqueuelen 77 group 5 " ..
        "alias 'an alias of q0' type veth peer name q1 address 02:00:00:00:00:06 mtu 9000 " ..
        "txqueuelen 5" },
    { "link", "add", { "br0", type = "bridge", address = "02:00:00:00:00:07", forward_delay = 200,
        stp_state = 1, priority = 4096, ageing_time = 1000, mcast_snooping = 0 },
        "link add br0 address 02:00:00:00:00:07 type bridge forward_delay 200 stp_state 1 " ..
        "priority 4096 ageing_time 1000 mcast_snooping 0" },
    { "link", "add", { "br1", type = "bridge", address = "02:00:00:00:00:0a" },
        "link add br1 address 02:00:00:00:00:0a type bridge" },
    { "link", "set", { "q0", master = "br0", up = true }, "link set q0 master br0 up" },
    { "link", "set", { "q1", master = "br1" }, "link set q1 master br1" },
    { "link", "set", { "q0", type = "bridge_slave", cost = 17, hairpin = true, isolated = "on" },
        "link set q0 type bridge_slave cost 17 hairpin on isolated on" },
    { "link", "set", { "q1", nomaster = true }, "link set q1 nomaster" },
    { "link", "set", { "v0", mtu = 1300, multicast = false }, "link set v0 mtu 1300 multicast off" },
    { "link", "set", { "v1", arp = false, allmulticast = true, promisc = "on" },
        "link set v1 arp off allmulticast on promisc on" },
    { "link", "set", { "v1", addrgenmode = "none" }, "link set v1 addrgenmode none" },
    { "link", "set", { "q1", name = "renamed" }, "link set q1 name renamed" },
    { "link", "set", { "q0", alias = 'odd "characters" & <é>\t%' },
        "link set q0 alias 'odd \"characters\" & <é>\t%'" },
    { "link", "set", { "v0", up = true }, "link set v0 up" },
    { "link", "set", { "v1", up = true }, "link set v1 up" },
    { "link", "set", { "far", up = true }, "link set far up" },
    { "link", "set", { "br0", up = true }, "link set br0 up" },
    { "link", "set", { "br1", down = true }, "link set br1 down" },
    -- addresses
    { "addr", "add", { "10.0.0.1/24", dev = "v0" }, "addr add 10.0.0.1/24 dev v0" },
    { "addr", "add", { "10.0.0.2/24", dev = "v0", brd = "+" }, "addr add 10.0.0.2/24 dev v0 brd +" },
    { "addr", "add", { "10.0.1.1/24", dev = "v0", broadcast = "10.0.1.77" },
        "addr add 10.0.1.1/24 dev v0 broadcast 10.0.1.77" },
    { "addr", "add", { "10.0.2.1/32", dev = "v0" }, "addr add 10.0.2.1/32 dev v0" },
    { "addr", "add", { "10.0.2.2", dev = "v0" }, "addr add 10.0.2.2 dev v0" },
    { "addr", "add", { "10.0.3.0/31", dev = "v0", brd = "+" }, "addr add 10.0.3.0/31 dev v0 brd +" },
    { "addr", "add", { "10.0.4.1", peer = "10.0.4.2/32", dev = "v0" },
        "addr add 10.0.4.1 peer 10.0.4.2/32 dev v0" },
    { "addr", "add", { "10.0.5.1", peer = "10.0.6.1/24", dev = "v0" },
        "addr add 10.0.5.1 peer 10.0.6.1/24 dev v0" },
    { "addr", "add", { "10.0.7.1/24", dev = "v0", label = "v0:seven", scope = "link" },
        "addr add 10.0.7.1/24 dev v0 label v0:seven scope link" },
    { "addr", "add", { "10.0.8.1/24", dev = "v0", scope = "host", metric = 50 },
        "addr add 10.0.8.1/24 dev v0 scope host metric 50" },
    { "addr", "add", { "10.0.9.1/24", dev = "v0", valid_lft = 3000, preferred_lft = 2000 },
        "addr add 10.0.9.1/24 dev v0 valid_lft 3000 preferred_lft 2000" },
    { "addr", "add", { "10.0.10.1/24", dev = "v0", valid_lft = "forever", preferred_lft = 0 },
        "addr add 10.0.10.1/24 dev v0 valid_lft forever preferred_lft 0" },
    { "addr", "add", { "10.0.11.1/24", dev = "v0", noprefixroute = true },
        "addr add 10.0.11.1/24 dev v0 noprefixroute" },
    { "addr", "add", { "127.1.2.3/8", dev = "lo" }, "addr add 127.1.2.3/8 dev lo" },
    { "addr", "add", { "192.168.64.3/24", dev = "far" }, "addr add 192.168.64.3/24 dev far" },
    { "addr", "add", { "fd00::1/64", dev = "v0", nodad = true }, "addr add fd00::1/64 dev v0 nodad" },
    { "addr", "add", { "fd00:1::1/64", dev = "v0", nodad = true, noprefixroute = true, home = true },
        "addr add fd00:1::1/64 dev v0 nodad noprefixroute home" },
    { "addr", "add", { "fd00:2::1", peer = "fd00:2::2", dev = "v0", nodad = true },
        "addr add fd00:2::1 peer fd00:2::2 dev v0 nodad" },
    { "addr", "add", { "fd00:3::1", peer = "fd00:3::2/64", dev = "v0", nodad = true },
        "addr add fd00:3::1 peer fd00:3::2/64 dev v0 nodad" },
    { "addr", "add", { "fd00:4::1/64", dev = "v0", nodad = true, valid_lft = 3000,
        preferred_lft = 2000, metric = 77 },
        "addr add fd00:4::1/64 dev v0 nodad valid_lft 3000 preferred_lft 2000 metric 77" },
    { "addr", "add", { "fd00:5::1/64", dev = "v0", nodad = true, preferred_lft = 0 },
        "addr add fd00:5::1/64 dev v0 nodad preferred_lft 0" },
    { "addr", "add", { "fd00:6::/64", dev = "v0", nodad = true, mngtmpaddr = true },
        "addr add fd00:6::/64 dev v0 nodad mngtmpaddr" },
    { "addr", "add", { "fe80::99/64", dev = "v1", nodad = true }, "addr add fe80::99/64 dev v1 nodad" },
    { "addr", "add", { "::ffff:1.2.3.4/128", dev = "lo" }, "addr add ::ffff:1.2.3.4/128 dev lo" },
    { "addr", "set", { "10.0.9.1/24", dev = "v0", valid_lft = 5000, preferred_lft = 4000 },
        "addr change 10.0.9.1/24 dev v0 valid_lft 5000 preferred_lft 4000" },
    { "addr", "replace", { "fd00:4::1/64", dev = "v0", nodad = true, metric = 78 },
        "addr replace fd00:4::1/64 dev v0 nodad metric 78" },
    { "addr", "del", { "10.0.2.2/32", dev = "v0" }, "addr del 10.0.2.2/32 dev v0" },
    -- routes
    { "route", "add", { "default", via = "10.0.0.254" }, "route add default via 10.0.0.254" },
    { "route", "add", { "default", via = "10.0.0.253", metric = 100 },
        "route add default via 10.0.0.253 metric 100" },
    { "route", "add", { "10.1.0.0/16", via = "10.0.0.254", dev = "v0", metric = 4294967295 },
        "route add 10.1.0.0/16 via 10.0.0.254 dev v0 metric 4294967295" },
    { "route", "add", { "10.2.0.1", dev = "v0" }, "route add 10.2.0.1 dev v0" },
    { "route", "add", { "10.3.0.0/16", via = "10.0.0.254", table = 100 },
        "route add 10.3.0.0/16 via 10.0.0.254 table 100" },
    { "route", "add", { "10.4.0.0/16", dev = "v0", table = 70000, protocol = "static" },
        "route add 10.4.0.0/16 dev v0 table 70000 protocol static" },
    { "route", "add", { "10.5.0.0/16", type = "unreachable" }, "route add unreachable 10.5.0.0/16" },
    { "route", "add", { "10.6.0.0/16", type = "blackhole", metric = 9 },
        "route add blackhole 10.6.0.0/16 metric 9" },
    { "route", "add", { "10.7.0.0/16", type = "prohibit" }, "route add prohibit 10.7.0.0/16" },
    { "route", "add", { "10.8.0.0/16", type = "throw", table = 100 },
        "route add throw 10.8.0.0/16 table 100" },
    { "route", "add", { "10.9.0.1", type = "local", dev = "lo" }, "route add local 10.9.0.1 dev lo" },
    { "route", "add", { "10.9.0.255", type = "broadcast", dev = "v0" },
        "route add broadcast 10.9.0.255 dev v0" },
    { "route", "add", { "224.1.0.0/16", type = "multicast", dev = "v0" },
        "route add multicast 224.1.0.0/16 dev v0" },
    { "route", "add", { "10.10.0.0/16", via = "10.0.0.254", src = "10.0.1.1" },
        "route add 10.10.0.0/16 via 10.0.0.254 src 10.0.1.1" },
    { "route", "add", { "10.11.0.0/16", via = "10.0.0.254", mtu = 1200, advmss = 1100, window = 5000,
        ssthresh = 9, cwnd = 10, initcwnd = 11, initrwnd = 12, reordering = 4, hoplimit = 33,
        quickack = 1, congctl = "reno" },
        "route add 10.11.0.0/16 via 10.0.0.254 mtu 1200 advmss 1100 window 5000 ssthresh 9 " ..
        "cwnd 10 initcwnd 11 initrwnd 12 reordering 4 hoplimit 33 quickack 1 congctl reno" },
    { "route", "add", { "10.12.0.0/16", via = "172.31.0.1", dev = "v0", onlink = true },
        "route add 10.12.0.0/16 via 172.31.0.1 dev v0 onlink" },
    { "route", "add", { "10.13.0.0/16", dev = "v0", scope = "host", protocol = 200 },
        "route add 10.13.0.0/16 dev v0 scope host protocol 200" },
    { "route", "add", { "10.14.0.0/16", via = "10.0.0.254", tos = "0x10" },
        "route add 10.14.0.0/16 via 10.0.0.254 tos 0x10" },
    { "route", "replace", { "10.2.0.1", via = "10.0.0.254" }, "route replace 10.2.0.1 via 10.0.0.254" },
    { "route", "set", { "10.10.0.0/16", via = "10.0.0.253" }, "route change 10.10.0.0/16 via 10.0.0.253" },
    { "route", "append", { "10.10.0.0/16", via = "10.0.0.252" },
        "route append 10.10.0.0/16 via 10.0.0.252" },
    { "route", "del", { "10.7.0.0/16", type = "prohibit" }, "route del prohibit 10.7.0.0/16" },
    { "route", "add", { "default", via = "fd00::fe" }, "-6 route add default via fd00::fe" },
    { "route", "add", { "fd01::/64", via = "fd00::fe", metric = 5, mtu = 1280, pref = "high" },
        "-6 route add fd01::/64 via fd00::fe metric 5 mtu 1280 pref high" },
    { "route", "add", { "fd02::/64", dev = "v0", table = 100 }, "-6 route add fd02::/64 dev v0 table 100" },
    { "route", "add", { "fd03::/64", type = "unreachable" }, "-6 route add unreachable fd03::/64" },
    { "route", "add", { "fd04::/64", type = "blackhole", metric = 7 },
        "-6 route add blackhole fd04::/64 metric 7" },
    { "route", "add", { "fd05::/64", via = "fe80::1", dev = "v0", src = "fd00::1" },
        "-6 route add fd05::/64 via fe80::1 dev v0 src fd00::1" },
    { "route", "add", { "fd06::/64", via = "fd99::1", dev = "v0", onlink = true, pref = "low" },
        "-6 route add fd06::/64 via fd99::1 dev v0 onlink pref low" },
    { "route", "add", { "fd09::/64", dev = "v0", expires = 5000 },
        "-6 route add fd09::/64 dev v0 expires 5000" },
    { "route", "add", { "fd07::/64", from = "fd08::/64", dev = "v0" },
        "-6 route add fd07::/64 from fd08::/64 dev v0" },
    -- neighbours
    { "neigh", "add", { "10.0.0.10", lladdr = "02:00:00:00:01:0a", dev = "v0" },
        "neigh add 10.0.0.10 lladdr 02:00:00:00:01:0a dev v0" },
    { "neigh", "add", { "10.0.0.11", lladdr = "02:00:00:00:01:0b", dev = "v0", nud = "reachable" },
        "neigh add 10.0.0.11 lladdr 02:00:00:00:01:0b dev v0 nud reachable" },
    { "neigh", "add", { "10.0.0.12", lladdr = "02:00:00:00:01:0c", dev = "v0", nud = "stale",
        router = true, protocol = "static" },
        "neigh add 10.0.0.12 lladdr 02:00:00:00:01:0c dev v0 nud stale router protocol static" },
    { "neigh", "add", { "10.0.0.13", lladdr = "02:00:00:00:01:0d", dev = "v0", extern_learn = true },
        "neigh add 10.0.0.13 lladdr 02:00:00:00:01:0d dev v0 extern_learn" },
    { "neigh", "add", { "10.0.0.14", lladdr = "02:00:00:00:01:0e", dev = "v0", nud = "noarp" },
        "neigh add 10.0.0.14 lladdr 02:00:00:00:01:0e dev v0 nud noarp" },
    { "neigh", "add", { "10.0.0.15", dev = "v0", nud = "failed" }, "neigh add 10.0.0.15 dev v0 nud failed" },
    { "neigh", "add", { proxy = true, dst = "10.0.0.16", dev = "v0" }, "neigh add proxy 10.0.0.16 dev v0" },
    { "neigh", "add", { "fd00::10", lladdr = "02:00:00:00:01:10", dev = "v0", router = true },
        "neigh add fd00::10 lladdr 02:00:00:00:01:10 dev v0 router" },
    { "neigh", "add", { proxy = true, dst = "fd00::11", dev = "v0" }, "neigh add proxy fd00::11 dev v0" },
    { "neigh", "set", { "10.0.0.10", lladdr = "02:00:00:00:01:ff", dev = "v0" },
        "neigh change 10.0.0.10 lladdr 02:00:00:00:01:ff dev v0" },
    { "neigh", "replace", { "10.0.0.20", lladdr = "02:00:00:00:01:20", dev = "v0" },
        "neigh replace 10.0.0.20 lladdr 02:00:00:00:01:20 dev v0" },
    { "neigh", "del", { "10.0.0.20", dev = "v0" }, "neigh del 10.0.0.20 dev v0" },
    -- ids
    { "nsid", "add", { "PEER-2", nsid = 17 }, "netns set PEER-2 17" },
}

local function with_peer(args, peer)
    local copy = {}
    for key, value in pairs(args) do
        if type(value) == "table" then
            copy[key] = with_peer(value, peer)
        else
            copy[key] = type(value) == "string" and value:gsub("PEER", peer) or value
        end
    end
    return copy
end

local function by_nsh(name)
    local ns, peer = nsh.netns.add(name), nsh.netns.add(name .. "-peer")
    nsh.netns.add(name .. "-peer-2"):close()
    for _, step in ipairs(steps) do
        local object = ns[step[1]]
        object[step[2]](object, with_peer(step[3], peer.name))
    end
    peer.link:set{ "near", up = true }
    return ns, peer
end

local function by_ip(name)
    local peer = name .. "-peer"
    local script = { "set -e" }
    local function say(format, ...) script[#script + 1] = format:format(...) end
    for _, new in ipairs{ name, peer, peer .. "-2" } do say("ip netns add %s", new) end
    for _, step in ipairs(steps) do say("ip -n %s %s", name, (step[4]:gsub("PEER", peer))) end
    say("ip -n %s link set near up", peer)
    support.sh(table.concat(script, "\n"))
    return nsh.netns.open(name), nsh.netns.open(peer)
end

local ns1, peer1 = by_nsh "built-by-nsh"
local ns2, peer2 = by_ip "built-by-ip"
for _, ns in ipairs{ peer1, ns2, peer2 } do ns.link:list() end -- their sockets stay open

TestOracle = {}

function TestOracle.test_what_nsh_built()
    compare(ns1)
    compare(peer1)
end

function TestOracle.test_what_iproute2_built()
    compare(ns2)
    compare(peer2)
end

function TestOracle.test_the_namespace_of_nsh()
    compare(nsh.host)
end

local function sort_key(record)
    local words = {}
    for i, field in ipairs{ "ifname", "local", "dst", "dev", "table", "type", "metric", "gateway" } do
        words[i] = tostring(record[field])
    end
    return table.concat(words, " ")
end

-- Lifetimes and states run on; whatever says how it was made must be the same.
local function lasting(view, records)
    for _, record in ipairs(records) do
        record.valid_life_time, record.preferred_life_time = nil, nil
        record.expires = nil
        if record.state and record.state[1] ~= "PERMANENT" then record.state = nil end
        if record.linkinfo and record.linkinfo.info_slave_data then
            record.linkinfo.info_slave_data.state = nil
        end
    end
    -- Neighbours are hashed; IPv6's own addresses and routes come when their links are ready.
    if view[1] ~= "link" then
        table.sort(records, function(a, b) return sort_key(a) < sort_key(b) end)
    end
    return records
end

function TestOracle.test_the_same_words_build_the_same_network()
    support.wait_for_rest{ ns1, ns2, peer1, peer2 }
    for _, pair in ipairs{ { ns1, ns2 }, { peer1, peer2 } } do
        for _, view in ipairs(views) do
            lu.assertEquals(differences(lasting(view, theirs(pair[1], view)),
                lasting(view, theirs(pair[2], view)), view[3], {}), {})
        end
    end
end

function TestOracle.test_the_names_and_ids_of_namespaces()
    local function by_name(list)
        table.sort(list, function(a, b) return a.name < b.name end)
        return list
    end
    nsh.host.nsid:add{ ns1, nsid = 5 }
    lu.assertEquals(by_name(support.as_json(nsh.netns.list())),
        by_name(support.decode(support.sh "ip -j netns list")))
end

-- --- every option of a bridge and of its ports ---------------------------------------------------

nsh.host.link:add{ "bridge", type = "bridge", up = true }
nsh.host.link:add{ "port", type = "veth", up = true, peer = "cable" }
nsh.host.link:set{ "cable", up = true }
nsh.host.link:add{ "other", type = "veth", peer = "other-cable" }
nsh.host.link:set{ "other", master = "bridge" }
nsh.host.link:add{ "another", type = "veth", master = "bridge", peer = "another-cable" }
nsh.host.link:set{ "port", master = "bridge" }

nsh.settle() -- a port that forwards has a state that is ours to set

-- Two values of each that a caller may set, and how they are shown where that differs. The name is
-- JSON's; the word that of the command line.
local bridge_options = {
    { "forward_delay", 300, 400 },
    { "hello_time", 300, 400 },
    { "max_age", 700, 800 },
    { "ageing_time", 0, 100000 },
    { "stp_state", 1, 0 },
    { "priority", 0, 65535 },
    { "vlan_filtering", 1, 0, vlan = true },
    { "vlan_protocol", "802.1ad", "802.1Q", vlan = true },
    { "vlan_default_pvid", 7, 1, vlan = true },
    { "vlan_stats_enabled", 1, 0, vlan = true },
    { "vlan_stats_per_port", 1, 0, vlan = true, dev = "filtering" },
    { "group_fwd_mask", 8, 65528, shown = { "0x8", "0xfff8" } },
    { "group_addr", "01:80:c2:00:00:04", "01:80:c2:00:00:0f", word = "group_address" },
    { "mcast_snooping", 0, 1 },
    { "no_linklocal_learn", 1, 0 },
    { "mcast_vlan_snooping", 1, 0, vlan = true, dev = "filtering" },
    { "mcast_router", 2, 0 },
    { "mcast_query_use_ifaddr", 1, 0 },
    { "mcast_querier", 1, 0 },
    { "mcast_hash_elasticity", 9, 10, shown = { 16, 16 } }, -- the kernel has its own since 4.20
    { "mcast_hash_max", 64, 8192 },
    { "mcast_last_member_cnt", 4, 4294967295, word = "mcast_last_member_count" },
    { "mcast_startup_query_cnt", 5, 3, word = "mcast_startup_query_count" },
    { "mcast_last_member_intvl", 200, 300, word = "mcast_last_member_interval" },
    { "mcast_membership_intvl", 20000, 30000, word = "mcast_membership_interval" },
    { "mcast_querier_intvl", 20000, 30000, word = "mcast_querier_interval" },
    { "mcast_query_intvl", 5000, 6000, word = "mcast_query_interval" },
    { "mcast_query_response_intvl", 500, 600, word = "mcast_query_response_interval" },
    { "mcast_startup_query_intvl", 4000, 5000, word = "mcast_startup_query_interval" },
    { "mcast_stats_enabled", 1, 0 },
    { "mcast_igmp_version", 3, 2 },
    { "mcast_mld_version", 2, 1 },
    { "nf_call_iptables", 1, 0 },
    { "nf_call_ip6tables", 1, 0 },
    { "nf_call_arptables", 1, 0 },
}

local port_options = {
    { "state", 1, 3, shown = { "listening", "forwarding" } },
    { "priority", 0, 63 },
    { "cost", 65535, 1 },
    { "hairpin", true, false },
    { "guard", true, false },
    { "root_block", true, false },
    { "fastleave", true, false },
    { "learning", false, true },
    { "flood", false, true },
    { "proxy_arp", true, false },
    { "proxy_arp_wifi", true, false },
    { "multicast_router", 2, 0, word = "mcast_router" },
    { "mcast_flood", false, true },
    { "bcast_flood", false, true },
    { "mcast_to_unicast", true, false },
    { "neigh_suppress", true, false },
    { "group_fwd_mask", 8, 65528, shown = { "0x8", "0xfff8" } },
    { "vlan_tunnel", true, false },
    { "isolated", true, false },
    { "locked", true, false },
    { "backup_port", "other", "another" },
}

-- What only the kernel sets.
local read_only = {
    bridge_id = true, root_id = true, root_port = true, root_path_cost = true,
    topology_change = true, topology_change_detected = true, hello_timer = true, tcn_timer = true,
    topology_change_timer = true, gc_timer = true, id = true, no = true, designated_port = true,
    designated_cost = true, hold_timer = true, message_age_timer = true,
    forward_delay_timer = true, topology_change_ack = true, config_pending = true,
    group_fwd_mask_str = true,
}

local function both(dev, nest, name)
    return nsh.host.link:get(dev).linkinfo[nest][name],
        ip(nsh.host, "-d link show " .. dev)[1].linkinfo[nest][name]
end

local function set_by_nsh(dev, kind, word, value)
    -- in a table named after the kind: `state` beside it would be the link's own
    return pcall(nsh.host.link.set, nsh.host.link, { dev, type = kind, [kind] = { [word] = value } })
end

local function set_by_ip(dev, kind, word, value)
    local text = value == true and "on" or value == false and "off" or value
    return pcall(support.iproute.run, ("ip link set %s type %s %s %s"):format(dev, kind, word, text))
end

-- What a port's VLANs forbid is set where there is no port, and what needs filtering where there is.
nsh.host.link:add{ "filtering", type = "bridge" }
local has_vlans = set_by_ip("filtering", "bridge", "vlan_filtering", 1)

local function check_option(dev, kind, nest, option)
    local name, word = option[1], option.word or option[1]
    local values, shown = { option[2], option[3] }, option.shown or { option[2], option[3] }
    lu.skipIf(option.vlan and not has_vlans, "this kernel's bridges have no VLANs")
    local function check(i, ok, err)
        lu.assertTrue(ok, tostring(err))
        lu.assertEquals({ both(dev, nest, name) }, { shown[i], shown[i] })
        oracle.compared = oracle.compared + 1
    end
    check(1, set_by_nsh(dev, kind, word, values[1]))
    check(2, set_by_ip(dev, kind, word, values[2]))
    check(1, set_by_nsh(dev, kind, name, values[1]))
    check(2, set_by_nsh(dev, kind, name, values[2]))
    check(2, set_by_nsh(dev, kind, name, values[2]))
end

TestOptions = {}

for _, option in ipairs(bridge_options) do
    TestOptions["test_bridge_" .. option[1]] = function()
        check_option(option.dev or "bridge", "bridge", "info_data", option)
    end
end

for _, option in ipairs(port_options) do
    TestOptions["test_port_" .. option[1]] = function()
        check_option("port", "bridge_slave", "info_slave_data", option)
    end
end

local function check_complete(dev, nest, options)
    local known = {}
    for _, option in ipairs(options) do known[option[1]] = true end
    for name in pairs(ip(nsh.host, "-d link show " .. dev)[1].linkinfo[nest]) do
        lu.assertTrue(known[name] or read_only[name], name .. " is tested nowhere")
    end
end

function TestOptions.test_all_are_tested()
    check_complete("bridge", "info_data", bridge_options)
    check_complete("port", "info_slave_data", port_options)
end

local status = support.run()
print(("# %d fields compared with iproute2, of link addr route neigh nsid veth bridge"):format(oracle.compared))
os.exit(status)
