--- What a value that is shown means, and so its colour: as `ip -c` has interfaces, addresses and states.
local colour = require "nsh.colour"

local M = {}

-- Keys, and heads of columns, whose values are names of interfaces.
local interfaces = {
    ifname = true, dev = true, master = true, port = true, link = true, iif = true, oif = true, peer = true,
}

local states = {
    up = "up", reachable = "up", permanent = "up", forwarding = "up", estab = "up", listen = "up", complete = "up",
    down = "down", lowerlayerdown = "down", failed = "down", incomplete = "down", disabled = "down",
    blocking = "down", nocarrier = "down",
}

local state_keys = { state = true, operstate = true }

local function is_inet6(text)
    local address = text:match "^([%x:.]+)%%?[%w.]*/?%d*$"
    return address and select(2, address:gsub(":", "")) >= 2
end

local function meaning_of(key, text)
    if state_keys[key] then return states[text:lower()] end
    if text:find "^%x%x:%x%x:%x%x:%x%x:%x%x:%x%x$" then return "mac" end
    if text:find "^%d+%.%d+%.%d+%.%d+[/:]?%d*$" then return "inet" end
    if is_inet6(text) then return "inet6" end
    return interfaces[key] and text:find "^[^%s]+$" and "ifname"
end

-- What stands behind a word in the same cell: "UP,LOWER_UP", "veth1 in ns1".
local function paint_word(key, word)
    local meaning = meaning_of(key, word)
    return meaning and colour(meaning, word) or word
end

--- The text of a cell, or what stands beside a key, in the colour of what it means; `key`: the key of the record,
-- or the head of the column.
--
--     paint.value("ADDRESS", "10.0.0.1/24,fd00::1/64")
function M.value(key, text)
    key = key:lower()
    return (text:gsub("[^%s,]+", function(word) return paint_word(key, word) end, key == "peer" and 1 or nil))
end

return M
