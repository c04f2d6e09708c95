# What the tests share that kill nsh at random moments and look for what is left. Sourced; prints TAP.
# SEED=number repeats the moments of another run.
# shellcheck shell=bash
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

finish() {
    echo "1..$count"
    exit "$failed"
}

# Whatever may be left: other processes than this shell and its init, links, mounts, names, rules. (Processes
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
    find /run/nsh -mindepth 1 2>/dev/null
    nft list ruleset 2>/dev/null
    for entry in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv[46]/conf/*/forwarding; do
        read -r name <"$entry" && echo "$entry $name"
    done
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

# start_four NAME SCRIPT OPTION…: sets pids
start_four() {
    local name=$1 script=$2 i
    shift 2
    pids=()
    for i in 1 2 3 4; do
        "$nsh" -q "$@" "$script" "$scratch/mark.$i" "$name" "v$i" >"$scratch/out.$i" 2>&1 </dev/null &
        pids+=($!)
    done
}

all_at_work() { [ -s "$scratch/mark.1" ] && [ -s "$scratch/mark.2" ] && [ -s "$scratch/mark.3" ] && [ -s "$scratch/mark.4" ]; }

# measure NAME SCRIPT OPTION…: sets moments, half the milliseconds that four take on this machine as it is now:
# they are killed one after the other
measure() {
    local begin=${EPOCHREALTIME/./} pid
    start_four "$@"
    for _ in {1..1000}; do
        all_at_work && break
        sleep 0.01
    done
    moments=$(((${EPOCHREALTIME/./} - begin) / 2000 + 1))
    for pid in "${pids[@]}"; do
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null
    done
    settle
    rm -f "$scratch"/mark.*
}

# kill_many NAME TIMES SCRIPT OPTION…: in fours, each at its own moment of the time that its work takes. The
# script's arguments: a file that it marks each time it has done its work, NAME, and a word that sets it apart
# from the other three.
kill_many() {
    local name=$1 times=$2 script=$3 pids moments i round moment busy=0 odd=0
    shift 3
    measure "$name" "$script" "$@" 2>/dev/null
    for ((round = 0; round < times / 4; round++)); do
        start_four "$name" "$script" "$@"
        for i in 0 1 2 3; do
            moment=$((RANDOM % moments))
            sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
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
    echo "# $name: $busy of $times had built, spawned and pinged; moments of $moments ms"
    echo "$busy of $times" >"$scratch/why"
    [ "$busy" -ge $((times / 10)) ]
    check $? "$name: the script was at work"
}

state >"$scratch/before"
