#!/bin/bash
# nsh --internet: an ordinary user's sandbox in a network of pasta's. The Internet is a namespace here. As root
# this builds a host with a way there, and runs nsh as an ordinary user; an ordinary user cannot build one, and
# sees what nsh says where there is no way out. TAP.
# shellcheck disable=SC2016,SC2317 # what others expand, and what a trap or `await` calls
set -u

if ! command -v pasta >/dev/null; then
    echo "1..0 # SKIP pasta is not installed (package passt)"
    exit 0
fi
dir=$(mktemp -d)
chmod 755 "$dir"
install -m 755 "$(realpath "${NSH:-./nsh}")" "$dir/nsh"
cd "$dir" || exit 1
nsh=$dir/nsh
mkdir -m 777 home
export HOME=$dir/home LC_ALL=C.UTF-8 TMUX_TMPDIR=$dir PATH=/usr/sbin:/usr/bin:/sbin:/bin
unset TMUX
# A stopped process, and one that is killed, cannot be looked through for leaks.
export ASAN_OPTIONS=detect_leaks=0
count=0
failed=0
status=0
user=
[ "$(id -u)" != 0 ] || user="setpriv --reuid=65534 --regid=65534 --clear-groups --"

report() { # report STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        failed=1
        echo "not ok $count - $2"
        sed 's/^/# out: /' out
        sed 's/^/# err: /' err
        echo "# status: $status"
    fi
}

run() { # run ARGS…: output in the files out and err, the exit status in $status
    # shellcheck disable=SC2086 # a list of words
    timeout -k 1 60 $user "$nsh" "$@" >out 2>err </dev/null
    status=$?
}

expect() { # expect NAME STATUS STDOUT STDERR: of the last run, exactly
    [ "$status" = "$2" ] && [ "$(cat out)" = "$3" ] && [ "$(cat err)" = "$4" ]
    report $? "$1"
}

await() { # await COMMAND…: until it succeeds, at most 20 s
    for _ in {1..400}; do
        "$@" && return
        sleep 0.05
    done
    return 1
}

finish() {
    echo "1..$count"
    exit "$failed"
}

# --- no way out -----------------------------------------------------------------------------------

mkdir bin
run_there() { # in a PATH with nothing in it
    # shellcheck disable=SC2086 # a list of words
    $user env PATH="$dir/bin" "$nsh" "$@" >out 2>err </dev/null
    status=$?
}
run_there --internet -e 1
expect "without pasta it says which package to install" 1 "" "nsh: cannot enter a sandbox: cannot run pasta: \
No such file or directory
  hint: install the package passt"

run --internet -e 1
grep -q '^nsh: cannot enter a sandbox: pasta has failed' err && grep -q '^  hint: ' err && [ $status = 1 ]
report $? "without a default route it fails with pasta's words and a hint"

run --internet list
expect "commands take no --internet" 2 "" \
    "nsh: nsh list takes no option before it but -j; try nsh --help"

[ -n "$user" ] || finish

# --- a host, and the Internet ---------------------------------------------------------------------

as_root() {
    "$nsh" "$@" >out 2>err </dev/null
    status=$?
}

as_root --internet -e 1
expect "root needs none" 1 "" "nsh: cannot enter a sandbox: --internet is an ordinary user's way out of a sandbox
  hint: root has the real network without it and without -S"

use='local up = nsh.lab "t":uplink{ "enp0s1", addr = "192.168.64.3/24" }; print(up, up:address(), up.gateway)'
as_root -e "$use"
expect "a real host without a default route has no uplink" 1 "" "nsh: (command line):1: cannot declare an uplink in host: \
the host has no default route, so there is no uplink (ENETUNREACH)
  hint: nsh -S runs the script in a sandbox, where the uplink and the outside are simulated"

serve='use IO::Socket::INET; my ($address, $port, $word) = @ARGV;
    my $s = IO::Socket::INET->new(Listen => 9, LocalAddr => $address, LocalPort => $port, ReuseAddr => 1) or die;
    $| = 1; print "ready\n"; while (my $c = $s->accept) { print $c "$word\n"; close $c }'

