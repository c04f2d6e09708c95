--- Looking at values without running anybody's code: raw fields, and the tables behind `__index`.
--
-- A class whose fields are made on demand declares two metamethods: `__complete(value)` returns their names,
-- in place of those behind `__index`, and `__look(value, key)` what stands under one of them.
local lex = require "nsh.repl.complete.lex"
local metafield = require "nsh.metafield"

local M = {}

local DEPTH = 100 -- of a chain of __index, which may be a ring

-- The tables where the fields of a value are looked up, in that order.
local function places(value)
    local list = {}
    while #list < DEPTH and value ~= nil do
        if type(value) == "table" then list[#list + 1] = value end
        local index = metafield(value, "__index")
        value = type(index) == "table" and index or nil
    end
    return list
end

-- What a class's own function says, nil if it fails.
local function ask(value, event, ...)
    local fn = metafield(value, event)
    if type(fn) ~= "function" then return nil end
    local ok, answer = pcall(fn, value, ...)
    return ok and answer or nil
end

--- What stands under a key; nil if that cannot be told without running code.
--
--     look.field(host, "link")
function M.field(value, key)
    for _, place in ipairs(places(value)) do
        local found = rawget(place, key)
        if found ~= nil then return found end
    end
    return ask(value, "__look", key)
end

--- Whether somebody may write the key behind a dot.
function M.is_name(key)
    return type(key) == "string" and key:find "^[%a_][%w_]*$" and not lex.KEYWORDS[key]
end

--- The keys that a value has, as a set; those that a class declares as well, or in place of those of its
-- classes.
function M.keys(value)
    local seen, declared = {}, ask(value, "__complete")
    local is_declared = type(declared) == "table"
    for i, place in ipairs(places(value)) do
        if i == 1 or not is_declared then
            for key in next, place do seen[key] = true end
        end
    end
    for _, name in next, is_declared and declared or {} do seen[name] = true end
    return seen
end

--- The names of the functions among them, sorted.
function M.methods(value)
    local list = {}
    for key in pairs(M.keys(value)) do
        if M.is_name(key) and type(M.field(value, key)) == "function" then list[#list + 1] = key end
    end
    table.sort(list)
    return list
end

--- Whether a value can stand before a parenthesis. What is declared and not there yet may become a function.
function M.can_be_called(value)
    return value == nil or type(value) == "function" or metafield(value, "__call") ~= nil
end

-- `find` of a lab or a node, whose answer is known without a call.
local function called(fn, self, argument)
    local finds = type(self) == "table" and metafield(self, "__finds")
    if not finds or fn == nil or M.field(self, "find") ~= fn then return nil end
    local all = rawget(self, finds)
    return type(all) == "table" and rawget(all, argument) or nil
end

--- The value that a path of nsh.repl.complete.context leads to; nil if it is not known. `env`: the table of
-- globals; `known`: name -> path of the local names in front of them, true for those without a value.
--
--     look.resolve({ { name = "host" }, { key = "link" } }, _G)
function M.resolve(path, env, known)
    local first, value, self = path[1]
    local own = first.name and known and known[first.name]
    if own then
        known = setmetatable({ [first.name] = false }, { __index = known }) -- local x = x.y
        value = type(own) == "table" and M.resolve(own, env, known) or nil
    else
        value = first.value or M.field(env, first.name)
    end
    for i = 2, #path do
        local step = path[i]
        if value == nil then return nil end
        if step.call then
            value = step.argument ~= nil and called(value, self, step.argument) or nil
        else
            self, value = value, M.field(value, step.key)
        end
    end
    return value, self
end

return M
