--- Does everybody reach everybody? Echo requests between every two nodes.
local core = require "nsh.core"
local errors = require "nsh.errors"
local loop = require "nsh.loop"
local matrix = require "nsh.lab.matrix"
local options = require "nsh.options"
local settle = require "nsh.settle"
local waves = require "nsh.lab.waves"

local M = {}

local FAMILIES = { "inet", "inet6" }
local FIRST = 0.2 -- seconds: whatever is slower is asked again, with all the time there is
local TIMEOUT = 1.5 -- seconds: the kernel repeats its question for a neighbour after one (retrans_time)
local OVERFLOWS, PAUSE = 6, 0.1 -- tries, and seconds before the first, twice as long each time
local TILE = 16 -- nodes

local rows = {
    { "all", type = "boolean", default = false, valid = "true or false" },
    { "family", type = "string", words = FAMILIES, valid = '"inet" or "inet6"' },
    { "timeout", default = TIMEOUT, min = 0.001, max = 3600, valid = "0.001 to 3600 seconds" },
    { "size", default = 56, min = 0, max = 65507, whole = true, valid = "0 to 65507 bytes" },
}

local function refuse(format, ...)
    errors.raise(errors.new("EINVAL", format:format(...)), "ping all")
end

-- --- the nodes -----------------------------------------------------------------------------------

-- Those of the link itself would need the name of the sender's interface.
local function is_of_link(address)
    return address:find "^[fF][eE][89abAB]%x:" ~= nil
end

