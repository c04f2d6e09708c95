--- What may be expected of a capture: `expect(wire):sees "172.16.0.30 > 172.16.0.40: ICMP echo request"`.
local claim = require "nsh.lesson.claim"
local core = require "nsh.core"
local given = require "nsh.lesson.given"
local loop = require "nsh.loop"
local pcap = require "nsh.pcap"
local subject = require "nsh.lesson.subject"

local M = {}

local PATIENCE, RETRY = 1, 0.01 -- seconds: what is forwarded may come a moment after its answer

local function matches(packet, text, fields)
    return tostring(packet):find(text, 1, true) ~= nil and subject.has_fields(packet, fields)
end

local function count_of(capture, text, fields)
    local count = 0
    for _, packet in ipairs(capture:list()) do
        if matches(packet, text, fields) then count = count + 1 end
    end
    return count
end

-- "3 times", and fields: a number alone is a count.
local function wanted(text, more)
    given.text(text, "say what its line contains", 'nsh.expect(wire):sees("ICMP echo request", 4)')
    given.check(more == nil or type(more) == "table" or math.type(more) == "integer",
        "how many, or fields", 'nsh.expect(wire):sees("ICMP echo request", { count = 4, ip = { ttl = 63 } })')
    local fields = {}
    for key, value in pairs(type(more) == "table" and more or { count = more }) do fields[key] = value end
    local count = fields.count
    fields.count = nil
    pcap.check(fields)
    return fields, count
end

-- "ip ttl 63".
local function describe(fields, prefix, words)
    for key, value in pairs(fields) do
        local name = prefix .. key .. " "
        if type(value) == "table" then describe(value, name, words) else words[#words + 1] = name .. tostring(value) end
    end
    table.sort(words)
    return words
end

local function with_fields(fields)
    local words = describe(fields, "", {})
    return #words > 0 and ", " .. table.concat(words, ", ") or ""
end

local function sentence(capture, verb, text, fields, count)
    local place = (capture.netns or "host") ~= "host" and " in " .. capture.netns or ""
    local times = count and (" %d×"):format(count) or ""
    return ('%s%s %s "%s"%s%s'):format(capture.name, place, verb, text, with_fields(fields), times)
end

local function what_it_saw(capture)
    local lines = {}
    for i, packet in ipairs(capture:list()) do lines[i] = tostring(packet) end
    return lines[1] and "it saw:\n" .. table.concat(lines, "\n") or "it saw nothing"
end

--- `expect(capture):sees(text, more)`: a packet came whose line, as tcpdump writes it, contains `text`.
-- `more`: how many such packets there are, exactly; or the fields that they have, as in the capture's packets,
-- and `count`.
--
--     nsh.expect(wire):sees("ICMP echo request", 4)
--     nsh.expect(ens33):sees("2.2.2.2 > 192.168.70.38: ICMP echo request", { ip = { ttl = 63 } })
function M.sees(capture, text, more)
    local fields, count = wanted(text, more)
    claim.check(sentence(capture, "sees", text, fields, count), function()
        local deadline, found = core.poll.now() + PATIENCE, count_of(capture, text, fields)
        while found < (count or 1) and core.poll.now() < deadline do
            loop.sleep(RETRY)
            found = count_of(capture, text, fields)
        end
        if found == count or (not count and found > 0) then return true end
        return false, what_it_saw(capture)
    end)
end

--- `expect(capture):sees_no(text, fields)`: no such packet came so far.
--
--     nsh.expect(ens33):sees_no "2.2.2.2"
function M.sees_no(capture, text, more)
    local fields, count = wanted(text, more)
    given.check(not count, "of what is not seen there is no number", 'nsh.expect(wire):sees_no "ICMP"')
    claim.check(sentence(capture, "sees no", text, fields), function()
        local holds = count_of(capture, text, fields) == 0
        return holds, not holds and what_it_saw(capture) or nil
    end)
end

return M
