# shellcheck shell=sh disable=SC1091
# Document 4, "Network Namespace to Network Namespace connectivity": goes on from host-link.sh.

. "${0%/*}/host-link.sh"

ip netns add app2
ip link add hlink2 type veth peer name clink2
ip link set hlink2 up
ip addr add 172.16.0.20/16 dev hlink2
ip link set clink2 netns app2
nsenter --net=/run/netns/app2 sh -ec '
    ip link set lo up
    ip link set clink2 up
    ip addr add 172.16.0.21/16 dev clink2
'
