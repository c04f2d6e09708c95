#!/usr/bin/env nsh
-- From a namespace over a bridge and the host's firewall into the outside world.
--
-- veth.lua gives ns1 a cable. Now its host end becomes a port of a bridge, and ns1 wants to reach a machine
-- in the host's own network. Which of routing, forwarding, filtering and address translation is missing
-- when nothing comes back?
--
--   nsh examples/outbound.lua           builds and checks it, in a sandbox with a small outside world
--   nsh -x examples/outbound.lua        and prints the commands that do the same

nsh.sandbox()

local expect, look, step = nsh.expect, nsh.look, nsh.step

local target = "192.168.70.38" -- a machine in the network of the host's interface ens33

local lab = nsh.lab()
local host, ns1 = lab.host, lab:node("ns1", { lo = false })
lab:uplink{ "ens33", addr = "192.168.70.53/24", hosts = { target } }
local veth1 = ns1:connect{ "veth1", addr = "2.2.2.2/30", to = host, peer = { "veth0", addr = "2.2.2.1/30" } }
host:sysctl("net.ipv4.conf.all.rp_filter", 0)
host:sysctl("net.ipv4.conf.default.rp_filter", 0)
local ip_forward = host:sysctl("net.ipv4.ip_forward", 0)
lab:up()
expect(ns1):reaches("2.2.2.1", { ttl = 64 })
expect(host):reaches(target)

step "The cable's end becomes a port of a bridge, and its address moves to the bridge"

host:bridge{ "br0", ports = { "veth0" }, addr = "2.2.2.1/30" }
host:find "veth0":set{ addr = false }
lab:up()
ns1.neigh:flush{ dev = "veth1" } -- the host's MAC is now the bridge's
look(lab)
look(host.link, { master = "br0" })
look(host.addr, { family = "inet" })
expect(host.link):has{ "veth0", master = "br0", linkinfo = { info_slave_data = { state = "forwarding" } } }
expect(host.addr):has{ "2.2.2.1/30", dev = "br0" }
expect(host.addr):has_no{ dev = "veth0", family = "inet" }
expect(ns1):reaches("2.2.2.1", { ttl = 64 })
expect(ns1.neigh):has{ "2.2.2.1", lladdr = host.link:get("br0").address }

step "ns1 knows only its own network: it needs a default route"

expect(ns1):does_not_reach(target, { reason = "no route" })
veth1:set{ via = "2.2.2.1" }
lab:up()
look(ns1.route)
expect(ns1.route):has{ "default", via = "2.2.2.1", dev = "veth1" }

step "The host must forward"

local ens33 = host:capture{ "ens33", filter = "icmp" }
expect(ns1):does_not_reach(target)
expect(ens33):sees_no "ICMP"
ip_forward:set{ value = 1 }
lab:up()
expect(ns1):does_not_reach(target)
look(ens33)
expect(ens33):sees("2.2.2.2 > 192.168.70.38: ICMP echo request", { ip = { ttl = 63 } })
expect(ens33):sees_no "ICMP echo reply"

step "The target has no way back to 2.2.2.2: the host lends its address"

host:snat{ saddr = "2.2.2.0/30", to = "192.168.70.53" }
lab:up()
ens33:stop()
ens33 = host:capture{ "ens33", filter = "icmp" }
expect(ns1):reaches(target, { ttl = 63 })
look(ens33)
expect(ens33):sees "192.168.70.53 > 192.168.70.38: ICMP echo request"
expect(ens33):sees "192.168.70.38 > 192.168.70.53: ICMP echo reply"
expect(ens33):sees_no "2.2.2.2"

step "A firewall that drops what is forwarded: bridge-nf does not help routed packets, an accept does"

nsh.host:nft [[
    table ip filter {
        chain FORWARD { type filter hook forward priority filter; policy drop; }
    }
]]
expect(ns1):does_not_reach(target)
local bridge_nf = "net.bridge.bridge-nf-call-iptables"
if pcall(host.sysctl, host, bridge_nf) then
    host:sysctl(bridge_nf, 0)
    lab:up()
    expect(host:sysctl(bridge_nf)):is(0, bridge_nf)
    expect(ns1):does_not_reach(target)
else
    nsh.skip "this kernel has no br_netfilter"
end
nsh.host:nft "chain ip filter FORWARD { policy accept; }"
expect(ns1):reaches(target)

nsh.done "A route out, forwarding, an address that the outside knows, and a firewall that lets it pass."
