-- Namespaces without a name that live by a process, reached by its pid.
local lu = require "luaunit"
local nsh = require "nsh"
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))

nsh.sandbox()

local host, netns = nsh.host, nsh.netns
local MISSING = 999999999 -- beyond the highest pid that there can be

local function has(ns, name)
    return ns:socket():has(name)
end

local function names(ns)
    return support.pluck(ns.link:list(), "ifname")
end

-- Calls fn with the commands that nsh reports meanwhile.
local traced = support.commands

-- --- the process ---------------------------------------------------------------------------------

TestProcess = {}

function TestProcess.test_is_in_a_namespace_of_its_own_with_lo_down()
    local p <close> = netns.unshare{ "sleep", "60" }
    local ns <close> = netns.open(p.pid)
    lu.assertEquals(names(ns), { "lo" })
    lu.assertEquals(ns.link:get("lo").operstate, "DOWN")
    lu.assertEquals(ns.route:list{ table = "all" }, {})
    lu.assertFalse(ns:ping("127.0.0.1", { count = 1, timeout = 0.2 }).ok)
end

function TestProcess.test_sees_itself_and_no_names()
    local named <close> = netns.add "named"
    local p <close> = netns.unshare{ "sh", "-c", "ip -o link | wc -l; ls /sys/class/net /run/netns; hostname",
        output = true }
    local here = support.sh "hostname"
    lu.assertEquals(p:read "a", "1\n/run/netns:\n\n/sys/class/net:\nlo\n" .. here)
    netns.del(named)
end

