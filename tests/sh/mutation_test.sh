#!/usr/bin/env bash
# No step of an example can be left out unnoticed: without any one of them a check of its own fails. TAP.
#   MUTATIONS=10 or all: so many steps of each example are tried, evenly spread; else a few.
set -u
# A lesson runs `nsh enter`, in a /proc that LeakSanitizer does not know its way in.
export ASAN_OPTIONS=detect_leaks=0

nsh=$(realpath "${NSH:-./nsh}")
root=$(realpath "$(dirname "$0")/../..")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
count=0
wanted=${MUTATIONS:-2}
phase=3 # of 10: where in its part of the script a step is taken; root and others take different ones
[ "$(id -u)" = 0 ] || phase=7

check() { # check STATUS NAME [FILE]: the file says why not
    count=$((count + 1))
    if [ "$1" = 0 ]; then echo "ok $count - $2"; else
        echo "not ok $count - $2"
        sed 's/^/# /' "${3:-out}"
    fi
}

# chosen TOTAL WANTED: the numbers of the steps to try
chosen() {
    [ "$2" = all ] || [ "$2" -ge "$1" ] && seq "$1" && return
    for ((i = 0; i < $2; i++)); do echo $(((10 * i + phase) * $1 / (10 * $2) + 1)); done
}

# Runs a mutant and writes who has noticed what is missing: a check, an error (of a later step that needs it,
# or of the script), or nobody. A crash is what ends otherwise, or not in time.
try() { # DIRECTORY NUMBER
    timeout -k 5 30 "$nsh" -S "$1/$2.lua" >"$1/$2.out" 2>&1
    case $? in
    1) if grep -q 'not so: ' "$1/$2.out"; then echo check; else echo error; fi ;;
    0) echo nobody ;;
    *) echo crash ;;
    esac >"$1/$2.noticed"
}

# start SCRIPT DIRECTORY WANTED: four at a time, as most of their time is waiting
start() {
    mkdir -p "$2"
    cp "$1" "$2/0.lua" # which lacks nothing
    lua5.4 "$root/tests/mutants.lua" "$1" "$2" >"$2/steps" || return
    for number in 0 $(chosen "$(wc -l <"$2/steps")" "$3"); do
        while [ "$(jobs -rp | wc -l)" -ge 4 ]; do wait -n; done
        try "$2" "$number" &
    done
}

