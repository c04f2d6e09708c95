#!/bin/bash
# Labs from another terminal: nsh list, nsh down, nsh enter, nsh --keep. TAP.
# shellcheck source-path=SCRIPTDIR disable=SC2016 # what others expand
. "$(dirname "$0")/labs.sh"

# A lab of nodes without links: lab.lua NAME NODE…; it writes the guardian's pid to NAME.up once it is up,
# and stays for as long as there is a file NAME.stay.
cat >lab.lua <<'EOF2'
local name = arg[1]
local lab = nsh.lab(name)
for i = 2, #arg do lab:node(arg[i]) end
if lab:find "app3" then lab:find("app3"):file("hosts", "10.0.0.7 seven") end
lab:up()
io.open(name .. ".up", "w"):write(require "nsh.core".guardian.pid()):close()
local function exists(path)
    local file = io.open(path)
    return file and file:close()
end
while exists(name .. ".stay") do nsh.sleep(0.01) end
EOF2

lab() { # lab NAME NODE…: in the background; its pid in $pid
    touch "$1.stay"
    rm -f "$1.up"
    "$nsh" ${sandbox:+"$sandbox"} lab.lua "$@" >"$1.out" 2>&1 </dev/null &
    pid=$!
    await test -s "$1.up" || { echo "Bail out! lab $1 is not up: $(cat "$1.out")"; exit 1; }
}

# --- tests ----------------------------------------------------------------------------------------

test_without_labs() {
    run list
    expect "no lab, an empty list" 0 "" ""
    run -j list
    expect "no lab, an empty list as JSON" 0 "[]" ""
    run down bridge
    expect "no lab to end" 1 "" "nsh: there is no lab bridge; there is none"
    run enter app3
    expect "no lab to enter" 1 "" "nsh: there is no lab"
    run down
    expect "down needs a name" 2 "" "usage: nsh down LAB"
    run enter
    expect "enter needs a node" 2 "" "usage: nsh enter [LAB/]NODE [COMMAND...]"
    run list all
    expect "list takes no name" 2 "" "usage: nsh list [-j]"
    run -S list
    expect "an option before a command" 2 "" \
        "nsh: nsh list takes no option before it but -j; try nsh --help"
    echo 'print "the script"' >list
    run ${sandbox:+"$sandbox"} -- list
    expect "a script may be called list" 0 "the script" ""
}

