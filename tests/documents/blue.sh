# shellcheck shell=sh disable=SC1091
# Document 2: blue_ns, and a pair that takes it to the host. The part on bridges has no commands.

. "${0%/*}/functions.sh"
uplink ens33 192.168.0.194/24

ip netns add blue_ns
ip netns exec blue_ns ip link set dev lo up

ip link add dev veth_root_ns type veth peer name veth_blue_ns
ip link set dev veth_root_ns up
ip link set veth_blue_ns netns blue_ns
ip netns exec blue_ns ip link set dev veth_blue_ns up
ip address add 10.0.0.1/24 dev veth_root_ns
ip netns exec blue_ns ip addr add 10.0.0.2/24 dev veth_blue_ns

ip netns exec blue_ns ip route add default via 10.0.0.1
