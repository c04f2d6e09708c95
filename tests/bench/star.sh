#!/bin/bash
# The star of floor.c with iproute2, and floor.c's lines. It does not wait until the links run.
#   star.sh tutorial N    in the tutorials' style, a command for each step
#   star.sh batch N       as fast as ip can: links made in place, one process for each namespace
set -eu
style=$1 count=$2
patience=60 # seconds

set_address() {
    address=10.0.$((($1 - 1) / 250 + 1)).$((($1 - 1) % 250 + 1))
}

# --- in the tutorials' style -----------------------------------------------------------------------

tutorial_leaf() {
    set_address "$1"
    ip netns add "n$1"
    ip link add "h$1" type veth peer name "c$1"
    ip link set "c$1" netns "n$1"
    ip netns exec "n$1" ip link set "c$1" name eth0
    ip link set "h$1" master br0
    ip link set "h$1" up
    ip netns exec "n$1" ip addr add "$address/16" dev eth0
    ip netns exec "n$1" ip link set lo up
    ip netns exec "n$1" ip link set eth0 up
    ip netns exec "n$1" ip route add default via 10.0.0.1
}

tutorial_up() {
    ip link add br0 type bridge
    ip link set br0 up
    ip addr add 10.0.0.1/16 dev br0
    for ((i = 1; i <= count; i++)); do
        tutorial_leaf "$i"
    done
}

tutorial_down() {
    for ((i = 1; i <= count; i++)); do
        ip netns del "n$i"
    done
    ip link del br0
}

# --- as fast as ip can -----------------------------------------------------------------------------

batch_host() {
    echo "link add br0 type bridge"
    echo "addr add 10.0.0.1/16 dev br0"
    for ((i = 1; i <= count; i++)); do
        echo "netns add n$i"
        echo "link add h$i up master br0 type veth peer name eth0 netns n$i"
    done
}

batch_leaf() {
    set_address "$1"
    ip -n "n$1" -batch - <<END
link set lo up
link set eth0 up
addr add $address/16 dev eth0
route add default via 10.0.0.1
END
}

batch_up() {
    batch_host | ip -batch -
    for ((i = 1; i <= count; i++)); do
        batch_leaf "$i"
    done
    ip link set br0 up
}

batch_down() {
    printf '%s\n' "link set br0 down" "link del br0" | ip -batch -
    ip -all netns delete
}

# --- what is measured ------------------------------------------------------------------------------

print_since() {
    awk -v what="$1" -v start="$2" -v now="$EPOCHREALTIME" 'BEGIN { printf "%s %.6f\n", what, now - start }'
}

# As floor.c: one namespace more than our own is allowed, and refused while others are left.
wait_until_gone() {
    SECONDS=0
    echo 2 >/proc/sys/user/max_net_namespaces
    until unshare --net true 2>/dev/null; do
        ((SECONDS < patience)) || exit 1
        sleep 0.001
    done
}

start=$EPOCHREALTIME
"${style}_up"
print_since up "$start"
start=$EPOCHREALTIME
"${style}_down"
print_since down-returns "$start"
wait_until_gone
print_since down-gone "$start"
