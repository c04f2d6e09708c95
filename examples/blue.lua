#!/usr/bin/env nsh
-- A namespace beside the host: its own loopback, its own ports, and a cable between the two.
--
-- A web server in a namespace is alone with itself. Which addresses lead to it, and which to the one in the
-- host, before there is a veth pair, with it, and with a route?
--
--   nsh examples/blue.lua               builds and checks it, in a sandbox
--   nsh -x examples/blue.lua            and prints the ip commands that do the same

nsh.sandbox()

local expect, look, step, together = nsh.expect, nsh.look, nsh.step, nsh.together

local lab = nsh.lab()
local host, blue = lab.host, lab:node("blue_ns", { lo = false })
lab:uplink{ "ens33", addr = "192.168.0.194/24" }
host:sysctl("net.ipv4.conf.all.rp_filter", 0)
host:sysctl("net.ipv4.ip_forward", 0)
lab:up()

-- The document's web server, whose page lists the interfaces of the namespace that it runs in.
local function serve(node)
    return node:spawn{ "python3", "-m", "http.server", "8080", "--directory", "/sys/class/net", output = true,
                       listen = 8080, timeout = 30 }
end

step "A new namespace: it is listed, and all it has is a loopback that is down"

look(nsh.netns.list())
look(blue.link)
expect(nsh.netns):has "blue_ns"
expect(blue.link):has({}, 1)
expect(blue.link):has{ "lo", up = false }
expect(blue):does_not_reach "127.0.0.1"
blue.link:set{ "lo", up = true }
expect(blue):reaches "127.0.0.1"

step "The same port twice: each server is in a namespace of its own"

serve(host)
serve(blue)
together(function()
    expect(host):gets("http://localhost:8080/", "ens33")
    expect(host):gets("http://192.168.0.194:8080/", "ens33")
    expect(blue):gets("http://localhost:8080/", "lo")
end)
nsh.check(not blue:http("http://localhost:8080/").body:find "ens33", "blue_ns's page does not list ens33")

step "A veth pair: both ends are in the host, and down; then one of them moves"

host.link:add{ "veth_root_ns", type = "veth", peer = "veth_blue_ns" }
look(host.link)
expect(host.link):has{ "veth_root_ns", up = false }
expect(host.link):has{ "veth_blue_ns", up = false }
host.link:set{ "veth_blue_ns", netns = blue }
look(host.link)
look(blue.link)
expect(host.link):has_no "veth_blue_ns"
expect(blue.link):has{ "veth_blue_ns", up = false }

step "Either end down: no carrier at the other"

host.link:set{ "veth_root_ns", up = true }
expect(host.link):has{ "veth_root_ns", up = true, carrier = false }
blue.link:set{ "veth_blue_ns", up = true }
nsh.settle()
expect(host.link):has{ "veth_root_ns", carrier = true }
expect(blue.link):has{ "veth_blue_ns", carrier = true }
host.link:set{ "veth_root_ns", up = false }
nsh.settle()
expect(blue.link):has{ "veth_blue_ns", up = true, carrier = false }
host.link:set{ "veth_root_ns", up = true }
nsh.settle()
expect(blue.link):has{ "veth_blue_ns", carrier = true }

step "Addresses: each side reaches the other's server"

host.addr:add{ "10.0.0.1/24", dev = "veth_root_ns" }
blue.addr:add{ "10.0.0.2/24", dev = "veth_blue_ns" }
look(nsh.graph{ host, blue }:text())
together(function()
    expect(blue):gets("http://10.0.0.1:8080/", "ens33")
    expect(host):gets("http://10.0.0.2:8080/", "veth_blue_ns")
end)

step "The host's other address is behind a route that blue_ns lacks"

look(blue.route)
expect(blue.route):has({}, 1)
expect(blue.route):has{ "10.0.0.0/24", dev = "veth_blue_ns" }
expect(blue):does_not_get("http://192.168.0.194:8080/", "ENETUNREACH")
blue.route:add{ "default", via = "10.0.0.1" }
look(blue.route)
expect(blue):gets("http://192.168.0.194:8080/", "ens33")

step "What a bridge can do besides: spanning tree, VLANs, multicast snooping"

local switch <close> = nsh.netns.new()
switch.link:add{ "br0", type = "bridge" }
for _, word in ipairs{ "stp_state", "mcast_snooping", "vlan_filtering" } do
    local before = switch.link:get("br0").linkinfo.info_data[word]
    local ok, err = pcall(switch.link.set, switch.link, { "br0", type = "bridge", [word] = 1 - before })
    if ok then
        expect(switch.link):has{ "br0", linkinfo = { info_data = { [word] = 1 - before } } }
    else
        nsh.skip(("this kernel's bridges have no %s: %s"):format(word, err.message))
    end
end

nsh.done "A port belongs to a namespace, an address to an interface in it, and a route leads to the rest."
