# shellcheck shell=sh disable=SC1091
# Document 4, "Network Namespace to Host connectivity".

. "${0%/*}/functions.sh"
uplink enp0s1 192.168.64.3/24 192.168.64.1

ip netns add app1
ip link add hlink1 type veth peer name clink1
ip link set clink1 netns app1
nsenter --net=/run/netns/app1 sh -ec '
    ip link set clink1 up
    ip addr add 172.16.0.11/16 dev clink1
'
nsenter --net=/run/netns/app1 ip link set lo up
ip link set hlink1 up
ip addr add 172.16.0.10/16 dev hlink1
