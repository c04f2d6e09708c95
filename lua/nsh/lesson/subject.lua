--- What a lesson speaks of: namespaces, nodes, their objects, captures.
local given = require "nsh.lesson.given"

local M = {}

local function meta_name(thing)
    local meta = type(thing) == "table" and debug.getmetatable(thing)
    return meta and rawget(meta, "__name")
end

--- Whether it is a namespace or a lab's node.
function M.is_place(thing)
    local name = meta_name(thing)
    return name == "nsh.namespace" or name == "nsh.node"
end

--- Whether it is a capture.
function M.is_capture(thing) return meta_name(thing) == "nsh.capture" end

--- Whether it is a lab.
function M.is_lab(thing) return meta_name(thing) == "nsh.lab" end

--- Whether it is `nsh.netns`.
function M.is_names(thing) return thing == package.loaded["nsh.namespace"] end

--- Of an object such as `host.link`, or the same of a lab's node: { name = "link", at = its namespace or
-- node, place = "host", label = what commands call the namespace, nil for nsh's own }; nil for anything else.
function M.object(thing)
    if type(thing) ~= "table" or M.is_place(thing) then return nil end
    local place = rawget(thing, "ns") or rawget(thing, "node")
    if not M.is_place(place) then return nil end
    return { name = thing.name, at = place, place = place.name, label = rawget(place, "label") }
end

--- The addresses that stand for a target, a list, and what it is called in a sentence. A target is an
-- address, a node of a lab (its first address), or a list of them. Errors: EINVAL: a namespace that is no node.
--
--     local addresses, words = subject.addresses{ app3, "172.16.0.40" }
function M.addresses(target)
    local list = type(target) == "table" and not M.is_place(target) and target or { target }
    local addresses, words = {}, {}
    for i, one in ipairs(list) do
        given.check(meta_name(one) ~= "nsh.namespace", "a namespace may have many addresses; say which",
            'nsh.expect(app3):reaches "10.0.0.2"')
        local is_node = type(one) == "table" and one.address
        addresses[i] = is_node and one:address() or one
        words[i] = is_node and ("%s (%s)"):format(one.name, addresses[i] or "without an address") or tostring(one)
    end
    return addresses, M.join(words)
end

--- Whether a record has these fields, and below them those of tables in them.
--
--     subject.has_fields(packet, { ip = { ttl = 63 } })
function M.has_fields(record, fields)
    for key, value in pairs(fields) do
        local own = record[key]
        if type(value) == "table" and type(own) == "table" then
            if not M.has_fields(own, value) then return false end
        elseif own ~= value then
            return false
        end
    end
    return true
end

--- "a, b and c"; `conjunction`: another word for "and".
function M.join(words, conjunction)
    local count = #words
    if count < 2 then return words[1] or "" end
    return ("%s %s %s"):format(table.concat(words, ", ", 1, count - 1), conjunction or "and", words[count])
end

return M
