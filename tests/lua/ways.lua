-- Objects against iproute2. Each case is made by nsh's words and by iproute2's, by the command that nsh
-- printed, and from the record that nsh lists of it. All four must be the same, and read the same by
-- both; and all go away by their records.
--   local ways = dofile((arg[0]:gsub("[^/]*$", "ways.lua")))
--   TestNexthop = ways.test{ object = "nexthop", cases = { { { id = 1, blackhole = true }, "id 1 blackhole" } } }
--   os.exit(ways.run())
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local oracle = dofile((arg[0]:gsub("[^/]*$", "oracle.lua")))
local iproute = support.iproute
local lu = require "luaunit"
local nsh = require "nsh"

nsh.sandbox()

local M = { support = support, oracle = oracle }

-- --- where ---------------------------------------------------------------------------------------

local WAYS = { "by-nsh", "by-ip", "by-command", "by-record" }
local spaces, current = {}, nil -- they serve all tests of a class

-- Each with `v0` and `v1`, up, with addresses, and what the class needs besides.
local function set_up(spec)
    for i, way in ipairs(WAYS) do
        local ns = nsh.netns.add(way)
        spaces[way], spaces[i] = ns, ns
        ns.link:set{ "lo", up = true }
        ns.link:add{ "v0", type = "veth", address = "02:00:00:00:00:10", addrgenmode = "none", up = true,
            peer = { "v1", address = "02:00:00:00:00:11" } }
        ns.link:set{ "v1", addrgenmode = "none", up = true }
        ns.addr:add{ "10.0.0.1/24", dev = "v0" }
        ns.addr:add{ "fd00::1/64", dev = "v0", nodad = true }
        if spec.setup then spec.setup(ns) end
    end
    support.wait_for_rest{ table.unpack(spaces) }
end

local function tear_down()
    iproute.close()
    for i, way in ipairs(WAYS) do
        if spaces[way] then spaces[way]:close() nsh.netns.del(way) end
        spaces[i], spaces[way] = nil, nil
    end
end

local function use(spec)
    if current == spec then return end
    tear_down()
    set_up(spec)
    current = spec
end

-- --- what is compared ----------------------------------------------------------------------------

local function list(spec, ns, family)
    local filter = { family = family or nil }
    for key, value in pairs(spec.filter or {}) do filter[key] = value end
    return ns[spec.object]:list(filter)
end

