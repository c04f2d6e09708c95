--- What goes on in the background of the prompt: programs, monitors, captures. They tell above the line that is typed
-- what they have to tell.
local M = {}

local known, count = setmetatable({}, { __mode = "k" }), 0 -- job -> its number, in their order
local fresh = {} -- those of the line that is being run

local function is_program(job) return rawget(job, "pid") ~= nil end

-- --- what they tell --------------------------------------------------------------------------------

local function how_it_ended(result)
    if result.signal then return "was ended by SIG" .. result.signal end
    return result.status == 0 and "has ended" or "has ended with status " .. result.status
end

local function tell_end(program)
    print(("%s in %s %s"):format(program, program.netns, how_it_ended(program.result)))
end

local function follow(feed)
    print "its lines come here from now on; _:stop() ends it"
    feed.task = require("nsh.loop").go(function()
        for one in function() return feed:next() end do print(one) end
        print(feed)
    end)
end

-- --- which there are -------------------------------------------------------------------------------

--- Takes note of a program, a monitor or a capture that begins. Of a program that ends by itself it will be told.
function M.note(job)
    count = count + 1
    known[job], fresh[job] = count, true
    if is_program(job) then require("nsh.process").when_ended(job, tell_end) end
end

--- To be called before a line is run.
function M.begin_line()
    fresh = {}
end

--- Of the values that a line has given, shows what monitors and captures bring that the line has begun, if nobody
-- else gets it.
--
--     host:monitor "link"     --> 2: veth0@veth1: <BROADCAST,MULTICAST> mtu 1500 …
function M.follow(...)
    for i = 1, select("#", ...) do
        local value = select(i, ...)
        if fresh[value] and not is_program(value) and value.handle and not value.task then follow(value) end
    end
end

local function is_running(job)
    if is_program(job) then return job:running() end
    return rawget(job, "handle") ~= nil
end

--- Prints what runs, the oldest first.
function M.list()
    local list = {}
    for job in pairs(known) do
        if is_running(job) then list[#list + 1] = job end
    end
    table.sort(list, function(a, b) return known[a] < known[b] end)
    for _, job in ipairs(list) do
        print(is_program(job) and ("%s in %s"):format(job, job.netns) or job)
    end
    if not list[1] then print "nothing runs in the background" end
end

return M
