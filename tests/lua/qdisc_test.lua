-- Queueing disciplines, with tc as the oracle: the same options are set by nsh, by tc, by the command
-- that nsh prints, and from a record; what nsh lists of each is compared with `tc -j -d`.
local qdiscs = dofile((arg[0]:gsub("[^/]*$", "qdiscs.lua")))
local lu = require "luaunit"
local nsh = require "nsh"

local support = qdiscs.support

local by_nsh, by_tc, by_command, by_record = qdiscs.by_nsh, qdiscs.by_tc, qdiscs.by_command, qdiscs.by_record
local all, tc, clear, compare, traced = qdiscs.all, qdiscs.tc, qdiscs.clear, qdiscs.compare, qdiscs.traced
local differences, ours, theirs, by_place = qdiscs.differences, qdiscs.ours, qdiscs.theirs, qdiscs.by_place
local has, with = qdiscs.has, qdiscs.with
local host = nsh.host

-- --- kinds and their options ---------------------------------------------------------------------

-- The kind, its options in nsh's words and in tc's.
local cases = {
    { "pfifo", {}, "" },
    { "pfifo", { limit = 10 }, "limit 10" },
    { "bfifo", {}, "" },
    { "bfifo", { limit = "10k" }, "limit 10k" },
    { "bfifo", { limit = 4000000 }, "limit 4000000" },
    { "pfifo_head_drop", { limit = 7 }, "limit 7" },
    { "pfifo_fast", {}, "" },
    { "noqueue", {}, "" },
    { "tbf", { rate = "1mbit", burst = "32k", latency = "50ms" }, "rate 1mbit burst 32k latency 50ms" },
    { "tbf", { rate = 125000, burst = 32768, lat = 50000 }, "rate 1mbit burst 32k latency 50ms" },
    { "tbf", { rate = "3mbit", burst = 1600, limit = "10k" }, "rate 3mbit burst 1600 limit 10k" },
    { "tbf", { rate = "3mbit", burst = "1mb", limit = 1500 }, "rate 3mbit burst 1mb limit 1500" },
    { "tbf", { rate = "100gbit", burst = "2mb", latency = "50ms" }, "rate 100gbit burst 2mb latency 50ms" },
    { "tbf", { rate = "1mbps", burst = "20kb", latency = "1.5s", mpu = 64 },
        "rate 1mbps burst 20kb latency 1.5s mpu 64" },
    { "tbf", { rate = "3mbit", burst = "20k", latency = "50ms", peakrate = "4mibit", minburst = 1600 },
        "rate 3mbit burst 20k latency 50ms peakrate 4mibit minburst 1600" },
    { "prio", {}, "" },
    { "prio", { bands = 4 }, "bands 4" },
    { "prio", { bands = 4, priomap = { 0, 1, 2, 3, 3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0 } },
        "bands 4 priomap 0 1 2 3 3 2 1 0 0 1 2 3 3 2 1 0" },
    { "sfq", {}, "" },
    { "sfq", { limit = 50, perturb = 10, quantum = "2k", divisor = 128, flows = 20, depth = 30,
        headdrop = true }, "limit 50 perturb 10 quantum 2k divisor 128 flows 20 depth 30 headdrop" },
    { "fq", {}, "" },
    { "fq", { limit = 100, flow_limit = 50, quantum = 1000, initial_quantum = 3000, maxrate = "1mbit",
        buckets = 100, pacing = false, refill_delay = "12ms", low_rate_threshold = "100kbit",
        orphan_mask = 511, timer_slack = "20us", ce_threshold = "2ms", horizon = "5s",
        horizon_cap = true },
        "limit 100 flow_limit 50 quantum 1000 initial_quantum 3000 maxrate 1mbit buckets 100 nopacing " ..
        "refill_delay 12ms low_rate_threshold 100kbit orphan_mask 511 timer_slack 20us " ..
        "ce_threshold 2ms horizon 5s horizon_cap" },
    { "fq", { pacing = true, horizon_drop = true, horizon = 7000000, timer_slack = 30000,
        maxrate = 125000 }, "pacing horizon_drop horizon 7s timer_slack 30us maxrate 1mbit" },
    { "fq_codel", {}, "" },
    { "fq_codel", { limit = 100, flows = 10, target = "7ms", interval = "30ms", quantum = 300,
        ecn = false, ce_threshold = "1ms", memory_limit = "4mb", drop_batch = 3 },
        "limit 100 flows 10 target 7ms interval 30ms quantum 300 noecn ce_threshold 1ms " ..
        "memory_limit 4mb drop_batch 3" },
    { "fq_codel", { ce_threshold = 1000, ce_threshold_selector = "0x1/3", ecn = true, target = 6000 },
        "ce_threshold 1ms ce_threshold_selector 0x1/0x3 ecn target 6ms" },
    { "htb", {}, "" },
    { "htb", { default = "1f", r2q = 5, direct_qlen = 20 }, "default 1f r2q 5 direct_qlen 20" },
    { "htb", { default = 31 }, "default 0x1f" },
    { "netem", {}, "" },
    { "netem", { delay = "50ms" }, "delay 50ms" },
    { "netem", { delay = 0.05, jitter = 0.01, limit = 99 }, "delay 50ms 10ms limit 99" },
    { "netem", { delay = { "50ms", jitter = "10ms", correlation = "25%" } }, "delay 50ms 10ms 25%" },
    { "netem", { delay = { "1s", correlation = 0.255 } }, "delay 1s 0ms 25.5%" },
    { "netem", { delay = "0.3ms" }, "delay 0.3ms" },
    { "netem", { loss = "1%" }, "loss 1%" },
    { "netem", { loss = { "0.3%", correlation = "10%" } }, "loss random 0.3% 10%" },
    { "netem", { loss = { loss = 1, correlation = "100%" } }, "loss 100% 100%" },
    { "netem", { loss = "33.333%", ecn = true }, "loss 33.333% ecn" },
    { "netem", { duplicate = "2%" }, "duplicate 2%" },
    { "netem", { duplicate = { "2%", correlation = "20%" }, loss = { "3%", correlation = 0.04 } },
        "duplicate 2% 20% loss 3% 4%" }, -- alone tc forgets that of duplicates
    { "netem", { corrupt = "0.1%" }, "corrupt 0.1%" },
    { "netem", { corrupt = { 0.001, correlation = "3%" } }, "corrupt 0.1% 3%" },
    { "netem", { delay = "10ms", reorder = "25%" }, "delay 10ms reorder 25%" },
    { "netem", { delay = "10ms", reorder = { "25%", correlation = "50%" }, gap = 5 },
        "delay 10ms reorder 25% 50% gap 5" },
    { "netem", { rate = "10mbit" }, "rate 10mbit" },
    { "netem", { rate = 12500000000 }, "rate 100gbit" },
    { "netem", { rate = { "5kbit", packetoverhead = 20, cellsize = 100, celloverhead = -5 } },
        "rate 5kbit 20 100 -5" },
    { "netem", { rate = "1gbit", celloverhead = 5 }, "rate 1gbit 0 0 5" },
    { "netem", { delay = "50ms", loss = "1%", rate = "10mbit" }, "delay 50ms loss 1% rate 10mbit" },
}

