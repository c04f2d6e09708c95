-- What iproute2 has built is listed by nsh, and each record given to `add` in a fresh namespace: links, then
-- addresses, then the rest that is not the kernel's own. Both namespaces then show the same, to nsh and to
-- iproute2, in all that can be written.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local oracle = dofile((arg[0]:gsub("[^/]*$", "oracle.lua")))
local lu = require "luaunit"
local nsh = require "nsh"

nsh.sandbox()

-- --- what iproute2 builds ------------------------------------------------------------------------

local NETWORK = [[
link set lo up
link add br0 address 02:00:00:00:00:01 type bridge forward_delay 300 stp_state 0 ageing_time 2000 priority 4096
link add v0 address 02:00:00:00:00:02 mtu 1400 txqueuelen 77 type veth peer name v1 address 02:00:00:00:00:03
link add p0 address 02:00:00:00:00:04 type veth peer name q0 address 02:00:00:00:00:05
link set p0 master br0 alias 'a port' group 7
link set p0 type bridge_slave cost 17 priority 9 hairpin on isolated on
link set v1 arp off allmulticast on
link set v0 addrgenmode none
link set v1 addrgenmode none
link set p0 addrgenmode none
link set q0 addrgenmode none
link set br0 addrgenmode none
link set v0 up
link set v1 up
link set p0 up
link set q0 up
link set br0 up
addr add 10.0.0.1/24 brd + dev v0
addr add 10.0.0.2/24 dev v0
addr add 10.1.0.1 peer 10.1.0.2/32 dev v0 label v0:ptp scope link metric 7
addr add 172.16.0.1/16 dev br0 noprefixroute valid_lft 5000 preferred_lft 4000
addr add fd00::1/64 dev v0 nodad
addr add fd01::1 peer fd01::2 dev v0 nodad home
addr add fd02::1/64 dev br0 nodad noprefixroute preferred_lft 0
addr add fe80::77/64 dev v0 nodad
nexthop add id 1 via 10.0.0.7 dev v0
nexthop add id 2 via 10.99.0.7 dev v0 onlink proto static
nexthop add id 3 group 1,7/2
nexthop add id 4 group 1/2 type resilient buckets 16 idle_timer 30
nexthop add id 5 blackhole
nexthop add id 6 via fd00::7 dev v0
-6 nexthop add id 7 dev v0
nexthop add id 8 group 6
nexthop add id 9 via 10.0.0.9 fdb
route add default via 10.0.0.254 metric 5
route add 10.2.0.0/16 via 10.0.0.254 src 10.0.0.2 proto bird tos 0x10 mtu lock 1300 rtt 50ms rto_min 200ms features ecn
route add 10.3.0.0/16 nexthop via 10.0.0.253 weight 5 nexthop via 10.88.0.1 dev v0 onlink realms 7/9 nexthop dev v1
route add 10.4.0.0/16 via inet6 fe80::5 dev v0 realms 5
route add 10.5.0.0/16 nhid 3
route add 10.6.0.0/16 nhid 5
route add 10.7.0.0/16 nhid 6
route add unreachable 10.8.0.0/16 metric 4294967295
route add throw 10.9.0.0/16 table 100
route add 10.10.0.0/16 dev v0 table 70000 proto 77 scope link
route add local 10.11.0.1 dev lo
route add 10.12.0.0/16 via 10.0.0.254
route append 10.12.0.0/16 via 10.0.0.253
-6 route add default via fd00::fe pref high
-6 route add fd10::/16 nexthop via fd00::2 weight 5 nexthop via fe80::2 dev v0
-6 route add fd11::/16 nhid 8 metric 7
-6 route add blackhole fd12::/16 table 100
-6 route add fd13::/16 from fd14::/16 dev v0 mtu 1280 hoplimit 9
rule add pref 10 from 10.0.0.0/8 to 10.1.0.0/16 iif v0 tos 0x10 fwmark 0x10/0xf0 table 100 protocol static
rule add pref 11 not uidrange 0-0 ipproto tcp sport 80 dport 90-95 lookup 70000 realms 7/9
rule add pref 12 tun_id 77 goto 32766
rule add pref 13 oif v1 prohibit
rule add pref 14 table main suppress_prefixlength 0 suppress_ifgroup 7
-6 rule add pref 15 from fd00::/8 l3mdev
neigh add 10.0.0.20 lladdr 02:00:00:00:07:01 dev v0 router protocol static
neigh add 10.0.0.21 lladdr 02:00:00:00:07:02 dev v0 nud noarp
neigh add 10.0.0.22 lladdr 02:00:00:00:07:03 dev v0 nud permanent extern_learn
neigh add proxy 10.0.0.23 dev v0
neigh add fd00::20 lladdr 02:00:00:00:07:04 dev v0
neigh add proxy fd00::23 dev v0 router]]

