#!/usr/bin/env bash
# Each example holds all its checks, also beside a second run of itself; it leaves the state that its document's
# own commands leave (tests/documents), says those commands with -x, looks as examples/pictures shows it, and
# leaves nothing behind. TAP.
set -u
# A lesson runs `nsh enter`, in a /proc that LeakSanitizer does not know its way in.
export ASAN_OPTIONS=detect_leaks=0

nsh=$(realpath "${NSH:-./nsh}")
root=$(realpath "$(dirname "$0")/../..")
documents=$root/tests/documents
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
count=0
sandbox=-S
[ "$(id -u)" = 0 ] || sandbox= # an ordinary user gets one by themselves

# check STATUS NAME FILE: 0 is success; what is in the file explains a failure
check() {
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        tail -n 40 "$3" | sed 's/^/# /'
    fi
}

# The uplink, which each host has in its own way, and the namespaces that `ip -n` sees under --run.
cat >examples <<'EOF2'
lying-kernel    -      container1-ns container2-ns
veth            -      ns1
outbound        ens33  ns1
blue            ens33  blue_ns
isolated        -      vns1
two-nodes       -      vns1 vns2
three-nodes     enp0s1 vns1 vns2 vns3
host-link       enp0s1 app1
route-conflict  enp0s1 app1 app2
bridge          enp0s1 app3 app4
nat             enp0s1 app3 app4
docker-networks -      hostA hostB c1 c2 c3 c4 c5 c6
EOF2

# What a reader recognises: words of the document's commands, all of them in one line of the trace, in any order.
cat >commands <<'EOF2'
lying-kernel: netns add container1-ns
lying-kernel: link add containers type bridge
lying-kernel: link add container1-out type veth peer container1-in
lying-kernel: link container1-out master containers
lying-kernel: addr add 192.168.0.1/16 dev containers
lying-kernel: container1-ns addr add 192.168.2.1/24 dev container1-in
lying-kernel: container2-ns route add default dev container2-in
veth: netns add ns1
veth: link add veth0 type veth peer veth1
veth: addr add 2.2.2.1/30 dev veth0
veth: link veth0 up
veth: ns1 addr add 2.2.2.2/30 dev veth1
veth: link veth1 up
outbound: link add br0 type bridge
outbound: link veth0 master br0
outbound: addr add 2.2.2.1/30 dev br0
outbound: ns1 route add default via 2.2.2.1
outbound: sysctl net.ipv4.ip_forward 1
outbound: snat 192.168.70.53
blue: netns add blue_ns
blue: blue_ns link lo up
blue: link add veth_root_ns type veth peer veth_blue_ns
blue: addr add 10.0.0.1/24 dev veth_root_ns
blue: blue_ns addr add 10.0.0.2/24 dev veth_blue_ns
blue: blue_ns route add default via 10.0.0.1
isolated: netns add vns1
two-nodes: link add veth0 type veth peer veth1 netns
two-nodes: addr add 10.0.2.1/24 brd 10.0.2.255 dev veth0
two-nodes: addr add 10.0.2.2/24 brd 10.0.2.255 dev veth1
two-nodes: link lo up
three-nodes: link add virbr100500 type bridge
three-nodes: link add veth0 type veth peer veth1
three-nodes: link veth0 master virbr100500
three-nodes: addr add 10.0.2.1/24 brd 10.0.2.255 dev veth1
three-nodes: addr add 10.0.2.254/24 brd 10.0.2.255 dev virbr100500
three-nodes: route add default via 10.0.2.254
three-nodes: sysctl net.ipv4.ip_forward 1
three-nodes: masquerade
host-link: netns add app1
host-link: link add hlink1 type veth peer clink1
host-link: app1 link lo up
host-link: app1 addr add 172.16.0.11/16 dev clink1
host-link: addr add 172.16.0.10/16 dev hlink1
route-conflict: netns add app2
route-conflict: link add hlink2 type veth peer clink2
route-conflict: addr add 172.16.0.20/16 dev hlink2
route-conflict: app2 addr add 172.16.0.21/16 dev clink2
bridge: link add hlink3 type veth peer clink3
bridge: link add br0 type bridge
bridge: link hlink3 master br0
bridge: app4 addr add 172.16.0.40/16 dev clink4
bridge: addr add 172.16.0.1/16 dev br0
bridge: app3 route add default via 172.16.0.1
nat: link hlink4 master br0
nat: app4 route add default via 172.16.0.1
nat: sysctl net.ipv4.ip_forward 1
nat: masquerade
docker-networks: netns add hostA
docker-networks: hostA link add docker0 type bridge
docker-networks: hostA addr add 172.17.0.1/16 dev docker0
docker-networks: link veth1 master docker0
docker-networks: c1 addr add 172.17.0.2/16 dev eth0
docker-networks: c1 route add default via 172.17.0.1
docker-networks: c4 link lo up
docker-networks: link add vxlan0 type vxlan id 4097 remote 192.168.64.4 dstport 4789
docker-networks: hostA link vxlan0 master br-overlay
EOF2

