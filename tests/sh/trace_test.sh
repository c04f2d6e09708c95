#!/usr/bin/env bash
# What `nsh -x` prints, pasted into a shell in a fresh sandbox, builds the same network. TAP.
set -u
# A lesson runs `nsh enter`, in a /proc that LeakSanitizer does not know its way in.
export ASAN_OPTIONS=detect_leaks=0

nsh=$(realpath "${NSH:-./nsh}")
export ROOT
ROOT=$(realpath "$(dirname "$0")/../..")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
count=0
failed=0

# check STATUS NAME FILE: 0 is success; what is in the file explains a failure
check() {
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        sed 's/^/# /' "$3"
        failed=1
    fi
}

# Prints one namespace as lines of JSON.
cat >dump.sh <<'EOF2'
ip -j -d link
ip -j -d addr
ip -j -d -4 route show table all
ip -j -d -6 route show table all
ip -j -d neigh show
ip -j -d neigh show nud noarp
ip -j -d neigh show proxy
ip -j netns list-id
for key in ipv4/ip_forward ipv4/conf/all/rp_filter ipv4/ping_group_range ipv6/conf/all/forwarding; do
    echo "[\"$key $(cat /proc/sys/net/$key)\"]"
done
EOF2

# Dumps namespaces by name into the folder $DUMP, once they are at rest.
cat >dump.lua <<'EOF2'
local support = dofile(os.getenv "ROOT" .. "/tests/lua/support.lua")
return function(namespaces)
    local list = {}
    for _, ns in pairs(namespaces) do list[#list + 1] = ns end
    support.wait_for_rest(list)
    for name, ns in pairs(namespaces) do
        local file <close> = assert(io.open(os.getenv "DUMP" .. "/" .. name, "w"))
        file:write(support.sh("sh dump.sh", ns))
    end
end
EOF2

# Runs a script and dumps each namespace that it has made or opened.
cat >record.lua <<'EOF2'
local all = { host = nsh.host }
for _, how in ipairs { "add", "new", "open" } do
    local make = nsh.netns[how]
    nsh.netns[how] = function(...)
        local ns = make(...)
        all[ns.name] = ns
        return ns
    end
end
dofile(arg[1])
for name, ns in pairs(all) do
    if ns.closed or name:find "/" then all[name] = nil end
end
for _, found in ipairs(nsh.netns.list()) do -- a lab's
    all[found.name] = all[found.name] or nsh.netns.open(found.name)
end
dofile "dump.lua"(all)
EOF2

# Does in a fresh sandbox what a trace says, and dumps the namespaces that there are then.
cat >replay.lua <<'EOF2'
assert(host:exec{ "sh", "-e", arg[1] }.status == 0)
local all = { host = host }
for _, found in ipairs(nsh.netns.list()) do
    all[found.name] = nsh.netns.open(found.name)
end
dofile "dump.lua"(all)
EOF2

# Compares the dumps in two folders: prints what differs, but for what runs on by itself, for indexes,
# which the kernel gives, for queues, of which a lab's links have one untold, and for neighbours that were learnt. A bridge that was up before it had a port
# keeps the link-local address of a MAC that the kernel chose, and dropped for that of the port. (A MAC
# from nsh would stay, so that it says one only where it is told to.)
cat >compare.lua <<'EOF2'
local cjson = require "cjson"

local function skip(key)
    return key == "ifindex" or key == "link_index" or key:find "_timer$" or key:find "^num_[tr]x_queues$"
end

-- Neighbours by the protocol, and NOARP ones of multicast and lo.
local function is_learnt(value)
    local state = type(value) == "table" and value.dst and value.state and value.state[1]
    return state and state ~= "PERMANENT" and
        not (state == "NOARP" and value.lladdr:find "^02:00:00:00:01:")
end

local bridges

local function is_of_bridge(value, dev)
    local address = type(value) == "table" and (value["local"] or value.dst)
    return type(address) == "string" and address:find "^fe80::%x" and bridges[dev]
end

local function sort_key(record)
    if type(record) ~= "table" then return record end
    local words = {}
    for i, field in ipairs{ "ifname", "local", "dst", "dev", "table", "type", "metric", "gateway", "nsid" } do
        words[i] = tostring(record[field])
    end
    return table.concat(words, " ")
end

-- The order of records is that of events, of hashes, or of when a carrier came.
local function sorted(list)
    if type(list[1]) == "table" then
        table.sort(list, function(x, y) return sort_key(x) < sort_key(y) end)
    end
    return list
end

local function prepare(value, dev)
    if type(value) ~= "table" then return value end
    if value.linkinfo and value.linkinfo.info_kind == "bridge" then bridges[value.ifname] = true end
    dev = value.ifname or dev
    local copy = {}
    for key, item in pairs(value) do
        if key == "valid_life_time" or key == "preferred_life_time" or key == "expires" then
            copy[key] = item == 4294967295 and "forever" or item > 0 and "limited" or 0
        elseif type(key) == "number" then
            if not is_learnt(item) and not is_of_bridge(item, type(item) == "table" and item.dev or dev) and
                (type(item) ~= "table" or next(item)) then
                copy[#copy + 1] = prepare(item, dev)
            end
        elseif not skip(key) and not (key == "name" and value.nsid) then
            copy[key] = prepare(item, dev)
        end
    end
    return sorted(copy)
end

local fields, differences = 0, 0

local function compare(a, b, path)
    if type(a) == "table" and type(b) == "table" then
        for key in pairs(a) do compare(a[key], b[key], path .. "." .. key) end
        for key in pairs(b) do if a[key] == nil then compare(nil, b[key], path .. "." .. key) end end
        return
    end
    fields = fields + 1
    if a ~= b then
        differences = differences + 1
        print(("%s: %s in nsh's, %s in the replay"):format(path,
            type(a) == "table" and cjson.encode(a) or tostring(a),
            type(b) == "table" and cjson.encode(b) or tostring(b)))
    end
end

local function read(name)
    local lists = {}
    bridges = {}
    for line in io.lines(name) do
        lists[#lists + 1] = prepare(cjson.decode(line))
    end
    return lists
end

for name in io.popen(("ls %s %s | sort -u | grep -v :"):format(arg[1], arg[2])):lines() do
    if name ~= "" then
        local ok, a = pcall(read, arg[1] .. "/" .. name)
        local also, b = pcall(read, arg[2] .. "/" .. name)
        if not ok or not also then
            differences = differences + 1
            print(not ok and a or b)
        else
            compare(a, b, name)
        end
    end
end
print(fields .. " fields compared")
os.exit(differences == 0 and fields > 100)
EOF2

# replays NAME SCRIPT: the network of the script and that of its trace are the same
replays() {
    mkdir "$1.made" "$1.again"
    DUMP=$1.made "$nsh" -S -x -q record.lua "$2" >"$1.out" 2>"$1.trace"
    check $? "$1 is built" "$1.trace"
    DUMP=$1.again "$nsh" -S -q replay.lua "$1.trace" >"$1.out" 2>&1
    check $? "$1: its trace runs" "$1.out"
    "$nsh" -S -q compare.lua "$1.made" "$1.again" >"$1.diff" 2>&1
    check $? "$1: its trace builds the same network" "$1.diff"
    sed -n "s/^\([0-9]* fields compared\)/# $1: \1/p" "$1.diff"
}

cat >many.lua <<'EOF2'
local function refused(object, verb, args)
    assert(not pcall(object[verb], object, args))
end

local host = nsh.host
local a = nsh.netns.add "a"
local odd = nsh.netns.add "it's an \"odd\" $name"
local anonymous, another = nsh.netns.new(), nsh.netns.new()

-- ids, before a link that crosses gives one
host.nsid:add{ a, nsid = 17 }
host.nsid:add{ odd, nsid = 18 }
a.nsid:add{ anonymous, nsid = 3 }

-- links
host.link:add{ "v0", type = "veth", peer = "v1" }
host.link:add{ "far", type = "veth", mtu = 1400, up = true, peer = { "near", netns = a, mtu = 1400 } }
host.link:add{ "to-odd", type = "veth", peer = { "x'y$z", netns = odd, txqueuelen = 50 } }
odd.link:set{ "x'y$z", alias = "p q" }
host.link:add{ "q0", type = "veth", numtxqueues = 3, numrxqueues = 2, group = 7, txqueuelen = 77,
    alias = "it's \"quoted\" $HOME `id` \\ ; & * é", address = "02:00:00:00:00:99", peer = { "q1" } }
host.link:add{ "both", type = "veth", addrgenmode = "none", alias = "second", peer = "ways",
    netns = odd }
host.link:add{ "named-by-kernel", type = "veth" }
anonymous.link:add{ "one", type = "veth", up = true, peer = { "two", netns = another } }
a.link:add{ "back", type = "veth", peer = { "front", netns = host } }
host.link:set{ "v0", mtu = 1300, multicast = false, up = true }
host.link:set{ "v1", arp = false, promisc = true, allmulticast = true, up = true }
host.link:set{ "q1", name = "renamed" }
host.link:set{ "renamed", alias = "", up = true }
host.link:set{ "renamed", down = true, addrgenmode = "none" }
another.link:set{ "two", netns = odd, name = "moved" }
a.link:set{ "near", up = true }
odd.link:set{ "x'y$z", up = true }
odd.link:add{ "gone", type = "bridge" }
odd.link:del "gone"
refused(host.link, "add", { "v0", type = "bridge" })
host.link:set{ "v0", alias = "two\nlines" }
refused(host.link, "set", { "v0", mtu = 1, alias = "x\ntouch must-not-be" })

-- bridges and ports
host.link:add{ "br0", type = "bridge", address = "02:00:00:00:00:0b", priority = 4096, ageing_time = 2000,
    group_fwd_mask = 8, mcast_snooping = 0, mcast_querier_interval = 30000, no_linklocal_learn = 1,
    mcast_igmp_version = 3 }
anonymous.link:add{ "br1", type = "bridge", address = "02:00:00:00:00:0c", bridge = { hello_time = 300, nf_call_iptables = 1 } }
anonymous.link:set{ "br1", type = "bridge", max_age = 1500, group_address = "01:80:c2:00:00:04" }
host.link:set{ "q0", master = "br0", up = true }
host.link:set{ "far", master = "br0" }
host.link:set{ "far", type = "bridge_slave", cost = 33, hairpin = true, learning = false, priority = 7,
    group_fwd_mask = 8, isolated = "on" }
host.link:set{ "q0", type = "bridge_slave", backup_port = "far" }
host.link:set{ "v1", master = "br0" }
host.link:set{ "v1", nomaster = true }
host.link:set{ "br0", up = true }

-- addresses
host.addr:add{ "10.0.0.1/24", dev = "v0", brd = "+" }
host.addr:add{ "10.0.0.2/24", dev = "v0", label = "v0:second" }
host.addr:add{ "10.0.1.1", peer = "10.0.2.1/24", dev = "v0", scope = "link", metric = 50 }
host.addr:add{ local_ = "10.0.3.1", prefixlen = 24, dev = "v0", noprefixroute = true }
host.addr:add{ "10.0.4.1/24", dev = "v0", valid_lft = 5000, preferred_lft = 4000 }
host.addr:add{ "10.0.5.1/24", dev = "v0", valid_lft = "forever", preferred_lft = 0 }
host.addr:add{ "10.0.6.1/24", dev = "v0" }
host.addr:del{ "10.0.6.1/24", dev = "v0" }
host.addr:add{ "10.0.7.1/24", dev = "br0", broadcast = "10.0.7.99" }
host.addr:add{ "fd00::1/64", dev = "v0", nodad = true, home = true }
host.addr:add{ "fd00:1::1", peer = "fd00:1::2", dev = "v0", nodad = true }
host.addr:add{ "fd00:2::1/64", dev = "v0", nodad = true, valid_lft = 5000, preferred_lft = 4000 }
host.addr:replace{ "fd00::1/64", dev = "v0", nodad = true, metric = 77 }
host.addr:add{ "10.8.0.1/24", dev = "q0" }
host.addr:flush{ dev = "q0", scope = "global" }
a.addr:add{ "10.0.7.2/24", dev = "near" }
odd.addr:add{ "192.0.2.1/24", dev = "x'y$z" }
anonymous.addr:add{ "10.0.9.1/24", dev = "one" }
for _, address in ipairs(a.addr:list{ dev = "near", family = "inet" }) do
    odd.link:set{ "moved", up = true }
    address.ifname, address.label = "moved", nil
    odd.addr:add(address)
end

-- routes
host.route:add{ "default", via = "10.0.0.254" }
host.route:add{ "10.1.0.0/16", via = "10.0.0.254", metric = 5, mtu = 1200, advmss = 1100, congctl = "reno" }
host.route:add{ "10.2.0.0/16", type = "unreachable" }
host.route:add{ "10.3.0.0/16", type = "blackhole", table = 100 }
host.route:add{ "10.4.0.0/16", via = "172.31.0.1", dev = "v0", onlink = true, src = "10.0.0.2" }
host.route:add{ "10.5.0.0/16", dev = "v0", tos = "0x10", protocol = "static", scope = "host" }
host.route:replace{ "10.6.0.0/16", dev = "v0", table = 70000 }
host.route:append{ "10.1.0.0/16", via = "10.0.0.253", metric = 5 }
host.route:add{ "10.7.0.0/16", dev = "v0" }
host.route:del "10.7.0.0/16"
host.route:add{ "10.7.1.0/24", dev = "v0", protocol = 99 }
host.route:flush{ protocol = 99 }
host.route:add{ "10.9.9.9", type = "local", dev = "lo" }
host.route:add{ "default", via = "fd00::fe" }
host.route:add{ "fd01::/64", via = "fd00::fe", metric = 5, pref = "high", mtu = 1280 }
host.route:add{ "fd02::/64", type = "prohibit", metric = 7 }
host.route:add{ "fd03::/64", dev = "v0", table = 100, expires = 5000 }
host.route:add{ "default", family = "inet6", dev = "v0", metric = 2000 }
host.route:del{ "fd02::/64", type = "prohibit", metric = 7 }
refused(host.route, "add", { "10.10.0.0/16", via = "203.0.113.1" })
for _, route in ipairs(host.route:list{ "10.4.0.0/16" }) do
    host.route:del(route)
    host.route:add(route)
end

-- neighbours
host.neigh:add{ "10.0.0.10", lladdr = "02:00:00:00:01:0a", dev = "v0" }
host.neigh:add{ "10.0.0.11", lladdr = "02:00:00:00:01:0b", dev = "v0", nud = "noarp", router = true }
host.neigh:add{ "10.0.0.12", lladdr = "02:00:00:00:01:0c", dev = "v0", extern_learn = true, protocol = "static" }
host.neigh:add{ "fd00::10", lladdr = "02:00:00:00:01:10", dev = "v0" }
host.neigh:add{ proxy = true, dst = "10.0.0.16", dev = "v0" }
host.neigh:add{ proxy = true, dst = "fd00::16", dev = "v0" }
host.neigh:replace{ "10.0.0.10", lladdr = "02:00:00:00:01:ff", dev = "v0" }
host.neigh:add{ "10.0.0.20", lladdr = "02:00:00:00:01:20", dev = "v1" }
host.neigh:del{ "10.0.0.20", dev = "v1" }
host.neigh:add{ "10.0.0.21", lladdr = "02:00:00:00:01:20", dev = "v1" }
host.neigh:flush{ dev = "v1", nud = "permanent" }

-- sysctls, names
host:sysctl("net.ipv4.ip_forward", 1)
a:sysctl("net.ipv6.conf.all.forwarding", true)
odd:sysctl("net.ipv4.ping_group_range", "0 0")
anonymous:sysctl("net.ipv4.conf.all.rp_filter", 2)
local by_path, by_proc = nsh.netns.open "/run/netns/a", nsh.netns.open "/proc/thread-self/ns/net"
by_path.addr:add{ "192.0.2.7/32", dev = "lo" }
by_proc.addr:add{ "192.0.2.8/32", dev = "lo" }
assert(not pcall(host.sysctl, host, "net.ipv4.ip_forward", "x"))
assert(not pcall(nsh.netns.add, "a"))
nsh.netns.del(nsh.netns.add "short-lived")
EOF2

replays lesson "$ROOT/examples/lying-kernel.lua"
replays many many.lua

[ "$(grep -c "^# .*: " many.trace)" = 5 ] && ! [ -e must-not-be ]
check $? "a refused change is a comment, each line of it" many.trace
grep -q '^# ip link add .*v0.*: File exists$' many.trace
check $? "it says why" many.trace
! grep -Ev "^(#|ip|sysctl|nsenter) |^lines'$" many.trace lesson.trace >other
check $? "nothing but commands is on stderr" other
grep -q "ip -n 'it'\\\\''s an \"odd\" \$name' " many.trace
check $? "names are quoted for the shell" many.trace
! grep -Ei 'ifindex|dev [0-9]|master [0-9]' many.trace >other
check $? "no index of the kernel is in it" other
[ "$(grep -c 'link add' many.trace)" = "$(grep -c 'link add.* address .* type' many.trace)" ] || {
    grep 'link add' many.trace | grep -v 'address .* type' | grep -v bridge >other
    [ ! -s other ]
}
check $? "the MAC of each veth is in it" other

echo "1..$count"
exit "$failed"
