#!/usr/bin/env bash
# A stock lua5.4 has all of nsh but the program: `require "nsh"`. TAP.
# shellcheck disable=SC2016 # "$" in Lua code
set -u

root=$(realpath "$(dirname "$0")/../..")
lua=$(realpath "${NSH_LUA:-$root/lua}")
export LUA_PATH="$lua/?.lua;$lua/?/init.lua;;" LUA_CPATH="$NSH_BUILD/?.so;;"
if ldd "$NSH_BUILD/nsh/core.so" | grep -q libasan; then
    LD_PRELOAD=$(gcc -print-file-name=libasan.so)
    export LD_PRELOAD ASAN_OPTIONS=detect_leaks=0 # lua5.4 itself frees nothing at os.exit
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
count=0

# check NAME EXPECTED CODE: the code's output, errors included, is the expected
check() {
    count=$((count + 1))
    printf '%s\n' "$3" >script.lua
    lua5.4 script.lua >out 2>&1
    if [ "$(cat out)" = "$2" ]; then echo "ok $count - $1"; else
        echo "not ok $count - $1"
        sed 's/^/# /' out
    fi
}

check "adds no global" "" '
local before = {}
for name in pairs(_G) do before[name] = true end
local nsh = require "nsh"
nsh.sandbox()
nsh.host.link:list()
for name in pairs(_G) do if not before[name] then print(name) end end'

check "builds and pings in a sandbox" "true	2.2.2.2/30" '
local nsh = require "nsh"
nsh.sandbox()
local ns1 = nsh.netns.add "ns1"
nsh.host.link:add{ "veth0", type = "veth", up = true, peer = { "veth1", netns = ns1 } }
nsh.host.addr:add{ "2.2.2.1/30", dev = "veth0" }
ns1.link:set{ "veth1", up = true }
ns1.addr:add{ "2.2.2.2/30", dev = "veth1" }
local a = ns1.addr:list{ family = "inet", dev = "veth1" }[1]
print(nsh.host:ping "2.2.2.2".ok, a.local_ .. "/" .. a.prefixlen)'

check "runs programs" "hello from ns1" '
local nsh = require "nsh"
nsh.sandbox()
io.write(nsh.netns.add "ns1":exec{ "sh", "-c", "echo hello from $(hostname)", output = true }.out)'

check "captures, with the module that lies beside core.so" "ICMP echo request	true" '
local nsh = require "nsh"
nsh.sandbox()
nsh.host.link:set{ "lo", up = true }
local capture = nsh.host:capture{ "lo", filter = "icmp" }
nsh.host:ping "127.0.0.1"
print(tostring(capture:list()[1]):match "ICMP echo request", #capture:list() == 2)'

check "errors name the line of the script" \
    'script.lua:4: cannot set link lo in host: unknown key "mtuu"; did you mean mtu (EINVAL)' '
local nsh = require "nsh"
nsh.sandbox()
local _, e = pcall(function() nsh.host.link:set{ "lo", mtuu = 5 } end)
print(e)'

echo "1..$count"
