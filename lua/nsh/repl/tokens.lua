--- The words that a piece of Lua is made of, and what they say about it without running it.
local keywords = require "nsh.keywords"

local M = {}

-- What opens a block that `end` or `until` closes.
local opens = { ["function"] = true, ["do"] = true, ["if"] = true, ["repeat"] = true }
local closes = { ["end"] = true, ["until"] = true }

-- The last byte of what begins at `at` with "[[", "[=[", …; nil if nothing such does.
local function long_bracket(text, at)
    local level = text:match("^%[(=*)%[", at)
    if not level then return nil end
    return select(2, text:find("]" .. level .. "]", at, true)) or #text
end

local function skip_comment(text, at)
    return long_bracket(text, at + 2) or (text:find("\n", at, true) or #text + 1) - 1
end

-- The first byte from `at` on that is neither blank nor in a comment.
local function skip(text, at)
    while true do
        at = text:find("%S", at) or #text + 1
        if text:sub(at, at + 1) ~= "--" then return at end
        at = skip_comment(text, at) + 1
    end
end

local function quoted(text, at)
    local quote, last = text:sub(at, at), at + 1
    while last <= #text do
        local c = text:sub(last, last)
        if c == quote or c == "\n" then return last end
        last = last + (c == "\\" and 2 or 1)
    end
    return #text
end

local function number(text, at)
    local last = at
    while true do
        local sign = text:match("^[eEpP][+-]%d", last)
        if not sign and not text:find("^[%w.]", last) then return last - 1 end
        last = last + (sign and 2 or 1)
    end
end

local operators = { "^%.%.%.", "^[=~<>]=", "^//", "^::", "^<<", "^>>", "^%.%.", "^." }

local function operator(text, at)
    for _, pattern in ipairs(operators) do
        local _, last = text:find(pattern, at)
        if last then return last end
    end
    return at
end

-- The kind of the word that begins at `at`, and its last byte.
local function word_at(text, at)
    local name = text:match("^[%a_][%w_]*", at)
    if name then return keywords[name] and "keyword" or "name", at + #name - 1 end
    if text:find("^%.?%d", at) then return "number", number(text, at) end
    if text:find("^[\"']", at) then return "string", quoted(text, at) end
    local last = long_bracket(text, at)
    if last then return "string", last end
    return "operator", operator(text, at)
end

--- The words of a text, in order, as { kind, text, first, last, depth }: kind is "name", "keyword", "number", "string"
-- or "operator"; first and last are bytes of the text; depth: how many blocks the word is in. Comments are none.
-- Text that is no Lua gives some words all the same.
--
--     lexer.words "x = 1"   --> { { kind = "name", text = "x", first = 1, last = 1, depth = 0 }, … }
function M.words(text)
    local words, at, depth = {}, skip(text, 1), 0
    while at <= #text do
        local kind, last = word_at(text, at)
        local word = { kind = kind, text = text:sub(at, last), first = at, last = last, depth = depth }
        if kind == "keyword" and closes[word.text] then depth, word.depth = depth - 1, depth - 1 end
        if kind == "keyword" and opens[word.text] then depth = depth + 1 end
        words[#words + 1] = word
        at = skip(text, last + 1)
    end
    return words
end

-- The names behind word `i`, which are divided by commas and may have attributes.
local function names_behind(words, i)
    local names = {}
    repeat
        local name = words[i + 1]
        if not name or name.kind ~= "name" then break end
        local has_attribute = words[i + 2] and words[i + 2].text == "<" and words[i + 3]
        names[#names + 1] = { name = name.text, attribute = has_attribute and words[i + 3].text or nil }
        i = i + (has_attribute and 5 or 2)
    until not words[i] or words[i].text ~= ","
    return names
end

--- The locals of the outermost block, as a list of { name, attribute } in the order of their declaration.
--
--     lexer.locals(lexer.words "local x <const>, y = 1, 2")
--     --> { { name = "x", attribute = "const" }, { name = "y" } }
function M.locals(words)
    local found = {}
    for i, word in ipairs(words) do
        if word.text == "local" and word.kind == "keyword" and word.depth == 0 then
            local behind = words[i + 1] and words[i + 1].text == "function" and i + 1 or i
            table.move(names_behind(words, behind), 1, 255, #found + 1, found)
        end
    end
    return found
end

--- The word `return` that ends the outermost block, or nil.
function M.last_return(words)
    for i = #words, 1, -1 do
        local word = words[i]
        if word.kind == "keyword" and word.text == "return" and word.depth == 0 then return word end
    end
end

--- The names that a text mentions as variables or as keys in braces, not behind a dot or a colon: name -> true.
function M.mentioned(words)
    local names = {}
    for i, word in ipairs(words) do
        local before = words[i - 1] and words[i - 1].text
        if word.kind == "name" and before ~= "." and before ~= ":" then names[word.text] = true end
    end
    return names
end

return M