TestOptions = {}

for i, case in ipairs(cases) do
    TestOptions[("test_%02d_%s"):format(i, case[1])] = function()
        qdiscs.check(table.unpack(case, 1, 3))
    end
end

-- `set` says all of the options again, as `tc qdisc change` does.
function TestOptions.test_change()
    local steps = {
        { "tbf", { rate = "2mbit", burst = "10k", limit = "20k" }, "rate 2mbit burst 10k limit 20k" },
        { "pfifo", { limit = 33 }, "limit 33" },
        { "netem", { loss = "2%" }, "loss 2%" },
        { "fq_codel", { limit = 50 }, "limit 50" },
    }
    for _, step in ipairs(steps) do
        local kind, options, words = table.unpack(step)
        if has(kind) then
            clear()
            for _, case in ipairs(cases) do
                if case[1] == kind and next(case[2]) then
                    by_nsh.qdisc:replace(with(case[2], { kind, dev = "v0", root = true, handle = "1:" }))
                    tc(by_tc, ("qdisc replace dev v0 root handle 1: %s %s"):format(kind, case[3]))
                    break
                end
            end
            by_nsh.qdisc:set(with(options, { kind, dev = "v0", root = true }))
            tc(by_tc, ("qdisc change dev v0 root %s %s"):format(kind, words))
            compare(by_nsh)
            lu.assertEquals(differences(ours(by_nsh), theirs(by_tc), "", {}), {})
        end
    end
