#!/usr/bin/env nsh
-- The networks of a container engine, made by hand: bridge, host, none, custom, and an overlay of two hosts.
--
-- Docker names five ways to connect a container. Which interfaces does each of them consist of, who reaches
-- whom, and what is on the wire between two hosts when their containers are in one network?
--
--   nsh examples/docker-networks.lua    builds and checks it, in a sandbox
--   nsh -x examples/docker-networks.lua and prints the commands that do the same

nsh.sandbox()

local expect, look, step, together = nsh.expect, nsh.look, nsh.step, nsh.together

local lab = nsh.lab()
local hostA, hostB = lab:node "hostA", lab:node "hostB"
hostA:connect{ "eth0", addr = "192.168.64.3/24", to = hostB, peer = { "eth0", addr = "192.168.64.4/24" } }
local forwarding = {}
for _, host in ipairs{ hostA, hostB } do
    forwarding[host] = host:sysctl("net.ipv4.ip_forward", 0)
    host:sysctl("net.ipv4.conf.all.rp_filter", 0)
    host:sysctl("net.ipv4.conf.default.rp_filter", 0)
end

-- A container in a network of `host`: a namespace, and a cable to the network's bridge.
local function container(name, host, veth, bridge, fields)
    local node = lab:node(name)
    fields[1], fields.to, fields.peer = "eth0", host, { veth, master = bridge, mtu = fields.mtu }
    node:connect(fields)
    return node
end

step "bridge, the default: containers on docker0, whose address is their gateway"

hostA:bridge{ "docker0", addr = "172.17.0.1/16" }
local c1 = container("c1", hostA, "veth1", "docker0", { addr = "172.17.0.2/16", via = "172.17.0.1" })
local c2 = container("c2", hostA, "veth2", "docker0", { addr = "172.17.0.3/16", via = "172.17.0.1" })
lab:up()
look(hostA.link)
look(c1.link)
expect(hostA.link):has{ "veth1", master = "docker0", link_netns = c1 }
expect(hostA.link):has{ "veth2", master = "docker0", link_netns = c2 }
expect(c1.link):has_no "docker0"
together(function()
    expect(c1):reaches(c2)
    expect(c2):reaches(c1)
    expect(hostA):reaches{ c1, c2 }
    expect(c1):reaches "192.168.64.3"
end)

step "host: a container without a network of its own has the host's"

local container_program = hostA:spawn{ "sleep", "infinity" }
local inside = nsh.netns.open(container_program.pid)
inside.name = "the container"
look(inside.link)
for _, link in ipairs(hostA.link:list()) do expect(inside.link):has{ link.ifname, address = link.address } end
expect(inside.link):has({}, #hostA.link:list())
expect(inside):reaches(c1)
inside:close()

step "none: a loopback, and nothing else"

local c4 = lab:node "c4"
lab:up()
look(c4.link)
expect(c4.link):has({}, 1)
expect(c4.link):has{ "lo", up = true }
expect(c4):reaches "127.0.0.1"
expect(c4):does_not_reach({ "172.17.0.1", "172.17.0.2", "192.168.64.3" }, { reason = "no route" })

step "custom: a bridge and a subnet of its own, apart from docker0's containers"

hostA:bridge{ "br-custom", addr = "172.18.0.1/16" }
local c3 = container("c3", hostA, "veth3", "br-custom", { addr = "172.18.0.2/16", via = "172.18.0.1" })
lab:up()
look(hostA.route)
together(function()
    expect(hostA):reaches(c3)
    expect(c3):reaches "172.18.0.1"
    expect(c3):does_not_reach(c1)
    expect(c1):does_not_reach(c3)
end)
forwarding[hostA]:set{ value = 1 } -- as an engine does, for the way to the outside
lab:up()
expect(c1):reaches(c3, { ttl = 63 })
hostA:nft [[
    table ip isolation {
        chain forward {
            type filter hook forward priority filter;
            iifname "docker0" oifname "br-custom" drop
            iifname "br-custom" oifname "docker0" drop
        }
    }
]]
lab:up()
together(function()
    expect(c3):does_not_reach(c1)
    expect(c1):does_not_reach(c3)
    expect(c1):reaches(c2)
end)

step "overlay: one network over two hosts; without a port that leads to the other one it is two"

local function overlay(host, veth, name, addr)
    host:bridge "br-overlay"
    return container(name, host, veth, "br-overlay", { addr = addr, mtu = 1450 })
end

local function tunnel(host, own, other)
    host:link{ "vxlan0", type = "vxlan", id = 4097, dstport = 4789, dev = "eth0", local_ = own, remote = other,
               master = "br-overlay" }
end

local c5 = overlay(hostA, "veth5", "c5", "10.0.1.2/24")
local c6 = overlay(hostB, "veth6", "c6", "10.0.1.3/24")
lab:up()
expect(hostA):reaches "192.168.64.4"
together(function()
    expect(c5):does_not_reach(c6)
    expect(c6):does_not_reach(c5)
end)
tunnel(hostA, "192.168.64.3", "192.168.64.4")
tunnel(hostB, "192.168.64.4", "192.168.64.3")
lab:up()
look(hostA.link, { master = "br-overlay" })
look(lab)

local underlay = hostA:capture{ "eth0", filter = "udp" }
together(function()
    expect(c5):reaches(c6, { ttl = 64 })
    expect(c6):reaches(c5, { ttl = 64 })
end)
look(underlay)
expect(underlay):sees "192.168.64.4.4789"
expect(underlay):sees "10.0.1.2 > 10.0.1.3: ICMP echo request"
expect(underlay):sees("VXLAN", { vxlan = { vni = 4097 } })

nsh.done "Each of them is namespaces, cables, bridges, and for the overlay a tunnel."
