-- What the tests of pingall share: networks of anonymous namespaces, with plain verbs.
local lu = require "luaunit"
local core = require "nsh.core"
local nsh = require "nsh"

nsh.sandbox()

local M = {}

--- A namespace with lo up, and without the second and more that IPv6 takes to make sure of an address.
function M.namespace()
    local ns = nsh.netns.new()
    ns:sysctl("net.ipv6.conf.default.accept_dad", 0)
    ns:sysctl("net.ipv6.conf.default.addr_gen_mode", 1)
    ns.link:set{ "lo", up = true }
    return ns
end

--- A namespace with a bridge in it, as a node without addresses. Bring it up last.
function M.switch(name)
    local ns = M.namespace()
    ns.link:add{ "br0", type = "bridge" }
    return { name = name, ns = ns, addresses = {} }
end

--- A node with `addresses` on its eth0, whose other end is a port of the switch, named as the node.
function M.connect(switch, name, addresses)
    local node = { name = name, ns = M.namespace(), addresses = addresses }
    switch.ns.link:add{ name, type = "veth", master = "br0", up = true, peer = { "eth0", netns = node.ns } }
    node.ns.link:set{ "eth0", up = true }
    for _, address in ipairs(addresses) do node.ns.addr:add{ address, dev = "eth0" } end
    return node
end

--- `count` nodes n1, n2, … on one switch. `formats`: of their addresses, such as "10.0.0.%d/24". Returns
-- the list of them, and the switch.
function M.star(count, formats)
    local switch, nodes = M.switch "switch", {}
    for i = 1, count do
        local addresses = {}
        for j, format in ipairs(formats) do addresses[j] = format:format(i) end
        nodes[i] = M.connect(switch, "n" .. i, addresses)
    end
    switch.ns.link:set{ "br0", up = true }
    return nodes, switch
end

--- Closes the namespaces of nodes, or of lists of them.
function M.close(...)
    for _, item in ipairs{ ... } do
        if item.ns then item.ns:close() end
        M.close(table.unpack(item))
    end
end

local CROWDED = "others hold the machine's neighbour tables"

--- The machine's neighbour tables are everybody's: there may be no room in them for a test.
function M.skip_if_crowded(result)
    for _, failure in ipairs(result.failures) do
        lu.skipIf(failure.reason == "neighbour table full", CROWDED)
    end
end

--- How often a neighbour table of the machine had no room. With a number that it returned before, skips
-- the test if that has grown: the kernel has then let go of old neighbours as well.
function M.overflows(before)
    local engine <close> = core.ping.open(nil, { count = 1, interval = 0, timeout = 1, size = 0, ttl = 0 })
    local now = select(3, engine:table "inet") + select(3, engine:table "inet6")
    lu.skipIf(before and now > before, CROWDED)
    return now
end

return M
