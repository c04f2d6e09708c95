--- What may be expected of the names of namespaces: `expect(nsh.netns):has{ "app3", "app4" }`.
local claim = require "nsh.lesson.claim"
local given = require "nsh.lesson.given"
local subject = require "nsh.lesson.subject"

local M = {}

-- A name, a namespace or node that has one, or a list of them; in words, too.
local function names_of(one)
    local list = type(one) == "table" and not subject.is_place(one) and one or { one }
    local names = {}
    for i, each in ipairs(list) do names[i] = subject.is_place(each) and each.name or each end
    given.check(names[1] ~= nil, "say which namespaces", 'nsh.expect(nsh.netns):has{ "app3", "app4" }')
    return names
end

-- Of the wanted names those that are there, or are not.
local function those(netns, names, present)
    local known, list = {}, {}
    for _, ns in ipairs(netns.list()) do known[ns.name] = true end
    for _, name in ipairs(names) do
        if (known[name] or false) == present then list[#list + 1] = name end
    end
    return list
end

local function sentence(names, present)
    if not present then return "there is no namespace " .. subject.join(names, "or") end
    return (names[2] and "there are namespaces " or "there is a namespace ") .. subject.join(names)
end

local function check(netns, names, present)
    claim.check(sentence(names, present), function()
        local wrong = those(netns, names, not present)
        return #wrong == 0, #wrong > 0 and (present and "not " or "") .. subject.join(wrong) or nil
    end)
end

--- `expect(nsh.netns):has(names)`: there is a namespace of each name, as `ip netns list` shows them. `names`:
-- a name, a namespace or node, or a list of them.
--
--     nsh.expect(nsh.netns):has{ "app3", "app4" }
function M.has(netns, names) check(netns, names_of(names), true) end

--- `expect(nsh.netns):has_no(names)`: there is none of these names.
--
--     nsh.expect(nsh.netns):has_no "app1"
function M.has_no(netns, names) check(netns, names_of(names), false) end

return M
