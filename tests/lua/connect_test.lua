-- Connections into namespaces, and what waits for them: ns:connect, ns:listen.
local unit = require "luaunit"
local nsh = require "nsh"
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local now = require("nsh.core").poll.now

nsh.sandbox()
local a, b = nsh.netns.new(), nsh.netns.new()
a.link:add{ "veth0", type = "veth", up = true, peer = { "veth1", netns = b } }
b.link:set{ "veth1", up = true }
for _, ns in ipairs{ a, b } do ns.link:set{ "lo", up = true } end
a.addr:add{ "10.0.0.1/24", dev = "veth0" }
b.addr:add{ "10.0.0.2/24", dev = "veth1" }
a.addr:add{ "fd00::1/64", dev = "veth0" }
b.addr:add{ "fd00::2/64", dev = "veth1" }
support.wait_for_rest{ a, b }

local MUCH = 3000000 -- bytes: more than sockets hold

local function pair(ns_a, spec_a, ns_b, spec_b)
    local listener <close> = ns_a:listen(spec_a)
    local client = ns_b:connect(spec_b)
    return client, listener:accept(5)
end

local function refused(ns, spec, code, text)
    support.refused(code, ("cannot connect to %s (%s)"):format(text, code), ns.connect, ns, spec)
end

TestConnect = {}

function TestConnect:test_both_ends_know_each_other()
    local client, server = pair(a, { port = 8080 }, b, { "10.0.0.1", port = 8080 })
    unit.assertEquals({ client.peer, client.peer_port, client.address }, { "10.0.0.1", 8080, "10.0.0.2" })
    unit.assertEquals({ server.peer, server.peer_port }, { "10.0.0.2", client.port })
    unit.assertEquals({ server.address, server.port }, { "10.0.0.1", 8080 })
    unit.assertEquals(tostring(client), "connection with 10.0.0.1 port 8080")
    client:close()
    server:close()
end

function TestConnect:test_ipv6()
    local client, server = pair(a, { "::", port = 8080 }, b, { "fd00::1", port = 8080 })
    unit.assertEquals({ client.peer, server.peer }, { "fd00::1", "fd00::2" })
    client:close()
    server:close()
    local link = a.addr:list{ dev = "veth0", scope = "link" }[1].local_
    client, server = pair(a, { link .. "%veth0", port = 81 }, b, { link .. "%veth1", port = 81 })
    unit.assertEquals(client:write "x\n":shutdown() and server:read(), "x")
    client:close()
    server:close()
end

function TestConnect:test_read_and_write()
    local client, server = pair(a, { port = 8080 }, b, { "10.0.0.1", port = 8080 })
    client:write "one\ntwo\nthree"
    unit.assertEquals({ server:read(), server:read "L", server:read(2) }, { "one", "two\n", "th" })
    client:shutdown()
    unit.assertEquals(server:read "l", "ree")
    unit.assertNil(server:read())
    unit.assertEquals(server:read "a", "")
    unit.assertEquals(server:write "still":close() or client:read "a", "still")
    client:close()
    client:close()
    unit.assertEquals(support.raised(client.read, client).code, "EBADF")
    unit.assertEquals(support.raised(client.write, client, "x").code, "EBADF")
end

