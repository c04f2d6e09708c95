#!/usr/bin/env nsh
-- The kernel that lies: an address answers that no interface of this host has.
--
-- Two containers, as an engine makes them: a namespace each, whose interface is one end of a cable, the other
-- end being a port of a bridge in the host. Who answers when the host pings a container, and who receives
-- what a container sends?
--
--   nsh examples/lying-kernel.lua       builds and checks it, in a sandbox
--   nsh -x examples/lying-kernel.lua    and prints the ip commands that do the same

nsh.sandbox()

local check, expect, look, step, together = nsh.check, nsh.expect, nsh.look, nsh.step, nsh.together

local lab = nsh.lab()
local host = lab.host
local containers = host:bridge{ "containers", addr = "192.168.0.1/16" }
local nodes, default_routes = {}, {}
for i = 1, 2 do
    local inside, outside = ("container%d-in"):format(i), ("container%d-out"):format(i)
    nodes[i] = lab:node(("container%d-ns"):format(i), { lo = false })
    nodes[i]:connect{ inside, addr = ("192.168.%d.1/24"):format(i + 1),
                      to = host, peer = { outside, master = "containers" } }
    default_routes[i] = nodes[i]:route{ "default", dev = inside }
end
host:sysctl("net.ipv4.ip_forward", 0)
host:sysctl("net.ipv4.conf.all.rp_filter", 0)
lab:up()
local container1, container2 = nodes[1], nodes[2]

step "The host sees no interface with the containers' addresses, and yet they answer"

look(host.addr, { family = "inet" })
expect(host.addr):has_no{ local_ = "192.168.2.1" }
expect(host.addr):has_no{ local_ = "192.168.3.1" }
expect(host.link):has_no "container1-in"
expect(host.link):has_no "container2-in"
together(function()
    expect(host):reaches "192.168.2.1"
    expect(host):reaches "192.168.3.1"
end)

step "They are in other namespaces, of which the kernel does not tell: the other ends of the host's cables"

look(lab)
look(container1.addr, { family = "inet" })
look(host.link, { master = "containers" })
expect(container1.link):has({}, 2)
expect(container1.link):has{ "lo", up = false }
expect(container1.link):has{ "container1-in", up = true, carrier = true }
expect(host.link):has{ "container1-out", master = "containers", link_netns = container1 }
expect(host.link):has{ "container2-out", master = "containers", link_netns = container2 }

step "What a container sends comes out in the host's namespace"

local out1, out2 = host:capture{ "container1-out" }, host:capture{ "container2-out" }
together(function()
    expect(container1):reaches "192.168.0.1"
    expect(container1):reaches "192.168.3.1"
end)
expect(out1):sees "192.168.2.1 > 192.168.0.1: ICMP echo request"
expect(out1):sees "192.168.2.1 > 192.168.3.1: ICMP echo request"

step "The bridge asks both containers who has an address, and then sends to the one that answered"

out1:stop()
out2:stop()
host.neigh:flush{ dev = "containers" }
out1, out2 = host:capture{ "container1-out" }, host:capture{ "container2-out" }
expect(host):reaches "192.168.2.1"
look(out1)
look(out2)
expect(out1):sees "ARP, Request who-has 192.168.2.1 tell 192.168.0.1"
expect(out2):sees "ARP, Request who-has 192.168.2.1 tell 192.168.0.1"
expect(out1):sees "192.168.0.1 > 192.168.2.1: ICMP echo request"
expect(out2):sees_no "192.168.2.1: ICMP"

step "nsh enter is a shell in there: it sees the container's address, and not the host's"

expect(host):runs({ nsh.program, "enter", "container1-ns", "ip", "-br", "addr" }, "192.168.2.1/24")
local typed = ("echo 'ip -br addr' | '%s' enter container1-ns"):format(nsh.program)
expect(host):runs(typed, "192.168.2.1/24")
local seen = host:exec{ nsh.program, "enter", "container1-ns", "ip", "-br", "addr", output = true }.out
check(seen ~= "" and not seen:find("192.168.0.1/", 1, true), "the host's 192.168.0.1 is not among what it sees")

step "Without its default route the container has no way to answer"

default_routes[1]:remove()
lab:up()
look(container1.route)
expect(host):does_not_reach "192.168.2.1"
container1:route{ "default", dev = "container1-in" }
lab:up()
look(container1.route)
expect(host):reaches "192.168.2.1"

step "With a network of its own size the bridge's address does not cover theirs"

containers:set{ addr = "192.168.0.1/24" }
lab:up()
look(host.route)
expect(host):does_not_reach{ "192.168.2.1", "192.168.3.1" }
containers:set{ addr = "192.168.0.1/16" }
lab:up()
expect(host):reaches{ "192.168.2.1", "192.168.3.1" }

nsh.done "What the kernel lists is what one namespace has, and not what the machine has."
