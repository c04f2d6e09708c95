#!/bin/bash
# Parameters of a sandbox's host, held by one nsh and by others that run inside of it: they share its
# network namespace and /run, and have other pids. TAP.
set -u

nsh=$(realpath "${NSH:-./nsh}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
count=0
failed=0

# expect NAME EXPECTED: of what is in the file out
expect() {
    count=$((count + 1))
    if [ "$(cat out)" = "$2" ]; then echo "ok $count - $1"; else
        failed=$((failed + 1))
        echo "not ok $count - $1"
        sed 's/^/# out: /' out
    fi
}

# hold.lua LAB KEY VALUE NAME; with anything after that, it kills its guardian and itself
cat >hold.lua <<'EOF'
local core = require "nsh.core"
local ok, err = core.sysctl.hold(tonumber(arg[1]), arg[2], arg[3], arg[4])
print(ok and "held" or err.code .. ": " .. err.message:gsub("%d+", "N"))
io.stdout:flush()
if arg[5] then os.execute "kill -9 $(ps -o pid= --ppid $PPID | grep -v $$) $PPID" end
EOF
forward=net.ipv4.ip_forward
show="cat /proc/sys/net/ipv4/ip_forward"
export nsh forward show

"$nsh" -qS --run "$show" hold.lua 1 $forward 1 outer >out 2>&1
expect "held while a program runs" $'held\n1'

cat >inner.sh <<'EOF'
$nsh -q hold.lua 1 $forward 0 inner
$nsh -q hold.lua 1 $forward 1 inner
$show
EOF
"$nsh" -qS --run "sh inner.sh" hold.lua 1 $forward 1 outer >out 2>&1
expect "another one inside" $'held\nEBUSY: lab outer (pid N) holds it at N\nheld\n1'

cat >dead.sh <<'EOF'
$nsh -q hold.lua 1 $forward 1 dead and killed 2>/dev/null
$show
for try in 1 2 3 4 5 6 7 8 9; do # the guardian may still be dying
    inner=$($nsh -q hold.lua 1 $forward 0 inner)
    [ "$inner" = held ] && break
    sleep 0.1
done
echo "$inner"
$show
EOF
"$nsh" -qS --run "sh dead.sh" hold.lua 1 net.ipv4.ip_default_ttl 33 outer >out 2>&1
expect "one inside, killed with its guardian" $'held\nheld\n1\nheld\n0'

cat >down.lua <<'EOF'
local core = require "nsh.core"
host:sysctl("net.ipv4.conf.lo.forwarding", 1)
core.sysctl.hold(0, "net.ipv4.ip_forward", "1")
core.sysctl.hold(0, "net.ipv4.ip_local_reserved_ports", "8080")
print(core.guardian.stop(), host:sysctl "net.ipv4.ip_forward", host:sysctl "net.ipv4.conf.lo.forwarding",
    host:sysctl "net.ipv4.conf.all.accept_redirects", host:sysctl "net.ipv4.ip_local_reserved_ports" == "")
print(select(2, core.sysctl.hold(0, "net.ipv4.nonesuch", "1")).code)
EOF
"$nsh" -qS down.lua >out 2>&1
expect "released at the end of the guardian" $'true\t0\t1\t1\ttrue\nENOENT'

echo "1..$count"
exit $failed