-- As iproute2 has them, and without what is not the tests' own.
local function select_own(spec, whose, records)
    local own = {}
    for _, record in ipairs(records) do
        if not spec.own or spec.own(record) then own[#own + 1] = oracle.prepare(whose, spec.object, record) end
    end
    return own
end

local function ours(spec, ns, family)
    return select_own(spec, "nsh", support.as_json(list(spec, ns, family)))
end

local function option_of(family)
    return family and (family == "inet6" and "-6 " or "-4 ") or ""
end

local function theirs(spec, ns, family)
    local command = "%s -n %s -j -d %s%s"
    local shown = iproute.run(command:format(spec.program or "ip", ns.name, option_of(family), spec.show))
    local records = shown:find "%S" and support.decode(shown) or {}
    return select_own(spec, "ip", spec.flatten and spec.flatten(records) or records)
end

-- What nsh and iproute2 have of one moment: some fields run.
local function one_moment(spec, ns, family)
    for _ = 1, 100 do
        local before, shown = ours(spec, ns, family), theirs(spec, ns, family)
        if #oracle.differences(before, ours(spec, ns, family), "", {}) == 0 then return before, shown end
    end
    error(spec.object .. " does not come to rest")
end

-- Without the fields that run.
local function lasting(spec, records)
    for _, record in ipairs(records) do
        for _, key in ipairs(spec.running or {}) do record[key] = nil end
    end
    return records
end

-- What nsh lists, also where iproute2's JSON is silent.
local function whole(spec, ns, family)
    local own = {}
    for _, record in ipairs(support.as_json(list(spec, ns, family))) do
        own[#own + 1] = (not spec.own or spec.own(record)) and record or nil
    end
    return lasting(spec, own)
end

local function note(seen, prefix, fields, values)
    for key, value in pairs(fields) do
        local at = prefix .. (type(key) == "number" and "" or key)
        local inside = type(key) == "number" and prefix or at .. "."
        if type(value) == "table" then note(seen, inside, value, values) else values[at] = tostring(value) end
    end
    return values
end

-- --- the four ways -------------------------------------------------------------------------------

local function build(spec, args, words, family)
    local object, option = spaces["by-nsh"][spec.object], option_of(family)
    local printed = support.said(function() object:add(args) end)
    iproute.run(("%s -n by-ip %s%s add %s"):format(spec.program or "ip", option, spec.words or spec.object, words))
    iproute.run((printed:gsub("%-n by%-nsh ", "-n by-command ")))
    for _, record in ipairs(list(spec, spaces["by-nsh"], family)) do
        if not spec.own or spec.own(record) then spaces["by-record"][spec.object]:add(record) end
    end
    return printed
end

local function check(spec, seen, family, printed)
    local first, all
    for _, ns in ipairs(spaces) do
        local own, shown = one_moment(spec, ns, family)
        lu.assertEquals(#own > 0, true, ns.name)
        lu.assertEquals(oracle.differences(own, shown, ns.name, {}), {}, printed)
        first, all = first or lasting(spec, shown), all or whole(spec, ns, family)
        lu.assertEquals(lasting(spec, shown), first, printed)
        lu.assertEquals(whole(spec, ns, family), all, printed)
    end
    seen[#seen + 1] = note(seen, "", first, {})
end

-- Also shows that what nsh lists can be deleted.
local function clear(spec)
    for _, ns in ipairs(spaces) do
        for _, family in ipairs(spec.families or { "inet", "inet6" }) do
            local records = list(spec, ns, family)
            for i = #records, 1, -1 do
                local record = records[i]
                if not spec.own or spec.own(record) then ns[spec.object]:del(record) end
            end
            lu.assertEquals(ours(spec, ns, family), {})
        end
    end
end

-- --- the class -----------------------------------------------------------------------------------

--- A class of tests. `spec`:
--   object     whose verb `add` is tested
--   setup(ns)  what each namespace has besides `v0` and `v1`
--   require()  skips where the kernel lacks it
--   cases      list of { nsh's arguments, iproute2's words behind `add`, "inet6" if it needs -6 }
--   show       iproute2's words for the listing; program, if it is not ip; words, if they are not the object's name
--   filter     nsh's arguments for it, besides the family
--   families   of which all are listed, if not both; false: of any
--   flatten    makes of iproute2's listing one of records
--   own        whether a record is one of the test's
--   running    fields that change by themselves
--   wrong      list of { arguments, code, the sentence (none: the kernel's, which differ), the name in it }
--   constant   set of the fields that no case can vary
function M.test(spec)
    local class, seen = {}, {}
    function class.setUp()
        if spec.require then spec.require() end
        use(spec)
    end
    function class.tearDown()
        if current == spec then clear(spec) end
    end
    for i, case in ipairs(spec.cases) do
        class[("test_case_%02d"):format(i)] = function()
            check(spec, seen, case[3], build(spec, table.unpack(case)))
        end
    end
    function class.test_wrong_values()
        local object = spaces["by-nsh"][spec.object]
        for _, wrong in ipairs(spec.wrong or {}) do
            if not wrong[3] then
                lu.assertEquals(support.raised(object.add, object, wrong[1]).code, wrong[2])
                goto next
            end
            support.refused(wrong[2], ("cannot add %s in by-nsh: %s (%s)"):format(spec.object ..
                (wrong[4] and " " .. wrong[4] or ""), wrong[3], wrong[2]), object.add, object, wrong[1])
            ::next::
        end
    end
    function class.test_zz_every_field_was_varied()
        lu.assertEquals(oracle.unvaried(seen, spec.constant or {}), {})
    end
    return class
end

--- The namespace that nsh's words are for.
function M.space() return spaces["by-nsh"] end

--- Runs the tests and tells how many fields were compared; returns the exit status.
function M.run()
    local status = support.run(tear_down)
    print(("# %d fields compared with iproute2"):format(oracle.compared))
    return status
end

return M
