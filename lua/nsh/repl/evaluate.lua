--- What the prompt does with a chunk: runs it, shows what came out, or says what went wrong.
local core = require "nsh.core"
local colour = require "nsh.colour"
local show = require "nsh.show"
local jobs = require "nsh.repl.jobs"

local M = {}

local STDOUT, STDERR = 1, 2
local LONG = 0.5 -- seconds, from which on the time is told unasked

-- How the lines of a traceback begin that belong to nsh: "[nsh.loop]:12:" when it is built in.
local own_file = debug.getinfo(1, "S").short_src
local own_prefix = own_file:match "^%[nsh" or own_file:match "^(.*/)repl/"

-- --- errors --------------------------------------------------------------------------------------

local function begins_with(frame, prefix)
    return frame:match "^%s*(.*)$":sub(1, #prefix) == prefix
end

local function is_placeless(frame)
    return begins_with(frame, "[C]:") or begins_with(frame, "(...tail calls...)")
end

-- A frame without a place in a file belongs to who called it: the next one that has a place.
local function is_hidden(frames, i)
    while frames[i] and is_placeless(frames[i]) do i = i + 1 end
    return not frames[i] or begins_with(frames[i], own_prefix)
end

-- The frames that are the user's, as text; "" if they say no more than the message does.
local function traceback()
    local frames, kept = {}, {}
    for frame in debug.traceback("", 3):gmatch "[^\n]+" do
        if begins_with(frame, own_file) then break end
        frames[#frames + 1] = frame
    end
    local places = 0
    for i = 2, #frames do
        if not is_hidden(frames, i) then
            kept[#kept + 1] = frames[i]
            places = places + (is_placeless(frames[i]) and 0 or 1)
        end
    end
    if places < 2 then return "" end
    -- whatever we make of it
    kept[#kept] = kept[#kept]:gsub("^(%s*stdin%[%d+%]:%d+:) in .*", "%1 in main chunk")
    return "\n" .. frames[1] .. "\n" .. table.concat(kept, "\n")
end

local function is_interrupt(err)
    return type(err) == "table" and rawget(err, "code") == "EINTR" and rawget(err, "signal")
end

local function to_text(err)
    local meta = getmetatable(err)
    local is_silent = type(err) == "table" and not (type(meta) == "table" and meta.__tostring)
    local ok, text = pcall(is_silent and show.format or tostring, err)
    return ok and text or "(an error that cannot be shown)"
end

-- The line that an error's text is about: of an earlier chunk or of a file; of the one that runs only if it has
-- several, or the place in it is known, since it still stands above. nil for none.
local function excerpt_of(text, err)
    local excerpt, journal = require "nsh.excerpt", require "nsh.repl.journal"
    local name, number, message = excerpt.place(text)
    local source = journal.source(name)
    local is_here = M.entry and (not name or "=" .. name == M.entry.name)
    local is_seen = is_here and not M.entry.text:find "\n"
    if not source and not is_seen then return excerpt.of_script(text, err) end
    return excerpt.of(source or M.entry.text, number or 1, message or text,
        { err = err, only_place = is_seen })
end

local function with_excerpt(text, err)
    local ok, lines = pcall(excerpt_of, text, err)
    return ok and lines and text .. "\n" .. lines or text
end

local function describe(err)
    return is_interrupt(err) and err or with_excerpt(to_text(err), err) .. traceback()
end

-- The numbers of chunks, by which their lines are found, tell nobody else anything.
local function without_numbers(text)
    return (text:gsub("stdin%[%d+%]:", "stdin:"))
end

--- What went wrong, on stderr, behind all that was printed before; its first line in red.
function M.complain(message)
    io.stdout:flush()
    local first, rest = without_numbers(message):match "^(\n?[^\n]*)(.*)$"
    io.stderr:write(colour("down", first, STDERR), rest, "\n")
end

-- Whether it went well; an interrupt is for the prompt, anything else is told.
local function went_well(results)
    if results[1] then return true end
    if is_interrupt(results[2]) then error(results[2], 0) end
    M.complain(results[2])
end

-- --- time ----------------------------------------------------------------------------------------

-- Whether it is told of each chunk; else of those that take long, on a terminal.
local always_timed = false

local function tell_time(seconds, is_asked)
    local is_long = seconds > LONG and core.file.isatty(STDOUT)
    if not (is_asked or always_timed or is_long) then return end
    local text = seconds < 1 and ("%.3g ms"):format(seconds * 1e3) or ("%.2f s"):format(seconds)
    print(colour("faint", text))
end

-- --- running -------------------------------------------------------------------------------------

-- What is shown meanwhile has the pager; what tasks show while somebody types has not.
local function paged()
    show.to(require("nsh.repl.pager").write)
    return setmetatable({}, { __close = function() show.to(nil) end })
end

--- Calls a function, and shows what it returns unless it is to be `silent`.
-- Returns whether it went well, the error's text, and the seconds it took. Raises only interrupts.
--
--     evaluate.call(function() return 1 + 1 end)
function M.call(chunk, silent)
    local _ <close> = paged()
    jobs.begin_line()
    M.evaluating = true -- what is returned is shown, and need not print itself
    local began = core.poll.now()
    local results = table.pack(xpcall(chunk, describe))
    local seconds = core.poll.now() - began
    M.evaluating = false
    local ok = went_well(results)
    if ok and results.n > 1 and not silent then
        went_well(table.pack(xpcall(show.show, describe, table.unpack(results, 2, results.n))))
        jobs.follow(table.unpack(results, 2, results.n))
    end
    return ok, results[2], seconds
end

local function warn_of(names, why)
    if names == "" then return end
    M.complain(names .. (names:find "," and " are" or " is") .. " not kept: " .. why)
end

-- What is local to a chunk that failed is not there.
local function declared(entry)
    local tokens, names = require "nsh.repl.tokens", {}
    for i, one in ipairs(tokens.locals(tokens.of(entry.text))) do names[i] = one.name end
    return table.concat(names, ", ")
end

-- The first value of a chunk is `_` from then on.
local function keep_last(entry, ...)
    entry.failed, entry.gives = nil, select("#", ...) > 0
    if entry.gives then _G._ = ... end
    return ...
end

local function leave()
    require("nsh.repl.journal").watch(nil)
    M.entry = nil
end

-- Its changes and its error go to the journal, also if it is interrupted.
local function run(found, entry, is_timed)
    local _ <close> = setmetatable({}, { __close = leave })
    M.entry, entry.failed = entry, "interrupted"
    require("nsh.repl.journal").watch(entry)
    local ok, message, seconds = M.call(function() return keep_last(entry, found.fn()) end, found.silent)
    if ok then
        warn_of(found.lost, "it ends with what was typed")
        warn_of(found.outcome.missed or "", "the chunk returned before its end")
    else
        entry.failed = message
        warn_of(declared(entry), "what declared it failed")
    end
    tell_time(seconds, is_timed)
end

--- Says that Ctrl-C has ended what ran, and tidies up behind it: as long as it was raised, nothing else could.
function M.interrupted()
    local entry = M.entry
    leave()
    M.evaluating = false
    show.to(nil)
    M.complain "\ninterrupted"
    if entry and entry.failed == "interrupted" then
        warn_of(declared(entry), "what declared it was interrupted")
    end
end

-- What the compiler says, with its mark.
local function refuse(message, source, hidden)
    local excerpt = require "nsh.excerpt"
    local _, number, rest = excerpt.place(message)
    local lines = number and excerpt.of(source, number, rest, { hidden = hidden })
    M.complain(lines and message .. "\n" .. lines or message)
end

--- Compiles and calls a text, or says why it cannot be compiled. `is_timed`: its time is told, however short.
--
--     evaluate.text "1 + 1"
function M.text(text, is_timed)
    local entry = require("nsh.repl.journal").add(text)
    local found, message, source, hidden = require("nsh.repl.chunk").compile(text, entry.name)
    if found then
        entry.compiles, entry.is_expression = true, found.is_expression
        run(found, entry, is_timed)
    else
        entry.failed = message
        refuse(message, source, hidden)
    end
end

--- `.time`: tells the time that a text takes; of "" it switches between telling that of all and of long ones only,
-- and says which.
--
--     evaluate.time "host.link:list()"
function M.time(text)
    if text:find "%S" then return M.text(text, true) end
    always_timed = not always_timed
    print(always_timed and "the time of all is told" or ("the time of what takes more than %g s is told"):format(LONG))
end

M.is_interrupt = is_interrupt

return M
