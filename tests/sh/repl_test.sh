#!/bin/bash
# The prompt on a real terminal: tmux types and reads the screen. TAP.
#   tests/repl_test.sh [PATH/TO/nsh]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/prompt.sh"

history=$HOME/.local/state/nsh/history

shell() { # a shell on a new terminal of 60x20
    open_terminal 'shell$' -x 60 -y 20 "$@"
}

# Starts nsh on a fresh screen.
prompt() {
    line "clear; $nsh -q"
    ends_with $'nsh>' || give_up "no prompt"
}

cooked() { # the shell's terminal is as usual
    line 'clear; stty -a | grep -o "[-a-z]*\(icanon\|echo\|icrnl\) " | xargs'
    ends_with $'icrnl icanon echo\nshell$'
}

# --- typing ---
shell
prompt
line '1 + 1, "two"'
expect "an expression is printed, several beside each other" $'2       two\nnsh>'
line 'x = 7'
expect "a statement prints nothing" $'x = 7\nnsh>'
line '6 * x'
line '_ + 1'
expect "the result is kept in _" $'43\nnsh>'
line '{ b = 1, a = { 2 } }'
expect "a table is printed sorted" $'a  2\nb  1\nnsh>'
line 'nil'
expect "nil is a value" $'nsh> nil\nnil\nnsh>'
line 'for i = 1, 2 do'
line 'print(i)'
expect "an unfinished chunk goes on in the next line" $'nsh> for i = 1, 2 do\nprint(i)'
line 'end'
expect "and runs when it is complete" $'\nend\n1\n2\nnsh>'
line '{ 10,'
line '20 }'
expect "an unfinished expression as well" $'\n20 }\n{ 10, 20 }\nnsh>'
key Up
expect "an entry of several lines is recalled whole" $'nsh> { 10,\n20 }'
key C-u C-c
key Enter
key Enter
expect "an empty line is no error" $'nsh>\nnsh>\nnsh>'

# --- errors ---
line 'x ='
key C-d
expect "Ctrl-D ends an unfinished chunk with its error" \
    $'stdin:1: unexpected symbol near <eof>\n  1 | x =\n    |    ^\nnsh>'
line 'error "boom"'
expect "a message without a traceback that says no more" $'nsh> error "boom"\nstdin:1: boom\nnsh>'
line 'function f() error "deep" end'
line 'x = f()'
expect "a traceback has the user's frames only" "nsh> x = f()
stdin:1: deep
  1 | function f() error \"deep\" end
    | ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~
stack traceback:
        [C]: in function 'error'
        stdin:1: in function 'f'
        stdin:1: in main chunk
nsh>"
line 'error(setmetatable({}, { __tostring = function() return "object" end }))'
expect "an error object is shown by its text" $'\nobject\nnsh>'
line 'error{ code = 1 }'
expect "a table as an error too" $'\ncode  1\nnsh>'

# --- Tab ---
key C-l
text 'string.re'
key Tab
ends_with 'string.re' && key Tab
expect "Tab lists several matches" $'nsh> string.re\nrep      reverse\nnsh> string.re'
text 'v'
key Tab
text '("ab")'
key Enter
expect "Tab inserts a single match" $'nsh> string.reverse("ab")\nba\nnsh>'
line 'danger = setmetatable({}, { __index = function() os.exit(9) end })'
key C-l
text 'danger.x'
key Tab Tab
text ' = 3'
expect "Tab calls nobody's code" $'nsh> danger.x = 3'
key C-c
expect "Ctrl-C gives up the line" $'nsh> danger.x = 3^C\nnsh>'

# --- Ctrl-C ---
line 'function g('
text 'a'
ends_with $'(\na'
key C-c
expect "Ctrl-C gives up an unfinished chunk" $'nsh> function g(\na^C\nnsh>'
line '"fresh"'
expect "and the next line is a chunk of its own" $'fresh\nnsh>'
line 'while true do pcall(error) end'
sleep 0.3
key C-c
expect "Ctrl-C ends running code" $'\ninterrupted\nnsh>'
key C-r
text 'fre'
ends_with '"fresh"'
key C-c
line '5'
expect "Ctrl-C ends a search" $'nsh> 5\n5\nnsh>'

# --- paste, size, tasks ---
term set-buffer $'a = 1\nb = 2\nreturn a + b'
term paste-buffer -p
expect "a pasted block waits for Enter" $'nsh> a = 1\nb = 2\nreturn a + b'
key Enter
expect "and runs at once" $'return a + b\n3\nnsh>'
line 'loop = require "nsh.loop"'
line 't = loop.go(function() loop.sleep(0.2) done = true end)'
line 'done'
sleep 0.4
line 'done'
expect "tasks go on while the prompt waits" $'nsh> done\ntrue\nnsh>'
term resize-window -x 30 -y 20
sleep 0.2
key C-l
text '"123456789 123456789 123456789 123456789"'
expect "a line folds at the new width" $'nsh> "123456789 123456789 1234\n56789 123456789"'
key C-c
term resize-window -x 60 -y 20
key C-l
key C-z
ends_with 'shell$' && cooked
report $? "Ctrl-Z gives the terminal back"
line 'fg'
text '9'
ends_with 'nsh> 9' && key Enter
expect "and fg takes it again" $'9\nnsh>'

key C-z
ends_with 'shell$'
line 'kill %1; while kill -0 %1; do sleep 0.1; done 2>/dev/null; echo gone'
ends_with $'gone\nshell$' && cooked
report $? "one that is stopped can be ended"
prompt

# --- leaving ---
key C-d
ends_with 'shell$' && cooked
report $? "Ctrl-D leaves and restores the terminal"
prompt
line 'loop = require "nsh.loop"'
line 't = loop.go(function() loop.sleep(0.2) os.exit(4) end)'
ends_with 'shell$'
line 'echo $?'
ends_with $'4\nshell$' && cooked
report $? "so does os.exit in a task"
for signal in TERM HUP QUIT; do
    prompt
    pkill -"$signal" -P "$(term display-message -p '#{pane_pid}')" -x nsh
    ends_with 'shell$' && cooked
    report $? "so does SIG$signal"
done

# --- history ---
prompt
key Up Up
expect "history is kept over runs" 'nsh> loop = require "nsh.loop"'
key C-c C-d
[ "$(stat -c %a "$history")" = 600 ] && [ "$(grep -c '^"fresh"$' "$history")" = 1 ]
report $? "in a file of mode 600"
prompt
line 'if true then'
line '"whole" end'
line 'return "whole"'
key C-d
ends_with 'shell$'
prompt
key Up Up
expect "entries of several lines stay whole" $'nsh> if true then\n"whole" end'

for home in /nonexistent /proc ''; do
    shell env HOME="$home"
    prompt
    line '"quiet"'
    ends_with $'quiet\nnsh>' && [ "$(screen)" = $'nsh> "quiet"\nquiet\nnsh>' ]
    report $? "HOME=$home: no history and no complaint"
done

echo "1..$count"
exit $failed
