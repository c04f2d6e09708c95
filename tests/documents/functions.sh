# shellcheck shell=sh
# What several of the documents' commands stand on; to be sourced.

# uplink NAME ADDRESS [GATEWAY]: the way out that a document's host has, a cable to a namespace of our own
uplink() {
    ip netns add outside
    ip link add "$1" type veth peer name gateway netns outside
    ip -n outside link set gateway up
    ip link set "$1" up
    ip addr add "$2" dev "$1"
    [ $# -lt 3 ] || ip route add default via "$3" dev "$1" metric 100
}

# unshared NAME: document 3's `unshare -n`, a namespace that lives by a process, whose id is put into pid.
# It gets a name too, so that `ip -n NAME` finds it.
unshared() {
    unshare --net sleep infinity >/dev/null 2>&1 &
    pid=$!
    while [ "$(readlink "/proc/$pid/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
    ip netns attach "$1" "$pid"
}
