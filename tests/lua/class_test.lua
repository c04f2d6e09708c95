-- Classes of htb: set by nsh, by tc, by the command that nsh prints, and from a record. tc prints classes as
-- text only: what it says is compared word by word.
local qdiscs = dofile((arg[0]:gsub("[^/]*$", "qdiscs.lua")))
local lu = require "luaunit"

local support, traced, with, tc, all = qdiscs.support, qdiscs.traced, qdiscs.with, qdiscs.tc, qdiscs.all
local by_nsh, by_tc, by_record = qdiscs.by_nsh, qdiscs.by_tc, qdiscs.by_record

-- --- what tc says --------------------------------------------------------------------------------

local factors = { bit = 1 / 8, Kbit = 125, Mbit = 125e3, Gbit = 125e6, b = 1, Kb = 1024, Mb = 1024 * 1024 }

local function number(text)
    local digits, unit = text:match "^([%d.]+)(%a*)"
    return tonumber(digits) * (factors[unit] or 1)
end

-- "class htb 1:10 parent 1:1 leaf 20: prio 0 … rate 1Mbit …" as a table: its words, numbers without units.
local function parse(line)
    local kind, handle, rest = line:match "^class (%S+) (%S+) (.*)$"
    local class = { kind = kind, handle = handle }
    if rest:find "^root" then class.root, rest = true, rest:sub(6) end
    for word, value in rest:gmatch "(%S+) (%S+)" do
        local is_name = word == "parent" or word == "leaf" or word == "linklayer"
        class[word] = is_name and value or number(value)
    end
    return class
end

local function theirs(ns)
    local classes = {}
    for line in tc(ns, "-d class show dev v0"):gmatch "class [^\n]+" do
        local class = parse(line)
        classes[class.handle] = class
    end
    return classes
end

local function ours(ns)
    local classes = {}
    for _, record in ipairs(ns.class:list "v0") do classes[record.handle] = record end
    return classes
end

-- --- the comparison ------------------------------------------------------------------------------

local compared, seen = 0, {}

-- tc counts bursts in whole microseconds, and rates in three digits.
local function assert_same(key, own, shown, rate)
    compared = compared + 1
    if type(shown) ~= "number" then
        lu.assertEquals(own, shown, key)
        return
    end
    local is_burst = key == "burst" or key == "cburst"
    lu.assertAlmostEquals(own, shown, (is_burst and rate / 1e6 + 1 or 0) + 1e-3 * shown, key)
end

local function compare_class(own, class)
    for key, shown in pairs(class) do
        local value = own[key]
        if value == nil then value = own.options[key] end
        assert_same(key, value, shown, key == "cburst" and own.options.ceil or own.options.rate)
    end
    for key, value in pairs(own.options) do
        local inner = class.level > 0 and (key == "prio" or key == "quantum") -- which then serve for nothing
        lu.assertTrue(class[key] ~= nil or inner, key)
        seen[key] = seen[key] or {}
        seen[key][tostring(value)] = true
    end
end

local function compare(ns)
    local own, shown = ours(ns), theirs(ns)
    for handle, class in pairs(shown) do compare_class(own[handle], class) end
    for handle in pairs(own) do lu.assertNotNil(shown[handle], handle) end
end

-- --- the four ways -------------------------------------------------------------------------------

local function start()
    qdiscs.clear()
    for _, ns in ipairs(all) do ns.qdisc:add{ "htb", dev = "v0", root = true, handle = "1:" } end
end

local function copy_records()
    local records = by_nsh.class:list "v0"
    table.sort(records, function(a, b) return a.options.level > b.options.level end)
    for _, record in ipairs(records) do by_record.class:add(record) end
end

-- Of what the kernel works out when it is first told.
local function without_level(classes)
    for _, class in pairs(classes) do class.level = nil end
    return classes
end

local function assert_same_classes(own, others)
    for handle, class in pairs(others) do
        for key, value in pairs(class) do
            assert_same(key, own[handle][key], value, key == "cburst" and class.ceil or class.rate)
        end
    end
end

