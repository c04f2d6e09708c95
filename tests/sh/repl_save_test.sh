#!/bin/bash
# `.save`: what was done at the prompt is a script that does it again in a fresh sandbox. TAP.
#   tests/repl_save_test.sh [PATH/TO/nsh]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/prompt.sh"

cd "$dir" || exit 1

# What there is, but for MACs that the kernel chose, and what follows from them.
cat >dump.lua <<'EOF2'
return function(path)
    nsh.settle(nil, 5)
    local file <close> = assert(io.open(path, "w"))
    local names = { "host" }
    for _, ns in ipairs(nsh.netns.list()) do names[#names + 1] = ns.name end
    table.sort(names)
    for _, name in ipairs(names) do
        local ns <const> = name == "host" and host or nsh.netns.open(name)
        local out = ns:exec{ "sh", "-c", "ip -o -d link; ip -o addr; ip route; ip -6 route; sysctl net.ipv4.ip_forward",
            output = true }.out
        file:write("--- ", name, "\n")
        for line in out:gmatch "[^\n]+" do
            line = line:gsub("^%d+: ", ""):gsub("@if%d+", "@if"):gsub("link/ether %x%x:%S+", function(mac)
                return mac:find "^link/ether 02:00:00:" and mac or "link/ether"
            end):gsub("queue%a+ %S+", ""):gsub("%sstate %u+", ""):gsub("%d%dsec", "sec"):gsub("link%-netns%S* %S+", "")
            line = line:gsub("timer +[%d.]+", ""):gsub("_id %S+", "")
            if not line:find "fe80:" and not line:find "ff00::/8" then file:write(line, "\n") end
        end
    end
end
EOF2
cat >again.lua <<'EOF2'
dofile(arg[1])
dofile "dump.lua"(arg[2])
EOF2
cat >commands.lua <<'EOF2'
assert(host:exec{ "sh", "-e", arg[1] }.status == 0)
dofile "dump.lua"(arg[2])
EOF2

saved() { # saved NAME TEXT: the script has these lines
    [[ "$(cat session.lua)" == *"$2"* ]]
    report $? "$1"
}

without() { # without NAME TEXT
    [[ "$(cat session.lua)" != *"$2"* ]]
    report $? "$1"
}

open_terminal 'shell$' -x 100 -y 40
line "cd $dir; clear; $nsh -S -q"
ends_with 'nsh>' || give_up "no prompt"
while IFS= read -r typed; do
    line "$typed"
done <<'EOF2'
nsh.netns.add "ns1"
ns1 = _
local near <const>, far = "veth0", "veth1"
host.link:add{ near, type = "veth", peer = { far, netns = ns1 } }
host.link:list()
host.link:set{ "veth0", up = true, mtuu = 1400 }
local function up(ns, name) ns.link:set{ name, up = true } end
up(host, near) up(ns1, far)
far = "10.0.0.2/24"
ns1.addr:add{ far, dev = "veth1" };
(function() host.addr:add{ "10.0.0.1/24", dev = near } end)()
for i = 1, 3 do host.addr:add{ "10.1." .. i .. ".1/24", dev = near } end
host.link:add{ "br0", type = "bridge", address = "02:00:00:00:00:0b" } host.link:set{ "nope", up = true }
host:sysctl("net.ipv4.ip_forward", 1)
host:exec "ip route add 10.9.0.0/16 via 10.0.0.2"
ns1:ping "10.0.0.1"
host.link:get("veth0").mtu
print(_)
host.link:set{ "br0", mtu = _ - 100 }
nope.nope = 1
x = 5; return x;
6 * 7
host.link:add{ "d" .. _ - 41, type = "bridge" }
for _, l in ipairs(host.link:list()) do print(l.ifname) end
lab = nsh.lab "t"
lab:node "a":connect{ "e0", addr = "10.2.0.1/24", to = lab:node "b", peer = { "e1", addr = "10.2.0.2/24" } }
lab:up()
@a ip link add dev brx type bridge
b ip link add dev bry type bridge
!echo "it's $HOME"
p = host:spawn "sleep 0.2; ip link add dev brz type bridge"
p:wait()
for _, l in ipairs(host.link:list()) do if l.ifname == "lo" then host.link:set{ "lo", mtu = 1500 } return end end
EOF2
ends_with $'return end end\nnsh>' || give_up "the session does not end"
line 'host.link:set{ "d1", up = true } while true do end'
sleep 0.3
key C-c
ends_with $'interrupted\nnsh>' || give_up "it does not end"
key C-l
line '.save session.lua'
expect "it says how to run it" $'nsh session.lua does it again\nnsh>'
line '.save session.lua'
expect "what exists is not overwritten" $'cannot save session.lua: File exists (EEXIST)
  hint: it is not overwritten: another name, or remove it first\nnsh>'
line '.save session.sh'
expect "the commands as well" $'sh session.sh does it again\nnsh>'
line '.save'
expect "where to is asked for" $'cannot save: where to? .save file (EINVAL)\nnsh>'
line '.save nowhere/x.lua'
expect "a place that is not there" $'cannot save nowhere/x.lua: No such file or directory (ENOENT)\nnsh>'
line 'dofile "dump.lua"("made")'
ends_with 'nsh>'
key C-d
ends_with 'shell$'

[ -x session.lua ] && [ "$(head -1 session.lua)" = '#!/usr/bin/env nsh' ]
report $? "it can be run"
"$nsh" -S -q again.lua session.lua again >out 2>&1
report $? "it runs"
sed 's/^/# /' out
diff made again >out && [ "$(wc -l <made)" -gt 30 ]
report $? "and makes the same network"
sed 's/^/# /' out
# what a program did, and what was interrupted, is nothing that nsh can tell as a command
grep -v -e '10\.9\.0\.0/16' -e '^br[xyz]:' made >made.told
"$nsh" -S -q commands.lua session.sh again >out 2>&1 && diff made.told again >>out
report $? "the commands make the same but for what programs did"
sed 's/^/# /' out

saved "a last value that is needed is kept" $'_ = nsh.netns.add "ns1"\n-- ip netns add ns1\n\nns1 = _\n'
saved "another only where it is needed" $'_ = 6 * 7\n\nhost.link:add{ "d" .. _ - 41, type = "bridge" }\n'
saved "what was refused is a comment" $'\n-- refused: host.link:set{ "veth0", up = true, mtuu = 1400 }
--   cannot set link veth0 in host: unknown key "mtuu"; did you mean mtu (EINVAL)\n'
saved "what was refused half-way is done as far" $'\npcall(function() -- line 1: cannot set link nope in host: '
saved "a chunk that begins with a bracket stands alone" $'\n;(function() host.addr:add'
saved "a return does not end it" $'\nx = 5; _ = x;\n'
saved "nor does one in a block" $'\n;(function()\nfor _, l in ipairs(host.link:list()) do'
saved "a command in a node is run there" $'\nrequire "nsh.repl.nodes".get "a":exec "ip link add dev brx type bridge"\n'
saved "and one of the shell on the host" $'\nnsh.host:exec "echo \\"it\'s $HOME\\""\n'
saved "what waits waits again" $'\np:wait()\n'
saved "of what was interrupted what it did is done" $'\n-- interrupted: host.link:set{ "d1", up = true } while true do end
nsh.host:exec [[\nip link set dev d1 up\n]]'
without "what only looks is left out" $'\nhost.link:list()'
without "also in a loop" 'do print'
without "pings too" ':ping'
without "so are commands of the prompt" '.save'

echo "1..$count"
exit $failed
