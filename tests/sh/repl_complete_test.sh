#!/bin/bash
# Tab on a real terminal: what it adds to the line, what it shows below, and that it leaves the line alone. TAP.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/prompt.sh"

mkdir "$dir/files" && touch "$dir"/files/{one,other,single}
open_terminal 'shell$' -x 60 -y 20 -c "$dir"
line "clear; $nsh -S -q"
ends_with 'nsh>' || give_up "no prompt"

# Without the signature that is shown behind the arguments of a call.
screen() {
    term capture-pane -p |
        sed -E 's/  [[:alnum:]_.:]+\([^()]*(\)|…)[^()]*$//; s/ +$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

# tab NAME TYPED SCREEN: types on a fresh screen, presses Tab once, compares all of it, and gives the line up
tab() {
    key C-l
    text "$2"
    for _ in {1..400}; do
        [[ "$(screen | tr -d '\n')" == *"$2" ]] && break # folded perhaps
        sleep 0.05
    done
    key Tab
    ends_with "$3" && [ "$(screen)" = "$3" ]
    report $? "$1"
    key C-e C-u
}

line 'ns1 = nsh.netns.add "ns1"'
line 'host.link:add{ "veth0", type = "veth", up = true, peer = { "veth1", netns = ns1 } }'
line 'host.addr:add{ "10.0.0.1/24", dev = "veth0" }'
line 'ns1.link:set{ "veth1", up = true }; host.link:add{ "br0", type = "bridge" }; nsh.settle()'
line '"made"'
ends_with $'made\nnsh>' || give_up "no links"

# --- what is added ---
tab "a single name" 'string.rev' 'nsh> string.reverse'
tab "the equals sign of a key" 'host.link:set{ "veth0", mt' 'nsh> host.link:set{ "veth0", mtu ='
tab "the closing quote" 'host.link:set{ "ve' 'nsh> host.link:set{ "veth0"'
tab "an interface of the receiver's namespace" 'ns1.link:set{ "ve' 'nsh> ns1.link:set{ "veth1"'
tab "the brackets of a function without arguments" 'ns1:clo' 'nsh> ns1:close()'
tab "the bracket behind the only argument" 'nsh.netns.del("ns' 'nsh> nsh.netns.del("ns1")'
tab "a kind's own key" 'host.link:add{ "x", type = "vxlan", dstp' 'nsh> host.link:add{ "x", type = "vxlan", dstport ='
tab "a file's name" 'io.open("files/si' 'nsh> io.open("files/single"'
tab "a directory's goes on" 'io.open("fi' 'nsh> io.open("files/'
tab "nothing where nothing is known" 'host.link:set{ "nothing' 'nsh> host.link:set{ "nothing'

# --- what is shown ---
tab "interfaces with their state and addresses" 'host.link:set{ "' 'nsh> host.link:set{ "
br0    DOWN
lo     UNKNOWN  127.0.0.1/8 ::1/128
veth0  UP  10.0.0.1/24
nsh> host.link:set{ "'
tab "what several have in common is added" 'host.link:set{ "veth0", allm' 'nsh> host.link:set{ "veth0", allmulticast ='
tab "verbs with what they do" 'host.addr:' 'nsh> host.addr:
add      give an interface an address
del      take one away
flush    take all of these away
list     the records of all, or of some
replace  add or change one
set      change one
show     print what list returns
nsh> host.addr:'
tab "names side by side" 'string.re' 'nsh> string.re
rep      reverse
nsh> string.re'
tab "a folded line is drawn anew below" 'print("123456789 123456789 123456789 123456789 12", string.re' \
    'nsh> print("123456789 123456789 123456789 123456789 12", str
ing.re
rep      reverse
nsh> print("123456789 123456789 123456789 123456789 12", str
ing.re'
tab "files by their last names" 'io.open("files/o' 'nsh> io.open("files/o
one    other
nsh> io.open("files/o'

line 'for i = 10, 59 do ns1.link:add{ "many" .. i, type = "veth", peer = "peer" .. i } end'
line '"many"'
ends_with $'many\nnsh>' || give_up "not many links"
key C-l
text 'ns1.link:set{ "many'
key Tab
ends_with $'many17  many25  many33  many41  many49  many57\nnsh> ns1.link:set{ "many'
report $? "more than a screen is shown side by side"
key C-e C-u

# --- the line ---
key C-l
key Tab
for _ in {1..400}; do
    [[ "$(screen)" == *collectgarbage*"… and "*" more"* ]] && ends_with $'\nnsh>' && break
    sleep 0.05
done
text 'string.rev'
key Tab
ends_with 'nsh> string.reverse' && [[ "$(screen)" == *collectgarbage*"… and "*" more"* ]]
report $? "on an empty line names are shown, as many as there is room for"
key C-e C-u
key C-l
text 'ns1.link:set{ "veth", up = true }'
for _ in {1..14}; do key Left; done
key Tab
ends_with 'nsh> ns1.link:set{ "veth1", up = true }'
report $? "a quote that stands behind the cursor is not doubled"
key Enter
ends_with $'\nnsh>'
line 'for i = 1, 2 do'
ends_with 'do'
text 'ns1.link:get "veth'
key Tab
ends_with 'ns1.link:get "veth1"'
report $? "in the later lines of a chunk"
key C-c
line 'danger = setmetatable({}, { __index = function() os.exit(9) end })'
line 'danger.link = setmetatable({ ns = danger }, getmetatable(host.link))'
key C-l
text 'danger.link:set{ "'
key Tab
text 'x'
ends_with 'nsh> danger.link:set{ "x'
report $? "nobody's code is called"
key C-c


# --- commands ---
line 'lab = nsh.lab "tab"; lab:node "h1"; lab:node "hub2"'
line 'local mine = { inner = 1 }'
tab "the names of commands" '.mo' 'nsh> .mode'
tab "their words" '.mode ta' 'nsh> .mode table'
tab "an expression behind one" '.time string.rev' 'nsh> .time string.reverse'
tab "a file on the host" '!cat files/si' 'nsh> !cat files/single'
tab "a node" '@hu' 'nsh> @hub2'
tab "a node in a line of Mininet's" 'h1 ping -c1 hu' 'nsh> h1 ping -c1 hub2'
tab "a word of Mininet's" 'pinga' 'nsh> pingall'
tab "a local that the prompt remembers" 'mine.in' 'nsh> mine.inner'
tab "a shell in a node" '.sh h' 'nsh> .sh h
host  node
h1    node
hub2  node
nsh> .sh h'

echo "1..$count"
exit $failed
