-- Pictures: what is seen of living networks and of declared ones, and how it comes out in each format.
local lu = require "luaunit"
local nsh = require "nsh"
local dot = require "nsh.lab.dot"
local layout = require "nsh.lab.layout"
local mermaid = require "nsh.lab.mermaid"
local picture = require "nsh.lab.picture"
local show = require "nsh.show"
local table_of = require("nsh.lab.show").records
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))

nsh.sandbox()

local host = nsh.host

-- --- helpers -------------------------------------------------------------------------------------

-- Namespaces and links of a test, gone when it ends.
local made

local function new_ns()
    made[#made + 1] = nsh.netns.new()
    return made[#made]
end

local function add_ns(name)
    made[#made + 1] = nsh.netns.add(name)
    return made[#made]
end

local function begin() made = {} end

local function finish()
    for _, ns in ipairs(made) do
        if ns.published then nsh.netns.del(ns) else ns:close() end
    end
    for _, link in ipairs(host.link:list()) do
        if link.ifname ~= "lo" then pcall(host.link.del, host.link, link.ifname) end
    end
end

local function pair(a, name_a, b, name_b)
    a.link:add{ name_a, type = "veth", peer = { name_b, netns = b } }
end

-- "a/x0 b/y0", whichever end is first: sorted, of all edges.
local function cables(from)
    return support.map(from.edges, function(edge)
        local ends = { table.concat(edge.a, "/"), table.concat(edge.b, "/") }
        table.sort(ends)
        return edge.kind .. " " .. table.concat(ends, " ") .. (edge.label and " " .. edge.label or "")
    end)
end

local function sorted_cables(from)
    local list = cables(from)
    table.sort(list)
    return list
end

local function interface_of(from, node_name, name)
    for _, node in ipairs(from.nodes) do
        for _, interface in ipairs(node.interfaces) do
            if node.name == node_name and interface.name == name then return interface end
        end
    end
end

local function names_in(from, node_name)
    for _, node in ipairs(from.nodes) do
        if node.name == node_name then
            return support.map(node.interfaces, function(interface) return interface.name end)
        end
    end
end

-- A lab as it is before lab:up(), of { name, kind =, { name, kind, address… } … }.
local function declare(nodes, pairs_of)
    local lab, ends = { name = "lab", nodes = {} }, {}
    for i, spec in ipairs(nodes) do
        local node = { name = spec[1], kind = spec.kind or "node", lab = lab, interfaces = {} }
        for k = 2, #spec do
            local fields = spec[k]
            local interface = { name = fields[1], ifname = fields.ifname or fields[1], kind = fields.kind or "veth",
                node = node, addresses = fields.addr or {}, args = fields.args or {}, master = fields.master }
            node.interfaces[#node.interfaces + 1] = interface
            ends[node.name .. "/" .. fields[1]] = interface
        end
        lab.nodes[i] = node
    end
    for _, both in ipairs(pairs_of or {}) do
        ends[both[1]].peer, ends[both[2]].peer = ends[both[2]], ends[both[1]]
    end
    return lab
end

-- n nodes in a star around a switch, a ring, a line.
local shapes = {}

function shapes.star(n)
    local nodes, both, switch = {}, {}, { "s1", kind = "switch", { "s1", kind = "bridge" } }
    nodes[1] = switch
    for i = 1, n do
        nodes[i + 1] = { "h" .. i, { "eth0", addr = { "10.0.0." .. i .. "/24" } } }
        switch[i + 2] = { "p" .. i, master = "s1" }
        both[i] = { "s1/p" .. i, "h" .. i .. "/eth0" }
    end
    return declare(nodes, both)
end

function shapes.ring(n)
    local nodes, both = {}, {}
    for i = 1, n do
        nodes[i] = { "r" .. i, { "eth0" }, { "eth1" } }
        both[i] = { "r" .. i .. "/eth1", "r" .. i % n + 1 .. "/eth0" }
    end
    return declare(nodes, both)
end

function shapes.line(n)
    local lab = shapes.ring(n)
    lab.nodes[n].interfaces[2].peer, lab.nodes[1].interfaces[1].peer = nil, nil
    return lab
end

function shapes.leaf_spine()
    local nodes, both = { { "spine1" }, { "spine2" } }, {}
    for i = 1, 4 do
        local leaf = { "leaf" .. i, { "host" } }
        for s = 1, 2 do
            table.insert(nodes[s], { "eth" .. i })
            table.insert(leaf, { "up" .. s })
            both[#both + 1] = { "spine" .. s .. "/eth" .. i, "leaf" .. i .. "/up" .. s }
        end
        nodes[#nodes + 1] = leaf
        nodes[#nodes + 1] = { "h" .. i, { "eth0" } }
        both[#both + 1] = { "leaf" .. i .. "/host", "h" .. i .. "/eth0" }
    end
    return declare(nodes, both)
end

function shapes.mesh(n)
    local nodes, both = {}, {}
    for i = 1, n do
        nodes[i] = { "r" .. i }
        for k = 1, n do
            if k ~= i then table.insert(nodes[i], { "eth" .. k }) end
            if k < i then both[#both + 1] = { ("r%d/eth%d"):format(k, i), ("r%d/eth%d"):format(i, k) } end
        end
    end
    return declare(nodes, both)
end

-- Two hosts, each with a bridge, whose vxlan runs over a router; one more goes out of the picture.
function shapes.vxlan()
    local nodes, both = { { "router" } }, {}
    for i = 1, 2 do
        table.insert(nodes[1], { "eth" .. i, addr = { ("10.0.%d.1/24"):format(i) } })
        nodes[i + 1] = { "host" .. i,
            { "eth0", addr = { ("10.0.%d.2/24"):format(i) } },
            { "br0", kind = "bridge", addr = { ("192.168.0.%d/24"):format(i) } },
            { "vx42", kind = "vxlan", master = "br0", args = { id = 42, remote = ("10.0.%d.2"):format(3 - i) } },
        }
        both[i] = { "router/eth" .. i, "host" .. i .. "/eth0" }
    end
    table.insert(nodes[3], { "out", kind = "geneve", args = { id = 7, remote = "2001:DB8::9" } })
    return declare(nodes, both)
end

-- --- living networks -----------------------------------------------------------------------------

TestLiving = { setUp = begin, tearDown = finish }

-- The network of examples/bridge.lua, in an order of its own.
local function build_bridge(order)
    local apps = {}
    host.link:add{ "br0", type = "bridge", up = true }
    for _, i in ipairs(order) do
        apps[i] = add_ns("app" .. i)
        host.link:add{ "hlink" .. i, type = "veth", up = true, master = "br0",
            peer = { "clink" .. i, netns = apps[i] } }
        apps[i].link:set{ "clink" .. i, up = true }
        apps[i].addr:add{ "172.16.0." .. i .. "0/16", dev = "clink" .. i }
    end
    host.addr:add{ "172.16.0.1/16", dev = "br0" }
    return apps
end

function TestLiving.test_a_bridge()
    local apps = build_bridge { 4, 3 }
    local seen = picture.of { host, apps[3], apps[4] }
    for _, node in ipairs(seen.nodes) do
        for _, interface in ipairs(node.interfaces) do interface.state = nil end -- it settles a moment later
    end
    lu.assertEquals(seen.nodes, {
        { name = "host", kind = "host", interfaces = {
            { name = "br0", kind = "bridge", addresses = { "172.16.0.1/16" }, up = true },
            { name = "hlink3", kind = "veth", addresses = {}, master = "br0", up = true },
            { name = "hlink4", kind = "veth", addresses = {}, master = "br0", up = true },
        } },
        { name = "app3", kind = "node", interfaces = {
            { name = "clink3", kind = "veth", addresses = { "172.16.0.30/16" }, up = true },
        } },
        { name = "app4", kind = "node", interfaces = {
            { name = "clink4", kind = "veth", addresses = { "172.16.0.40/16" }, up = true },
        } },
    })
    lu.assertEquals(seen.edges, {
        { a = { "host", "hlink3" }, b = { "app3", "clink3" }, kind = "veth" },
        { a = { "host", "hlink4" }, b = { "app4", "clink4" }, kind = "veth" },
    })
end

-- Two builds of one network differ in the kernel's indexes and MACs, and in no byte of the picture.
function TestLiving.test_the_same_network_is_the_same_text()
    build_bridge { 3, 4 }
    local first = nsh.graph()
    finish()
    begin()
    local apps = build_bridge { 4, 3 }
    lu.assertEquals(nsh.graph { host, apps[3], apps[4] }:dot(), first:dot())
    lu.assertEquals(nsh.graph():mermaid(), first:mermaid())
    lu.assertStrContains(first:dot(), "172.16.0.40/16")
end

-- In each of them the indexes are the same: only the ids of the namespaces tell which is joined with which.
function TestLiving.test_a_ring_of_equal_nodes()
    local ring = {}
    for i = 1, 6 do ring[i] = new_ns() end
    for i = 1, 6 do pair(ring[i], "a", ring[i % 6 + 1], "b") end
    local expected = {}
    for i = 1, 6 do
        local ends = { ring[i].name .. "/a", ring[i % 6 + 1].name .. "/b" }
        table.sort(ends)
        expected[i] = "veth " .. table.concat(ends, " ")
    end
    table.sort(expected)
    lu.assertEquals(sorted_cables(picture.of(ring)), expected)
    local mixed = { ring[4], ring[1], ring[6], ring[3], ring[2], ring[5] }
    lu.assertEquals(sorted_cables(picture.of(mixed)), expected)
end

function TestLiving.test_ends_that_are_not_in_the_picture()
    local a, b, c = new_ns(), new_ns(), new_ns()
    pair(a, "x", b, "y")
    pair(a, "z", c, "y")
    lu.assertEquals(cables(picture.of { a, c }), { ("veth %s/z %s/y"):format(a.name, c.name) })
    lu.assertEquals(names_in(picture.of { a, c }, a.name), { "x", "z" })
    lu.assertEquals(picture.of({ b, c }).edges, {})
end

function TestLiving.test_both_ends_in_one_namespace()
    local a = new_ns()
    a.link:add{ "x", type = "veth", peer = "y" }
    lu.assertEquals(cables(picture.of { a }), { ("veth %s/x %s/y"):format(a.name, a.name) })
end

function TestLiving.test_addresses_that_tell_something()
    local a = new_ns()
    a.link:set{ "lo", up = true }
    pair(a, "x", host, "y")
    a.link:set{ "x", up = true }
    host.link:set{ "y", up = true }
    support.wait_for("a link-local address", function()
        return #a.addr:list{ dev = "x" } > 0
    end)
    a.addr:add{ "10.0.0.1", dev = "x", peer = "10.0.0.2/32" }
    a.addr:add{ "fd00::1/64", dev = "x" }
    lu.assertEquals(names_in(picture.of { a }, a.name), { "x" })
    lu.assertEquals(interface_of(picture.of { a }, a.name, "x").addresses,
        { "10.0.0.1 peer 10.0.0.2/32", "fd00::1/64" })
    a.addr:add{ "10.255.0.1/32", dev = "lo" }
    local lo = interface_of(picture.of { a }, a.name, "lo")
    lu.assertEquals(lo, { name = "lo", addresses = { "10.255.0.1/32" }, up = true, state = "UNKNOWN" })
end

function TestLiving.test_a_namespace_that_is_a_switch()
    local s1, other = add_ns "s1", add_ns "s2"
    for _, ns in ipairs { s1, other } do
        ns.link:add{ ns.name, type = "bridge" }
        pair(ns, "p1", host, ns.name .. "-p1")
        ns.link:set{ "p1", master = ns.name }
    end
    pair(other, "p2", host, "s2-p2")
    local kinds = support.map(picture.of({ s1, other, host }).nodes, function(node) return node.kind end)
    lu.assertEquals(kinds, { "switch", "node", "host" })
end

function TestLiving.test_lower_links()
    local a = new_ns()
    host.link:add{ "eth0", type = "veth", peer = "eth1" }
    local ok, err = pcall(host.link.add, host.link, { "m0", type = "macvlan", link = "eth0", netns = a })
    lu.skipIf(not ok and err.message == "Unknown device type", "this kernel has no macvlan")
    if not ok then error(err, 0) end
    pcall(host.link.add, host.link, { "m1", type = "macvlan", link = "eth0" })
    lu.assertEquals(sorted_cables(picture.of { a, host }),
        { ("lower host/eth0 %s/m0 macvlan"):format(a.name), "veth host/eth0 host/eth1" })
    lu.assertEquals(interface_of(picture.of { host }, "host", "m1").label, "macvlan on eth0")
end

function TestLiving.test_tunnels()
    local ends = { new_ns(), new_ns() }
    pair(ends[1], "eth0", ends[2], "eth0")
    for i, ns in ipairs(ends) do
        ns.addr:add{ ("10.0.0.%d/24"):format(i), dev = "eth0" }
        local command = "ip link add vx type vxlan id 42 dstport 4789 local 10.0.0.%d remote 10.0.0.%d"
        local made_it = pcall(support.sh, command:format(i, 3 - i), ns)
        lu.skipIf(not made_it, "this kernel has no vxlan")
    end
    local tunnel = ends[1].link:get("vx").linkinfo.info_data and "tunnel %s/vx %s/vx vxlan 42"
        or "veth %s/eth0 %s/eth0" -- without the attributes of a vxlan it cannot be known
    lu.assertEquals(sorted_cables(picture.of(ends))[1], tunnel:format(ends[1].name, ends[2].name))
end

-- What a namespace says of links of kinds that this kernel lacks.
local function stand_in(name, links, addresses)
    local function listing(records) return { list = function() return records end } end
    return { name = name, link = listing(links), addr = listing(addresses) }
end

local function record(index, name, kind, info, flags)
    return { ifindex = index, ifname = name, operstate = "UNKNOWN", flags = flags or { "UP" },
        linkinfo = { info_kind = kind, info_data = info } }
end

function TestLiving.test_attributes_of_tunnels()
    local function ends(name, near, far)
        return stand_in(name, {
            record(2, "eth0", "veth"), record(3, "vx", "vxlan", { id = 42, remote = far }),
            record(4, "g", "gre", { remote = "any" }), record(5, "g6", "geneve", { id = 1, remote6 = "FD00::9" }),
        }, { { ifname = "eth0", local_ = near, prefixlen = 24 } })
    end
    local seen = picture.of { ends("a", "10.0.0.1", "10.0.0.2"), ends("b", "10.0.0.2", "10.0.0.1") }
    lu.assertEquals(cables(seen), { "tunnel a/vx b/vx vxlan 42" })
    lu.assertEquals(interface_of(seen, "a", "g6").label, "geneve 1 to fd00::9")
    lu.assertNil(interface_of(seen, "a", "g").tunnel)
end

function TestLiving.test_fallbacks_of_tunnels_are_left_out()
    local seen = picture.of { stand_in("a", {
        record(1, "tunl0", "ipip", {}, {}), record(2, "gre0", "gre", {}), record(3, "sit0", "veth", {}, {}),
    }, {}) }
    lu.assertEquals(names_in(seen, "a"), { "gre0", "sit0" })
end

function TestLiving.test_names_differ_and_nothing_is_drawn_twice()
    local a, b = new_ns(), add_ns "host"
    pair(a, "x", b, "y")
    local seen = picture.of { host, b, a, b }
    lu.assertEquals(support.map(seen.nodes, function(node) return node.name end), { "host", "host (2)", a.name })
    lu.assertEquals(cables(seen), { ("veth host (2)/y %s/x"):format(a.name) })
end

function TestLiving.test_looking_changes_nothing()
    local a, b, c = new_ns(), new_ns(), new_ns()
    pair(a, "x", b, "y")
    pair(b, "z", c, "y")
    for _, ns in ipairs { a, b, c } do ns.link:list() end -- the kernel gives ids to whoever asks where a peer is
    local before = support.as_json { a.nsid:list(), b.nsid:list(), c.nsid:list() }
    picture.of { a, b, c }
    lu.assertEquals(support.as_json { a.nsid:list(), b.nsid:list(), c.nsid:list() }, before)
end

function TestLiving.test_what_cannot_be_drawn()
    support.refused("EINVAL", "cannot draw a picture: value 2 is a string, not a namespace (EINVAL)",
        nsh.graph, { host, "app3" })
    support.refused("EINVAL", "cannot draw a picture: value 1 is a number, not a namespace (EINVAL)", nsh.graph, 5)
    local a = nsh.netns.new()
    a:close()
    lu.assertEquals(support.raised(nsh.graph, { a }).code, "EBADF")
    lu.assertEquals(nsh.graph(host).picture.nodes[1].name, "host")
end

-- --- labs ----------------------------------------------------------------------------------------

TestLabs = { setUp = begin, tearDown = finish }

function TestLabs.test_declarations()
    local lab = declare({
        { "host", kind = "host", { "br0", kind = "bridge", addr = { "10.0.0.1/24" } },
            { "a-very-long-name-of-a-port", ifname = "a-very-lo-12345", master = "br0" } },
        { "app", { "eth0", addr = { "10.0.0.2/24", "fd00::2/64" } },
            { "eth0.7", kind = "vlan", args = { link = "eth0", id = 7 } } },
        { "gone" },
    }, { { "host/a-very-long-name-of-a-port", "app/eth0" } })
    lab.nodes[3].removed = true
    local seen = picture.of_lab(lab)
    lu.assertEquals(seen.name, "lab")
    lu.assertEquals(#seen.nodes, 2)
    lu.assertEquals(seen.nodes[1].interfaces[1],
        { name = "a-very-lo-12345", kind = "veth", addresses = {}, master = "br0" })
    lu.assertEquals(seen.nodes[2].interfaces, {
        { name = "eth0", kind = "veth", addresses = { "10.0.0.2/24", "fd00::2/64" } },
        { name = "eth0.7", kind = "vlan", addresses = {}, label = "vlan on eth0" },
    })
    lu.assertEquals(seen.edges, { { a = { "host", "a-very-lo-12345" }, b = { "app", "eth0" }, kind = "veth" } })
end

-- Up, and then some more declared; what the host has besides is none of the lab's.
function TestLabs.test_what_is_up_and_what_is_not_yet()
    local lab = declare({
        { "host", kind = "host", { "near" }, { "later" } },
        { "app", { "far" }, { "later" } },
    }, { { "host/near", "app/far" }, { "host/later", "app/later" } })
    local ns = new_ns()
    lab.nodes[1].ns, lab.nodes[2].ns = host, ns
    host.link:add{ "other", type = "bridge" }
    host.link:add{ "near", type = "veth", up = true, peer = { "far", netns = ns } }
    ns.link:add{ "by-hand", type = "bridge" }
    nsh.settle() -- it is looked at twice
    local seen = picture.of_lab(lab)
    lu.assertEquals(names_in(seen, "host"), { "later", "near" })
    lu.assertEquals(names_in(seen, "app"), { "by-hand", "far", "later" })
    lu.assertEquals(interface_of(seen, "host", "near").up, true)
    lu.assertEquals(interface_of(seen, "app", "far").up, false)
    lu.assertEquals(interface_of(seen, "app", "later").up, nil)
    lu.assertEquals(cables(seen), { "veth app/later host/later", "veth app/far host/near" })
    lu.assertEquals(nsh.graph(lab).picture, seen)
end

function TestLabs.test_tunnels()
    local seen = picture.of_lab(shapes.vxlan())
    lu.assertEquals(sorted_cables(seen), {
        "tunnel host1/vx42 host2/vx42 vxlan 42", "veth host1/eth0 router/eth1", "veth host2/eth0 router/eth2",
    })
    lu.assertEquals(interface_of(seen, "host2", "out").label, "geneve 7 to 2001:db8::9")
end

-- An address that two nodes have: the one with a tunnel back is meant. Without any, it is the address.
function TestLabs.test_tunnels_between_networks_that_do_not_meet()
    local lab = declare {
        { "a", { "eth0", addr = { "10.0.0.1/24" } }, { "t", kind = "gre", args = { remote = "10.0.0.2" } } },
        { "x", { "eth0", addr = { "10.0.0.2/24" } }, { "t", kind = "gre", args = { remote = "10.0.0.3" } } },
        { "b", { "eth0", addr = { "10.0.0.2/24" } }, { "t", kind = "gre", args = { remote = "10.0.0.1" } } },
        { "c", { "eth0", addr = { "10.0.0.3/24" } } },
    }
    lu.assertEquals(cables(picture.of_lab(lab)), { "tunnel a/t b/t gre", "tunnel c/eth0 x/t gre" })
end

function TestLabs.test_as_a_table()
    local lab = shapes.vxlan()
    lab.nodes[4] = { name = "alone", kind = "node", interfaces = {} }
    lu.assertEquals(show.format(table_of(picture.of_lab(lab))), [[
NODE    IFNAME  KIND                     MASTER  ADDRESS         PEER
router  eth1    veth                             10.0.1.1/24     host1/eth0
router  eth2    veth                             10.0.2.1/24     host2/eth0
host1   br0     bridge                           192.168.0.1/24
host1   eth0    veth                             10.0.1.2/24     router/eth1
host1   vx42    vxlan 42                 br0                     host2/vx42
host2   br0     bridge                           192.168.0.2/24
host2   eth0    veth                             10.0.2.2/24     router/eth2
host2   out     geneve 7 to 2001:db8::9
host2   vx42    vxlan 42                 br0                     host1/vx42
alone]])
end

function TestLabs.test_a_table_with_states()
    local a = add_ns "a"
    a.link:add{ "x", type = "veth", peer = "y" }
    lu.assertEquals(show.format(table_of(picture.of { a })), [[
NODE  IFNAME  STATE  KIND  PEER
a     x       DOWN   veth  a/y
a     y       DOWN   veth  a/x]])
end

function TestLabs.test_numbers_in_names_count()
    local long = ("9"):rep(250)
    lu.assertEquals(require("nsh.natural").sort { "eth10", long, "a", "eth2", "eth02", "10", "9" },
        { "9", "10", long, "a", "eth02", "eth2", "eth10" })
end

-- --- labs that come up ---------------------------------------------------------------------------

TestLabsUp = { setUp = begin, tearDown = finish }

-- Declared and up, long names and all: it is the same picture.
function TestLabsUp.test_before_and_after()
    local lab <close> = nsh.lab "picture"
    lab.host:bridge{ "br0", addr = "172.16.0.1/16" }
    local app = lab:node "app"
    app:connect{ "eth0", addr = { "172.16.0.2/16", "fd00::2/64" }, to = lab.host, peer = { "port", master = "br0" } }
    local switch = lab:switch "s1"
    for i = 1, 2 do lab:node("h" .. i):connect{ addr = ("10.0.0.%d/24"):format(i), to = switch } end
    app:connect{ "a-name-that-the-kernel-cannot-have", to = switch }
    local declared = lab:graph()
    lu.assertEquals(#declared.picture.edges, 4)
    lab:up()
    host.link:add{ "other", type = "bridge" }
    lu.assertEquals(lab:graph():dot(), declared:dot())
    lu.assertEquals(lab:graph():mermaid(), declared:mermaid())
    lu.assertEquals(nsh.graph(lab).picture, lab:graph().picture)
    lu.assertEquals(cables(picture.of { app, lab.host }), { "veth app/eth0 host/port" })
end

function TestLabsUp.test_show()
    local out = support.sh(([[%s -S -q -e '
        local lab = nsh.lab "table"
        local a = lab:node "a"
        a:connect{ "eth0", addr = "10.0.0.1/24", to = "b" }
        lab:node "b"
        lab:up()
        a:connect{ "eth1", to = "b" }
        lab:show()']]):format(os.getenv "NSH"))
    lu.assertEquals(out, [[
NODE  IFNAME  STATE  KIND  ADDRESS      PEER
a     eth0    UP     veth  10.0.0.1/24  b/eth0
a     eth1           veth               b/eth1
b     eth0    UP     veth               a/eth0
b     eth1           veth               a/eth1
]])
end

-- --- layout --------------------------------------------------------------------------------------

TestLayout = {}

-- "r1>r2" for each edge, sorted.
local function directions(lab)
    local list = support.map(layout.edges(picture.of_lab(lab)), function(edge)
        return edge.from[1] .. ">" .. edge.to[1]
    end)
    table.sort(list)
    return table.concat(list, " ")
end

function TestLayout.test_a_hub_stands_between_its_leaves()
    local left, right = 0, 0
    for _, edge in ipairs(layout.edges(picture.of_lab(shapes.star(20)))) do
        if edge.to[1] == "s1" then left = left + 1 else right = right + 1 end
    end
    lu.assertEquals({ left, right }, { 10, 10 })
end

function TestLayout.test_lines_and_rings()
    lu.assertEquals(directions(shapes.line(2)), "r1>r2")
    lu.assertEquals(directions(shapes.line(4)), "r1>r2 r2>r3 r3>r4")
    lu.assertEquals(directions(shapes.line(5)), "r1>r2 r2>r3 r3>r4 r4>r5")
    lu.assertEquals(directions(shapes.ring(6)), "r1>r2 r1>r6 r2>r3 r3>r4 r5>r4 r6>r5")
    lu.assertEquals(directions(shapes.mesh(3)), "r1>r2 r1>r3 r2>r3")
end

function TestLayout.test_spines_stand_in_the_middle()
    lu.assertEquals(directions(shapes.leaf_spine()), table.concat({
        "h1>leaf1", "h3>leaf3", "leaf1>spine1", "leaf1>spine2", "leaf2>h2", "leaf3>spine1", "leaf3>spine2",
        "leaf4>h4", "spine1>leaf2", "spine1>leaf4", "spine2>leaf2", "spine2>leaf4",
    }, " "))
end

function TestLayout.test_a_tunnel_does_not_bend_the_line_that_it_runs_over()
    lu.assertEquals(directions(shapes.vxlan()), "host1>host2 host1>router router>host2")
end

-- Cables run from each column to the next one, and no more than eight columns stand beside each other.
function TestLayout.test_a_long_line_is_folded()
    local column, most = { r1 = 0 }, 0
    for _, edge in ipairs(layout.edges(picture.of_lab(shapes.line(30)))) do
        local from, to = edge.from[1], edge.to[1]
        if column[from] then
            column[to] = column[to] or column[from] + 1
        else
            column[from] = column[to] - 1
        end
        lu.assertEquals(column[to], column[from] + 1)
        most = math.max(most, column[to])
    end
    lu.assertEquals(most, 7)
end

-- --- formats -------------------------------------------------------------------------------------

local has_dot = os.execute "command -v dot >/dev/null"

-- Every text in an SVG, as it is read.
local function texts_of(svg)
    local texts = {}
    for text in svg:gmatch "<text[^>]*>([^<]*)</text>" do
        text = text:gsub("&#(%d+);", function(code) return utf8.char(tonumber(code)) end):gsub("&lt;", "<")
            :gsub("&gt;", ">"):gsub("&quot;", '"'):gsub("&amp;", "&")
        texts[text:gsub("\u{2060}", ""):gsub(" +$", "")] = true
    end
    return texts
end

-- graphviz must have nothing to say about it.
local function accepted_by_dot(text)
    local result = host:exec{ "dot", "-Tsvg", input = text, output = true }
    lu.assertEquals({ result.status, result.err }, { 0, "" }, text)
    return result.out
end

-- Each subgraph has its end, each link two interfaces that were declared, each label only what is harmless.
local function check_mermaid(text)
    local depth, known = 0, {}
    for line in text:gmatch "[^\n]+" do
        local group, id = line:match "^ +subgraph ([%w_]+)%[", line:match "^ +([%w_]+)%[.*%]:::%l+$"
        local from, to = line:match "^ +([%w_]+) %-.*%- ([%w_]+)$"
        if group then depth, known[group] = depth + 1, true end
        if line:find "^ +end$" then depth = depth - 1 end
        if id then known[id] = true end
        if from then lu.assertTrue(known[from] and known[to], line) end
        lu.assertNotNil(group or id or from or line:find "^ +end$" or line:find "^ +class" or
            line:find "^flowchart" or line:find "^%%%%{init", line)
        local label = line:match '"(.*)"'
        if label and not line:find "^%%%%" then
            lu.assertNil(label:gsub("<br>", ""):gsub("#%d+;", ""):find '[#;"<>`\\%[%]{}()|]', line)
        end
    end
    lu.assertEquals(depth, 0)
end

TestFormats = { setUp = begin, tearDown = finish }

function TestFormats.test_every_shape()
    lu.skipIf(not has_dot, "graphviz is not there")
    local labs = { shapes.star(20), shapes.ring(5), shapes.line(3), shapes.leaf_spine(), shapes.mesh(5), shapes.vxlan(),
        declare {}, declare { { "alone" } } }
    for _, lab in ipairs(labs) do
        local seen = picture.of_lab(lab)
        local texts = texts_of(accepted_by_dot(dot.text(seen)))
        for _, node in ipairs(seen.nodes) do
            lu.assertTrue(texts[node.name], node.name)
            for _, interface in ipairs(node.interfaces) do
                lu.assertTrue(texts[interface.name] or node.kind == "switch", interface.name)
                for _, address in ipairs(interface.addresses) do lu.assertTrue(texts[address], address) end
            end
        end
        check_mermaid(mermaid.text(seen))
    end
end

-- As many lines as there are edges, dashed where it is a tunnel.
function TestFormats.test_edges_are_lines()
    lu.skipIf(not has_dot, "graphviz is not there")
    local svg = accepted_by_dot(dot.text(picture.of_lab(shapes.vxlan())))
    local _, edges = svg:gsub('class="edge"', "")
    local _, dashed = svg:gsub("stroke%-dasharray", "")
    lu.assertEquals({ edges, dashed }, { 3, 1 })
    lu.assertTrue(texts_of(svg)["vxlan 42"])
end

-- Names may hold nearly anything: what would be markup, an escape or a word of the language in any format.
local HOSTILE = 'n"1<b>&amp;\\N #quot;;[](){}|%%\xff`end\n'

local function build_hostile()
    local a, b, c = add_ns(HOSTILE), add_ns "end", add_ns "back\\"
    pair(a, [[a"<&>'\|{`#]], b, "\xff\1]-->")
    pair(a, "subgraph", b, "node")
    pair(a, "--", c, "<br>")
    b.link:add{ "東京\u{FFFE}", type = "bridge" }
    return { a, b, c }
end

function TestFormats.test_hostile_names()
    lu.skipIf(not has_dot, "graphviz is not there")
    local graph = nsh.graph(build_hostile())
    local texts = texts_of(accepted_by_dot(graph:dot()))
    for _, expected in ipairs { [[n"1<b>&amp;\N #quot;;[](){}|%%\xFF`end\n]], "end", "back\\", [[a"<&>'\|{`#]],
        [[\xFF\x01]-->]], "subgraph", "node", "--", "<br>", "東京\u{FFFD}" } do
        lu.assertTrue(texts[expected], expected)
    end
    check_mermaid(graph:mermaid())
    lu.assertStrContains(graph:mermaid(), "n#34;1#60;b#62;#38;amp#59;#92;N #35;quot")
end

function TestFormats.test_methods_are_called_with_a_colon()
    lu.assertStrContains(support.raised(nsh.graph({ host }).dot).message, "a colon is missing")
end

-- --- files ---------------------------------------------------------------------------------------

TestFiles = { setUp = begin, tearDown = finish }

local directory = (os.getenv "TMPDIR" or "/tmp") .. "/graph_test"

local function read(name)
    local file <close> = assert(io.open(directory .. "/" .. name, "rb"))
    return file:read "a"
end

function TestFiles.test_each_ending()
    lu.skipIf(not has_dot, "graphviz is not there")
    support.sh("mkdir -p " .. directory)
    local graph = nsh.graph(shapes.vxlan())
    for _, ending in ipairs { "svg", "png", "pdf", "dot", "gv", "mmd", "txt" } do
        lu.assertEquals(graph:save(directory .. "/p." .. ending), graph)
    end
    lu.assertEquals(read "p.svg", graph:svg())
    lu.assertEquals(read "p.dot", graph:dot())
    lu.assertEquals(read "p.gv", graph:dot())
    lu.assertEquals(read "p.mmd", graph:mermaid())
    lu.assertEquals(read "p.txt", graph:text{ width = 100, ascii = false } .. "\n")
    lu.assertEquals(read("p.png"):sub(1, 8), "\x89PNG\r\n\x1a\n")
    lu.assertEquals(read("p.pdf"):sub(1, 5), "%PDF-")
    support.sh("rm -r " .. directory)
end

-- What would change from one machine to the next, or means nothing to a reader, is not in it.
function TestFiles.test_svg_says_nothing_of_graphviz()
    lu.skipIf(not has_dot, "graphviz is not there")
    local svg = nsh.graph(shapes.ring(3)):svg()
    lu.assertStrContains(svg, "<title>lab</title>")
    lu.assertNotStrContains(svg, "<!--")
    lu.assertNotStrContains(svg, "<title>n1")
    lu.assertEquals(nsh.graph(shapes.ring(3)):svg(), svg)
end

function TestFiles.test_errors()
    local graph = nsh.graph(shapes.line(2))
    support.refused("EINVAL", "cannot save the picture as lab.jpg: " ..
        "the name must end with .svg, .png, .pdf, .dot, .gv, .mmd or .txt (EINVAL)", graph.save, graph, "lab.jpg")
    support.refused("ENOTDIR", "cannot save the picture as /dev/null/none.dot: Not a directory (ENOTDIR)",
        graph.save, graph, "/dev/null/none.dot")
end

function TestFiles.test_without_graphviz()
    local code = [[local ok, err = pcall(function() nsh.graph{}:svg() end) io.write(err.code, " ", err.hint)]]
    local out = support.sh(("PATH=/proc/none %s -q -e '%s'"):format(os.getenv "NSH", code))
    lu.assertEquals(out, "ENOENT dot is a part of graphviz: apt-get install graphviz")
end

os.exit(support.run())
