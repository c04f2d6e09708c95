--- What comes of its own accord, packets and events: a task reads it whenever the script waits for anything,
-- and whoever wants the next one waits for that.
--
-- A feed is a table with `handle`, as long as it runs, `waits` (empty at first), perhaps a `deadline`, and `netns` for
-- errors. Its `way` is what can be done with it:
--   drain(feed)             takes what is there, and ends with tell(feed, …)
--   pop(feed)               the next one that nobody has taken, or nil
--   finish(feed, reason)    ends it
--   pause(feed)             seconds after which to look in any case, or nil; and true if nothing shall be read before
--   wanted                  what next() waits for, for errors
local core = require "nsh.core"
local errors = require "nsh.errors"
local loop = require "nsh.loop"
local options = require "nsh.options"
local now = core.poll.now

local M = {}

--- Lets those go on who wait for the next one.
--
--     feed.wake(self)
function M.wake(feed)
    for wait in pairs(feed.waits) do wait.done = true end
    feed.waits = {}
end

--- The same, if there `is_something` for them, or will be nothing any more: two who wait would else wake each other
-- for ever.
--
--     feed.tell(self, self.queue[1] ~= nil)
function M.tell(feed, is_something)
    if is_something or not feed.handle then M.wake(feed) end
end

-- How long to wait, and whether for that alone.
local function patience(feed, way)
    local left = feed.deadline and math.max(0, feed.deadline - now())
    local pause, full = way.pause(feed)
    return pause and math.min(left or pause, pause) or left, full
end

local function wait_for_more(fd, seconds, full)
    if full then loop.sleep(seconds) else loop.wait(fd, "r", seconds) end
end

local function look(feed, way)
    way.drain(feed)
    if feed.deadline and now() >= feed.deadline then way.finish(feed, "timeout") end
end

local function is_running(feed) return feed and feed.handle end

local function read(weak, way, fd)
    while is_running(weak.feed) do
        wait_for_more(fd, patience(weak.feed, way))
        if is_running(weak.feed) then look(weak.feed, way) end
    end
end

--- Begins to read: descriptor `fd` tells that there is something. The task holds the feed only while it reads, so that
-- one that nobody has any more is collected.
function M.start(feed, way, fd)
    loop.go(read, setmetatable({ feed = feed }, { __mode = "v" }), way, fd)
    local jobs = package.loaded["nsh.repl.jobs"]
    if jobs then jobs.note(feed) end
end

local function check_timeout(feed, way, timeout)
    if timeout == nil or type(timeout) == "number" then return end
    errors.raise(errors.new("EINVAL", "a number of seconds expected, not " .. options.quote(timeout)),
        "wait for " .. way.wanted(feed), feed.netns)
end

--- The next one: waits for it, at most `timeout` seconds (default: for ever). nil after that, and at the end.
function M.next(feed, way, timeout)
    check_timeout(feed, way, timeout)
    local deadline = timeout and now() + timeout
    while true do
        local one = way.pop(feed)
        if one == nil then
            way.drain(feed)
            one = way.pop(feed)
        end
        if one ~= nil then return one end
        local left = deadline and deadline - now()
        if not feed.handle or left and left <= 0 then return nil end
        local wait = {}
        feed.waits[wait] = true
        loop.suspend(wait, left)
        feed.waits[wait] = nil
    end
end

--- Calls fn with each one as it comes, in a task, which is returned.
function M.each(feed, fn)
    return loop.go(function()
        for one in function() return feed:next() end do fn(one) end
    end)
end

return M
