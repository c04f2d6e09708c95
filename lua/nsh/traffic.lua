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
    if args[1] == nil or args.dev ~= nil then return args end
    local copy = with(args, { dev = args[1] })
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

-- Where filters can be on an interface with that qdisc.
local function places_in(qdisc)
    if qdisc.kind == "clsact" then return { { ingress = true }, { egress = true } } end
    if qdisc.kind == "ingress" then return { { ingress = true } } end
    return qdisc.handle ~= "0:" and { { parent = qdisc.handle } } or {}
end

local function each_place(ns, args)
    local requests = {}
    local function add(dev, place) requests[#requests + 1] = with(with(args, { dev = dev }), place) end
    local function is_meant(record) return args.dev == nil or args.dev == record.dev end
    for _, qdisc in ipairs(ns.qdisc:list()) do
        for _, place in ipairs(is_meant(qdisc) and places_in(qdisc) or {}) do add(qdisc.dev, place) end
    end
    for _, class in ipairs(ns.class:list{ kind = "htb" }) do
        if is_meant(class) then add(class.dev, { parent = class.handle }) end
    end
    return requests
end

local function says_place(args) return args.parent ~= nil or args.ingress or args.egress end

-- All places of one interface, or this place of all that have it.
local function filter_places(ns, args)
    if not says_place(args) then return each_place(ns, args) end
    return args.dev == nil and each_device(ns, args) or nil
end

-- By object: the requests that take the place of one that does not say where; nil if it does.
local places = {
    class = function(ns, args) return args.dev == nil and each_device(ns, args) or nil end,
    filter = filter_places,
}

--- Whether a list of such objects may take more than one request of the kernel.
function M.is_scattered(object) return places[object.name] ~= nil end

--- Calls `fn(request)` for each request that together are the one with these arguments: for all places that
-- there are where they do not say where to look. What is wrong with them is refused by the first.
--
--     traffic.each(ns1.class, { kind = "htb" }, function(request) … end)
function M.each(object, args, fn)
    local requests = places[object.name](object.ns, named(args or {}))
    if not requests then return fn(args) end
    if #requests == 0 then fn(args) end
    for _, request in ipairs(requests) do fn(request) end
end

return M
