--- What a picture of a network shows, as plain data: nodes, their interfaces, and what joins them. Made
-- from a lab, or from namespaces. `nsh.lab.graph` draws it, `nsh.lab.show` makes a table of it.
--
--     { name = "bridge",
--       nodes = { { name = "app3", kind = "node", interfaces = { { name = "clink3", kind = "veth",
--           addresses = { "172.16.0.30/16" }, up = true, state = "UP" } } }, … },
--       edges = { { a = { "app3", "clink3" }, b = { "host", "hlink3" }, kind = "veth" }, … } }
--
-- No two nodes have the same name. Their kinds are "node", "host", "switch" and "outside". An interface has also
--   master   the bridge, bond or VRF that it belongs to: a name in the same node
--   tunnel   { remote = "10.0.0.2", key = 42 }
--   label    what people call it where its name and kind do not say it: "vxlan 42", "vlan on eth0"
--   notes    what a lab says of its end of the cable, if it does: { "delay 50ms", "vlan 10" }
--   up, state  nil for what is only declared
-- The kinds of edges are "veth", "tunnel", and "lower" (a macvlan, and its lower link in another node).
local natural = require "nsh.natural"

local M = {}

-- --- what is left out, and in which order the rest comes -----------------------------------------

-- Every namespace has these once their module is loaded: the fallback of each kind (net/ipv4, net/ipv6).
local fallback = {
    tunl0 = "ipip", gre0 = "gre", gretap0 = "gretap", erspan0 = "erspan", sit0 = "sit", ip_vti0 = "vti",
    ip6tnl0 = "ip6tnl", ip6gre0 = "ip6gre", ip6_vti0 = "vti6",
}

local of_lo = { ["127.0.0.1/8"] = true, ["::1/128"] = true }

-- fe80::/10 (RFC 4291, 2.4): every interface has one, and it tells nothing.
local function is_told(address, ifname)
    return not address:find "^fe[89ab]%x:" and not (ifname == "lo" and of_lo[address])
end

local function is_drawn(interface)
    if interface.addresses[1] then return true end
    local is_fallback = interface.kind and interface.kind == fallback[interface.name]
    return interface.name ~= "lo" and not (is_fallback and interface.up == false)
end

