#!/usr/bin/env bash
# nsh --draw: the picture of what a script has built. TAP.
set -u

nsh=$(realpath "${NSH:-./nsh}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
export LC_ALL=C.UTF-8
count=0

check() { # check STATUS NAME: 0 is success
    count=$((count + 1))
    [ "$1" = 0 ] || printf 'not '
    echo "ok $count - $2"
}

cat >lab.lua <<'EOF2'
local lab = nsh.lab "draw"
lab:node "a":connect{ "eth0", addr = "10.0.0.1/30", to = "b", peer = { "eth1", addr = "10.0.0.2/30" } }
lab:node "b"
lab:up()
print "built"
EOF2

cat >lab.txt <<'EOF2'
┌─ a ───────────────┐    ┌─ b ───────────────┐
│ eth0  10.0.0.1/30 ├────┤ eth1  10.0.0.2/30 │
└───────────────────┘    └───────────────────┘
EOF2

"$nsh" -S --draw - --run 'echo ran' lab.lua >out 2>err
{ echo built; cat lab.txt; echo ran; } | diff - out >&2 && [ ! -s err ]
check $? "as text, after the script and before --run's command"

"$nsh" -S --draw=p.txt lab.lua >out && diff lab.txt p.txt >&2
check $? "a .txt is the same"

"$nsh" -S --draw p.dot lab.lua >out && grep -q '^digraph "draw"' p.dot
check $? "a .dot"

"$nsh" -S --draw p.mmd lab.lua >out && grep -q '^flowchart' p.mmd
check $? "a .mmd"

if command -v dot >/dev/null; then
    "$nsh" -S --draw p.svg lab.lua >out && grep -q '10\.0\.0\.2/30' p.svg
    check $? "a .svg"
else
    count=$((count + 1))
    echo "ok $count - a .svg # SKIP graphviz is not there"
fi

"$nsh" -S -n --draw - lab.lua >out && grep -q '^ip netns add b$' out && tail -n 3 out | diff lab.txt - >&2
check $? "also of a plan"

cat >plain.lua <<'EOF2'
local ns1 = nsh.netns.add "ns1"
host.link:add{ "veth0", type = "veth", peer = { "veth1", netns = ns1 } }
EOF2
cat >plain.txt <<'EOF2'
┌─ host ─────┐    ┌─ ns1 ──────┐
│ veth0 down ├────┤ veth1 down │
└────────────┘    └────────────┘
EOF2
"$nsh" -S --draw - plain.lua | diff plain.txt - >&2
check $? "without a lab: the host, and the namespaces that have a name"

cat >anonymous.lua <<'EOF2'
local outside = nsh.netns.new()
host.link:add{ "uplink", type = "veth", peer = { "gateway", netns = outside } }
for i = 1, 200 do nsh.netns.add("ns" .. i) end
EOF2
"$nsh" -S --draw - --run 'sleep 0.2; ip -br link show dev uplink | grep -o uplink' anonymous.lua >out
[ "$(grep -c 'uplink' out)" = 2 ]
check $? "what variables held is still there, also for --run"

cat >two.lua <<'EOF2'
for _, name in ipairs { "one", "two" } do
    local lab = nsh.lab(name)
    lab:node "a":connect{ "eth0", to = lab:node("only-" .. name), peer = { "eth1" } }
end
collectgarbage()
EOF2
cat >two.txt <<'EOF2'
┌─ one/a ┐    ┌─ only-one ┐
│ eth0   ├────┤ eth1      │
└────────┘    └───────────┘
┌─ two/a ┐    ┌─ only-two ┐
│ eth0   ├────┤ eth1      │
└────────┘    └───────────┘
EOF2
"$nsh" -S --draw - two.lua | diff two.txt - >&2
check $? "two labs, none of which is up"

echo 'print(1)' | "$nsh" -S --draw - | grep -q 'host'
check $? "a script on standard input"

"$nsh" -S --draw p.jpg -e 'print "ran"' >out 2>err
[ $? = 2 ] && [ ! -s out ] && [ ! -e p.jpg ] &&
    grep -qx 'nsh: --draw p.jpg: the name must end with .svg, .png, .pdf, .dot, .gv, .mmd or .txt, or be -' err
check $? "an ending that is unknown is told before the script runs"

"$nsh" -S --draw 2>err
[ $? = 2 ] && grep -q 'option --draw needs an argument' err
check $? "a name is needed"

"$nsh" -S --draw none/p.dot -e 'print "ran"' --run 'echo never' >out 2>err
[ $? = 1 ] && [ "$(cat out)" = ran ] &&
    grep -q 'cannot save the picture as none/p.dot: No such file or directory (ENOENT)' err
check $? "what cannot be written is an error"

"$nsh" -S --draw - -e 'os.exit(true)' | grep -q host
check $? "a script that ends itself is drawn"

"$nsh" -S --draw failed.dot -e 'os.exit(3)' >out 2>err
[ $? = 3 ] && [ ! -e failed.dot ]
check $? "but not if it failed"

"$nsh" -S --draw failed.dot -e 'error "x"' >out 2>err
[ $? = 1 ] && [ ! -e failed.dot ]
check $? "a script that failed is not drawn"

echo "1..$count"
