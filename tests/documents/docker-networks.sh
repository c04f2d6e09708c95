# shellcheck shell=sh
# Document 4, "Docker Networks", which it describes without commands: what Docker does, by hand.
#
#   hostA ── eth0 192.168.64.3/24 ═══ eth0 192.168.64.4/24 ── hostB
#
#   network   on      bridge       its address     container  eth0             host's end
#   bridge    hostA   docker0      172.17.0.1/16   c1         172.17.0.2/16    veth1
#                                                  c2         172.17.0.3/16    veth2
#   custom    hostA   br-custom    172.18.0.1/16   c3         172.18.0.2/16    veth3
#   none      hostA   -                            c4         -                -
#   host      hostA   -                            -          hostA's own      -
#   overlay   hostA   br-overlay   -               c5         10.0.1.2/24      veth5
#             hostB   br-overlay   -               c6         10.0.1.3/24      veth6
#
# The overlay's bridges have a port vxlan0 each: id 4097, which is Docker's first, UDP 4789, the other host as
# remote. Its cables have an MTU of 1450, which leaves room for the outer headers.

for host in hostA hostB; do
    ip netns add "$host"
    ip -n "$host" link set lo up
done
ip link add eth0 netns hostA type veth peer name eth0 netns hostB
ip -n hostA link set eth0 up
ip -n hostB link set eth0 up
ip -n hostA addr add 192.168.64.3/24 dev eth0
ip -n hostB addr add 192.168.64.4/24 dev eth0

# network HOST BRIDGE [ADDRESS]
network() {
    ip -n "$1" link add "$2" type bridge
    [ $# -lt 3 ] || ip -n "$1" addr add "$3" dev "$2"
    ip -n "$1" link set "$2" up
}

# container NUMBER HOST BRIDGE MTU ADDRESS [GATEWAY]
container() {
    ip netns add "c$1"
    ip -n "c$1" link set lo up
    ip link add "veth$1" netns "$2" mtu "$4" type veth peer name eth0 netns "c$1" mtu "$4"
    ip -n "$2" link set "veth$1" master "$3"
    ip -n "$2" link set "veth$1" up
    ip -n "c$1" link set eth0 up
    ip -n "c$1" addr add "$5" dev eth0
    [ $# -lt 6 ] || ip -n "c$1" route add default via "$6"
}

network hostA docker0 172.17.0.1/16
container 1 hostA docker0 1500 172.17.0.2/16 172.17.0.1
container 2 hostA docker0 1500 172.17.0.3/16 172.17.0.1

network hostA br-custom 172.18.0.1/16
container 3 hostA br-custom 1500 172.18.0.2/16 172.18.0.1

ip netns add c4
ip -n c4 link set lo up

network hostA br-overlay
network hostB br-overlay
ip -n hostA link add vxlan0 type vxlan id 4097 local 192.168.64.3 remote 192.168.64.4 dev eth0 dstport 4789
ip -n hostB link add vxlan0 type vxlan id 4097 local 192.168.64.4 remote 192.168.64.3 dev eth0 dstport 4789
for host in hostA hostB; do
    ip -n "$host" link set vxlan0 master br-overlay
    ip -n "$host" link set vxlan0 up
done
container 5 hostA br-overlay 1450 10.0.1.2/24
container 6 hostB br-overlay 1450 10.0.1.3/24