# steps DIRECTORY WHOM: the steps whose absence was noticed by them
steps() {
    grep -lx "$2" "$1"/*.noticed | sort -V | while read -r file; do
        number=$(basename "$file" .noticed)
        [ "$number" = 0 ] || sed -n "${number}p" "$1/steps"
    done
}

number_of() { steps "$@" | wc -l; }

# What is a step, and what only looks like one.
cat >tricky.lua <<'EOF2'
#!/usr/bin/env nsh
-- host.addr:add{ "10.0.0.9/24", dev = "comment" }
--[==[ lab:up()
]] ]==]
local lab <const> = nsh.lab "x"
local app3, app4 = lab:node "app3", lab:node("app4")
local clink = app3:connect{ "clink3", addr = "172.16.0.30/16",
    via = "172.16.0.1", to = lab.host, peer = { "hlink3", master = "br0" } }
lab.host:bridge "br0" lab:up()
local function f(x) host.addr:add{ "10.0.0.1/24 }", dev = x } end
for _, app in ipairs{ app3, app4 } do
    app:connect{
        "eth0", addr = ("10.0.%d.1/24"):format(#{ 1, 2 }),
        up = (function() if true then return 1, 2 end end)(),
    }
    app:sysctl("net.ipv4.ip_forward", 0)
    app:sysctl("net.ipv4.ip_forward", 1)
    app:sysctl("net.ipv4.ip_forward")
end
nsh.expect(host.link):has{ "br0", up = true, master = "x" }
nsh.together(function()
    nsh.expect(app3):reaches(app4)
    lab.host:nft [[ add rule ]]
end)
if f then host.link:set{ "a", up = true } else lab:down() end
local text = "app:up() \" lab:up()" .. [[
lab:up() ]]
clink.list[1]:remove()
app3.neigh:flush()
lab.host:addr{ "10.0.0.1/24", dev = "br0" }
show(host.link:list())
return host.addr:add{ "192.0.2.1/24", dev = text }
EOF2
cat >tricky.steps <<'EOF2'
line 7: addr = "172.16.0.30/16"
line 8: via = "172.16.0.1"
line 8: master = "br0"
line 9: lab.host:bridge "br0"
line 9: lab:up()
line 10: host.addr:add{ "10.0.0.1/24 }", dev = x }
line 12: app:connect{ "eth0", addr = ("10.0.%d.1/24"):format(#{ 1, 2 }), up = (function() if true then return 1, 2 end end)(), }
line 13: addr = ("10.0.%d.1/24"):format(#{ 1, 2 })
line 14: up = (function() if true then return 1, 2 end end)()
line 17: app:sysctl("net.ipv4.ip_forward", 1)
line 23: lab.host:nft [[ add rule ]]
line 25: host.link:set{ "a", up = true }
line 25: lab:down()
line 28: clink.list[1]:remove()
line 30: lab.host:addr{ "10.0.0.1/24", dev = "br0" }
EOF2
mkdir tricky
lua5.4 "$root/tests/mutants.lua" tricky.lua tricky | diff tricky.steps - >out
check $? "steps are found, whatever is around them"

# A lesson whose checks see all but one of its steps.
cat >lesson.lua <<'EOF2'
local function check(holds, text) return holds or error("not so: " .. text, 0) end

local ns1 = nsh.netns.add "ns1"
host.link:add{ "veth0", type = "veth", up = true, peer = { "veth1", netns = ns1 } }
ns1.link:set{ "veth1", up = true }
host.addr:add{ "10.0.0.1/24", dev = "veth0" }
ns1.addr:add{ "10.0.0.2/24", dev = "veth1" }
ns1.addr:add{ "10.0.0.3/24", dev = "veth1" }
ns1.link:set{ "lo", up = true }
check(host:ping("10.0.0.2", { timeout = 2 }).ok, "the host reaches ns1")
check(host:ping("10.0.0.3", { timeout = 2 }).ok, "and its other address")
check(true, "all is well")
EOF2
start lesson.lua lesson all
wait
steps lesson nobody >out
echo 'line 9: ns1.link:set{ "lo", up = true }' | cmp -s - out
check $? "a step that no check looks at is found"
printf '%s\n' 'line 4: up = true' 'line 5: ns1.link:set{ "veth1", up = true }' >seen
steps lesson check >out
[ "$(wc -l <out)" = 5 ] && grep -qFf seen out
check $? "a check that fails is told from an error"
[ "$(number_of lesson error)" = 1 ]
check $? "and an error from a check" lesson/steps

report() { # NAME
    local by_check by_error
    by_check=$(number_of "$1" check)
    by_error=$(number_of "$1" error)
    echo "# $1 has $(wc -l <"$1/steps") steps; of those tried a check notices $by_check, an error $by_error"
    grep -q nobody "$1/0.noticed"
    check $? "$1 holds with all of its steps" "$1/0.out"
    steps "$1" '\(nobody\|crash\)' >out
    [ "$by_check" -gt 0 ] && [ ! -s out ]
    check $? "$1 fails without any one of them"
    steps "$1" error >out
    [ "$by_check" -ge "$by_error" ]
    check $? "$1 notices most of them by a check" out
}

for example in "$root"/examples/*.lua; do start "$example" "$(basename "$example" .lua)" "$wanted"; done
wait
for example in "$root"/examples/*.lua; do report "$(basename "$example" .lua)"; done
echo "1..$count"
