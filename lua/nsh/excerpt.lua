--- The line of a source that an error is about, with a mark under the place.
--
--       7 | host.link:set{ "veth0", mtuu = 1400 }
--         |                         ^~~~
local width = require "nsh.show.width"
local tokens = require "nsh.repl.tokens"

local M = {}

-- Columns of a long line before and behind the place.
local BEFORE, BEHIND = 60, 60

-- --- where ---------------------------------------------------------------------------------------

local function line_of(source, number)
    local n, first = 1, 1
    while n < number do
        first = (source:find("\n", first, true) or #source + 1) + 1
        if first > #source + 1 then return nil end
        n = n + 1
    end
    return source:sub(first, (source:find("\n", first, true) or #source + 1) - 1), first
end

-- What the compiler says of a text, without the place. As luaL_loadfile, which skips a first line with a "#".
local function complaint(text)
    local _, message = load(text:gsub("^#[^\n]?", "--"), "=", "t")
    return message and message:match "^:%d+: (.*)$" or message
end

-- Where the word stands that the compiler stumbled over: the text up to there fails as the whole does.
local function stumbled(source, line, start, message, word)
    local at = 1
    while true do
        local first, last = line:find(word, at, true)
        if not first then return nil end
        if complaint(source:sub(1, start + last - 1) .. "\n") == message then return first, last end
        at = first + 1
    end
end

--- Where in a source a syntax error is: the bytes of its line from and to; nil if it does not say. `number`: of the
-- line; `message`: without the place before it.
function M.syntax(source, number, message)
    local line, start = line_of(source, number)
    if not line then return nil end
    if message:find " near <eof>$" then return #line + 1, #line + 1 end
    local word = message:match " near '(.*)'$"
    if word then return stumbled(source, line, start, message, word) end
end

-- The words of a line, and of those behind it as far as brackets are open: a call and all its arguments.
local function words_from(source, start)
    local words, depth, first_end = {}, 0, source:find("\n", start, true) or #source + 1
    for _, word in ipairs(tokens.of(source:sub(start))) do
        word.first, word.last = word.first + start - 1, word.last + start - 1
        if word.first > first_end and depth <= 0 then break end
        if word.text:find "^[({[]$" then depth = depth + 1 end
        if word.text:find "^[)}%]]$" then depth = depth - 1 end
        words[#words + 1] = word
    end
    return words
end

-- The only one of the words that is that name; nil if there are several.
local function only(words, name)
    local found
    for _, word in ipairs(words) do
        local inner = word.kind == "string" and word.value or word.text
        if inner == name then
            if found then return nil end
            found = word
        end
    end
    return found
end

-- How messages name what went wrong: Lua's, and nsh's.
local patterns = {
    "%(%a+ '([^']+)'%)", "bad argument #%d+ to '([^']+)'", "const variable '([^']+)'", "label '([^']+)'", '"([^"]+)"',
}

-- Words of the source that may be to blame, the likeliest first.
local function suspects(message, err)
    local names = { type(err) == "table" and rawget(err, "key") or nil }
    for _, pattern in ipairs(patterns) do
        for name in message:gmatch(pattern) do names[#names + 1] = name end
    end
    local behind = #names + 1
    for word in (type(err) == "table" and rawget(err, "op") or ""):gmatch "%S+" do
        table.insert(names, behind, word) -- "add link x0": the thing says more than the verb
    end
    return names
end

-- The line and the bytes in it of a word of the source.
local function place_of(source, word)
    local _, number = source:sub(1, word.first - 1):gsub("\n", "")
    local _, start = line_of(source, number + 1)
    return number + 1, word.first - start + 1, word.last - start + 1
end

local function of_suspect(source, number, message, err)
    local _, start = line_of(source, number)
    local words = words_from(source, start)
    for _, name in ipairs(suspects(message, err)) do
        local word = only(words, name)
        if word then return place_of(source, word) end
    end
end

-- What ends too early: where the block begins that is not closed, else its last line that has text.
local function of_end(source, message)
    local opener, at = message:match "%(to close '(.-)' at line (%d+)%)"
    if opener then
        local line = line_of(source, tonumber(at))
        local word = only(tokens.of(line), opener)
        if word then return tonumber(at), word.first, word.last end
    end
    local text = source:match "^(.-)%s*$"
    local _, number = text:gsub("\n", "")
    local column = #line_of(text, number + 1) + 1
    return number + 1, column, column
end

-- The number of the line, and the bytes in it, or nil if only the line is known.
local function find(source, number, message, err)
    if message:find " near <eof>$" then return of_end(source, message) end
    local first, last = M.syntax(source, number, message)
    if first then return number, first, last end
    return of_suspect(source, number, message, err)
end

-- --- the mark --------------------------------------------------------------------------------------

local function plain(text) return width.printable((text:gsub("[\t\r]", " "))) end

local function tail(text)
    if width.columns(text) <= BEFORE then return text end
    local from = utf8.len(text) and utf8.offset(text, -BEFORE) or #text - BEFORE
    return "…" .. text:sub(from)
end

local function marked(number, line, first, last)
    local before, place = tail(plain(line:sub(1, first - 1))), plain(line:sub(first, last))
    local behind = width.cut(plain(line:sub(last + 1)), BEHIND)
    local margin = (" "):rep(#tostring(number))
    return ("  %d | %s%s%s\n  %s | %s^%s"):format(number, before, place, behind, margin,
        (" "):rep(width.columns(before)), ("~"):rep(math.min(width.columns(place), BEHIND) - 1))
end

--- The excerpt of a source, or nil. `message`: what went wrong, as Lua or nsh says it; `number`: of the line. Options:
-- `err`: the error itself; `only_place`: nil rather than a mark under the whole line; `hidden`: how many bytes at the
-- beginning of the source nobody wrote.
--
--     excerpt.of("x = nope.y", 1, "attempt to index a nil value (global 'nope')")
function M.of(source, number, message, options)
    options = options or {}
    local line = line_of(source, number)
    if not line then return nil end
    local found, first, last = find(source, number, message, options.err)
    if found then
        number, line = found, line_of(source, found)
    elseif options.only_place or not line:find "%S" then
        return nil
    else
        first, last = line:find "%S", #line:match "^(.-)%s*$"
    end
    local hidden = number == 1 and options.hidden or 0
    return marked(number, line:sub(hidden + 1), first - hidden, last - hidden)
end

--- An error's text in parts: the name of the source, the number of the line, the message; nil if it has no place.
--
--     excerpt.place "bridge.lua:7: boom"   --> "bridge.lua", 7, "boom"
function M.place(text)
    local name, number, message = text:match "^([^\n]-):(%d+): (.*)$"
    return name, math.tointeger(number), message
end

local function contents(path)
    local file <close> = io.open(path)
    return file and file:seek "set" and file:read "a" -- a pipe gives its text but once
end

--- The excerpt of a script for an error's text, which begins with the place in it; nil if there is none, if the script
-- cannot be read, or if nothing but the line is known of an error that is the script's own. `err`: the error itself.
--
--     excerpt.of_script("bridge.lua:7: boom", err)
function M.of_script(text, err)
    local path, number, message = M.place(text)
    local source = path and contents(path)
    local is_own = type(err) ~= "table" or not rawget(err, "op")
    return source and M.of(source, number, message, { err = err, only_place = is_own })
end

return M