end

-- tc rounds down to microseconds, and takes an overhead for a part of the burst. Over ATM all is
-- counted in cells: there it is enough that a record stands for itself.
local function check_numbers(rate, burst, overhead, linklayer)
    host.qdisc:replace{ "tbf", dev = "lo", root = true, handle = "1:", rate = rate, burst = burst,
        latency = "7ms", overhead = overhead, linklayer = linklayer }
    local record = host.qdisc:get "lo"
    lu.assertEquals(record.options.rate, rate)
    lu.assertAlmostEquals(record.options.burst, burst, linklayer == "atm" and 47 or 0)
    if linklayer ~= "atm" then lu.assertAlmostEquals(record.options.lat, 7000, 1e6 / rate) end
    host.qdisc:replace(record)
    lu.assertEquals(host.qdisc:get "lo", record)
end

function TestOptions.test_what_was_set_is_what_is_read()
    clear()
    for _, overhead in ipairs{ 0, 10 } do
        for _, rate in ipairs{ 1000, 375000, 1234567, 15000000 } do
            for _, burst in ipairs{ 1514, 9999, 123457 } do
                check_numbers(rate, burst, overhead, "ethernet")
                check_numbers(rate, burst, overhead, "atm")
            end
        end
    end
    host.qdisc:del{ dev = "lo", root = true }
end

-- --- places --------------------------------------------------------------------------------------

TestPlaces = { setUp = clear }