unshare --net sleep 1000 &
internet=$!
inside="nsenter --net=/proc/$internet/ns/net"
await sh -c "[ \"\$(readlink /proc/$internet/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
ip link add up0 type veth peer name eth0 netns "$internet"
sysctl -qw net.ipv4.ping_group_range="0 2147483647"
$inside sh -c 'sysctl -qw net.ipv4.ip_forward=0; ip link set lo up; ip link set eth0 up
    ip addr add 10.9.0.1/24 dev eth0; ip addr add 203.0.113.1/32 dev lo
    ip addr add fd09::1/64 dev eth0 nodad; ip addr add 2001:db8::1/128 dev lo nodad'
ip link set up0 up
ip addr add 10.9.0.2/24 dev up0
ip addr add fd09::2/64 dev up0 nodad
await ping -q -c1 -W1 10.9.0.1 >/dev/null
ip route add default via 10.9.0.1
ip -6 route add default via fd09::1
$inside perl -e "$serve" 203.0.113.1 8080 hello >served &
server=$!
perl -e "$serve" 127.0.0.1 9001 secret >hidden &
secret=$!
await grep -q ready served
await grep -q ready hidden

leave() {
    term kill-server
    kill "$server" "$secret" "$internet" 2>/dev/null
    wait "$server" "$secret" "$internet" 2>/dev/null
    ip link del up0 2>/dev/null
    umount /etc/resolv.conf 2>/dev/null
    umount /dev/net 2>/dev/null
    cd / && rm -rf "$dir"
}
term() { tmux -L nsh -f /dev/null "$@" 2>/dev/null; }
trap leave EXIT

# --- the real uplink ------------------------------------------------------------------------------

addresses() { ip -o addr | awk '{ print $2, $4 }'; }
addresses >before
ip route add default dev lo metric 50
as_root -e "$use"
expect "the uplink of a real host is that of its default route" 0 $'uplink up0 (real)\t10.9.0.2\t10.9.0.1' \
    "nsh: lab t: the uplink is the real one, up0 (10.9.0.2/24, fd09::2/64 via 10.9.0.1)"
ip route del default dev lo
as_root -n -e 'local lab = nsh.lab "t"; lab:uplink(); lab:node "app"; lab:up()'
expect "nothing is declared for it" 0 $'ip netns add app\nip -n app link set dev lo up' \
    "nsh: lab t: the uplink is the real one, up0 (10.9.0.2/24, fd09::2/64 via 10.9.0.1)"
as_root -e 'nsh.lab "t":uplink{ "enp0s1", gateway = "192.168.64.1" }'
[ $status = 1 ] && grep -q 'an uplink has no "gateway"' err
report $? "but its mistakes are found"
addresses | cmp -s before -
report $? "and nothing is changed"

if ! { mkdir -p /dev/net && mount -t tmpfs tmpfs /dev/net && mknod -m 600 /dev/net/tun c 10 200; } 2>err ||
    ! : 3<>/dev/net/tun; then
    echo "ok $((count + 1)) # SKIP there can be no /dev/net/tun here: $(cat err)"
    echo "1..$((count + 1))"
    exit "$failed"
fi

run --internet -e 1
expect "a /dev/net/tun that is closed to the user" 1 "" "nsh: cannot enter a sandbox: pasta has failed: \
Failed to open tun socket in namespace
  hint: /dev/net/tun is closed to you: chmod 666 /dev/net/tun"
chmod 666 /dev/net/tun

# --- it is reached, and nothing else is -----------------------------------------------------------

cat >reach.lua <<'EOF2'
local lab = nsh.lab "way-out"
local up = lab:uplink{ "enp0s1", addr = "192.168.64.3/24", via = "192.168.64.1", hosts = { "203.0.113.1" } }
assert(up.real and up.ifname == "up0" and up:address() == "10.9.0.2" and up.gateway == "10.9.0.1")
assert(up:address "inet6" == "fd09::2")
local ok, err = pcall(function() return up.outside end)
assert(not ok and err.code == "EPERM")
ok, err = pcall(up.down, up)
assert(not ok and err.code == "EPERM")
lab.host:sysctl("net.ipv4.ip_forward", 1)
local app = lab:node "app"
app:connect{ "eth0", addr = "172.16.0.30/16", via = "172.16.0.1", to = lab.host, peer = { "br0", addr = "172.16.0.1/16" } }
lab:up()
assert(host:exec{ "nft", "add table t; add chain t c { type nat hook postrouting priority 100; }; " ..
    "add rule t c oifname up0 masquerade" }.status == 0)
