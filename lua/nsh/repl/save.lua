--- `.save`: what was done at the prompt, as a script that does it again.
--
-- It consists of what was typed, in its order, each chunk with the commands below it that do the same. Left out is what
-- only looked; what was refused is a comment, unless it had changed something before; of what was interrupted the
-- commands are left. A name that ends in ".sh" gives the commands alone, for the shell.
local core = require "nsh.core"
local errors = require "nsh.errors"
local journal = require "nsh.repl.journal"
local tokens = require "nsh.repl.tokens"

local M = {}

local MOST = 12 -- commands told of one chunk

-- Functions that change nothing.
local looking = {}
for word in ([[
    list get show find ping pingall http capture monitor listening peer shell dump plan text svg dot mermaid packets
    help print ipairs pairs next tostring tonumber type select rawget rawlen rawequal format rep sub upper lower match
    gmatch len byte char concat unpack pack traceback getinfo floor ceil abs max min read time clock date getenv jobs
    running
]]):gmatch "%a+" do
    looking[word] = true
end

-- --- what a chunk is -------------------------------------------------------------------------------

local function is_argument(word)
    return word and (word.kind == "string" or word.text == "(" or word.text == "{")
end

-- Whether it assigns, defines, or calls somebody who may change something.
local function may_act(words)
    local braces = 0
    for i, word in ipairs(words) do
        braces = braces + (word.text == "{" and 1 or word.text == "}" and -1 or 0)
        if word.text == "=" and braces == 0 or word.text == "local" or word.text == "function" then return true end
        if (word.kind == "name" or word.text == ")" or word.text == "]") and is_argument(words[i + 1]) and
            not looking[word.text] then
            return true
        end
    end
    return false
end

local function changed(entry)
    for _, command in ipairs(entry.commands) do
        if not command:find "^#" then return true end
    end
    return false
end

-- The names that a list behind `for`, `local` or `function` declares.
local function declares(words, name)
    for i, word in ipairs(words) do
        local before = words[i - 1] and words[i - 1].text
        local behind = words[i + 1] and words[i + 1].text
        if word.text == name and (before == "for" or before == "local" or before == "(" and behind == "," or
                before == "," and (behind == "in" or behind == "," or behind == "=" or behind == ")")) then
            return true
        end
    end
    return false
end

-- Whether it reads the value of the chunk before it.
local function needs_last(words)
    return tokens.mentioned(words)._ and not declares(words, "_")
end

-- --- a chunk as text -------------------------------------------------------------------------------

local function commented(text)
    return "-- " .. text:gsub("\n", "\n-- ")
end

local function compiles(text) return load(text, "=", "t") ~= nil end

-- An expression as a statement: a call is one, and what else there is becomes the last value. Where a chunk returns,
-- the script goes on: where it does so from a block it becomes a function, unless those behind it need its locals.
local function statement(entry)
    local text, words = entry.text:match "^(.-)%s*$", tokens.of(entry.text)
    local last = not entry.is_expression and tokens.last_return(words)
    if tokens.returns_early(words) and not tokens.locals(words)[1] then
        return (entry.is_last and "_ = " or "") .. "(function()\n" .. text .. "\nend)()"
    elseif entry.is_expression and (entry.is_last or not compiles(text)) then
        return "_ = " .. text
    elseif last then
        local value = text:sub(last.last + 1)
        return text:sub(1, last.first - 1) .. (value:find "[^%s;]" and "_ =" .. value or "")
    end
    return text
end

