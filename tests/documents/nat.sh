# shellcheck shell=sh disable=SC1091
# Document 4, "Internet Connectivity": goes on from bridge.sh.

. "${0%/*}/bridge.sh"

echo 1 >/proc/sys/net/ipv4/ip_forward
nft -f - <<'END'
table ip nat {
    chain postrouting {
        type nat hook postrouting priority srcnat
        ip saddr 172.16.0.0/16 oifname != "br0" masquerade
    }
}
END
