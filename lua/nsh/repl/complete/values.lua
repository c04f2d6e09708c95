--- What can be the value of a key, or stand without one: words, kinds, and what there is right now.
--
-- A candidate is { text =, note = a word about it, raw = it is no text: written without quotes }.
local keys = require "nsh.repl.complete.keys"
local live = require "nsh.repl.complete.live"
local look = require "nsh.repl.complete.look"
local receiver = require "nsh.repl.complete.receiver"

local M = {}

local function add(list, texts)
    for _, one in ipairs(texts) do list[#list + 1] = { text = one[1], note = one[2] } end
end

-- Variables whose values are nsh's own things: those that `fits` says a word about.
local function add_variables(list, env, fits)
    for name in pairs(look.keys(env)) do
        local note = look.is_name(name) and fits(look.field(env, name))
        if note then list[#list + 1] = { text = name, note = note, raw = true } end
    end
end

local function is_node(value) return receiver.node(value) == value and value and "node" end
local function is_place(value)
    return is_node(value) or receiver.of(value).ns == value and value and "namespace"
end

-- By what a row takes, or an option means: fn(list, level, env, row).
local sources = {
    boolean = function(list)
        list[#list + 1] = { text = "true", raw = true }
        list[#list + 1] = { text = "false", raw = true }
    end,
    kind = function(list, level) add(list, keys.kinds(level)) end,
    interface = function(list, level, _, row)
        local is_master = row and row.word == "master"
        add(list, live.interfaces(level.self, is_master and keys.is_master or nil))
    end,
    declared = function(list, level) add(list, live.declared(level.self)) end,
    address = function(list, level) add(list, live.addresses(level.self)) end,
    neighbour = function(list, level) add(list, live.neighbours(level.self)) end,
    netns = function(list, _, env)
        add(list, live.netns())
        add_variables(list, env, is_place)
    end,
    node = function(list, level, env)
        add(list, live.nodes(level.self))
        add_variables(list, env, is_node)
    end,
    file = function(list) list.files = true end,
}

-- Those that offer more than texts: no other is asked where no quote can begin.
local without_quotes = { boolean = true, netns = true, node = true }

local function ask(meaning, list, level, env, row)
    local source = sources[meaning]
    if source and (level.texts or without_quotes[meaning]) then source(list, level, env, row) end
end

-- What tells one record of an object from another.
local identities = { prefix = true, address = true, handle = true, mac = true }

local function is_identity(level, row)
    local creates = level.verb == "add" or level.verb == "append"
    return level.object and not creates and row.value ~= "interface" and
        (identities[row.value] or row.word == level.first or row.name == level.first)
end

--- The candidates for the value of a row; a list, whose field `files` says that any file can be meant.
function M.of_row(row, level, env)
    local list = {}
    if row.words then
        for _, word in ipairs(row.words) do list[#list + 1] = { text = word } end
    elseif row.value == "address" and (row.word == "via" or row.name == "gateway") then
        ask("neighbour", list, level)
    elseif is_identity(level, row) then
        add(list, live.values(level.self, level.object, row.name))
        for _, one in ipairs(row.value == "number" and list or {}) do one.raw = true end
    else
        ask(row.value, list, level, env, row)
    end
    return list
end

--- The candidates for a value without a key at `position`.
function M.of_position(level, position, env)
    if level.item then return M.of_row(level.item, level.outer, env) end
    if level.every then
        local list = {}
        for _, word in ipairs(level.words or {}) do list[#list + 1] = { text = word } end
        ask(level.means, list, level, env)
        return list
    end
    local row = level.first and position == 1 and keys.find(level, level.first)
    return row and M.of_row(row, level, env) or {}
end

return M
