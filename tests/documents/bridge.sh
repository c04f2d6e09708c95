# shellcheck shell=sh disable=SC1091
# Document 4, "Linux Bridge", on a host without app1 and app2.

. "${0%/*}/functions.sh"
uplink enp0s1 192.168.64.3/24 192.168.64.1

for i in 3 4; do
    ip netns add "app$i"
    ip link add "hlink$i" type veth peer name "clink$i"
    ip link set "hlink$i" up
    ip link set "clink$i" netns "app$i"
    nsenter --net="/run/netns/app$i" sh -ec "
        ip link set lo up
        ip link set clink$i up
        ip addr add 172.16.0.${i}0/16 dev clink$i
    "
done

ip link add br0 type bridge
ip link set br0 up
ip link set hlink3 master br0
ip link set hlink4 master br0

ip addr add 172.16.0.1/16 dev br0
nsenter --net=/run/netns/app3 ip route add default via 172.16.0.1
nsenter --net=/run/netns/app4 ip route add default via 172.16.0.1
