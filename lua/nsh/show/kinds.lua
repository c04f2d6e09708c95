--- Which columns the kernel's objects have when they are listed, in the order and the words of `ip`.
--
-- A kind is a list of { header, source, when }: the source is a key of the record, or a function of it and the
-- list; `when`: a function of all the records, which says whether the column is needed.
local peers = require "nsh.peers"

local M = {}

-- The other end by its name, or where nsh does not know its namespace, as `ip` calls it there.
local function peer(record, records)
    local known = peers.of(record, records)
    if known then return tostring(known) end
    local index, id = record.link_index, record.link_netnsid
    return index and "if" .. index .. (id and (" (netnsid %d)"):format(id) or "")
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

-- As `ip route`, which says nothing of the widest.
local function scope(record) return record.scope ~= "global" and record.scope or nil end

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

-- "1,10/2", as `ip nexthop`.
local function members(record)
    local list = {}
    for i, one in ipairs(record.group or {}) do list[i] = one.id .. (one.weight and "," .. one.weight or "") end
    return list[1] and table.concat(list, "/")
end

local function fate(record) return record.blackhole and "blackhole" or record.fdb and "fdb" end

local function known_protocol(record) return record.protocol ~= "unspec" and record.protocol or nil end

local function place(record)
    return record.root and "root" or record.ingress and "ingress" or record.egress and "egress" or record.parent
end

