#!/usr/bin/env bash
# Labs as the program runs them: -n, Ctrl-C, progress. TAP.
# shellcheck disable=SC2016 # "$" for another shell
set -u

nsh=$(realpath "${NSH:-./nsh}")
export nsh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
count=0

check() { # check STATUS NAME [FILE]: the file says why not
    count=$((count + 1))
    if [ "$1" = 0 ]; then echo "ok $count - $2"; else
        echo "not ok $count - $2"
        sed 's/^/# /' "${3:-out}"
    fi
}

cat >lab.lua <<'EOF2'
local lab = nsh.lab "bridge"
local pool = lab:pool "172.16.0.0/16"
local gateway = pool:next()
lab.host:bridge{ "br0", addr = gateway }
for i = 3, 4 do
    local app = lab:node("app" .. i)
    app:connect{ "clink" .. i, addr = pool, via = gateway, to = lab.host, peer = { "hlink" .. i, master = "br0" } }
    app:sysctl("net.ipv4.conf.all.rp_filter", 2)
end
lab:find "app3":nft "table inet t { chain c { type filter hook input priority 0; }; }"
lab:up()
print "it is up"
EOF2

"$nsh" -S -n lab.lua >plan 2>err
check $? "-n ends well" err
grep -q 'ip -n app4 addr add 172.16.0.3/16 dev clink4' plan && ! grep -q 'it is up' plan
check $? "-n prints the plan, and nothing behind up() runs" plan

"$nsh" -S -n -e 'host.link:add{ "br9", type = "bridge" }' >out 2>&1
[ $? = 1 ] && grep -q 'cannot add link br9 in host: nsh -n changes nothing' out
check $? "-n refuses a plain change"

# What a reader would look at: names, kinds, addresses, routes; not what counts up.
cat >state.sh <<'EOF2'
for ns in app3 app4; do
    ip -n $ns -br link
    ip -n $ns -br -4 addr
    ip -n $ns route
    ip netns exec $ns nft list ruleset
    ip netns exec $ns sysctl net.ipv4.conf.all.rp_filter
done
ip -br link
ip -br -4 addr
EOF2
"$nsh" -S --run 'sh state.sh' lab.lua >by_nsh 2>&1
"$nsh" -S --run 'mkdir -p /run/netns; sh -e plan; sh state.sh' -e 'nsh.sandbox()' >by_plan 2>&1
# Not compared: the interfaces' own numbers ("clink3@if4"), and states, which take a moment to settle.
sed -i 's/@if[0-9]*//; s/ [A-Z][A-Z]* / /; s/<.*>//; s/linkdown//; s/  */ /g; s/ $//; /it is up/d' by_nsh by_plan
diff by_nsh by_plan >out
check $? "the plan, given to a shell, builds the same"

cat >big.lua <<'EOF2'
local lab = nsh.lab "big"
lab:star(tonumber(arg[1]), lab:pool "10.0.0.0/16")
os.execute(arg[2] or "") -- the shell's parent is nsh
lab:up()
EOF2
"$nsh" -S big.lua 900 '(sleep 0.1; kill -INT $PPID) &' >out 2>&1
[ $? = 130 ] && grep -q 'big.lua:4: interrupted' out
check $? "Ctrl-C ends up()"

# The prompt's own loop, which goes on after an interrupt.
cat >again.lua <<'EOF2'
local lab = nsh.lab "again"
lab:star(5, lab:pool "10.0.0.0/16")
lab:up()
for i = 1, 800 do lab:node("x" .. i):connect{ to = lab:find "s1" } end
local rounds = 0
require "nsh.core".interrupt.loop(function(err)
    rounds = rounds + 1
    if rounds == 1 then
        os.execute "(sleep 0.05; kill -INT $PPID) &"
        lab:up()
    end
    print(tostring(err):match "interrupted", #nsh.netns.list(), #lab:find "s1".link:list{ master = "s1" })
    print(lab:find "h1":ping(lab:find "h2").ok)
    return true
end)
EOF2
"$nsh" -S again.lua >out 2>&1
printf 'interrupted\t6\t5\ntrue\n' | cmp -s - out
check $? "an up() that is interrupted leaves the lab as it was"

"$nsh" -S big.lua 1000 >out 2>&1 && [ ! -s out ]
check $? "no progress is shown where there is no terminal"
script -qec "'$nsh' -S big.lua 1000" /dev/null >out 2>&1
grep -q 'big: [0-9]* of [0-9]* steps' out
check $? "on a terminal it is"

# The kernel may still be clearing the one before away when the next one uses its names.
cat >again_and_again.sh <<'EOF2'
for _ in 1 2 3 4 5 6 7 8; do "$nsh" lab.lua || exit 1; done
EOF2
"$nsh" -S --run 'sh again_and_again.sh' -e '' >out 2>&1
check $? "a lab can be built again at once"

# Two of them side by side, each a full mesh with an end in the host and a parameter of it.
cat >mesh.lua <<'EOF2'
local name, number = arg[1], arg[2]
local lab = nsh.lab(name)
local pool, nodes = lab:pool("10." .. number .. ".0.0/16"), {}
for i = 1, 5 do nodes[i] = lab:node(name .. i) end
for i = 1, 5 do
    for j = i + 1, 5 do
        local pair = pool:subnet(30)
        nodes[i]:connect{ addr = pair, to = nodes[j], peer = { addr = pair } }
    end
end
local pair = pool:subnet(30)
lab.host:connect{ name, addr = pair, to = nodes[1], peer = { addr = pair } }
lab.host:sysctl("net.ipv4.ip_forward", 1)
lab:up()
for _, node in ipairs(nodes) do
    for _, interface in ipairs(node.interfaces) do assert(node:ping(interface.peer:address()).ok) end
end
EOF2
cat >side_by_side.sh <<'EOF2'
before=$(cat /proc/sys/net/ipv4/ip_forward)
for _ in 1 2 3 4 5; do
    "$nsh" mesh.lua one 1 & first=$!
    "$nsh" mesh.lua two 2 || exit 1
    wait $first || exit 1
done
[ "$(cat /proc/sys/net/ipv4/ip_forward)" = "$before" ]
EOF2
"$nsh" -S --run 'sh side_by_side.sh' -e '' >out 2>&1
check $? "two full meshes side by side, again and again"

echo "1..$count"
