# shellcheck shell=sh
# Document 0: two containers on a bridge. The document describes what its script builds; where it leaves
# something open: both inner addresses are /24, the bridge's is /16, lo stays down.

ip link add containers type bridge
ip addr add 192.168.0.1/16 dev containers
ip link set containers up

for i in 1 2; do
    ip netns add "container$i-ns"
    ip link add "container$i-out" type veth peer name "container$i-in"
    ip link set "container$i-in" netns "container$i-ns"
    ip link set "container$i-out" master containers
    ip link set "container$i-out" up
done

ip netns exec container1-ns ip addr add 192.168.2.1/24 dev container1-in
ip netns exec container1-ns ip link set container1-in up
ip netns exec container1-ns ip route add default dev container1-in

ip netns exec container2-ns ip addr add 192.168.3.1/24 dev container2-in
ip netns exec container2-ns ip link set container2-in up
ip netns exec container2-ns ip route add default dev container2-in
