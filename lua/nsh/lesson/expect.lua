--- What a script may claim of a thing: `nsh.expect(app3):reaches(app4)`. The words depend on the thing.
local errors = require "nsh.errors"
local given = require "nsh.lesson.given"
local subject = require "nsh.lesson.subject"

-- In the order in which they are asked: whether a thing is one, what an error calls it, and its words.
local kinds = {
    { is = subject.is_place, name = "a namespace or node", words = "nsh.lesson.place" },
    { is = subject.object, name = "an object of a namespace", words = "nsh.lesson.listing" },
    { is = subject.is_names, name = "nsh.netns", words = "nsh.lesson.names" },
    { is = subject.is_capture, name = "a capture", words = "nsh.lesson.wire" },
    { is = function(thing) return type(thing) == "function" end, name = "a function", words = "nsh.lesson.call" },
    { is = function() return true end, name = "a value", words = "nsh.lesson.value" },
}

local function kind_of(thing)
    for _, kind in ipairs(kinds) do
        if kind.is(thing) then return kind end
    end
end

local function names_of(words)
    local list = {}
    for name in pairs(words) do list[#list + 1] = name end
    table.sort(list)
    return list
end

local function unknown(thing, kind, words, word)
    given.check(thing ~= nil, "this is nil, perhaps a name that is not right", "nsh.expect(app3):reaches(app4)")
    require("nsh.suggest").refuse(("of %s one cannot expect"):format(kind.name), tostring(word), names_of(words), {})
end

--- Begins a claim about a thing; the method that follows says what is claimed, checks it, prints a line
-- about it, and raises an error that names the script's line if it does not hold.
--
-- - `a namespace or node`: `reaches`, `does_not_reach`, `connects`, `does_not_connect`, `gets`, `does_not_get`,
--   `runs`, `cannot_run`
-- - `an object of it`: `has`, `has_no`, `loses`: records, as `list` finds them
-- - `nsh.netns`: `has`, `has_no`: namespaces with a name
-- - `a capture`: `sees`, `sees_no`: packets, as tcpdump writes them
-- - `a function`: `succeeds`, `fails`
-- - `any other value`: `is`, `is_not`
--
-- `help` shows each of them. Errors: EINVAL: there is no such word for such a thing.
--
--     nsh.expect(app3):reaches(app4)
--     nsh.expect(host.route):has_no{ "172.16.0.0/16" }
return function(thing)
    local kind = kind_of(thing)
    local words, expectation = require(kind.words), {}
    return setmetatable(expectation, {
        __index = function(_, word)
            local claim = words[word] or unknown(thing, kind, words, word)
            return function(self, ...)
                if self ~= expectation then errors.check_self(nil, word, ("nsh.expect(…):%s(…)"):format(word)) end
                claim(thing, ...)
            end
        end,
        __complete = function() return names_of(words) end,
    })
end