test_list() {
    lab bridge app3 app4
    local first=$pid
    lab ring r0 r1 r2
    run list
    sed 's/20[0-9][0-9]-[-0-9]* [:0-9]*/DATE/; s/  */ /g' out >plain
    [ "$(cat plain)" = "NAME NSH NODES SINCE SCRIPT
bridge $first 2 DATE lab.lua
ring $pid 3 DATE lab.lua" ]
    report $? "two labs at the same time"
    run list -j
    sed 's/"20[0-9-]*T[0-9:]*Z"/DATE/g' out >plain
    [ "$(cat plain)" = "[$(printf '{"name":"%s","state":"up","pid":%d,"nodes":%d,"since":DATE,"script":"lab.lua"}%s' \
        bridge "$first" 2 , ring "$pid" 3 "")]" ]
    report $? "as JSON"
    run ${sandbox:+"$sandbox"} lab.lua bridge x
    expect "the same name twice" 1 "" \
        "nsh: lab.lua:5: cannot bring up lab bridge: a lab named bridge is up already (EADDRINUSE)
  hint: nsh list shows it, nsh down bridge ends it
  5 | lab:up()
    | ^~~"
    run enter r1 hostname
    expect "and the labs are unharmed" 0 r1 ""
    run down x
    expect "down names what there is" 1 "" "nsh: there is no lab x; there are bridge, ring"
    run down bridge
    expect "down of one" 0 "" ""
    wait "$first"
    status=$?
    [ $status = 143 ] && grep -q '^nsh: lab.lua:[0-9]*: interrupted$' bridge.out
    report $? "its nsh was asked to end"
    run list -j
    [ "$(grep -o '"name":"[a-z]*"' out)" = '"name":"ring"' ]
    report $? "and the other one is left"
    lab bridge app3
    run down bridge
    run down ring
    wait
    nothing_left "nothing is left of any"
}

test_enter() {
    lab bridge app3 app4
    run enter app3 hostname
    expect "a command in a node" 0 app3 ""
    run enter bridge/app3 -- printf '%s|' "a b" "" -x
    expect "LAB/NODE, words as they are" 0 "a b||-x|" ""
    run enter app3 sh -c 'ip -o link | wc -l; ls /run/netns; cat /proc/1/comm; echo "$NSH_LAB/$NSH_NODE"'
    expect "its view is that of a node's programs" 0 $'1\nnsh-guardian\nbridge/app3' ""
    run enter app3 cat /etc/hosts
    expect "and so are its files" 0 "10.0.0.7 seven" ""
    run enter app3 sh -c 'id -u; touch file; ls file; pwd'
    expect "root, in the same folder" 0 $'0\nfile\n'"$dir" ""
    run enter host sh -c 'ip netns list | cut -d" " -f1 | sort; ip -n app3 -o link | wc -l'
    expect "the lab's host knows the nodes by name" 0 $'app3\napp4\n1' ""
    run enter app4 sh -c 'exit 7'
    expect "the exit status" 7 "" ""
    run enter app4 sh -c 'kill -HUP $$'
    expect "the status of a signal" 129 "" ""
    run enter app4 nonesuch
    expect "no such program" 127 "" "nsh: cannot run nonesuch in app4: No such file or directory"
    run enter app4 /etc
    expect "no program" 126 "" "nsh: cannot run /etc in app4: Permission denied"
    echo 'echo from a script' | "$nsh" enter app4 sh >out 2>err
    status=$?
    expect "standard input" 0 "from a script" ""
    SHELL=/nonesuch "$nsh" enter app4 >out 2>err <<<hostname
    status=$?
    expect "a shell without a command" 0 app4 ""
    run enter nonesuch true
    expect "no such node" 1 "" "nsh: lab bridge has no node nonesuch; there are app3, app4"
    run enter nonesuch/app3 true
    expect "no such lab" 1 "" "nsh: there is no lab nonesuch; there is bridge"
    local other=app3
    if [ "$mode" = host ]; then other=r1; fi # a name of the host can be that of one lab only
    lab ring "$other"
    if [ "$mode" = sandbox ]; then
        run enter app3 true
        expect "two nodes of that name" 1 "" "nsh: 2 labs have a node app3: say LAB/app3 (nsh list)"
    fi
    run enter host true
    expect "two hosts" 1 "" "nsh: 2 labs have a node host: say LAB/host (nsh list)"
    run enter nonesuch true
    expect "in no lab" 1 "" "nsh: no lab has a node nonesuch (nsh list)"
    run enter "ring/$other" sh -c 'echo $NSH_LAB'
    expect "said which" 0 ring ""
    run enter bridge/app3 setsid -f sleep 1000
    expect "a daemon" 0 "" ""
    run down ring
    run down bridge
    wait
    nothing_left "nothing is left, daemons neither"
}

enter_long() { # a program that stays, in the background; its pid in $inside
    : >inside.out
    "$nsh" enter "$1" sh -c 'echo in; exec sleep 1000' >inside.out 2>inside.err </dev/null &
    inside=$!
    await grep -q in inside.out
}

ended_with_lab() { # ended_with_lab NAME
    wait "$inside"
    status=$?
    cp inside.err err
    [ $status = 137 ]
    report $? "$1"
    nothing_left "$1: nothing is left"
}

test_end_while_entered() {
    lab bridge app3
    enter_long app3
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    ended_with_lab "who is inside when nsh is killed"
    lab bridge app3
    enter_long app3
    rm bridge.stay
    wait "$pid"
    ended_with_lab "who is inside when the script ends"
    grep -q 'nsh: lab bridge has ended' inside.err
    report $? "and is told so"
    lab bridge app3
    enter_long app3
    kill -TERM "$inside"
    wait "$inside"
    status=$?
    [ $status = 143 ]
    report $? "a signal to nsh enter is one to the program"
    kill -STOP "$pid"
    run down bridge
    expect "down of an nsh that is stopped" 0 "" ""
    wait "$pid"
    nothing_left "nothing is left of it"
}

test_guardian_killed() {
    lab bridge app3
    enter_long app3
    kill -KILL "$(cat bridge.up)"
    wait "$inside"
    status=$?
    [ $status = 137 ]
    report $? "who is inside when the guardian is killed"
    await test -z "$("$nsh" list)"
    report $? "a lab whose guardian is killed is no longer there"
    rm bridge.stay
    wait "$pid"
    rm -f /run/netns/app3 # what nobody was left to undo
    nothing_left "nothing else is left"
}

test_keep() {
    run ${sandbox:+"$sandbox"} --keep -e 1
    expect "no lab to keep" 1 1 "nsh: there is no lab to keep"
    run ${sandbox:+"$sandbox"} --keep lab.lua kept app3
    expect "kept at the end of the script" 0 "" \
        "nsh: lab kept stays up: nsh enter NODE enters it, nsh down kept ends it"
    run list
    sed 's/20[0-9][0-9]-[-0-9]* [:0-9]*/DATE/; s/  */ /g' out >plain
    [ "$(cat plain)" = $'NAME NSH NODES SINCE SCRIPT\nkept kept 1 DATE lab.lua' ]
    report $? "a kept lab in the list"
    run list -j
    grep -q '^\[{"name":"kept","state":"kept","nodes":1,' out
    report $? "and as JSON"
    run enter app3 hostname
    expect "a kept lab is entered" 0 app3 ""
    run ${sandbox:+"$sandbox"} lab.lua kept x
    expect "its name is in use" 1 "" \
        "nsh: lab.lua:5: cannot bring up lab kept: a lab named kept is up already (EADDRINUSE)
  hint: nsh list shows it, nsh down kept ends it
  5 | lab:up()
    | ^~~"
    enter_long app3
    run down kept
    expect "a kept lab is ended" 0 "" ""
    ended_with_lab "who is inside of a kept lab"
    run ${sandbox:+"$sandbox"} --keep -e 'arg = { [-1] = "nsh", [0] = "lab.lua", "kept", "app3" }; dofile "lab.lua"; os.exit(0)'
    [ $status = 0 ] && "$nsh" down kept
    report $? "kept after os.exit(0)"
    run ${sandbox:+"$sandbox"} --keep --run 'exit 3' lab.lua kept app3
    expect "not kept when the command fails" 3 "" ""
    echo 'dofile "lab.lua"; error "x"' >fails.lua
    run ${sandbox:+"$sandbox"} --keep fails.lua kept app3
    [ $status = 1 ] && ! grep -q stays err
    report $? "not kept when the script fails"
    nothing_left "nothing is left"
}

# --- on a terminal --------------------------------------------------------------------------------

test_terminal() {
    lab bridge app3
    open_terminal 60
    line "clear; SHELL=/bin/sh HOME=/nonesuch ENV= $nsh enter app3 2>&1"
    line 'hostname; PS1="node: "'
    seen "a shell in a node" $'app3\nnode:'
    line 'stty size'
    seen "knows the size of the terminal" $'20 60\nnode:'
    term resize-window -x 70 -y 25
    line 'clear; stty size'
    seen "and a new one" $'25 70\nnode:'
    line 'clear; sh -c "echo in; exec sleep 1000"'
    ends_with in
    term send-keys C-c
    ends_with 'node:'
    line 'echo go on'
    seen "Ctrl-C is for what runs there" $'echo go on\ngo on\nnode:'
    line 'clear; exit 5'
    line "echo \$?"
    seen "its exit status" $'echo $?\n5\nshell$'
    line "PATH=${nsh%/*}:\$PATH" # a path may be so long that the shell's word on it takes two lines
    line "clear; nsh enter app3 sh -c 'echo in; cat'"
    ends_with in
    term send-keys C-z
    seen "Ctrl-Z stops it" "cat'"$'\nshell$'
    line 'clear; fg'
    ends_with "cat'"
    line 'text'
    seen "fg continues it" $'text\ntext'
    "$nsh" down bridge
    seen "it ends with the lab" $'nsh: lab bridge has ended\nshell$'
    is_cooked
    term kill-server
    wait
    await test ! -e /run/netns/app3
    nothing_left "nothing is left"
}

# --- in a sandbox, and as root on the host ------------------------------------------------------------

run_all() { # run_all MODE OPTION
    mode=$1
    sandbox=$2
    state >before
    test_without_labs
    test_list
    test_enter
    test_end_while_entered
    test_guardian_killed
    test_keep
    if command -v tmux >/dev/null; then test_terminal; fi
}

run_all sandbox -S
if [ "$(id -u)" = 0 ]; then run_all host ""; fi

echo "1..$count"
exit $failed
