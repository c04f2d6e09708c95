--- The prompt: reads Lua, runs it, prints what came out. Tasks go on while somebody types.
local core = require "nsh.core"
local loop = require "nsh.loop"
local readline = require "nsh.core.readline"
local show = require "nsh.show"
local complete = require "nsh.repl.complete".complete

local M = {}

local CHUNK = "=stdin"
local STDIN = 0

-- How the lines of a traceback begin that belong to nsh: "[nsh.loop]:12:" when it is built in.
local own_file = debug.getinfo(1, "S").short_src
local own_prefix = own_file:match "^%[nsh" or own_file:match "^(.*/)repl/"

-- One line; false at the end of the input.
local function read_line(prompt)
    local input = { { STDIN, "r" }, { readline.wake_fd(), "r" } }
    readline.start(prompt)
    while true do
        if loop.wait_any(input) == 1 then
            local line = readline.feed()
            if line ~= nil then return line end
        else
            readline.update()
        end
    end
end

local function is_incomplete(message)
    return message:find "<eof>$" ~= nil
end

-- The function that a text is, or nil, the error, and whether more text could cure it.
local function compile(text)
    local chunk, not_expression = load("return " .. text, CHUNK, "t")
    if chunk then return chunk end
    local message
    chunk, message = load(text, CHUNK, "t")
    return chunk, message, is_incomplete(message or "") or is_incomplete(not_expression)
end

-- Reads a whole chunk: the function, or nil and a message. false at the end of the input.
local function read_chunk()
    local text = read_line "nsh> "
    if not text then return false end
    local chunk, message, more = compile(text)
    while more do
        local line = read_line ">> "
        if not line then break end
        text = text .. "\n" .. line
        chunk, message, more = compile(text)
    end
    if text:find "%S" then readline.history_add(text) end
    return chunk, message
end

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

local function complain(message)
    io.stdout:flush()
    io.stderr:write(message, "\n")
end

local function evaluate(chunk)
    M.evaluating = true -- what is returned is shown, and need not print itself
    local results = table.pack(xpcall(chunk, describe))
    M.evaluating = false
    if results[1] and results.n > 1 then
        _G._ = results[2]
        results = table.pack(xpcall(show.show, describe, table.unpack(results, 2, results.n)))
    end
    if results[1] then return end
    if is_interrupt(results[2]) then error(results[2], 0) end
    complain(results[2])
end

-- One chunk, from the prompt to its output. Returns false at the end of the input.
local function turn()
    local chunk, message = read_chunk()
    if chunk then
        evaluate(chunk)
    elseif message then
        complain(message)
    end
    return chunk ~= false
end

-- Ctrl-C at the prompt is answered by a new one, elsewhere by a word.
local function interrupted()
    if not readline.clear_line() then complain "\ninterrupted" end
end

local function history_path()
    local state, home = os.getenv "XDG_STATE_HOME", os.getenv "HOME"
    if state and state:find "^/" then return state .. "/nsh/history" end
    if home and home:find "^/" then return home .. "/.local/state/nsh/history" end
end

-- No place for a history is no reason to complain.
local function load_history()
    local path = history_path()
    if path then readline.history_load(path) end
end

--- Runs the prompt on standard input until Ctrl-D. `options.banner`: the program and its version, with
-- which a line for whoever sits at a terminal begins; default: no such line. Raises what ends the
-- program (a signal), once the terminal is restored.
--
--     require "nsh.repl".run{ banner = "nsh 0.1" }
function M.run(options)
    local _ <close> = setmetatable({}, { __close = readline.stop })
    readline.set_completer(complete)
    load_history()
    if options and options.banner and readline.is_terminal() then
        print(options.banner .. " (help: nsh --help and README.md; Ctrl-D leaves)")
    end
    local failure
    core.interrupt.loop(function(err)
        failure = err
        if err ~= nil and not is_interrupt(err) then return true end
        if err then interrupted() end
        return not turn()
    end)
    if failure ~= nil and not is_interrupt(failure) then error(failure, 0) end
end

return M
