#!/bin/bash
# The command line of nsh: options, arguments, messages, exit statuses, signals. TAP.
#   tests/sh/host_test.sh [PATH/TO/nsh]
set -u

nsh=$(realpath "${1:-${NSH:-./nsh}}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export HOME=$dir LC_ALL=C.UTF-8
count=0
failed=0

report() { # report STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        failed=$((failed + 1))
        echo "not ok $count - $2"
        sed 's/^/# out: /' out
        sed 's/^/# err: /' err
        echo "# status: $status"
    fi
}

# run ARGS…: output in the files out and err, the exit status in $status. Nothing on stdin.
run() {
    timeout -k 1 20 "$nsh" "$@" >out 2>err </dev/null
    status=$?
}

# expect NAME STATUS STDOUT STDERR: of the last run, exactly.
expect() {
    [ "$status" = "$2" ] && [ "$(cat out)" = "$3" ] && [ "$(cat err)" = "$4" ]
    report $? "$1"
}

# --- options --------------------------------------------------------------------------------------

run --help
grep -q '^usage: nsh' out && grep -q -- '--run CMD' out && [ $status = 0 ] && [ ! -s err ]
report $? "--help"
for option in --help --version; do
    "$nsh" $option >/dev/full 2>err
    status=$?
    : >out
    expect "$option that cannot be written is a failure" 1 "" "nsh: cannot write to standard output"
done
run --version
grep -qx 'nsh [0-9.]* (Lua 5.4.*)' out && [ $status = 0 ]
report $? "--version"
run -zx
expect "an unknown letter" 2 "" "nsh: unknown option -z; try nsh --help"
run --nothing=1
expect "an unknown name" 2 "" "nsh: unknown option --nothing; try nsh --help"
run -qe
expect "a letter without its argument" 2 "" "nsh: option -e needs an argument; try nsh --help"
run --run
expect "a name without its argument" 2 "" "nsh: option --run needs an argument; try nsh --help"
run --run 'echo a' --run 'echo b'
expect "a name that only counts once" 2 "" "nsh: option --run may be given once; try nsh --help"
run --help=1
expect "a name with an argument too many" 2 "" "nsh: option --help takes no argument; try nsh --help"
run -e 'x = 1' -l math -e 'print(x, math.pi > 3)' -e'print "joined"'
expect "-e and -l run in their order" 0 $'1\ttrue\njoined' ""
run -qEe 'print(1)'
expect "letters stand together" 0 1 ""
run -l nothing.there
[ $status = 1 ] && grep -q "module 'nothing.there' not found" err
report $? "-l of a module that is not there"

# --- expressions ----------------------------------------------------------------------------------

run -e '1 + 1'
expect "-e prints the values of an expression" 0 2 ""
run -e 'nil'
expect "-e prints nil" 0 nil ""
run -e 'print "once"'
expect "-e prints nothing for a call without results" 0 once ""
run -j -e '{ a = { 1, 2 } }'
expect "-j prints JSON" 0 '{"a":[1,2]}' ""
run -j -e 'print'
[ $status = 1 ] && grep -q "cannot be written as JSON: value is a function" err
report $? "-j refuses what JSON does not have"

# --- scripts --------------------------------------------------------------------------------------

cat >args.lua <<'EOF'
#!/usr/bin/env nsh
print(#arg, arg[0], arg[1], arg[2], ...)
EOF
run args.lua a -b
expect "a script's arguments; the first line may be for the kernel" 0 $'2\targs.lua\ta\t-b\ta\t-b' ""
run -q -- args.lua
expect "-- ends the options" 0 $'0\targs.lua\tnil\tnil' ""
run -q -E args.lua
expect "the script is arg[0]" 0 $'0\targs.lua\tnil\tnil' ""
run -q -e 'print(arg[-1], arg[0], arg[1])' args.lua a
grep -q $'^print(arg\[-1\], arg\[0\], arg\[1\])\targs.lua\ta$' out
report $? "what stands before the script has negative indices"
"$nsh" - x <args.lua >out 2>err
status=$?
expect "- is standard input, with arguments" 0 $'1\t-\tx\tnil\tx' ""
printf 'local a = 1\nprint(a)\n' | "$nsh" >out 2>err
status=$?
expect "piped input is one chunk" 0 1 ""
echo 'print(string_module == nil, string.rep("x", 2))' | "$nsh" -l string >out 2>err
status=$?
expect "-l does not replace the script" 0 $'true\txx' ""
run missing.lua
expect "a script that is not there" 1 "" "nsh: cannot open missing.lua: No such file or directory"
"$nsh" -e "local file <close> = io.open('dumped', 'w') file:write(string.dump(function() end))"
run dumped
[ $status = 1 ] && grep -q "attempt to load a binary chunk" err
report $? "bytecode is refused"
run -e 'print(nsh == require "nsh", package.loaded["nsh.show"])'
expect "globals are loaded when they are named" 0 $'true\tnil' ""
run -e 'host = 7 print(host, rawget(_G, "nsh"))'
expect "a script may have globals of the same names" 0 $'7\tnil' ""
mkdir nsh && echo 'return "from a file"' >nsh/loop.lua && echo 'return "mine"' >nsh/mine.lua
run -e 'print(type(require "nsh.loop"), require "nsh.mine")'
expect "built-in modules come before files" 0 $'table\tmine\t./nsh/mine.lua' ""

# --- the shells of Lua ----------------------------------------------------------------------------

ulimit -Sn 333
run -e 'local a, b = os.execute "ulimit -Sn", io.popen("ulimit -Sn")
    print(b:read "n") host:exec "ulimit -Sn"'
expect "children get the limit back that nsh raised" 0 $'333\n333\n333' ""
cat >many.lua <<'END'
local files = {}
for i = 1, 400 do files[i] = assert(io.open "/dev/null") end
print(io.popen("echo out; exit 3"):read "a", os.execute "exit 4")
print(os.execute(), io.popen("exit 3"):close())
END
run many.lua
[ $status = 0 ] && [ "$(cat out)" = $'out\n\tnil\texit\t4\ntrue\tnil\texit\t3' ]
report $? "also while nsh has more files open than that"
run -e 'os.execute {}'
expect "a command that is none" 1 "" \
    "nsh: (command line):1: bad argument #1 to 'execute' (string expected, got table)"

# --- errors ---------------------------------------------------------------------------------------

printf '\nerror "boom"\n' >plain.lua
run plain.lua
expect "a plain error is one line" 1 "" "nsh: plain.lua:2: boom"
cat >deep.lua <<'EOF'
local function inner() error "boom" end
local function outer() inner() end
table.sort({ 1, 2 }, function() outer() end)
EOF
run deep.lua
expect "a traceback is the script's alone" 1 "" "nsh: deep.lua:1: boom
stack traceback:
	[C]: in function 'error'
	deep.lua:1: in upvalue 'inner'
	deep.lua:2: in upvalue 'outer'
	deep.lua:3: in function <deep.lua:3>
	[C]: in function 'table.sort'
	deep.lua:3: in main chunk"
cat >task.lua <<'EOF'
local loop = require "nsh.loop"
local function work() loop.wait(0, "rw") end
local function start() loop.go(work):wait() end
start()
EOF
run task.lua
expect "a traceback without nsh's own frames" 1 "" "nsh: task.lua:2: the mode of a wait is \"r\" or \"w\", not rw
stack traceback:
	task.lua:3: in local 'start'
	task.lua:4: in main chunk"
cat >object.lua <<'EOF'
local function f() error(setmetatable({}, { __tostring = function() return "a sentence" end })) end
f()
EOF
run object.lua
expect "an error object is its sentence" 1 "" "nsh: a sentence"
run -v object.lua
[ $status = 1 ] && [ "$(head -1 err)" = "nsh: a sentence" ] && grep -q "object.lua:2: in main chunk" err
report $? "-v: with its traceback"
run -e 'error {}'
expect "an error without words" 1 "" "nsh: (error object is a table value)"
run -e 'error()'
expect "an error without a value" 1 "" "nsh: (error object is a nil value)"
run -e 'x ='
expect "a syntax error" 1 "" "nsh: (command line):1: unexpected symbol near <eof>"
run -e 'error "first"' -e 'print "second"'
expect "the first error ends it" 1 "" "nsh: (command line):1: first"
"$nsh" -e 'print "x"' >/dev/full 2>err
status=$?
: >out
expect "output that cannot be written is a failure" 1 "" "nsh: cannot write to standard output"
"$nsh" -j -e '{ 1 }' >/dev/full 2>err
status=$?
expect "so is JSON" 1 "" "nsh: cannot write to standard output"

# --- the way out ----------------------------------------------------------------------------------

run -e 'os.exit(7)'
expect "os.exit" 7 "" ""
run -e 'setmetatable({}, { __gc = function() print "closed" end }) os.exit(true, true)'
expect "os.exit closes the state if asked" 0 closed ""
run -e 'x = setmetatable({}, { __gc = function() print "closed" end })'
expect "the end closes the state" 0 closed ""
run -e 'x = require "nsh.loop".go(error, "unseen")'
expect "an error in a task that nobody waited for" 0 "" "nsh: in a task: unseen"
run --run 'exit 5'
expect "--run: its status is nsh's" 5 "" ""
# shellcheck disable=SC2016 # the program's own shell is to read it
run -e 'print(1)' --run='kill -KILL $$'
expect "--run: a signal is 128 and its number" 137 1 ""
run -e 'error "x"' --run 'echo never'
expect "--run: not after an error" 1 "" "nsh: (command line):1: x"
run -S --run 'ls /sys/class/net /run/netns'
[ $status = 0 ] && grep -qx lo out && [ "$(grep -c . out)" -le 4 ]
report $? "-S: a sandbox has lo only"

# --- interrupts -----------------------------------------------------------------------------------

# interrupt NAME CODE [SIGNAL STATUS]: the signal, SIGINT unless given, ends CODE, whatever it catches.
# stdin stays open and empty. A shell's background programs would ignore SIGINT.
interrupt() {
    mkfifo fifo
    exec 9<>fifo
    env --default-signal=INT,HUP,TERM "$nsh" -e 'print "ready" io.stdout:flush()' -e "$2" \
        >out 2>err <&9 9>&- &
    local pid=$!
    for _ in {1..500}; do
        grep -q ready out && break
        sleep 0.01
    done
    sleep 0.1
    kill "-${3:-INT}" $pid
    for _ in {1..500}; do
        kill -0 $pid 2>/dev/null || break
        sleep 0.01
    done
    kill -KILL $pid 2>/dev/null
    wait $pid
    status=$?
    exec 9>&-
    rm fifo
    [ $status = "${4:-130}" ] && grep -qEx 'nsh: (\(command line\):[0-9]+: )?interrupted' err &&
        [ "$(wc -l <err)" = 1 ]
    report $? "interrupt: $1"
}

loop='local loop = require "nsh.loop" '
interrupt "a busy loop" 'while true do end'
interrupt "a loop that catches every error" 'while true do pcall(error, "x") end'
interrupt "an inner loop inside pcall" 'while true do pcall(function() while true do end end) end'
interrupt "a coroutine" 'coroutine.wrap(function() while true do end end)()'
interrupt "coroutines without end" \
    'while true do coroutine.resume(coroutine.create(function() while true do end end)) end'
interrupt "coroutines that catch every error" \
    'while true do pcall(coroutine.wrap(function() while true do pcall(error) end end)) end'
interrupt "a generator" \
    'for _ in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end'
interrupt "a closing coroutine" 'local function spin() while true do end end
    local co = coroutine.create(function()
        local _ <close> = setmetatable({}, { __close = spin })
        coroutine.yield()
    end)
    coroutine.resume(co)
    coroutine.close(co)'
interrupt "a sleep" "$loop loop.sleep(1e9)"
interrupt "sleeps inside pcall" "$loop while true do pcall(loop.sleep, 1) end"
interrupt "a task" "$loop loop.go(function() while true do pcall(loop.sleep, 1) end end):wait()"
interrupt "a busy task" "$loop loop.go(function() while true do pcall(error) end end)"
interrupt "a callback of table.sort" "table.sort({ 1, 2 }, function() while true do end end)"
interrupt "a sleep in a callback of table.sort" \
    "$loop table.sort({ 1, 2 }, function() loop.sleep(60) end)"
interrupt "a program" 'require "nsh.process".spawn({}, { "sleep", "100" }) while true do end'
interrupt "a read" 'io.read()'
interrupt "a read from a program" 'io.popen "exec sleep 1":read()'
interrupt "SIGTERM" 'while true do pcall(error) end' TERM 143
interrupt "SIGHUP" "$loop loop.sleep(1e9)" HUP 129

# again SIGNAL STATUS: the signal comes again and again while nsh is ending, which takes its time.
cat >ending.lua <<'END'
local program = host:spawn{ "sh", "-c", "trap '' INT HUP TERM; while :; do sleep 100; done" }
print(program.pid)
last = setmetatable({}, { __gc = function()
    local start <const> = os.clock()
    print "ending"
    io.stdout:flush()
    while os.clock() - start < 0.3 do end
    print "ended"
end })
io.stdout:flush()
while true do nsh.sleep(1) end
END
again() {
    rm -f out
    env --default-signal=INT,HUP,TERM "$nsh" ending.lua >out 2>err </dev/null &
    local pid=$! sent=0
    for _ in {1..500}; do
        [ -s out ] && break
        sleep 0.01
    done
    while kill "-$1" $pid 2>/dev/null; do
        grep -q ending out && sent=$((sent + 1))
        sleep 0.01
    done
    wait $pid
    status=$?
    [ $status = "$2" ] && [ "$(tail -n +2 out)" = $'ending\nended' ] && [ $sent -gt 5 ] &&
        ! kill -0 "$(head -1 out)" 2>/dev/null && [ "$(wc -l <err)" = 1 ]
    report $? "a second $1 does not skip the end"
}
again INT 130
again TERM 143
again HUP 129

echo "1..$count"
[ "$failed" -eq 0 ]
