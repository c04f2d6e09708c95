#!/usr/bin/env bash
# SIGKILL at random moments of labs that change the firewall of the real host beside that of others, four
# at a time: afterwards its rules are what they were. KILLS=number, a multiple of four, default 12; TAP.
# shellcheck source-path=SCRIPTDIR
set -u
export PATH="$PATH:/usr/sbin:/sbin"

if [ "$(id -u)" != 0 ]; then
    echo "1..0 # SKIP an ordinary user has no real host"
    exit
fi

nft -f - <<'EOF'
table ip filter {
    chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; }
    chain DOCKER-USER { ip saddr 10.0.0.1 accept comment "nsh-foreign"; return; }
}
table inet wall {
    chain f { type filter hook forward priority 10; policy accept; reject comment "somebody's"; }
}
EOF

. "$(dirname "$0")/kill.sh"

# Each uses the names of the others, as marks that begin with its own.
cat >"$scratch/lab.lua" <<'EOF'
local lab = nsh.lab(("v"):rep(tonumber(arg[3]:sub(2))))
local way = lab.host:forward{ iifname = "br0", oifname = "!= br0" }
lab.host:masquerade{ saddr = "10.0.0.0/8" }
while true do
    lab:up()
    local mark <close> = io.open(arg[1], "a")
    mark:write "x"
    local port <close> = host:dnat{ proto = "tcp", dport = 8080, to = "10.0.0.2:80" }
    lab.host:forward{ iifname = port and arg[3] }
    way:set{ saddr = "10.0.0.0/8" }
    lab:up()
    lab:down()
end
EOF

kill_many host "${KILLS:=12}" "$scratch/lab.lua"

# Without a kill, and by an error.
"$nsh" -e 'host:masquerade{} host:forward{ iifname = "x" } os.exit(0)' && settle
check $? "the end of nsh takes back what it did without a lab"
"$nsh" -e 'local l = nsh.lab "x" l.host:forward{} l:up() error "x"' 2>/dev/null
settle
check $? "and so does an error"

"$nsh" -q --keep -e 'local l = nsh.lab "kept" l.host:forward{ iifname = "x" } l:up()'
nft list chain ip filter DOCKER-USER | grep -q 'iifname "x" accept comment "nsh-kept"'
check $? "a lab that is kept keeps its rules"
"$nsh" down kept && settle
check $? "until it is taken down"

"$nsh" -e 'nsh.lab "x".host:nft "table inet t { }"' 2>"$scratch/why"
[ $? = 1 ] && grep -q "a lab keeps away from the host's firewall but for masquerade, snat, dnat, forward (EPERM)" "$scratch/why"
check $? "a lab puts no text into the real host's firewall"

"$nsh" -n -e 'local l = nsh.lab "x" l.host:forward{ iifname = "x" } l:up()' >"$scratch/why" 2>&1
grep -qxF 'insert rule ip filter DOCKER-USER iifname "x" accept comment "nsh-x"' "$scratch/why" && settle
check $? "-n tells the rules for the chains of others, and changes nothing"

iptables-legacy -P FORWARD DROP
"$nsh" -e 'host:forward{ iifname = "x", oifname = "!= y" } host:forward{ iifname = "z" }' 2>"$scratch/why"
[ "$(cat "$scratch/why")" = "nsh: warning: (command line):1: iptables-legacy drops what is forwarded in host, and nft \
cannot open it; what can: iptables-legacy -I FORWARD -i x ! -o y -j ACCEPT, and the same for the answers" ]
check $? "one warning of what nft cannot reach: iptables of old"

finish
