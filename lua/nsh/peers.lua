--- The other ends of links, where these are in another namespace: the kernel tells their index, and a number
-- for the namespace. The names of both are looked up here.
--
--     print(host:peer "hlink1")        --> clink1 in app1
local core = require "nsh.core"
local errors = require "nsh.errors"

local M = {}

-- --- which namespace -----------------------------------------------------------------------------

local function id_of(ns, handle)
    local record = handle and ns:socket():get("nsid", "get", handle)
    return record and record.nsid
end

-- Calls fn(name, handle, records) for the namespaces that have one of these ids in `ns`, of those that nsh can
-- name. `ids`: id -> records.
local function find_namespaces(ns, ids, fn)
    require("nsh.namespace").visit(function(name, handle)
        local id = id_of(ns, handle)
        if id and ids[id] then
            fn(name, handle, ids[id])
            ids[id] = nil
        end
        return next(ids) == nil
    end)
end

-- --- which interface -----------------------------------------------------------------------------

local Peer = { __name = "nsh.peer" }

function Peer:__tostring()
    return self.netns and ("%s in %s"):format(self.ifname, self.netns) or self.ifname
end

-- The names of the interfaces that `records` lead to.
local function name_all(peers, records, name, handle)
    local socket <close> = core.netlink.open(handle)
    for _, record in ipairs(records) do
        local other = socket and socket:get("link", "get", record.link_index)
        if other then peers[record] = setmetatable({ ifname = other.ifname, netns = name }, Peer) end
    end
end

-- Id -> records that lead there.
local function group(records)
    local ids = {}
    for _, record in ipairs(records) do
        local id = record.link_index and record.link_netnsid
        if id then
            ids[id] = ids[id] or {}
            table.insert(ids[id], record)
        end
    end
    return ids
end

-- Record -> peer, of those of the namespace's links that lead to another one that is known.
local function resolve(ns, records)
    local peers = {}
    local ids = group(records)
    if not next(ids) then return peers end
    find_namespaces(ns, ids, function(name, handle, there) name_all(peers, there, name, handle) end)
    return peers
end

-- --- lists of links ------------------------------------------------------------------------------

-- List of records -> { ns =, peers = once somebody has asked }.
local lists = setmetatable({}, { __mode = "k" })

--- Notes which namespace a list of links, or of numbers of namespaces, is of; returns the list.
function M.note(records, ns)
    lists[records] = { ns = ns }
    return records
end

--- The peer of a link, of a list that was noted: { ifname =, netns = }, whose `tostring` is "clink1 in app1";
-- without `netns` if it is in the same namespace; nil if there is none, or it is in a namespace that nsh
-- does not know. Looked up once, when the first one is asked for.
function M.of(record, records)
    if record.link then return setmetatable({ ifname = record.link }, Peer) end
    local list = record.link_netnsid and lists[records]
    if not list then return nil end
    if not list.peers then
        local ok, peers = pcall(resolve, list.ns, records)
        list.peers = ok and peers or {} -- the namespace may be closed by now
    end
    return list.peers[record]
end

--- The name of the namespace that has a number in the namespace of a list that was noted; nil if nsh does
-- not know one.
function M.name_of_id(id, records)
    local list, found = lists[records], nil
    if list and id then
        pcall(find_namespaces, list.ns, { [id] = {} }, function(name) found = name end)
    end
    return found
end

--- The other end of a veth pair, or the link below one: { ifname =, netns = }, where `netns` is the name of its
-- namespace ("host" of nsh's own, "pid-1234" of one that a process holds), and nil if it is the same
-- namespace. nil if there is no other end, or nsh does not know its namespace. Errors: ENODEV.
--
--     assert(host:peer("hlink1").netns == "app1")
function M.peer(ns, name)
    errors.check_self(ns, "link", 'ns:peer "veth0"')
    local records = M.note({ ns.link:get(name) }, ns)
    return M.of(records[1], records)
end

require("nsh.options").declare(M.peer, {}, { first = "interface" })

return M