local fetch = { "bash", "-c", "cat </dev/tcp/203.0.113.1/8080", output = true }
io.write("host ", host:exec(fetch).out, "app ", app:exec(fetch).out)
local function answers(ns, address)
    local result
    for _ = 1, 50 do -- others may have filled the machine's neighbour table
        result = ns:ping(address, { timeout = 10 })
        if not (result.reason or ""):find "table full" then break end
        nsh.sleep(0.1)
    end
    return result.ok or result
end
print(answers(host, "203.0.113.1"), answers(app, "203.0.113.1"), answers(host, "2001:db8::1"))
EOF2
run --internet reach.lua
expect "the host and a node behind it reach the Internet" 0 $'host hello\napp hello\ntrue\ttrue\ttrue' \
    "nsh: lab way-out: the uplink is the real one, up0 (10.9.0.2/24, fd09::2/64 via 10.9.0.1)"

probe() { echo "for a in $*; do timeout 5 bash -c \"cat </dev/tcp/\$a\" 2>/dev/null || echo closed; done"; }
run --internet --run "$(probe 127.0.0.1/9001 10.9.0.1/9001 203.0.113.1/8080)"
expect "what listens at the loopback of the host is not seen" 0 $'closed\nclosed\nhello' ""

run --run "$(probe 203.0.113.1/8080)"
expect "and without --internet nothing is" 0 "closed" ""

# A forwarder that looks for ports does so each second.
cat >listen.sh <<'EOF2'
perl -e "$1" 0.0.0.0 9002 inner >"$2/listens" & p=$!
while [ -e "$2/listen" ]; do sleep 0.1; done
kill $p
EOF2
chmod 777 .
: >listen
# shellcheck disable=SC2086 # a list of words
$user "$nsh" --internet --run "exec 2>&1; sh listen.sh '$serve' $dir" >out 2>err &
listener=$!
await grep -qs ready listens
sleep 2
bash -c 'cat </dev/tcp/127.0.0.1/9002' >got 2>/dev/null
rm listen
wait "$listener"
status=$?
[ $status = 0 ] && [ ! -s got ]
report $? "what listens in the sandbox is not seen by the host"

# --- it is still nsh ------------------------------------------------------------------------------

run --internet -e 'os.exit(3)'
expect "the exit status of a script" 3 "" ""
run --internet -e 'error("no", 0)'
expect "that of one that fails" 1 "" "nsh: no"
run --internet --run 'exit 7'
expect "that of --run" 7 "" ""
run --internet --nothing
expect "that of a wrong option" 2 "" "nsh: unknown option --nothing; try nsh --help"
# shellcheck disable=SC2086 # a list of words
echo 'print(io.read "n", ...)' | $user "$nsh" --internet -e 'print(io.read "l")' >out 2>err
status=$?
expect "stdin and stdout are those of nsh" 0 'print(io.read "n", ...)' ""

gone() { ! pgrep -u 65534 >/dev/null; } # of the user, no process at all
check_gone() {
    await gone
    status=$?
    ps -u 65534 -o pid,args >out
    [ "$status" = 0 ]
    report $? "$1: nothing is left"
}
check_gone "after all these"

mkdir -p /run/systemd/resolve
echo 'nameserver 127.0.0.53' >stub
echo 'nameserver 10.9.0.1' >/run/systemd/resolve/resolv.conf
touch /etc/resolv.conf && mount --bind stub /etc/resolv.conf
run --internet --run 'cat /etc/resolv.conf'
expect "a resolver at the loopback is replaced by the servers that it asks" 0 "nameserver 10.9.0.1" ""
echo 'nameserver 10.9.0.9' >stub
run --internet --run 'cat /etc/resolv.conf'
expect "another one stays" 0 "nameserver 10.9.0.9" ""

mkdir -p /run/netns
: >/run/netns/of-the-host
run -e 'lab = nsh.lab "t"; a = lab:node "a"; a:file("hosts", "10.0.0.7 seven\n"); lab:up(); a:exec "cat /etc/hosts; ls /run/netns"
    host:exec "ls /run/netns"'
