#!/usr/bin/env nsh
-- A container and its host, joined by a veth pair.
--
-- A new network namespace has nothing but a loopback interface that is down. How does it get a cable to the
-- host, what does each end need before a packet can pass, and which route does the packet take?
--
--   nsh examples/host-link.lua          builds and checks it, in a sandbox
--   nsh -x examples/host-link.lua       and prints the ip commands that do the same

nsh.sandbox()

local expect, look, step, together = nsh.expect, nsh.look, nsh.step, nsh.together

local lab = nsh.lab()
local host = lab.host
host:sysctl("net.ipv4.ip_forward", 0) -- a new namespace has what the machine's first one has
host:sysctl("net.ipv4.conf.all.rp_filter", 0)
lab:uplink{ "enp0s1", addr = "192.168.64.3/24", via = "192.168.64.1", metric = 100 }
lab:up()

step "The host has a way out, and knows nothing of containers"

look(host.link)
look(host.route)
expect(host.link):has{ "enp0s1", up = true, carrier = true }
expect(host.route):has{ "default", via = "192.168.64.1", dev = "enp0s1", metric = 100 }
expect(host.route):has_no "172.16.0.0/16"

step "A new namespace: its loopback is down, and it has neither routes nor firewall rules"

local app1 = lab:node("app1", { lo = false })
lab:up()
expect(nsh.netns):has "app1"
look(app1.link)
expect(app1.link):has({}, 1)
expect(app1.link):has{ "lo", up = false }
expect(app1.route):has_no{}
expect(#app1:nft()):is(0, "the number of tables, chains and rules in app1")

step "A veth pair: both ends are in the host, and down"

host.link:add{ "hlink1", type = "veth", peer = "clink1" }
look(host.link, { type = "veth" })
expect(host.link):has{ "hlink1", up = false, link = "clink1" }
expect(host.link):has{ "clink1", up = false, link = "hlink1" }

step "One end moves into the container"

host.link:set{ "clink1", netns = app1 }
look(host.link, { type = "veth" })
look(app1.link)
expect(host.link):has_no "clink1"
expect(app1.link):has{ "clink1", up = false }
expect(host.link):has{ "hlink1", up = false, link_netns = app1 }

step "Each end is set up from its own side: one alone has no carrier"

app1.link:set{ "clink1", up = true }
app1.addr:add{ "172.16.0.11/16", dev = "clink1" }
look(app1.addr, { dev = "clink1", family = "inet" })
expect(app1.link):has{ "clink1", up = true, carrier = false }
expect(app1):does_not_reach "172.16.0.10"
app1.link:set{ "lo", up = true }
host.link:set{ "hlink1", up = true }
host.addr:add{ "172.16.0.10/16", dev = "hlink1" }
nsh.settle()
look(host.addr, { dev = "hlink1", family = "inet" })
expect(app1.link):has{ "clink1", up = true, carrier = true }
expect(host.link):has{ "hlink1", up = true, carrier = true }
expect(app1.link):has{ "lo", up = true }

step "An address brings a route to its network, and packets can pass"

look(app1.route)
look(host.route)
expect(app1.route):has({ "172.16.0.0/16", dev = "clink1", src = "172.16.0.11" }, 1)
expect(host.route):has({ "172.16.0.0/16", dev = "hlink1", src = "172.16.0.10" }, 1)
together(function()
    expect(app1):reaches("172.16.0.10", { ttl = 64 })
    expect(host):reaches("172.16.0.11", { ttl = 64 })
    expect(app1):reaches "172.16.0.11"
end)

look(nsh.graph{ host, app1 })
nsh.done "A cable has two ends: both must be up, and each needs an address of its own side."
