#!/usr/bin/env bash
# SIGKILL at random moments of a script that builds, spawns and pings: nothing is left. KILLS=number, a multiple
# of four, default 40; TAP.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/kill.sh"

# Builds and takes down, without end. A mark in the file arg[1] for each time around.
cat >"$scratch/busy.lua" <<'EOF2'
local in_sandbox = arg[2] == "sandbox"

local cables = 0

local function build(i)
    cables = cables + 1
    local router, leaf = nsh.netns.new(), nsh.netns.new()
    nsh.host.link:add{ arg[3] .. "-" .. cables, type = "veth", up = true, peer = { "up", netns = router } }
    router.link:add{ "br0", type = "bridge", up = true }
    router.link:add{ "port", type = "veth", up = true, master = "br0", peer = { "eth0", netns = leaf } }
    router.addr:add{ "10.0.0.1/24", dev = "br0" }
    leaf.link:set{ "eth0", up = true }
    leaf.addr:add{ "10.0.0.2/24", dev = "eth0" }
    if in_sandbox then
        nsh.netns.add("n" .. i):close()
        nsh.host.link:add{ "br" .. i, type = "bridge", up = true }
    end
    return router, leaf
end

local stubborn = 'trap "" HUP INT TERM; while :; do sleep 1000; done'

while true do
    local all = {}
    for i = 1, 3 do
        local router, leaf = build(i)
        all[#all + 1], all[#all + 2] = router, leaf
        leaf:exec{ "setsid", "-f", "sh", "-c", stubborn }
        leaf:spawn{ "sh", "-c", "setsid -f sh -c '" .. stubborn .. "'; " .. stubborn }
        router:spawn{ "cat", input = true, output = true }
        leaf:ping({ "10.0.0.1", "10.0.0.9" }, { count = 3, interval = 0.01, timeout = 0.05 })
        local mark <close> = io.open(arg[1], "a")
        mark:write "x"
    end
    for i, ns in ipairs(all) do
        ns:close()
        if in_sandbox and i <= 3 then
            nsh.netns.del("n" .. i)
            nsh.host.link:del("br" .. i)
        end
    end
end
EOF2

kill_many sandbox "${KILLS:=40}" "$scratch/busy.lua" -S
if [ "$(id -u)" = 0 ]; then
    kill_many host "$KILLS" "$scratch/busy.lua"
fi

finish
