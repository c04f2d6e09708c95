-- Programs: exec, spawn, their pipes, and the words of what goes wrong. Runs in a sandbox of its own.
local unit = require "luaunit"
local core = require "nsh.core"
local loop = require "nsh.loop"
local process = require "nsh.process"

local MUCH = 300000 -- bytes: several times what a pipe holds

assert(core.sandbox.enter())
local host = { name = "host" }
local node = { name = "app1", handle = assert(core.netns.new()) }

local function output(ns, args)
    args.output = true
    local result = process.exec(ns, args)
    unit.assertEquals(result.err, "")
    unit.assertEquals(result.status, 0)
    return result.out
end

local function raised(fn, ...)
    local ok, err = pcall(fn, ...)
    unit.assertFalse(ok)
    return err
end

TestExec = {}

function TestExec:test_line_for_the_shell()
    unit.assertEquals(process.exec(host, "exit 7").status, 7)
end

function TestExec:test_signal()
    local result = process.exec(host, "kill -KILL $$")
    unit.assertEquals(result.signal, "KILL")
    unit.assertNil(result.status)
end

function TestExec:test_output_of_both_pipes()
    local line = ("head -c %d /dev/zero; head -c %d /dev/zero >&2; exit 3"):format(MUCH, MUCH)
    local result = process.exec(node, { "sh", "-c", line, output = true })
    unit.assertEquals({ #result.out, #result.err, result.status }, { MUCH, MUCH, 3 })
end

function TestExec:test_input_while_output_fills()
    local text = ("0123456789"):rep(MUCH // 10)
    unit.assertEquals(output(host, { "cat", input = text }), text)
    unit.assertEquals(output(host, { "cat", input = "" }), "")
end

function TestExec:test_input_that_is_not_read()
    unit.assertEquals(output(host, { "head", "-c1", input = ("x"):rep(MUCH) }), "x")
end

function TestExec:test_words_are_not_split()
    unit.assertEquals(output(host, { "printf", "%s|", "a b", 3, "" }), "a b|3||")
end

function TestExec:test_environment()
    local line = 'echo "$NSH_A $NSH_B ${HOME-none} ${PATH:+path}"'
    local env = { NSH_A = "a=b", NSH_B = 3, HOME = false }
    unit.assertEquals(output(host, { "sh", "-c", line, env = env }), "a=b 3 none path\n")
end

function TestExec:test_directory()
    unit.assertEquals(output(host, { "pwd", cwd = "/usr" }), "/usr\n")
end

function TestExec:test_a_daemon_does_not_hold_us()
    unit.assertEquals(output(host, { "sh", "-c", "sleep 100 & echo done" }), "done\n")
end

function TestExec:test_timeout()
    local before = core.poll.now()
    local err = raised(process.exec, node, { "sleep", "100", timeout = 0.1 })
    unit.assertEquals(err.code, "ETIMEDOUT")
    unit.assertStrContains(tostring(err), "cannot run sleep in app1: it still ran after 0.1 s")
    unit.assertTrue(core.poll.now() - before < 2)
end

function TestExec:test_not_found()
    local err = raised(process.exec, node, { "/nonesuch" })
    unit.assertEquals(err.code, "ENOENT")
    unit.assertStrMatches(tostring(err),
        ".*process_test.lua:%d+: cannot run /nonesuch in app1: No such file or directory %(ENOENT%)")
    unit.assertStrContains(raised(process.exec, node, { "/nonesuch -x" }).hint, "a string of its own")
end

function TestExec:test_wrong_arguments()
    local err = raised(process.exec, node, { "true", colour = 1 })
    unit.assertEquals({ err.code, err.key }, { "EINVAL", "colour" })
    unit.assertEquals(err.message,
        'there is no option "colour"; there are: cwd, env, input, output, timeout')
    unit.assertEquals(raised(process.exec, node, { "true", cwd = 1 }).key, "cwd")
    unit.assertEquals(raised(process.exec, node, { "true", env = { ["a=b"] = "" } }).key, "env")
    unit.assertEquals(raised(process.exec, node, { "true", env = { a = true } }).key, "env")
    unit.assertEquals(raised(process.exec, node, {}).message, "there is no program to run")
    unit.assertEquals(raised(process.exec, node, { {} }).code, "EINVAL")
    unit.assertEquals(raised(process.exec, node).code, "EINVAL")
    unit.assertEquals(raised(process.spawn, node, { "true", timeout = 1 }).key, "timeout")
end

function TestExec:test_side_by_side()
    local before = core.poll.now()
    local tasks = {}
    for i = 1, 5 do
        tasks[i] = loop.go(function()
            return output(node, { "sh", "-c", "sleep 0.3; echo " .. i })
        end)
    end
    for i = 1, 5 do unit.assertEquals(tasks[i]:wait(5), i .. "\n") end
    unit.assertTrue(core.poll.now() - before < 1.2)
end

TestNode = {}

function TestNode:test_network_and_names()
    unit.assertStrContains(output(node, { "ip", "-br", "link", "show", "lo" }), "DOWN")
    unit.assertStrContains(output(host, { "ip", "-br", "link", "show", "lo" }), "LOOPBACK,UP")
    unit.assertEquals(output(node, { "hostname" }), "app1\n")
    unit.assertNotEquals(output(host, { "hostname" }), "app1\n")
    unit.assertEquals(output(node, { "ls", "/run/netns" }), "")
end

function TestNode:test_fresh_proc_and_sys()
    process.exec(host, "ip link add nsh-test type veth peer name nsh-peer")
    unit.assertStrContains(output(host, { "ls", "/sys/class/net" }), "nsh-test")
    unit.assertNotStrContains(output(node, { "ls", "/sys/class/net" }), "nsh-test")
    process.exec(host, "ip link del nsh-test")
    unit.assertEquals(output(node, { "sh", "-c", "cat /proc/1/comm" }), "nsh-guardian\n")
    unit.assertEquals(output(host, { "sh", "-c", "cat /proc/1/comm" }), "nsh-guardian\n")
end

function TestNode:test_own_files_over_etc()
    local folder = output(host, { "mktemp", "-d" }):sub(1, -2)
    local with = { name = "app1", handle = node.handle, etc = folder }
    process.exec(host, { "cp", "/dev/stdin", folder .. "/hosts", input = "10.0.0.1 web\n" })
    unit.assertEquals(output(with, { "cat", "/etc/hosts" }), "10.0.0.1 web\n")
    process.exec(host, { "cp", "/dev/stdin", folder .. "/nsh-new", input = "new\n" })
    unit.assertEquals(output(with, { "cat", "/etc/hosts", "/etc/nsh-new" }), "10.0.0.1 web\nnew\n")
    unit.assertStrContains(output(with, { "cat", "/etc/passwd" }), "root")
    unit.assertNotStrContains(output(host, { "cat", "/etc/hosts" }), "web")
    process.exec(host, { "rm", "-r", folder })
end

-- Servers ask for the address of their own host; where no name server answers, they would wait.
function TestNode:test_its_own_name_has_an_address()
    local hosts = output(node, { "cat", "/etc/hosts" })
    unit.assertStrMatches(hosts, ".*\n127%.0%.1%.1\tapp1\n")
    unit.assertEquals((hosts:gsub("\n127%.0%.1%.1\tapp1\n$", "")), output(host, { "cat", "/etc/hosts" }))
    unit.assertStrContains(output(node, { "getent", "hosts", "app1" }), "127.0.1.1")
    unit.assertEquals(output(node, { "ls", "/run/netns" }), "")
end

-- The host's programs see and make the mounts of the sandbox; a node's are its own.
function TestNode:test_mounts()
    unit.assertEquals(process.exec(host, "ip netns add by-ip").status, 0)
    unit.assertEquals(core.netns.list(), { "by-ip" })
    local handle = assert(core.netns.open_name "by-ip")
    unit.assertStrContains(output({ name = "by-ip", handle = handle }, { "ip", "link" }), "lo:")
    unit.assertEquals(process.exec(host, "ip netns exec by-ip true").status, 0)
    unit.assertEquals(process.exec(host, "ip netns del by-ip").status, 0)
    unit.assertEquals(process.exec(node, "mount -t tmpfs none /mnt && touch /mnt/x").status, 0)
    unit.assertEquals(output(host, { "ls", "/mnt" }), output(node, { "ls", "/mnt" }))
end

TestSpawn = {}

function TestSpawn:test_wait()
    local p <close> = process.spawn(node, { "sleep", "0.3" })
    unit.assertTrue(p:running())
    unit.assertNil(p:wait(0.05))
    unit.assertEquals(p:wait(), { status = 0 })
    unit.assertEquals(p:wait(0), { status = 0 })
    unit.assertFalse(p:running())
    unit.assertEquals(p:kill():wait(), { status = 0 })
end

function TestSpawn:test_kill()
    local p <close> = process.spawn(node, { "sleep", "100" })
    local err = raised(p.kill, p, "NONE")
    unit.assertEquals(err.message, 'there is no signal "NONE"')
    unit.assertEquals(p:kill():wait(5).signal, "TERM")
    local q <close> = process.spawn(node, { "sleep", "100" })
    unit.assertEquals(q:kill(9):wait(5).signal, "KILL")
    local r <close> = process.spawn(node, { "sleep", "100" })
    unit.assertEquals(r:kill "SIGHUP":wait(5).signal, "HUP")
end

function TestSpawn:test_close_kills()
    local pid
    do
        local p <close> = process.spawn(node, "trap '' TERM; sleep 100")
        pid = p.pid
    end
    unit.assertNil(io.open("/proc/" .. pid .. "/stat"))
end

function TestSpawn:test_read()
    local p <close> = process.spawn(node,
        { "sh", "-c", "printf 'one\\ntwo\\nthree'; echo bad >&2", output = true })
    unit.assertEquals(p:read(), "one")
    unit.assertEquals(p:read "L", "two\n")
    unit.assertEquals(p:read(2), "th")
    unit.assertEquals(p:read "l", "ree")
    unit.assertNil(p:read "l")
    unit.assertNil(p:read(5))
    unit.assertNil(p:read(0))
    unit.assertEquals(p:read "a", "")
    unit.assertEquals(p:read("a", "stderr"), "bad\n")
    unit.assertStrContains(raised(p.read, p, "x").message, 'not "x"')
    unit.assertStrContains(raised(p.read, p, "l", "stdin").message, 'not "stdin"')
end

function TestSpawn:test_pipes_move_while_we_wait()
    local line = ("head -c %d /dev/zero >&2; head -c %d /dev/zero; echo; echo end"):format(MUCH, MUCH)
    local p <close> = process.spawn(node, { "sh", "-c", line, output = true })
    unit.assertEquals(#p:read "l", MUCH)
    unit.assertEquals(p:wait(5).status, 0)
    unit.assertEquals(p:read "a", "end\n")
    unit.assertEquals(#p:read("a", "stderr"), MUCH)
end

function TestSpawn:test_write()
    local p <close> = process.spawn(node, { "cat", input = true, output = true })
    local text = ("x"):rep(MUCH)
    unit.assertEquals(p:write(text):write "\n":read "l", text)
    unit.assertEquals(p:write "a":close_input():close_input():read "a", "a")
    unit.assertEquals(p:wait(5).status, 0)
    unit.assertEquals(raised(p.write, p, "x").message, "its input is closed")
end

-- Named after what it would do to nsh: a write to a program that is gone.
function TestSpawn:test_no_sigpipe()
    local p <close> = process.spawn(node, { "true", input = true })
    p:wait()
    unit.assertEquals(raised(p.write, p, "x").code, "EPIPE")
end

-- A server whose process nobody keeps would be cut off from its stderr by the garbage collector.
function TestSpawn:test_a_program_keeps_its_pipes_while_it_runs()
    local path, text = os.tmpname(), ""
    process.spawn(host, { "sh", "-c", "sleep 0.2; echo out && echo well >" .. path, output = true })
    collectgarbage()
    collectgarbage()
    for _ = 1, 500 do
        local file <close> = assert(io.open(path))
        text = file:read "a"
        if text ~= "" then break end
        loop.sleep(0.01)
    end
    os.remove(path)
    unit.assertEquals(text, "well\n")
    loop.sleep(0.1)
    process.exec(host, { "true" }) -- what has ended is forgotten when the next one starts
    collectgarbage()
end

function TestSpawn:test_nothing_to_read_or_write()
    local p <close> = process.spawn(node, { "cat" })
    unit.assertEquals(p:wait(5).status, 0)
    unit.assertStrContains(raised(p.read, p).message, "output = true")
    unit.assertStrContains(raised(p.write, p, "x").message, "closed")
end

function TestSpawn:test_read_by_tasks()
    local line = "sleep 0.1; echo a; sleep 0.1; echo b >&2"
    local p <close> = process.spawn(node, { "sh", "-c", line, output = true })
    local out = loop.go(function() return p:read "a" end)
    local err = loop.go(function() return p:read("a", "stderr") end)
    local status = loop.go(function() return p:wait().status end)
    unit.assertEquals({ out:wait(5), err:wait(5), status:wait(5) }, { "a\n", "b\n", 0 })
end

TestEnd = {}

local function own_descriptors()
    local count = 0
    for fd = 0, 1024 do
        local info <close> = io.open("/proc/self/fdinfo/" .. fd)
        count = count + (info and 1 or 0)
    end
    return count
end

function TestEnd:test_no_descriptor_stays()
    collectgarbage()
    assert(core.guardian.start())
    local before = own_descriptors()
    collectgarbage "stop"
    for _ = 1, 20 do
        process.exec(node, { "true", output = true, input = "x" })
        pcall(process.exec, node, { "/nonesuch", output = true, input = "x" })
        pcall(process.exec, node, { "sleep", "9", output = true, timeout = 0 })
        local p = process.spawn(node, { "true", output = true })
        p:wait()
        p:read "a"
        p:read("a", "stderr")
        process.spawn(node, { "sleep", "9", output = true, input = true }):close()
    end
    local after = own_descriptors()
    collectgarbage "restart"
    unit.assertEquals(after - before, 0)
end

function TestEnd:test_guardian_stop_ends_all()
    local p = process.spawn(node, { "sleep", "100" })
    unit.assertTrue(core.guardian.stop())
    unit.assertEquals(p:wait(5).signal, "KILL")
    unit.assertEquals(process.exec(node, "exit 3").status, 3)
end

os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run(), true)
