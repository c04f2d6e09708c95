#!/usr/bin/env nsh
-- Three nodes on a bridge, and their way to the Internet.
--
-- Frames pass a bridge that has no address. What does the host need to speak with its nodes, and what else,
-- so that they reach the world?
--
--   nsh examples/three-nodes.lua        builds and checks it, in a sandbox with a small outside world
--   nsh -x examples/three-nodes.lua     and prints the commands that do the same

nsh.sandbox()

local expect, look, step, together = nsh.expect, nsh.look, nsh.step, nsh.together

local lab = nsh.lab()
local host, nodes = lab.host, {}
local uplink = lab:uplink{ "enp0s1", addr = "192.168.64.3/24", via = "192.168.64.1", hosts = { "8.8.8.8" } }
host:bridge "virbr100500"
for i = 1, 3 do
    nodes[i] = lab:node("vns" .. i, { lo = false })
    nodes[i]:connect{ "veth" .. 2 * i - 1, up = false,
                      to = host, peer = { "veth" .. 2 * i - 2, master = "virbr100500" } }
end
host:sysctl("net.ipv4.conf.all.rp_filter", 0)
host:sysctl("net.ipv4.conf.default.rp_filter", 0)
local ip_forward = host:sysctl("net.ipv4.ip_forward", 0)
lab:up()

local function each(fn)
    for i, node in ipairs(nodes) do fn(node, "10.0.2." .. i, "veth" .. 2 * i - 1) end
end

step "A bridge with three cables; the nodes' ends are down"

look(host.link, { master = "virbr100500" })
expect(host.link):has({ master = "virbr100500" }, 3)
for i, node in ipairs(nodes) do
    expect(host.link):has{ "veth" .. 2 * i - 2, master = "virbr100500", link_netns = node }
end
each(function(node, _, veth)
    look(node.link)
    expect(node.link):has{ veth, up = false }
end)

step "Addresses, and the ends up: every node reaches every other one"

each(function(node, address, veth)
    node:find(veth):set{ up = true }
    node:addr{ address .. "/24", brd = "10.0.2.255", dev = veth }
end)
lab:up()
look(lab)
together(function()
    each(function(node)
        each(function(other, address)
            if other ~= node then expect(node):reaches(address, { ttl = 64 }) end
        end)
    end)
end)
each(function(node) expect(node.link):has{ "lo", up = false } end)

step "The host has no address in their network, so it reaches none of them"

local all = { "10.0.2.1", "10.0.2.2", "10.0.2.3" }
expect(host):does_not_reach(all)
host:addr{ "10.0.2.254/24", brd = "10.0.2.255", dev = "virbr100500" }
lab:up()
look(host.addr, { dev = "virbr100500", family = "inet" })
expect(host):reaches(all)

step "The Internet needs a default route, forwarding, and an address that it can answer to"

local function fails(reason)
    together(function()
        each(function(node) expect(node):does_not_reach("8.8.8.8", { reason = reason }) end)
    end)
end

local function succeeds()
    together(function()
        each(function(node) expect(node):reaches "8.8.8.8" end)
    end)
end

local outside = uplink.outside:capture{ "eth0", filter = "icmp" }
fails "no route"
each(function(node, _, veth) node:route{ "default", via = "10.0.2.254", dev = veth } end)
lab:up()
look(nodes[1].route)
each(function(node, _, veth) expect(node.route):has{ "default", via = "10.0.2.254", dev = veth } end)
fails()
expect(outside):sees_no "8.8.8.8"
ip_forward:set{ value = 1 }
lab:up()
fails()
each(function(_, address) expect(outside):sees(address .. " > 8.8.8.8: ICMP echo request") end)
expect(outside):sees_no "ICMP echo reply"
host:masquerade{ saddr = "10.0.2.0/24", oifname = uplink.ifname }
lab:up()
look(host:nft())
outside:stop()
outside = uplink.outside:capture{ "eth0", filter = "icmp" }
succeeds()
look(outside)
expect(outside):sees("192.168.64.3 > 8.8.8.8: ICMP echo request", 3)
expect(outside):sees_no "10.0.2."

step "A firewall that drops what is forwarded needs an accept, for both directions"

nsh.host:nft [[
    table ip filter {
        chain FORWARD { type filter hook forward priority filter; policy drop; }
    }
]]
fails()
local forward = host:forward{ iifname = "virbr100500" }
lab:up()
look(host:nft())
succeeds()
forward:remove()
lab:up()
fails()
nsh.host:nft "delete table ip filter"
succeeds()

nsh.done "Any number of nodes, one switch, one address of the host's for all of them."