local function check(verb, steps)
    local commands = {}
    for _, step in ipairs(steps) do
        commands[#commands + 1] = traced(function()
            by_nsh.class[verb](by_nsh.class, with({ "htb", dev = "v0" }, step[1]))
        end)
        tc(by_tc, ("class %s dev v0 %s"):format(verb == "set" and "change" or verb, step[2]))
    end
    support.iproute.run((table.concat(commands, "\n"):gsub("by%-nsh", "by-command")))
    for _, ns in ipairs(all) do compare(ns) end
    assert_same_classes(theirs(by_nsh), theirs(qdiscs.by_command))
    assert_same_classes(theirs(by_nsh), theirs(by_tc))
end

local inner = { { parent = "1:", classid = "1:1", rate = "100gbit" }, "parent 1: classid 1:1 htb rate 100gbit" }

local leaves = {
    { { parent = "1:1", classid = "1:10", rate = "1mbit" }, "parent 1:1 classid 1:10 htb rate 1mbit" },
    { { parent = "1:1", classid = "1:a1", rate = 125000, ceil = "5mbit", burst = "15k", cburst = 20480, prio = 3,
        quantum = 1514, mtu = 1600, mpu = 64, overhead = 24, linklayer = "atm" },
        "parent 1:1 classid 1:a1 htb rate 1mbit ceil 5mbit burst 15k cburst 20k prio 3 quantum 1514 mtu 1600 " ..
        "mpu 64 overhead 24 linklayer atm" },
    { { parent = "1:1", classid = "1:12", rate = "40gbit", ceil = 12500000000, quantum = 60000 },
        "parent 1:1 classid 1:12 htb rate 40gbit ceil 100gbit quantum 60000" },
    { { parent = "1:", classid = "1:13", rate = "8kbit", mtu = 9000, overhead = 10 },
        "parent 1: classid 1:13 htb rate 8kbit mtu 9000 overhead 10" },
    { { root = true, handle = "1:14", rate = "1mbps", ceil = "2mibps", prio = 7, burst = "1mb" },
        "root classid 1:14 htb rate 1mbps ceil 2mibps prio 7 burst 1mb" },
}

TestClasses = { setUp = start }

for i, leaf in ipairs(leaves) do
    TestClasses["test_class_" .. i] = function()
        check("add", { inner, leaf })
        copy_records()
        compare(by_record)
        lu.assertEquals(without_level(theirs(by_record)), without_level(theirs(by_nsh)))
    end
end

function TestClasses.test_changes()
    check("add", { inner, leaves[2] })
    check("set", { { { classid = "1:a1", rate = "2mbit", burst = "30k" }, "classid 1:a1 htb rate 2mbit burst 30k" } })
    check("replace", {
        { { parent = "1:1", classid = "1:a1", rate = "3mbit" }, "parent 1:1 classid 1:a1 htb rate 3mbit" },
        { { parent = "1:1", classid = "1:a2", rate = "4mbit" }, "parent 1:1 classid 1:a2 htb rate 4mbit" },
    })
end

function TestClasses.test_zz_every_field_was_varied()
    for _, key in ipairs{ "rate", "ceil", "burst", "cburst", "prio", "quantum", "mpu", "overhead", "linklayer",
        "level" } do
        lu.assertNotNil(seen[key] and (key == "overhead" or next(seen[key], next(seen[key]))), key)
    end
end

-- --- the other verbs -----------------------------------------------------------------------------

TestVerbs = { setUp = start }

