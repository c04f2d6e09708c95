--- `.watch`: an expression again and again, as watch(1) does with a command.
local loop = require "nsh.loop"
local read = require "nsh.repl.read"
local readline = require "nsh.core.readline"
local show = require "nsh.show"

local M = {}

local SECONDS = 2
local CLEAR = "\27[H\27[2J"

-- "0.5 host.link:list()": the time, default 2, and the function.
local function parse(text)
    local seconds, rest = text:match "^(%d*%.?%d+)%s+(.+)$"
    local chunk = rest and read.compile(rest)
    if chunk then return tonumber(seconds), rest, chunk end
    if text == "" or tonumber(text) then error("there is nothing to watch: .watch [seconds] expression", 0) end
    local message
    chunk, message = read.compile(text)
    return SECONDS, text, chunk or error(message, 0)
end

--- Shows what an expression gives, on a screen of its own each time, until Ctrl-C. `text`: the seconds between two
-- times (default 2), and the expression.
--
--     watch.run "1 host.link:list()"
function M.run(text)
    local seconds, expression, chunk = parse(text)
    local clear = readline.is_terminal() and os.getenv "TERM" ~= "dumb" and CLEAR or ""
    while true do
        local results = table.pack(chunk())
        io.stdout:write(clear, ("every %g s: %s    %s    Ctrl-C ends it\n\n"):format(seconds, expression,
            os.date "%H:%M:%S"))
        if results.n > 0 then show.show(table.unpack(results, 1, results.n)) end
        io.stdout:flush()
        loop.sleep(seconds)
    end
end

return M