local GROUPS = [[
mdb add dev br0 port p0 grp 239.1.1.1 permanent
mdb add dev br0 port p0 grp ff0e::1 src fd00::9 permanent
fdb add 02:00:00:00:09:01 dev p0 master static sticky
fdb add 02:00:00:00:09:02 dev q0 self]]

local function run(program, ns, commands)
    for line in commands:gmatch "[^\n]+" do
        support.iproute.run(("%s -n %s %s"):format(program, ns.name, line))
    end
end

local original, copy = nsh.netns.add "original", nsh.netns.add "copy"
run("ip", original, NETWORK)
support.wait_for_rest{ original }
run("bridge", original, GROUPS)

-- --- the way back --------------------------------------------------------------------------------

-- The flags of a link are told; a caller says them by switches.
local function say_flags(link)
    local has = {}
    for _, flag in ipairs(link.flags) do has[flag] = true end
    link.arp, link.allmulticast = not has.NOARP, has.ALLMULTI
    return has.UP
end

-- Bridges before their ports; the other end of a pair is there when its turn comes. Up when all are there: what goes
-- up in the message that says `addrgenmode none` has an address before that is read.
local function copy_links()
    local links = original.link:list()
    table.sort(links, function(a, b)
        local a_last, b_last = a.master and 1 or 0, b.master and 1 or 0
        if a_last ~= b_last then return a_last < b_last end
        return a.ifindex < b.ifindex
    end)
    local made, up = { lo = true }, {}
    for _, link in ipairs(links) do
        up[#up + 1] = say_flags(link) and link.ifname or nil
        copy.link[made[link.ifname] and "set" or "add"](copy.link, link)
        made[link.ifname], made[link.link or ""] = true, true
    end
    for _, name in ipairs(up) do copy.link:set{ name, up = true } end
end

local FAMILIES = { "inet", "inet6" }

-- Whose records are not of our making: those of ::1, of what is up, of the three tables.
local function is_own(object, record)
    if object == "addr" then return record.ifname ~= "lo" end
    if object == "rule" then return record.priority > 0 and record.priority < 32766 end
    if object == "neigh" then return not record.dst:find "^ff" and not record.dst:find "^224" end
    if object == "fdb" then return record.mac:find "^02:00:00:00:09" ~= nil end
    if object == "mdb" then return record.protocol ~= "kernel" and not record.grp:find "^ff02" end
    return record.protocol ~= "kernel"
end

local ORDER = {
    { "addr", {} }, { "nexthop", {} }, { "route", { table = "all" }, FAMILIES }, { "rule", {}, FAMILIES },
    { "neigh", { state = { "NOARP", "PERMANENT" } }, FAMILIES }, { "neigh", { proxy = true }, FAMILIES },
    { "mdb", {} }, { "fdb", {} },
}

local function each_record(ns, fn)
    for _, step in ipairs(ORDER) do
        for _, family in ipairs(step[3] or { false }) do
            local filter = { family = family or nil }
            for key, value in pairs(step[2]) do filter[key] = value end
            for _, record in ipairs(ns[step[1]]:list(filter)) do
                if is_own(step[1], record) then fn(step[1], record) end
            end
        end
    end
end

-- Several routes may have one destination; an entry without a VLAN is one of each VLAN as well.
local VERBS = { route = "append", fdb = "replace" }

local function copy_objects()
    each_record(original, function(object, record)
        copy[object][VERBS[object] or "add"](copy[object], record)
    end)
end

copy_links()
support.wait_for_rest{ copy }
copy_objects()

-- --- what is compared ----------------------------------------------------------------------------

-- What only the kernel sets, or what runs.
local READ_ONLY = {
    ifindex = true, index = true, link_index = true, bridge_id = true, root_id = true, id = true, no = true,
    designated_port = true, hello_timer = true, gc_timer = true, topology_change_timer = true, tcn_timer = true,
    valid_life_time = true, preferred_life_time = true, unbalanced_time = true, source_list = true, timer = true,
    hold_timer = true, message_age_timer = true, forward_delay_timer = true,
}

-- `id` of a nexthop can be written, that of a bridge's port cannot.
local function writable(object, record)
    local kept = {}
    for key, value in pairs(record) do
        if not READ_ONLY[key] or (key == "id" and (object == "nexthop" or object == "group")) then
            local inside = object == "nexthop" and object or key
            kept[key] = type(value) == "table" and writable(type(key) == "number" and object or inside, value) or value
        end
    end
    return kept
end

local function key_of(record)
    local words = {}
    for i, key in ipairs{ "ifname", "local", "priority", "id", "mac", "grp", "dst", "table", "metric", "gateway",
        "tos", "dev", "vlan" } do
        words[i] = tostring(record[key])
    end
    return table.concat(words, " ")
end

local function sorted(object, records)
    local kept = {}
    for i, record in ipairs(records) do kept[i] = writable(object, record) end
    table.sort(kept, function(a, b) return key_of(a) < key_of(b) end)
    return kept
end

local function listing(ns)
    local found = {}
    each_record(ns, function(object, record)
        found[object] = found[object] or {}
        table.insert(found[object], support.as_json(record))
    end)
    found.link = support.as_json(ns.link:list())
    return found
end

TestReverse = {}

function TestReverse.test_nsh_lists_the_same()
    local before, after = listing(original), listing(copy)
    for object, records in pairs(before) do
        local copied = sorted(object, after[object] or {})
        lu.assertEquals(oracle.differences(copied, sorted(object, records), object, {}), {})
    end
end

local VIEWS = {
    link = "ip -n %s -j -d link show", nexthop = "ip -n %s -j -d nexthop show", mdb = "bridge -n %s -j -d mdb show",
    fdb = "bridge -n %s -j -d fdb show", rule = "ip -n %s -j -d rule show\nip -n %s -j -d -6 rule show",
    route = "ip -n %s -j -d route show table all\nip -n %s -j -d -6 route show table all",
    addr = "ip -n %s -j -d addr show", neigh = "ip -n %s -j -d neigh show nud all\nip -n %s -j -d neigh show proxy",
}

-- Of a bridge's groups, or a link's addresses, each; anything else as it stands.
local function each_inside(record)
    if record.mdb then return record.mdb end
    for _, address in ipairs(record.addr_info or {}) do address.ifname = record.ifname end
    return record.addr_info or { record }
end

local function shown(object, ns)
    local records = {}
    for line in support.iproute.run((VIEWS[object]:gsub("%%s", ns.name))):gmatch "[^\n]+" do
        for _, record in ipairs(support.decode(line)) do
            table.move(each_inside(record), 1, #each_inside(record), #records + 1, records)
        end
    end
    return records
end

-- Also the kernel's own, which follow from the rest.
for object in pairs(VIEWS) do
    TestReverse["test_iproute2_shows_the_same_" .. object] = function()
        local before, after = shown(object, original), shown(object, copy)
        lu.assertTrue(#before > 0)
        lu.assertEquals(oracle.differences(sorted(object, after), sorted(object, before), object, {}), {})
    end
end

local status = support.run()
print(("# %d fields compared"):format(oracle.compared))
os.exit(status)
