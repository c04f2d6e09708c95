-- Programs that are waited for until they listen, and what listens in a namespace.
local unit = require "luaunit"
local nsh = require "nsh"
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local now = require("nsh.core").poll.now

nsh.sandbox()
local a, b = nsh.netns.new(), nsh.netns.new()
for _, ns in ipairs{ a, b } do ns.link:set{ "lo", up = true } end

local PYTHON = "/usr/bin/python3" -- Debian's, whatever else is in PATH
local LONG = 60 -- seconds: the machine may be busy

-- A server that says who it is, after a while; python's own http.server asks name servers first.
local SERVER = [[
import socket, sys, time
time.sleep(float(sys.argv[3]))
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.socket(family)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen()
while True: s.accept()[0].sendall((sys.argv[4] + "\n").encode())
]]

local function server(address, port, delay, name)
    return { PYTHON, "-c", SERVER, address, port, delay or 0, name or "", listen = port, timeout = LONG, output = true }
end

local function with(args, changes)
    for key, value in pairs(changes) do args[key] = value end
    return args
end

TestListen = {}

function TestListen:test_returns_once_it_listens()
    local p <close> = a:spawn(server("0.0.0.0", 8080, 0.3, "one"))
    local c <close> = a:connect{ "127.0.0.1", port = 8080 }
    unit.assertEquals(c:read(), "one")
    unit.assertTrue(p:running())
end

function TestListen:test_same_port_in_two_namespaces()
    local _ <close> = a:spawn(server("0.0.0.0", 8080, 0, "a"))
    local _ <close> = b:spawn(server("0.0.0.0", 8080, 0, "b"))
    for name, ns in pairs{ a = a, b = b } do
        local c <close> = ns:connect{ "127.0.0.1", port = 8080 }
        unit.assertEquals(c:read(), name)
    end
end

function TestListen:test_port_that_is_taken()
    local _ <close> = a:spawn(server("0.0.0.0", 8080))
    local err = support.raised(a.spawn, a, server("0.0.0.0", 8080))
    unit.assertEquals({ err.code, err.status }, { "ECHILD", 1 })
    unit.assertStrContains(err.message, "it ended with status 1 before it listened on port 8080: OSError")
    unit.assertStrContains(err.message, "Address already in use")
    unit.assertStrContains(err.err, "Traceback")
end

function TestListen:test_server_that_dies_first()
    local line = "echo out; echo bad >&2; kill -9 $$"
    local err = support.raised(a.spawn, a, { "sh", "-c", line, listen = 80, output = true })
    unit.assertEquals({ err.code, err.signal, err.out, err.err }, { "ECHILD", "KILL", "out\n", "bad\n" })
    unit.assertStrContains(tostring(err),
        "cannot run sh in nsh-1: it ended with signal KILL before it listened on port 80: bad")
    err = support.raised(a.spawn, a, { "sh", "-c", "exit 3", listen = 80 })
    unit.assertEquals(err.message, "it ended with status 3 before it listened on port 80")
end

