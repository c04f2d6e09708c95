-- nsh.loop: waits, tasks, and what happens to their errors.
local lu = require "luaunit"
local core = require "nsh.core"
local loop = require "nsh.loop"

TestLoop = {}

local function pipe()
    local reader, writer = core.process.pipe()
    lu.assertNotNil(reader, writer)
    return reader, writer
end

-- Seconds that fn takes.
local function time(fn, ...)
    local start = core.poll.now()
    fn(...)
    return core.poll.now() - start
end

local function assert_took(expected, fn, ...)
    local seconds = time(fn, ...)
    lu.assertTrue(seconds >= expected and seconds < expected + 5, seconds) -- on a busy machine too
end

-- Sleeps until the condition holds, at most 5 s.
local function sleep_until(condition)
    for _ = 1, 500 do
        if condition() then return end
        loop.sleep(0.01)
    end
    lu.fail "it never came to pass"
end

-- What fn writes to stderr.
local function stderr_of(fn)
    local real, text = io.stderr, {}
    rawset(io, "stderr", { write = function(_, ...) text[#text + 1] = table.concat { ... } end })
    local ok, err = pcall(fn)
    rawset(io, "stderr", real)
    assert(ok, err)
    return table.concat(text)
end

-- --- descriptors and times -----------------------------------------------------------------------

function TestLoop.testTimeout()
    local reader = pipe()
    assert_took(0.1, function() lu.assertFalse(loop.wait(reader:fileno(), "r", 0.1)) end)
    lu.assertFalse(loop.wait(reader:fileno(), "r", 0))
    lu.assertFalse(loop.wait(reader:fileno(), "r", -1))
end

function TestLoop.testReadable()
    local reader, writer = pipe()
    lu.assertTrue(loop.wait(writer:fileno(), "w"))
    writer:write "x"
    lu.assertTrue(loop.wait(reader:fileno(), "r"))
end

function TestLoop.testHangupIsReady()
    local reader, writer = pipe()
    writer:close()
    lu.assertTrue(loop.wait(reader:fileno(), "r", 5))
end

function TestLoop.testClosedDescriptorDoesNotHang()
    local reader = pipe()
    local fd = reader:fileno()
    local task = loop.go(function() return loop.wait(fd, "r", 5) end)
    reader:close()
    assert_took(0, function() lu.assertTrue(task:wait()) end)
end

function TestLoop.testWaitAny()
    local first, second, writer = pipe(), pipe()
    writer:write "x"
    lu.assertEquals(loop.wait_any { { first:fileno(), "r" }, { second:fileno(), "r" } }, 2)
    lu.assertNil(loop.wait_any({ { first:fileno(), "r" } }, 0.01))
end

function TestLoop.testBadArguments()
    lu.assertErrorMsgContains("a descriptor is a number from 0", loop.wait, -1, "r")
    lu.assertErrorMsgContains("a descriptor is a number from 0", loop.wait, "x", "r")
    lu.assertErrorMsgContains('the mode of a wait is "r" or "w"', loop.wait, 0, "rw")
    lu.assertErrorMsgContains("a number of seconds expected", loop.sleep, "1")
    lu.assertErrorMsgContains("loop_test.lua:", function() loop.sleep "1" end)
end

function TestLoop.testSleep()
    assert_took(0.1, loop.sleep, 0.1)
    assert_took(0, loop.sleep, 0)
end

-- --- tasks ---------------------------------------------------------------------------------------

function TestLoop.testTasksRunSideBySide()
    local order = {}
    local function work(name, pause)
        for _ = 1, 2 do
            loop.sleep(pause)
            order[#order + 1] = name
        end
    end
    local a, b = loop.go(work, "a", 0.05), loop.go(work, "b", 0.08)
    assert_took(0.16, function() a:wait() b:wait() end)
    lu.assertEquals(order, { "a", "b", "a", "b" })
end

function TestLoop.testResultsKeepTheirNils()
    local task = loop.go(function(...) loop.sleep(0) return ... end, nil, 2, nil)
    lu.assertEquals(table.pack(task:wait()), { nil, 2, nil, n = 3 })
    lu.assertEquals(table.pack(task:wait()), { nil, 2, nil, n = 3 })
end

function TestLoop.testDone()
    local task = loop.go(loop.sleep, 0.01)
    lu.assertFalse(task:done())
    lu.assertEquals(tostring(task), "task (running)")
    task:wait()
    lu.assertTrue(task:done())
    lu.assertEquals(tostring(task), "task (done)")
end

function TestLoop.testWaitForATaskHasATimeout()
    local task = loop.go(loop.sleep, 0.2)
    lu.assertEquals({ task:wait(0.05) }, { nil, "timeout" })
    assert_took(0.1, task.wait, task)
end

function TestLoop.testErrorsComeOutOfWait()
    local object = { code = "EPERM" }
    local early = loop.go(error, object)
    local late = loop.go(function() loop.sleep(0.01) error(object) end)
    lu.assertIs(select(2, pcall(early.wait, early)), object)
    lu.assertIs(select(2, pcall(late.wait, late)), object)
    lu.assertIs(select(2, pcall(late.wait, late)), object)
end

function TestLoop.testAnErrorClosesItsVariables()
    local closed = false
    local task = loop.go(function()
        local _ <close> = setmetatable({}, { __close = function() closed = true end })
        loop.sleep(0)
        error "x"
    end)
    pcall(task.wait, task)
    lu.assertTrue(closed)
end

function TestLoop.testLostErrorsAreReported()
    lu.assertStrContains(stderr_of(function()
        loop.go(function() loop.sleep(0.01) error "lost" end)
        loop.sleep(0.5)
    end), "lost")
end

function TestLoop.testErrorsThatWereSeenAreNotReported()
    lu.assertEquals(stderr_of(function()
        do
            local task = loop.go(error, "seen")
            pcall(task.wait, task)
        end
        collectgarbage()
    end), "")
end

function TestLoop.testTasksWaitForTasks()
    local inner = loop.go(function() loop.sleep(0.02) return "inner" end)
    local outer = loop.go(function() return inner:wait(), "outer" end)
    lu.assertEquals({ outer:wait() }, { "inner", "outer" })
end

function TestLoop.testCircleOfTasksIsAnError()
    local a, b
    a = loop.go(function() loop.sleep(0) b:wait() end)
    b = loop.go(function() a:wait() end)
    lu.assertErrorMsgContains("this wait can never end", a.wait, a)
end

function TestLoop.testTurnsAreFair()
    local count, stop = { 0, 0 }, false
    local function spin(i)
        while not stop do
            count[i] = count[i] + 1
            coroutine.yield()
        end
    end
    loop.go(spin, 1)
    loop.go(spin, 2)
    loop.sleep(0.02)
    stop = true
    loop.sleep(0)
    lu.assertTrue(count[1] > 1)
    lu.assertAlmostEquals(count[1], count[2], 1)
end

function TestLoop.testWaitsTakeNoProcessorTime()
    loop.go(loop.sleep, 0.3)
    local before = os.clock()
    loop.sleep(0.3)
    lu.assertTrue(os.clock() - before < 0.05)
end

-- --- where nothing can be suspended --------------------------------------------------------------

function TestLoop.testOwnCoroutinesWaitNested()
    local ticks = 0
    loop.go(function() for _ = 1, 3 do loop.sleep(0.01) ticks = ticks + 1 end end)
    local own = coroutine.wrap(function()
        sleep_until(function() return ticks == 3 end)
        coroutine.yield "mine"
    end)
    lu.assertEquals(own(), "mine")
    lu.assertEquals(ticks, 3)
end

function TestLoop.testCallbacksOfSortWaitNested()
    local ticks = 0
    loop.go(function() loop.sleep(0.01) ticks = ticks + 1 end)
    local task = loop.go(function()
        local list = { 3, 1, 2 }
        table.sort(list, function(a, b) loop.sleep(0.02) return a < b end)
        return list
    end)
    lu.assertEquals(task:wait(), { 1, 2, 3 })
    lu.assertEquals(ticks, 1)
end

function TestLoop.testGeneratorsInsideTasks()
    local task = loop.go(function()
        local sum = 0
        for n in coroutine.wrap(function() for n = 1, 3 do loop.sleep(0.01) coroutine.yield(n) end end) do
            sum = sum + n
        end
        return sum
    end)
    lu.assertEquals(task:wait(), 6)
end

function TestLoop.testManyTasks()
    local ended = 0
    for i = 1, 1000 do loop.go(function() loop.sleep(0.05 + i % 10 / 100) ended = ended + 1 end) end
    assert_took(0.14, sleep_until, function() return ended == 1000 end)
end

os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run())
