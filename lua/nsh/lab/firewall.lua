--- The firewall of a lab's nodes: nft's texts, and helpers such as `masquerade`.
--
-- Texts are a step ("nft"), helpers another ("firewall") behind it: what texts drop, a helper finds. A new
-- text is given to nft as it is; where one is changed or removed, a node begins anew with all of them. On
-- the host, which only a sandbox has to itself, the tables go that a text has made.
local core = require "nsh.core"
local errors = require "nsh.errors"
local firewall = require "nsh.firewall"
local foreign = require "nsh.firewall.foreign"
local nft = require "nsh.firewall.nft"
local Table = require "nsh.firewall.table"

local M = {}

--- The helpers, which are objects of declarations.
M.HELPERS = { masquerade = true, snat = true, dnat = true, forward = true }

local function is_host(node) return node.kind == "host" end

local function label(node) return not is_host(node) and node.name or nil end

local function refuse(declaration, err)
    err.where = declaration.where
    errors.raise(err, "set the firewall", declaration.node.name)
end

-- Calls fn, which raises errors without a place.
local function try(declaration, fn, ...)
    local ok, err = pcall(fn, ...)
    if ok then return err end
    if type(err) ~= "table" then error(err, 0) end
    refuse(err.entry and err.entry[1] or declaration, err)
end

-- --- what is due ---------------------------------------------------------------------------------

local function is_due(declaration)
    return declaration.changed or (declaration.applied == nil) ~= (declaration.removed == true)
end

-- Texts: those that are due, what was in force, and what will be.
local function collect_texts(node)
    local found = { due = {}, before = {}, after = {} }
    for _, declaration in ipairs(node.declarations) do
        if declaration.object == "nft" then
            if is_due(declaration) then table.insert(found.due, declaration) end
            if declaration.applied then table.insert(found.before, { declaration, declaration.applied.text }) end
            if not declaration.removed then table.insert(found.after, { declaration, declaration.args.text }) end
        end
    end
    return found
end

local function only_new(due)
    for _, declaration in ipairs(due) do
        if declaration.applied then return false end
    end
    return true
end

local function new_texts(due)
    local list = {}
    for i, declaration in ipairs(due) do list[i] = { declaration, declaration.args.text } end
    return list
end

