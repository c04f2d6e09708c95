--- The units of numbers in records, by their keys; they stand in the heads of tables.
local M = {}

-- Only words that mean the same wherever they stand.
local units = {
    B = { "mtu", "min_mtu", "max_mtu", "advmss", "gso_max_size", "gro_max_size", "tso_max_size" },
    ms = { "rtt" },
    s = {
        "valid_life_time", "preferred_life_time", "expires", "hello_timer", "tcn_timer", "gc_timer",
        "topology_change_timer", "hold_timer",
    },
}

local unit_of = {}
for unit, keys in pairs(units) do
    for _, key in ipairs(keys) do unit_of[key] = unit end
end

--- A name with the unit of what `key` holds behind it, if it has one.
--
--     units.head("MTU", "mtu")   --> "MTU (B)"
function M.head(name, key)
    local unit = unit_of[key]
    return unit and ("%s (%s)"):format(name, unit) or name
end

return M
