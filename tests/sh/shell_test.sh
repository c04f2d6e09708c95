#!/bin/bash
# Shells in namespaces on a real terminal: ns:shell() of a script and of the prompt, nsh enter. TAP.
#   tests/shell_test.sh [PATH/TO/nsh]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/prompt.sh"

cd "$dir" || exit 1

# terminal COMMAND…: types a command on a fresh screen of a terminal whose prompt is "outside$"
terminal() {
    open_terminal 'outside$' -x 70 -y 20
    line "clear; $*"
}

cat >script.lua <<'LUA'
local ns = nsh.netns.new()
ns.link:add{ "veth7", type = "veth" }
local result = ns:shell()
print("status " .. result.status)
LUA

# --- bash ---
echo "PS1='mine# '" >"$HOME/.bashrc"
terminal "SHELL=/bin/bash $nsh -S script.lua"
expect "bash names the namespace before its own prompt" '(nsh-1) mine#'
line 'clear; ip -br link show veth7 | cut -d@ -f1; hostname'
expect "it is inside" $'veth7\nnsh-1\n(nsh-1) mine#'
line "clear; sh -c 'echo in; exec sleep 1000'"
ends_with in
term send-keys C-c
expect "Ctrl-C is for what runs there" $'in\n^C\n(nsh-1) mine#'
line "clear; sh -c 'echo in; exec sleep 1000'"
ends_with in
term send-keys C-z
ends_with '#'
line 'clear; jobs | cut -d" " -f3'
expect "and it has job control" $'Stopped\n(nsh-1) mine#'
line 'kill %1; wait'
line 'clear; exit 5'
expect "its status is the result" $'status 5\noutside$'

printf '%s\n' "PS1='\\u at \\h# '" 'alias greet="echo from the rc"' >"$HOME/.bashrc"
terminal "SHELL=/bin/bash $nsh -S script.lua"
expect "a prompt that shows the hostname names it already" $'root at nsh-1#'
line 'clear; greet'
expect "the user's settings are read" $'from the rc\nroot at nsh-1#'
terminal "SHELL=/bin/bash $nsh -S -e 'host:shell()'"
expect "but not where the hostname is another one" "(host) root at $(hostname | cut -d. -f1)#"

echo "PS1='mine# '" >"$HOME/.bashrc"

# --- others ---
terminal "SHELL=/bin/sh $nsh -S script.lua"
expect "any other shell shows the name alone" $'nsh-1#'
line 'exit 3'
expect "and ends as well" $'status 3\noutside$'
terminal "SHELL=/nonesuch $nsh -S script.lua"
expect "without a shell of the user's it is bash" $'(nsh-1) mine#'
cat >evil.lua <<'LUA'
local ns = nsh.netns.add "$(touch evil)`touch evil`\\$(touch evil)"
ns:shell()
LUA
for shell in /bin/sh /bin/bash; do
    terminal "SHELL=$shell $nsh -S evil.lua"
    ends_with '#' && line "clear; echo \$NSH_NODE" && ends_with '#'
    [ ! -e evil ] && [[ "$(screen)" == *touch* ]]
    report $? "$shell executes nothing of the name"
done

# --- the prompt of nsh, nodes, nsh enter ---
cat >lab.lua <<'LUA'
local lab = nsh.lab "shells"
app = lab:node "app3"
lab:up()
LUA
terminal "SHELL=/bin/bash $nsh -S -q -i lab.lua"
ends_with 'nsh>'
line 'app:shell()'
expect "a node has one, from the prompt" '(app3) mine#'
line 'exit 2'
expect "which goes on afterwards" $'status  2\nnsh>'
line '1 + 1'
expect "and reads on" $'2\nnsh>'
term split-window -e 'PS1=second$ ' bash --norc --noprofile
ends_with 'second$'
line "clear; SHELL=/bin/bash $nsh enter app3"
expect "nsh enter gives the same" '(app3) mine#'
line "clear; echo \$NSH_LAB/\$NSH_NODE"
expect "and says where it is" $'shells/app3\n(app3) mine#'
line 'exit 4'
ends_with 'second$'
line "echo \$?"
expect "its status is that of nsh enter" $'echo $?\n4\nsecond$'

# --- without a terminal ---
term kill-server
output=$(echo "hostname; echo \$NSH_NODE" | SHELL=/bin/bash "$nsh" -S script.lua)
[ "$output" = $'nsh-1\nnsh-1\nstatus 0' ]
report $? "without a terminal it reads its commands"

echo "1..$count"
exit "$failed"