-- The commands below a chunk, as comments.
local function told(entry)
    local lines = {}
    for i = 1, math.min(#entry.commands, MOST) do lines[i] = commented(entry.commands[i]) end
    if #entry.commands > MOST then
        lines[#lines + 1] = ("-- … and %d more (a name that ends in .sh gets them)"):format(#entry.commands - MOST)
    end
    return lines
end

local function first_line(text)
    return (text:match "^\n?([^\n]*)":gsub("stdin%[%d+%]:", "line "))
end

-- In brackets that it does not close.
local function long_string(text)
    local level = ""
    while text:find("]" .. level .. "]", 1, true) do level = level .. "=" end
    return ("[%s[\n%s\n]%s]"):format(level, text, level)
end

-- What was interrupted might not end: its commands do what it did until then.
local function interrupted_text(entry)
    local text = commented("interrupted: " .. entry.text)
    if not changed(entry) then return text end
    return text .. "\nnsh.host:exec " .. long_string(table.concat(entry.commands, "\n"))
end

-- What had changed something when it failed does so again, and fails again; the script goes on.
local function failed_text(entry)
    if entry.failed == "interrupted" then return interrupted_text(entry) end
    if not entry.compiles or not (changed(entry) or entry.defines) then
        return commented("refused: " .. entry.text .. "\n  " .. first_line(entry.failed))
    end
    local whole = entry.is_expression and "return " .. entry.text or entry.text
    return ("pcall(function() -- %s\n%s\nend)"):format(first_line(entry.failed), whole)
end

local function text_of(entry)
    local text = entry.failed and failed_text(entry) or statement(entry)
    if text:find "^%(" then text = ";" .. text end -- or it would be the arguments of what stands before
    if entry.failed == "interrupted" then return text end
    return table.concat({ text, table.unpack(told(entry)) }, "\n")
end

local function invalid(message, hint) return errors.new("EINVAL", message, hint) end

-- --- the script ------------------------------------------------------------------------------------

-- Marks whose values are `_` of what is kept, and so are kept themselves.
local function mark_last(entries)
    local wanted = false
    for i = #entries, 1, -1 do
        local entry, words = entries[i], tokens.of(entries[i].text)
        entry.is_last = wanted and entry.gives
        entry.is_kept = entry.failed ~= nil or entry.is_last or changed(entry) or entry.defines or
            may_act(words)
        wanted = wanted and not entry.is_last or entry.is_kept and not entry.failed and needs_last(words)
    end
end

local function as_lua(entries)
    mark_last(entries)
    local texts = {}
    for _, entry in ipairs(entries) do
        if entry.is_kept and entry.text:find "%S" then texts[#texts + 1] = text_of(entry) end
    end
    return "#!/usr/bin/env nsh\n" .. ("-- What was done at the prompt of nsh on %s.\n\n"):format(os.date "%F %T") ..
        table.concat(texts, "\n\n") .. "\n"
end

local function as_commands(entries)
    local lines = { "#!/bin/sh -e" }
    for _, entry in ipairs(entries) do
        if entry.has_more then errors.raise(invalid "more was changed than is kept", "save commands") end
        table.move(entry.commands, 1, #entry.commands, #lines + 1, lines)
    end
    return table.concat(lines, "\n") .. "\n"
end

-- Labels and blocks that do not fit together are few, but a script that does not run is none.
local function check(text, op)
    local _, message = load(text:gsub("^#[^\n]*", ""), "=line", "t")
    if message then
        errors.raise(invalid("what was typed does not make one script: " .. message, "a name that ends in .sh " ..
            "gives what was done as commands"), op)
    end
end

local function path_of(words)
    local home = os.getenv "HOME"
    return home and words:gsub("^~/", home .. "/") or words
end

--- Writes the session so far to a file that does not exist yet, and returns a sentence that says so. Errors: EEXIST,
-- EINVAL for no name or nothing done, and what the kernel says.
--
--     save.save "session.lua"
function M.save(file)
    local path, entries = path_of(file), journal.entries()
    if path == "" then errors.raise(invalid "where to? .save file", "save") end
    local op = "save " .. path
    local is_shell = path:find "%.sh$"
    local text = (is_shell and as_commands or as_lua)(entries)
    if not is_shell then check(text, op) end
    local ok, err = core.file.script(path, text)
    if not ok and err.code == "EEXIST" then err.hint = "it is not overwritten: another name, or remove it first" end
    if not ok then errors.raise(err, op) end
    return ("%s %s does it again"):format(is_shell and "sh" or "nsh", path)
end

return M
