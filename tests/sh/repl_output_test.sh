#!/bin/bash
# What the prompt prints: tables with units, other values, `;`, `_`, colours, the pager, times and modes. TAP.
#   tests/repl_output_test.sh [PATH/TO/nsh]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/prompt.sh"

# What must not be this machine's.
unset PAGER LESS NO_COLOR
red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' blue=$'\e[34m' magenta=$'\e[35m' cyan=$'\e[36m'

# Starts nsh on a fresh screen: prompt ENVIRONMENT…
prompt() {
    line "clear; env $* $nsh -S -q"
    ends_with $'nsh>' || give_up "no prompt"
}

leave() {
    key C-c C-d
    ends_with 'shell$' || give_up "it does not end"
}

# coloured TEXT: the screen has it, with its colours
coloured() {
    local end
    for ((end = SECONDS + 20; SECONDS < end; )); do
        [[ "$(term capture-pane -p -e)" == *"$1"* ]] && return
        sleep 0.05
    done
    term capture-pane -p -e | cat -v | sed 's/^/# /'
    return 1
}

open_terminal 'shell$' -x 78 -y 20
prompt

# --- values ---
line 'host.link:add{ "v0", type = "veth", peer = "v1", up = true, address = "02:00:00:00:00:01" }'
line 'host.link:set{ "v1", up = true } nsh.settle(host, 5)'
line 'host.link:list{ ifname = "v0" }'
expect "a list of records is a table with the unit in its head" \
    'IFNAME  STATE  ADDRESS            MTU (B)  KIND  PEER
v0      UP     02:00:00:00:00:01  1500     veth  v1
nsh>'
line '{ { b = 1, mtu = 2 }, { mtu = 30 } }'
expect "so is any other list of records" $'MTU (B)  B\n2        1\n30\nnsh>'
line 'ring = { z = 1, a = { 2 } } ring.me = ring'
line '{ ring, 1, ["end"] = 2 }'
expect "other values have sorted keys, as Lua wants them, and marks of cycles" $'\n{ { a = { 2 }, me = <cycle>, z = 1 }, 1, ["end"] = 2 }\nnsh>'
line '6 * 7;'
line '_'
expect "a semicolon suppresses, and the value is still the last one" $'nsh> 6 * 7;\nnsh> _\n42\nnsh>'
line '_ + 1 -- no;'
expect "one in a comment does not" $'\n43\nnsh>'
line '"no;"'
expect "nor one in a string" $'\nno;\nnsh>'
line 'local t = 5; return t;'
line 't'
expect "statements that return are suppressed as well" $'nsh> local t = 5; return t;\nnsh> t\n5\nnsh>'

# --- modes ---
line '.mode json'
line '{ a = 1 }'
expect ".mode json" $'\n{"a":1}\nnsh>'
line '.mode lua'
line '{ { ["end"] = "x\ty", b = 1 } }'
expect ".mode lua is what Lua reads" $'\n{ { b = 1, ["end"] = "x\\ty" } }\nnsh>'
line '.mode'
expect ".mode alone tells" $'\nlua\nnsh>'
line '.mode tabel'
expect "a mode that there is not" 'there is no way to show values as "tabel"; did you mean table (EINVAL)
nsh>'
line '.mode table'

# --- times ---
key C-l
line '.time 1 + 1'
ends_with $' ms\nnsh>' && [[ "$(screen)" == *$'nsh> .time 1 + 1\n2\n'*' ms'* ]]
report $? ".time tells how long an expression takes"
line '3'
expect "once" $'\nnsh> 3\n3\nnsh>'
line 'nsh.sleep(0.6)'
ends_with $' ms\nnsh>' || ends_with $' s\nnsh>'
report $? "above half a second the time is told unasked"
line '.time'
line '4'
ends_with $' ms\nnsh>'
report $? ".time alone tells it of all"
line '.time'
line '5'
expect "and ends that" $'\n5\nnsh>'
leave

# --- colours ---
prompt
line 'host.link:add{ "v0", type = "veth", peer = "v1", up = true, address = "02:00:00:00:00:01" }'
line 'host.link:set{ "lo", up = true } host.addr:add{ "10.0.0.1/24", dev = "v0" }'
line 'host.addr:add{ "fd00::1/64", dev = "lo" }'
line 'nsh.settle(host, 5)'
line 'host.link:list()'
coloured "${cyan}v0"
report $? "an interface has its colour"
coloured "${yellow}02:00:00:00:00:01"
report $? "a MAC as well"
coloured "${red}LOWERLAYERDOWN"
report $? "a state that is down"
line 'host.link:set{ "v1", up = true } nsh.settle(host, 5)'
line 'host.link:list{ ifname = "v0" }'
coloured "${green}UP"
report $? "and one that is up"
line 'host.addr:list()'
coloured "${magenta}10.0.0.1/24" && coloured "${blue}fd00::1/64"
report $? "addresses by their family"
line 'host.link:get "v0"'
coloured "${cyan}v0"
report $? "a single record as well"
text 'q'
line 'nope()'
coloured "${red}stdin:1: attempt to call a nil value (global 'nope')"
report $? "an error is red"
leave
for plain in NO_COLOR=1 TERM=dumb; do
    prompt "$plain"
    line 'host.link:list() nope()'
    line 'host.link:list()'
    ends_with $'65536\nnsh>' && [[ "$(term capture-pane -p -e)" != *$'\e[3'[1-6]m* ]]
    report $? "$plain: no colours"
    leave
done
printf 'host.link:list()\nshow(host.link:list())\nnope()\n' >"$dir/piped.lua"
"$nsh" -S -i -q <"$dir/piped.lua" >"$dir/out" 2>&1
grep -q 'IFNAME' "$dir/out" && grep -q "global 'nope'" "$dir/out" && ! grep -q $'\e\[3' "$dir/out"
report $? "a pipe gets no colours"

# --- the pager ---
prompt
key C-l
line 't = {} for i = 1, 100 do t[i] = { number = i } end'
line 't'
ends_with $'\n18\n:'
report $? "more than a screen goes through less"
key C-c
text 'G'
ends_with $'\n100\n(END)'
report $? "Ctrl-C does not harm it"
text 'q'
ends_with 'nsh>'
report $? "q leads back to the prompt"
line '#t'
expect "which is as before" $'\n100\nnsh>'
line 't;'
line 'for i = 1, 30 do print(i) end'
expect "what is printed does not wait" $'\n29\n30\nnsh>'
line '("x"):rep(78 * 30)'
ends_with $'\n:'
report $? "long lines count as the rows they take"
text 'q'
ends_with 'nsh>'
leave
prompt "PAGER='tail -n 1 | sed s/^/paged-/'"
line 't = {} for i = 1, 100 do t[i] = { number = i } end'
line 't'
expect "the pager is \$PAGER's" $'\npaged-100\nnsh>'
leave
prompt "PAGER='sleep 60'"
line 't = {} for i = 1, 100 do t[i] = { number = i } end'
line 't'
ends_with $'nsh> t'
sleep 0.3
key C-c
expect "Ctrl-C ends a pager that knows no better, and nothing else" $'nsh> t\n^C\nnsh>'
leave
for none in PAGER=cat PAGER= TERM=dumb PAGER=/nonexistent/pager; do
    prompt "$none"
    line 't = {} for i = 1, 100 do t[i] = { number = i } end'
    line 't'
    expect "$none: no pager" $'\n99\n100\nnsh>'
    leave
done
printf 't = {} for i = 1, 100 do t[i] = { number = i } end\nt\n' >"$dir/piped.lua"
"$nsh" -S -i -q <"$dir/piped.lua" >"$dir/out" 2>&1
grep -qx 100 "$dir/out"
report $? "a pipe has no pager"

echo "1..$count"
exit $failed
