--- What the prompt does with a chunk: runs it, shows what came out, or says what went wrong.
local show = require "nsh.show"
local jobs = require "nsh.repl.jobs"
local read = require "nsh.repl.read"

local M = {}

-- How the lines of a traceback begin that belong to nsh: "[nsh.loop]:12:" when it is built in.
local own_file = debug.getinfo(1, "S").short_src
local own_prefix = own_file:match "^%[nsh" or own_file:match "^(.*/)repl/"

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

local function describe(err)
    return is_interrupt(err) and err or to_text(err) .. traceback()
end

--- What went wrong, on stderr, behind all that was printed before.
function M.complain(message)
    io.stdout:flush()
    io.stderr:write(message, "\n")
end

-- Whether it went well; an interrupt is for the prompt, anything else is told.
local function went_well(results)
    if results[1] then return true end
    if is_interrupt(results[2]) then error(results[2], 0) end
    M.complain(results[2])
end

--- Calls a function, and shows what it returns: the first value is `_` from then on. Raises only interrupts.
--
--     evaluate.call(function() return 1 + 1 end)
function M.call(chunk)
    jobs.begin_line()
    M.evaluating = true -- what is returned is shown, and need not print itself
    local results = table.pack(xpcall(chunk, describe))
    M.evaluating = false
    if not went_well(results) or results.n == 1 then return end
    _G._ = results[2]
    went_well(table.pack(xpcall(show.show, describe, table.unpack(results, 2, results.n))))
    jobs.follow(table.unpack(results, 2, results.n))
end

--- Compiles and calls a text, or says why it cannot be compiled.
--
--     evaluate.text "1 + 1"
function M.text(text)
    local chunk, message = read.compile(text)
    if chunk then M.call(chunk) else M.complain(message) end
end

M.is_interrupt = is_interrupt

return M
