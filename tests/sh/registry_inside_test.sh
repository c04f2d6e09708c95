#!/bin/bash
# Labs from inside: nsh list, nsh enter and nsh down, typed in a program that runs on a lab's host. TAP.
# shellcheck source-path=SCRIPTDIR disable=SC2016 # what others expand
. "$(dirname "$0")/labs.sh"

inside() { # inside COMMAND: run it on the host of the lab `bridge`, with the nodes app3 and app4
    run ${sandbox:+"$sandbox"} --run "$1" lab.lua bridge app3 app4
}

# lab.lua NAME NODE…: nodes without links
cat >lab.lua <<'EOF2'
local lab = nsh.lab(arg[1])
for i = 2, #arg do lab:node(arg[i]) end
lab:up()
EOF2

# --- tests ----------------------------------------------------------------------------------------

test_list() {
    inside '"$nsh" list'
    sed 's/20[0-9][0-9]-[-0-9]* [:0-9]*/DATE/; s/  */ /g' out >plain
    [ "$(cat plain)" = $'NAME NSH NODES SINCE SCRIPT\nbridge up 2 DATE lab.lua' ]
    report $? "the lab in the list; its nsh has no pid in there"
    inside '"$nsh" list -j'
    sed 's/"20[0-9-]*T[0-9:]*Z"/DATE/g' out >plain
    [ "$(cat plain)" = '[{"name":"bridge","state":"up","nodes":2,"since":DATE,"script":"lab.lua"}]' ]
    report $? "as JSON"
    inside 'grep -c "@nsh/0/bridge$" /proc/net/unix; grep -c "@nsh/" /proc/net/unix'
    [ "$mode" = host ] || expect "it is registered once in there, as that of root" 0 $'1\n1' ""
    cat >script.lua <<'EOF2'
dofile "lab.lua"
print(host:exec{ nsh.program, "enter", "app3", "hostname", output = true }.out)
print(nsh.program)
EOF2
    run ${sandbox:+"$sandbox"} script.lua bridge app3
    expect "nsh.program, run by a script on its host" 0 $'app3\n\n'"$nsh" ""
}

test_enter() {
    inside '"$nsh" enter app3 hostname'
    expect "a command in a node" 0 app3 ""
    inside '"$nsh" enter bridge/app3 -- printf "%s|" "a b" "" -x'
    expect "LAB/NODE, words as they are" 0 "a b||-x|" ""
    inside '"$nsh" enter app3 sh -c '\''ip -o link | wc -l; ls /run/netns; cat /proc/1/comm; echo "$NSH_LAB/$NSH_NODE"; id -u'\'
    expect "its view is that of a node's programs" 0 $'1\nnsh-guardian\nbridge/app3\n0' ""
    inside '"$nsh" enter app4 pwd; "$nsh" enter app4 sh -c "exit 7"'
    expect "in the same folder; the exit status" 7 "$dir" ""
    inside 'echo hostname | SHELL=/bin/sh "$nsh" enter app4'
    expect "a shell that reads its commands" 0 app4 ""
    inside '"$nsh" enter host sh -c "ip netns list | cut -d\" \" -f1 | sort"'
    expect "the host that we are on" 0 $'app3\napp4' ""
    inside 'ip netns exec app3 true; "$nsh" enter host "$nsh" enter app3 hostname'
    expect "from where one has entered" 0 app3 ""
    inside '"$nsh" enter nonesuch true'
    expect "no such node" 1 "" "nsh: lab bridge has no node nonesuch; there are app3, app4"
    inside '"$nsh" enter app3 "$nsh" enter app4 hostname'
    expect "who is in a node sees no lab" 1 "" "nsh: there is no lab"
    nothing_left "nothing is left"
}

# A lab that waits in the background until the file go is there; what COMMAND says is in the file NAME.
background() { # background NAME COMMAND NODE
    rm -f "$1.in"
    "$nsh" ${sandbox:+"$sandbox"} --run "touch $1.in; until [ -e go ]; do sleep 0.05; done; $2" \
        lab.lua "$1" "$3" >"$1.out" 2>&1 </dev/null &
    await test -e "$1.in" || { echo "Bail out! lab $1 is not up: $(cat "$1.out")"; exit 1; }
}

