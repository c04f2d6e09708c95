#!/usr/bin/env nsh
-- Two nodes with a cable between them, in one machine that is no part of it.
--
-- An IP node is whatever has an address and can send: not a machine, and not an interface. Two namespaces
-- and a veth pair make two such nodes. Whom do they reach, and what becomes of the host?
--
--   nsh examples/two-nodes.lua          builds and checks it, in a sandbox
--   nsh -x examples/two-nodes.lua       and prints the ip commands that do the same

nsh.sandbox()

local expect, look, step, together = nsh.expect, nsh.look, nsh.step, nsh.together

local lab = nsh.lab()
local host, vns1, vns2 = lab.host, lab:node("vns1", { lo = false }), lab:node("vns2", { lo = false })
for _, ns in ipairs{ host, vns1, vns2 } do -- a new namespace has what the machine's first one has
    ns:sysctl("net.ipv4.ip_forward", 0)
    ns:sysctl("net.ipv4.conf.all.rp_filter", 0)
end
lab:up()

step "A cable between two namespaces: its far end goes to where a process of the second one is"

local shell <close> = vns2:spawn{ "sleep", "infinity" }
vns1.link:add{ "veth0", type = "veth", peer = { "veth1", netns = shell.pid } }
look(vns1.link)
look(vns2.link)
expect(vns1.link):has{ "veth0", up = false, link_netns = vns2 }
expect(vns2.link):has{ "veth1", up = false, link_netns = vns1 }
expect(host.link):has_no "veth0"
expect(host.link):has_no "veth1"

step "Addresses, and both ends up"

vns1.link:set{ "veth0", up = true }
vns1.addr:add{ "10.0.2.1/24", brd = "10.0.2.255", dev = "veth0" }
vns2.link:set{ "veth1", up = true }
vns2.addr:add{ "10.0.2.2/24", brd = "10.0.2.255", dev = "veth1" }
nsh.settle()
look(nsh.graph{ vns1, vns2 })
look(vns1.addr, { dev = "veth0", family = "inet" })
expect(vns1.addr):has{ "10.0.2.1/24", dev = "veth0", broadcast = "10.0.2.255" }
expect(vns2.addr):has{ "10.0.2.2/24", dev = "veth1", broadcast = "10.0.2.255" }

step "A node's own address needs its loopback"

together(function()
    expect(vns1):does_not_reach "10.0.2.1"
    expect(vns2):does_not_reach "10.0.2.2"
end)
vns1.link:set{ "lo", up = true }
vns2.link:set{ "lo", up = true }
together(function()
    expect(vns1):reaches "10.0.2.1"
    expect(vns2):reaches "10.0.2.2"
end)

expect(vns1.route):has({}, 1)
expect(vns2.route):has({}, 1)

step "The nodes reach each other, and the host reaches neither"

together(function()
    expect(vns1):reaches("10.0.2.2", { count = 3, ttl = 64 })
    expect(vns2):reaches("10.0.2.1", { count = 3, ttl = 64 })
    expect(host):does_not_reach{ "10.0.2.1", "10.0.2.2" }
end)
look(host.link)
expect(host.link):has({}, 1)
expect(host.route):has_no{}

nsh.done "Nodes are namespaces, and the host is just another one."
