-- Kinds of links against iproute2. Each case is built by nsh's words and by ip's; the two must be the
-- same link, and read the same by both. So must be what nsh makes of the record of it, and of the
-- command that it printed.
--   local kinds = dofile((arg[0]:gsub("[^/]*$", "kinds.lua")))
--   kinds.test{ kind = "dummy", cases = { { { mtu = 1400 }, "mtu 1400 type dummy" } }, wrong = {} }
--   os.exit(kinds.run())
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local oracle = dofile((arg[0]:gsub("[^/]*$", "oracle.lua")))
local iproute = support.iproute
local lu = require "luaunit"
local nsh = require "nsh"

nsh.sandbox()

local M = { support = support }

-- --- where ---------------------------------------------------------------------------------------

local NAME, MAC = "x0", "02:00:00:00:00:77"
local WAYS = { "by-nsh", "by-ip", "by-record", "by-command" }
local spaces, spec_of_spaces = {}, nil -- they serve all tests of a class

-- The namespaces of the four ways, each with `eth0`, up, and what the class needs besides.
local function set_up(setup)
    for _, way in ipairs(WAYS) do
        local ns = nsh.netns.add(way)
        spaces[way] = ns
        ns.link:add{ "eth0", type = "veth", up = true, address = "02:00:00:00:00:e0", peer = "eth1" }
        ns.link:set{ "eth1", up = true }
        ns.addr:add{ "10.0.0.1/24", dev = "eth0" }
        ns.addr:add{ "fd00::1/64", dev = "eth0", nodad = true }
        if setup then setup(ns) end
    end
end

local function tear_down()
    iproute.close()
    for way, ns in pairs(spaces) do
        ns:close()
        nsh.netns.del(way)
    end
    spaces = {}
end

local function del_link()
    for _, ns in pairs(spaces) do
        pcall(ns.link.del, ns.link, NAME) -- a test may have made none
    end
end

-- --- what is compared ----------------------------------------------------------------------------

-- What iproute2 shows of the link, by way; asked for by name it would know the number that the last one had.
local function show_all()
    local records = {}
    for _, way in ipairs(WAYS) do
        for _, record in ipairs(support.decode(iproute.run(("ip -n %s -j -d link show"):format(way)))) do
            if record.ifname == NAME then records[way] = oracle.prepare("ip", "link", record) end
        end
    end
    return records
end

local function compare(way, theirs)
    local own = support.as_json(spaces[way].link:get(NAME))
    lu.assertEquals(oracle.differences(oracle.prepare("nsh", "link", own), theirs, way, {}), {})
end

-- What says how it was made.
local LASTING = { "linkinfo", "address", "broadcast", "link", "link_type", "mtu", "txqlen", "master", "group",
    "linkmode", "num_tx_queues", "num_rx_queues" }

local function lasting(record)
    local kept = {}
    for _, key in ipairs(LASTING) do kept[key] = record[key] end
    return kept
end

-- The values that each field of the kind has had, to see that all fields were varied.
local function note(seen, prefix, fields, values)
    values = values or {}
    for key, value in pairs(fields or {}) do
        if type(value) == "table" then note(seen, prefix .. key .. ".", value, values)
        else values[prefix .. key] = tostring(value) end
    end
    if prefix == "" then table.insert(seen, values) end
end

-- --- the four ways -------------------------------------------------------------------------------

local function with(args, more)
    local copy = {}
    for _, fields in ipairs{ args, more } do for key, value in pairs(fields) do copy[key] = value end end
    return copy
end

local function nested(spec, record)
    return record.linkinfo[spec.nest or "info_data"]
end

-- nsh's `verb` with `args`, ip's `words`, the record, and the command.
local function do_all(verb, args, words)
    local link = spaces["by-nsh"].link
    local printed = support.said(function() link[verb](link, args) end)
    iproute.run(("ip -n by-ip link %s %s %s"):format(verb, NAME, words))
    iproute.run((printed:gsub("%-n by%-nsh ", "-n by-command ")))
    local other = spaces["by-record"].link
    other[verb](other, link:get(NAME))
