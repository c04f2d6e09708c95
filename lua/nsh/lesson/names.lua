--- What may be expected of the names of namespaces: `expect(nsh.netns):has{ "app3", "app4" }`.
local claim = require "nsh.lesson.claim"
local subject = require "nsh.lesson.subject"

local M = {}

local function as_list(names) return type(names) == "table" and names or { names } end

-- Of the wanted names those that are there, or are not.
local function those(netns, names, present)
    local known, list = {}, {}
    for _, ns in ipairs(netns.list()) do known[ns.name] = true end
    for _, name in ipairs(names) do
        if (known[name] or false) == present then list[#list + 1] = name end
    end
    return list
end

local function check(netns, names, present)
    local verb = present and "there is a namespace %s" or "there is no namespace %s"
    claim.check(verb:format(subject.join{ table.unpack(names) }), function()
        local wrong = those(netns, names, not present)
        return #wrong == 0, #wrong > 0 and (present and "not " or "") .. subject.join(wrong) or nil
    end)
end

--- `expect(nsh.netns):has(names)`: there is a namespace of each name, as `ip netns list` shows them.
--
--     nsh.expect(nsh.netns):has{ "app3", "app4" }
function M.has(netns, names) check(netns, as_list(names), true) end

--- `expect(nsh.netns):has_no(names)`: there is none of these names.
--
--     nsh.expect(nsh.netns):has_no "app1"
function M.has_no(netns, names) check(netns, as_list(names), false) end

return M
