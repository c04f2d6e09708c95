#!/usr/bin/env bash
# The prompt's commands: of the host's shell, of nodes, and the words of Mininet's prompt. TAP.
#   tests/sh/repl_mininet_test.sh [PATH/TO/nsh]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/prompt.sh"

open_terminal 'shell$' -x 100 -y 40
line "clear; SHELL=/bin/bash $nsh -q -S"
ends_with $'nsh>' || give_up "no prompt"

# clean LINE: types it on a screen that is empty
clean() {
    key C-l
    line "$1"
}

line 'nodes'
expect "without a lab, its words say so" $'nsh> nodes\nthere is no lab yet: nsh.lab "name" begins one\nnsh>'
line 'l = nsh.lab "mn"; s1 = l:switch "s1"; r = l:node "r"'
line 'for i = 1, 2 do l:node("h" .. i):connect{ "eth0", addr = "10.0.0." .. i .. "/24", to = s1 } end'
line 'l:find "h1":connect{ "eth1", addr = "fd00::1/64", to = r, peer = { "eth0", addr = { "fd00::2/64", "10.9.0.1/24" } } }'
line 'l:up()'
ends_with $'lab mn\nnsh>' || give_up "the lab does not go up"

# --- commands in a node ---
clean 'h1 ping -c1 -q h2'
ends_with $' ms\nnsh>' && screen | grep -q '^PING 10.0.0.2 (10.0.0.2)' && screen | grep -q ' 0% packet loss'
report $? "a node runs a command, in which other nodes' names are their addresses"
clean 'h1 echo h2 h2:80 xh2 | tr a-z A-Z; echo r h1'
expect "that are words of their own, in the family that is reached" \
    $'| tr a-z A-Z; echo r h1\n10.0.0.2 H2:80 XH2\nfd00::2 10.0.0.1\nnsh>'
clean 'h2 echo -6 h9 host h1'
expect "or in the one that the command speaks" $'\n-6 h9 host fd00::1\nnsh>'
clean 'h2 hostname'
expect "it is the node that runs it" $'nsh> h2 hostname\nh2\nnsh>'
clean 'h2 = 5'
line 'h2'
expect "what is Lua stays Lua" $'nsh> h2 = 5\nnsh> h2\n5\nnsh>'
clean 'h2 hostname'
expect "and the rest is a command" $'nsh> h2 hostname\nh2\nnsh>'
clean 'hx hostname'
ends_with '^~~~~~~~
nsh>' && screen | grep -q "syntax error near 'hostname'"
report $? "what is neither is an error of Lua's"
clean 'h1 = nsh.netns.open("x"))'
expect "so is what goes on like Lua" "stdin:1: unexpected symbol near ')'
  1 | h1 = nsh.netns.open(\"x\"))
    |                         ^
nsh>"
for rest in '> 3)' '- 3)' '.. "a")' '~= 3)' ':close())' 'and 3)'; do
    clean "h1 $rest"
    ends_with '^
nsh>' && screen | grep -q "^stdin:1: .* near ')'"
    report $? "h1 $rest"
done
clean 'h1 (echo sub; echo ~/x)'
expect "but not what a command can begin with" $'nsh> h1 (echo sub; echo ~/x)\nsub\n'"$HOME/x"$'\nnsh>'
mkdir "$HOME/bin"
ln -s /bin/echo "$HOME/bin/say"
clean 'h1 ~/bin/say home'
expect "its path too" $'nsh> h1 ~/bin/say home\nhome\nnsh>'

# --- ! and @ ---
clean '!expr 6 \* 7; exit 3'
ends_with 'nsh>' && screen | grep -qx 42
report $? "! runs a command of the shell on the host"
clean '@h1 echo h2; hostname'
expect "@ runs one in a node, as it stands" $'hostname\nh2\nh1\nnsh>'
clean '@h3 ls'
expect "which must be there" $'there is no node h3; did you mean h1 (ENOENT)\nnsh>'
line '.sh h2'
line 'hostname; exec true'
ends_with $'\nh2\nnsh>'
report $? ".sh is a shell in a node"
line 'ns = nsh.netns.add "plain"'
clean 'plain ip -br link'
ends_with 'nsh>' && screen | grep -q '^lo '
report $? "a namespace with a name is a node as well"
line '!: >/run/netns/stale'
clean 'stale ls'
expect "but not a name that nothing is behind" "stdin:1: syntax error near 'ls'
  1 | stale ls
    |       ^~
