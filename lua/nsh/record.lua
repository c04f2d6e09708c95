--- A link's record as arguments: how `add` and `set` take what `list` and `get` returned.
local M = {}

-- Kinds whose two ends are made at once: a record names the other one as its `link`.
local paired = { veth = true }

local function copy_of(record)
    local copy = {}
    for key, value in next, record do copy[key] = value end
    return copy
end

--- Whether a table is the record of a link, or was made of one: nobody else tells its index.
--
--     record.is_record(host.link:get "lo")   --> true
function M.is_record(args)
    return type(args) == "table" and rawget(args, "ifindex") ~= nil
end

-- The attributes that a link has as a port of its master.
local function port_of(record, info)
    local kind = record.master and info.info_slave_kind
    return kind and { info_slave_kind = kind, [kind .. "_slave"] = info.info_slave_data } or nil
end

-- What is below `linkinfo` stands where a caller writes it; the other end of a pair is its `peer`, which
-- only a new link gets.
local function beside(record, info, is_new)
    local args, kind = copy_of(record), info.info_kind
    args.linkinfo, args.info_kind = nil, kind
    if kind then args[kind] = info.info_data end
    if info.info_data and info.info_data.link then args.link = nil end -- the same, told twice
    if paired[kind] then
        args.peer = args.peer or is_new and args.link or nil
        args.link = nil
    end
    return args
end

--- The arguments that a record stands for, one table for each request: the kernel takes the attributes
-- of a port only once the link has its master (a new link's `add` sees to that itself).
--
--     local requests = record.requests(host.link:get "br0", "set")
function M.requests(record, verb)
    local info = rawget(record, "linkinfo")
    if type(info) ~= "table" then return { record } end
    local args, port = beside(record, info, verb ~= "set"), port_of(record, info)
    if not port then return { args } end
    if verb == "set" then
        port.ifname = record.ifname
        return { args, port }
    end
    for key, value in next, port do args[key] = value end
    return { args }
end

return M
