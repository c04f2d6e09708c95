--- The prompt: reads Lua or a command, runs it, prints what came out. Tasks go on while somebody types.
local core = require "nsh.core"
local readline = require "nsh.core.readline"
local read = require "nsh.repl.read"

local M = {}

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

local is_ready = false

-- All that is not needed to show a prompt comes before its first key: nobody waits for that. Completion only looks at
-- the globals that there are.
local function get_ready()
    if is_ready then return end
    is_ready = true
    load_history()
    for _, name in ipairs { "nsh", "host", "show" } do local _ = _G[name] end
    if rawget(_G, "help") == nil then _G.help = nsh.help end
    require "nsh.repl.evaluate"
    require "nsh.repl.mininet"
end

-- One chunk, from the prompt to its output. Returns false at the end.
local function turn()
    local text = read.chunk(get_ready)
    if not text then return false end
    local commands = require "nsh.repl.commands"
    local evaluate = require "nsh.repl.evaluate"
    local command = commands.find(text) or require "nsh.repl.mininet".find(text)
    if command then evaluate.call(command) else evaluate.text(text) end
    return not commands.leaving
end

-- Ctrl-C at the prompt is answered by a new one, elsewhere by a word.
local function interrupted()
    if not readline.clear_line() then require "nsh.repl.evaluate".interrupted() end
end

--- Runs the prompt on standard input until Ctrl-D. `options.banner`: the program and its version, with
-- which a line for whoever sits at a terminal begins; default: no such line. Raises what ends the
-- program (a signal), once the terminal is restored.
--
--     require "nsh.repl".run{ banner = "nsh 0.1" }
function M.run(options)
    local _ <close> = setmetatable({}, { __close = readline.stop })
    readline.set_completer(
        function(...) return require "nsh.repl.complete.prompt".words(...) end,
        function(...) return require "nsh.repl.complete.prompt".list(...) end)
    read.prepare()
    if options and options.banner and readline.is_terminal() then
        print(options.banner .. " (help() shows around; Ctrl-D leaves)")
    end
    local failure
    core.interrupt.loop(function(err)
        failure = err
        if err ~= nil and not require "nsh.repl.evaluate".is_interrupt(err) then return true end
        if err then interrupted() end
        return not turn()
    end)
    if failure ~= nil and not require "nsh.repl.evaluate".is_interrupt(failure) then error(failure, 0) end
end

return M
