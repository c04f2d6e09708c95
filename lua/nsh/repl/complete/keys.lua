--- What may stand in the tables of a call: the fields of a kernel object, or the options of a function.
--
-- A level is one table: { given = the keys that it has (nsh.repl.complete.context), and as far as it has them:
-- schema = its table of core.netlink.schema(), kind = that of a link, lists = whether its values say which records
-- are meant, first = what a value without a key is, options = rows of nsh.options, element = the table of the
-- tables in it, item = the row whose values it is a list of, in the level `outer`, texts = whether a text can stand
-- at the cursor }.
-- A row is { word = the key, name = its other name, value = what it takes ("boolean", "interface", …), words = the
-- only texts that it takes, help =, table = of nested ones, read_only = }.
local core = require "nsh.core"
local lex = require "nsh.repl.complete.lex"
local options = require "nsh.options"
local look = require "nsh.repl.complete.look"
local receiver = require "nsh.repl.complete.receiver"

local M = {}

local schema -- once it is needed

--- core.netlink.schema(), made once: all objects, as a list and by name.
--
--     keys.objects().link.table
function M.objects()
    schema = schema or core.netlink.schema()
    return schema
end

local objects = M.objects

-- --- rows ----------------------------------------------------------------------------------------

local function text(value) return type(value) == "string" and value or nil end

local function find_kind(kinds, name)
    for _, kind in ipairs(kinds or {}) do
        if kind.name == name then return kind end
    end
end

-- The tables of the kind that a level names, its own and that of its ports.
local function kind_tables(level)
    local table, given = level.schema, level.given
    local first = level.first == table.kind_word and given[1]
    local name = text(given[table.kind_word]) or text(given[table.kind_name]) or text(first) or level.kind or ""
    local port = text(given.info_slave_kind) or name:match "^(.*)_slave$"
    local own, master = find_kind(table.kinds, name), find_kind(table.kinds, port)
    return own and own.data, master and master.port
end

--- A word of the command line as a key of Lua: `local_`, `encap_dport`.
function M.written(word)
    return word and (lex.KEYWORDS[word] and word .. "_" or word:gsub("-", "_")) or nil
end

local function key_of(field, beside)
    return M.written(field.word or not (field.inside and beside) and field.name or nil)
end

-- Nests whose table the kind says: without one nothing can stand there.
local of_kind = { ["kind data"] = true, ["port data"] = true }

local function is_writable(field, level)
    if level.lists then return field.filters end
    return not field.read_only and not of_kind[field.value]
end

local function add_fields(rows, seen, level, table, beside, data, port)
    for _, field in ipairs(table.fields) do
        local inner = field.flat and (field.table or field.value == "kind data" and data or
            field.value == "port data" and port) or nil
        local key = key_of(field, beside)
        if inner then
            add_fields(rows, seen, level, inner, true, data, port)
        elseif key and not seen[key] and is_writable(field, level) then
            seen[key] = true
            rows[#rows + 1] = { word = key, name = M.written(field.name), value = field.value, words = field.words,
                unit = field.unit, min = field.min, max = field.max,
                help = field.help, table = field.table }
        end
    end
end

local types = { boolean = "boolean", number = "number", table = "table" }

local function add_options(rows, seen, list)
    for _, option in ipairs(list) do
        local key = option[1]
        seen[key] = true
        local type = option.type or option.min and "number"
        rows[#rows + 1] = { word = key, value = option.means or types[type] or "text", words = option.words,
            help = option.valid }
    end
end

--- The rows of a level.
function M.rows(level)
    local rows, seen = {}, {}
    if level.options then add_options(rows, seen, level.options) end
    if level.schema then
        local data, port = kind_tables(level)
        -- a kind's own rows go first: of two with one name its is meant
        for _, own in ipairs{ data or {}, port or {} } do
            if own.fields then add_fields(rows, seen, level, own, true) end
        end
        add_fields(rows, seen, level, level.schema, false)
    end
    return rows
end

--- The row of a key, by either of its names; nil.
function M.find(level, key)
    for _, row in ipairs(M.rows(level)) do
        if row.word == key or row.name == key then return row end
    end
end

--- Whether links of a kind can be the master of others.
function M.is_master(kind)
    local found = find_kind(objects().link.table.kinds, kind)
    return found ~= nil and found.port ~= nil