-- "police, mirred to eth1, drop": what a filter does.
local function actions(record)
    local words = {}
    for _, act in ipairs(type(record.options) == "table" and record.options.actions or {}) do
        local word = act.kind == "gact" and act.control_action or act.mirred_action or act.kind
        words[#words + 1] = act.to_dev and word .. " to " .. act.to_dev or word
    end
    return table.concat(words, ", ")
end

-- The class, and which words of the packet, or which of its fields.
local function matches(record)
    local shown = type(record.options) == "table" and record.options or {}
    return shown.match
end

local function class_of(record)
    return type(record.options) == "table" and (record.options.flowid or record.options.classid) or nil
end

local function vlans(record)
    return record.vlanEnd and record.vlan .. "-" .. record.vlanEnd or record.vlan
end

local first_options = { rate = 1, ceil = 2, delay = 2, ["loss-random"] = 3, limit = 4 }

local function comes_first(a, b)
    local rank_a, rank_b = first_options[a] or 5, first_options[b] or 5
    if rank_a ~= rank_b then return rank_a < rank_b end
    return a < b
end

-- A number with the largest of the prefixes that leaves one digit before its point.
local function scaled(number, step, prefixes)
    local i = 1
    while prefixes[i + 1] and number >= step do number, i = number / step, i + 1 end
    return ("%.4g%s"):format(number, prefixes[i])
end

local function as_rate(bytes) return scaled(bytes * 8, 1000, { "bit", "Kbit", "Mbit", "Gbit", "Tbit" }) end
local function as_time(seconds) return scaled(seconds * 1e6, 1000, { "us", "ms", "s" }) end
local function as_share(fraction) return ("%.4g%%"):format(fraction * 100) end

-- What the numbers of an option are, as tc has them in JSON, and its word; of others they stand as they are.
local units = {
    rate = { as_rate }, ceil = { as_rate }, delay = { as_time, also = "jitter" },
    ["loss-random"] = { as_share, word = "loss" }, loss = { as_share }, jitter = { as_time },
    duplicate = { as_share }, corrupt = { as_share }, reorder = { as_share },
}

--- An option of a qdisc as on the command line, "delay 50ms 10ms": a number as tc has it in JSON, a text as it
-- stands; of a table its first value, and what stands behind it. nil for what is off, or 0.
function M.option(key, value)
    local unit = units[key] or {}
    local word, also = unit.word or key, nil
    local function write(one) return math.type(one) and unit[1] and unit[1](one) or tostring(one) end
    if type(value) == "table" then
        value, also = value[key] or value[word] or unit[1] and value[1], value[unit.also]
    end
    if value == true then return word end
    if not value or value == 0 then return nil end
    return ("%s %s%s"):format(word, write(value), also and also ~= 0 and " " .. write(also) or "")
end

-- "rate 10Mbit delay 50ms limit 1000 ecn": as on the command line.
local function options(record)
    local keys, words = {}, {}
    for key in pairs(type(record.options) == "table" and record.options or {}) do keys[#keys + 1] = key end
    table.sort(keys, comes_first)
    for _, key in ipairs(keys) do words[#words + 1] = M.option(key, record.options[key]) end
    return table.concat(words, " ")
end

local function is_bridge(record) return link_kind(record) == "bridge" end

local function all_are_bridges(links)
    for _, link in ipairs(links) do
        if not is_bridge(link) then return false end
    end
    return true
end

-- An attribute of a bridge that is a switch there.
local function bridge_switch(key)
    return function(record)
        local data = record.linkinfo and record.linkinfo.info_data
        local value = data and data[key]
        return value and (value == 0 and "off" or "on")
    end
end

-- Which namespace a number means.
local function id_name(record, records) return peers.name_of_id(record.nsid, records) end

local function socket_address(record)
    local address = record.family == "inet6" and "[" .. record.address .. "]" or record.address
    return record.port and address .. ":" .. record.port or address
end

local function socket_process(record)
    return record.pid and ("%s (%d)"):format(record.process, record.pid)
end

-- Of what went through a link, where that was asked for.
local function counter(direction, what)
    return function(record) return record.stats64 and record.stats64[direction][what] end
end

local function peer_count(record) return #record.peers end

M.columns = {
    link = {
        { "IFNAME", "ifname" }, { "STATE", "operstate" }, { "ADDRESS", "address" }, { "MTU", "mtu" },
        { "MASTER", "master" }, { "KIND", link_kind }, { "PEER", peer },
        { "RX BYTES", counter("rx", "bytes") }, { "PACKETS", counter("rx", "packets") },
        { "DROPPED", counter("rx", "dropped") }, { "TX BYTES", counter("tx", "bytes") },
        { "PACKETS", counter("tx", "packets") }, { "DROPPED", counter("tx", "dropped") },
        { "STP", bridge_switch "stp_state", all_are_bridges },
        { "VLAN FILTERING", bridge_switch "vlan_filtering", all_are_bridges },
        { "MULTICAST SNOOPING", bridge_switch "mcast_snooping", all_are_bridges },
    },
    nsid = {
        { "NSID", "nsid" }, { "NAMESPACE", id_name },
    },
    addr = {
        { "DEV", device }, { "FAMILY", "family" }, { "ADDRESS/PLEN", with_length },
        { "SCOPE", "scope" },
    },
    route = {
        { "DST", destination }, { "VIA", of_ways(gateway) }, { "DEV", of_ways(device) },
        { "SRC", "prefsrc" }, { "METRIC", "metric" }, { "PROTO", "protocol" }, { "SCOPE", scope },
        { "FLAGS", "flags" }, { "TABLE", "table", some_are_elsewhere },
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
    mdb = {
        { "DEV", "dev" }, { "PORT", "port" }, { "GRP", "grp" }, { "SRC", "src" }, { "VID", "vid" },
        { "STATE", "state" }, { "FILTER", "filter_mode" }, { "FLAGS", "flags" },
    },
    nexthop = {
        { "ID", "id" }, { "GROUP", members }, { "TYPE", "type" }, { "VIA", "gateway" }, { "DEV", "dev" },
        { "ACTION", fate }, { "PROTO", known_protocol }, { "FLAGS", "flags" },
    },
    wg = {
        { "IFNAME", "ifname" }, { "PUBLIC KEY", "public_key" }, { "PORT", "listen_port" }, { "PEERS", peer_count },
    },
    socket = {
        { "NETID", "netid" }, { "STATE", "state" }, { "LOCAL", socket_address }, { "UID", "uid" },
        { "PROCESS", socket_process },
    },
    filter = {
        { "DEV", device }, { "PARENT", place }, { "PROTO", "protocol" }, { "PREF", "pref" }, { "HANDLE", "handle" },
        { "KIND", "kind" }, { "MATCH", matches }, { "CLASSID", class_of }, { "ACTIONS", actions },
    },
    class = {
        { "DEV", device }, { "PARENT", place }, { "CLASSID", "handle" }, { "KIND", "kind" }, { "LEAF", "leaf" },
        { "OPTIONS", options },
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
