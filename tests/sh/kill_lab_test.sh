#!/usr/bin/env bash
# SIGKILL at random moments of labs that go up, run and go down: nothing is left, and what they changed
# on the host is as it was. KILLS=number, a multiple of four, default 24; TAP.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/kill.sh"

# Thirty nodes at a bridge of the host, without end. A mark in the file arg[1] for each time around.
cat >"$scratch/lab.lua" <<'EOF'
local word = arg[3]
local lab = nsh.lab(arg[2] .. word)
local pool = lab:pool("10." .. word:byte(2) .. ".0.0/16")
local gateway = pool:next()
local bridge = lab.host:bridge{ "br" .. word, addr = gateway }
lab.host:sysctl("net.ipv4.ip_forward", 1)
for i = 1, 30 do
    lab:node(word .. "n" .. i):connect{ "eth0", addr = pool, via = gateway, to = bridge, peer = word .. "h" .. i }
end
local first = lab:find(word .. "n1")
first:file("hosts", "10.0.0.1 one\n")
first:nft "table inet t { chain c { type filter hook input priority 0; }; }"
first:run{ "sh", "-c", 'trap "" HUP INT TERM; while :; do sleep 1000; done' }

while true do
    lab:up()
    first:exec "setsid sleep 1000 & exit 0"
    local mark <close> = io.open(arg[1], "a")
    mark:write "x"
    lab:down()
end
EOF

kill_many sandbox "${KILLS:=24}" "$scratch/lab.lua" -S
if [ "$(id -u)" = 0 ]; then
    kill_many host "$KILLS" "$scratch/lab.lua"
fi

finish
