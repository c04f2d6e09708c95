--- Completion at the prompt: the matches for readline, and how it shows them.
local core = require "nsh.core"
local readline = require "nsh.core.readline"
local scope = require("nsh.repl.locals").scope
local line = require "nsh.repl.complete.line"

local M = {}

local last = {} -- matches, to be shown

-- File names, and whether there is only one, which is no directory: then `tail` is certain.
local function files(prefix, tail)
    local found = {}
    for i, path in ipairs(readline.files(prefix)) do
        local slash = core.file.is_directory(path) and "/" or ""
        found[i] = { word = path .. slash, text = path:match "[^/]+$" .. slash }
    end
    table.sort(found, function(a, b) return a.text < b.text end)
    if #found == 1 and found[1].word:sub(-1) ~= "/" then found[1].word = found[1].word .. tail end
    return found
end

local function lua(before, start, after)
    local found, at = require "nsh.repl.complete".complete(before:sub(start), scope(), after)
    return found, at + start - 1
end

-- What a line of Mininet's can begin with is offered behind the names of Lua.
local function add_beginnings(found, prefix)
    local seen = {}
    for _, match in ipairs(found) do seen[match.text] = true end
    for _, match in ipairs(line.beginnings(prefix)) do
        if not seen[match.text] then found[#found + 1] = match end
    end
end

local function find(before, after)
    local found, start = line.complete(before)
    if found then return found, start end
    found, start = lua(before, start or 1, after)
    local prefix = before:match "^%s*([%a_][%w_]*)$"
    if prefix then add_beginnings(found, prefix) end
    return found, start
end

--- What could stand at the cursor: a list of texts, and from which byte of `before` on. `before`, `after`: what
-- stands on each side of it, several lines perhaps.
--
--     prompt.words("host.link:set{ ", "")
function M.words(before, after)
    local start
    last, start = find(before, after)
    if last.files and #last == 0 then last = files(before:sub(start), last.tail) end
    local words = {}
    for i, match in ipairs(last) do words[i] = match.word end
    return words, start
end

--- The last matches as text for a terminal of that size.
function M.list(columns, rows)
    return table.concat(require "nsh.repl.complete.list".lines(last, columns, rows), "\r\n") .. "\r\n"
end

return M
