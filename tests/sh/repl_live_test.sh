#!/usr/bin/env bash
# What happens while somebody types appears above the line, which stays as it is. TAP.
#   tests/sh/repl_live_test.sh [PATH/TO/nsh]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/prompt.sh"

open_terminal 'shell$' -x 60 -y 30
line "clear; $nsh -q -S"
ends_with $'nsh>' || give_up "no prompt"
line 'loop = require "nsh.loop"; ns = nsh.netns.add "ns1"'
line 'host.link:add{ "v0", type = "veth", peer = { "v1", netns = ns } }'
# later(FUNCTION) calls it once somebody has touched the file `go`
line "function gone() local f = io.open '$dir/go'; if f then f:close() return os.remove '$dir/go' end end"
line 'function later(fn) t = loop.go(function() while not gone() do loop.sleep(0.02) end fn() end) end'

# happens: lets it happen, and waits until it has
happens() {
    touch "$dir/go"
    for _ in {1..200}; do
        [ -e "$dir/go" ] || return 0
        sleep 0.02
    done
}

# --- print ---
key C-l
line 'later(function() print "from a task" end)'
text 'local typed'
ends_with 'local typed' && happens
text ' = 1'
expect "what a task prints stands above the line" $'end)\nfrom a task\nnsh> local typed = 1'
key C-u C-l
line 'later(function() io.stderr:write("loud\n") io.write("no ", "newline") end)'
text '"a"'
ends_with '"a"' && happens
expect "also what has no end of its line, and on stderr" $'\nloud\nno newline\nnsh> "a"'
key C-u C-l
line 'later(function() for i = 1, 3 do print(i) end end)'
text '"one line that is so long that it folds at the edge of this terminal"'
ends_with 'terminal"' && happens
expect "also above a line that folds" \
    $'\n1\n2\n3\nnsh> "one line that is so long that it folds at the edge of\nthis terminal"'
text ' .. "!"'
key Home
text '#'
expect "which can be changed as before" $'\n3\nnsh> #"one line that is so long that it folds at the edge of\n this terminal" .. "!"'
key C-u C-k C-l
line 'later(function() print "in between" end)'
line 'if true then'
line '  x = 1'
text '  y = 2'
key Up
ends_with 'y = 2' && happens
text '0'
expect "also above a chunk of many lines" $'\nin between\nnsh> if true then\n  x = 10\n  y = 2'
key Down
key Enter
text 'end'
key Enter
line 'x + y'
expect "which runs as it was typed" $'nsh> x + y\n12\nnsh>'
key C-l
line 'later(function() print "while searching" end)'
key C-r
text 'x +'
ends_with 'x + y' && happens
expect "also above a search" $'\nwhile searching\n(reverse-i-search)`x +\': x + y'
key Enter
expect "which goes on" $'nsh> x + y\n12\nnsh>'

# --- events ---
key C-l
line 'host:monitor "addr"'
expect "a monitor that nobody keeps tells what it hears" $'_:stop() ends it\nnsh>'
line 'later(function() host.addr:add{ "10.1.1.1/24", dev = "v0" } end)'
text 'my line'
ends_with 'my line' && happens
ends_with $'forever\nnsh> my line'
report $? "above the line"
key C-u C-l
line 'm:stop()'
line 'm = host:monitor "addr"; host.addr:add{ "10.1.2.1/24", dev = "v0" }'
line '#m:list()'
ends_with $'\n1\nnsh>'
report $? "one that is kept tells who asks it"
key C-l
line 'host:capture{ "lo", filter = "icmp", count = 2 }'
line 'host:ping "127.0.0.1"; nsh.sleep(0.2)'
ends_with 'nsh>' && screen | grep -q '^[0-9:.]* IP 127.0.0.1 > 127.0.0.1: ICMP echo request' &&
    screen | grep -q '^capture on lo (2 packets, count)'
report $? "and so does a capture, and how it ended"

# --- programs ---
key C-l
line 'p = ns:spawn "sleep 0.3; exit 3"'
text 'typing'
ends_with $'in ns1 has ended with status 3\nnsh> typing'
report $? "a program that ends is told above the line"
key C-u
line 'p = ns:spawn "sleep 60"'
line '.jobs'
ends_with $' (sh) in ns1\nnsh>'
report $? ".jobs lists what runs"
line 'p:kill()'
text 'typing'
ends_with $'was ended by SIGTERM\nnsh> typing'
report $? "and how a signal ended it"
key C-u
line 'p = ns:spawn "sleep 60"; p:close()'
line '.jobs'
ends_with $'nsh> .jobs\nmonitor of addr in host (running)\nmonitor of addr in host (running)\nnsh>'
report $? "what the user ends is not told"

# --- size ---
key C-l
line 'later(function() print "after the change" end)'
text '"123456789 123456789 123456789 123456789"'
ends_with '9"'
term resize-window -x 30 -y 30
text ' '
text 'x'
ends_with $'1234\n56789 123456789" x' && happens
expect "a line that folds anew is found" $'\nafter the change\nnsh> "123456789 123456789 1234\n56789 123456789" x'

echo "1..$count"
exit $failed