function TestConnect:test_much_both_ways_at_once()
    local client, server = pair(a, { port = 8080 }, b, { "10.0.0.1", port = 8080 })
    local text = ("0123456789"):rep(MUCH // 10)
    local writers = support.map({ client, server }, function(one)
        return nsh.go(function() one:write(text):shutdown() end)
    end)
    unit.assertTrue(server:read "a" == text and client:read "a" == text)
    for _, task in ipairs(writers) do task:wait() end
    client:close()
    server:close()
end

function TestConnect:test_read_in_time()
    local client, server = pair(a, { port = 8080 }, b, { "10.0.0.1", port = 8080 })
    client:write "half a "
    unit.assertEquals(support.raised(server.read, server, "l", 0.1).code, "ETIMEDOUT")
    client:write "line\n"
    unit.assertEquals(server:read("l", 5), "half a line")
    client:close()
    server:close()
end

function TestConnect:test_a_peer_that_is_gone()
    local client, server = pair(a, { port = 8080 }, b, { "10.0.0.1", port = 8080 })
    server:write "unread"
    support.wait_for("it is there", function() return #b:exec{ "ss", "-Htn", output = true }.out:match "^%S+%s+6" end)
    client:close() -- with something unread: a reset
    support.wait_for("the reset comes", function()
        local ok, err = pcall(server.write, server, "x")
        return not ok and (err.code == "EPIPE" or err.code == "ECONNRESET")
    end)
    server:close()
end

-- In b, where nobody waits for such.
local REFUSALS = {
    { { "10.0.0.1", port = 80 }, "ECONNREFUSED", "10.0.0.1 port 80 in nsh-2: Connection refused" },
    { { "fd00::1", port = 80 }, "ECONNREFUSED", "fd00::1 port 80 in nsh-2: Connection refused" },
    { { "10.9.0.1", port = 80 }, "ENETUNREACH", "10.9.0.1 port 80 in nsh-2: Network is unreachable" },
    { { "10.8.0.1", port = 80 }, "EHOSTUNREACH", "10.8.0.1 port 80 in nsh-2: No route to host" },
    { { "10.0.0.77", port = 80, timeout = 0.2 }, "ETIMEDOUT", "10.0.0.77 port 80 in nsh-2: no answer after 0.2 s" },
    { { "10.0.0.1", prt = 80 }, "EINVAL",
        '10.0.0.1 port ? in nsh-2: "prt" is no option; there are address, port, unix, timeout and type' },
    { { "10.0.0.1" }, "EINVAL", "10.0.0.1 port ? in nsh-2: port = … is missing" },
    { { port = 80 }, "EINVAL", 'port 80 in nsh-2: an address expected, as in { "10.0.0.1", port = 80 }' },
}

function TestConnect:test_refusals()
    b.route:add{ "10.8.0.0/16", type = "unreachable" }
    for _, row in ipairs(REFUSALS) do
        local spec, code, rest = table.unpack(row)
        local begin = now()
        support.refused(code, ("cannot connect to %s (%s)"):format(rest, code), b.connect, b, spec)
        unit.assertTrue(now() - begin >= (spec.timeout or 0))
    end
end

function TestConnect:test_wrong_arguments()
    for _, spec in ipairs{ { "10.0.0", port = 1 }, { "10.0.0.1", port = 70000 }, { "10.0.0.1", port = "80" },
        { unix = "@x", port = 1 }, { unix = "" }, { unix = ("x"):rep(200) }, { "10.0.0.1", port = 1, type = "sctp" },
        "10.0.0.1:80" } do
        unit.assertEquals(support.raised(b.connect, b, spec).code, "EINVAL")
    end
    unit.assertEquals(support.raised(b.connect, { "10.0.0.1", port = 80 }).code, "EINVAL")
end

TestUnix = {}

local path = os.tmpname()
os.remove(path)

-- An abstract name belongs to its network namespace, a path to the file system.
function TestUnix:test_only_a_path_crosses_namespaces()
    local _ <close> = a:listen{ unix = "@nsh test" }
    refused(b, { unix = "@nsh test" }, "ECONNREFUSED", "@nsh test in nsh-2: Connection refused")
    local here <close> = a:connect{ unix = "@nsh test" }
    unit.assertEquals(here.peer, "@nsh test")
    local named <close> = a:listen{ unix = path }
    local there <close> = b:connect{ unix = path }
    unit.assertEquals({ there.peer, named.address }, { path, path })
    unit.assertEquals(there:write "hello\n" and named:accept(5):read(), "hello")
    unit.assertEquals(support.pluck(a:listening{ netid = "unix" }, "address"), { path, "@nsh test" })
end

function TestUnix:test_its_path_goes_with_it()
    local listener = a:listen{ unix = path }
    unit.assertEquals(support.raised(a.listen, a, { unix = path }).code, "EADDRINUSE")
    listener:close()
    support.wait_for("the path is gone", function() return not require("nsh.core").file.exists(path) end)
    refused(b, { unix = path }, "ENOENT", path .. " in nsh-2: No such file or directory")
end

function TestUnix:test_a_file_of_somebody_else_stays()
    io.open(path, "w"):close()
    unit.assertEquals(support.raised(a.listen, a, { unix = path }).code, "EADDRINUSE")
    assert(os.remove(path))
end

TestListener = {}

function TestListener:test_same_port_in_two_namespaces_but_not_in_one()
    local one <close> = a:listen{ port = 8080 }
    local two <close> = b:listen{ port = 8080 }
    support.refused("EADDRINUSE", "cannot listen on port 8080 in nsh-1: Address already in use (EADDRINUSE)",
        a.listen, a, { port = 8080 })
    unit.assertEquals(two.port, 8080)
    one:close()
    one:close()
    a:listen{ port = 8080 }:close()
    unit.assertEquals(support.raised(a.listen, a, { "10.0.0.2", port = 8080 }).code, "EADDRNOTAVAIL")
end

function TestListener:test_accept()
    local listener <close> = a:listen{ "10.0.0.1", port = 0 }
    unit.assertTrue(listener.port > 0)
    unit.assertNil(listener:accept(0.05))
    local task = nsh.go(function() return listener:accept().peer end)
    b:connect{ "10.0.0.1", port = listener.port }:close()
    unit.assertEquals(task:wait(5), "10.0.0.2")
    listener:close()
    unit.assertEquals(support.raised(listener.accept, listener).code, "EBADF")
end

function TestConnect:test_udp()
    local c <close> = b:connect{ "10.0.0.1", port = 53, type = "udp" }
    c:write "x"
    unit.assertEquals(support.raised(c.read, c, 100, 5).code, "ECONNREFUSED")
end

TestNode = {}

-- connect{ to = … } declares a cable there.
function TestNode:test_nodes_have_the_same_words()
    local lab = nsh.lab "sockets"
    local one, two = lab:node "one", lab:node "two"
    one:connect{ "eth0", addr = "10.1.0.1/24", to = two, peer = { addr = "10.1.0.2/24" } }
    unit.assertEquals(support.raised(one.listen, one, { port = 80 }).code, "ENOENT")
    lab:up()
    local listener <close> = one:listen{ port = 80 }
    local client <close> = two:connect{ "10.1.0.1", port = 80 }
    unit.assertEquals(listener:accept(5).peer, "10.1.0.2")
    unit.assertEquals(#one:listening{ port = 80 }, 1)
    unit.assertEquals(client.address, "10.1.0.2")
    lab:down()
end

os.exit(support.run(), true)
