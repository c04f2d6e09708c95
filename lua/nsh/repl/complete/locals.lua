--- The local names of a text, for completion.
local context = require "nsh.repl.complete.context"
local names_behind = require "nsh.repl.tokens".names_behind

local M = {}

local function is(token, text) return token and token.kind ~= "string" and token.text == text end

-- The last token of the expression of names and constant indices that begins with token `i`.
local function end_of_path(tokens, i)
    if not tokens[i] or tokens[i].kind ~= "name" then return nil end
    while true do
        if is(tokens[i + 1], ".") and tokens[i + 2] and tokens[i + 2].kind == "name" then i = i + 2
        elseif is(tokens[i + 1], "[") and is(tokens[i + 3], "]") then i = i + 3
        else return i end
    end
end

-- Whether a statement can end before this token.
local function is_behind(token)
    return token == nil or token.kind == "name" or is(token, ";") or
        token.kind == "keyword" and token.text ~= "and" and token.text ~= "or"
end

-- The path of `local x = a.b`, else true.
local function value_of(tokens, names, behind)
    if #names > 1 or not is(tokens[behind], "=") then return true end
    local last = end_of_path(tokens, behind + 1)
    if not last or not is_behind(tokens[last + 1]) then return true end
    return context.path(tokens, last) or true
end

local function note_function(known, tokens, i)
    if is(tokens[i - 1], "local") and tokens[i + 1] and tokens[i + 1].kind == "name" then
        known[tokens[i + 1].text] = true
    end
    while tokens[i] and not is(tokens[i], "(") do i = i + 1 end
    for _, one in ipairs(names_behind(tokens, i)) do known[one.name] = true end
end

local function note_local(known, tokens, i)
    if is(tokens[i + 1], "function") then return end
    local names, behind = names_behind(tokens, i)
    local value = value_of(tokens, names, behind)
    for _, one in ipairs(names) do known[one.name] = value end
end

local function note_loop(known, tokens, i)
    for _, one in ipairs(names_behind(tokens, i)) do known[one.name] = true end
end

local notes = { ["function"] = note_function, ["local"] = note_local, ["for"] = note_loop }

--- The names that tokens declare (`local`, `for`, parameters), whether or not they still hold at their end: name ->
-- the path of its value (nsh.repl.complete.context), or true.
--
--     locals.of(lex.tokens "local l = host.link")   --> { l = { { name = "host" }, { key = "link" } } }
function M.of(tokens)
    local known = {}
    for i, token in ipairs(tokens) do
        local note = token.kind == "keyword" and notes[token.text]
        if note then note(known, tokens, i) end
    end
    return known
end

return M
