# shellcheck shell=sh disable=SC1091,SC2154
# Document 3, "Two directly linked nodes": vns1 and vns2 stand for the two shells.

. "${0%/*}/functions.sh"
unshared vns1
first=$pid
unshared vns2

nsenter --net --target "$first" ip link add name veth0 type veth peer name veth1 netns "$pid"

nsenter --net --target "$first" sh -e <<'END'
ip link set up dev veth0
ip addr add 10.0.2.1/24 brd 10.0.2.255 dev veth0
ip link set up dev lo
END

nsenter --net --target "$pid" sh -e <<'END'
ip link set up dev veth1
ip addr add 10.0.2.2/24 brd 10.0.2.255 dev veth1
ip link set up dev lo
END
