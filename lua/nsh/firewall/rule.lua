--- Rules for nft from tables with nft's words: what `masquerade`, `snat`, `dnat` and `forward` take.
local core = require "nsh.core"
local errors = require "nsh.errors"

local M = {}

local PORT = "^%d+%-?%d*$"

-- --- values --------------------------------------------------------------------------------------

-- "10.0.0.1", "10.0.0.0/24", "10.0.0.1-10.0.0.9". What is none, nft would look for at a name server.
local is_address
function is_address(text)
    local first, last = text:match "^([^-]+)%-([^-]+)$"
    if first then return is_address(first) and is_address(last) end
    return text:find "[.:]" and core.address.parse(text) and true
end

-- nft knows no escapes inside quotes.
local function is_quotable(text) return text ~= "" and not text:find '["%c]' end

local function is_word(text) return text:find "^%a[%w%-]*$" end

local function is_port(text) return text:find(PORT) or is_word(text) end

local function quoted(text) return '"' .. text .. '"' end

local function same(text) return text end

local function family_of(address) return address:find(":", 1, true) and "ip6" or "ip" end

-- Where an error names a key, what may stand there: `is` checks a single value, `write` makes it nft's.
local ADDRESSES = { is = is_address, write = same, means = "address", valid = 'an address such as "10.0.0.0/24"' }
local INTERFACES = {
    is = is_quotable, write = quoted, means = "interface", valid = 'the name of an interface, such as "eth0"',
}
local PORTS = { is = is_port, write = same, valid = 'a port such as 80 or "8000-8100"' }
local PROTOCOLS = { is = is_word, write = same, valid = 'a protocol such as "tcp"' }

-- What a packet is matched by, in the order in which nft is told; `other`: the key of the answer's packets.
local MATCHES = {
    { "saddr", ADDRESSES, other = "daddr" },
    { "daddr", ADDRESSES, other = "saddr" },
    { "iifname", INTERFACES, other = "oifname" },
    { "oifname", INTERFACES, other = "iifname" },
    { "proto", PROTOCOLS, other = "proto" },
    { "sport", PORTS, other = "dport" },
    { "dport", PORTS, other = "sport" },
}

local MATCH = {}
for _, row in ipairs(MATCHES) do MATCH[row[1]] = row end

-- --- what the helpers are ------------------------------------------------------------------------

local function is_target(text)
    local address = text:match "^%[(.+)%]:[%d%-]+$" or text:match "^%[(.+)%]$" or text:match "^([^:]+):[%d%-]+$" or text
    return is_address(address) and not address:find "/"
end

local function translation(verb)
    return function(spec)
        local to = spec.to
        return ("%s %s to %s"):format(verb, to:find ":.*:" and "ip6" or "ip", to)
    end
end

-- For each: its chain, the keys that it takes beside `comment`, and what is done with what matches.
local HELPERS = {
    masquerade = {
        chain = "postrouting", action = function() return "masquerade" end,
        keys = { "saddr", "daddr", "iifname", "oifname", "proto", "sport", "dport" },
        example = '{ saddr = "172.16.0.0/16", oifname = "!= br0" }',
    },
    snat = {
        chain = "postrouting", action = translation "snat", to = 'an address such as "192.168.70.53"',
        keys = { "saddr", "daddr", "iifname", "oifname", "proto", "sport", "dport", "to" },
        example = '{ saddr = "2.2.2.0/30", to = "192.168.70.53" }',
    },
    dnat = {
        chain = "prerouting", action = translation "dnat", to = 'an address such as "10.0.0.2" or "10.0.0.2:80"',
        keys = { "saddr", "daddr", "iifname", "proto", "sport", "dport", "to" },
        example = '{ iifname = "eth0", proto = "tcp", dport = 8080, to = "10.0.0.2:80" }',
    },
    forward = {
        chain = "forward", action = function() return "accept" end,
        keys = { "saddr", "daddr", "iifname", "oifname", "proto", "sport", "dport", "policy" },
        example = '{ iifname = "br0", oifname = "!= br0" }',
    },
}

--- The base chains of a table of ours.
M.CHAINS = {
    prerouting = "type nat hook prerouting priority dstnat",
    postrouting = "type nat hook postrouting priority srcnat",
    forward = "type filter hook forward priority filter",
}

-- --- checking ------------------------------------------------------------------------------------

local function invalid(key, format, ...)
    local err = errors.new("EINVAL", key .. ": " .. format:format(...))
    err.key = key
    error(err, 0)
end

