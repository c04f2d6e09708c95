#!/bin/bash
# What went wrong, at the prompt and in a script: message, the line with a mark, traceback, hint; locals. TAP.
#   tests/repl_error_test.sh [PATH/TO/nsh]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/prompt.sh"

cd "$dir" || exit 1
open_terminal 'shell$' -x 100 -y 30
line "cd $dir; clear; $nsh -S -q"
ends_with 'nsh>' || give_up "no prompt"

# answers NAME LINE TEXT: what is typed is answered so
answers() {
    line "$2"
    expect "$1" "nsh> $2"$'\n'"$3"$'\nnsh>'
}

# --- the place ---
answers "a syntax error has a mark under the word" 'x = (1 = 1)' "stdin:1: ')' expected near '='
  1 | x = (1 = 1)
    |        ^"
answers "of an expression as well" '1 +* 2' "stdin:1: unexpected symbol near '*'
  1 | 1 +* 2
    |    ^"
answers "so has a name that means nothing" 'a = nope.x' "stdin:1: attempt to index a nil value (global 'nope')
  1 | a = nope.x
    |     ^~~~"
answers "and a key that is unknown, with what was meant" 'host.link:set{ "lo", mtuu = 1 }' \
    'cannot set link lo in host: unknown key "mtuu"; did you mean mtu (EINVAL)
  1 | host.link:set{ "lo", mtuu = 1 }
    |                      ^~~~'
answers "a refusal is in the kernel's words, with its hint" 'host.link:add{ "x0", type = "nope" }' \
    'cannot add link x0 in host: Unknown device type (EOPNOTSUPP)
  hint: this kernel has no such links, or not their module: as root, modprobe nope
  1 | host.link:add{ "x0", type = "nope" }
    |                ^~~~'
line 'x = host.name'
answers "an error of a command has no mark in the line before" 'nodes' \
    'there is no lab yet: nsh.lab "name" begins one'
answers "a line that stands above, without a place, is not repeated" 'error "boom"' 'stdin:1: boom'
line 'function f(t)'
line '  local q = t.a'
line '  return q.x'
line 'end'
answers "the line of an earlier chunk" 'y = f{}' "stdin:3: attempt to index a nil value (local 'q')
  3 |   return q.x
    |          ^
stack traceback:
        stdin:3: in function 'f'
        stdin:1: in main chunk"
key C-l
line 'for i = 1, 2 do'
line '  host.link:set{ "lo",'
line '    mtu = "x" }'
line 'end'
expect "the line of a chunk that has several" 'stdin:2: cannot set link lo in host: mtu: "x" given, an integer expected (EINVAL)
  3 |     mtu = "x" }
    |     ^~~
nsh>'
printf 'local t = nil\nfunction g()\n  return t.x\nend\n' >g.lua
line 'dofile "g.lua"'
answers "the line of a file" 'z = g()' "g.lua:3: attempt to index a nil value (upvalue 't')
  3 |   return t.x
    |          ^
stack traceback:
        g.lua:3: in function 'g'
        stdin:1: in main chunk"

# --- locals ---
key C-l
line 'local n = 1'
line 'function more() n = n + 1 return n end'
answers "a local is there in what is typed later" 'more() + n' '4'
line 'n = 10'
answers "and one variable for all" 'more()' '11'
answers "a constant is one" 'local c <const> = 3 c + 0' "stdin:1: syntax error near '+'
  1 | local c <const> = 3 c + 0
    |                       ^"
line 'local c <const> = 3'
answers "later as well" 'c = 4' "stdin:1: attempt to assign to const variable 'c'
  1 | c = 4
    | ^"
answers "its errors name it" 'n.x.y = 1' "stdin:1: attempt to index a number value (upvalue 'n')
  1 | n.x.y = 1
    | ^"
answers "what cannot be kept is told" 'local d <close> = nil' 'd is not kept: it ends with what was typed'
answers "so is what a chunk declared that returned early" 'local e = 1; if e then return e end' \
    '1
e is not kept: the chunk returned before its end'
answers "so is what failed" 'local k, l = 1, nope()' "stdin:1: attempt to call a nil value (global 'nope')
  1 | local k, l = 1, nope()
    |                 ^~~~
k, l are not kept: what declared it failed"
key C-d
ends_with 'shell$'

# --- scripts ---
# fails NAME SCRIPT ERROR
fails() {
    printf '%s\n' "$2" >script.lua
    "$nsh" -S script.lua >out 2>err
    [ $? = 1 ] && [ "$(cat err)" = "$3" ]
    report $? "$1"
    [ "$(cat err)" = "$3" ] || sed 's/^/# /' err
}

fails "a script's syntax error" $'#!/usr/bin/env nsh\nx = = 1' "nsh: script.lua:2: unexpected symbol near '='
  2 | x = = 1
    |     ^"
fails "a script that ends too early" $'if x then\n  y()\n' \
    "nsh: script.lua:4: 'end' expected (to close 'if' at line 1) near <eof>
  1 | if x then
    | ^~"
fails "a script's mistake" $'host.link:set{ "lo",\n  up = true,\n  mtuu = 1,\n}' \
    'nsh: script.lua:1: cannot set link lo in host: unknown key "mtuu"; did you mean mtu (EINVAL)
  3 |   mtuu = 1,
    |   ^~~~'
fails "a refusal" $'\nhost.link:add{ "lo", type = "bridge" }' \
    'nsh: script.lua:2: cannot add link lo in host: File exists (EEXIST)
  2 | host.link:add{ "lo", type = "bridge" }
    |                ^~~~'
fails "an error of its own is one line" 'error "boom"' 'nsh: script.lua:1: boom'
"$nsh" -S - <script.lua >out 2>err
[ "$(cat err)" = 'nsh: stdin:1: boom' ]
report $? "a script from a pipe"
printf 'x = ' | "$nsh" >out 2>err
[ $? = 1 ] && [ "$(head -1 err)" = 'nsh: stdin:1: unexpected symbol near <eof>' ]
report $? "an unfinished one is an error"

echo "1..$count"
exit $failed
