--- The one table of nft that a lab, or the process, has in a namespace; and its rules in others' chains.
--
-- A helper is { object = "masquerade", … }; what it has made is its field `rules`, a list of { family =,
-- table =, chain =, text =, insert =, handle = }. An entry is { helper, args }: a helper and the arguments
-- that are to be in force.
local core = require "nsh.core"
local errors = require "nsh.errors"
local foreign = require "nsh.firewall.foreign"
local nft = require "nsh.firewall.nft"
local rule = require "nsh.firewall.rule"

local Table = {}
Table.__index = Table

--- The table of an owner. Nothing is made yet. `ns`: the namespace, or nil as long as there is none.
function Table.new(ns, name)
    return setmetatable({ ns = ns, name = name, entries = {}, told = {} }, Table)
end

--- The name of the table of an owner; nft's names have no other characters.
function Table.name_for(owner) return "nsh-" .. owner:gsub("[^%w._-]", "_") end

-- --- what is to be said to nft -------------------------------------------------------------------

local function rules_for(self, entry, places)
    local verb, args, list = entry[1].object, entry[2], {}
    for _, own in ipairs(rule.own(verb, args)) do
        list[#list + 1] = { family = "inet", table = self.name, chain = own.chain, text = own.text }
    end
    if verb ~= "forward" or args.policy then return list end
    for _, place in ipairs(places) do
        for _, text in ipairs(rule.foreign(args, place, self.name)) do
            list[#list + 1] = { family = place.family, table = place.table, chain = place.chain, text = text,
                insert = true }
        end
    end
    return list
end

--- The first of some entries that opens the way for what is forwarded, or nil.
function Table.opening(entries)
    for _, entry in ipairs(entries) do
        if entry[1].object == "forward" and not entry[2].policy then return entry end
    end
end

-- The entries that will be in force.
local function remaining(self, add, remove)
    local gone, list = {}, {}
    for _, entry in ipairs(remove) do gone[entry[1]] = true end
    for _, entry in ipairs(self.entries) do
        if not gone[entry[1]] then list[#list + 1] = entry end
    end
    return table.move(add, 1, #add, #list + 1, list)
end

local function policy_of(entries)
    local policy = "accept"
    for _, entry in ipairs(entries) do policy = entry[2].policy or policy end
    return policy
end

local function deletion(one)
    return ("delete rule %s %s %s handle %d"):format(one.family, one.table, one.chain, one.handle)
end

-- The table goes with the last that is in it.
local function deletions(self, remove, is_last)
    local lines = {}
    for _, entry in ipairs(remove) do
        for _, one in ipairs(entry[1].rules or {}) do
            if not is_last or one.table ~= self.name then lines[#lines + 1] = deletion(one) end
        end
    end
    if is_last then lines[#lines + 1] = "delete table inet " .. self.name end
    return lines
end

local function chain_line(self, chain, entries)
    local policy = chain == "forward" and policy_of(entries) or "accept"
    return ("add chain inet %s %s { %s; policy %s; }"):format(self.name, chain, rule.CHAINS[chain], policy)
end

-- Those whose chains are to be there: the added ones; and where a policy goes, it is to be set anew.
local function concerned(add, remove)
    local list = { table.unpack(add) }
    for _, entry in ipairs(remove) do
        if entry[2].policy then list[#list + 1] = entry end
    end
    return list
end

-- What is there already may have been flushed by somebody; to add it once more does no harm.
local function chains(self, changed, entries)
    local needed, lines = {}, {}
    for _, entry in ipairs(changed) do needed[rule.chain(entry[1].object)] = true end
    for _, chain in ipairs{ "prerouting", "postrouting", "forward" } do
        if needed[chain] then lines[#lines + 1] = chain_line(self, chain, entries) end
    end
    if #lines > 0 then table.insert(lines, 1, "add table inet " .. self.name) end
    return lines
end

local function addition(one)
    return ("%s rule %s %s %s %s"):format(one.insert and "insert" or "add", one.family, one.table, one.chain, one.text)
end

--- The lines for nft that add and remove entries; the rules that they add, in order; and for each added
-- entry its own. Looks at what there is, changes nothing.
function Table:plan(add, remove)
    local entries = remaining(self, add, remove)
    local lines = deletions(self, remove, #entries == 0)
    local changed = #entries == 0 and {} or concerned(add, remove)
    local places = self.ns and Table.opening(add) and foreign.places(self.ns, self.name) or {}
    table.move(chains(self, changed, entries), 1, 9, #lines + 1, lines)
    local rules, of_entry, of_line = {}, {}, {}
    for i, entry in ipairs(add) do
        of_entry[i] = rules_for(self, entry, places)
        for _, one in ipairs(of_entry[i]) do
            rules[#rules + 1], lines[#lines + 1] = one, addition(one)
            of_line[#lines] = entry
        end
    end
    return { lines = lines, rules = rules, of_entry = of_entry, of_line = of_line, entries = entries }
end

-- --- what is told to the guardian ----------------------------------------------------------------

local function tell(...)
    local ok, err = core.guardian.undo_nft(...)
    if not ok then error(err, 0) end
end

-- If the name is somebody else's, nothing may be told.
local function tell_table(self, layer)
    if self.told.table then return end
    local name <const> = "inet " .. self.name
    if foreign.tables(self.ns)[name] then core.guardian.sync() end -- a lab may just be going down
    if foreign.tables(self.ns)[name] then
        error(errors.new("EEXIST", ("there is a table inet %s of nft already"):format(self.name),
            "if nobody uses it: nft delete table inet " .. self.name), 0)
    end
    tell(layer, "inet", self.name)
    self.told.table = layer
end

-- Chains of others: once for each, since it is by their mark that the guardian knows the rules.
local function tell_guardian(self, plan, layer)
    if self.ns.handle then return end -- they go with their namespace
    tell_table(self, layer)
    for _, one in ipairs(plan.rules) do
        local key = one.family .. " " .. one.table .. " " .. one.chain
        if one.table ~= self.name and not self.told[key] then
            tell(layer, one.family, one.table, one.chain, self.name)
            self.told[key] = layer
        end
    end
end

--- What a layer has told is not to be relied on any more: it was taken back.
function Table:forget(layer)
    for key, by in pairs(self.told) do
        if by == layer then self.told[key] = nil end
    end
end

-- --- doing it ------------------------------------------------------------------------------------

-- nft echoes what it has done, in order: "add rule … # handle 5".
local function note_handles(rules, echo)
    local i = 0
    for line in echo:gmatch "[^\n]+" do
        local handle = line:match "^%a+ rule .*# handle (%d+)$"
        if handle and rules[i + 1] then
            i = i + 1
            rules[i].handle = math.tointeger(handle)
        end
    end
end

-- A rule that is to go may be gone already: each by itself then.
local function remove_one_by_one(self, lines)
    for _, line in ipairs(lines) do
        local out, err = nft.apply(self.ns, line)
        if not out and err.code ~= "ENOENT" then return nil, err end
    end
    return ""
end

local function is_gone(err, plan)
    return err.code == "ENOENT" and #plan.rules == 0
end

local function refuse(plan, err)
    err.entry = plan.of_line[err.line]
    error(err, 0)
end

--- Adds and removes entries, all at once. `layer`: the guardian's number for what undoes it on the host.
-- Raises an error object without a place; its field `entry` says which one was refused.
function Table:change(add, remove, layer)
    local plan = self:plan(add, remove)
    if #plan.rules > 0 or #add > 0 then tell_guardian(self, plan, layer) end
    if #plan.lines > 0 then
        local echo, err = nft.apply(self.ns, table.concat(plan.lines, "\n"), "-e", "-a")
        if not echo and is_gone(err, plan) then echo, err = remove_one_by_one(self, plan.lines) end
        if not echo then refuse(plan, err) end
        note_handles(plan.rules, echo)
    end
    for _, entry in ipairs(remove) do entry[1].rules = nil end
    for i, entry in ipairs(add) do entry[1].rules = plan.of_entry[i] end
    self.entries = plan.entries
end

return Table
