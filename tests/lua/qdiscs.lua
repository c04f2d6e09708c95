-- Qdiscs four ways, with tc as the oracle: the same is set by nsh, by tc, by the command that nsh prints,
-- and from a record; what nsh lists of each is compared with `tc -j -d`.
--   local qdiscs = dofile((arg[0]:gsub("[^/]*$", "qdiscs.lua")))
--   qdiscs.check("tbf", { rate = "1mbit", … }, "rate 1mbit …")
--   os.exit(qdiscs.run())
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"
local nsh = require "nsh"

nsh.sandbox()

local null = require("cjson").null

-- --- four namespaces of the same kind ------------------------------------------------------------

local function new(name)
    local ns = nsh.netns.add(name)
    ns.link:add{ "v0", type = "veth", up = true, peer = "v1" }
    ns.link:set{ "v1", up = true }
    return ns
end

local by_nsh, by_tc, by_command, by_record = new "by-nsh", new "by-tc", new "by-command", new "by-record"
local all = { by_nsh, by_tc, by_command, by_record }

local M = { support = support, by_nsh = by_nsh, by_tc = by_tc, by_command = by_command, by_record = by_record,
    all = all }

function M.tc(ns, words)
    return support.iproute.run(("tc -n %s %s"):format(ns.name, words))
end

function M.clear()
    for _, ns in ipairs(all) do
        for _, qdisc in ipairs(ns.qdisc:list()) do
            local root = qdisc.root and qdisc.handle ~= "0:"
            if root or qdisc.handle == "ffff:" then
                ns.qdisc:del{ dev = qdisc.dev, root = qdisc.root, parent = qdisc.parent }
            end
        end
    end
end

-- --- the comparison ------------------------------------------------------------------------------

local compared, kinds = 0, {}

-- "32Kb/1": the bytes, and a size of cells that nobody uses.
local function bytes(text)
    local number, unit = tostring(text):match "^([%d.]+)(%a*)"
    return tonumber(number) * (({ Kb = 1024, Mb = 1024 * 1024 })[unit] or 1)
end

-- What tc shows in another way than nsh, and why.
local intended = {
    burst = bytes, -- text where all else is numbers
    mtu = bytes,
    multiqueue = function() return nil end, -- no kernel has had it since 2.6.27
}
-- tc has the peakrate in its text only, and of fq_codel's ecn nothing where it is off: then a record
-- would not say all.
local left_out = { peakrate = true, ecn = true }
-- Where tc says what is not so.
local denied = {
    sfq = { "ecn", "harddrop", "adaptive", "nodrop" },
    cake = { "raw" },
}
-- What the kernel changes when it is given back: codel's clock counts in 1.024 µs, sfq's flows follow
-- from its limit.
local kernels_own = { fq_codel = { "target", "interval", "ce_threshold" }, sfq = { "flows" } }

-- How far off tc's number may be: it counts whole microseconds, and a burst in what they carry, and
-- does not know that a latency was rounded to bytes.
local function tolerance(key, options)
    if key == "burst" then return options.rate / 1e6 + 1 end
    if key == "mtu" then return (options.peakrate or 0) / 1e6 + 1 end
    if key == "lat" then return 1 + 1e6 / options.rate end
    return ({ delay = 1e-6, jitter = 1e-6 })[key] or 0
end

local function same(key, options, own, shown)
    if type(own) ~= "number" or type(shown) ~= "number" then return own == shown end
    return math.abs(own - shown) <= tolerance(key, options) + 1e-6 * math.abs(shown)
end

