--- How far something long has come: one line on a terminal, from half a second on; nothing elsewhere.
--
--     local progress = require "nsh.progress"("star", 1000, "nodes")
--     for i = 1, 1000 do … progress:at(i) end
--     progress:done()
local core = require "nsh.core"

local STDERR = 2
local SILENT = 0.5 -- seconds
local EVERY = 0.1 -- seconds

local Progress = {}
Progress.__index = Progress

--- Shows that `count` of them are done.
function Progress:at(count)
    if not self.terminal then return end
    local now = core.poll.now()
    if now < self.due then return end
    self.due, self.shown = now + EVERY, true
    io.stderr:write(("\r%s: %d of %d %s\27[K"):format(self.title, count, self.total, self.what))
end

--- Takes the line away.
function Progress:done()
    if self.shown then io.stderr:write "\r\27[K" end
    self.shown = false
end

Progress.__close = Progress.done

--- Begins. `title` and `what` are for people, `total` is the number that is to be done.
return function(title, total, what)
    local terminal = core.file.isatty(STDERR) and os.getenv "TERM" ~= "dumb"
    return setmetatable({ title = title, total = total, what = what, terminal = terminal,
        due = core.poll.now() + SILENT }, Progress)
end