local function unknown(key, keys)
    local list = table.move(keys, 1, #keys, 1, {})
    list[#list + 1] = "comment"
    local nearest = require("nsh.suggest").nearest(tostring(key), list)
    local rest = nearest and "did you mean " .. nearest or "there are " .. table.concat(list, ", ")
    local err = errors.new("EINVAL", ('unknown key "%s"; %s'):format(errors.short(tostring(key)), rest))
    err.key = tostring(key)
    error(err, 0)
end

local function contains(list, wanted)
    for _, one in ipairs(list) do
        if one == wanted then return true end
    end
    return false
end

-- "!= br0" as { text = "br0", negated = true }.
local function parse(key, value, kind)
    local text = math.type(value) == "float" and math.tointeger(value) or value
    if type(text) ~= "number" and type(text) ~= "string" then invalid(key, "%s expected", kind.valid) end
    local rest = tostring(text):match "^!=%s*(.*)$"
    local bare = rest or tostring(text)
    if not kind.is(bare) then
        invalid(key, '%s expected, not "%s"', kind.valid, errors.short(tostring(value)))
    end
    return { text = kind.write(bare), bare = bare, negated = rest ~= nil }
end

-- One value, or a list of them: all of these.
local function parse_all(key, value, kind)
    if type(value) ~= "table" then return { parse(key, value, kind) } end
    local list = {}
    for i, one in ipairs(value) do
        list[i] = parse(key, one, kind)
        if list[i].negated then invalid(key, 'a list holds what matches; "!=" takes one value') end
    end
    if #list == 0 then invalid(key, "a list of at least one value expected") end
    return list
end

local function check_comment(comment)
    if comment == nil then return end
    if type(comment) ~= "string" or not is_quotable(comment) or #comment > 60 then
        invalid("comment", "a text of at most 60 bytes without \" expected")
    end
end

local function check_target(spec, helper)
    if not helper.to then return end
    if type(spec.to) ~= "string" or not is_target(spec.to) then
        invalid("to", "%s expected%s", helper.to, spec.to and ", not " .. errors.short(tostring(spec.to)) or "")
    end
    if not spec.proto and spec.to:find "[^:]:%d[%d-]*$" and not spec.to:find "^[%x:]+$" then
        invalid("proto", 'a port is one of a protocol: proto = "tcp", or "udp"')
    end
end

local function check_policy(spec)
    if spec.policy == nil then return end
    if spec.policy ~= "drop" and spec.policy ~= "accept" then invalid("policy", '"drop" or "accept" expected') end
    for _, row in ipairs(MATCHES) do
        if spec[row[1]] ~= nil then invalid("policy", "it stands alone: it is for all that no rule accepts") end
    end
end

--- Checks the arguments of a helper. Raises an error object without a place.
--
--     rule.check("masquerade", { saddr = "10.0.0.0/8" })
function M.check(verb, spec)
    local helper = HELPERS[verb]
    if type(spec) ~= "table" then
        error(errors.new("EINVAL", ("one table holds all arguments: %s%s"):format(verb, helper.example)), 0)
    end
    for key in pairs(spec) do
        if key ~= "comment" and not contains(helper.keys, key) then unknown(key, helper.keys) end
    end
    check_comment(spec.comment)
    check_target(spec, helper)
    check_policy(spec)
    M.parse(spec)
    return spec
end

-- --- matching ------------------------------------------------------------------------------------

--- What a helper matches, as { key -> list of values }, and the family that its addresses are of, or nil.
function M.parse(spec)
    local match, family = {}, spec.to and (spec.to:find ":.*:" and "ip6" or "ip")
    for _, row in ipairs(MATCHES) do
        local key = row[1]
        if spec[key] ~= nil then match[key] = parse_all(key, spec[key], row[2]) end
        for _, value in ipairs(row[2] == ADDRESSES and match[key] or {}) do
            family = family or family_of(value.bare)
            if family ~= family_of(value.bare) then invalid(key, "IPv4 and IPv6 in one rule: make it two") end
        end
    end
    if (match.sport or match.dport) and not match.proto then
        invalid("proto", 'a port is one of a protocol: proto = "tcp", or "udp"')
    end
    return match, family
end

local function values(list)
    if #list == 1 then return (list[1].negated and "!= " or "") .. list[1].text end
    local texts = {}
    for i, value in ipairs(list) do texts[i] = value.text end
    return "{ " .. table.concat(texts, ", ") .. " }"
end

local function port_word(match)
    return #match.proto == 1 and match.proto[1].text or "th"
end

-- "tcp dport 80" says which protocol it is, too.
local function text_of(key, match, family)
    local list = match[key]
    if key == "saddr" or key == "daddr" then return family .. " " .. key .. " " .. values(list) end
    if key == "sport" or key == "dport" then return port_word(match) .. " " .. key .. " " .. values(list) end
    if key == "proto" then
        local said = #list == 1 and not list[1].negated and (match.sport or match.dport)
        return not said and "meta l4proto " .. values(list) or nil
    end
    return key .. " " .. values(list)
end

local function words(match, family)
    local list = {}
    for _, row in ipairs(MATCHES) do
        if match[row[1]] then list[#list + 1] = text_of(row[1], match, family) end
    end
    return list
end

local function rule_text(match, family, tail)
    local list = words(match, family)
    list[#list + 1] = tail
    return table.concat(list, " ")
end

-- The packets of the answer.
local function mirrored(match)
    local result = {}
    for key, list in pairs(match) do result[MATCH[key].other] = list end
    return result
end

local function comment_of(text) return text and ' comment "' .. text .. '"' or "" end

-- --- rules ---------------------------------------------------------------------------------------

--- The rules of a helper in a table of ours, as a list of { chain =, text = }; none for a policy.
--
--     rule.own("masquerade", { saddr = "10.0.0.0/8" })[1].text   --> "ip saddr 10.0.0.0/8 masquerade"
function M.own(verb, spec)
    local helper = HELPERS[verb]
    if spec.policy then return {} end
    local match, family = M.parse(spec)
    local comment = comment_of(spec.comment)
    local list = { { chain = helper.chain, text = rule_text(match, family, helper.action(spec) .. comment) } }
    if verb == "forward" then
        list[2] = { chain = helper.chain,
            text = rule_text(mirrored(match), family, "ct state established,related accept" .. comment) }
    end
    return list
end

--- The chains that a helper needs in a table of ours: a name, the key of M.CHAINS.
function M.chain(verb) return HELPERS[verb].chain end

local function with(match, key, value)
    local copy = { [key] = { value } }
    for other, list in pairs(match) do copy[other] = list end
    return copy
end

-- One match for each value of each list.
local function expanded(match)
    local all = { {} }
    for _, row in ipairs(MATCHES) do
        local longer = {}
        for _, one in ipairs(match[row[1]] and all or {}) do
            for _, value in ipairs(match[row[1]]) do longer[#longer + 1] = with(one, row[1], value) end
        end
        all = #longer > 0 and longer or all
    end
    return all
end

--- The texts of the rules with which a foreign chain accepts what `forward` does, and the answers.
--
-- `chain`: { family =, iptables = }. What `iptables` has made it must be able to read again, or it refuses
-- to list the whole table: it knows of nft's words neither sets nor `ct`. There the answers are told by
-- their addresses and interfaces alone.
function M.foreign(spec, chain, mark)
    local match, family = M.parse(spec)
    local comment = comment_of(mark .. (spec.comment and " " .. spec.comment or ""))
    if family and chain.family ~= "inet" and chain.family ~= family then return {} end
    local texts, state = {}, chain.iptables and "" or "ct state established,related "
    for _, one in ipairs(chain.iptables and expanded(match) or { match }) do
        texts[#texts + 1] = rule_text(mirrored(one), family, state .. "accept" .. comment)
        texts[#texts + 1] = rule_text(one, family, "accept" .. comment)
    end
    return texts
end

local FLAGS = { iifname = "-i", oifname = "-o", saddr = "-s", daddr = "-d", proto = "-p", sport = "--sport",
    dport = "--dport" }

--- The arguments with which `iptables` would accept the same, for a hint: "-i br0 ! -o br0".
function M.iptables(spec)
    local match, list = M.parse(spec), {}
    for _, row in ipairs(MATCHES) do
        local value = match[row[1]] and match[row[1]][1]
        if value then list[#list + 1] = (value.negated and "! " or "") .. FLAGS[row[1]] .. " " .. value.bare end
    end
    return table.concat(list, " ")
end

--- The keys of a helper, as rows of options.lua.
function M.rows(verb)
    local rows = { { "comment", type = "string", valid = "a text" } }
    for _, key in ipairs(HELPERS[verb].keys) do
        local of = MATCH[key] and MATCH[key][2] or { valid = HELPERS[verb][key] }
        rows[#rows + 1] = { key, means = of.means, valid = of.valid }
    end
    return rows
end

return M
