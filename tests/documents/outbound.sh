# shellcheck shell=sh disable=SC1091
# Document 1, "Outbound Traffic via Bridge": goes on from veth.sh.

. "${0%/*}/functions.sh"
uplink ens33 192.168.70.53/24
. "${0%/*}/veth.sh"

ip link add name br0 type bridge
ip link set br0 up
ip link set veth0 master br0
ip addr del 2.2.2.1/30 dev veth0
ip addr add 2.2.2.1/30 dev br0

nsenter --net=/run/netns/ns1 ip route add default via 2.2.2.1 dev veth1

sysctl -qw net.ipv4.ip_forward=1
nft -f - <<'END'
table ip nat {
    chain postrouting {
        type nat hook postrouting priority srcnat
        ip saddr 2.2.2.0/30 snat to 192.168.70.53
    }
}
END
