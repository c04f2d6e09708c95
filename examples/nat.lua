#!/usr/bin/env nsh
-- Containers behind a bridge reach the outside world, under the host's address.
--
-- bridge.lua takes app3 and app4 as far as the host. Beyond it nobody knows their private addresses. What
-- must the host do so that a packet gets out, and its answer comes back?
--
--   nsh examples/nat.lua                builds and checks it, in a sandbox with a small outside world
--   nsh -x examples/nat.lua             and prints the commands that do the same

nsh.sandbox()

local expect, look, step, together = nsh.expect, nsh.look, nsh.step, nsh.together

local lab = nsh.lab()
local host, app3, app4 = lab.host, lab:node "app3", lab:node "app4"
lab:uplink{ "enp0s1", addr = "192.168.64.3/24", via = "192.168.64.1", metric = 100, hosts = { "8.8.8.8" } }
for i, app in pairs{ [3] = app3, [4] = app4 } do
    app:connect{ "clink" .. i, addr = ("172.16.0.%d0/16"):format(i), via = "172.16.0.1",
                 to = host, peer = { "hlink" .. i, master = "br0" } }
end
host:bridge{ "br0", addr = "172.16.0.1/16" }
host:sysctl("net.ipv4.conf.all.rp_filter", 0)
host:sysctl("net.ipv4.conf.default.rp_filter", 0)
local ip_forward = host:sysctl("net.ipv4.ip_forward", 0)
lab:up()

-- From here on: what passes the host's way out, and the bridge.
local function listen()
    return host:capture{ "enp0s1", filter = "icmp" }, host:capture{ "br0", filter = "icmp" }
end

step "Two containers that reach the host, and each other"

look(lab)
together(function()
    expect(app3):reaches(app4)
    expect(app3):reaches "192.168.64.3"
    expect(host):reaches "8.8.8.8"
end)

step "The host is no router: what is not for it goes nowhere"

local uplink, bridge = listen()
expect(app3):does_not_reach "8.8.8.8"
expect(uplink):sees_no "ICMP"
expect(bridge):sees "172.16.0.30 > 8.8.8.8: ICMP echo request"

step "As a router it forwards, but the outside has no way back to a private address"

ip_forward:set{ value = 1 }
lab:up()
uplink = listen()
expect(app3):does_not_reach "8.8.8.8"
look(uplink)
expect(uplink):sees("172.16.0.30 > 8.8.8.8: ICMP echo request", { ip = { ttl = 63 } })
expect(uplink):sees_no "ICMP echo reply"

step "Masquerade: it leaves under the host's own address, and the answer is given back"

host:masquerade{ saddr = "172.16.0.0/16", oifname = "!= br0" }
lab:up()
look(host:nft())
uplink, bridge = listen()
expect(app3):reaches "8.8.8.8"
look(uplink)
look(bridge)
expect(uplink):sees "192.168.64.3 > 8.8.8.8: ICMP echo request"
expect(uplink):sees "8.8.8.8 > 192.168.64.3: ICMP echo reply"
expect(uplink):sees_no "172.16.0.30"
expect(bridge):sees "172.16.0.30 > 8.8.8.8: ICMP echo request"
expect(bridge):sees "8.8.8.8 > 172.16.0.30: ICMP echo reply"

expect(app4):reaches "8.8.8.8"

step "What stays on the bridge keeps its source"

uplink, bridge = listen()
expect(app3):reaches(app4)
expect(bridge):sees "172.16.0.30 > 172.16.0.40: ICMP echo request"
expect(bridge):sees_no "172.16.0.1 >"
expect(uplink):sees_no "ICMP"

step "Another's firewall drops what is forwarded, as Docker's does: the accept goes into its chain"

nsh.host:nft [[
    table ip filter {
        chain FORWARD { type filter hook forward priority filter; policy drop; }
    }
]]
local function foreign_chain() return host:exec{ "nft", "list", "table", "ip", "filter", output = true }.out end
local before = foreign_chain()
expect(app3):does_not_reach "8.8.8.8"
local forward = host:forward{ iifname = "br0" }
lab:up()
look(host:nft())
expect(app3):reaches "8.8.8.8"

step "What the lab has changed is put back: the foreign chain, and ip_forward"

forward:remove()
lab:up()
nsh.check(foreign_chain() == before, "the foreign chain is as it was")
expect(app3):does_not_reach "8.8.8.8"
ip_forward:remove()
lab:up()
expect(host:sysctl "net.ipv4.ip_forward"):is(0, "ip_forward")
nsh.host:nft "delete table ip filter"
host:sysctl("net.ipv4.ip_forward", 1)
lab:up()
expect(app3):reaches "8.8.8.8"

nsh.done "Forwarding lets packets out, and masquerade lets the answers find back."
