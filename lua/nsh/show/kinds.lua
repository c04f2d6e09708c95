--- Which columns the kernel's objects have when they are listed, in the order and the words of `ip`.
--
-- A kind is a list of { header, source, when }: the source is a key of the record, or a function of it;
-- `when`: a function of all the records, which says whether the column is needed.
local M = {}

-- The other end by its name, or where that is in another namespace, as `ip` calls it there.
local function peer(record)
    local index, id = record.link_index, record.link_netnsid
    return record.link or index and "if" .. index .. (id and (" (netnsid %d)"):format(id) or "")
end

local function link_kind(record)
    local info = record.linkinfo
    return record.info_kind or type(info) == "table" and info.info_kind or nil
end

local function with_length(record)
    local address = record["local"] or record.local_ or record.address
    return address and record.prefixlen and address .. "/" .. record.prefixlen or address
end

local function device(record)
    return record.dev or record.ifname
end

-- A kind of route that is not the usual one stands before the destination, as in `ip route`.
local function destination(record)
    local unusual = record.type and record.type ~= "unicast"
    return unusual and record.type .. " " .. tostring(record.dst) or record.dst
end

-- Of the route itself, else of each of its ways.
local function of_ways(get)
    return function(record)
        local ways = {}
        for _, way in ipairs(record.nexthops or {}) do ways[#ways + 1] = get(way) end
        return get(record) or ways
    end
end

local function some_are_elsewhere(routes)
    for _, route in ipairs(routes) do
        if route.table and route.table ~= "main" then return true end
    end
    return false
end

local function gateway(record)
    local via = record.via
    return record.gateway or type(via) == "table" and via.host or via
end

local function ends(key)
    return function(record)
        local length = record[key .. "len"]
        return length and ("%s/%s"):format(record[key], length) or record[key]
    end
end

local function action(record)
    local to = record.goto_ or record["goto"]
    return record.action or record.nop and "nop" or to and "goto " .. to
end

local function place(record)
    return record.root and "root" or record.parent
end

local function vlans(record)
    return record.vlanEnd and record.vlan .. "-" .. record.vlanEnd or record.vlan
end

local first_options = { rate = 1, delay = 2, ["loss-random"] = 3, limit = 4 }

local function comes_first(a, b)
    local rank_a, rank_b = first_options[a] or 5, first_options[b] or 5
    if rank_a ~= rank_b then return rank_a < rank_b end
    return a < b
end

-- "rate 1250000 delay 0.05 limit 1000 ecn": as on the command line, of a table its first value.
local function options(record)
    local keys, words = {}, {}
    for key in pairs(type(record.options) == "table" and record.options or {}) do keys[#keys + 1] = key end
    table.sort(keys, comes_first)
    for _, key in ipairs(keys) do
        local value = record.options[key]
        if type(value) == "table" then value = value[key] or value[key:match "^%a+"] end
        local text = value == true and key or value and value ~= 0 and key .. " " .. tostring(value)
        words[#words + 1] = text or nil
    end
    return table.concat(words, " ")
end

local function socket_address(record)
    local address = record.family == "inet6" and "[" .. record.address .. "]" or record.address
    return record.port and address .. ":" .. record.port or address
end

local function socket_process(record)
    return record.pid and ("%s (%d)"):format(record.process, record.pid)
end

M.columns = {
    link = {
        { "IFNAME", "ifname" }, { "STATE", "operstate" }, { "ADDRESS", "address" }, { "MTU", "mtu" },
        { "MASTER", "master" }, { "KIND", link_kind }, { "PEER", peer },
    },
    addr = {
        { "DEV", device }, { "FAMILY", "family" }, { "ADDRESS/PLEN", with_length },
        { "SCOPE", "scope" },
    },
    route = {
        { "DST", destination }, { "VIA", of_ways(gateway) }, { "DEV", of_ways(device) },
        { "SRC", "prefsrc" }, { "METRIC", "metric" }, { "PROTO", "protocol" },
        { "TABLE", "table", some_are_elsewhere },
    },
    neigh = {
        { "DST", "dst" }, { "DEV", device }, { "LLADDR", "lladdr" }, { "STATE", "state" },
    },
    interface = { -- of a lab: nsh.lab.show
        { "NODE", "node" }, { "IFNAME", "ifname" }, { "STATE", "operstate" }, { "KIND", "kind" },
        { "MASTER", "master" }, { "ADDRESS", "addresses" }, { "PEER", "peers" },
    },
    vlan = {
        { "DEV", device }, { "VLAN", vlans }, { "FLAGS", "flags" }, { "STATE", "state" },
    },
    rule = {
        { "PRIORITY", "priority" }, { "FROM", ends "src" }, { "TO", ends "dst" }, { "IIF", "iif" },
        { "FWMARK", "fwmark" }, { "TABLE", "table" }, { "ACTION", action },
    },
    fdb = {
        { "MAC", "mac" }, { "DEV", device }, { "VLAN", "vlan" }, { "DST", "dst" },
        { "MASTER", "master" }, { "STATE", "state" }, { "FLAGS", "flags" },
    },
    socket = {
        { "NETID", "netid" }, { "STATE", "state" }, { "LOCAL", socket_address }, { "UID", "uid" },
        { "PROCESS", socket_process },
    },
    qdisc = {
        { "DEV", device }, { "PARENT", place }, { "HANDLE", "handle" }, { "KIND", "kind" },
        { "OPTIONS", options },
    },
}

--- The keys that come first, in this order, wherever they are; the others follow by the alphabet.
M.first_keys = {
    "ifindex", "ifname", "name", "type", "operstate", "address", "mtu", "master", "dst", "gateway",
    "via", "dev", "family", "local", "local_", "prefixlen", "prefsrc", "lladdr", "metric",
    "protocol", "scope", "state", "flags",
}

return M
