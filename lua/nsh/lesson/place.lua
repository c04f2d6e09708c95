--- What may be expected of a namespace or a node.
local claim = require "nsh.lesson.claim"
local core = require "nsh.core"
local given = require "nsh.lesson.given"
local loop = require "nsh.loop"
local subject = require "nsh.lesson.subject"

local M = {}

-- Seconds: an answer may have to wait for a second question for its MAC (retrans_time: 1); silence is
-- silence after many times what an answer takes.
local PATIENCE, SILENCE = 3, 0.3
local RETRY = 0.02
local CROWDED = 20 -- how long others may fill the neighbour table

-- --- pings ---------------------------------------------------------------------------------------

local function options(opts, timeout)
    local result = { timeout = timeout, interval = 0.05 }
    for key, value in pairs(opts or {}) do
        if key ~= "ttl" and key ~= "reason" then result[key] = value end
    end
    return result
end

local function is_full(results)
    for _, result in ipairs(results) do
        if result.reason == "neighbour table full" then return true end
    end
    return false
end

-- The machine has one neighbour table for all namespaces, others' too: while it is full nothing is known of
-- who can be reached.
local function ping(place, addresses, opts)
    local deadline = core.poll.now() + CROWDED
    local results = place:ping(addresses, opts)
    while is_full(results) and core.poll.now() < deadline do
        loop.sleep(SILENCE)
        results = place:ping(addresses, opts)
    end
    return results
end

-- The addresses, and what they are called. `word`: what is claimed.
local function targets(target, opts, word)
    local addresses, words = subject.addresses(target)
    given.check(addresses[1] ~= nil, "say whom: a node with an address, or an address",
        ('nsh.expect(app3):%s "10.0.0.2"'):format(word))
    given.check(opts == nil or type(opts) == "table", "options are a table",
        ('nsh.expect(app3):%s("10.0.0.2", { count = 3 })'):format(word))
    return addresses, words
end

local function times(results)
    local worst = 0
    for _, result in ipairs(results) do worst = math.max(worst, result.max) end
    return ("%.3f ms, ttl %d"):format(worst, results[1].ttl)
end

