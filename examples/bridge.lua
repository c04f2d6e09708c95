#!/usr/bin/env nsh
-- Two containers on a Linux bridge, and the host beside them.
--
-- A container's network is a namespace, and a veth pair is the cable into it. A cable between two
-- containers is easy; for more of them the host needs a switch: a bridge, with one end of each cable in it.
-- How do frames find their way then, and what must be added before the host itself can join in?
--
--   nsh examples/bridge.lua             builds and checks it, in a sandbox
--   nsh -x examples/bridge.lua          and prints the commands that do the same

nsh.sandbox()

local expect, look, step, together = nsh.expect, nsh.look, nsh.step, nsh.together

local lab = nsh.lab()
local host, app3, app4 = lab.host, lab:node "app3", lab:node "app4"
lab:uplink{ "enp0s1", addr = "192.168.64.3/24", via = "192.168.64.1", metric = 100 }
app3:connect{ "clink3", addr = "172.16.0.30/16", to = host, peer = "hlink3" }
app4:connect{ "clink4", addr = "172.16.0.40/16", to = host, peer = "hlink4" }
for _, key in ipairs{ "ip_forward", "conf.all.rp_filter", "conf.default.rp_filter" } do
    host:sysctl("net.ipv4." .. key, 0)
end
lab:up()

step "Two containers, each with a cable to the host"

look(lab)
look(app3.addr, { dev = "clink3" })
look(host.route)
expect(nsh.netns):has{ "app3", "app4" }
expect(nsh.netns):has_no{ "app1", "app2" }
expect(host.route):has_no "172.16.0.0/16"
together(function()
    expect(app3):reaches(app3)
    expect(app4):reaches(app4)
    expect(app3):does_not_reach(app4)
    expect(app4):does_not_reach(app3)
end)

step "A bridge joins the cables"

local br0 = host:bridge{ "br0", ports = { "hlink3", "hlink4" } }
lab:up()
look(host.link, { master = "br0" })
expect(host.link):has{ "hlink3", master = "br0", carrier = true }
expect(host.link):has{ "hlink4", master = "br0", carrier = true }
expect(host.addr):has_no{ dev = "hlink3", family = "inet" }
expect(host.addr):has_no{ dev = "hlink4", family = "inet" }

local wire = host:capture{ "br0", filter = "icmp" }
expect(app3):reaches(app4, { count = 2 })
app4.neigh:flush{ dev = "clink4" } -- what it overheard: it shall ask by itself
expect(app4):reaches(app3, { count = 2 })
look(wire)
expect(wire):sees("172.16.0.30 > 172.16.0.40: ICMP echo request", 2)
expect(wire):sees("172.16.0.40 > 172.16.0.30: ICMP echo request", 2)
expect(wire):sees("ICMP echo request", 4)
expect(wire):sees("ICMP echo reply", 4)

step "The bridge forwards by MAC: each container knows the other's"

look(app3.neigh)
look(app4.neigh)
expect(app3.neigh):has{ "172.16.0.40", lladdr = app4.link:get("clink4").address, state = "REACHABLE" }
expect(app4.neigh):has{ "172.16.0.30", lladdr = app3.link:get("clink3").address, state = "REACHABLE" }

step "An address on the bridge lets the host in"

expect(host.route):has_no "172.16.0.0/16"
expect(host):does_not_reach{ app3, app4 }
br0:set{ addr = "172.16.0.1/16" }
lab:up()
look(host.route)
expect(host.route):has{ "172.16.0.0/16", dev = "br0", src = "172.16.0.1" }
local beside = host:capture{ "hlink4", filter = "arp or icmp" }
expect(host):reaches(app3)
look(beside)
expect(beside):sees "ARP, Request who-has 172.16.0.30 tell 172.16.0.1"
expect(beside):sees_no "ICMP"
expect(host):reaches(app4)

step "A default route takes the containers to the host's other addresses"

together(function()
    expect(app3):does_not_reach("192.168.64.3", { reason = "no route" })
    expect(app4):does_not_reach("192.168.64.3", { reason = "no route" })
end)
app3:route{ "default", via = "172.16.0.1" }
app4:route{ "default", via = "172.16.0.1" }
lab:up()
look(app3.route)
expect(app3):reaches "192.168.64.3"
expect(app4):reaches "192.168.64.3"

step "With br_netfilter the host's firewall decides on bridged packets, too"

local bridge_nf = "net.bridge.bridge-nf-call-iptables"
if pcall(host.sysctl, host, bridge_nf) then
    local called = host:sysctl(bridge_nf, 1)
    local firewall = host:nft [[
        table ip filter {
            chain FORWARD { type filter hook forward priority filter; policy drop; }
        }
    ]]
    lab:up()
    expect(app3):does_not_reach(app4)
    called:set{ value = 0 }
    lab:up()
    expect(app3):reaches(app4)
    firewall:remove()
    called:set{ value = 1 }
    lab:up()
    expect(host:sysctl(bridge_nf)):is(1, bridge_nf)
    expect(app3):reaches(app4)
else
    nsh.skip "this kernel has no br_netfilter"
end

nsh.done "A bridge needs no address to forward frames; the host needs one on it to take part."