function TestProcess.test_no_name_is_listed()
    local p <close> = netns.unshare{ "sleep", "60" }
    lu.assertEquals(#netns.list(), 0)
    lu.assertTrue(p:running())
end

function TestProcess.test_has_what_spawn_has()
    local p <close> = netns.unshare{ "sh", "-c", 'read word; echo "$word $V $PWD"; exit 3', output = true, input = true,
        cwd = "/", env = { V = "v" } }
    p:write "hello\n"
    lu.assertEquals(p:read "l", "hello v /")
    lu.assertEquals(p:wait().status, 3)
    lu.assertEquals(netns.unshare("exit 4"):wait().status, 4)
end

function TestProcess.test_two_are_apart()
    local p <close> = netns.unshare{ "sleep", "60" }
    local q <close> = netns.unshare{ "sleep", "60" }
    local a <close> = netns.open(p.pid)
    local b <close> = netns.open(q.pid)
    a.link:add{ "only-a", type = "bridge" }
    lu.assertEquals(names(b), { "lo" })
end

function TestProcess.test_what_cannot_be_run()
    support.refused("ENOENT", "cannot run /nosuch in a namespace of its own: No such file or directory (ENOENT)",
        netns.unshare, { "/nosuch" })
    support.refused("EINVAL", 'cannot run sleep in a namespace of its own: there is no option "outptu"; there are: ' ..
        "cwd, env, input, output (EINVAL)", netns.unshare, { "sleep", "1", outptu = true })
    support.refused("EINVAL", "cannot run a program in a namespace of its own: there is no program to run (EINVAL)",
        netns.unshare, {})
end

-- --- links by pid --------------------------------------------------------------------------------

TestPeer = {}

function TestPeer.test_is_put_straight_into_the_namespace_of_a_pid()
    local p <close> = netns.unshare{ "sleep", "60" }
    host.link:add{ "veth0", type = "veth", peer = { "veth1", netns = p.pid } }
    local ns <close> = netns.open(p.pid)
    lu.assertEquals(names(ns), { "lo", "veth1" })
    lu.assertFalse(has(host, "veth1"))
    lu.assertEquals(ns.link:get("veth1").link_index, host.link:get("veth0").ifindex)
    host.link:del "veth0"
end

function TestPeer.test_from_one_that_is_reached_by_pid_itself()
    local p <close> = netns.unshare{ "sleep", "60" }
    local q <close> = netns.unshare{ "sleep", "60" }
    local first <close> = netns.open(p.pid)
    local second <close> = netns.open(q.pid)
    first.link:add{ "veth0", type = "veth", peer = { "veth1", netns = q.pid } }
    for ns, link in pairs{ [first] = { "veth0", "10.0.2.1/24" }, [second] = { "veth1", "10.0.2.2/24" } } do
        lu.assertEquals(ns.link:get(link[1]).operstate, "DOWN")
        ns.link:set{ link[1], up = true }
        ns.addr:add{ link[2], dev = link[1], brd = "10.0.2.255" }
    end
    lu.assertTrue(first:ping("10.0.2.2").ok)
    lu.assertTrue(second:ping("10.0.2.1").ok)
    lu.assertFalse(has(host, "veth0") or has(host, "veth1"))
end

function TestPeer.test_a_link_is_moved_by_pid()
    local p <close> = netns.unshare{ "sleep", "60" }
    host.link:add{ "veth0", type = "veth", peer = { "veth1" } }
    host.link:set{ "veth1", netns = p.pid }
    local ns <close> = netns.open(p.pid)
    lu.assertEquals(names(ns), { "lo", "veth1" })
    host.link:del "veth0"
end

function TestPeer.test_what_follows_a_creation_finds_it_there()
    local p <close> = netns.unshare{ "sleep", "60" }
    host.link:add{ "br0", type = "bridge", netns = p.pid, alias = "elsewhere" }
    local ns <close> = netns.open(p.pid)
    lu.assertEquals(ns.link:get("br0").ifalias, "elsewhere")
end

function TestPeer.test_a_pid_that_there_is_not()
    support.refused("ESRCH", "cannot add link veth0 in host: peer netns: there is no process 999999999 (ESRCH)",
        host.link.add, host.link, { "veth0", type = "veth", peer = { "veth1", netns = MISSING } })
    support.refused("ESRCH", "cannot set link lo in host: netns: there is no process 999999999 (ESRCH)",
        host.link.set, host.link, { "lo", netns = MISSING })
    lu.assertFalse(has(host, "veth0"))
end

-- --- how long it lives ---------------------------------------------------------------------------

TestLife = {}

local function cabled()
    local p = netns.unshare{ "sleep", "60" }
    host.link:add{ "veth0", type = "veth", peer = { "veth1", netns = p.pid } }
    return p
end

function TestLife.test_ends_with_its_process_and_takes_the_cable_along()
    local p = cabled()
    p:kill():wait()
    support.wait_for("veth0 is gone", function() return not has(host, "veth0") end)
    lu.assertEquals(support.raised(netns.open, p.pid).code, "ESRCH")
end

function TestLife.test_ends_with_the_last_of_its_processes()
    local p = netns.unshare{ "sh", "-c", "setsid sh -c 'echo $$; exec sleep 60' & exec sleep 60", output = true }
    host.link:add{ "veth0", type = "veth", peer = { "veth1", netns = p.pid } }
    local other = p:read "l"
    p:kill():wait()
    nsh.sleep(0.1)
    lu.assertTrue(has(host, "veth0"))
    host:exec{ "kill", other }
    support.wait_for("veth0 is gone", function() return not has(host, "veth0") end)
end

function TestLife.test_a_handle_keeps_it()
    local p = cabled()
    local ns = netns.open(p.pid)
    p:kill():wait()
    lu.assertTrue(has(ns, "veth1"))
    nsh.sleep(0.1)
    lu.assertTrue(has(host, "veth0"))
    ns:close()
    support.wait_for("veth0 is gone", function() return not has(host, "veth0") end)
end

function TestLife.test_a_program_in_it_keeps_it()
    local p = cabled()
    local ns = netns.open(p.pid)
    local other = ns:spawn{ "sleep", "60" }
    ns:close()
    p:kill():wait()
    nsh.sleep(0.1)
    lu.assertTrue(has(host, "veth0"))
    other:kill():wait()
    support.wait_for("veth0 is gone", function() return not has(host, "veth0") end)
end

-- --- as commands ---------------------------------------------------------------------------------

TestTrace = {}

function TestTrace.test_a_namespace_is_called_by_its_pid()
    local p, ns
    local lines = traced(function()
        p = netns.unshare{ "sh", "-c", "sleep 60" }
        ns = netns.open(p.pid)
        host.link:add{ "veth0", type = "veth", address = "02:00:00:00:00:01",
            peer = { "veth1", netns = p.pid, address = "02:00:00:00:00:02" } }
        ns.link:set{ "veth1", up = true }
        ns:sysctl("net.ipv4.ip_forward", 1)
        host.link:add{ "br0", type = "bridge", netns = ns, alias = "x" }
        ns.link:set{ "veth1", netns = host }
        host.link:set{ "veth1", netns = ns }
    end)
    local inside = ("nsenter --net=/proc/%d/ns/net "):format(p.pid)
    lu.assertEquals(lines, {
        ("unshare -n sh -c 'sleep 60' &  # pid %d"):format(p.pid),
        "ip link add name veth0 address 02:00:00:00:00:01 type veth peer name veth1 address 02:00:00:00:00:02 netns "
            .. p.pid,
        inside .. "ip link set dev veth1 up",
        inside .. "sysctl -qw net.ipv4.ip_forward=1",
        ("ip link add name br0 netns %d type bridge"):format(p.pid),
        inside .. "ip link set dev br0 alias x",
        inside .. "ip link set dev veth1 netns /proc/$$/ns/net",
        "ip link set dev veth1 netns " .. p.pid,
    })
    ns:close()
    p:close()
end

os.exit(support.run())