function TestPlaces.test_a_tree()
    local command = traced(function()
        by_nsh.qdisc:add{ "htb", dev = "v0", root = true, handle = "1:" }
    end)
    lu.assertEquals(command, "tc -n by-nsh qdisc add dev v0 root handle 1: htb")
    tc(by_nsh, "class add dev v0 parent 1: classid 1:a htb rate 1mbit")
    command = traced(function()
        by_nsh.qdisc:add{ "pfifo", dev = "v0", parent = "1:a", handle = "20:", limit = 5 }
    end)
    lu.assertEquals(command, "tc -n by-nsh qdisc add dev v0 parent 1:a handle 20: pfifo limit 5")
    compare(by_nsh)
    lu.assertEquals(by_nsh.qdisc:get("v0").kind, "htb")
    lu.assertEquals(by_nsh.qdisc:get{ "v0", parent = "1:a" }.options.limit, 5)
    lu.assertEquals(by_nsh.qdisc:get{ dev = "v0", handle = "20:" }.kind, "pfifo")
    lu.assertEquals(#by_nsh.qdisc:list{ "v0", parent = "1:a" }, 1)
    lu.assertEquals(#by_nsh.qdisc:list{ dev = "v0", root = true }, 1)
    lu.assertEquals(#by_nsh.qdisc:list{ handle = "20:" }, 1)
    lu.assertEquals(#by_nsh.qdisc:list{ kind = "pfifo", limit = 5 }, 1)
    lu.assertEquals(#by_nsh.qdisc:list{ kind = "pfifo", limit = 6 }, 0)
    by_nsh.qdisc:del{ dev = "v0", parent = "1:a" }
    lu.assertEquals(by_nsh.qdisc:list{ "v0", handle = "20:" }, {})
end

function TestPlaces.test_kinds_with_a_place_of_their_own()
    for _, kind in ipairs{ "ingress", "clsact" } do
        local command = traced(function() by_nsh.qdisc:add{ kind, dev = "v0" } end)
        lu.assertEquals(command, "tc -n by-nsh qdisc add dev v0 " .. kind)
        tc(by_tc, "qdisc add dev v0 " .. kind)
        lu.assertEquals(theirs(by_nsh), theirs(by_tc))
        compare(by_nsh)
        local record = by_nsh.qdisc:list{ "v0", kind = kind }[1]
        command = traced(function() by_record.qdisc:add(record) end)
        lu.assertEquals(command, "tc -n by-record qdisc add dev v0 " .. kind)
        for _, ns in ipairs{ by_nsh, by_tc, by_record } do
            lu.assertEquals(traced(function() ns.qdisc:del{ kind, dev = "v0" } end),
                ("tc -n %s qdisc del dev v0 %s"):format(ns.name, kind))
        end
        lu.assertEquals(#by_nsh.qdisc:list "v0", 1)
    end
end

function TestPlaces.test_blocks_of_filters()
    local command = traced(function()
        by_nsh.qdisc:add{ "clsact", dev = "v0", ingress_block = 22, egress_block = 23 }
    end)
    support.iproute.run((command:gsub("by%-nsh", "by-command")))
    lu.assertEquals(theirs(by_command), theirs(by_nsh))
    compare(by_nsh)
end

function TestPlaces.test_what_the_kernel_made_itself()
    for _, ns in ipairs(all) do compare(ns) end
    host.link:add{ "many", type = "veth", numtxqueues = 4, up = true, peer = "others" }
    host.link:set{ "others", up = true }
    host.link:add{ "queues", type = "ifb", numtxqueues = 4, up = true } -- mq, which has one below it for each
    lu.assertEquals(differences(by_place(support.as_json(host.qdisc:list())),
        by_place(support.decode(support.sh "tc -j -d qdisc show")), "", {}), {})
end

-- --- what is refused -----------------------------------------------------------------------------

local EINVAL, ERANGE = "EINVAL", "ERANGE"

local bad = {
    { { "netem", delya = 1 }, 'unknown key "delya"; did you mean delay', EINVAL },
    { { "pfifo", limitt = 1 }, 'unknown key "limitt"; did you mean limit', EINVAL },
    { { "noqueue", latency = 1 }, 'unknown key "latency": it belongs to kind = "tbf"', EINVAL },
    { { "netem", correlation = 1 }, "of what? Write it as in delay = { …, correlation = … }", EINVAL },
    { { "netem", delay = "50 ms" }, 'delay: "50 ms" given, a time such as "50ms" expected', EINVAL },
    { { "netem", delay = "ms" }, 'delay: "ms" given, a time such as "50ms" expected', EINVAL },
    { { "netem", delay = "-5ms" }, 'delay: "-5ms" given, a time such as "50ms" expected', EINVAL },
    { { "netem", delay = "1..5ms" }, 'delay: "1..5ms" given, a time such as "50ms" expected', EINVAL },
    { { "netem", delay = "50mbit" }, 'delay: "50mbit" given, a time such as "50ms" expected', EINVAL },
    { { "netem", delay = true }, 'delay: true given, a time such as "50ms" expected', EINVAL },
    { { "netem", delay = "" }, 'delay: "" given, a time such as "50ms" expected', EINVAL },
    { { "netem", delay = -1 }, "delay: -1 is out of range: 0 to 1000000000s", ERANGE },
    { { "netem", delay = 0 / 0 }, "delay: -nan is out of range: 0 to 1000000000s", ERANGE },
    { { "netem", delay = 1 / 0 }, "delay: inf is out of range: 0 to 1000000000s", ERANGE },
    { { "netem", delay = print }, "delay: a function given, a plain value expected", EINVAL },
    { { "netem", delay = { "1ms", jiter = 1 } }, 'delay: unknown key "jiter"; did you mean jitter', EINVAL },
    { { "netem", delay = { "1ms", jitter = "x" } },
        'delay jitter: "x" given, a time such as "50ms" expected', EINVAL },
    { { "netem", delay = { "1ms" }, jitter = 1 }, "delay: given both as a table and beside it", EINVAL },
    { { "netem", delay = 1, options = { delay = 2 } }, "options: given both as a table and beside it",
        EINVAL },
    { { "netem", loss = "101%" }, 'loss: "101%" is out of range: 0 to 100%', ERANGE },
    { { "netem", loss = 1.5 }, "loss: 1.5 is out of range: 0 to 100%", ERANGE },
    { { "netem", loss = "1/2" }, 'loss: "1/2" given, a share such as "1%" expected', EINVAL },
    { { "netem", rate = "10mbits" }, 'rate: "10mbits" given, a rate such as "10mbit" expected', EINVAL },
    { { "netem", rate = "99999999999tbit" },
        'rate: "99999999999tbit" is out of range: 0 to 8000000tbit', ERANGE },
    { { "netem", rate = { "1mbit", packetoverhead = 1 << 31 } },
        "rate packetoverhead: 2147483648 is out of range: -2147483648 to 2147483647", ERANGE },
    { { "netem", limit = -1 }, "limit: -1 is out of range: 0 to 4294967295", ERANGE },
    { { "netem", reorder = "5%" }, "reorder: only what is delayed can be overtaken: it needs a delay",
        EINVAL },
    { { "netem", gap = 5 }, "gap: it needs reorder", EINVAL },
    { { "netem", ecn = true }, "ecn: it needs loss", EINVAL },
    { { "netem", ecn = "maybe" }, 'ecn: "maybe" given, true or false expected', EINVAL },
    { { "tbf", rate = "1mbit", latency = 1 }, "burst: missing", EINVAL },
    { { "tbf", burst = "1mb", latency = 1 }, "rate: missing", EINVAL },
    { { "tbf", rate = "1mbit", burst = "1mb" }, "latency: missing", EINVAL },
    { { "tbf", rate = "1mbit", burst = "1mb", latency = 1, limit = 1 },
        "latency: the limit says it already", EINVAL },
    { { "tbf", rate = "1mbit", burst = "1mb", latency = 1, peakrate = "2mbit" }, "minburst: missing", EINVAL },
    { { "tbf", rate = "100gbit", burst = 1, latency = "1s" },
        "latency: 12500000001 bytes would wait, at most 4294967295 can", ERANGE },
    { { "tbf", rate = "1mbit", burst = "5g", latency = 1 },
        'burst: "5g" is out of range: 0 to 4294967295b', ERANGE },
    { { "tbf", rate = "1mbit", burst = "32kilo", latency = 1 },
        'burst: "32kilo" given, a size such as "32k" expected', EINVAL },
    { { "tbf", rate = "1mbit", burst = 9, latency = "9999s" },
        'latency: "9999s" is out of range: 0 to 4294967295us', ERANGE },
    { { "tbf", rate = "1mbit", burst = 9, latency = 1, linklayer = "wire" },
        'linklayer: "wire" given, one of unspec, ethernet, atm expected', EINVAL },
    { { "fq", buckets = 0 }, "buckets: 0 is out of range: 1 to 2147483648", ERANGE },
    { { "prio", bands = 17 }, "bands: 17 is out of range: 2 to 16", ERANGE },
    { { "prio", priomap = { 1, 2 } }, "priomap: 2 numbers given, 16 expected", EINVAL },
    { { "prio", priomap = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 256 } },
        "priomap: 256 is out of range: 0 to 255", ERANGE },
    { { "prio", priomap = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {} } },
        "priomap: a list of numbers expected", EINVAL },
    { { "prio", priomap = 1 }, "priomap: 1 given, a list of 16 numbers expected", EINVAL },
    { { "htb", default = "xyz" }, 'default: "xyz" given, an integer expected', EINVAL },
    { { "pfifo", parent = "1:1" }, "parent: it is either root or has a parent", EINVAL },
    { { "pfifo", root = false }, 'parent: say where: root = true, or the parent\'s "1:1"', EINVAL },
    { { "pfifo", parent = "1", root = false }, 'parent: "1" given, a handle such as "1:" or "1:2" expected',
        EINVAL },
    { { "pfifo", handle = "12345:" }, 'handle: "12345:" given, a handle such as "1:" or "1:2" expected',
        EINVAL },
    { { "pfifo", handle = "1:g" }, 'handle: "1:g" given, a handle such as "1:" or "1:2" expected', EINVAL },
    { { "pfifo", handle = ":" }, 'handle: ":" given, a handle such as "1:" or "1:2" expected', EINVAL },
    { { "pfifo", handle = 1 }, 'handle: 1 given, a handle such as "1:" or "1:2" expected', EINVAL },
    { { "pfifo", handle = "1:2" }, "Invalid minor handle", EINVAL },
    { { "clsact" }, "parent: this kind has a place of its own", EINVAL },
    { { 7 }, 'kind: 7 given, a kind of qdisc such as "netem" expected', EINVAL },
    { { "pfifo", dev = "nowhere" }, 'dev: there is no interface "nowhere"', "ENODEV" },
    { { "pfifo", options = 1 }, "options: a table expected", EINVAL },
    { { "drr", options = { quantum = 1 } },
        "options: nsh does not know the attributes of this kind of qdisc yet", EINVAL },
}

TestErrors = {}

function TestErrors.test_bad_arguments()
    for _, case in ipairs(bad) do
        local args = with({ dev = "v0", root = true }, case[1])
        if args.root == false then args.root = nil end
        local name = ("cannot add qdisc %s on %s in by-nsh: "):format(args[1], args.dev)
        support.refused(case[3], name .. case[2] .. (" (%s)"):format(case[3]),
            by_nsh.qdisc.add, by_nsh.qdisc, args)
    end
end

function TestErrors.test_what_is_missing()
    local function refused(verb, args, text)
        support.refused(EINVAL, text .. " (EINVAL)", by_nsh.qdisc[verb], by_nsh.qdisc, args)
    end
    refused("add", { dev = "v0", root = true }, "cannot add qdisc v0 in by-nsh: kind: missing")
    refused("add", { "pfifo", root = true }, "cannot add qdisc pfifo in by-nsh: dev: missing")
    refused("del", { root = true }, "cannot del qdisc in by-nsh: dev: missing")
    refused("get", {}, "cannot get qdisc in by-nsh: dev: missing")
end

function TestErrors.test_what_the_kernel_says()
    clear()
    local err = support.refused("ENOENT",
        "cannot add qdisc nonsense on v0 in by-nsh: Specified qdisc kind is unknown (ENOENT)\n" ..
        "  hint: this kernel has no such qdisc, or not its module: as root, modprobe sch_nonsense",
        by_nsh.qdisc.add, by_nsh.qdisc, { "nonsense", dev = "v0", root = true })
    lu.assertStrContains(err.hint, "modprobe sch_nonsense")
    by_nsh.qdisc:add{ "pfifo", dev = "v0", root = true, handle = "1:" }
    lu.assertEquals(support.raised(by_nsh.qdisc.add, by_nsh.qdisc,
        { "pfifo", dev = "v0", root = true, handle = "1:" }).code, "EEXIST")
    lu.assertEquals(support.raised(by_nsh.qdisc.get, by_nsh.qdisc, { "v0", handle = "7:" }).code, "ENOENT")
    lu.assertEquals(support.raised(by_nsh.qdisc.del, by_nsh.qdisc, { dev = "v0", parent = "7:1" }).code,
        "ENOENT")
end

os.exit(qdiscs.run())
