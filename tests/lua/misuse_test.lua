-- What a newcomer did and nsh let pass, took for something else, or answered with words of its own
-- insides. Each test is named after what broke.
local lu = require "luaunit"
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))

nsh.sandbox()
local node = nsh.netns.add "node"
host.link:add{ "veth0", type = "veth", up = true, peer = { "veth1", netns = node } }
node.link:set{ "veth1", up = true }
host.addr:add{ "10.0.0.1/24", dev = "veth0" }
host.link:add{ "br0", type = "bridge", up = true }

-- The error that the function raises: its object, with the place of the call in this file.
local function raised(fn, code, words)
    local ok, err = pcall(fn)
    lu.assertFalse(ok)
    lu.assertEquals(type(err), "table", tostring(err))
    lu.assertEquals(err.code, code)
    lu.assertStrContains(tostring(err), words)
    lu.assertStrContains(err.where, "misuse_test.lua:")
    return err
end

local commands = support.commands

TestSandbox = {}

function TestSandbox.test_keys_of_the_whole_machine_are_read_only()
    for _, key in ipairs{ "vm.swappiness", "kernel.hostname" } do -- the value that they have
        local ok, err = pcall(host.sysctl, host, key, host:sysctl(key))
        lu.assertFalse(ok)
        lu.assertTrue(err.code == "EROFS" or err.code == "EACCES", tostring(err)) -- of root; of a user
    end
    lu.assertEquals(host:sysctl("net.ipv4.ip_forward", 1), 1)
    for _, ns in ipairs{ host, node } do
        local write = [[cd /proc/sys
            cat vm/swappiness > vm/swappiness && echo written
            echo 1 > net/ipv4/ip_forward && echo ok]]
        local result = ns:exec{ "sh", "-c", write, output = true }
        lu.assertEquals(result.out, "ok\n")
    end
end

TestCalls = {}

function TestCalls.test_a_dot_for_a_colon()
    raised(function() host.link.set{ "veth0", up = true } end, "EINVAL", "a colon is missing")
    raised(function() host.link.list() end, "EINVAL", "a colon is missing")
    raised(function() host.neigh.flush() end, "EINVAL", "a colon is missing")
    raised(function() host.exec "true" end, "EINVAL", "a colon is missing")
    raised(function() host.ping "10.0.0.1" end, "EINVAL", "a colon is missing")
    raised(function() host.sysctl "net.ipv4.ip_forward" end, "EINVAL", "a colon is missing")
end

function TestCalls.test_arguments_behind_the_table()
    raised(function() host.link:set("veth0", { up = true }) end, "EINVAL", "one table holds all")
    raised(function() host:exec("true", { output = true }) end, "EINVAL", "options stand beside")
end

function TestCalls.test_options_beside_the_addresses_of_a_ping()
    local results = host:ping{ "127.0.0.1", count = 2, interval = 0.01 }
    lu.assertEquals(results[1].transmitted, 2)
    raised(function() host:ping{ "127.0.0.1", cuont = 2 } end, "EINVAL", "cuont")
end

function TestCalls.test_sleep_without_a_time()
    raised(function() nsh.sleep() end, "EINVAL", "a number of seconds expected")
    raised(function() nsh.go(5) end, "EINVAL", "a function expected")
end

function TestCalls.test_hints()
    local peer = { "b", up = true }
    raised(function() host.link:add{ "a", type = "veth", peer = peer } end, "ENOTCONN", "set it up afterwards")
    local ok, err = pcall(host.link.add, host.link, { "a" })
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(err), "type") -- the kernel says it in different ways
    raised(function() host.link:add{ "a", type = "nosuch" } end, "EOPNOTSUPP", "modprobe nosuch")
end

TestNamespaces = {}

function TestNamespaces.test_only_a_name_of_its_own_is_deleted()
    local anonymous <close> = nsh.netns.new()
    nsh.netns.add(anonymous.name)
    nsh.netns.add "host"
    raised(function() nsh.netns.del(anonymous) end, "EINVAL", "no name in /run/netns")
    raised(function() nsh.netns.del(host) end, "EINVAL", "no name in /run/netns")
    nsh.netns.del "host"
    nsh.netns.del(nsh.netns.open(anonymous.name))
end

function TestNamespaces.test_a_closed_one_says_so()
    local ns = nsh.netns.new()
    ns:close()
    raised(function() ns.link:list() end, "EBADF", "the namespace is closed")
    host:close()
    lu.assertTrue(#host.link:list() > 1)
end

TestCommands = {}

function TestCommands.test_say_what_was_done()
    local lines = commands(function()
        host.link:set{ "veth0", arp = false }
        host.link:set{ "veth0", arp = true }
        host.link:set{ "veth0", down = true }
        host.link:set{ "veth0", down = false }
        host.addr:add{ "2001:db8::1/64", dev = "veth0" }
        host.addr:flush{ dev = "veth0", family = "inet6" }
        host.route:add{ "10.9.0.0/16", dev = "veth0", table = 77, tos = 16, proto = "static" }
        host.route:flush{ table = 77 }
    end)
    lu.assertEquals(lines, {
        "ip link set dev veth0 arp off",
        "ip link set dev veth0 arp on",
        "ip link set dev veth0 down",
        "ip link set dev veth0 up",
        "ip addr add 2001:db8::1/64 dev veth0",
        "ip -6 addr flush dev veth0",
        "ip route add 10.9.0.0/16 tos 0x10 dev veth0 table 77 proto static",
        "ip route flush table 77",
    })
end

function TestCommands.test_labels_are_quoted()
    local ns = nsh.netns.add "we ird"
    lu.assertEquals(commands(function() ns:sysctl("net.ipv4.ip_forward", 1) end),
        { "ip netns exec 'we ird' sysctl -qw net.ipv4.ip_forward=1" })
    nsh.netns.del(ns)
end

TestKeys = {}

function TestKeys.test_a_word_of_the_link_is_not_its_ports_as_well()
    host.link:set{ "veth0", master = "br0" }
    local lines = commands(function()
        host.link:set{ "veth0", type = "bridge_slave", bridge_slave = { state = "listening" } }
    end)
    lu.assertEquals(lines, { "ip link set dev veth0 type bridge_slave state 1" })
    lu.assertEquals(host.link:get("veth0").linkinfo.info_slave_data.state, "listening")
    host.link:set{ "veth0", nomaster = true }
end

function TestKeys.test_a_filter_by_a_prefix()
    lu.assertEquals(#host.addr:list{ local_ = "10.0.0.1/24" }, 1)
    lu.assertEquals(#host.addr:list{ local_ = "10.0.0.1/16" }, 0)
    lu.assertEquals(#host.addr:list{ local_ = "10.0.0.1" }, 1)
    lu.assertEquals(#host.addr:list{ address = "10.0.0.99" }, 0)
end

os.exit(support.run())
