#!/usr/bin/env nsh
-- A network namespace, and a virtual cable into it.
--
-- A namespace has interfaces, routes, firewall rules and sockets of its own. What exactly is its own, and
-- how do two namespaces speak with each other over nothing but a veth pair, without any bridge?
--
--   nsh examples/veth.lua               builds and checks it, in a sandbox
--   nsh -x examples/veth.lua            and prints the ip commands that do the same

nsh.sandbox()

local expect, look, step, together = nsh.expect, nsh.look, nsh.step, nsh.together

local lab = nsh.lab()
local host, ns1 = lab.host, lab:node("ns1", { lo = false })
for _, ns in ipairs{ host, ns1 } do -- a new namespace has what the machine's first one has
    ns:sysctl("net.ipv4.ip_forward", 0)
    ns:sysctl("net.ipv4.conf.all.rp_filter", 0)
end
lab:up()

step "A veth pair, a virtual cable: both its ends are in the host"

host.link:add{ "veth0", type = "veth", peer = "veth1" }
host.addr:add{ "2.2.2.1/30", dev = "veth0" }
host.link:set{ "veth0", up = true }
look(host.link)
expect(host.link):has{ "veth0", link = "veth1", up = true }
expect(host.link):has{ "veth1", link = "veth0", up = false }

step "One end goes into the namespace ns1"

host.link:set{ "veth1", netns = ns1 }
look(host.link)
look(ns1.link)
expect(host.link):has_no "veth1"
expect(ns1.link):has "veth1"
expect(ns1.link):has_no "veth0"
expect(ns1.route):has_no{}
expect(ns1):does_not_reach("2.2.2.1", { reason = "no route" })

step "Configured from inside, ns1 reaches the host: a cable is enough"

ns1.addr:add{ "2.2.2.2/30", dev = "veth1" }
ns1.link:set{ "veth1", up = true }
nsh.settle()
look(ns1.addr, { dev = "veth1", family = "inet" })
look(ns1.route)
expect(ns1.route):has{ "2.2.2.0/30", dev = "veth1", src = "2.2.2.2" }
local veth0 = host:capture{ "veth0", filter = "icmp" }
expect(ns1):reaches("2.2.2.1", { count = 3, ttl = 64 })
look(veth0)
expect(veth0):sees("2.2.2.2 > 2.2.2.1: ICMP echo request", 3)
expect(veth0):sees("2.2.2.1 > 2.2.2.2: ICMP echo reply", 3)
together(function()
    expect(host.link):has_no{ type = "bridge" }
    expect(ns1.link):has_no{ type = "bridge" }
end)

step "What a namespace has of its own: the kernel's view of its interfaces, and a firewall"

expect(ns1):runs("cat /proc/net/dev", "veth1:")
expect(ns1):runs("! grep veth0 /proc/net/dev")
expect(ns1):runs("ls /sys/class/net", "veth1")
expect(ns1):runs("! test -e /sys/class/net/veth0")
expect(host):runs("cat /proc/net/dev", "veth0:")
nsh.host:nft "add table inet mine"
expect(host):runs("nft list tables", "table inet mine")
expect(#ns1:nft()):is(0, "the number of tables, chains and rules in ns1")

step "Of UNIX sockets the abstract ones belong to a namespace; those with a path are files, for everybody"

local path = os.tmpname()
os.remove(path)
local abstract, with_path = host:listen{ unix = "@nsh-lesson" }, host:listen{ unix = path }
expect(host):connects{ unix = "@nsh-lesson" }
expect(ns1):does_not_connect({ unix = "@nsh-lesson" }, "ECONNREFUSED")
expect(ns1):connects{ unix = path }
abstract:close()
with_path:close()

look(nsh.graph{ host, ns1 })
nsh.done "A namespace needs a cable, an address on each end, and nothing else."
