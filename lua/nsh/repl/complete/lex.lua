--- The tokens of Lua text that may end anywhere: what completion and hints look at.
local M = {}

--- The words that Lua reserves, as a set.
M.KEYWORDS = require "nsh.keywords"

local operators = { "...", "..", "==", "~=", "<=", ">=", "//", "::", "<<", ">>" }

local function is_operator(text, at)
    for _, operator in ipairs(operators) do
        if text:sub(at, at + #operator - 1) == operator then return operator end
    end
    return text:sub(at, at)
end

-- `body` is where the inside begins; without an end the string is `open`: by what it was opened.
local function string_token(text, at, body, first, last, opening)
    local inside = text:sub(body, (first or 0) - 1)
    return { kind = "string", first = at, body = body, last = last or #text, value = inside,
        open = not first and opening or nil }
end

local function long_string(text, at)
    local equals = text:match("^%[(=*)%[", at)
    if not equals then return nil end
    local body = at + #equals + 2
    local first, last = text:find("]" .. equals .. "]", body, true)
    return string_token(text, at, body, first, last, "[" .. equals .. "[")
end

-- A line break ends it too: what follows is a mistake in any case.
local function quoted_string(text, at)
    local quote, place = text:sub(at, at), at + 1
    while true do
        local stop = text:find("[\\\n" .. quote .. "]", place)
        if not stop then return string_token(text, at, at + 1, nil, nil, quote) end
        if text:sub(stop, stop) ~= "\\" then return string_token(text, at, at + 1, stop, stop) end
        place = stop + 2
    end
end

local function comment(text, at)
    local long = long_string(text, at + 2)
    if long then return { kind = "comment", first = at, last = long.last, open = long.open } end
    local stop = text:find("\n", at, true)
    return { kind = "comment", first = at, last = stop or #text, open = not stop and "--" or nil }
end

local function word_token(text, at, last)
    local word = text:sub(at, last)
    return { kind = M.KEYWORDS[word] and "keyword" or "name", first = at, last = last, text = word }
end

-- As far as Lua would read; that an exponent's sign is left out does no harm here.
local function number_token(text, at)
    local _, last = text:find("^%.?%d[%w.]*", at)
    return { kind = "number", first = at, last = last, value = tonumber(text:sub(at, last)) }
end

local function next_token(text, at)
    local _, last = text:find("^[%a_][%w_]*", at)
    if last then return word_token(text, at, last) end
    if text:find("^%.?%d", at) then return number_token(text, at) end
    if text:find("^[\"']", at) then return quoted_string(text, at) end
    if text:find("^%-%-", at) then return comment(text, at) end
    local operator = is_operator(text, at)
    return long_string(text, at) or
        { kind = "operator", first = at, last = at + #operator - 1, text = operator }
end

--- The tokens of `text`, a list of { kind = "name", "keyword", "number", "string", "operator" or "comment",
-- first =, last = (its bytes), text = (of names, keywords and operators), value = (of numbers, and what stands
-- between a string's quotes, as it is written), body = (where that begins), open = (a string or comment
-- that does not end: with what it begins) }. Comments that have ended are left out.
--
--     lex.tokens 'host.link:set{ "cl'
function M.tokens(text)
    local tokens, at = {}, text:find "%S"
    while at do
        local token = next_token(text, at)
        if token.kind ~= "comment" or token.open then tokens[#tokens + 1] = token end
        at = text:find("%S", token.last + 1)
    end
    return tokens
end

return M
