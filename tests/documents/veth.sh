# shellcheck shell=sh
# Document 1, "Inter-container communication": a pair, one end in ns1.

ip link add veth0 type veth peer name veth1
ip addr add 2.2.2.1/30 dev veth0
ip link set veth0 up

ip netns add ns1
ip link set veth1 netns ns1

nsenter --net=/run/netns/ns1 ip addr add 2.2.2.2/30 dev veth1
nsenter --net=/run/netns/ns1 ip link set veth1 up
