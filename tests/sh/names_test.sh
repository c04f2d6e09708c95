#!/usr/bin/env bash
# Tables, protocols, scopes, realms, groups and DS fields by the names of /etc/iproute2, as iproute2 has them. TAP.
set -u

nsh=$(realpath "${NSH:-./nsh}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
count=0
failed=0

# check NAME WANTED FILE: whether the file is that text
check() {
    count=$((count + 1))
    if [ "$2" = "$(cat "$3")" ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        diff <(echo "$2") "$3" | sed 's/^/# /'
        failed=1
    fi
}

mkdir -p names/rt_tables.d names/rt_protos.d
printf '# comment\n\n0 nothing\n254 haupt\n255\tlocal\n  7 seven # for sure\n0x64 hundred\n' >names/rt_tables
printf '70000 big\n7 lucky\n' >names/rt_tables.d/more.conf
printf '9 not-read\n' >names/rt_tables.d/more.txt
printf '186 bgp\n77 mine\n4 fixed\n' >names/rt_protos
printf '78 yours\n' >names/rt_protos.d/more.conf
printf '0 global\n33 yard\n' >names/rt_scopes
printf '5 house\n6 garden\n' >names/rt_realms
printf '3 crowd\n' >names/group
printf '0x10 hurry\n0x28 AF11\n' >names/rt_dsfield

cat >build.lua <<'E2'
host.link:add{ "v0", type = "veth", peer = "v1", group = "crowd", up = true }
host.addr:add{ "10.0.0.1/24", dev = "v0", scope = "yard" }
local function route(i, args)
    args[1], args.dev = ("10.9.%d.0/24"):format(i), "v0"
    host.route:add(args)
end
for i, name in ipairs{ "haupt", "main", "lucky", "hundred", "big", 9 } do
    if pcall(route, i, { table = name }) == (name == "main") then print("table " .. name) end
end
for i, name in ipairs{ "mine", "yours", "fixed", "bgp", 200 } do route(10 + i, { protocol = name }) end
route(20, { scope = "yard", tos = "hurry", realms = "house/garden" })
route(21, { flow = { to = "garden" }, tos = "af11" })
host.rule:add{ priority = 9, table = "lucky", tos = "hurry", protocol = "mine", suppress_ifgroup = "crowd" }
host.neigh:add{ "10.0.0.9", dev = "v0", lladdr = "02:00:00:00:00:01", protocol = "mine" }
print(select(2, pcall(host.route.add, host.route, { "10.9.99.0/24", dev = "v0", table = "not-read" })))
E2

# What nsh and ip say of the same, one value a line.
cat >show.lua <<'E2'
local cjson = require "cjson"
local function say(records)
    for _, r in ipairs(records) do
        local flow = r.flow or {}
        print(math.tointeger(r.priority) or r.dst, r.table, r.protocol, r.scope, r.tos, flow.from, flow.to, r.suppress_ifgroup)
    end
end
local function ip(command)
    return cjson.decode(host:exec{ "sh", "-c", "ip -j -d " .. command, output = true }.out)
end
if arg[1] == "nsh" then
    say(host.route:list{ table = "all", family = "inet" })
    say(host.rule:list())
    say(host.neigh:list())
    print(host.link:get("v0").group, host.addr:list("v0")[1].scope)
else
    say(ip "-4 route show table all")
    say(ip "rule show")
    say(ip "neigh show")
    print(ip("link show v0")[1].group, ip("-4 addr show v0")[1].addr_info[1].scope)
end
E2

# What is in the folder `names` is /etc/iproute2, for nsh and for ip.
# shellcheck disable=SC2016 # for the inner shell
unshare --user --map-root-user --mount --net bash -c '
    mount --bind names /etc/iproute2 && ip link set lo up || exit 1
    nsh=$1
    "$nsh" -q build.lua >said 2>&1
    "$nsh" -q show.lua nsh >by-nsh 2>&1
    "$nsh" -q show.lua ip >by-ip 2>&1
    ip route flush table big && ip route show table all | grep -c big >flushed
    rm names/rt_tables; "$nsh" -q -e "print(host.rule:list{ priority = 9 }[1].table, host.rule:list{ priority = 32766 }[1].table)" >without 2>&1
' bash "$nsh"

check "a name that is none is refused, and so is one that the file has taken away" \
    'build.lua:15: cannot add route 10.9.99.0/24 in host: table: "not-read" given, one of haupt, local, default, all, lucky, hundred, big expected (EINVAL)' said
check "nsh and iproute2 have the same names" "$(cat by-ip)" by-nsh
grep -cE 'haupt|lucky|hundred|big|mine|yours|fixed|yard|hurry|house|crowd' by-nsh >names-seen
check "they are in use" "$(grep -cE 'haupt|lucky|hundred|big|mine|yours|fixed|yard|hurry|house|crowd' by-ip)" names-seen
check "without the file there are iproute2's own" 'lucky	main' without

echo "1..$count"
exit "$failed"
