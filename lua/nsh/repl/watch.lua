--- `.watch`: an expression again and again, as watch(1) does with a command.
local chunk = require "nsh.repl.chunk"
local core = require "nsh.core"
local loop = require "nsh.loop"
local readline = require "nsh.core.readline"
local show = require "nsh.show"

local M = {}

local STDOUT = 1
local SECONDS = 2
local HEAD = 3 -- rows: the line above, an empty one, and that of the cursor
local CLEAR = "\27[H\27[2J"
local CUT, WRAP = "\27[?7l", "\27[?7h" -- of lines that are too long

-- "0.5 host.link:list()": the time, default 2, and the function.
local function parse(text)
    local seconds, rest = text:match "^(%d*%.?%d+)%s+(.+)$"
    local found = rest and chunk.compile(rest, "=stdin")
    if found then return tonumber(seconds), rest, found.fn end
    if text == "" or tonumber(text) then error("there is nothing to watch: .watch [seconds] expression", 0) end
    local message
    found, message = chunk.compile(text, "=stdin")
    return SECONDS, text, found and found.fn or error(message, 0)
end

-- What `show` prints of a function's values, and in it, without the pager.
local function text_of(fn)
    local texts = {}
    show.to(function(text) texts[#texts + 1] = text end)
    show.show(fn())
    show.to(nil)
    return table.concat(texts)
end

-- As much of a text as a screen has room for, as watch(1) does.
local function on_screen(text)
    local _, rows = core.file.window(STDOUT)
    local last = 0
    for _ = 1, rows and math.max(rows - HEAD, 1) or math.huge do
        local newline = text:find("\n", last + 1, true)
        if not newline then return text end
        last = newline
    end
    return text:sub(1, last)
end

--- Shows what an expression gives, on a screen of its own each time, until Ctrl-C. `text`: the seconds between two
-- times (default 2), and the expression.
--
--     watch.run "1 host.link:list()"
function M.run(text)
    local seconds, expression, fn = parse(text)
    local has_screen = readline.is_terminal() and os.getenv "TERM" ~= "dumb"
    while true do
        local shown = text_of(fn)
        local head = ("every %g s: %s    %s    Ctrl-C ends it\n\n"):format(seconds, expression, os.date "%H:%M:%S")
        io.stdout:write(has_screen and CLEAR .. CUT .. head .. on_screen(shown) .. WRAP or head .. shown)
        io.stdout:flush()
        loop.sleep(seconds)
    end
end

return M
