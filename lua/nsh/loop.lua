--- Waiting, and tasks that wait side by side.
--
-- Everything that can be waited for is a descriptor, a time or a task. A wait suspends the task that
-- calls it, so that the others go on; where there is nothing to suspend (the main script, a coroutine
-- of your own, a callback of `table.sort`) it runs the others itself until its turn has come.
--
--     local t = nsh.go(function() loop.sleep(1) return "done" end)
--     print(t:wait())
--
-- Any line here may be the last one before Ctrl-C. So there is no state that has to be put right:
-- whether a task can go on is always read off the task itself.
local poll = require "nsh.core".poll
local errors = require "nsh.errors"

local M = {}
local Task = { __name = "nsh.task" }
Task.__index = Task

local live = {} -- the tasks that have not ended, oldest first
local task_of = setmetatable({}, { __mode = "k" }) -- coroutine -> task
local to_report = false

local function runnable(task)
    local wait = task.wait_for
    return (not wait or wait.done) and coroutine.status(task.co) == "suspended"
end

local function finish(task, ok, ...)
    if coroutine.status(task.co) ~= "dead" then return end
    task.results, task.failed = table.pack(...), not ok
    if task.failed then
        coroutine.close(task.co)
        to_report = true
    end
    for _, wait in ipairs(task.waiters) do wait.done = true end
end

local function resume(task, ...)
    task.wait_for = nil
    finish(task, coroutine.resume(task.co, ...))
end

