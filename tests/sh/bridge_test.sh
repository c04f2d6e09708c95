#!/usr/bin/env bash
# examples/bridge.lua builds the network of the document's own commands, is visible under the document's
# names while it is up, and fails when one of its steps is missing. TAP.
set -u

nsh=$(realpath "${NSH:-./nsh}")
root=$(realpath "$(dirname "$0")/../..")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
count=0

# check STATUS NAME: 0 is success; what is in the file `out` explains a failure
check() {
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        sed 's/^/# /' "$scratch/out"
    fi
}

# The commands of "Linux Bridge" up to the default routes, and the uplink that the document's host has.
cat >"$scratch/document" <<'EOF'
ip netns add outside
ip link add enp0s1 type veth peer name gateway netns outside
ip link set enp0s1 up; ip -n outside link set gateway up
ip addr add 192.168.64.3/24 dev enp0s1
for i in 3 4; do
    ip netns add app$i
    ip link add hlink$i type veth peer name clink$i
    ip link set hlink$i up
    ip link set clink$i netns app$i
    ip -n app$i link set lo up
    ip -n app$i link set clink$i up
    ip -n app$i addr add 172.16.0.${i}0/16 dev clink$i
done
ip link add br0 type bridge
ip link set br0 up
ip link set hlink3 master br0
ip link set hlink4 master br0
ip addr add 172.16.0.1/16 dev br0
ip -n app3 route add default via 172.16.0.1
ip -n app4 route add default via 172.16.0.1
EOF

# What a reader compares: names, kinds, masters, up or down; addresses; routes. Not what chance decides:
# indexes, MACs and the addresses made from them, the id of a namespace.
cat >"$scratch/look" <<'EOF'
for options in "" "-n app3" "-n app4"; do
    echo "== $options"
    ip $options -d link | sed -n 's/^[0-9]*: \([^:@]*\)[^:]*: <\([^>]*\)> mtu \([0-9]*\).*/link \1 \2 \3/p' | sort
    ip $options -d link | grep -o '\(veth\|bridge\|bridge_slave\) ' | sort
    ip $options -o link | sed -n 's/^[0-9]*: \([^:@]*\).* master \([^ ]*\) .*/\1 in \2/p' | sort
    ip $options -o -4 addr | sed 's/^[0-9]*: *//; s/ *\\.*//' | sort
    ip $options route | sort
done
EOF

cat >"$scratch/document.lua" <<'EOF'
assert(host:exec{ "sh", "-e", arg[1] }.status == 0)
nsh.settle{ host, nsh.netns.open "app3", nsh.netns.open "app4" }
EOF
"$nsh" -S --run "sh $scratch/look" "$scratch/document.lua" "$scratch/document" \
    >"$scratch/document.out" 2>"$scratch/out"
check $? "the document's commands"
"$nsh" -S --run "sh $scratch/look" "$root/examples/bridge.lua" 2>"$scratch/out" |
    sed -n '/^== /,$p' >"$scratch/nsh.out"
check "${PIPESTATUS[0]}" "examples/bridge.lua"
[ "$(grep -c . "$scratch/document.out")" -gt 30 ]
check $? "there is something to compare"
diff "$scratch/document.out" "$scratch/nsh.out" >"$scratch/out"
check $? "builds what the document's commands build"

"$nsh" -S --run 'ip -n app3 -j addr; ip -n app4 route; ping -c1 172.16.0.30' "$root/examples/bridge.lua" \
    >"$scratch/out" 2>&1
check $? "iproute2 sees the nodes by name, and the host's ping gets an answer"

# A lesson whose steps can be left out teaches nothing: without any one of these a check must fail.
while read -r step; do
    grep -vF -- "$step" "$root/examples/bridge.lua" >"$scratch/without.lua"
    ! cmp -s "$root/examples/bridge.lua" "$scratch/without.lua" &&
        ! timeout 30 "$nsh" -S "$scratch/without.lua" >"$scratch/out" 2>&1
    check $? "fails without: $step"
done <<'EOF'
app.link:set{ "lo", up = true }
app.link:set{ clink, up = true }
app.addr:add{ "172.16.0." .. i
host.link:set{ "hlink3", master
host.link:set{ "hlink4", master
host.addr:add{ "172.16.0.1/16"
host.addr:add{ "192.168.64.3/24"
app3.route:add
app4.route:add
EOF
echo "1..$count"
