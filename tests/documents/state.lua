-- Prints what iproute2 sees of the host and of namespaces, one fact a line, so that two networks can be
-- compared with diff.   lua5.4 state.lua UPLINK|- [NAMESPACE…]
-- Left out: lo and the uplink, which each sandbox has in its own way; what chance decides (indexes, MACs and
-- the link-local addresses made from them) or time (timers, the election of a root bridge); promiscuity, which
-- is a capture's; what a driver offers.

local cjson = require "cjson"

local uplink, namespaces = arg[1], { table.unpack(arg, 2) }

local NOISE = {}
for key in ([[ifname ifindex link_index link_netns link_netnsid address broadcast operstate promiscuity allmulti
    bridge_id root_id root_port root_path_cost designated_port designated_cost port_id port_no
    topology_change topology_change_detected topology_change_ack config_pending stats stats64
    gro_max_size gso_max_segs gso_max_size tso_max_segs tso_max_size min_mtu max_mtu num_rx_queues num_tx_queues
    group_fwd_mask_str link_type]]):gmatch "%S+" do
    NOISE[key] = true
end

-- An interface that runs has one of these as its state.
local RUNNING = { UP = true, UNKNOWN = true }

-- The answer of one ip command in a namespace, "host" for our own.
local function ip(namespace, command)
    local option = namespace == "host" and "" or "-n '" .. namespace .. "' "
    local pipe = assert(io.popen("ip " .. option .. "-j " .. command))
    local text = pipe:read "a"
    if not pipe:close() then os.exit(1) end
    return text:find "%S" and cjson.decode(text) or {}
end

local function is_compared(name) return name ~= "lo" and name ~= uplink end

local function has(list, word)
    for _, item in ipairs(list) do
        if item == word then return true end
    end
    return false
end

local function runs(link)
    local port = link.linkinfo and link.linkinfo.info_slave_data
    return not has(link.flags, "UP") or
        (has(link.flags, "LOWER_UP") and RUNNING[link.operstate] and (not port or port.state == "forwarding"))
end

local function read_links()
    local all, settled = {}, true
    for _, namespace in ipairs(namespaces) do
        all[namespace] = ip(namespace, "-d link")
        for _, link in ipairs(all[namespace]) do settled = settled and runs(link) end
    end
    return all, settled
end

-- The kernel tells the state of a carrier up to a second late: waits for it, but not for ever.
local function wait_for_links()
    local all, settled
    for _ = 1, 30 do
        all, settled = read_links()
        if settled then break end
        os.execute "sleep 0.1"
    end
    return all
end

-- JSON's numbers come as 1450.0.
local function word(value) return tostring(math.tointeger(value) or value) end

local function write(...)
    local words = { ... }
    for i, value in ipairs(words) do words[i] = word(value) end
    print(table.concat(words, " "))
end

-- Names that a reader can compare, where the kernel gives numbers: "app3/clink3" for the other end of a veth.
local function find_peer(links, names, link)
    local there = names[link.link_netnsid]
    for _, other in ipairs(links[there] or {}) do
        if other.ifindex == link.link_index then return there .. "/" .. other.ifname end
    end
    return "elsewhere"
end

local function write_fields(path, record)
    for key, value in pairs(record) do
        local full = path:find "info_slave_data$" and "port_" .. key or key
        local is_noise = NOISE[key] or NOISE[full] or key:find "_timer$"
        if key == "flags" then
            table.sort(value)
            write(path, key, table.concat(value, ","))
        elseif type(value) == "table" then
            write_fields(path .. " " .. key, value)
        elseif not is_noise then
            write(path, key, value)
        end
    end
end

local function write_links(namespace, links)
    local names = {}
    for _, id in ipairs(ip(namespace, "netns list-id")) do names[id.nsid] = id.name end
    for _, link in ipairs(links[namespace]) do
        local path = namespace .. " link " .. link.ifname
        if is_compared(link.ifname) then
            write_fields(path, link)
            if link.link_netnsid then write(path, "peer", find_peer(links, names, link)) end
        end
    end
end

local ADDRESS = { "broadcast", "peer", "scope", "label", "secondary", "dynamic", "noprefixroute", "metric" }
local ROUTE = { "type", "gateway", "dev", "prefsrc", "protocol", "scope", "metric", "mtu" }

-- The named fields that a record has, as words.
local function fields(record, names)
    local words = {}
    for _, name in ipairs(names) do
        if record[name] ~= nil then words[#words + 1] = name .. " " .. word(record[name]) end
    end
    return table.concat(words, " ")
end

local function write_addresses(namespace)
    for _, link in ipairs(ip(namespace, "addr")) do
        for _, address in ipairs(link.ifname and is_compared(link.ifname) and link.addr_info or {}) do
            if address.scope ~= "link" then
                write(namespace, "addr", link.ifname, ("%s/%d"):format(address["local"], address.prefixlen),
                    fields(address, ADDRESS))
            end
        end
    end
end

-- Of several routes to the same the first counts, so that they are numbered.
local function write_routes(namespace, family)
    local count = {}
    for _, route in ipairs(ip(namespace, family .. " route show table main")) do
        if is_compared(route.dev) and not route.dst:find "^fe80::" then
            count[route.dst] = (count[route.dst] or 0) + 1
            write(namespace, "route", route.dst, "number", count[route.dst], fields(route, ROUTE))
        end
    end
end

table.insert(namespaces, 1, "host")
local links = wait_for_links()
for _, namespace in ipairs(namespaces) do
    write(namespace, "is there")
    write_links(namespace, links)
    write_addresses(namespace)
    write_routes(namespace, "-4")
    write_routes(namespace, "-6")
end
