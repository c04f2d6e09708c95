#!/usr/bin/env nsh
-- Two containers, each with a cable of its own into the host, in one network: why only the first one works.
--
-- host-link.lua gives app1 a cable. A second container gets the same, with addresses of the same network.
-- Each cable is right, taken alone. What does the host's routing table make of the two?
--
--   nsh examples/route-conflict.lua     builds and checks it, in a sandbox
--   nsh -x examples/route-conflict.lua  and prints the commands that do the same

nsh.sandbox()

local expect, look, step, together = nsh.expect, nsh.look, nsh.step, nsh.together

local lab = nsh.lab()
local host, app1 = lab.host, lab:node "app1"
lab:uplink{ "enp0s1", addr = "192.168.64.3/24", via = "192.168.64.1", metric = 100 }
app1:connect{ "clink1", addr = "172.16.0.11/16", to = host, peer = { "hlink1", addr = "172.16.0.10/16" } }
host:sysctl("net.ipv4.ip_forward", 0)
host:sysctl("net.ipv4.conf.default.rp_filter", 0)
local rp_filter = host:sysctl("net.ipv4.conf.all.rp_filter", 1) -- the greater of `all` and the interface's own counts
lab:up()

step "One container: all is well"

expect(host.route):has{ "default", via = "192.168.64.1", dev = "enp0s1", metric = 100 }
expect(host.route):has({ "172.16.0.0/16" }, 1)
together(function()
    expect(app1):reaches "172.16.0.10"
    expect(host):reaches(app1)
end)

step "A second one, in the same way"

local app2 = lab:node "app2"
app2:connect{ "clink2", addr = "172.16.0.21/16", to = host, peer = { "hlink2", addr = "172.16.0.20/16" } }
lab:up()
look(lab)
look(host.route)
local routes = host.route:list{ "172.16.0.0/16" }
expect(host.route):has({ "172.16.0.0/16" }, 2)
expect(routes[1].dev):is("hlink1", "the interface of the first of them")
expect(routes[2].dev):is("hlink2", "the interface of the second")
expect(host.link):has{ "hlink2", link_netns = app2, carrier = true }
expect(app2.route):has{ "172.16.0.0/16", dev = "clink2", src = "172.16.0.21" }

step "The host sends all that is for this network to hlink1: app2 gets no answers"

local hlink1 = host:capture{ "hlink1", filter = "arp or icmp" }
local hlink2 = host:capture{ "hlink2", filter = "arp or icmp" }
together(function()
    expect(app2):does_not_reach "172.16.0.20"
    expect(host):does_not_reach(app2)
    expect(app1):does_not_reach(app2)
end)
together(function()
    expect(app1):reaches "172.16.0.10"
    expect(host):reaches(app1)
end)

step "With rp_filter the host does not even listen: the way back is not where the question came from"

look(hlink2)
expect(hlink2):sees "ARP, Request who-has 172.16.0.20 tell 172.16.0.21"
expect(hlink2):sees_no "ARP, Reply"
expect(hlink2):sees_no "ICMP"

step "Without it the requests come in at hlink2, and their answers look for app2 behind hlink1"

rp_filter:set{ value = 0 }
lab:up()
hlink1:stop()
hlink2:stop()
hlink1 = host:capture{ "hlink1", filter = "arp or icmp" }
hlink2 = host:capture{ "hlink2", filter = "arp or icmp" }
expect(app2):does_not_reach "172.16.0.20"
look(hlink2)
look(hlink1)
expect(hlink2):sees "172.16.0.21 > 172.16.0.20: ICMP echo request"
expect(hlink2):sees_no "ICMP echo reply"
expect(hlink1):sees "ARP, Request who-has 172.16.0.21 tell"
expect(hlink1):sees_no "ICMP"

nsh.done "Cables do not scale: a network with more than one container needs a switch. See bridge.lua."