-- In words; which of them it is, if there are several.
local function why_silent(result, results)
    if not result.message then return tostring(result) end
    return (#results > 1 and result.address .. ": " or "") .. result.message
end

--- `expect(place):reaches(target, opts)`: each ping is answered. `target`: an address, a node (its first
-- address), or a list of them. `opts`: those of `ns:ping` (count 1, timeout 3 s), but `ttl` is what the
-- answers have (64: no router is on the way), as ping(8) prints it.
--
--     nsh.expect(app3):reaches(app4)
--     nsh.expect(ns1):reaches("2.2.2.1", { count = 2, ttl = 64 })
function M.reaches(place, target, opts)
    local addresses, words = targets(target, opts, "reaches")
    local ttl = opts and opts.ttl
    claim.check(("%s reaches %s"):format(place.name, words), function()
        local results = ping(place, addresses, options(opts, PATIENCE))
        for _, result in ipairs(results) do
            if not result.ok then return false, why_silent(result, results) end
            if ttl and result.ttl ~= ttl then return false, ("ttl %d, not %d"):format(result.ttl, ttl) end
        end
        return true, times(results)
    end)
end

--- `expect(place):does_not_reach(target, opts)`: no ping is answered within 0.3 s, and what it leaves in
-- the neighbour table is forgotten, so that a later one begins anew. `opts`: those of `ns:ping`, and
-- `reason`, the word for why there was no answer ("no route", "timeout", …), if only that one is right.
--
--     nsh.expect(app3):does_not_reach("8.8.8.8", { reason = "no route" })
function M.does_not_reach(place, target, opts)
    local addresses, words = targets(target, opts, "does_not_reach")
    local reason, chosen = opts and opts.reason, options(opts, SILENCE)
    chosen.forget = true
    claim.check(("%s does not reach %s"):format(place.name, words), function()
        local results = ping(place, addresses, chosen)
        for _, result in ipairs(results) do
            if result.received > 0 then return false, tostring(result) end
            if result.reason == "neighbour table full" then return false, result.message end
            if reason and result.reason ~= reason then
                return false, ("%s, not %s"):format(why_silent(result, results), reason)
            end
        end
        return true, results[1].reason
    end)
end

-- --- programs ------------------------------------------------------------------------------------

-- Calls fn until it returns true, as often as there is time for.
local function in_time(fn)
    local deadline = core.poll.now() + PATIENCE
    local ok, detail = fn()
    while not ok and core.poll.now() < deadline do
        loop.sleep(RETRY)
        ok, detail = fn()
    end
    return ok, detail
end

-- What went wrong in fn(), whose error is no reason to stop; the error's code must be `code`, if given.
local function refused(fn, code)
    local ok, err = pcall(fn)
    if ok then return false end
    if type(err) ~= "table" or not err.code then error(err, 0) end
    local detail = ("%s (%s)"):format(err.message, err.code)
    if err.code == "EINVAL" or (code and err.code ~= code) then return false, detail end
    return true, detail
end

local function destination(to)
    given.check(type(to) == "table" and (to.unix or (to[1] and math.type(to.port) == "integer")),
        "say to what", 'nsh.expect(app3):connects{ "10.0.0.2", port = 80 }, or { unix = "@name" }')
    return to.unix and "the socket " .. to.unix or ("%s port %d"):format(to[1], to.port)
end

--- `expect(place):connects(to)`: there is a server. `to`: as for `ns:connect`.
--
--     nsh.expect(blue):connects{ "10.0.0.1", port = 8080 }
function M.connects(place, to)
    claim.check(("%s connects to %s"):format(place.name, destination(to)), function()
        return in_time(function()
            local ok, result = pcall(place.connect, place, to)
            if ok then result:close() end
            return ok, not ok and tostring(result.message or result) or nil
        end)
    end)
end

--- `expect(place):does_not_connect(to, code)`: a connection is refused, with the error `code` if one is
-- given ("ECONNREFUSED", "ENETUNREACH", …).
--
--     nsh.expect(ns1):does_not_connect({ unix = "@nsh-lesson" }, "ECONNREFUSED")
function M.does_not_connect(place, to, code)
    local sentence = ("%s does not connect to %s"):format(place.name, destination(to))
    local with = { timeout = SILENCE }
    for key, value in pairs(to) do with[key] = value end
    claim.check(sentence, function()
        return refused(function() place:connect(with):close() end, code)
    end)
end

--- `expect(place):gets(url, text)`: an HTTP request is answered with status 200 and a body that contains
-- `text`.
--
--     nsh.expect(blue):gets("http://10.0.0.1:8080/", "root namespace")
function M.gets(place, url, text)
    claim.check(("%s gets %s%s"):format(place.name, url, text and (': "%s"'):format(text) or ""), function()
        local ok, answer = pcall(place.http, place, url)
        if not ok then return false, tostring(answer.message or answer) end
        if answer.status ~= 200 then return false, "status " .. answer.status end
        return not text or answer.body:find(text, 1, true) ~= nil, nil
    end)
end

--- `expect(place):does_not_get(url, code)`: there is no answer to an HTTP request, for the reason `code` if
-- one is given.
--
--     nsh.expect(blue):does_not_get("http://192.168.0.194:8080/", "ENETUNREACH")
function M.does_not_get(place, url, code)
    claim.check(("%s does not get %s"):format(place.name, url), function()
        return refused(function() place:http{ url, timeout = SILENCE } end, code)
    end)
end

local function command_text(command)
    given.check(type(command) == "string" or (type(command) == "table" and command[1]), "say which program",
        'nsh.expect(app1):runs("ip -br link", "clink1"), or { "ip", "-br", "link" }')
    return type(command) == "string" and command or table.concat(command, " ")
end

local NOT_FOUND = 127 -- as sh says it

local function run(place, command)
    if type(command) == "string" then command = { "sh", "-c", command } end
    local with = { output = true, timeout = PATIENCE }
    for key, value in pairs(command) do with[key] = value end
    return place:exec(with)
end

--- `expect(place):runs(command, text)`: a program ends with status 0 and prints something that contains
-- `text`, if one is given. `command`: as for `ns:exec`.
--
--     nsh.expect(app1):runs("ip -br link", "clink1")
function M.runs(place, command, text)
    claim.check(('%s runs "%s"'):format(place.name, command_text(command)), function()
        local result = run(place, command)
        if result.status ~= 0 then
            return false, ("status %s: %s"):format(result.status or result.signal, result.err)
        end
        if text and not result.out:find(text, 1, true) then return false, "it prints:\n" .. result.out end
        return true, text and ('it prints "%s"'):format(text)
    end)
end

--- `expect(place):cannot_run(command)`: a program ends with a status that is not 0, nor the shell's for a
-- program that is not there.
--
--     nsh.expect(ns):cannot_run "curl -sf http://10.0.0.1/"
function M.cannot_run(place, command)
    claim.check(('%s cannot run "%s"'):format(place.name, command_text(command)), function()
        local result = run(place, command)
        if result.status == NOT_FOUND then return false, result.err end
        return result.status ~= 0, ("status %s"):format(result.status or result.signal)
    end)
end

return M