function TestVerbs.test_get_list_and_del()
    check("add", { inner, leaves[1], leaves[2] })
    by_nsh.qdisc:add{ "pfifo", dev = "v0", parent = "1:10", handle = "20:" }
    lu.assertEquals(by_nsh.class:get{ "v0", classid = "1:10" }.leaf, "20:")
    compare(by_nsh)
    lu.assertEquals(#by_nsh.class:list(), 3)
    lu.assertEquals(#by_nsh.class:list{ "v0", parent = "1:1" }, 2)
    lu.assertEquals(#by_nsh.class:list{ kind = "htb", parent = "1:1", prio = 3 }, 1)
    lu.assertEquals(#by_nsh.class:list{ kind = "htb", rate = "1mbit" }, 2)
    lu.assertEquals(#by_nsh.class:list "v1", 0)
    lu.assertEquals(traced(function() by_nsh.class:del{ dev = "v0", classid = "1:a1" } end),
        "tc -n by-nsh class del dev v0 classid 1:a1")
    lu.assertEquals(#by_nsh.class:list{ dev = "v0", kind = "htb" }, 2)
end

function TestVerbs.test_classes_of_other_kinds_are_listed()
    qdiscs.clear()
    by_nsh.qdisc:add{ "tbf", dev = "v0", root = true, handle = "1:", rate = "1mbit", burst = "10k", latency = "1s" }
    local record = by_nsh.class:list()[1]
    lu.assertEquals({ record.kind, record.handle, record.parent, record.dev }, { "tbf", "1:1", "1:", "v0" })
end

-- What a class may send is what arrives: a ping through a slow one waits for the one before it.
function TestVerbs.test_a_class_slows_what_it_is_for()
    local ns = by_nsh
    ns.link:set{ "lo", up = true }
    ns.qdisc:add{ "htb", dev = "lo", root = true, handle = "1:", default = "10" }
    ns.class:add{ "htb", dev = "lo", parent = "1:", classid = "1:10", rate = "80kbit", burst = 1600 }
    local result = ns:ping("127.0.0.1", { count = 3, size = 1400, interval = 0.01, timeout = 10 })
    ns.qdisc:del{ dev = "lo", root = true }
    lu.assertTrue(result.ok)
    lu.assertTrue(result.max > 250, result.max) -- five packets of 1400 bytes behind each other take 0.7 s
end

-- --- what is refused -----------------------------------------------------------------------------

local bad = {
    { {}, "rate: missing" },
    { { rate = "1mbit", parent = false }, 'parent: say in what: "1:", or a class\'s "1:1"' },
    { { rate = "1mbit", root = true }, "parent: it is either root or has a parent" },
    { { rate = "fast" }, 'rate: "fast" given, a rate such as "10mbit" expected' },
    { { rate = "1mbit", burst = "5 k" }, 'burst: "5 k" given, a size such as "32k" expected' },
    { { rate = "8bit", burst = "10mb" },
        "burst: it would take 10485760 s at that rate, at most 275 are possible", "ERANGE" },
    { { rate = "1mbit", prio = 8 }, "prio: 8 is out of range: 0 to 7", "ERANGE" },
    { { rate = "1mbit", mpu = 70000 }, "mpu: 70000 is out of range: 0 to 65535", "ERANGE" },
    { { rate = "1mbit", linklayer = "wire" },
        'linklayer: "wire" given, one of unspec, ethernet, atm expected' },
    { { rate = "1mbit", ceiling = 1 }, 'unknown key "ceiling"; did you mean ceil' },
    { { rate = "1mbit", classid = "10" }, 'classid: "10" given, a handle such as "1:" or "1:2" expected' },
    { { "drr", quantum = 5 }, 'unknown key "quantum": nsh does not know the attributes of drr yet' },
}

TestErrors = { setUp = start }

function TestErrors.test_bad_arguments()
    for _, case in ipairs(bad) do
        local args = with({ "htb", dev = "v0", parent = "1:", classid = "1:10" }, case[1])
        if args.parent == false then args.parent = nil end
        local code = case[3] or "EINVAL"
        support.refused(code, ("cannot add class %s on v0 in by-nsh: %s (%s)"):format(args.classid, case[2], code),
            by_nsh.class.add, by_nsh.class, args)
    end
end

function TestErrors.test_what_the_kernel_says()
    local args = { "htb", dev = "v0", parent = "1:", classid = "1:10", rate = "1mbit" }
    by_nsh.class:add(args)
    lu.assertEquals(support.raised(by_nsh.class.add, by_nsh.class, args).code, "EEXIST")
    lu.assertEquals(support.raised(by_nsh.class.get, by_nsh.class, { "v0", classid = "1:77" }).code, "ENOENT")
    lu.assertEquals(support.raised(by_nsh.class.del, by_nsh.class, { dev = "v0", classid = "1:77" }).code, "ENOENT")
    support.refused("EINVAL", 'cannot list class in by-nsh: unknown key "deev"; did you mean dev (EINVAL)',
        by_nsh.class.list, by_nsh.class, { deev = "v0" })
    support.refused("EINVAL", "cannot del class v0 in by-nsh: classid: missing (EINVAL)",
        by_nsh.class.del, by_nsh.class, { dev = "v0" })
end

local status = support.run()
print(("# %d fields compared with tc, of class"):format(compared))
os.exit(status)
