#!/bin/bash
# Help at the prompt on a real terminal: help(x), x?, the key ?, the hint while arguments are typed; the init file. TAP.
#   tests/repl_help_test.sh [PATH/TO/nsh]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/prompt.sh"
export PAGER=cat

shell() { # a shell on a new terminal
    open_terminal 'shell$' -x 60 -y 24 "$@"
}

prompt() { # prompt [OPTION…]: nsh on a fresh screen
    line "clear; $nsh -S -q $*"
    ends_with $'nsh>' || give_up "no prompt"
    key C-l
    ends_with $'nsh>'
}

fresh() { # the prompt on a screen without anything else
    key C-e C-u C-l
    for _ in {1..40}; do [ "$(screen)" = 'nsh>' ] && return; sleep 0.05; done
    give_up "no fresh prompt"
}

shows() { # shows NAME TEXT: it is somewhere on the screen
    appears "$2"
    report $? "$1"
}

# --- what is typed ---
shell
prompt
line 'help(nsh.sleep)'
expect "help shows signature, text and example" "  Sleeps for seconds, fractions allowed; other tasks go on
  meanwhile.

Example
  loop.sleep(0.2)
nsh>"
fresh
line 'help "vxlna"'
shows "a word that is none has a suggestion" 'did you mean vxlan'
fresh
term set-buffer 'nsh.netns.del?' && term paste-buffer -p
ends_with 'del?' && key Enter
expect "x? is help on x" $'Example\n  nsh.netns.del "ns1"\nnsh>'
fresh
term set-buffer 'nsh.sleep??' && term paste-buffer -p
ends_with '??' && key Enter
shows "x?? is its source" $'function M.sleep(seconds)\n'
fresh
line '--- Twice.'
line 'function twice(x) return 2 * x end'
term set-buffer 'twice??' && term paste-buffer -p
ends_with '??' && key Enter
expect "of what was typed as well" $'function twice(x) return 2 * x end\nnsh>'
fresh
line '"why?" -- what?'
expect "what is Lua stays Lua" $'nsh> "why?" -- what?\nwhy?\nnsh>'

# --- the key ---
fresh
text 'host.close?'
expect "the key shows it at once, and leaves the line" $'Example\n  ns1:close()\nnsh> host.close'
key Enter
ends_with $'nsh> host.close?\nnsh>' && [ "$(screen | grep -c '^Example')" = 1 ]
report $? "Enter behind it ends the question, and nothing is told twice"
key Up
expect "which is in the history" 'nsh> host.close?'
fresh
text 'host.close??'
shows "twice it shows the source" 'function methods:close()'
key Enter
expect "and Enter ends that" $'nsh> host.close??\nnsh>'
fresh
text 'host.closed'
key Left Left Left
text '?'
shows "the cursor may be in the middle" 'nothing is known of what stands here'
fresh
text 'host.link:add{ "x", type = "vxlan", df = ?'
expect "in a table it tells of the key" "  df  word: the bit: don't fragment; unset, set, inherit
nsh> host.link:add{ \"x\", type = \"vxlan\", df ="
fresh
text 'host:exec{ ?'
shows "or of all that there may be" '  cwd '
fresh
line 'local near = host'
text 'near.close?'
expect "it knows the locals" $'Example\n  ns1:close()\nnsh> near.close'
fresh
text 'near.link:add{ "x", type = "vxlan", df = ?'
expect "in a table too" "  df  word: the bit: don't fragment; unset, set, inherit
nsh> near.link:add{ \"x\", type = \"vxlan\", df ="
fresh
text '?'
shows "on an empty line it shows around" 'More of help'
fresh
text '"a?b" -- c?'
expect "in a text and in a comment it is a character" 'nsh> "a?b" -- c?'

# --- the hint ---
fresh
text 'nsh.sleep('
expect "a call's signature stands behind the cursor" 'nsh> nsh.sleep(  nsh.sleep(seconds)'
[[ "$(term capture-pane -pe)" == *$'\e[2m'* ]]
report $? "it is dim"
text '0'
expect "it goes along" 'nsh> nsh.sleep(0  nsh.sleep(seconds)'
key Left
expect "but only at the end of the line" 'nsh> nsh.sleep(0'
key End
text ')'
expect "and goes when the call is closed" 'nsh> nsh.sleep(0)'
key Enter
expect "nothing of it is left" $'nsh> nsh.sleep(0)\nnsh>'
fresh
text 'print(string.rep("a", 3'
key C-c
expect "nor after Ctrl-C" $'nsh> print(string.rep("a", 3^C\nnsh>'
fresh
text 'x = "123456789 123456789 123456789 123456789 12345", nsh.sleep('
expect "it stands behind a line that is wrapped" $', ns\nh.sleep(  nsh.sleep(seconds)'
fresh
text 'nsh.go(function() nsh.sleep(0.5) print "above" end) nsh.sleep('
key Enter
text '0'
ends_with $'\n0  nsh.sleep(seconds)'
report $? "and behind one of several lines"
key C-c
line 'task = nsh.go(function() nsh.sleep(0.5) print "above" end)'
text 'nsh.sleep(1'
shows "what tasks print leaves it as it is" $'above\nnsh> nsh.sleep(1  nsh.sleep(seconds)'
key C-c
ends_with 'nsh>' && key C-d
for setting in NO_COLOR=1 TERM=dumb NSH_HINTS=off; do
    shell env "$setting"
    prompt
    text 'nsh.sleep('
    key C-e
    ends_with 'nsh> nsh.sleep(' && [[ "$(screen)" != *seconds* ]]
    report $? "none with $setting"
done

# --- ~/.config/nsh/init.lua ---
config=$HOME/.config/nsh
mkdir -p "$config"
echo 'mine = "from the file"' >"$config/init.lua"
open_terminal 'shell$' -x 160 -y 24
prompt
line 'mine'
expect "the init file is run before the prompt" $'nsh> mine\nfrom the file\nnsh>'
key C-d
ends_with 'shell$'
[ "$("$nsh" -S -e 'mine')" = nil ] && [ "$(echo 'print(mine)' | "$nsh" -S)" = nil ]
report $? "not before a script"
prompt -E
line 'mine'
expect "nor with -E" $'nsh> mine\nnil\nnsh>'
key C-d
ends_with 'shell$'
mkdir -p "$dir/xdg/nsh"
echo 'mine = "elsewhere"' >"$dir/xdg/nsh/init.lua"
line "export XDG_CONFIG_HOME=$dir/xdg"
prompt
line 'mine'
expect "XDG_CONFIG_HOME says where it is" $'nsh> mine\nelsewhere\nnsh>'
key C-d
ends_with 'shell$'
printf 'mine = 1\nerror "wrong"\n' >"$dir/xdg/nsh/init.lua"
line "clear; $nsh -S -q"
expect "its error is told with its place, and the prompt comes" $'nsh/init.lua:2: wrong\nnsh>'
line 'mine'
expect "what it did before stays" $'nsh> mine\n1\nnsh>'
key C-d
ends_with 'shell$'
echo 'x = = 1' >"$dir/xdg/nsh/init.lua"
line "clear; $nsh -S -q"
shows "so is a mistake in it" "nsh/init.lua:1: unexpected symbol near"
expect "and the prompt comes" 'nsh>'

echo "1..$count"
exit $failed
