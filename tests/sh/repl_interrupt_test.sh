#!/usr/bin/env bash
# Ctrl-C ends what goes on, and nothing else: the prompt comes back, the lab stays; and the terminal is in order. TAP.
#   tests/sh/repl_interrupt_test.sh [PATH/TO/nsh]
# shellcheck source-path=SCRIPTDIR disable=SC2016 # $$ is for the shell of a program
. "$(dirname "$0")/prompt.sh"

open_terminal 'shell$' -x 80 -y 24
line "clear; $nsh -q -S"
ends_with $'nsh>' || give_up "no prompt"
line "function begin() io.open('$dir/begun', 'w'):close() end"
line 'l = nsh.lab "ci"; l:star(2, l:pool "10.0.0.0/24"); l:up()'
ends_with $'nsh>' || give_up "no lab"

# begun: waits until begin() was called
begun() {
    for _ in {1..400}; do
        [ -e "$dir/begun" ] && rm "$dir/begun" && return
        sleep 0.05
    done
    return 1
}

# ends NAME LINE [KEY…]: the line runs, until Ctrl-C (or these keys); then the next one does
ends() {
    key C-l
    line "$2"
    begun
    [ $# -gt 2 ] || set -- "$1" "$2" C-c
    key "${@:3}"
    ends_with $'interrupted\nnsh>' && line '"next"' && ends_with $'next\nnsh>'
    report $? "$1"
}

# --- at the prompt ---
text 'half a line'
key C-c
expect "Ctrl-C at the prompt gives up the line" $'nsh> half a line^C\nnsh>'
line 'if true then'
text 'x = 1'
key Up C-c
line '7'
expect "also one of many lines, from its middle" $'\nnsh> 7\n7\nnsh>'
key C-r
text 'half'
key C-c
line '8'
expect "and a search" $'nsh> 8\n8\nnsh>'

# --- in Lua, waits and programs ---
ends "in a loop" 'begin() while true do end'
ends "in a loop that catches every error" 'begin() while true do pcall(error) end'
ends "in one that catches it inside" 'begin() while true do pcall(function() while true do end end) end'
ends "in a coroutine" 'begin() coroutine.wrap(function() while true do pcall(error) end end)()'
ends "in a coroutine of a coroutine" \
    'c = coroutine.wrap; begin() c(function() c(function() while true do end end)() end)()'
ends "in a function that sorts" 'begin() while true do table.sort({ 3, 2, 1 }, function(a, b) return a < b end) end'
ends "in a sleep" 'begin() nsh.sleep(60)'
ends "in a wait for a task" 't = nsh.go(function() nsh.sleep(60) end) begin() t:wait()'
ends "in a wait for an event" 'm = host:monitor "link" begin() m:next()'
ends "in a wait for a program" 'p = host:spawn "sleep 60" begin() p:wait()'
ends "in a ping" 'begin() host:ping("127.0.0.1", { count = 1000 })'
ends "in a program" "host:exec 'echo > $dir/begun; exec sleep 60'"
ends "in a program of a node" "h1 touch $dir/begun; exec sleep 60"
ends "in a program of the host's shell" "!touch $dir/begun; exec sleep 60"
ends "one after the other" 'begin() nsh.sleep(60)' C-c C-c C-c
ends "one after the other in code that catches them" \
    'begin() for i = 1, 3 do pcall(nsh.sleep, 60) end nsh.sleep(60)' C-c C-c C-c
key C-l
line 'local gone = 1 begin() nsh.sleep(60)'
begun
key C-c
expect "what an interrupted chunk declared is told" \
    $'interrupted\ngone is not kept: what declared it was interrupted\nnsh>'
key C-l
line "h1 trap '' INT; touch $dir/begun; sleep 0.3; echo done"
begun
key C-c
ends_with $'done\nnsh>'
report $? "a program that does not end at Ctrl-C goes on"
key C-l
line 'l:pingall().ok'
expect "the lab is as it was" $'\ntrue\nnsh>'

# --- disorder ---
cooked() { # cooked NAME: what is typed is seen, and its output is where it belongs
    key C-l
    line '"typed"'
    expect "$1" $'nsh> "typed"\ntyped\nnsh>'
}

line '!stty raw -echo; kill -9 0'
cooked "a killed program's terminal is put right"
line 'os.execute "stty raw -echo; kill -9 $$"'
cooked "also of one that nsh knows nothing of"
line 'host:exec{ "sh", "-c", "printf \"\\27[?1049h\\27[?25lother\"; kill -9 $$" }'
ends_with 'nsh>' && [ "$(term display-message -p '#{alternate_on}#{cursor_flag}')" = 01 ]
report $? "so is its screen, and the cursor"

# --- the end ---
key C-l
line 'function wait() begin() local t = os.clock() while os.clock() - t < 0.3 do end end'
line 'last = setmetatable({}, { __gc = wait })'
ends_with '})
nsh>'
key C-d
begun
key C-c C-c C-c
ends_with 'shell$'
report $? "Ctrl-D leaves, and no Ctrl-C keeps the lab from being taken down"
for _ in {1..100}; do
    "$nsh" list | grep -q '^ci ' || break
    sleep 0.1
done
! "$nsh" list | grep -q '^ci '
report $? "no lab is left"

echo "1..$count"
exit $failed
