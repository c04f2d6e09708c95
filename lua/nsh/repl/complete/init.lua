--- What Tab offers, found without running anybody's code: names and fields, the keys of a call's table, and
-- values that can stand there, many of them asked of the kernel.
--
-- In parts: lex and context tell where the cursor is, look what a name's value is, keys what a call takes,
-- values and live what can be written there, locals the names of the text itself, list shows the matches.
local context = require "nsh.repl.complete.context"
local keys = require "nsh.repl.complete.keys"
local lex = require "nsh.repl.complete.lex"
local locals = require "nsh.repl.complete.locals"
local look = require "nsh.repl.complete.look"
local natural = require "nsh.natural"
local receiver = require "nsh.repl.complete.receiver"
local values = require "nsh.repl.complete.values"

local M = {}

-- --- candidates ----------------------------------------------------------------------------------
-- { text =, note =, raw = it is no text, tail = what follows it for certain }

local function parameters(fn, first)
    local names = {}
    for i = first, debug.getinfo(fn, "u").nparams do names[#names + 1] = debug.getlocal(fn, i) end
    if debug.getinfo(fn, "u").isvararg then names[#names + 1] = "…" end
    return "(" .. table.concat(names, ", ") .. ")"
end

-- A word about a field, and what follows it for certain: the brackets of a function that takes nothing.
local function describe(owner, name, value, is_method)
    local object = receiver.object(owner)
    if object then return keys.help(object, name) end
    if receiver.object(value) then return table.concat(look.methods(value), " ") end
    if type(value) ~= "function" then return nil end
    local info = debug.getinfo(value, "Su")
    if info.what == "C" then return nil end
    local takes = info.nparams - (is_method and 1 or 0)
    return parameters(value, is_method and 2 or 1), takes == 0 and not info.isvararg and "()" or nil
end

local function fields(c, env)
    local owner, list = c.owner and look.resolve(c.owner, env, c.known), {}
    local is_method = c.what == "method"
    if owner == nil then return list end
    for name in pairs(look.keys(owner)) do
        local value = look.is_name(name) and look.field(owner, name)
        if look.is_name(name) and (not is_method or look.can_be_called(value)) then
            local note, tail = describe(owner, name, value, is_method)
            list[#list + 1] = { text = name, raw = true, note = note, tail = tail }
        end
    end
    return list
end

local function indices(c, env)
    local owner, list = c.owner and look.resolve(c.owner, env, c.known), {}
    for key in pairs(owner ~= nil and look.keys(owner) or {}) do
        local is_number = math.type(key) == "integer"
        if is_number or type(key) == "string" then
            list[#list + 1] = { text = tostring(key), raw = is_number, tail = "]" }
        end
    end
    return list
end

local function expression(c, env)
    if c.quote then return { files = true } end
    local list, seen = {}, {}
    for _, names in ipairs{ c.known, look.keys(env), lex.KEYWORDS } do
        for name in next, names do
            local is_word = look.is_name(name) or lex.KEYWORDS[name]
            if is_word and not seen[name] then
                list[#list + 1], seen[name] = { text = name, raw = true }, true
            end
        end
    end
    return list
end

-- Keys that the table does not have yet, behind the values that can stand without one.
local function items(c, env, level)
    local list = values.of_position(level, c.position, env)
    list.files = list.files and c.quote
    if c.quote then return list end
    for _, row in ipairs(keys.rows(level)) do
        if level.given[row.word] == nil and (row.name == nil or level.given[row.name] == nil) then
            local name = c.word ~= "" and row.name or row.word -- the record's, for who begins to write it
            for _, text in ipairs{ row.word, name ~= row.word and name or nil } do
                list[#list + 1] = { text = text, raw = true, tail = " = ", note = row.help or row.value, key = true }
            end
        end
    end
    return list
end

local function value(c, env, level)
    local row = keys.find(level, c.key)
    return row and values.of_row(row, level, env) or {}
end

-- The bracket behind the only argument that a function takes.
local function closing(c, env)
    local fn, self = look.resolve(c.call.path, env, c.known)
    if not c.call.in_brackets or type(fn) ~= "function" then return nil end
    local info, is_method = debug.getinfo(fn, "u"), c.call.path[#c.call.path].method
    local takes = info.nparams - (is_method and self ~= nil and 1 or 0)
    return not info.isvararg and takes == c.call.argument and ")" or nil
end

local function argument(c, env, level)
    local list = values.of_position(level, c.call.argument, env)
    local tail = closing(c, env)
    for _, one in ipairs(list) do one.tail = tail end
    list.tail = tail
    return list
end

local of_owner = { field = fields, method = fields, index = indices }
local of_call = { item = items, value = value, argument = argument }

local function in_call(c, env)
    local level = c.call and of_call[c.what] and keys.level(c, env, c.known)
    return level and of_call[c.what](c, env, level)
end

-- --- words ---------------------------------------------------------------------------------------

-- In a string only texts fit, and only those that stand for themselves there.
local function fits(c, one)
    local begins = one.text:sub(1, #c.word) == c.word
    if one.raw then return begins and not c.quote end
    local special = "[\\%c" .. (c.quote or '"'):sub(1, 1) .. "]"
    return begins and (c.quote or c.word == "") and not one.text:find(special)
end

-- Keys behind values.
local function sort(list)
    natural.sort(list, function(one) return (one.key and "1 " or "0 ") .. one.text end)
end

-- A candidate as it stands in the text, and what follows it for certain.
local function written(c, one)
    if one.raw then return one.text, one.tail or "" end
    if not c.quote then return '"' .. one.text .. '"', one.tail or "" end
    return one.text, c.quote:gsub("%[", "]") .. (one.tail or "")
end

-- What stands behind the cursor already is not added.
local function is_there(tail, after)
    local begin = tail:match "^%s*(%S)"
    return begin and after:match "^%s*(%S?)" == begin
end

local function matches_of(c, list, after)
    local found = {}
    for _, one in ipairs(list) do
        if fits(c, one) then found[#found + 1] = one end
    end
    sort(found)
    for i, one in ipairs(found) do
        local word, tail = written(c, one)
        if #found == 1 and not is_there(tail, after) then word = word .. tail end
        found[i] = { word = word, text = one.text, note = one.note }
    end
    return found
end

local function candidates(c, env)
    if of_owner[c.what] then return of_owner[c.what](c, env) end
    local list = in_call(c, env)
    if not list then return expression(c, env) end
    return list
end

--- What could be written at the end of `text`: a list of { word = what stands there then from `start` on, text =
-- what is shown of it, note = a word about it, or nil }, and where the word begins; `files` of the list says that
-- it may be any file's name, with `tail` behind it. `text`: Lua up to the cursor, several lines perhaps; `env`:
-- the table of globals, default `_G`; `after`: what stands behind the cursor; `known`: the names in front of the
-- globals, as look.resolve has them.
--
--     complete("string.rev")   --> { { word = "reverse", … } }, 8
function M.complete(text, env, after)
    local c = context.find(text)
    if not c or (c.quote and c.word:find "\\") then return {}, #text + 1 end
    c.known = locals.of(c.tokens)
    local list = candidates(c, env or _G)
    local found = matches_of(c, list, after or "")
    if #found == 0 and not c.quote and c.word ~= "" and of_call[c.what] then
        found = matches_of(c, expression(c, env or _G), after or "")
    end
    found.files, found.tail = list.files, (c.quote or "") .. (list.tail or "")
    return found, c.start
end

return M
