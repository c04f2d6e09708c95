--- An ACK is not readiness: links settle a moment after the kernel has accepted their change.
--
-- Until then a link may drop what it shall send, and a bridge may not forward to it; core/settle.h says
-- why. `ns:ping`, `ns:exec` and `ns:spawn` call `ready` first. Scripts that compare what they list
-- call `nsh.settle`.
local errors = require "nsh.errors"

local M = {}

-- Namespaces whose links were changed since they were ready, and those where they ever were.
local changed = setmetatable({}, { __mode = "k" })
local known = setmetatable({}, { __mode = "k" })

-- Seconds. LIMIT: the kernel's own is one (linkwatch_nextevent in net/core/link_watch.c), and then its
-- work needs a processor. DOUBT: what is urgent has long been done (1 to 15 ms in Linux 6.1, emulated).
local LIMIT, DOUBT, PAUSE = 2, 0.05, 0.0005

--- Notes that links of `ns` may have to settle: they are about to be changed with `args`, which may send
-- one to another namespace.
--
--     settle.mark(ns, { "veth1", netns = ns1, up = true })
function M.mark(ns, args)
    changed[ns] = true
    local other = type(args) == "table" and rawget(args, "netns")
    if type(other) == "table" and getmetatable(other) == getmetatable(ns) then changed[other] = true end
end

-- Whether no packet is lost any more, after `waited` seconds.
local function is_ready(pending, doubtful, _, waited)
    return pending == 0 and (doubtful == 0 or waited >= DOUBT)
end

local function is_settled(pending, doubtful, late)
    return pending + doubtful + late == 0
end

local function holds(condition, ns, waited)
    if rawget(ns, "closed") then return true end
    local pending, doubtful, late = ns:socket():unsettled()
    if not pending then errors.raise(doubtful, "look at the links", ns.name) end
    return condition(pending, doubtful, late, waited)
end

local function unmark(ns)
    changed[ns], known[ns] = nil, true
end

-- Takes namespaces out of the set once the condition holds there: true if it does in all of them, false
-- after `limit` seconds. What is given up is not waited for again before its next change.
local function wait(set, condition, limit)
    local loop, now = require "nsh.loop", require("nsh.core").poll.now
    local start = now()
    while next(set) do
        local waited = now() - start
        for ns in pairs(set) do
            local done = holds(condition, ns, waited)
            if done or waited >= limit then unmark(ns) end
            if done then set[ns] = nil end
        end
        if waited >= limit then break end
        if next(set) then loop.sleep(PAUSE) end
    end
    return next(set) == nil
end

local function union(...)
    local set = {}
    for _, spaces in ipairs{ ... } do
        for ns in pairs(spaces) do set[ns] = true end
    end
    return set
end

--- Waits until no packet is lost any more, in the namespaces whose links nsh has changed since this was
-- last so; two seconds at most. Costs nothing if there are none.
--
--     settle.ready()
function M.ready()
    if next(changed) then wait(union(changed), is_ready, LIMIT) end
end

local function is_namespace(value)
    return type(value) == "table" and (rawget(value, "closed") or rawget(value, "name") and value.socket)
end

local function to_set(spaces)
    if spaces == nil then return union(changed, known) end
    if type(spaces) ~= "table" then return nil end
    local set = {}
    for _, ns in ipairs(is_namespace(spaces) and { spaces } or spaces) do
        if not is_namespace(ns) then return nil end
        set[ns] = true
    end
    return set
end

--- Waits until links have settled: they carry, bridges forward to them, and their `operstate` is the
-- one that they keep. For scripts that compare what they list, and after programs that change links:
-- `ping`, `exec` and `spawn` themselves wait for what nsh has changed, and only while packets would
-- be lost.
--
-- `spaces`: a namespace or a list of them, by default all whose links nsh has changed; closed ones are
-- passed over. `seconds`: how long at most, by default 2. Other tasks go on meanwhile. Returns true, or
-- false when the time was over. Addresses of IPv6 may be tentative for longer, and a bridge with the
-- spanning tree protocol takes its time. Errors: EINVAL for what is no namespace or no number.
--
--     ns1:exec "ip link set veth1 up"
--     nsh.settle(ns1)
--     show(ns1.link:list())
function M.settle(spaces, seconds)
    local set = to_set(spaces)
    if not set then
        errors.raise(errors.new("EINVAL", "a namespace or a list of them expected"), "settle")
    elseif seconds ~= nil and type(seconds) ~= "number" then
        errors.raise(errors.new("EINVAL", "a number of seconds expected, not a " .. type(seconds)), "settle")
    end
    return wait(set, is_settled, seconds or LIMIT)
end

return M