end

-- `args` and `words`: of nsh and of ip, the latter from the first word behind the name on.
local function build(spec, args, words)
    local ours = with({ NAME, type = spec.kind, address = spec.ether and MAC or nil }, args)
    do_all("add", ours, (spec.ether and "address " .. MAC .. " " or "") .. words)
end

local function change(spec, args, words)
    do_all("set", with({ NAME, type = spec.kind }, args), ("type %s %s"):format(spec.kind, words))
end

local checked = {} -- kinds

local function check(spec, seen)
    local records = show_all()
    for _, way in ipairs(WAYS) do
        compare(way, records[way])
        lu.assertEquals(lasting(records[way]), lasting(records["by-nsh"]), way)
    end
    note(seen, "", nested(spec, records["by-nsh"]))
    checked[spec.kind] = true
end

-- --- the class -----------------------------------------------------------------------------------

local known = {}

local function require_kind(spec)
    if known[spec.kind] == nil then
        local ns <close> = nsh.netns.new()
        -- what is missing for `add` goes to the kernel here, which knows the kind or not
        local ok, err = pcall(ns.link.replace, ns.link, { "probe", type = spec.kind })
        known[spec.kind] = ok or err.message ~= "Unknown device type"
    end
    lu.skipIf(not known[spec.kind], "this kernel has no links of kind " .. spec.kind)
end

--- Adds a class of tests. `spec`:
--   kind, ether (whether its address can be chosen)
--   setup(ns)  what each namespace has besides `eth0`
--   cases      list of { nsh's arguments, ip's words from `type` (or before) on }
--   changes    list of { …, … } for a link made by the first case
--   wrong      list of { arguments, code, the sentence }
--   constant   set of the fields of the kind that no case can vary
function M.test(spec)
    local class, seen = {}, {}
    _G["Test_" .. spec.kind] = class
    function class.setUp()
        require_kind(spec)
        if spec_of_spaces ~= spec then
            tear_down()
            set_up(spec.setup)
            spec_of_spaces = spec
        end
    end
    class.tearDown = del_link

    for i, case in ipairs(spec.cases) do
        class[("test_case_%02d"):format(i)] = function()
            build(spec, case[1], case[2])
            check(spec, seen)
        end
    end
    function class.test_changes()
        build(spec, table.unpack(spec.cases[1]))
        check(spec, seen)
        for _, one in ipairs(spec.changes or {}) do
            change(spec, one[1], one[2])
            check(spec, seen)
        end
    end
    function class.test_set_takes_its_record_and_changes_nothing()
        local ns = spaces["by-nsh"]
        for _, case in ipairs(spec.cases) do
            ns.link:add(with({ NAME, type = spec.kind }, case[1]))
            lu.assertEquals(support.said(function() ns.link:set(ns.link:get(NAME)) end), "")
            ns.link:del(NAME)
        end
    end
    function class.test_wrong_values()
        local ns = spaces["by-nsh"]
        for _, wrong in ipairs(spec.wrong) do
            support.refused(wrong[2], ("cannot add link x0 in by-nsh: %s (%s)"):format(wrong[3], wrong[2]),
                ns.link.add, ns.link, with({ NAME, type = spec.kind }, wrong[1]))
        end
    end
    function class.test_zz_every_field_was_varied()
        lu.assertEquals(oracle.unvaried(seen, spec.constant or {}), {})
    end
end

--- Runs the tests and tells how many fields were compared; returns the exit status.
function M.run()
    local status = support.run(tear_down)
    local names = {}
    for kind in pairs(checked) do names[#names + 1] = kind end
    table.sort(names)
    print(("# %d fields compared with iproute2, of link %s"):format(oracle.compared, table.concat(names, " ")))
    return status
end

return M
