--- What `ns.wg` does besides the schema: devices of WireGuard, which the kernel tells one at a time, and those
-- with many peers in parts; and requests of which none is longer than a message may be.
local M = {}

local MOST_PEERS = 32 -- in one request

-- --- what is read --------------------------------------------------------------------------------

local function append(list, more)
    for _, one in ipairs(more) do list[#list + 1] = one end
end

-- A part goes on with the last peer of the one before if that had more addresses than room.
local function add_part(device, part)
    local last, first = device.peers[#device.peers], part.peers[1]
    if last and first and last.public_key == first.public_key then
        append(last.allowed_ips, first.allowed_ips)
        table.remove(part.peers, 1)
    end
    append(device.peers, part.peers)
end

-- Parts without a name belong to the device before.
local function joined(parts)
    local devices = {}
    for _, part in ipairs(parts) do
        part.peers = part.peers or {}
        for _, peer in ipairs(part.peers) do peer.allowed_ips = peer.allowed_ips or {} end
        if part.ifname then devices[#devices + 1] = part else add_part(devices[#devices], part) end
    end
    return devices
end

-- Lua's own words for `list "wg0"`, `list{ "wg0" }` and `list{ dev = "wg0" }`.
local function device_of(args)
    if type(args) ~= "table" then return args end
    return args[1] or args.dev or args.ifname
end

--- The records of the device that the arguments name, or of all that there are. `ask(args)` returns the
-- parts that the kernel tells of one.
--
--     wireguard.list(ns1, "wg0", function(args) return socket:list("wg", "list", args) end)
function M.list(ns, args, ask)
    if device_of(args) then return joined(ask(args)) end
    local records = ns.link:list{ type = "wireguard" }
    for i, link in ipairs(records) do records[i] = joined(ask{ dev = link.ifname })[1] end
    return records
end

-- --- what is changed -----------------------------------------------------------------------------

-- `peer = { "…", endpoint = "…" }`, as it stands once on the command line, is a list of one.
local function as_list(peers)
    if type(peers) ~= "table" then return { peers } end
    for key in pairs(peers) do
        if math.type(key) ~= "integer" then return { peers } end
    end
    return peers
end

local function key_of(peer)
    return type(peer) == "table" and (peer.public_key or peer[1]) or peer
end

-- Those that the device has and the list does not, as peers to remove.
local function others(peers, record)
    local kept, removed = {}, {}
    for _, peer in ipairs(peers) do kept[key_of(peer)] = true end
    for _, peer in ipairs(record.peers) do
        if not kept[peer.public_key] then removed[#removed + 1] = { peer.public_key, remove = true } end
    end
    return removed
end

local function copy_without_peers(args)
    local copy = {}
    for key, value in next, args do copy[key] = value end
    copy.peer, copy.peers = nil, nil
    return copy
end

local function chunks(args, peers)
    local requests, device = { copy_without_peers(args) }, device_of(args)
    for i = 1, #peers, MOST_PEERS do
        local request = i == 1 and requests[1] or { dev = device }
        request.peers = table.move(peers, i, math.min(i + MOST_PEERS - 1, #peers), 1, {})
        requests[(i - 1) // MOST_PEERS + 1] = request
    end
    return requests
end

--- The requests that together do what `set` or `replace` with these arguments shall.
--
--     wireguard.requests(ns1, "set", { "wg0", peer = { key, allowed_ips = "10.0.0.0/24" } })
function M.requests(ns, verb, args)
    if type(args) == "string" then args = { args } end
    if type(args) ~= "table" or (args.peer and args.peers) then return { args } end
    local peers, all = as_list(args.peers or args.peer), {}
    if verb == "replace" then append(all, others(peers, ns.wg:get(device_of(args)))) end
    append(all, peers)
    return chunks(args, all)
end

return M
