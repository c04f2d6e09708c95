--- What is typed at the prompt, until it is whole.
local loop = require "nsh.loop"
local readline = require "nsh.core.readline"

local M = {}

local CHUNK = "=stdin"
local STDIN = 0

-- What is typed until readline has it whole; false at the end of the input. `shown` is called once the prompt
-- stands.
local function read_text(prompt, shown)
    local input = { { readline.wake_fd(), "r" }, { STDIN, "r" } }
    readline.start(prompt)
    shown()
    while true do
        if loop.wait_any(input) == 1 then
            readline.update()
        else
            local line = readline.feed()
            if line ~= nil then return line end
        end
    end
end

local function is_incomplete(message)
    return message:find "<eof>$" ~= nil
end

--- The function that a text is, an expression or statements, or nil, the error, and whether more text could cure
-- it.
--
--     compile "1 +"      --> nil, 'stdin:1: unexpected symbol near <eof>', true
function M.compile(text)
    local chunk, not_expression = load("return " .. text, CHUNK, "t")
    if chunk then return chunk end
    local message
    chunk, message = load(text, CHUNK, "t")
    return chunk, message, is_incomplete(message or "") or is_incomplete(not_expression)
end

local function is_unfinished(text)
    return not require "nsh.repl.commands".find(text) and select(3, M.compile(text)) or false
end

local function question(name)
    return function(...) return require("nsh.repl.question")[name](...) end
end

-- Without a bracket or a text no call's arguments are typed.
local function hint(text, ...)
    if text:find "[%({\"']" then return require("nsh.repl.question").hint(text, ...) end
end

-- Dim text needs a terminal that has it.
local function has_hints()
    return os.getenv "NSH_HINTS" ~= "off" and require "nsh.colour"("faint", "x") ~= "x"
end

--- To be called once, before the first prompt: what readline asks of Lua.
function M.prepare()
    readline.set_help(question("key"), has_hints() and hint or nil)
    readline.set_unfinished(is_unfinished)
    readline.print_above()
    loop.before_wait = readline.redraw
end

--- A whole chunk of Lua, or a command, as text; false at the end of the input. It is in the history then. `shown`:
-- called once the prompt stands.
function M.chunk(shown)
    local text = read_text("nsh> ", shown)
    local entry = text and text:gsub("%s+$", "")
    if entry and entry ~= "" then readline.history_add(entry) end
    return text
end

return M