function TestListen:test_server_that_never_listens()
    local _ <close> = a:spawn(server("0.0.0.0", 8081))
    local begin = now()
    local args = { "sh", "-c", "echo $$ >&2; exec sleep 100", listen = 80, timeout = 0.5, output = true }
    local err = support.raised(a.spawn, a, args)
    local pid = err.err:match "%d+"
    unit.assertEquals(err.code, "ETIMEDOUT")
    unit.assertEquals(err.message, ("it runs, and nothing listens on port 80 after 0.5 s: %s"):format(pid))
    unit.assertEquals(err.hint, "what listens in nsh-1: tcp 0.0.0.0:8081")
    unit.assertTrue(now() - begin >= 0.5)
    unit.assertEquals(#a:listening{ port = 80 }, 0)
end

function TestListen:test_its_program_is_gone_then()
    support.raised(a.spawn, a, { "sleep", "100", listen = 80, timeout = 0.05 })
    unit.assertNotStrContains(support.sh "cat /proc/[0-9]*/comm 2>/dev/null; true", "sleep")
end

-- The parent ends well before its child listens.
function TestListen:test_daemon()
    local words = server("0.0.0.0", 8080, 0.3, "daemon")
    table.insert(words, 1, "setsid")
    table.insert(words, 2, "-f")
    local p <close> = a:spawn(words)
    local c <close> = a:connect{ "127.0.0.1", port = 8080 }
    unit.assertEquals({ c:read(), p:wait(LONG).status }, { "daemon", 0 })
    support.sh("kill " .. a:listening{ port = 8080 }[1].pid)
    support.wait_for("the daemon is gone", function() return #a:listening{ port = 8080 } == 0 end)
end

function TestListen:test_addresses()
    for _, row in ipairs{ { "127.0.0.1", "127.0.0.1:81" }, { "0.0.0.0", "127.0.0.1:81" }, { "::", "127.0.0.1:81" },
        { "::1", "[::1]:81" }, { "::", "[::1]:81" }, { "0.0.0.0", "tcp:81" }, { "::", "*:81" } } do
        local p <close> = a:spawn(with(server(row[1], 81), { listen = row[2] }))
        unit.assertTrue(p:running())
    end
    for _, row in ipairs{ { "127.0.0.1", "127.0.0.2:81" }, { "0.0.0.0", "[::1]:81" }, { "0.0.0.0", "udp:81" } } do
        local err = support.raised(a.spawn, a, with(server(row[1], 81), { listen = row[2], timeout = 0.5 }))
        unit.assertEquals(err.code, "ETIMEDOUT", row[2])
    end
end

local SOCKET = [[
import socket, time
s = socket.socket(socket.AF_%s, socket.SOCK_%s)
s.bind(%s)
%s
time.sleep(100)
]]

function TestListen:test_udp_and_unix()
    local path = os.tmpname()
    os.remove(path)
    for listen, code in pairs{
        ["udp:53"] = SOCKET:format("INET", "DGRAM", "('0.0.0.0', 53)", ""),
        ["@nsh test"] = SOCKET:format("UNIX", "STREAM", "'\\0nsh test'", "s.listen()"),
        [path] = SOCKET:format("UNIX", "STREAM", ("%q"):format(path), "s.listen()"),
    } do
        local p <close> = a:spawn{ PYTHON, "-c", code, listen = listen, timeout = LONG }
        unit.assertTrue(p:running(), listen)
    end
    os.remove(path)
end

function TestListen:test_what_is_none()
    for _, bad in ipairs{ 0, 70000, "x", "10.0.0:80", "[::1:80", true, "10.0.0.1:0" } do
        local err = support.raised(a.spawn, a, { "true", listen = bad })
        unit.assertEquals({ err.code, err.key }, { "EINVAL", "listen" }, tostring(bad))
    end
    unit.assertEquals(support.raised(a.spawn, a, { "true", timeout = 1 }).key, "timeout")
    unit.assertEquals(support.raised(a.exec, a, { "true", listen = 80 }).key, "listen")
end

function TestListen:test_other_tasks_go_on_meanwhile()
    local ticks = 0
    local task = nsh.go(function()
        for _ = 1, 5 do
            nsh.sleep(0.02)
            ticks = ticks + 1
        end
    end)
    local _ <close> = a:spawn(server("0.0.0.0", 8080, 0.3))
    unit.assertEquals(ticks, 5)
    task:wait()
end

function TestListen:test_much_output_before_it_listens()
    local args = server("0.0.0.0", 8080)
    args[3] = "import sys; sys.stdout.write('x' * 300000); sys.stdout.flush()\n" .. args[3]
    local p <close> = a:spawn(args)
    unit.assertEquals(#p:read(300000), 300000)
end

TestListening = {}

function TestListening:test_as_ss_lists_them()
    unit.assertEquals(a:listening(), {})
    local p <close> = a:spawn(server("127.0.0.1", 8080))
    local q <close> = a:spawn(server("::1", 90))
    local list = a:listening()
    unit.assertEquals(support.map(list, function(s) return s.port end), { 90, 8080 })
    local tcp6, tcp = list[1], list[2]
    unit.assertEquals({ tcp.netid, tcp.state, tcp.family, tcp.address }, { "tcp", "LISTEN", "inet", "127.0.0.1" })
    unit.assertEquals({ tcp6.netid, tcp6.family, tcp6.address }, { "tcp", "inet6", "::1" })
    unit.assertEquals({ tcp.pid, tcp.process, tcp.uid, tcp6.pid }, { p.pid, "python3", 0, q.pid })
    local ss = support.sh("ss -Hltne", a)
    for _, socket in ipairs(list) do
        local address = socket.family == "inet6" and "[::1]" or socket.address
        unit.assertStrContains(ss, ("%s:%d"):format(address, socket.port))
        unit.assertStrContains(ss, "ino:" .. socket.ino)
    end
    unit.assertEquals(b:listening(), {})
end

function TestListening:test_filter_and_table()
    local _ <close> = a:spawn(server("0.0.0.0", 8080))
    for count, filter in pairs{ [0] = { port = 1 }, { port = 8080, process = "python3" } } do
        unit.assertEquals(#a:listening(filter), count)
    end
    support.refused("EINVAL", 'a socket has no "prt"; did you mean port (EINVAL)', a.listening, a, { prt = 1 })
    unit.assertStrMatches(nsh.show.format(a:listening()),
        "NETID  STATE   LOCAL         UID  PROCESS\ntcp    LISTEN  0.0.0.0:8080  0    python3 %(%d+%)")
end

function TestListening:test_more_than_one_answer_of_the_kernel_holds()
    local listeners = {}
    for i = 1, 600 do listeners[i] = a:listen{ port = 1000 + i } end
    unit.assertEquals(#a:listening(), 600)
    for _, listener in ipairs(listeners) do listener:close() end
    unit.assertEquals(#a:listening(), 0)
end

TestLab = {}

function TestLab:test_ten_servers_start_side_by_side()
    local lab = nsh.lab "ten"
    local runs = {}
    for i = 1, 10 do
        local node = lab:node("n" .. i)
        node:sysctl("net.ipv4.ip_forward", 0)
        runs[i] = node:run(server("0.0.0.0", 8080, 2))
    end
    local begin = now()
    lab:up()
    unit.assertTrue(now() - begin < 18) -- more than twenty, one after the other
    for i, run in ipairs(runs) do
        unit.assertTrue(run.process:running())
        unit.assertEquals(#lab:find("n" .. i):listening{ port = 8080 }, 1)
    end
    local pids = support.map(runs, function(run) return run.process.pid end)
    lab:down()
    for _, pid in ipairs(pids) do unit.assertNil(io.open(("/proc/%d/stat"):format(pid))) end
end

function TestLab:test_a_daemon_ends_with_its_lab()
    local lab = nsh.lab "daemon"
    local node = lab:node "n"
    lab:up()
    local words = server("0.0.0.0", 8080)
    table.insert(words, 1, "setsid")
    table.insert(words, 2, "-f")
    node:spawn(words)
    local pid = node:listening{ port = 8080 }[1].pid
    unit.assertNotNil(io.open(("/proc/%d/stat"):format(pid)))
    lab:down()
    support.wait_for("the daemon is gone", function()
        return not require("nsh.core").file.exists("/proc/" .. pid)
    end)
end

function TestLab:test_refusal_names_the_line_of_its_declaration()
    local lab = nsh.lab "refused"
    local node = lab:node "n"
    node:run(server("0.0.0.0", 8080))
    local line = debug.getinfo(1, "l").currentline + 1
    node:run{ "sh", "-c", "echo no >&2; exit 2", listen = 80, output = true }
    local text = tostring(support.raised(lab.up, lab))
    unit.assertStrContains(text, ("listen_test.lua:%d: cannot run sh in n: it ended with status 2"):format(line))
    unit.assertNil(io.open "/run/netns/n")
end

function TestLab:test_plan()
    local lab = nsh.lab "planned"
    lab:node "n":run{ "server", listen = "udp:53" }
    local plan = table.concat(lab:plan(), "\n")
    unit.assertStrContains(plan, "ip netns exec n server &\n" ..
        "until ip netns exec n ss -Hlnu sport = 53 | grep -q .; do sleep 0.1; done")
end

os.exit(support.run(), true)