nsh>"
clean 'h2 echo stale'
expect "also as a word" $'nsh> h2 echo stale\nstale\nnsh>'
clean '@stale ls'
expect "of which the kernel says what it is" \
    $'nsh> @stale ls\ncannot open namespace stale: stale is not a network namespace (EINVAL)\nnsh>'
line '!rm /run/netns/stale'
clean '!sleep 60 & kill -9 0'
expect "what a signal ends is told" $'nsh> !sleep 60 & kill -9 0\nended by SIGKILL\nnsh>'

# --- words ---
clean 'nodes'
expect "nodes" $'nsh> nodes\navailable nodes are:\nh1 h2 r s1\nnsh>'
clean 'net'
expect "net" $'s1 h1-eth0:h1/eth0 h2-eth0:h2/eth0\nr eth0:h1/eth1\nh1 eth0:s1/h1-eth0 eth1:r/eth0\nh2 eth0:s1/h2-eth0\nnsh>'
line 'l:find "h2":live().link:set{ "eth0", up = false }'
clean 'links'
expect "links" $'s1/h1-eth0<->h1/eth0 (OK OK)\ns1/h2-eth0<->h2/eth0 (DOWN DOWN)\nr/eth0<->h1/eth1 (OK OK)\nnsh>'
line 'l:find "h2":live().link:set{ "eth0", up = true }'
clean 'dump'
expect "dump" '<Switch s1: h1-eth0:None,h2-eth0:None,s1:None>
<Host r: eth0:10.9.0.1>
<Host h1: eth0:10.0.0.1,eth1:fd00::1>
<Host h2: eth0:10.0.0.2>
nsh>'
line 'nsh.settle()'
clean 'pingall 1'
ends_with ' ms
nsh>' && screen | grep -q '^8 transmitted, 4 received'
report $? "pingall"
clean 'pingall abc'
expect "whose argument is seconds" $'timeout is 0.001 to 3600 seconds, not "abc" (EINVAL)\nnsh>'
line 'net = 7'
line 'net'
expect "a global of that name is the user's" $'nsh> net\n7\nnsh>'
line 'local dump = 8'
line 'dump'
expect "so is a local" $'nsh> dump\n8\nnsh>'

# --- words with a dot ---
clean '.help'
ends_with 'nsh>' && screen | grep -q '^\.watch \[seconds\] expression' && screen | grep -q '^@node command'
report $? ".help lists what there is"
line '.hlp'
expect "what there is not has a nearest one" $'there is no command .hlp; did you mean .help\nnsh>'
clean 'n = 0; function tick() n = n + 1; return "n is " .. n end'
line '.watch 0.5 tick()'
ends_with 'n is 1' || ends_with 'n is 2'
for _ in {1..100}; do
    screen | tail -1 | grep -q 'n is [2-9]' && break
    sleep 0.05
done
screen | tail -1 | grep -q 'n is [2-9]' && screen | grep -q '^every 0.5 s: tick()'
report $? ".watch shows a value again and again"
key C-c
ends_with $'interrupted\nnsh>'
report $? "until Ctrl-C"
clean 'local rows = {} for i = 1, 99 do rows[i] = { number = i } end'
line '.watch 0.5 #rows'
ends_with $'\n99'
report $? "it knows the locals"
key C-c
ends_with $'interrupted\nnsh>'
line '.watch 0.5 rows'
ends_with $'\n36' && screen | head -1 | grep -q '^every 0.5 s: rows'
report $? "what is longer than the screen is cut"
key C-c
ends_with $'interrupted\nnsh>'
clean '("x"):rep(110)'
expect "long lines are wrapped again behind it" $'\nxxxxxxxxxx\nnsh>'
line '.watch 2'
expect "or says what it needs" $'there is nothing to watch: .watch [seconds] expression\nnsh>'
line '.quit'
ends_with 'shell$'
report $? ".quit leaves"

echo "1..$count"
exit $failed
