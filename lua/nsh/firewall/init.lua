--- The firewall of a namespace: nft's text, and helpers for what networks need most.
--
--     r1:nft "table inet t { chain c { type filter hook input priority 0; policy drop; }; }"
--     local nat = host:masquerade{ saddr = "172.16.0.0/16", oifname = "!= br0" }
--     nat:remove()
local core = require "nsh.core"
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local foreign = require "nsh.firewall.foreign"
local nft = require "nsh.firewall.nft"
local options = require "nsh.options"
local rule = require "nsh.firewall.rule"
local Table = require "nsh.firewall.table"

local M = {}

-- --- nft's own text ------------------------------------------------------------------------------

-- Counts and handles are integers in Lua, too; a word that stands alone, as { accept = null }, is true.
local function exact(value, null)
    if value == null then return true end
    if type(value) == "number" then return math.tointeger(value) or value end
    if type(value) == "table" then
        for key, inner in pairs(value) do value[key] = exact(inner, null) end
    end
    return value
end

local function need_cjson(ns)
    local ok, cjson = pcall(require, "cjson")
    if ok then return cjson end
    errors.raise(errors.new("ENOENT", "the module cjson is missing", "install the package lua-cjson"),
        "list the firewall", ns.name)
end

local function listing(ns, args)
    local out, err = nft.run(ns, args)
    if not out then errors.raise(err, "list the firewall", ns.name) end
    return out
end