-- What is asked of a node: for each family a list, of one address unless `all`.
local function sort_addresses(node, opts)
    local targets = { inet = {}, inet6 = {} }
    for _, text in ipairs(node.addresses) do
        local address = tostring(text):match "^[^/]*"
        local family = address:find ":" and "inet6" or "inet"
        local wanted = (opts.all or #targets[family] == 0) and (opts.family or family) == family
        if wanted and not is_of_link(address) then table.insert(targets[family], address) end
    end
    return targets
end

local function check_node(node, i, known)
    if type(node) ~= "table" or type(node.name) ~= "string" or type(node.ns) ~= "table" or
        type(node.addresses) ~= "table" then
        refuse("node %d is no table { name =, ns =, addresses = {…} }", i)
    elseif known[node.name] then
        refuse("two nodes have the name %s", options.quote(node.name))
    elseif node.ns.closed then
        refuse("the namespace of %s is closed", node.name)
    end
    known[node.name] = true
end

local function addresses_of(node)
    local list = {}
    for _, declared in ipairs(node.declarations) do
        local is_uplink = declared.owner and declared.owner.uplink
        if declared.object == "addr" and not declared.removed and not is_uplink then
            table.insert(list, declared.args[1] or declared.args.local_)
        end
    end
    return list
end

local function nodes_of(lab)
    local list = {}
    for _, node in ipairs(lab.nodes) do
        if node.kind ~= "outside" then
            list[#list + 1] = { name = node.name, ns = node:live(), addresses = addresses_of(node) }
        end
    end
    return list
end

local function read_nodes(nodes, opts)
    local known, list = {}, {}
    if type(nodes) ~= "table" then refuse("a list of nodes expected, not %s", options.quote(nodes)) end
    if rawget(nodes, "nodes") then nodes = nodes_of(nodes) end
    for i, node in ipairs(nodes) do
        check_node(node, i, known)
        list[i] = { name = node.name, ns = node.ns, order = i, targets = sort_addresses(node, opts) }
    end
    return list
end

-- --- the probes ----------------------------------------------------------------------------------

-- A probe for each address of `to` in a family that `from` has as well.
local function yield_probes(from, to)
    for _, family in ipairs(FAMILIES) do
        if #from.targets[family] > 0 then
            for _, address in ipairs(to.targets[family]) do
                coroutine.yield{ from = from, to = to, family = family, address = address }
            end
        end
    end
end

local function count_probes(nodes, family)
    local having, addresses = 0, 0
    for _, node in ipairs(nodes) do
        local count = #node.targets[family]
        having, addresses = having + (count > 0 and 1 or 0), addresses + count
    end
    return math.max(0, having - 1) * addresses
end

-- An iterator over all probes. Both directions of a pair stand side by side, since they share their
-- neighbours; and tile after tile of the matrix, so that few namespaces take part in a wave.
local function each_probe(nodes)
    local function in_tile(row, column)
        for a = row, math.min(row + TILE - 1, #nodes) do
            for b = math.max(column, a + 1), math.min(column + TILE - 1, #nodes) do
                yield_probes(nodes[a], nodes[b])
                yield_probes(nodes[b], nodes[a])
            end
        end
    end
    return coroutine.wrap(function()
        for row = 1, #nodes, TILE do
            for column = row, #nodes, TILE do in_tile(row, column) end
        end
    end)
end

local function each_of(list)
    local i = 0
    return function()
        i = i + 1
        return list[i]
    end
end

-- --- the result ----------------------------------------------------------------------------------

local Result = { __tostring = matrix.format }
local Failure = { __tostring = matrix.format_failure }

local function new_result(nodes)
    local result = { ok = false, transmitted = 0, received = 0, retried = 0, loss = 0,
        nodes = core.json.list{}, families = core.json.list{}, matrix = {}, failures = core.json.list{} }
    for _, family in ipairs(FAMILIES) do
        if count_probes(nodes, family) > 0 then table.insert(result.families, family) end
        result.transmitted = result.transmitted + count_probes(nodes, family)
    end
    for _, node in ipairs(nodes) do
        if #node.targets.inet + #node.targets.inet6 > 0 then
            table.insert(result.nodes, node.name)
            result.matrix[node.name] = {}
        end
    end
    return setmetatable(result, Result)
end

local function note_answer(result, probe)
    local row, to, rtt = result.matrix[probe.from.name], probe.to.name, probe.rtt
    result.received = result.received + 1
    result.sum = (result.sum or 0) + rtt
    result.min = math.min(result.min or rtt, rtt)
    result.max = math.max(result.max or rtt, rtt)
    if row[to] ~= false then row[to] = math.max(row[to] or 0, rtt) end
end

local function note_failure(result, probe)
    local from, to = probe.from.name, probe.to.name
    result.matrix[from][to] = false
    table.insert(result.failures, setmetatable({ from = from, to = to, family = probe.family,
        address = probe.address, reason = probe.reason, message = probe.message }, Failure))
end

local function is_before(a, b)
    if a.from ~= b.from then return a.from.order < b.from.order end
    if a.to ~= b.to then return a.to.order < b.to.order end
    return a.family == b.family and a.address < b.address or a.family < b.family
end

local function finish(result, lost)
    table.sort(lost, is_before)
    for _, probe in ipairs(lost) do note_failure(result, probe) end
    result.ok = result.transmitted > 0 and result.received == result.transmitted
    if result.transmitted > 0 then
        result.loss = 100 * (result.transmitted - result.received) / result.transmitted
    end
    if result.received > 0 then result.avg = result.sum / result.received end
    result.sum = nil
    return result
end

-- --- all of it -----------------------------------------------------------------------------------

-- Sends the probes wave by wave; returns those that were lost.
local function sweep(run, next_probe, timeout)
    local lost = {}
    local wave, more
    repeat
        wave, more = run.waves:send(next_probe, timeout)
        for _, probes in ipairs(wave) do
            for _, probe in ipairs(probes) do
                if probe.rtt then note_answer(run.result, probe) else table.insert(lost, probe) end
            end
        end
        run.progress:at(run.result.received)
    until not more
    return lost
end

-- Tries those again, later and later, that a neighbour table without room kept from being known: what
-- others have in it grows old meanwhile, and then it gives way. Returns the lost ones.
local function outlast_overflows(run, lost, timeout)
    local known = {}
    for try = 0, OVERFLOWS do
        local unknown = {}
        for _, probe in ipairs(lost) do
            table.insert(waves.is_overflow(probe) and try < OVERFLOWS and unknown or known, probe)
        end
        if #unknown == 0 then break end
        loop.sleep(PAUSE * 2 ^ try)
        lost = sweep(run, each_of(unknown), timeout)
    end
    return known
end

local function ping(run, nodes, timeout)
    local lost = sweep(run, each_probe(nodes), math.min(FIRST, timeout))
    run.result.retried = #lost
    lost = sweep(run, each_of(lost), timeout)
    return finish(run.result, outlast_overflows(run, lost, timeout))
end

--- Pings from every node every other one, in both families where both have an address of it, all at
-- the same time; other tasks go on meanwhile. Who does not answer is asked again before it counts as
-- lost. Neighbours that come meanwhile are deleted again, those that were there before stay.
--
-- `lab`: a lab that is up; or a list of { name =, ns = (a namespace), addresses = { "10.0.0.1/24",
-- "fd00::1", … } }. Of a node's addresses the first of each family is asked; none that is link-local
-- (fe80::/10). A node without any takes no part, but is cleared of new neighbours: a list should name
-- those that are on the way, too.
--
-- `opts`:
--
-- - `all`: true: each address, not only the first
-- - `family`: "inet" or "inet6": only this
-- - `timeout`: seconds to wait for a reply (1.5)
-- - `size`: bytes of payload (56)
--
-- Returns a table:
--
-- - `ok`: there was something to ask, and all was answered
-- - `transmitted`, `received`, `loss` (percent): each address counts once for each node that asks for it
-- - `retried`: how many had to be asked again
-- - `min`, `avg`, `max`: round-trip times in milliseconds, if there was a reply
-- - `nodes`: the names, in order, of those with an address
-- - `families`: those that were asked
-- - `matrix`: matrix[from][to] is a time in milliseconds (the slowest of the addresses), false if one of
--   them did not answer, nil if there was nothing to ask
-- - `failures`: a list of { from =, to =, family =, address =, reason =, message = } in the order of the
--   nodes, with the words of `ns:ping`. "neighbour table full" says nothing about the pair: for more than
--   six seconds others had what there is of the machine's table
--
-- As text it is the matrix, or for many nodes what failed, and a line with the sums.
--
-- Errors: EINVAL for nodes or options that are none; ENOENT: the lab is not up; what `ns:ping` raises.
--
--     local r = lab:pingall()
--     print(r)
--     assert(r.ok and r.matrix.app3.app4 < 5)
function M.pingall(lab, opts)
    opts = options.complete(rows, opts or {}, "ping all")
    local nodes = read_nodes(lab, opts)
    local result = new_result(nodes)
    local all <close> = waves.new(#nodes, opts.size)
    local progress <close> = require "nsh.progress"("pingall", result.transmitted, "replies")
    for _, node in ipairs(nodes) do all:add(node) end
    settle.ready()
    return ping({ waves = all, progress = progress, result = result }, nodes, opts.timeout)
end

options.declare(M.pingall, rows)

return M
