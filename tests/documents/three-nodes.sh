# shellcheck shell=sh disable=SC1091,SC2154
# Document 3, "Several connected nodes" and "Connecting namespaces to the Internet": vns1, vns2 and vns3 stand
# for the three shells, ip for brctl.

. "${0%/*}/functions.sh"
uplink enp0s1 192.168.64.3/24 192.168.64.1

ip link add virbr100500 type bridge
ip link set up dev virbr100500

for i in 1 2 3; do
    unshared "vns$i"
    outer=veth$((2 * i - 2)) inner=veth$((2 * i - 1))
    ip link add name "$outer" type veth peer name "$inner" netns "$pid"
    ip link set "$outer" master virbr100500
    ip link set up "$outer"
    nsenter --net --target "$pid" ip addr add "10.0.2.$i/24" brd 10.0.2.255 dev "$inner"
    nsenter --net --target "$pid" ip link set up dev "$inner"
done

sysctl -qw net.ipv4.ip_forward=1
ip addr add 10.0.2.254/24 brd 10.0.2.255 dev virbr100500
nft -f - <<'END'
table ip nat {
    chain postrouting {
        type nat hook postrouting priority srcnat
        oifname "enp0s1" ip saddr 10.0.2.0/24 masquerade
    }
}
END

for i in 1 2 3; do
    nsenter --net="/run/netns/vns$i" ip route add default via 10.0.2.254 dev "veth$((2 * i - 1))"
done