-- A list of what `nft -j` lists, { table = … }, { chain = … }, { rule = … }, that shows as nft's text.
local function list(ns)
    local cjson = need_cjson(ns)
    local decoded = cjson.decode(listing(ns, { "-j", "list", "ruleset" }))
    local text = listing(ns, { "list", "ruleset" }):gsub("%s+$", "")
    local objects = {}
    for _, object in ipairs(decoded.nftables) do
        if not object.metainfo then objects[#objects + 1] = exact(object, cjson.null) end
    end
    return setmetatable(objects, { __name = "nsh.nft", __tostring = function() return text end })
end

--- Gives a text to the program nft in this namespace, as `nft -f -` reads it: all of it takes effect, or
-- nothing. Without a text, returns the rules that are in force as a list of { table = … }, { chain = … },
-- { rule = … }, as `nft -j list ruleset` has them (needs lua-cjson); shown, it is nft's text.
-- Errors: what nft says, with the line of the text; ENOENT: nft, or cjson, is not installed.
--
--     host:nft "add table inet t"
--     print(host:nft())
function M.nft(ns, text)
    errors.check_self(ns, "name", 'ns:nft "…"')
    if text == nil then return list(ns) end
    local op = "set the firewall"
    if type(text) ~= "string" then errors.raise(errors.new("EINVAL", "a text of rules expected"), op, ns.name) end
    dry.check(op, ns.name)
    local out, err = nft.apply(ns, text)
    if not out then errors.raise(err, op, ns.name) end
end

-- --- helpers -------------------------------------------------------------------------------------

local Helper = { __name = "nsh.firewall" }
Helper.__index = Helper

-- A sandbox has its host to itself; on the real one each nsh has its own.
local function owner()
    if core.sandbox.active() then return "host" end
    local file <close> = assert(io.open "/proc/self/stat")
    return ("%d"):format(file:read "n")
end

local function table_of(ns)
    local own = rawget(ns, "firewall")
    if not own then
        own = Table.new(ns, ns.handle and "nsh" or Table.name_for(owner()))
        rawset(ns, "firewall", own)
    end
    return own
end

local function try(op, ns, fn, ...)
    local ok, err = pcall(fn, ...)
    if ok then return err end
    if type(err) == "table" then errors.raise(err, op, ns.name) end
    error(err, 0)
end

--- Takes the helper's rules back. Again, it does nothing.
--
--     local nat <const> = host:masquerade{ saddr = "10.0.0.0/8" }
--     nat:remove()
function Helper:remove()
    if self.removed then return end
    local op = "remove " .. self.object
    dry.check(op, self.ns.name)
    try(op, self.ns, Table.change, table_of(self.ns), {}, { { self, self.args } }, 0)
    self.removed = true
end

Helper.__close = Helper.remove

function Helper:__tostring()
    return ("%s in %s%s"):format(self.object, self.ns.name, self.removed and " (removed)" or "")
end

local warned = {}

--- Says once of a namespace that legacy iptables stands in the way of what `forward` opens.
function M.warn_of_legacy(ns, args, where)
    local drops = not warned[ns] and foreign.legacy_drops(ns)
    if not drops then return end
    warned[ns] = true
    io.stderr:write(("nsh: warning: %siptables-legacy %s what is forwarded in %s, and nft cannot open it; " ..
        "what can: iptables-legacy -I FORWARD %s -j ACCEPT, and the same for the answers\n"):format(
        where and where .. ": " or "", drops == true and "drops" or "may drop", ns.name, rule.iptables(args)))
end

--- The arguments of a helper, checked: `"drop"` of forward is a policy. Raises an error without a place.
function M.arguments(verb, args)
    if verb == "forward" and type(args) == "string" then args = { policy = args } end
    local copy = {}
    for key, value in pairs(type(args) == "table" and args or {}) do copy[key] = value end
    return rule.check(verb, type(args) == "table" and copy or args)
end

local function act(ns, verb, args)
    errors.check_self(ns, "name", ("ns:%s{…}"):format(verb))
    local op = "add " .. verb
    args = try(op, ns, M.arguments, verb, args)
    dry.check(op, ns.name)
    local helper = setmetatable({ object = verb, ns = ns, args = args }, Helper)
    try(op, ns, Table.change, table_of(ns), { { helper, args } }, {}, 0)
    if verb == "forward" and not args.policy then M.warn_of_legacy(ns, args, errors.where()) end
    return helper
end

--- Gives what leaves this namespace the address of the interface by which it leaves. Returns an object
-- with `remove()`. Keys: saddr daddr iifname oifname proto sport dport, as for nft: what must match; all of
-- them may be left out. A value is a text, a list of texts, or negated: "!= br0". And `comment`.
-- A helper's rules are in a table of nsh's own and last until `remove()`; on the host until nsh ends at the
-- latest, else as long as the namespace. Errors: EINVAL with the key.
--
--     host:masquerade{ saddr = "172.16.0.0/16", oifname = "!= br0" }
function M.masquerade(ns, args) return act(ns, "masquerade", args) end

--- Gives what leaves this namespace another source. Keys: `to`, the address, perhaps with a port; and those
-- of masquerade.
--
--     host:snat{ saddr = "2.2.2.0/30", to = "192.168.70.53" }
function M.snat(ns, args) return act(ns, "snat", args) end

--- Sends what comes into this namespace on to another address (a port forward); not what a program in it
-- sends itself. Keys: `to`, the address, perhaps with a port ("10.0.0.2:80", "[fd00::2]:80"); and those of
-- masquerade but oifname.
--
--     host:dnat{ iifname = "enp0s1", proto = "tcp", dport = 8080, to = "10.0.0.2:80" }
function M.dnat(ns, args) return act(ns, "dnat", args) end

--- Accepts what is forwarded, and the answers to it; also in the chains of others that drop (Docker's, a
-- firewall's): one's own accept would not help there. Keys: those of masquerade. Or a policy, for all that
-- no such rule accepts: `host:forward "drop"`. Neither switches on forwarding itself: that is
-- `host:sysctl("net.ipv4.ip_forward", 1)`; nor does NAT accept anything.
--
--     host:forward{ iifname = "br0", oifname = "!= br0" }
function M.forward(ns, args) return act(ns, "forward", args) end

for _, verb in ipairs{ "masquerade", "snat", "dnat", "forward" } do
    options.declare(M[verb], rule.rows(verb))
end

return M
