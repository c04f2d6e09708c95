-- Records of nsh compared with those of iproute2, field by field.
--   local oracle = dofile((arg[0]:gsub("[^/]*$", "oracle.lua")))
local nsh = require "nsh"

local M = { compared = 0 } -- how many fields

-- --- what differs by intent ----------------------------------------------------------------------

local null = require("cjson").null

local function drop() return nil end
local function unless_empty(list) return next(list) and list or nil end
local function or_none(word) return word == null and "none" or word end
local function unless_inherit(ttl) return ttl ~= "inherit" and ttl or nil end
local function pad(id)
    return (id:gsub("%x+", function(digits) return #digits == 1 and "0" .. digits or digits end))
end
local function without_m_down(flags)
    local kept = {}
    for _, flag in ipairs(flags) do kept[#kept + 1] = flag ~= "M-DOWN" and flag or nil end
    return kept
end

-- Whose field becomes what before the comparison, and why. `top`: not of tables inside a record.
local intended = {
    { "ip", "link", "_id", pad, "a MAC keeps its leading zeros, here too" },
    { "ip", "link", "flags", without_m_down, "iproute2's own word for the state of another link" },
    { "ip", "link", "group_fwd_mask_str", drop, "the same mask a second time" },
    { "ip", "link", "_timer", drop, "timers run" },
    { "nsh", "link", "_timer", drop, "timers run" },
    { "nsh", "link", "flags", unless_empty, "an empty list where iproute2 has none: a VLAN's" },
    { "ip", "link", "link", function(name) return name ~= null and name or nil end,
        "iproute2's JSON has null where a tunnel stands on no link" },
    { "nsh", "route", "family", drop, "iproute2 tells it by -4 and -6 only", top = true },
    { "nsh", "route", "rtt", math.floor, "iproute2 cuts what is less than a millisecond" },
    { "nsh", "route", "rttvar", math.floor, "iproute2 cuts what is less than a millisecond" },
    { "nsh", "route", "lock", drop, "iproute2 tells it in its text only: mtu lock 1400" },
    { "ip", "route", "nh_info", drop, "the record of the nexthop a second time" },
    { "nsh", "rule", "family", drop, "iproute2 tells it by -4 and -6 only", top = true },
    { "nsh", "nexthop", "family", drop, "iproute2 tells it by -4 and -6 only", top = true },
    { "nsh", "neigh", "family", drop, "iproute2 tells it by -4 and -6 only", top = true },
    { "nsh", "addr", "protocol", drop, "iproute2 of Debian 12 does not know it yet" },
    { "nsh", "neigh", "state", unless_empty, "an empty list where iproute2 has none: a proxy's" },
    { "nsh", "link", "ttl", unless_inherit, "iproute2's JSON is silent where its text says \"ttl inherit\"" },
    { "ip", "link", "arp_validate", or_none, "iproute2's JSON has null for the word none" },
    { "ip", "link", "_port_state_str", drop, "the same number in words" },
    { "ip", "nsid", "name", drop, "the kernel knows no names; nsh.netns.list() has both" },
}

local function find_rule(whose, object, key, is_top)
    for _, rule in ipairs(intended) do
        if rule[1] == whose and rule[2] == object and (is_top or not rule.top) and (rule[3] == key or
                rule[3]:sub(1, 1) == "_" and key:sub(-#rule[3]) == rule[3]) then
            return rule[4]
        end
    end
end

--- A copy of iproute2's or nsh's record without what differs by intent. A flag that is null in
-- iproute2's JSON is true in nsh's; route metrics stand beside the route's own fields, as on the
-- command line, where iproute2 has a list of one table.
function M.prepare(whose, object, record, is_inside)
    local copy = {}
    for key, value in pairs(record) do
        local rule = type(key) == "string" and find_rule(whose, object, key, not is_inside)
        if rule then value = rule(value) end
        if type(value) == "table" then value = M.prepare(whose, object, value, type(key) == "string") end
        if whose == "ip" and key == "metrics" and object == "route" then
            for name, metric in pairs(value[1]) do copy[name] = metric end
        elseif value == null then
            copy[key] = true
        else
            copy[key] = value
        end
    end
    return copy
end

-- --- the comparison ------------------------------------------------------------------------------

--- Adds to `found` what differs between nsh's record and iproute2's, and returns it.
function M.differences(ours, theirs, path, found)
    for key, value in pairs(theirs) do
        local at, own = path .. "." .. key, ours[key]
        if type(value) == "table" and type(own) == "table" then
            M.differences(own, value, at, found)
        else
            M.compared = M.compared + 1
            if own ~= value then
                found[#found + 1] = ("%s: nsh has %s, ip has %s"):format(at, tostring(own),
                    tostring(value))
            end
        end
    end
    for key, value in pairs(ours) do
        if theirs[key] == nil then
            found[#found + 1] = ("%s.%s: nsh has %s, ip has nothing"):format(path, key,
                nsh.show.format(value))
        end
    end
    return found
end

--- The keys that had but one value in all that was seen, a list of tables, but for those in `constant`.
function M.unvaried(seen, constant)
    local keys, missing = {}, {}
    for _, values in ipairs(seen) do for key in pairs(values) do keys[key] = true end end
    for key in pairs(keys) do
        local different = false
        for _, values in ipairs(seen) do different = different or values[key] ~= seen[1][key] end
        if not different and not constant[key] then missing[#missing + 1] = key end
    end
    return missing
end

return M
