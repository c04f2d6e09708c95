--- A namespace on one page, as people look at it.
--
--     app3:show()
local errors = require "nsh.errors"
local settle = require "nsh.settle"
local show = require "nsh.show"

local M = {}

local PATIENCE = 1 -- seconds, until states are what they will be

-- --- what is on it -------------------------------------------------------------------------------

local function concat(a, b)
    return setmetatable(table.move(b, 1, #b, #a + 1, a), getmetatable(b))
end

-- Every link that is up has this one; it tells nothing.
local function is_told(route) return route.dst ~= "fe80::/64" end

local function routes_of(ns)
    local told = {}
    local all = concat(ns.route:list{ family = "inet" }, ns.route:list{ family = "inet6" })
    for _, route in ipairs(all) do
        if is_told(route) then told[#told + 1] = route end
    end
    return setmetatable(told, getmetatable(all))
end

local from_the_start = { [0] = "local", [32766] = "main", [32767] = "default" }

local function is_usual(rule)
    return from_the_start[rule.priority] == rule.table and rule.src == "all"
end

-- nil if there are only those that each namespace has.
local function rules_of(ns)
    local rules = concat(ns.rule:list{ family = "inet" }, ns.rule:list{ family = "inet6" })
    for _, rule in ipairs(rules) do
        if not is_usual(rule) then return rules end
    end
end

-- How many tables the firewall has; nil for none, or where the program nft is not there.
local function firewall_of(ns)
    local ok, result = pcall(ns.exec, ns, { "nft", "list", "tables", output = true })
    local _, count = (ok and result.status == 0 and result.out or ""):gsub("[^\n]+", "")
    return count > 0 and count or nil
end

-- Heading, key in JSON, what makes it; nil leaves it out.
local sections = {
    { "Links", "links", function(ns) return ns.link:list() end },
    { "Addresses", "addresses", function(ns) return ns.addr:list() end },
    { "Routes", "routes", routes_of },
    { "Rules", "rules", rules_of },
    { "Neighbours", "neighbours", function(ns) return ns.neigh:list() end },
    { "Listening", "listening", function(ns) return ns:listening() end },
}

-- --- how it looks --------------------------------------------------------------------------------

local function section_text(heading, value)
    if value[1] == nil then return heading .. ": none" end
    return heading .. "\n  " .. show.painted(value):gsub("\n", "\n  ")
end

local function page_text(ns)
    local texts = { "Namespace " .. ns.name }
    for _, section in ipairs(sections) do
        local value = section[3](ns)
        texts[#texts + 1] = value and section_text(section[1], value)
    end
    local tables = firewall_of(ns)
    texts[#texts + 1] = tables and ("Firewall: %d table%s (nft list ruleset)"):format(tables, tables > 1 and "s" or "")
    return table.concat(texts, "\n")
end

local function page_record(ns)
    local record = { name = ns.name }
    for _, section in ipairs(sections) do record[section[2]] = section[3](ns) end
    return record
end

--- Prints what is in a namespace: its links and what they are connected with, addresses, routes, rules if there are
-- others than each namespace has, neighbours, sockets that listen, and whether there is a firewall. With `-j` as
-- JSON.
--
--     app3:show()
function M.show(ns)
    errors.check_self(ns, "link", "ns:show()")
    settle.settle(ns, PATIENCE)
    if show.is_json() then show(page_record(ns)) else show.write(page_text(ns), "\n") end
end

return M
