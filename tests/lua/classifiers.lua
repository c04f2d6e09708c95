-- Filters four ways, with tc as the oracle: by nsh's words, by tc's, by the command that nsh prints, and from a
-- record. What nsh lists of each is compared with `tc -j -d`, and with its text where the JSON is silent.
--   local classifiers = dofile((arg[0]:gsub("[^/]*$", "classifiers.lua")))
--   classifiers.check({ "u32", protocol = "ip", … }, "protocol ip u32 …")
--   os.exit(classifiers.run())
local qdiscs = dofile((arg[0]:gsub("[^/]*$", "qdiscs.lua")))
local lu = require "luaunit"

local support, with, tc, all = qdiscs.support, qdiscs.with, qdiscs.tc, qdiscs.all
local by_nsh, by_tc, by_command, by_record = qdiscs.by_nsh, qdiscs.by_tc, qdiscs.by_command, qdiscs.by_record

local M = { qdiscs = qdiscs }

function M.start()
    qdiscs.clear()
    for _, ns in ipairs(all) do ns.qdisc:add{ "clsact", dev = "v0" } end
end

-- --- what tc says --------------------------------------------------------------------------------

local factors = { bit = 1 / 8, Kbit = 125, Mbit = 125e3, Gbit = 125e6, b = 1, Kb = 1024, Mb = 1024 * 1024 }

local function number(text)
    local digits, unit = text:match "^([%d.]+)(%a*)"
    return tonumber(digits) * (factors[unit] or 1)
end

