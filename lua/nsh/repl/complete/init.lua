--- What Tab offers: globals, fields, methods and keywords, found without running anybody's code.
--
-- Values are only looked at: raw fields, and the tables behind `__index`. A class whose fields are
-- made on demand declares a metamethod `__complete(value)`, which returns their names.
local M = {}

local keywords = {
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
    "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
}
local is_keyword = {}
for _, word in ipairs(keywords) do is_keyword[word] = true end

local DEPTH = 100 -- of a chain of __index, which may be a ring

local function metafield(value, event)
    local meta = debug.getmetatable(value)
    return meta and rawget(meta, event)
end

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

local function field(value, key)
    for _, place in ipairs(places(value)) do
        local found = rawget(place, key)
        if found ~= nil then return found end
    end
end

local function declared_names(value)
    local complete = metafield(value, "__complete")
    if type(complete) ~= "function" then return {} end
    local ok, names = pcall(complete, value)
    return ok and type(names) == "table" and names or {}
end

local function is_name(key)
    return type(key) == "string" and key:find "^[%a_][%w_]*$" and not is_keyword[key]
end

local function names_of(value)
    local seen = {}
    for _, place in ipairs(places(value)) do
        for key in next, place do
            if is_name(key) then seen[key] = true end
        end
    end
    for _, name in next, declared_names(value) do
        if is_name(name) then seen[name] = true end
    end
    return seen
end

-- A declared name that is not there yet may become a function.
local function can_be_called(value)
    return value == nil or type(value) == "function" or metafield(value, "__call") ~= nil
end

-- Takes one step off the end of an expression: "a.b[1]" is "a.b" and 1, "a.b" is "a." and "b".
local function last_step(text)
    local rest, key = text:match "^(.-)%[%s*(%-?%d+)%s*%]%s*$"
    if rest then return rest, math.tointeger(key), true end
    local quote
    rest, quote, key = text:match "^(.-)%[%s*([\"'])([^\"'\\]*)%2%s*%]%s*$"
    if rest then return rest, key, true, quote end
    rest, key = text:match "^(.-)([%a_][%w_]*)%s*$"
    return rest, key, false
end

-- The keys from the global on that lead to the value of the expression at the end of `text`; nil if
-- it is not made of names and constant indices alone.
local function path_of(text)
    local path = {}
    while true do
        local rest, key, in_brackets = last_step(text)
        if key == nil then return nil end
        table.insert(path, 1, key)
        if in_brackets then
            text = rest
        else
            text = rest:match "^(.-)%s*[.:]%s*$"
            if not text then return path end
        end
    end
end

local function value_at(path, env)
    local value = env
    for _, key in ipairs(path) do
        value = field(value, key)
        if value == nil then return nil end
    end
    return value
end

local function in_string_or_comment(text)
    local plain = text:gsub("\\.", ""):gsub('"[^"]*"', ""):gsub("'[^']*'", "")
    return plain:find "[\"']" ~= nil or plain:find("--", 1, true) ~= nil
end

-- What can stand behind `before`: a set of names.
local function candidates(before, env)
    local owner, mark = before:match "^(.*)([.:])%s*$"
    if not owner or owner:find "%.$" then -- behind ".." stands a new expression
        local names = names_of(env)
        for _, word in ipairs(keywords) do names[word] = true end
        return names
    end
    local path = path_of(owner)
    local value = path and value_at(path, env)
    local names = value ~= nil and names_of(value) or {}
    for name in pairs(names) do
        if mark == ":" and not can_be_called(field(value, name)) then names[name] = nil end
    end
    return names
end

--- The words that the last word of `text` could become: a sorted list, empty inside a string or a
-- comment. `text`: a line of Lua up to the cursor; `env`: the table of globals, default `_G`.
--
--     complete("string.re")   --> { "rep", "reverse" }
function M.complete(text, env)
    if in_string_or_comment(text) then return {} end
    local before, word = text:match "^(.-)([%w_]*)$"
    local words = {}
    for name in pairs(candidates(before, env or _G)) do
        if name:sub(1, #word) == word then words[#words + 1] = name end
    end
    table.sort(words)
    return words
end

return M
