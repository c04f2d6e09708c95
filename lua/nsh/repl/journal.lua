--- What was typed at the prompt and what it did: for `.save`, and for the lines of errors.
local trace = require "nsh.trace"

local M = {}

local MOST = 100000 -- commands of a session: it may go on for days

local entries, count = {}, 0

--- A new entry for a text that is about to run. Its fields: `text`; `name`: under which it is compiled, so that each
-- has its own; `commands`: what it changed, as `nsh -x` tells it; and what others note: `failed`, the error's text,
-- `compiles`, `is_expression`, `gives` (a value).
--
--     local entry = journal.add "x = 1"
function M.add(text)
    local number = #entries + 1
    local entry = { text = text, name = ("=stdin[%d]"):format(number), commands = {} }
    entries[number] = entry
    return entry
end

--- A new entry for a command that is about to run, as the call that does the same: interrupted, until somebody says
-- that it is over.
--
--     journal.add_call 'nsh.host:exec "ls"'.failed = nil
function M.add_call(text)
    local entry = M.add(text)
    entry.compiles, entry.is_expression, entry.failed = true, true, "interrupted"
    return entry
end

-- Each global with its value.
local function globals()
    local copy = {}
    for key, value in next, _G do copy[key] = value end
    return copy
end

local function differs(before)
    for key, value in next, _G do
        if key ~= "_" and not rawequal(before[key], value) then return true end
    end
    for key in next, before do
        if rawget(_G, key) == nil then return true end
    end
    return false
end

local function note(entry, line)
    count = count + 1
    if count <= MOST then entry.commands[#entry.commands + 1] = line else entry.has_more = true end
end

--- Notes what changes until `watch(nil)`: commands (`has_more`: than are kept), and whether a global was set
-- (`defines`).
--
--     journal.watch(entry)
function M.watch(entry)
    if M.watched then
        M.watched.defines = differs(M.watched.globals)
        M.watched.globals = nil
    end
    M.watched = entry
    if entry then entry.globals = globals() end
    trace.also(entry and function(line) note(entry, line) end)
end

--- The text of a chunk by its name in messages, "stdin[3]"; nil if there is none such.
--
--     journal.source "stdin[3]"
function M.source(name)
    local number = name and math.tointeger(name:match "^stdin%[(%d+)%]$")
    return number and entries[number] and entries[number].text
end

--- All entries, oldest first.
--
--     #journal.entries()
function M.entries() return entries end

return M