end

--- The key of the value that stands first in a verb's table, as it is written: "dev"; nil if none does.
--
--     keys.first(keys.objects().link, keys.objects().link.verbs.set)
function M.first(object, verb)
    for _, field in ipairs(object.table.fields) do
        if field.name and field.name == verb.first then return M.written(field.word or field.name) end
    end
    return M.written(verb.first)
end

--- What an object's verb does: "create a link"; nil for a name that is none.
function M.help(object, verb)
    local row = objects()[object].verbs[verb]
    return row and row.help or verb == "show" and "print what list returns" or nil
end

--- The kinds that `type` and its like can be: a list of { name, words that say what it has }.
function M.kinds(level)
    local list = {}
    for _, kind in ipairs(level.schema and level.schema.kinds or {}) do
        local keys = {}
        if kind.data then add_fields({}, keys, {}, kind.data, true) end
        local names = {}
        for key in pairs(keys) do names[#names + 1] = key end
        table.sort(names)
        list[#list + 1] = { kind.name, table.concat(names, " ", 1, math.min(#names, 6)) }
        if kind.port then list[#list + 1] = { kind.name .. "_slave", "attributes of its ports" } end
    end
    return list
end

-- --- levels --------------------------------------------------------------------------------------

local function level_of_verb(name, verb)
    local object = objects()[name]
    local row = object and object.verbs[verb == "show" and "list" or verb]
    if not row then return nil end
    return { schema = object.table, lists = row.lists, first = M.written(row.first), object = name, verb = verb }
end

local function level_of_options(fn)
    local declared = options.of(fn)
    if not declared then return nil end
    return { options = declared.rows, schema = declared.link and objects().link.table, kind = declared.link,
        means = declared.first, words = declared.words, peer = declared.peer, every = true }
end

-- The function that is called, or that of the namespace which a node calls.
local function outermost(fn, self, name)
    local object = receiver.object(self)
    if object then return level_of_verb(object, name) end
    object = receiver.object(fn)
    local node_link = object == "link" and options.of(debug.getmetatable(fn).__call)
    if node_link then return level_of_options(debug.getmetatable(fn).__call) end
    if object then return level_of_verb(object, "add") end
    local method = receiver.node(self) and not options.of(fn) and require("nsh.namespace").method(name)
    return level_of_options(method or fn)
end

-- Of a list of tables, one may stand there by itself.
local function nested(table, is_list)
    return { schema = table, first = M.written(table.first or table.kind_word), element = is_list and table or nil }
end

-- The level of a table that stands in another one under `key`.
local function inner(level, key)
    if level.element and type(key) == "number" then
        return nested(level.element)
    elseif key == "peer" and level.peer then
        return { options = level.peer, schema = level.schema, kind = level.kind, first = "name" }
    end
    local row = M.find(level, key)
    local own = level.schema and find_kind(level.schema.kinds, key)
    local table = row and row.table or own and own.data
    if table then return nested(table, row and row.value == "tables") end
    return row and { item = row, outer = level }
end

-- The path of the namespace or node that a peer is in.
local function elsewhere(given, one)
    local place = one.given.netns or one.key == "peer" and given.to
    return type(place) == "table" and place or nil
end

--- The level that the cursor is in: of a call's context, with `env` and `known` as look.resolve has them. nil
-- if nothing is known of that call.
--
--     keys.level(context.find 'host.link:add{ "x", type = "vxlan", ', _G)
function M.level(c, env, known)
    local fn, self = look.resolve(c.call.path, env, known)
    local level = outermost(fn, self, c.call.path[#c.call.path].key)
    if not level then return nil end
    level.given, level.texts = {}, c.quote ~= nil or c.word == ""
    level.self = receiver.of(self ~= nil and self or fn)
    for i, one in ipairs(c.tables or {}) do
        local outer = level
        level = i == 1 and outer or inner(outer, one.key)
        if not level then return nil end
        level.given, level.self, level.texts = one.given, outer.self, outer.texts
        local place = i > 1 and elsewhere(outer.given, one) -- the other end
        if place then level.self = receiver.of(look.resolve(place, env, known)) end
    end
    return level
end

return M
