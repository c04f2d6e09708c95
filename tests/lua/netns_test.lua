-- Namespaces: made, opened, named, listed, closed; their sysctls; and what a program inherits.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local netns, host = nsh.netns, nsh.host

local function names()
    return support.pluck(netns.list(), "name")
end

local function names_by_ip()
    local found = {}
    for _, one in ipairs(support.decode(support.sh "ip -j netns list || :" .. " ")) do
        found[#found + 1] = one.name
    end
    table.sort(found)
    return found
end

-- What tells one namespace from another: the inode of its file.
local function inode(ns)
    return ns:exec{ "readlink", "/proc/self/ns/net", output = true }.out
end

local function links(ns)
    return support.pluck(ns.link:list(), "ifname")
end

local function mounts()
    local count = 0
    for line in io.lines "/proc/self/mountinfo" do
        if line:find "/run/netns" then count = count + 1 end
    end
    return count
end

-- --- names ---------------------------------------------------------------------------------------

TestNames = {}

function TestNames.tearDown()
    for _, one in ipairs(netns.list()) do netns.del(one.name) end
end

function TestNames.test_add_list_del()
    local a <close> = netns.add "a"
    local b <close> = netns.add "b"
    lu.assertEquals(names(), { "a", "b" })
    lu.assertEquals(links(a), { "lo" })
    lu.assertNotEquals(inode(a), inode(b))
    netns.del "a"
    lu.assertEquals(names(), { "b" })
    netns.del(b)
    lu.assertEquals(netns.list(), {})
end

function TestNames.test_iproute2_sees_what_nsh_made()
    local a <close> = netns.add "a"
    a.link:add{ "inside", type = "bridge" }
    lu.assertEquals(names_by_ip(), { "a" })
    lu.assertStrContains(support.sh "ip -n a -br link", "inside")
    lu.assertStrContains(support.sh "ip netns exec a ip -br link", "inside")
    support.sh "ip netns del a"
    lu.assertEquals(names(), {})
end

function TestNames.test_nsh_sees_what_iproute2_made()
    support.sh "ip netns add made && ip -n made link add inside type bridge"
    lu.assertEquals(names(), { "made" })
    local made <close> = netns.open "made"
    lu.assertEquals(links(made), { "inside", "lo" })
    netns.del(made)
    lu.assertEquals(support.sh "ip netns list", "")
end

function TestNames.test_ids_are_listed()
    local a <close> = netns.add "a"
    netns.add("b"):close()
    host.nsid:add{ a, nsid = 12 }
    local list = netns.list()
    table.sort(list, function(x, y) return x.name < y.name end)
    lu.assertEquals(support.as_json(list), { { name = "a", id = 12 }, { name = "b" } })
end

function TestNames.test_duplicates()
    local a <close> = netns.add "a"
    local before = inode(a)
    support.refused("EEXIST", "cannot add namespace a: File exists (EEXIST)", netns.add, "a")
    support.sh "ip netns add b"
    support.refused("EEXIST", "cannot add namespace b: File exists (EEXIST)", netns.add, "b")
    local again <close> = netns.open "a"
    lu.assertEquals(inode(again), before)
    lu.assertNil((os.execute "ip netns add a 2>/dev/null"))
end

function TestNames.test_names_that_are_refused()
    local long = ("x"):rep(256)
    for name, why in pairs{
        [""] = "the name of a namespace cannot be empty",
        ["."] = '"." cannot be the name of a namespace',
        [".."] = '".." cannot be the name of a namespace',
        ["a/b"] = '"a/b" cannot be the name of a namespace',
        ["/"] = '"/" cannot be the name of a namespace',
        ["../x"] = '"../x" cannot be the name of a namespace',
    } do
        local text = ("cannot add namespace %s: %s (EINVAL)"):format(name, why)
        support.refused("EINVAL", text, netns.add, name)
        local err = support.raised(netns.del, name)
        lu.assertEquals({ err.code, err.message }, { "EINVAL", why })
    end
    local err = support.raised(netns.add, long)
    lu.assertEquals({ err.code, err.message },
        { "ENAMETOOLONG", "the name of a namespace has at most 255 bytes, this one 256" })
    for _, what in ipairs{ 7, true, {}, print } do
        err = support.raised(netns.add, what)
        lu.assertEquals({ err.code, err.message },
            { "EINVAL", "the name of a namespace is a string, not a " .. type(what) })
    end
    lu.assertEquals(support.raised(netns.add).message, "the name of a namespace is a string, not a nil")
    lu.assertEquals(support.raised(netns.add, "a\0b").message,
        "the name of a namespace is a string, without a zero byte")
    lu.assertEquals(support.raised(netns.del).code, "EINVAL")
    lu.assertEquals(names(), {})
end

function TestNames.test_names_that_are_odd_but_fine()
    local odd = { "a b", "-n", "é", "it's", "$x", "x" .. ("y"):rep(254), "...", "7", "*" }
    for _, name in ipairs(odd) do netns.add(name):close() end
    local expected = table.move(odd, 1, #odd, 1, {})
    table.sort(expected)
    lu.assertEquals(names(), expected)
    for _, name in ipairs(odd) do
        local ns <close> = netns.open(name)
        lu.assertEquals(links(ns), { "lo" })
        netns.del(ns)
    end
    lu.assertEquals(names(), {})
end

function TestNames.test_del_of_what_is_not_there()
    support.refused("ENOENT", 'cannot delete namespace nope: there is no namespace named "nope" (ENOENT)',
        netns.del, "nope")
end

function TestNames.test_del_takes_the_name_only()
    local a <close> = netns.add "a"
    netns.del "a"
    lu.assertEquals(links(a), { "lo" }) -- the handle holds it
    local program <close> = a:spawn{ "sleep", "60" }
    a:close()
    local again <close> = netns.open(program.pid)
    lu.assertEquals(links(again), { "lo" })
    program:kill()
end

function TestNames.test_a_name_without_a_mount_is_taken_away()
    netns.add("a"):close()
    support.sh ": >/run/netns/left-behind"
    lu.assertEquals(names(), { "a", "left-behind" })
    lu.assertEquals(support.raised(netns.open, "left-behind").code, "EINVAL")
    netns.del "left-behind"
    lu.assertEquals(names(), { "a" })
end

-- Each mount of the folder makes two of the next if the protocol of iproute2 is not kept.
function TestNames.test_mounts_do_not_multiply()
    netns.add("first"):close()
    local before = mounts()
    for i = 1, 20 do netns.add("n" .. i):close() end
    local per_name = (mounts() - before) / 20
    support.sh "ip netns add by-ip"
    lu.assertEquals(mounts() - before, 20 * per_name + per_name)
    for i = 1, 20 do netns.del("n" .. i) end
    netns.del "by-ip"
    lu.assertEquals(mounts(), before)
end

-- The first to come make the shared mount; a second one on top of it would double each name.
function TestNames.test_processes_that_add_at_once()
    local script = ([[unshare -m --propagation private sh -c '
        hidden=$(grep -c " /run/netns " /proc/self/mountinfo)
        mount -t tmpfs tmpfs /run
        add() { %s -q -e "for i = 1, 25 do nsh.netns.add(\"p$1-\" .. i) end"; }
        for i in 1 2 3; do add $i & done
        wait
        for i in 1 2 3 4 5; do ip netns add ip$i & done # 6.1 takes no lock: not to be first
        add 4 & wait
        echo $(($(grep -c " /run/netns " /proc/self/mountinfo) - hidden))
        grep -c " /run/netns/" /proc/self/mountinfo
        ip netns list | wc -l']]):format(os.getenv "NSH")
    lu.assertEquals(support.sh(script), "1\n105\n105\n")
end

-- The lock that keeps them apart is iproute2's: who holds it makes nsh wait.
function TestNames.test_add_waits_for_the_lock()
    netns.add("first"):close()
    local script = ([=[flock --close /run/netns sh -c '
        %s -q -e "nsh.netns.add [[waited]] print [[added]]" &
        for i in $(seq 500); do
            grep -q -e "-> FLOCK" /proc/locks && break
            sleep 0.01
        done
        ls /run/netns'
        until [ -e /run/netns/waited ]; do sleep 0.01; done; wait]=]):format(os.getenv "NSH")
    lu.assertEquals(support.sh(script), "first\nadded\n")
end

-- --- opening -------------------------------------------------------------------------------------

TestOpen = {}

function TestOpen.test_by_name_path_and_pid()
    local a <close> = netns.add "a"
    a.link:add{ "inside", type = "bridge" }
    local program <close> = a:spawn{ "sleep", "60" }
    for _, what in ipairs{ "a", "/run/netns/a", program.pid, ("/proc/%d/ns/net"):format(program.pid) } do
        local other <close> = netns.open(what)
        lu.assertEquals(links(other), { "inside", "lo" })
        lu.assertEquals(inode(other), inode(a))
    end
    program:kill()
    netns.del(a)
end

function TestOpen.test_what_is_not_there()
    support.refused("ENOENT", 'cannot open namespace nope: there is no namespace named "nope" (ENOENT)',
        netns.open, "nope")
    support.refused("ENOENT", "cannot open namespace /no/file: No such file or directory (ENOENT)",
        netns.open, "/no/file")
    support.refused("ESRCH", "cannot open namespace 999999999: there is no process 999999999 (ESRCH)",
        netns.open, 999999999)
    for _, pid in ipairs{ 0, -1, 4294967296 } do
        lu.assertEquals(support.raised(netns.open, pid).code, "ESRCH")
    end
    for _, what in ipairs{ true, 1.5, {}, print, "a\0b" } do
        lu.assertEquals(support.raised(netns.open, what).message,
            "a name, a path or the pid of a process expected")
    end
    lu.assertEquals(support.raised(netns.open).code, "EINVAL")
end

function TestOpen.test_files_that_are_no_network_namespace()
    for _, path in ipairs{ "/dev/null", "/proc/self/ns/mnt", "/proc/self/ns/user", "/proc/self/ns/pid",
        "/tmp", "/proc/self/status" } do
        support.refused("EINVAL", ("cannot open namespace %s: %s is not a network namespace (EINVAL)")
            :format(path, path), netns.open, path)
    end
end

-- --- without a name, and closing ------------------------------------------------------------------

TestClose = {}

-- A veth end is in a namespace as long as that is there; its other end goes with it.
local function cable_to(ns)
    host.link:add{ "cable", type = "veth", peer = { "end", netns = ns } }
end

local function wait_until_gone()
    support.wait_for("the cable is gone", function() return #host.link:list{ type = "veth" } == 0 end)
end

function TestClose.test_an_anonymous_namespace_vanishes_when_closed()
    local ns = netns.new()
    cable_to(ns)
    lu.assertEquals(names_by_ip(), {})
    ns:close()
    wait_until_gone()
    ns:close()
end

function TestClose.test_to_be_closed_variables()
    do
        local ns <close> = netns.new()
        cable_to(ns)
        lu.assertEquals(links(host), { "cable", "lo" })
    end
    wait_until_gone()
    pcall(function()
        local ns <close> = netns.new()
        cable_to(ns)
        error "x"
    end)
    wait_until_gone()
end

function TestClose.test_what_is_forgotten_is_collected()
    cable_to(netns.new())
    collectgarbage()
    collectgarbage()
    wait_until_gone()
end

function TestClose.test_a_program_keeps_it()
    local ns = netns.new()
    cable_to(ns)
    local program = ns:spawn{ "sleep", "60" }
    ns:close()
    collectgarbage()
    lu.assertEquals(links(host), { "cable", "lo" })
    program:kill()
    program:wait()
    program:close()
    wait_until_gone()
end

function TestClose.test_many()
    local all = {}
    for i = 1, 200 do
        all[i] = netns.new()
        lu.assertEquals(#all[i].link:list(), 1)
    end
    for _, ns in ipairs(all) do ns:close() end
end

function TestClose.test_the_current_one()
    lu.assertIs(netns.current(), host)
    lu.assertEquals(tostring(host), "namespace host")
    lu.assertEquals(inode(host), support.sh "readlink /proc/self/ns/net")
end

function TestClose.test_sandboxes_are_their_own()
    lu.assertEquals(links(host), { "lo" })
    nsh.sandbox() -- does nothing now
    lu.assertEquals(links(host), { "lo" })
end

function TestClose.test_netns_host()
    local ns <close> = netns.new()
    ns.link:add{ "a", type = "veth", peer = { "b", netns = host } }
    lu.assertEquals(links(host), { "b", "lo" })
    ns.link:set{ "a", netns = host }
    lu.assertEquals(links(host), { "a", "b", "lo" })
    host.link:del "a"
end

-- --- sysctl --------------------------------------------------------------------------------------

TestSysctl = {}

local ns

function TestSysctl.setUp() ns = netns.new() end
function TestSysctl.tearDown() ns:close() end

function TestSysctl.test_read_and_write()
    lu.assertEquals(ns:sysctl "net.ipv4.ip_forward", 0)
    lu.assertEquals(ns:sysctl("net.ipv4.ip_forward", 1), 1)
    lu.assertEquals(ns:sysctl "net.ipv4.ip_forward", 1)
    lu.assertEquals(math.type(ns:sysctl "net.ipv4.ip_forward"), "integer")
    lu.assertEquals(support.sh("cat /proc/sys/net/ipv4/ip_forward", ns), "1\n")
    lu.assertEquals(ns:sysctl("net.ipv4.ip_forward", false), 0)
    lu.assertEquals(ns:sysctl("net.ipv4.ip_forward", true), 1)
    lu.assertEquals(ns:sysctl("net/ipv4/ip_forward", "0"), 0)
    lu.assertEquals(ns:sysctl("net.ipv4.ip_forward", 1.0), 1)
end

function TestSysctl.test_each_namespace_has_its_own()
    ns:sysctl("net.ipv4.ip_forward", 1)
    ns:sysctl("net.ipv6.conf.all.forwarding", 1)
    lu.assertEquals(host:sysctl "net.ipv4.ip_forward", 0)
    local other <close> = netns.new()
    lu.assertEquals(other:sysctl "net.ipv6.conf.all.forwarding", 0)
    host:sysctl("net.ipv4.ip_forward", 1)
    ns:sysctl("net.ipv4.ip_forward", 0)
    lu.assertEquals(host:sysctl("net.ipv4.ip_forward"), 1)
    host:sysctl("net.ipv4.ip_forward", 0)
end

function TestSysctl.test_texts()
    lu.assertEquals(ns:sysctl("net.ipv4.ip_local_port_range", "2000 3000"), "2000\t3000")
    lu.assertEquals(type(ns:sysctl "net.ipv4.tcp_congestion_control"), "string")
    lu.assertEquals(ns:sysctl("net.ipv4.ip_local_reserved_ports", "8080,9000-9010"), "8080,9000-9010")
    lu.assertEquals(ns:sysctl("net.ipv4.ip_local_reserved_ports", ""), "")
end

function TestSysctl.test_interfaces_with_a_dot()
    ns.link:add{ "eth0.1", type = "bridge" }
    lu.assertEquals(ns:sysctl("net/ipv4/conf/eth0.1/forwarding", 1), 1)
    lu.assertEquals(ns:sysctl "net/ipv4/conf/eth0.1/forwarding", 1)
    lu.assertEquals(ns:sysctl "net.ipv4.conf.eth0/1.forwarding", 1)
end

function TestSysctl.test_what_is_refused()
    support.refused("ENOENT", "cannot read net.ipv4.nope in " .. ns.name ..
        ': there is no key "net.ipv4.nope" here (ENOENT)', ns.sysctl, ns, "net.ipv4.nope")
    lu.assertEquals(support.raised(ns.sysctl, ns, "net.ipv4.conf.eth9.forwarding", 1).code, "ENOENT")
    lu.assertEquals(support.raised(ns.sysctl, ns, "net.ipv4.ip_forward", "lots").code, "EINVAL")
    for _, key in ipairs{ "", "/etc/passwd", "../../etc/passwd", "net/../../etc/passwd", "..", "net",
        "net.ipv4", "a\0b" } do
        local err = support.raised(ns.sysctl, ns, key)
        lu.assertEquals(type(err), "table", tostring(err))
        lu.assertNotNil(err.code, key)
    end
    lu.assertEquals(support.raised(ns.sysctl, ns, 7).code, "EINVAL")
    lu.assertEquals(support.raised(ns.sysctl, ns, "net.ipv4.ip_forward", {}).message,
        "a number, a string or a boolean expected, not a table")
    lu.assertEquals(ns:sysctl "net.ipv4.ip_forward", 0)
end

-- --- descriptors ---------------------------------------------------------------------------------

TestLimits = {}

-- The soft limit is raised to the hard one for nsh, and what it was before for its programs.
function TestLimits.test_the_limit_of_descriptors()
    local script = ([[ulimit -Sn 300; ulimit -Hn 5000; exec %s -q -e '
        local soft, hard = io.open "/proc/self/limits":read "a":match "Max open files%%s+(%%d+)%%s+(%%d+)"
        print(soft, hard)
        host:exec "ulimit -Sn; ulimit -Hn"' 2>&1]]):format(os.getenv "NSH")
    lu.assertEquals(support.sh(script), "5000\t5000\n300\n5000\n")
end

function TestLimits.test_more_namespaces_than_the_limit_was()
    local script = ([[ulimit -Sn 64; exec %s -q -S -e '
        local all = {}
        for i = 1, 100 do all[i] = nsh.netns.new() all[i].link:list() end
        print(#all)' 2>&1]]):format(os.getenv "NSH")
    lu.assertEquals(support.sh(script), "100\n")
end

function TestLimits.test_a_program_has_no_descriptor_but_its_three()
    local node <close> = netns.new()
    node.link:list()
    lu.assertEquals(node:exec{ "sh", "-c", "ls /proc/self/fd | wc -l", output = true }.out, "4\n")
end

os.exit(support.run())