-- Of police the JSON has no numbers: " police 0x1 rate 1Mbit burst 10Kb mtu 2Kb action drop/pipe …".
local function police_in(text)
    local found = {}
    for line in text:gmatch "police 0x[^\n]*" do
        local one = { kind = "police", exceed = line:match "action (%a+)", conform = line:match "action %a+/(%a+)" }
        for _, key in ipairs{ "rate", "burst", "mtu", "peakrate" } do
            local value = line:match(" " .. key .. " (%S+)")
            one[key] = value and number(value)
        end
        if one.rate == 0 then one.rate, one.burst, one.mtu = nil, nil, nil end -- it counts packets
        found[#found + 1] = one
    end
    return found
end

local function matches_in(text)
    local found = {}
    for match in text:gmatch "\n  match (%x+/%x+ at [^\n]+)" do found[#found + 1] = match end
    return found[1] and found or nil
end

-- "0x2/12" as the number and the mask of nsh's records.
local function split(keys, key, hex)
    local value, mask = tostring(keys[key] or ""):match "^([^/]+)/?(.*)$"
    if not value then return end
    keys[key] = hex and value or tonumber(value)
    keys[key .. "_mask"] = mask ~= "" and ("0x%x"):format(tonumber(mask, hex and 16 or nil)) or nil
end

local function prepare_keys(keys)
    for key, value in pairs(with(keys, {})) do
        if type(value) == "table" then keys[key] = ("%d-%d"):format(value.start, value["end"]) end
        if key:find "_mask$" then keys[key] = "0x" .. value end
    end
    split(keys, "tcp_flags", true)
    if keys.tcp_flags_mask == "0xfff" then keys.tcp_flags_mask = nil end -- as of the others
    split(keys, "icmp_type")
    split(keys, "icmp_code")
end

local function prepare_action(action)
    action.order, action.prob = nil, nil -- the place in the list; chance, which nsh does not know
    action.control_action = action.control_action.type
end

local function prepare(record, text)
    local options = record.options
    record.handle, options.handle, options.fh = options.handle or options.fh, nil, nil
    options.order, options.key_ht, options.bkt = nil, nil, nil -- said by the handle
    options.match = matches_in(text)
    if options.keys then prepare_keys(options.keys) end
    local police = police_in(text)
    for _, action in ipairs(options.actions or {}) do
        prepare_action(action)
        if action.kind == "police" then
            local found = table.remove(police, 1)
            action.control_action, found.exceed = found.exceed, nil
            for key, value in pairs(found) do action[key] = value end
        end
    end
    return record
end

-- The one filter that there is at that place.
local function theirs(ns)
    local text = tc(ns, "-d filter show dev v0 ingress")
    for _, record in ipairs(support.decode(tc(ns, "-j -d filter show dev v0 ingress"))) do
        if record.options and not record.options.ht_divisor then return prepare(record, text) end
    end
end

-- --- the comparison ------------------------------------------------------------------------------

local compared, seen = 0, {}

-- What is not tc's to show: where it was asked for; and what counts all bytes.
local function ours(ns)
    local records = support.as_json(ns.filter:list "v0")
    lu.assertEquals(#records, 1)
    local record = records[1]
    lu.assertEquals({ record.dev, record.ingress }, { "v0", true })
    record.dev, record.ingress = nil, nil
    return record
end

-- tc's text has three digits, and of a burst what takes whole microseconds, both when it is set and when it is shown.
local function same(own, shown, key, rate)
    if type(own) ~= "number" or type(shown) ~= "number" then return own == shown end
    local burst = key == "burst" and 2 * rate / 1e6 + 1 or key == "pkts_burst" and 1 or 0
    return math.abs(own - shown) <= 0.006 * math.abs(shown) + burst
end

local left_out = { mpu = true } -- of police

local function differences(own, shown, path, found)
    for key, value in pairs(shown) do
        if type(value) == "table" and type(own[key]) == "table" then
            differences(own[key], value, path .. "." .. key, found)
        else
            compared = compared + 1
            if not same(own[key], value, key, own.rate) then
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

-- Numbers that count up in each namespace.
local function lasting(record)
    for _, action in ipairs(record.options.actions or {}) do action.index = nil end
    return record
end

local function note(prefix, fields)
    for key, value in pairs(fields) do
        local path = type(key) == "number" and prefix .. (value.kind or "") or prefix .. "." .. key
        if type(value) == "table" then
            note(path, value)
        elseif type(key) == "string" then
            seen[path] = seen[path] or {}
            seen[path][tostring(value)] = true
        end
    end
end

--- The fields of the options of that kind that have had one value only; a mask is not there at all where it is of
-- all bits.
function M.unvaried(kind)
    local found = {}
    for path, values in pairs(seen) do
        local is_varied = path:find "_mask$" or next(values, next(values))
        if path:find("^" .. kind) and not is_varied then found[#found + 1] = path end
    end
    table.sort(found)
    return found
end

--- Compares what nsh and tc say of the one filter in each namespace, and with each other.
function M.compare()
    for _, ns in ipairs(all) do lu.assertEquals(differences(ours(ns), theirs(ns), ns.name, {}), {}) end
    for _, ns in ipairs{ by_tc, by_command, by_record } do
        lu.assertEquals(differences(lasting(ours(by_nsh)), lasting(theirs(ns)), ns.name, {}), {})
    end
    local record = by_nsh.filter:list("v0")[1]
    note(record.kind, record.options)
end

--- Whether this kernel has what the words of tc want.
function M.has(words)
    local ok, said = pcall(tc, by_tc, "filter add dev v0 egress pref 77 " .. words)
    if ok then by_tc.filter:flush{ dev = "v0", egress = true } end
    return ok or not (tostring(said):find "classifier not found" or tostring(said):find "action module")
end

--- Adds a filter with nsh's arguments (without a place) and one with tc's words (from the protocol on).
function M.check(args, words)
    local command = qdiscs.traced(function() by_nsh.filter:add(with(args, { dev = "v0", ingress = true })) end)
    tc(by_tc, "filter add dev v0 ingress " .. words)
    support.iproute.run((command:gsub("by%-nsh", "by-command")))
    by_record.filter:add(by_nsh.filter:list("v0")[1])
    M.compare()
end

--- Adds a class of tests with the cases, each { arguments, words }, that need the words to work here.
function M.test(name, needs, cases)
    local class = { setUp = function()
        M.start()
        lu.skipIf(not M.has(needs), "this kernel has no " .. name)
    end }
    _G["Test_" .. name] = class
    for i, case in ipairs(cases) do
        class[("test_case_%02d"):format(i)] = function() M.check(case[1], case[2]) end
    end
    return class
end

--- Runs the tests and tells how many fields were compared; returns the exit status.
function M.run()
    local status = support.run()
    print(("# %d fields compared with tc, of filter"):format(compared))
    return status
end

return M