# says TRACE: those of the commands on standard input that no line of the trace holds
says() {
    awk '
        function put_words(line, set,    n, list, i) {
            n = split(line, list, /[^A-Za-z0-9_.\/:-]+/)
            for (i = 1; i <= n; i++) set[list[i]] = 1
        }
        FNR == NR { wanted[$0]; next }
        {
            split("", line)
            put_words($0, line)
            for (command in wanted) {
                n = split(command, words, " ")
                for (i = 1; i <= n && words[i] in line; i++);
                if (i > n) delete wanted[command]
            }
        }
        END { for (command in wanted) { print "not said: " command; missing = 1 } exit missing }
    ' - "$1"
}

# Links, names and processes, but for our own.
left() {
    ip -o link | cut -d' ' -f2
    ls /run/netns 2>/dev/null
    for process in /proc/[0-9]*; do
        [ "${process#/proc/}" = "$BASHPID" ] || [ "${process#/proc/}" = $$ ] || cat "$process/comm" 2>/dev/null
    done
}

is_clean() {
    for _ in {1..30}; do # what is dying may take a moment
        left >after
        cmp -s before after && return
        sleep 0.1
    done
    diff before after >out
}

# by_hand NAME UPLINK NAMESPACE…: the state that the document's commands leave
by_hand() {
    # shellcheck disable=SC2016 # for the inner shell to expand
    "$root/tests/bench/sandbox" sh -ec 'sh -eu "$1"; shift; exec lua5.4 "$@"' sh \
        "$documents/$1.sh" "$documents/state.lua" "${@:2}" 2>out | sort
    return "${PIPESTATUS[0]}"
}

# run_twice NAME UPLINK NAMESPACE…: side by side, the one with its trace and its state, the other with its picture
run_twice() {
    local example=$root/examples/$1.lua state="lua5.4 '$documents/state.lua' ${*:2} >state"
    local start=$EPOCHREALTIME status
    timeout 60 "$nsh" $sandbox --draw picture.svg "$example" >second 2>&1 &
    timeout 60 "$nsh" $sandbox -x --run "$state" "$example" >first 2>trace
    status=$?
    cat trace >>first
    check $status "$1 exits with 0" first
    wait $!
    check $? "$1 does so in a second run beside it" second
    echo "# $1: $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) ms"
}

# The words in a picture. Where they stand depends on the fonts of the machine that drew it.
words() {
    grep -o '<text[^>]*>[^<]*' "$1" | sed 's/.*>//' | sort
}

# is_drawn NAME: as in examples/pictures
is_drawn() {
    [ "$(words picture.svg | wc -l)" -gt 3 ] && diff <(words "$root/examples/pictures/$1.svg") <(words picture.svg)
}

test_example() { # NAME UPLINK NAMESPACE…
    by_hand "$@" >expected
    check $? "$1: the document's commands" out
    rm -f state picture.svg
    run_twice "$@"
    sort state 2>out | diff expected - >>out
    check "${PIPESTATUS[1]}" "$1 leaves what the document's commands leave" out
    sed -n "s/^$1: //p" commands | says trace >out
    check $? "$1 says the document's commands" out
    is_drawn "$1" >out 2>&1
    check $? "$1 is drawn as in examples/pictures (else: make pictures)" out
    is_clean
    check $? "$1 leaves nothing behind" out
}

left >before
while read -r name rest; do
    # shellcheck disable=SC2086 # words
    [ ! -f "$root/examples/$name.lua" ] || test_example "$name" $rest
done <examples

find "$root/examples" -name '*.lua' -printf '%f\n' | sed 's/\.lua$//' | sort >there
cut -d' ' -f1 examples | sort | diff - there >out
check $? "all of them are there, and no others" out
find "$root/examples/pictures" -type f -printf '%f\n' | sed 's/\.svg$//' | sort >there
cut -d' ' -f1 examples | sort | diff - there >out
check $? "so are their pictures" out
echo "1..$count"
