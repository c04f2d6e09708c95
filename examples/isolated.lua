#!/usr/bin/env nsh
-- A node that is alone: what an isolated namespace is good for, and how long it lives.
--
-- A program can be started in a network namespace that has no name, no cable and no route. What does it see,
-- what can it not do, and what is left when it ends?
--
--   nsh examples/isolated.lua           builds and checks it, in a sandbox
--   nsh -x examples/isolated.lua        and prints the commands that do the same

nsh.sandbox()

local expect, look, step = nsh.expect, nsh.look, nsh.step
local host = nsh.host

local somewhere = "192.0.2.1" -- an address for documentation (RFC 5737): here a server that the host reaches
host.addr:add{ somewhere .. "/32", dev = "lo" }
local remote = host:listen{ port = 80 }

-- A process in a namespace of its own, as `unshare -n` starts it, and the namespace by its pid.
local function isolated(name)
    local process = nsh.netns.unshare{ "sleep", "infinity" }
    local ns = nsh.netns.open(process.pid)
    ns.name = name
    return ns, process
end

step "Volatile: a namespace without a name has a loopback that is down, and no routes"

local alone, process = isolated "alone"
look(alone.link)
expect(alone.link):has({}, 1)
expect(alone.link):has{ "lo", up = false }
expect(alone.route):has_no{}
expect(#nsh.netns.list()):is(0, "the number of namespaces that have a name")

step "Its first use: tests that listen on the same port, side by side"

local other, other_process = isolated "other"
local server, other_server = alone:listen{ port = 8080 }, other:listen{ port = 8080 }
look(alone:listening())
look(other:listening())
expect(#alone:listening{ port = 8080 }):is(1, "the number of servers on port 8080 in one of them")
expect(#other:listening{ port = 8080 }):is(1, "the number of servers on port 8080 in the other")
expect(function() alone:listen{ port = 8080 } end):fails("EADDRINUSE", "a second server in one of them finds it taken")

step "The second: does the build work without a network?"

local download = { "bash", "-c", "exec 3<>/dev/tcp/192.0.2.1/80" } -- as much of one as matters here
expect(alone):runs("printf 'all:\\n\\t@echo built\\n' | make -f -", "built")
expect(alone):cannot_run(download)
expect(host):runs(download)

step "The third: what an untrusted program sends goes nowhere"

local wire = host:capture{ "any" }
expect(alone):cannot_run{ "ping", "-c1", "-W1", somewhere }
expect(host):reaches "127.0.0.1"
expect(wire):sees "127.0.0.1 > 127.0.0.1: ICMP echo request"
expect(wire):sees_no(somewhere)
expect(host):runs{ "ping", "-c1", "-W1", somewhere }
expect(wire):sees(somewhere)
wire:stop()

step "The fourth: does a program handle that there is no network?"

local function fetch(ns)
    local ok, result = pcall(ns.connect, ns, { somewhere, port = 80 })
    if ok then return "from the server" end
    return result.code == "ENETUNREACH" and "from the cache" or error(result)
end

expect(alone):does_not_connect({ somewhere, port = 80 }, "ENETUNREACH")
expect(fetch(alone)):is("from the cache", "what the program gets without a network")
expect(fetch(host)):is("from the server", "what it gets with one")

step "It lives as long as a process, a socket or a descriptor holds it; a cable holds nothing"

host.link:add{ "veth0", type = "veth", peer = { "veth1", netns = process.pid } }
look(host.link)
expect(host.link):has{ "veth0", link_netns = alone }
expect(alone.link):has "veth1"
server:close()
alone:close()
expect(host.link):has "veth0"
process:kill():wait()
expect(host.link):loses "veth0"

step "Persistent: a namespace with a name outlives its processes"

local vns1 = nsh.netns.add "vns1"
expect(vns1):runs "true"
vns1:close()
look(nsh.netns.list())
expect(nsh.netns):has "vns1"
vns1 = nsh.netns.open "vns1"
expect(vns1.link):has{ "lo", up = false }

remote:close()
other_server:close()
other_process:kill():wait()
nsh.done "A namespace costs nothing, isolates completely, and is gone with its last process."