-- Sorted: the same network gives the same picture, in whatever order it was built.
local function arrange(interfaces)
    local drawn = {}
    for _, interface in ipairs(interfaces) do
        if is_drawn(interface) then drawn[#drawn + 1] = interface end
    end
    return natural.sort(drawn, function(interface) return interface.name end)
end

--- The interfaces of a node, ports below their masters: a list of { interface =, ports = such a list }.
function M.tree(node)
    local branches, top = {}, {}
    for _, interface in ipairs(node.interfaces) do
        branches[interface.name] = { interface = interface, ports = {} }
    end
    for _, interface in ipairs(node.interfaces) do
        local master = branches[interface.master]
        table.insert(master and master.ports or top, branches[interface.name])
    end
    return top
end

-- The bridge that is all that a node is; nil if there is none such, or something beside it.
local function only_bridge(node)
    local tree = M.tree(node)
    return #tree == 1 and tree[1].interface.kind == "bridge" and tree[1] or nil
end

local function kind_of(node)
    local bridge = only_bridge(node)
    return bridge and bridge.interface.name == node.name and "switch" or "node"
end

--- The bridge of a node that is drawn as one thing with it, as in M.tree; nil for others.
function M.switch(node)
    return node.kind == "switch" and only_bridge(node) or nil
end

-- --- edges ---------------------------------------------------------------------------------------

-- Both ends know of an edge: it is drawn once.
local function add_edge(edges, kind, a, b, label)
    local ends = { table.concat(a, "/"), table.concat(b, "/") }
    table.sort(ends)
    local id = kind .. " " .. table.concat(ends, " ")
    if edges[id] then return end
    edges[id] = true
    table.insert(edges.list, { a = a, b = b, kind = kind, label = label })
end

-- fn(node, interface) for all of them.
local function each_interface(nodes, fn)
    for _, node in ipairs(nodes) do
        for _, interface in ipairs(node.interfaces) do fn(node, interface) end
    end
end

-- Who has an address: address -> list of { node, interface }.
local function owners_of(nodes)
    local owners = {}
    each_interface(nodes, function(node, interface)
        for _, address in ipairs(interface.addresses) do
            local bare = address:match "^[^/ ]*"
            owners[bare] = owners[bare] or {}
            table.insert(owners[bare], { node, interface })
        end
    end)
    return owners
end

-- Whether `other` is a tunnel back to `node`.
local function leads_back(other, tunnel, node, owners)
    local far = other.tunnel
    if not far or other.kind ~= tunnel.kind or far.key ~= tunnel.tunnel.key then return false end
    for _, owner in ipairs(owners[far.remote] or {}) do
        if owner[1] == node then return true end
    end
    return false
end

-- The node and the interface at the other end. An address may be there twice, in networks that do not
-- meet: the node with a tunnel back comes first, else it is the interface with the address.
local function find_other_end(node, tunnel, owners)
    local candidates = owners[tunnel.tunnel.remote] or {}
    for _, owner in ipairs(candidates) do
        for _, other in ipairs(owner[1].interfaces) do
            if leads_back(other, tunnel, node, owners) then return owner[1], other end
        end
    end
    if candidates[1] then return table.unpack(candidates[1]) end
end

local function add_tunnels(nodes, edges)
    local owners = owners_of(nodes)
    each_interface(nodes, function(node, interface)
        if not interface.tunnel then return end
        local far, other = find_other_end(node, interface, owners)
        if far then
            add_edge(edges, "tunnel", { node.name, interface.name }, { far.name, other.name }, interface.label)
        else
            interface.label = interface.label .. " to " .. interface.tunnel.remote
        end
    end)
end

-- --- interfaces ----------------------------------------------------------------------------------

-- `info`: the attributes of its kind, with the names of `ip -j -d`.
local function tunnel_of(info)
    local remote = info.remote or info.remote6
    if type(remote) ~= "string" or remote == "any" then return nil end
    return { remote = remote:lower(), key = info.id or info.key or info.okey }
end

local function label_of(kind, tunnel, lower)
    if tunnel then return tunnel.key and kind .. " " .. tunnel.key or kind end
    if kind ~= "veth" and lower then return kind .. " on " .. lower end
end

-- `fields`: those of the result, and `lower`, `info`.
local function new_interface(fields)
    local told = {}
    for _, address in ipairs(fields.addresses) do
        if is_told(address, fields.name) then told[#told + 1] = address end
    end
    local tunnel = tunnel_of(fields.info)
    return {
        name = fields.name, kind = fields.kind, master = fields.master, up = fields.up, state = fields.state,
        addresses = told, tunnel = tunnel, label = label_of(fields.kind, tunnel, fields.lower),
        notes = fields.notes,
    }
end

--- What an interface is beside its name, if it is no mere cable that is up: a list of words.
function M.words(interface)
    local words = { interface.label or interface.kind ~= "veth" and interface.kind or nil }
    for _, note in ipairs(interface.notes or {}) do words[#words + 1] = note end
    if interface.up == false then words[#words + 1] = "down" end
    return words
end

-- --- declared interfaces -------------------------------------------------------------------------

-- What the kernel will call an interface of `node` that a script may know by a longer name.
local function kernel_name(node, name)
    for _, interface in ipairs(node.interfaces) do
        if interface.name == name then return interface.ifname or name end
    end
    return name
end

-- In the order in which they are told.
local told_shapes = { "rate", "delay", "jitter", "loss", "duplicate" }

local function notes_of(declared)
    local notes, vlans = {}, {}
    for _, key in ipairs(told_shapes) do
        notes[#notes + 1] = require("nsh.show.kinds").option(key, (declared.shape or {})[key])
    end
    for _, part in ipairs(declared.parts or {}) do
        if part.object == "vlan" and not part.removed then vlans[#vlans + 1] = part.args.vid or part.args[1] end
    end
    if vlans[1] then notes[#notes + 1] = "vlan " .. table.concat(vlans, ",") end
    return notes[1] and notes or nil
end

local function declared_interface(declared, node)
    local args = declared.args or {}
    local info, master = args[declared.kind], declared.master or args.master
    return new_interface {
        name = declared.ifname or declared.name, kind = declared.kind, addresses = declared.addresses or {},
        master = master and kernel_name(node, master), lower = args.link or args.dev,
        info = type(info) == "table" and info or args, notes = notes_of(declared),
    }
end

local function declared_interfaces(node)
    local interfaces = {}
    for _, declared in ipairs(node.interfaces) do
        if not declared.removed then
            interfaces[#interfaces + 1] = declared_interface(declared, node)
        end
    end
    return interfaces
end

local function end_of(declared)
    return { declared.node.name, declared.ifname or declared.name }
end

local function add_declared_pairs(lab, edges)
    each_interface(lab.nodes, function(_, declared)
        if declared.peer and not declared.removed then
            add_edge(edges, "veth", end_of(declared), end_of(declared.peer))
        end
    end)
end

-- --- living interfaces ---------------------------------------------------------------------------

-- As `ip addr` writes it.
local function address_text(record)
    local own = record.local_ or record["local"]
    local peer = record.address and own .. " peer " .. record.address or own
    return ("%s/%d"):format(peer, record.prefixlen)
end

local function addresses_by_name(ns)
    local addresses = {}
    for _, record in ipairs(ns.addr:list()) do
        local name = record.ifname or record.dev
        addresses[name] = addresses[name] or {}
        table.insert(addresses[name], address_text(record))
    end
    return addresses
end

local function has_flag(record, flag)
    for _, word in ipairs(record.flags or {}) do
        if word == flag then return true end
    end
    return false
end

local function kind_of_link(record)
    return record.linkinfo and record.linkinfo.info_kind
end

local function living_interface(record, addresses, declared)
    local kind, info = kind_of_link(record), record.linkinfo and record.linkinfo.info_data or {}
    return new_interface {
        name = record.ifname, kind = kind, addresses = addresses[record.ifname] or {}, info = info,
        master = record.master, lower = record.link or info.link,
        up = has_flag(record, "UP"), state = record.operstate, notes = declared and declared.notes,
    }
end

-- Adds what lives to what is declared. Of the host only that: the rest of it is none of the lab's.
local function look_at(node)
    local addresses, declared = addresses_by_name(node.ns), {}
    for i, interface in ipairs(node.interfaces) do declared[interface.name] = i end
    node.records = {}
    for _, record in ipairs(node.ns.link:list()) do
        local at = declared[record.ifname] or not node.only_declared and #node.interfaces + 1
        if at then
            node.interfaces[at] = living_interface(record, addresses, node.interfaces[at])
            table.insert(node.records, record)
        end
    end
end

-- --- living pairs --------------------------------------------------------------------------------

local is_pair = { veth = true, netkit = true, vxcan = true }
local has_lower = { macvlan = true, macvtap = true, ipvlan = true, ipvtap = true, vlan = true }

-- Both ends of a pair have each other's index, a link has its lower one's: without the namespace, that may
-- mean many. All of them are kept, in the order of the nodes: key -> list of { node =, record = }.
local function index_records(nodes)
    local index = {}
    local function add(key, one)
        index[key] = index[key] or {}
        table.insert(index[key], one)
    end
    for _, node in ipairs(nodes) do
        for _, record in ipairs(node.records or {}) do
            local one = { node = node, record = record }
            add(record.ifindex, one)
            if record.link_index then add(record.ifindex .. "-" .. record.link_index, one) end
        end
    end
    return index
end

local function find_candidates(record, index)
    local kind = kind_of_link(record)
    if is_pair[kind] then return index[record.link_index .. "-" .. record.ifindex] or {} end
    return has_lower[kind] and index[record.link_index] or {}
end

-- Walks through candidates, those first that are nearest to `number` in the list of nodes: it is mostly one of
-- these, and to ask the kernel about each takes its time.
local function nearest_first(candidates, number)
    local right = 1
    while candidates[right] and candidates[right].node.number < number do right = right + 1 end
    local left = right - 1
    return function()
        local before, after = candidates[left], candidates[right]
        if before and (not after or number - before.node.number < after.node.number - number) then
            left = left - 1
            return before
        end
        right = right + 1
        return after
    end
end

-- The id by which `ns` knows `other`; nil if it does not.
local function id_of(ns, other)
    local record = ns:socket():get("nsid", "get", other)
    return record and record.nsid
end

-- The candidate that the kernel means; nil if it is not in the picture.
local function find_elsewhere(node, record, index)
    for one in nearest_first(find_candidates(record, index), node.number) do
        if one.node ~= node and id_of(node.ns, one.node.ns) == record.link_netnsid then return one end
    end
end

local function add_living_pair(edges, node, record, index)
    local kind, here = kind_of_link(record), { node.name, record.ifname }
    if record.link and is_pair[kind] then
        add_edge(edges, "veth", here, { node.name, record.link })
    elseif record.link_netnsid then
        local other = find_elsewhere(node, record, index)
        local there = other and { other.node.name, other.record.ifname }
        if other and is_pair[kind] then
            add_edge(edges, "veth", here, there)
        elseif other then
            add_edge(edges, "lower", here, there, kind)
        end
    end
end

local function add_living_pairs(nodes, edges)
    local index = index_records(nodes)
    for _, node in ipairs(nodes) do
        for _, record in ipairs(node.records or {}) do add_living_pair(edges, node, record, index) end
    end
end

-- --- public --------------------------------------------------------------------------------------

-- The edges between interfaces that are drawn, in the order of the nodes and their interfaces.
local function arrange_edges(nodes, edges)
    local place, count, drawn = {}, 0, {}
    each_interface(nodes, function(node, interface)
        count = count + 1
        place[node.name .. "/" .. interface.name] = count
    end)
    local function place_of(edge_end) return place[table.concat(edge_end, "/")] end
    for _, edge in ipairs(edges.list) do
        local a, b = place_of(edge.a), place_of(edge.b)
        if a and b then drawn[#drawn + 1] = edge end
        if a and b and b < a then edge.a, edge.b = edge.b, edge.a end
    end
    table.sort(drawn, function(x, y)
        local ax, ay = place_of(x.a), place_of(y.a)
        if ax ~= ay then return ax < ay end
        return place_of(x.b) < place_of(y.b)
    end)
    return drawn
end

-- `nodes`: { name =, kind =, interfaces = the declared ones, ns =, only_declared = }.
local function finish(name, nodes, edges)
    for i, node in ipairs(nodes) do
        node.number = i
        if node.ns then look_at(node) end
        node.interfaces = arrange(node.interfaces)
    end
    add_living_pairs(nodes, edges)
    add_tunnels(nodes, edges)
    local result = { name = name, nodes = {}, edges = arrange_edges(nodes, edges) }
    for i, node in ipairs(nodes) do
        result.nodes[i] = { name = node.name, kind = node.kind or kind_of(node), interfaces = node.interfaces }
    end
    return result
end

--- The picture of a lab: what is declared, and of what is up the state that it is in now. Of the host
-- it shows what the lab declared there.
--
--     local p = picture.of_lab(lab)
--     print(#p.nodes, #p.edges)
function M.of_lab(lab)
    local nodes, edges = {}, { list = {} }
    for _, node in ipairs(lab.nodes) do
        if not node.removed then
            nodes[#nodes + 1] = { name = node.name, kind = node.kind, ns = rawget(node, "ns"),
                interfaces = declared_interfaces(node), only_declared = node.kind == "host" }
        end
    end
    add_declared_pairs(lab, edges)
    return finish(lab.name, nodes, edges)
end

local function renamed(edge_end, names) return { names[edge_end[1]], edge_end[2] } end

--- Several pictures beside each other in one: where two have a node of the same name, each is called as
-- "lab/node".
function M.merge(pictures)
    local result, counts = { name = "network", nodes = {}, edges = {} }, {}
    for _, one in ipairs(pictures) do
        for _, node in ipairs(one.nodes) do counts[node.name] = (counts[node.name] or 0) + 1 end
    end
    for _, one in ipairs(pictures) do
        local names = {}
        for _, node in ipairs(one.nodes) do
            names[node.name] = counts[node.name] > 1 and one.name .. "/" .. node.name or node.name
            table.insert(result.nodes, { name = names[node.name], kind = node.kind, interfaces = node.interfaces })
        end
        for _, edge in ipairs(one.edges) do
            table.insert(result.edges, { a = renamed(edge.a, names), b = renamed(edge.b, names), kind = edge.kind,
                label = edge.label })
        end
    end
    return result
end

-- A name that no other node has: "ns1", "ns1 (2)".
local function unique(name, taken)
    taken[name] = (taken[name] or 0) + 1
    return taken[name] == 1 and name or unique(("%s (%d)"):format(name, taken[name]), taken)
end

--- The picture of living namespaces: a list of them, or of a lab's nodes that are up. Errors: EBADF for one
-- that is closed.
--
--     local p = picture.of { ns1, host }
function M.of(namespaces)
    local nodes, taken, seen = {}, {}, {}
    for _, one in ipairs(namespaces) do
        local ns = rawget(one, "ns") or one
        if not seen[ns] then
            local is_host = ns == require("nsh.namespace").current()
            nodes[#nodes + 1] = { name = unique(ns.name, taken), kind = is_host and "host" or nil,
                ns = ns, interfaces = {} }
        end
        seen[ns] = true
    end
    return finish("network", nodes, { list = {} })
end

return M
