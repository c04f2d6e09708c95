--- What there is right now, for the places where it can be named: each function returns a list of { text, a word
-- about it }. Asked is the kernel, by a socket of its own; nothing of a script is called.
local core = require "nsh.core"

local M = {}

-- A list as it is, whatever metatable somebody has given it.
local function each(list)
    local i = 0
    return function()
        i = i + 1
        local value = type(list) == "table" and rawget(list, i)
        if value then return i, value end
    end
end

-- The records of an object, {} if that cannot be told.
local function records(ns, object)
    local ok, list = pcall(function()
        local socket <close> = assert(core.netlink.open(rawget(ns, "handle")))
        return socket:list(object, "list", nil)
    end)
    return ok and type(list) == "table" and list or {}
end

local field = rawget -- of a record: no metatable of somebody's is asked

local function with_length(record)
    local address = field(record, "local_") or field(record, "address")
    return address and address .. "/" .. field(record, "prefixlen")
end

-- --- notes ---------------------------------------------------------------------------------------

local function route_note(route)
    local gateway = field(route, "gateway")
    return (gateway and "via " .. gateway .. " " or "") .. "dev " .. (field(route, "dev") or "-")
end

local function rule_note(rule)
    return ("from %s lookup %s"):format(field(rule, "src") or "all", field(rule, "table") or "-")
end

-- What is said of a record beside its own value.
local notes = {
    route = route_note, rule = rule_note,
    neigh = function(entry) return (field(entry, "lladdr") or "-") .. " " .. (field(entry, "dev") or "") end,
    qdisc = function(qdisc) return (field(qdisc, "kind") or "") .. " dev " .. (field(qdisc, "dev") or "-") end,
    class = function(class) return (field(class, "kind") or field(class, "class") or "") .. " dev " ..
        (field(class, "dev") or "-") end,
}

local function note_of(object, record)
    local note = notes[object] and notes[object](record)
    return note or field(record, "dev") or field(record, "ifname") or ""
end

-- --- interfaces ----------------------------------------------------------------------------------

-- Interface -> its addresses in one text.
local function addresses_by_interface(ns)
    local all = {}
    for _, record in ipairs(records(ns, "addr")) do
        local dev, text = field(record, "ifname"), with_length(record)
        local is_of_link = field(record, "scope") == "link"
        if dev and text and not is_of_link then all[dev] = (all[dev] and all[dev] .. " " or "") .. text end
    end
    return all
end

local function declared_interfaces(node, seen, fits)
    local list = {}
    for _, interface in each(rawget(node, "interfaces")) do
        local name = rawget(interface, "name")
        local is_there = seen[name] or seen[rawget(interface, "ifname")]
        if type(name) == "string" and not is_there and (not fits or fits(rawget(interface, "kind"))) then
            list[#list + 1] = { name, "declared" }
        end
    end
    return list
end

--- Interfaces with their state and addresses: { "clink3", "UP  172.16.0.30/16" }. Of a node that is not up, and
-- beside those that are there, what is declared. `fits`, if any, says of a kind whether such links are meant.
function M.interfaces(self, fits)
    local list, seen = {}, {}
    local addresses = self.ns and addresses_by_interface(self.ns)
    local function is_meant(link)
        local info = rawget(link, "linkinfo")
        return not fits or fits(info and field(info, "info_kind"))
    end
    for _, link in ipairs(self.ns and records(self.ns, "link") or {}) do
        local name = field(link, "ifname")
        if is_meant(link) then
            local note = (field(link, "operstate") or "") .. "  " .. (addresses[name] or "")
            list[#list + 1], seen[name] = { name, note }, true
        end
    end
    local declared = self.node and declared_interfaces(self.node, seen, fits) or {}
    return table.move(declared, 1, #declared, #list + 1, list)
end

--- The interfaces that a node has declared.
function M.declared(self)
    return self.node and declared_interfaces(self.node, {}) or {}
end

-- --- addresses -----------------------------------------------------------------------------------

local function add(list, seen, text, note)
    if type(text) ~= "string" or seen[text] then return end
    list[#list + 1], seen[text] = { text, note }, true
end

local function add_own(list, seen, ns)
    for _, record in ipairs(records(ns, "addr")) do
        add(list, seen, field(record, "local_"), field(record, "ifname"))
    end
end

-- What the other nodes of its lab are declared with.
local function add_of_lab(list, seen, node, lab)
    for _, other in each(rawget(lab, "nodes")) do
        for _, interface in each(other ~= node and rawget(other, "interfaces")) do
            for _, address in each(rawget(interface, "addresses")) do
                if type(address) == "string" then
                    add(list, seen, address:match "^[^/]+", rawget(other, "name") .. " " .. rawget(interface, "name"))
                end
            end
        end
    end
end

--- The namespace's own addresses, without their prefix lengths.
function M.addresses(self)
    local list = {}
    if self.ns then add_own(list, {}, self.ns) end
    return list
end

--- Addresses that the namespace may reach: gateways, neighbours, and those of the other nodes of its lab.
function M.neighbours(self)
    local list, seen = {}, {}
    for _, route in ipairs(self.ns and records(self.ns, "route") or {}) do
        add(list, seen, field(route, "gateway"), "gateway, dev " .. (field(route, "dev") or "-"))
    end
    for _, entry in ipairs(self.ns and records(self.ns, "neigh") or {}) do
        add(list, seen, field(entry, "dst"), note_of("neigh", entry))
    end
    if self.lab then add_of_lab(list, seen, self.node, self.lab) end
    return list
end

--- The values that a field has in an object's records; an address of `addr` with its prefix length.
--
--     live.values({ ns = host }, "route", "dst")   --> { { "default", "via 10.0.0.1 dev eth0" }, … }
function M.values(self, object, key)
    local list, seen = {}, {}
    for _, record in ipairs(self.ns and records(self.ns, object) or {}) do
        local value = key == "local_" and object == "addr" and with_length(record) or field(record, key)
        if math.type(value) == "integer" then value = tostring(value) end
        add(list, seen, value, note_of(object, record))
    end
    return list
end

-- --- names ---------------------------------------------------------------------------------------

--- The namespaces that have a name.
function M.netns()
    local ok, names = pcall(core.netns.list)
    local list = {}
    for i, name in ipairs(ok and names or {}) do list[i] = { name, "namespace" } end
    return list
end

--- The nodes of a lab.
function M.nodes(self)
    local list = {}
    for _, node in each(self.lab and rawget(self.lab, "nodes")) do
        local name = rawget(node, "name")
        if type(name) == "string" then list[#list + 1] = { name, rawget(node, "kind") } end
    end
    return list
end

return M
