--- What may be expected of an object of a namespace: `expect(host.link):has{ "br0", up = true }`.
local claim = require "nsh.lesson.claim"
local core = require "nsh.core"
local given = require "nsh.lesson.given"
local loop = require "nsh.loop"
local subject = require "nsh.lesson.subject"

local M = {}

local PATIENCE, RETRY = 5, 0.01 -- seconds

-- Words for a switch that is off.
local off = { up = "down", carrier = "no carrier" }

-- What a reader calls a field whose name says less.
local nicknames = { link = "peer", link_netns = "peer in", local_ = "", info_data = "", info_slave_data = "" }

local function value_text(value)
    if subject.is_place(value) then return value.name end
    return type(value) == "table" and table.concat(value, ",") or tostring(value)
end

local function words_of(key, value)
    if value == true then return key end
    if value == false then return off[key] or "not " .. key end
    return ((nicknames[key] or key:gsub("_$", "")) .. " " .. value_text(value)):gsub("^ ", "")
end

-- Whether a value has fields of its own, as `linkinfo` has.
local function has_fields(value) return type(value) == "table" and not value[1] and not subject.is_place(value) end

local function add_words(args, words)
    for key, value in pairs(args) do
        if has_fields(value) then
            add_words(value, words)
        elseif key ~= 1 then
            words[#words + 1] = words_of(key, value)
        end
    end
end

-- The fields with a key, and those below them: "master br0, up".
local function describe(args)
    local words = {}
    add_words(args, words)
    table.sort(words)
    return table.concat(words, ", ")
end

-- The number by which a namespace knows another one, whose links it has the other ends of: the kernel gives
-- it when such a link is looked at. -1 for one that it does not know.
local function nsid_of(listing, object, other)
    listing:list()
    local ok, record = pcall(object.at.nsid.get, object.at.nsid, other)
    return ok and record.nsid or -1
end

-- `addr:list` takes an interface first; who speaks of an address begins with the address, as for `add`.
local function filter(listing, object, args)
    local result = {}
    for key, value in pairs(args) do result[key] = value end
    if object.name == "addr" and type(result[1]) == "string" then
        result.local_, result.prefixlen = result[1]:match "^([^/]+)/?(%d*)$"
        result.prefixlen, result[1] = math.tointeger(result.prefixlen), nil
    end
    if result.link_netns then
        result.link_netnsid, result.link_netns = nsid_of(listing, object, result.link_netns), nil
    end
    return result
end

local nouns = { addr = "address", neigh = "neighbour", fdb = "fdb entry", vlan = "VLAN" }

local function plural(noun)
    return noun:find "s$" and noun .. "es" or noun:find "y$" and noun:gsub("y$", "ies") or noun .. "s"
end

-- "a link", "no link", "2 links".
local function noun_phrase(object, count)
    local noun = nouns[object.name] or object.name
    if not count then return (noun:find "^[aeiou]" and "an " or "a ") .. noun end
    if count == 0 then return "no " .. noun end
    return ("%d %s"):format(count, count == 1 and noun or plural(noun))
end

-- "host has a link hlink3: master br0, up".
local function sentence(object, args, count)
    local phrase = ("%s has %s"):format(object.place, noun_phrase(object, count))
    local first, rest = args[1] and " " .. value_text(args[1]) or "", describe(args)
    return phrase .. first .. (rest ~= "" and ": " .. rest or "")
end

local function without(args, ...)
    local rest = {}
    for key, value in pairs(args) do rest[key] = value end
    for _, key in ipairs{ ... } do rest[key] = nil end
    return rest
end

-- What names an interface that there is not matches none; what else may be wrong with the rest is an error.
local function list(listing, args)
    local ok, records = pcall(listing.list, listing, args)
    if ok then return records end
    if type(records) ~= "table" or records.code ~= "ENODEV" then error(records, 0) end
    if args[1] ~= nil or args[records.key] ~= nil then list(listing, without(args, 1, records.key)) end
    return {}
end

-- The records that match. What is below `linkinfo` is compared here: `list` does not choose by it.
local function find(listing, object, args)
    local chosen = filter(listing, object, args)
    local info, found = { linkinfo = chosen.linkinfo }, {}
    chosen.linkinfo = nil
    for _, record in ipairs(list(listing, chosen)) do
        if subject.has_fields(record, info) then found[#found + 1] = record end
    end
    return found
end

-- `word`: what is claimed, for the error that teaches to say what there shall be.
local function as_args(args, word)
    given.check(args ~= nil, "say which records; {} are all", ('nsh.expect(host.link):%s{ "br0" }'):format(word))
    return type(args) == "table" and not subject.is_place(args) and args or { args }
end

-- The whole list, for who wonders what there is instead.
local function what_is_there(listing)
    return "there are:\n" .. require("nsh.show").format(listing:list())
end

--- `expect(object):has(args, count)`: there is a record whose fields are equal to `args`, the first value
-- without its key as for `add`; or exactly `count` of them. Of a link also `link_netns`, the namespace or node
-- that its other end is in, and what `ip -j -d` has in `linkinfo`.
--
--     nsh.expect(host.link):has{ "hlink3", master = "br0", up = true, carrier = true }
--     nsh.expect(host.link):has{ "hlink1", link_netns = app1 }
--     nsh.expect(host.route):has({ "172.16.0.0/16" }, 2)
function M.has(listing, args, count)
    local object = subject.object(listing)
    args = as_args(args, "has")
    given.check(count == nil or math.type(count) == "integer", "the second value is how many there are",
        'nsh.expect(host.link):has({ master = "br0" }, 2)')
    claim.check(sentence(object, args, count), function()
        local found = #find(listing, object, args)
        if found == count or (not count and found > 0) then return true end
        return false, found > 0 and ("there are %d"):format(found) or what_is_there(listing)
    end)
end

--- `expect(object):has_no(args)`: there is no record whose fields are equal to `args`.
--
--     nsh.expect(host.addr):has_no{ dev = "hlink3", family = "inet" }
function M.has_no(listing, args)
    local object = subject.object(listing)
    args = as_args(args, "has_no")
    claim.check(sentence(object, args, 0), function()
        local found = find(listing, object, args)
        return #found == 0, #found > 0 and "there are:\n" .. require("nsh.show").format(found) or nil
    end)
end

--- `expect(object):loses(args)`: there is no such record any more, within five seconds: what goes with a
-- namespace goes a moment after it.
--
--     nsh.expect(host.link):loses "veth0"
function M.loses(listing, args)
    local object = subject.object(listing)
    args = as_args(args, "loses")
    claim.check(sentence(object, args, 0) .. " any more", function()
        local deadline = core.poll.now() + PATIENCE
        while #find(listing, object, args) > 0 and core.poll.now() < deadline do loop.sleep(RETRY) end
        return #find(listing, object, args) == 0
    end)
end

return M
