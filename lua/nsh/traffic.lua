--- Lists of what the kernel only tells of one interface, or of one place in the tree of its qdiscs.
local M = {}

local function with(args, more)
    local copy = {}
    for key, value in pairs(args) do copy[key] = value end
    for key, value in pairs(more) do copy[key] = value end
    return copy
end

-- Lua's own words for `list "eth0"` and `list{ "eth0" }`.
local function named(args)
    if type(args) ~= "table" then return { dev = args } end
    if args[1] == nil then return args end
    local copy = with(args, { dev = args.dev or args[1] })
    copy[1] = nil
    return copy
end

-- The interfaces that may have some: those that have a qdisc.
local function each_device(ns, args)
    local requests, seen = {}, {}
    for _, qdisc in ipairs(ns.qdisc:list()) do
        if not seen[qdisc.dev] then requests[#requests + 1] = with(args, { dev = qdisc.dev }) end
        seen[qdisc.dev] = true
    end
    return requests
end

-- By object: the requests that take the place of one that does not say where; nil if it does.
local places = {
    class = function(ns, args) return args.dev == nil and each_device(ns, args) or nil end,
}

--- Whether a list of such objects may take more than one request of the kernel.
function M.is_scattered(object) return places[object.name] ~= nil end

--- Calls `fn(args)`, and where the arguments do not say where to look, once more for each place that there
-- is; returns the records of all.
--
--     local records = traffic.gather(ns1.class, { kind = "htb" }, function(args) return … end)
function M.gather(object, args, fn)
    local all = fn(args) -- refuses what is wrong with them
    for _, request in ipairs(places[object.name](object.ns, named(args or {})) or {}) do
        local records = fn(request)
        table.move(records, 1, #records, #all + 1, all)
    end
    return all
end

return M
