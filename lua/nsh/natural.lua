--- The order of names in which numbers count as numbers: eth2 comes before eth10.
local M = {}

local DIGITS = 20 -- of the longest number

--- What names are compared by.
--
--     natural.key "eth2" < natural.key "eth10"
function M.key(name)
    return name:gsub("%d+", function(digits) return ("0"):rep(DIGITS - #digits) .. digits end) .. "\0" .. name
end

local function itself(name) return name end

--- Sorts a list by names; `name_of(item)`: the name of an item, which is itself if nothing is given. Returns the list.
--
--     natural.sort{ "eth10", "eth2" }   --> { "eth2", "eth10" }
function M.sort(list, name_of)
    local keys = {}
    for _, item in ipairs(list) do keys[item] = M.key((name_of or itself)(item)) end
    table.sort(list, function(a, b) return keys[a] < keys[b] end)
    return list
end

return M
