--- Programs that are waited for until they listen: `ns:spawn{ …, listen = 8080 }`.
local core = require "nsh.core"
local errors = require "nsh.errors"
local stream = require "nsh.stream"

local M = {}

local TIMEOUT = 5 -- seconds
-- Seconds between two looks: a server needs some milliseconds at least, a look a tenth of one.
local PAUSE, LONGEST_PAUSE = 0.001, 0.02

-- Loaded when it is needed: most programs listen nowhere.
local function listening() return require "nsh.listening" end

local function refuse(message, key, words, ns)
    local err = errors.new("EINVAL", message)
    err.key = key
    errors.raise(err, "run " .. words[1], ns.name)
end

--- Looks who listens there already, before a program is started: a server that was there is not the one to wait for.
-- `options`: those of spawn, with `listen` and perhaps `timeout`. Returns what `await` takes. Errors: EINVAL.
function M.expect(ns, words, options)
    if options.listen == nil then refuse("timeout is how long listen = … is waited for", "timeout", words, ns) end
    local target, err = listening().parse(options.listen)
    if not target then errors.raise(err, "run " .. words[1], ns.name) end
    local diag = listening().open(ns)
    return { ns = ns, diag = diag, target = target, timeout = options.timeout or TIMEOUT,
        before = listening().look(diag, target, ns.name) }
end

local function listens(awaited)
    for inode in pairs(listening().look(awaited.diag, awaited.target, awaited.ns.name)) do
        if not awaited.before[inode] then return true end
    end
    return false
end

local function place(target)
    return math.type(target.text) == "integer" and "port " .. target.text or target.text
end

local function ending(result)
    return result.status and "status " .. result.status or "signal " .. result.signal
end

-- Where somebody listens instead.
local function hint_at_others(ns)
    local places = {}
    for i, socket in ipairs(listening().listening(ns)) do
        local address = socket.family == "inet6" and "[" .. socket.address .. "]" or socket.address
        places[i] = ("%s %s:%d"):format(socket.netid, address, socket.port)
    end
    return places[1] and "what listens in " .. ns.name .. ": " .. table.concat(places, ", ") or nil
end

-- Nobody gets the program any more: it ends. What it has to say stands in the last line that it says.
local function fail(process, awaited, code, message, hint)
    local result = process.result or {}
    local out, text = stream.drain(process.stdout), stream.drain(process.stderr)
    local said = text and text:match "([^\n]+)%s*$"
    local err = errors.new(code, said and message .. ": " .. said or message, hint)
    err.status, err.signal, err.out, err.err = result.status, result.signal, out, text
    process:close()
    awaited.diag:close()
    errors.raise(err, "run " .. process.name, process.netns)
end

-- A program that ends well may have left a daemon behind.
local function check(process, awaited, ended, is_over)
    local where = place(awaited.target)
    if ended and ended.status ~= 0 then
        fail(process, awaited, "ECHILD", ("it ended with %s before it listened on %s"):format(ending(ended), where))
    elseif is_over then
        fail(process, awaited, "ETIMEDOUT", ("%s, and nothing listens on %s after %g s"):format(
            ended and "it has ended" or "it runs", where, awaited.timeout), hint_at_others(awaited.ns))
    end
end

--- Waits until somebody listens where the process shall; other tasks go on, and its pipes keep moving. Errors:
-- ETIMEDOUT; ECHILD if it fails before. Then the process is ended.
function M.await(process, awaited)
    local deadline, pause = core.poll.now() + awaited.timeout, PAUSE
    while true do
        local ended, is_over = process.result, core.poll.now() >= deadline
        if listens(awaited) then break end
        check(process, awaited, ended, is_over)
        if ended then require("nsh.loop").sleep(pause) else process:wait(pause) end
        pause = math.min(pause * 1.5, LONGEST_PAUSE)
    end
    awaited.diag:close()
end

return M