local function drop_ended()
    local kept = {}
    for _, task in ipairs(live) do
        if coroutine.status(task.co) ~= "dead" then kept[#kept + 1] = task end
    end
    live = kept
end

--- Called before each wait; the prompt shows then what tasks have printed.
function M.before_wait() end

-- What to poll: the descriptors of every wait, whose they are, and how long there is time.
local function gather(own)
    local set = { fds = {}, modes = {}, waits = {}, items = {}, deadline = nil }
    local function add(wait)
        for i, item in ipairs(wait) do
            local n = #set.fds + 1
            set.fds[n], set.modes[n], set.waits[n], set.items[n] = item[1], item[2], wait, i
        end
        set.deadline = math.min(set.deadline or math.huge, wait.deadline or math.huge)
        set[#set + 1] = wait
    end
    add(own)
    for _, task in ipairs(live) do
        if runnable(task) then
            set.deadline = -math.huge
        elseif task.wait_for then
            add(task.wait_for)
        end
    end
    return set
end

local function poll_once(own)
    local set = gather(own)
    if #set.fds == 0 and set.deadline == math.huge and not own.forever then
        error("this wait can never end: every task waits for another", 0)
    end
    M.before_wait()
    local ready = assert(poll.wait(set.fds, set.modes, set.deadline - poll.now()))
    for _, n in ipairs(ready) do
        local wait = set.waits[n]
        wait.result, wait.done = wait.result or set.items[n], true
    end
    local now = poll.now()
    for _, wait in ipairs(set) do
        if wait.deadline and wait.deadline <= now then wait.done = true end
    end
end

-- A lost error is reported when its task is collected: then nobody can wait for it any more.
local function report()
    if to_report then
        to_report = false
        collectgarbage()
    end
end

-- One turn: every task that can go on does, once; then the kernel is asked.
local function turn(own)
    for _, task in ipairs(live) do
        if runnable(task) then resume(task) end
    end
    drop_ended()
    report()
    if not own.done then poll_once(own) end
end

--- Waits until `wait.done`, which another task sets, or one of its descriptors is ready: `wait` is a list of
-- { fd, mode }, which may be empty. `timeout`: seconds. For those who have something of their own to wait for.
--
--     local wait = {}
--     self.waits[#self.waits + 1] = wait
--     loop.suspend(wait, 5)
local function suspend(wait, timeout)
    if timeout and type(timeout) ~= "number" then
        error("a time is a number of seconds, not a " .. type(timeout), 3)
    end
    wait.deadline = timeout and poll.now() + timeout
    local task = task_of[coroutine.running()]
    if task and coroutine.isyieldable() then
        while not wait.done do
            task.wait_for = wait
            coroutine.yield()
        end
    else
        while not wait.done do turn(wait) end
    end
    return wait.result
end

M.suspend = suspend

local function check_item(item)
    if math.type(item[1]) ~= "integer" or item[1] < 0 then
        error("a descriptor is a number from 0, not " .. tostring(item[1]), 3)
    end
    if item[2] ~= "r" and item[2] ~= "w" then
        error('the mode of a wait is "r" or "w", not ' .. tostring(item[2]), 3)
    end
end

--- Waits until one of several descriptors is ready. `items`: a list of { fd, mode }, the mode "r" or
-- "w"; `timeout`: seconds, default for ever. Returns the index of the first that is ready (also after
-- a hangup or an error of the descriptor, and when it is closed), or nil after the time.
--
--     local i = loop.wait_any({ { out, "r" }, { err, "r" } }, 5)
function M.wait_any(items, timeout)
    local wait = {}
    for i, item in ipairs(items) do
        check_item(item)
        wait[i] = item
    end
    return suspend(wait, timeout)
end

--- Waits until descriptor `fd` can be read (`mode` "r") or written ("w"), at most `timeout` seconds
-- (default: for ever). Returns true when it is ready, also after a hangup or an error; false after
-- the time.
--
--     if not loop.wait(fd, "r", 2.5) then print "nothing came" end
function M.wait(fd, mode, timeout)
    local item = { fd, mode }
    check_item(item)
    return suspend({ item }, timeout) ~= nil
end

--- Sleeps for `seconds`, fractions allowed; other tasks go on meanwhile.
--
--     loop.sleep(0.2)
function M.sleep(seconds)
    if type(seconds) ~= "number" then
        errors.raise(errors.new("EINVAL", "a number of seconds expected, not a " .. type(seconds)), "sleep")
    end
    suspend({ forever = true }, seconds)
end

--- Starts `fn(...)` as a task: it runs at once, up to its first wait, and goes on whenever the rest of
-- the script waits. The script's end ends it. Returns the task: `task:wait()`, `task:done()`. An error
-- that nobody waits for is printed.
--
--     local task = nsh.go(function(n) loop.sleep(n) return n end, 0.1)
--     print(task:wait())
function M.go(fn, ...)
    if type(fn) ~= "function" then
        errors.raise(errors.new("EINVAL", "a function expected, not a " .. type(fn)), "start a task")
    end
    local co = coroutine.create(fn)
    local task = setmetatable({ co = co, waiters = {} }, Task)
    task_of[co] = task
    live[#live + 1] = task
    resume(task, ...)
    return task
end

--- Whether the task has ended.
--
--     while not task:done() do loop.sleep(0.1) end
function Task:done()
    return self.results ~= nil
end

--- Waits until the task has ended, at most `timeout` seconds (default: for ever). Returns what its
-- function returned, or raises its error; nil and "timeout" after the time.
--
--     local answer = task:wait(5)
function Task:wait(timeout)
    if not self.results then
        local wait = {}
        self.waiters[#self.waiters + 1] = wait
        suspend(wait, timeout)
        if not self.results then return nil, "timeout" end
    end
    if self.failed then
        self.waited = true
        error(self.results[1], 0)
    end
    return table.unpack(self.results, 1, self.results.n)
end

function Task:__tostring()
    return "task (" .. (not self.results and "running" or self.failed and "failed" or "done") .. ")"
end

function Task:__gc()
    local err = self.failed and not self.waited and self.results[1]
    if err and not (type(err) == "table" and err.code == "EINTR") then
        io.stderr:write("nsh: in a task: ", tostring(err), "\n")
    end
end

return M