local function table_deletions(due)
    local lines = {}
    for _, declaration in ipairs(due) do
        for _, name in ipairs(declaration.applied and declaration.tables or {}) do
            lines[#lines + 1] = "delete table " .. name
        end
    end
    return lines
end

-- What the host is told in place of all that it has: { { declaration or nil, text }, … }.
local function host_parts(found)
    local parts = {}
    for _, line in ipairs(table_deletions(found.due)) do parts[#parts + 1] = { nil, line } end
    for _, declaration in ipairs(found.due) do
        if not declaration.removed then parts[#parts + 1] = { declaration, declaration.args.text } end
    end
    return parts
end

local FLUSH = { nil, "flush ruleset" }

local function node_parts(found)
    if only_new(found.due) then return new_texts(found.due) end
    return { FLUSH, table.unpack(found.after) }
end

local function texts_step(node)
    local found = collect_texts(node)
    if #found.due == 0 then return nil end
    local parts = is_host(node) and host_parts(found) or node_parts(found)
    return { kind = "nft", node = node, by = found.due[#found.due], parts = parts, flushes = parts[1] == FLUSH,
        before = { FLUSH, table.unpack(found.before) } }
end

-- --- helpers -------------------------------------------------------------------------------------

-- An interface by its long name, perhaps behind "!=".
local function kernel_name(node, value)
    if type(value) == "table" then
        local list = {}
        for i, one in ipairs(value) do list[i] = kernel_name(node, one) end
        return list
    end
    local negation, name = tostring(value):match "^(!?=?%s*)(.*)$"
    return negation .. node:ifname(name)
end

local function arguments(declaration)
    local args = try(declaration, firewall.arguments, declaration.object, declaration.args)
    for _, key in ipairs{ "iifname", "oifname" } do
        if args[key] ~= nil then args[key] = kernel_name(declaration.node, args[key]) end
    end
    return args
end

-- `anew`: the texts' step has flushed them.
local function helpers_step(node, anew)
    local step = { kind = "firewall", node = node, add = {}, remove = {} }
    for _, declaration in ipairs(node.declarations) do
        if M.HELPERS[declaration.object] and (anew or is_due(declaration)) then
            if not declaration.removed then table.insert(step.add, { declaration, arguments(declaration) }) end
            if declaration.applied and not anew then
                table.insert(step.remove, { declaration, declaration.in_force })
            end
            step.by = declaration
        end
    end
    return step.by and step
end

--- The steps of a node, in order.
function M.steps(node)
    local steps, texts = {}, texts_step(node)
    steps[1] = texts
    steps[#steps + 1] = helpers_step(node, texts and texts.flushes)
    return steps
end

-- --- texts ---------------------------------------------------------------------------------------

local function text_of(parts)
    local list = {}
    for i, part in ipairs(parts) do list[i] = part[2] end
    return table.concat(list, "\n")
end

-- Whose line it is, and which of his.
local function find_part(parts, line)
    for _, part in ipairs(parts) do
        local _, breaks = part[2]:gsub("\n", "")
        if line <= breaks + 1 then return part[1], line end
        line = line - breaks - 1
    end
end

local function give(step, parts)
    local ok, err = nft.apply(step.node.ns, text_of(parts))
    if ok then return end
    local declaration, line = step.by, nil
    if err.line then declaration, line = find_part(parts, err.line) end
    refuse(declaration or step.by, nft.tell_line(err, line))
end

-- The table of the lab there.
local function table_of(node)
    local own = rawget(node, "firewall")
    if not own then
        own = Table.new(nil, Table.name_for(node.lab.name))
        node.firewall = own
    end
    own.ns = rawget(node, "ns")
    return own
end

-- On the host: the tables that are new since.
local function tell_of_tables(layer, step, before)
    step.by.tables = {}
    for name in pairs(foreign.tables(step.node.ns)) do
        if not before[name] then
            table.insert(step.by.tables, name)
            errors.check(core.guardian.undo_nft(layer.id, name:match "(%S+) (%S+)"))
        end
    end
end

local function apply_texts(layer, step)
    local before = is_host(step.node) and foreign.tables(step.node.ns)
    give(step, step.parts)
    if before then tell_of_tables(layer, step, before) end
    local own = table_of(step.node)
    step.entries = own.entries
    if step.flushes then own.entries = {} end
end

-- In a node that stays; of the host's tables the guardian knows.
local function take_back_texts(step)
    if is_host(step.node) then return end
    local own = table_of(step.node)
    give(step, step.before)
    own.entries = {}
    own:change(step.entries, {}, 0)
end

-- --- helpers -------------------------------------------------------------------------------------

local function apply_helpers(layer, step)
    step.layer = layer.id
    try(step.by, Table.change, table_of(step.node), step.add, step.remove, layer.id)
    for _, entry in ipairs(step.add) do
        entry[1].in_force = entry[2]
    end
    local opening = Table.opening(step.add)
    if opening then firewall.warn_of_legacy(step.node.ns, opening[2], opening[1].where) end
end

local function take_back_helpers(step)
    local own = table_of(step.node)
    for _, entry in ipairs(step.remove) do entry[1].in_force = entry[2] end
    own:change(step.remove, step.add, step.layer)
    own:forget(step.layer)
end

local function helpers_command(step)
    local own = table_of(step.node)
    return nft.command(label(step.node), table.concat(own:plan(step.add, step.remove).lines, "\n"))
end

--- Kinds of steps: see nsh.lab.step.
M.kinds = {
    nft = {
        title = function() return "set the firewall" end,
        command = function(step) return nft.command(label(step.node), text_of(step.parts)) end,
        apply = apply_texts,
        take_back = take_back_texts,
    },
    firewall = {
        title = function() return "set the firewall" end,
        command = helpers_command,
        apply = apply_helpers,
        take_back = take_back_helpers,
    },
}

-- --- declaring -----------------------------------------------------------------------------------

--- Checks what a node declares with a helper, and returns its arguments. Raises an error with the place.
function M.check(node, verb, args)
    local ok, result = pcall(firewall.arguments, verb, args)
    if ok then return result end
    if type(result) ~= "table" then error(result, 0) end
    errors.raise(result, "add " .. verb, node.name)
end

--- Whether raw texts may go to a node: on the real host nobody could take them back.
function M.takes_text(node) return not is_host(node) or core.sandbox.active() end

return M