test_two() {
    rm -f go
    background bridge '"$nsh" list -j | grep -o "\"name\":\"[a-z]*\""; "$nsh" enter app3 hostname' app3
    background ring '"$nsh" list -j | grep -o "\"name\":\"[a-z]*\""; "$nsh" enter r1 hostname' r1
    run list -j
    [ "$(grep -o '"name":"[a-z]*"' out | xargs)" = "name:bridge name:ring" ]
    report $? "two at the same time, both seen from outside"
    run enter app3 hostname
    expect "and entered from there" 0 app3 ""
    touch go
    wait
    cat bridge.out ring.out >out
    if [ "$mode" = sandbox ]; then
        expect "each sees itself alone" 0 $'"name":"bridge"\napp3\n"name":"ring"\nr1' ""
    fi
    nothing_left "nothing is left of two"
}

test_names() {
    inside '"$nsh" $sandbox -e "dofile \"lab.lua\"" lab.lua bridge x'
    [ $status = 1 ] && grep -q 'a lab named bridge is up already (EADDRINUSE)' err
    report $? "a name that is in use here is refused in here"
    inside '"$nsh" $sandbox --run "\"$nsh\" enter x hostname" lab.lua inner x; "$nsh" enter app3 hostname'
    [ $status = 0 ] && [ "$(cat out)" = $'x\napp3' ]
    report $? "a lab in a lab"
    nothing_left "nothing is left of a lab in a lab"
}

test_down() {
    inside '(sleep 1000 & echo in; "$nsh" down bridge; echo too late); echo too late'
    [ $status = 143 ] && [ "$(cat out)" = in ] && [ "$(cat err)" = "nsh: interrupted" ]
    report $? "down ends nsh, as SIGTERM does, and whoever said so"
    nothing_left "and leaves nothing"
    cat >sleeps.lua <<'EOF2'
dofile "lab.lua"
host:spawn{ nsh.program, "down", arg[1] }
nsh.sleep(1000)
EOF2
    run ${sandbox:+"$sandbox"} sleeps.lua bridge app3
    [ $status = 143 ] && grep -q '^nsh: sleeps.lua:3: interrupted$' err
    report $? "a script that sleeps"
    nothing_left "nothing is left of it"
}

test_keep() {
    run ${sandbox:+"$sandbox"} --keep lab.lua kept app3
    run enter host "$nsh" list
    sed 's/20[0-9][0-9]-[-0-9]* [:0-9]*/DATE/; s/  */ /g' out >plain
    [ "$(cat plain)" = $'NAME NSH NODES SINCE SCRIPT\nkept kept 1 DATE lab.lua' ]
    report $? "a kept lab lists itself"
    run enter host "$nsh" enter app3 hostname
    expect "and is entered from its host" 0 app3 ""
    run enter host sh -c '"$nsh" down kept; echo too late'
    expect "and ended" 137 "" "nsh: lab kept has ended"
    nothing_left "nothing is left of it"
}

# --- on a terminal --------------------------------------------------------------------------------

test_terminal() {
    open_terminal 80
    line "clear; PS1='host: ' $nsh $sandbox --run 'bash --norc --noprofile' lab.lua bridge app3"
    seen "a shell on the host" $'host:'
    line "clear; PS1='node: ' SHELL=/bin/sh HOME=/nonesuch ENV= $nsh enter app3; hostname"
    line 'hostname; PS1="node: "; stty size'
    seen "a shell in a node" $'app3\n20 80\nnode:'
    line 'clear; exit'
    seen "and back" "$(hostname)"$'\nhost:'
    line "clear; $nsh down bridge"
    seen "the lab ends, and both shells" $'nsh: interrupted\nshell$'
    is_cooked
    term kill-server
    nothing_left "nothing is left of the terminal's"
}

# --- in a sandbox, and as root on the host ----------------------------------------------------------

run_all() { # run_all MODE OPTION
    mode=$1
    export sandbox=$2
    state >before
    test_list
    test_enter
    test_two
    test_names
    test_down
    test_keep
    if command -v tmux >/dev/null; then test_terminal; fi
}

run_all sandbox -S
if [ "$(id -u)" = 0 ]; then run_all host ""; fi

echo "1..$count"
exit $failed
