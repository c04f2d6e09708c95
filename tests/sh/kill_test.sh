#!/usr/bin/env bash
# SIGKILL at 100 random moments of a script that builds, spawns and pings: nothing is left. TAP.
# SEED=number repeats the moments of another run.
set -u

nsh=$(realpath "${NSH:-./nsh}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
RANDOM=${SEED:=$RANDOM}
echo "# SEED=$SEED"
count=0
failed=0

check() { # check STATUS NAME
    count=$((count + 1))
    if [ "$1" = 0 ]; then echo "ok $count - $2"; else
        echo "not ok $count - $2"
        sed 's/^/# /' "$scratch/why"
        failed=1
    fi
}

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

# Whatever may be left: other processes than this shell and its init, links, mounts, names. (Processes
# first, without a fork, which would be one more.)
state() {
    local process name
    for process in /proc/[0-9]*; do
        case ${process#/proc/} in 1 | "$$") continue ;; esac
        read -r name 2>/dev/null <"$process/comm" && echo "process ${process#/proc/} $name"
    done
    local entry
    for entry in /run/netns/*; do
        [ -e "$entry" ] && echo "$entry"
    done
    ip -o link | cut -d: -f2
    while read -r _ _ _ _ entry _; do echo "mount $entry"; done </proc/self/mountinfo
}

# The kernel takes namespaces down in its own time: at most ten seconds.
settle() {
    for _ in {1..100}; do
        state >"$scratch/after"
        cmp -s "$scratch/before" "$scratch/after" && return
        sleep 0.1
    done
    diff "$scratch/before" "$scratch/after" >"$scratch/why"
    return 1
}

# kill_many NAME TIMES OPTION…: in fours, each at its own moment
kill_many() {
    local name=$1 times=$2 pids i round busy=0 odd=0
    shift 2
    for ((round = 0; round < times / 4; round++)); do
        pids=()
        for i in 1 2 3 4; do
            "$nsh" -q "$@" "$scratch/busy.lua" "$scratch/mark.$i" "$name" "v$i" \
                >"$scratch/out.$i" 2>&1 </dev/null &
            pids+=($!)
        done
        for i in 0 1 2 3; do
            sleep "0.$(printf %03d $((RANDOM % 250)))"
            kill -KILL "${pids[i]}"
            wait "${pids[i]}" 2>/dev/null
            [ $? = 137 ] || { odd=1; cat "$scratch/out.$((i + 1))" >"$scratch/why"; }
        done
        settle || break
        for i in 1 2 3 4; do
            [ -s "$scratch/mark.$i" ] && busy=$((busy + 1))
            rm -f "$scratch/mark.$i"
        done
    done 2>/dev/null
    [ "$round" = $((times / 4)) ]
    check $? "$name: nothing is left after $times kills"
    [ $odd = 0 ]
    check $? "$name: each was ended by the kill"
    echo "# $name: $busy of $times had built, spawned and pinged"
    echo "$busy of $times" >"$scratch/why"
    [ "$busy" -ge $((times / 5)) ]
    check $? "$name: the script was at work"
}

state >"$scratch/before"
kill_many sandbox 100 -S
if [ "$(id -u)" = 0 ]; then
    kill_many host 100
fi

echo "1..$count"
exit $failed