function M.differences(own, shown, path, found)
    if shown.kind then kinds[shown.kind] = true end
    for key, value in pairs(shown) do
        if intended[key] then value = intended[key](value) end
        if value == null then value = true end
        if type(value) == "table" and type(own[key]) == "table" then
            M.differences(own[key], value, path .. "." .. key, found)
        elseif value ~= nil then
            compared = compared + 1
            if not same(key, own, own[key], value) then
                found[#found + 1] = ("%s.%s: nsh has %s, tc has %s"):format(path, key, own[key], value)
            end
        end
    end
    for key, value in pairs(own) do
        if shown[key] == nil and not left_out[key] then
            found[#found + 1] = ("%s.%s: nsh has %s, tc has nothing"):format(path, key, value)
        end
    end
    return found
end

function M.by_place(records)
    table.sort(records, function(a, b)
        return a.dev .. (a.parent or "") .. a.handle < b.dev .. (b.parent or "") .. b.handle
    end)
    return records
end

-- Without what runs on its own, in the same order.
local function prepare(records)
    for _, record in ipairs(records) do
        if record.options.direct_packets_stat then record.options.direct_packets_stat = 0 end
        for _, key in ipairs(denied[record.kind] or {}) do
            record.options[key] = record.options[key] or nil
        end
    end
    return M.by_place(records)
end

function M.ours(ns) return prepare(support.as_json(ns.qdisc:list())) end
function M.theirs(ns) return prepare(support.decode(M.tc(ns, "-j -d qdisc show"))) end

function M.compare(ns)
    lu.assertEquals(M.differences(M.ours(ns), M.theirs(ns), "", {}), {})
end

local lacking = {}
local needed = { red = "limit 400k avpkt 1000" } -- before tc asks the kernel

-- Whether this kernel has the kind, said by tc.
function M.has(kind)
    if lacking[kind] == nil then
        local _, said = pcall(M.tc, by_tc, ("qdisc add dev lo root %s %s"):format(kind, needed[kind] or ""))
        lacking[kind] = tostring(said):find "kind is unknown" ~= nil
        pcall(M.tc, by_tc, "qdisc del dev lo root")
    end
    return not lacking[kind]
end

function M.with(options, more)
    local args = {}
    for key, value in pairs(options) do args[key] = value end
    for key, value in pairs(more) do args[key] = value end
    return args
end

-- Calls fn; returns the commands that it would be.
M.traced = support.said

local function settled(ns, kind)
    local records = M.ours(ns)
    for _, key in ipairs(kernels_own[kind] or {}) do records[1].options[key] = nil end
    return records
end

-- The values that the options have had, by kind and name.
local seen = {}

local function note(kind, options)
    for key, value in pairs(options) do
        if type(value) == "table" then
            note(kind .. " " .. key, value)
        else
            seen[kind .. " " .. key] = seen[kind .. " " .. key] or {}
            seen[kind .. " " .. key][tostring(value)] = true
        end
    end
end

--- The options of that kind that have had one value only.
function M.unvaried(kind)
    local found = {}
    for key, values in pairs(seen) do
        if key:find("^" .. kind .. " ") and not next(values, next(values)) then found[#found + 1] = key end
    end
    table.sort(found)
    return found
end

--- Sets `options` of a qdisc of that kind by nsh, and `words` by tc; compares all four.
function M.check(kind, options, words)
    lu.skipIf(not M.has(kind), "this kernel has no " .. kind)
    M.clear()
    local command = M.traced(function()
        by_nsh.qdisc:add(M.with(options, { kind, dev = "v0", root = true, handle = "1:" }))
    end)
    M.tc(by_tc, ("qdisc add dev v0 root handle 1: %s %s"):format(kind, words))
    support.iproute.run((command:gsub("by%-nsh", "by-command")))
    by_record.qdisc:add(by_nsh.qdisc:get "v0")
    for _, ns in ipairs(all) do M.compare(ns) end
    lu.assertEquals(M.differences(M.ours(by_nsh), M.theirs(by_tc), "", {}), {})
    lu.assertEquals(settled(by_record, kind), settled(by_nsh, kind))
    lu.assertEquals(M.theirs(by_command), M.theirs(by_nsh))
    note(kind, by_nsh.qdisc:get("v0").options)
end

--- Runs the tests and tells how many fields were compared; returns the exit status.
function M.run()
    local status = support.run()
    local names = {}
    for kind in pairs(kinds) do names[#names + 1] = kind end
    table.sort(names)
    print(("# %d fields compared with tc, of %s"):format(compared, table.concat(names, " ")))
    return status
end

return M