expect "a lab's files are there, and the host's names are not, where there is a /run/netns" 0 $'10.0.0.7 seven\na' ""
rm -r /run/netns

# --- from another terminal ------------------------------------------------------------------------

cat >stay.lua <<'EOF2'
local lab = nsh.lab "stay"
lab:node "app"
lab:up()
io.open("guardian", "w"):write(require "nsh.core".guardian.pid()):close()
if arg[1] then nsh.sleep(1000) end
EOF2

declare -A pids
start() { # a lab that stays; the pids of main, guardian, pasta, holder in $pids
    rm -f guardian
    # shellcheck disable=SC2086 # a list of words
    setsid $user "$nsh" --internet stay.lua wait >out 2>err &
    main=$!
    await test -s guardian
    pids=([main]=$main [guardian]=$(cat guardian) [pasta]=$(pgrep -u 65534 -f '^pasta ')
        [holder]=$(pgrep -u 65534 -x nsh-internet))
}

fetch() { run enter stay/host bash -c 'cat </dev/tcp/203.0.113.1/8080'; }

start
run list
[ "$(awk 'NR == 2 { print $1, $2, $3 }' out)" = "stay $main 1" ]
report $? "nsh list finds the lab"
fetch
expect "nsh enter gets into its network" 0 hello ""
run down stay
[ $status = 0 ]
report $? "nsh down ends it"
wait "$main"
status=$?
[ "$status" = 143 ]
report $? "as a signal does"
check_gone "after nsh down"

run --internet --keep stay.lua
expect "--keep leaves the lab up" 0 "" "nsh: lab stay stays up: nsh enter NODE enters it, nsh down stay ends it"
fetch
expect "with its way out" 0 hello ""
run down stay
expect "until nsh down" 0 "" ""
check_gone "after a lab that was kept"

# --- killed ---------------------------------------------------------------------------------------

for victim in main guardian; do
    start
    kill -9 "${pids[$victim]}"
    [ $victim = main ] || kill "$main"
    wait "$main" 2>/dev/null
    check_gone "after kill -9 of $victim"
done
for victim in pasta holder; do
    start
    kill -9 "${pids[$victim]}"
    no_way_out() { ! pgrep -u 65534 -x nsh-internet >/dev/null; }
    await no_way_out
    report $? "the one ends with the other: $victim is killed"
    run enter stay/app true
    expect "nsh goes on without $victim" 0 "" ""
    kill "$main"
    wait "$main" 2>/dev/null
    check_gone "after kill -9 of $victim"
done

# --- at a terminal --------------------------------------------------------------------------------

screen() { term capture-pane -p; }
sees() { screen | grep -q "$1"; }
type_in() { term send-keys -l "$1" && term send-keys Enter; }

PS1='shell# ' term new-session -d -x 120 -y 40 bash --norc --noprofile
await sees '^shell#'
type_in "$user $nsh --internet -q -E"
await sees '^nsh>'
type_in 'print("beg" .. "un") while true do end'
await sees '^begun'
term send-keys C-c
await sees 'interrupted'
status=$?
shout='host:exec{ "bash", "-c", "cat </dev/tcp/203.0.113.1/8080 | tr a-z A-Z" }'
type_in "$shout"
await sees '^HELLO' && [ "$status" = 0 ]
status=$?
screen >out
report "$status" "Ctrl-C interrupts Lua, and the way out stays"

type_in 'host:exec "echo aga''in; sleep 1000"'
await sees '^again'
term send-keys C-z
await sees 'Stopped'
status=$?
type_in fg
await sees '^setpriv' && [ "$status" = 0 ] # the shell says what it continues
status=$?
term send-keys C-c
for _ in {1..20}; do # what is typed before the prompt is there may get lost
    type_in "${shout/A-Z/A-Z | tr L X}"
    sleep 1
    sees '^HEXXO' && break
done
sees '^HEXXO' && [ "$status" = 0 ]
status=$?
screen >out
report "$status" "Ctrl-Z stops nsh, fg goes on, and the way out stays"
type_in 'os.exit(4)'
await sees '^shell#'
type_in 'echo status=$?'
await sees '^status=4'
status=$?
screen >out
report "$status" "and the shell gets its exit status"
term kill-server
check_gone "after a terminal"

finish
