-- cake, red, RED inside of sfq, and netem's models of loss, slots and tables, against tc as qdisc_test.lua.
local qdiscs = dofile((arg[0]:gsub("[^/]*$", "qdiscs.lua")))
local lu = require "luaunit"
local nsh = require "nsh"

local support, host = qdiscs.support, nsh.host

-- The kind, its options in nsh's words and in tc's.
local cases = {
    { "cake", {}, "" },
    { "cake", { bandwidth = "10mbit", besteffort = true, ["triple-isolate"] = true, nat = true, wash = false,
        ["split-gso"] = true, rtt = "50ms", noatm = true, overhead = 18, mpu = 64 },
        "bandwidth 10mbit besteffort triple-isolate nat nowash split-gso rtt 50ms noatm overhead 18 mpu 64" },
    { "cake", { unlimited = true, diffserv = "diffserv4", flowmode = "dual-srchost", wash = true, ingress = true,
        ["ack-filter"] = "enabled", autorate = "autorate-ingress", split_gso = false, atm = "atm", overhead = -4,
        memlimit = "32mb", fwmark = "0xff" },
        "unlimited diffserv4 dual-srchost wash ingress ack-filter autorate-ingress no-split-gso atm overhead -4 " ..
        "memlimit 32mb fwmark 0xff" },
    { "cake", { bandwidth = 125000000, precedence = true, flowblind = true, ["ack-filter-aggressive"] = true,
        raw = true }, "bandwidth 1gbit precedence flowblind ack-filter-aggressive raw" },
    { "cake", { bandwidth = "unlimited", diffserv8 = true, dsthost = true, metro = true, ptm = true,
        ["autorate-ingress"] = true, memlimit = "4mb", mpu = 70 },
        "unlimited autorate-ingress diffserv8 dsthost metro ptm memlimit 4mb mpu 70" },
    { "cake", { diffserv3 = true, flows = true, rtt = 7000, ["no-ack-filter"] = true },
        "diffserv3 flows rtt 7ms no-ack-filter" },
    { "red", { limit = 400000, avpkt = 1000 }, "limit 400000 avpkt 1000 bandwidth 10mbit" },
    { "red", { limit = "400k", min = 30000, max = 90000, avpkt = 1000, burst = 55, ecn = true, adaptive = true,
        bandwidth = "10mbit", probability = 0.1 },
        "limit 400k min 30000 max 90000 avpkt 1000 burst 55 ecn adaptive bandwidth 10mbit probability 0.1" },
    { "red", { limit = "1mb", min = "100kb", avpkt = 500, burst = 900, harddrop = true, bandwidth = "1gbit" },
        "limit 1mb min 100kb avpkt 500 burst 900 harddrop bandwidth 1gbit" },
    { "red", { limit = "60kb", max = "20kb", avpkt = 1500, ecn = true, nodrop = true, probability = "1%" },
        "limit 60kb max 20kb avpkt 1500 ecn nodrop probability 0.01 bandwidth 10mbit" },
    { "sfq", { redflowlimit = 100000, min = 8000, max = 60000, probability = "0.2", ecn = true, headdrop = true },
        "redflowlimit 100000 min 8000 max 60000 probability 0.2 ecn headdrop" },
    { "sfq", { redflowlimit = 200000, min = 9000, max = 70000, avpkt = 500, burst = 20, harddrop = true,
        depth = 50 }, "redflowlimit 200000 min 9000 max 70000 avpkt 500 burst 20 harddrop depth 50" },
    { "netem", { ["loss-state"] = "1%" }, "loss state 1%" },
    { "netem", { ["loss-state"] = { "1%", "2%", "3%", "4%", "5%" } }, "loss state 1% 2% 3% 4% 5%" },
    { "netem", { ["loss-state"] = { p13 = 0.25, p14 = "7%" }, ecn = true },
        "loss state 25% 75% 0% 100% 7% ecn" },
    { "netem", { ["loss-gemodel"] = "1%" }, "loss gemodel 1%" },
    { "netem", { ["loss-gemodel"] = { "2%", "10%", "70%", "0.1%" }, delay = "5ms" },
        "loss gemodel 2% 10% 70% 0.1% delay 5ms" },
    { "netem", { ["loss gemodel"] = { p = 0.5, ["1-h"] = 0.25 } }, "loss gemodel 50% 50% 25%" },
    { "netem", { slot = "10ms" }, "slot 10ms" },
    { "netem", { slot = { "20ms", "30ms", packets = 32, bytes = "64k" } }, "slot 20ms 30ms packets 32 bytes 64k" },
    { "netem", { delay = "50ms", jitter = "10ms", distribution = "normal" }, "delay 50ms 10ms distribution normal" },
}

TestOptions = {}

for i, case in ipairs(cases) do
    TestOptions[("test_%02d_%s"):format(i, case[1])] = function()
        qdiscs.check(table.unpack(case, 1, 3))
    end
end

function TestOptions.test_zz_every_option_was_varied()
    lu.skipIf(not qdiscs.has "cake" or not qdiscs.has "red", "this kernel has no cake, no red")
    lu.assertEquals(qdiscs.unvaried "cake", { "cake autorate", "cake raw" }) -- which are true, or not there
    lu.assertEquals(qdiscs.unvaried "red", {})
end

-- A record of RED has no avpkt: what is set from it leads to the same numbers, and so does the command.
function TestOptions.test_a_record_of_red_says_all_of_it()
    lu.skipIf(not qdiscs.has "red", "this kernel has no red")
    for _, min in ipairs{ 3000, 30000, 300000 } do
        for _, burst in ipairs{ 20, 60, 400 } do
            local args = { "red", dev = "lo", root = true, handle = "1:", limit = "2mb", min = min, max = 3 * min,
                avpkt = 1000, burst = math.max(burst, 2 * min // 1000), bandwidth = burst * 100000 }
            host.qdisc:replace(args)
            local record = host.qdisc:get "lo"
            host.qdisc:replace(record)
            lu.assertEquals(host.qdisc:get "lo", record)
        end
    end
    host.qdisc:del{ dev = "lo", root = true }
end

-- The table decides how late packets are. This one makes each of them later by all of the jitter.
function TestOptions.test_a_table_of_distribution_is_used()
    lu.skipIf(not qdiscs.has "netem", "this kernel has no netem")
    local path = os.tmpname()
    os.remove(path)
    support.sh(("mkdir %s; echo '# late' > %s/late.dist; echo '8192 8192 8192' >> %s/late.dist; " ..
        "echo '-8192' > %s/early.dist"):format(path, path, path, path))
    local rtt = [[host.link:set{ "lo", up = true }
        host.qdisc:add{ "netem", dev = "lo", root = true, delay = "200ms", jitter = "150ms", distribution = arg[1] }
        print(host:ping("127.0.0.1", { count = 2, interval = 0.01 }).min)]]
    support.sh(("cat > %s/rtt.lua <<'EOF'\n%s\nEOF\n"):format(path, rtt))
    local function measure(name)
        return tonumber(support.sh(("TC_LIB_DIR=%s %s -S %s/rtt.lua %s"):format(path, nsh.program, path, name)))
    end
    local late, early = measure "late", measure "early"
    os.execute("rm -r " .. path)
    lu.assertTrue(late >= 700, late) -- both ways
    lu.assertTrue(early < 700 and early >= 100, early)
end

local bad = {
    { { "cake", bandwidth = "fast" }, 'bandwidth: "fast" given, a rate such as "10mbit", or "unlimited" expected' },
    { { "cake", diffserv = "diffserv5" },
        'diffserv: "diffserv5" given, one of diffserv3, diffserv4, diffserv8, besteffort, precedence expected' },
    { { "cake", overhead = 300 }, "overhead: 300 is out of range: -64 to 256", code = "ERANGE" },
    { { "cake", ["ack-filter"] = "some" },
        'ack-filter: "some" given, one of disabled, enabled, aggressive expected' },
    { { "cake", besteffor = true }, 'unknown key "besteffor"; did you mean besteffort' },
    { { "red", avpkt = 1000 }, "limit: missing" },
    { { "red", limit = "400k" }, "avpkt: missing" },
    { { "red", limit = "400k", avpkt = 1000, max = "500k" }, "max: it is above the limit" },
    { { "red", limit = "400k", avpkt = 1000, max = "50k", min = "60k" }, "min: it is above max" },
    { { "red", limit = "400k", avpkt = 1000, min = "30k", burst = 10 }, "burst: too few packets for that min" },
    { { "red", limit = "400k", avpkt = 1000, probability = "much" },
        'probability: "much" given, a probability such as "0.02" expected' },
    { { "red", limit = "400k", avpkt = 1000, probability = 0 }, "probability: too small" },
    { { "sfq", ecn = true }, "redflowlimit: missing" },
    { { "netem", ["loss-state"] = { "1%", p13 = "2%" } }, "loss state p13: given twice" },
    { { "netem", ["loss-state"] = "101%" }, 'loss state p13: "101%" is out of range: 0 to 100%', code = "ERANGE" },
    { { "netem", ["loss-state"] = { "1%", "1%", "1%", "1%", "1%", "1%" } }, "loss state: too many values" },
    { { "netem", ["loss-gemodel"] = { r = 1 } }, "loss gemodel p: missing" },
    { { "netem", loss = "1%", ["loss-gemodel"] = "1%" }, "loss: either at random, or by one model" },
    { { "netem", ["loss-state"] = "1%", ["loss-gemodel"] = "1%" }, "loss: either at random, or by one model" },
    { { "netem", slot = { packets = 3 } }, "slot min-delay: missing" },
    { { "netem", slot = { "1ms", packets = -1 } }, "slot packets: -1 is out of range: 0 to 2147483647",
        code = "ERANGE" },
    { { "netem", delay = "50ms", distribution = "normal" }, "distribution: it needs a delay and a jitter" },
    { { "netem", delay = "50ms", jitter = "1ms", distribution = "odd" },
        'distribution: iproute2 has no table "odd" here', code = "ENOENT" },
    { { "netem", delay = "50ms", jitter = "1ms", distribution = "../tc/normal" },
        'distribution: "../tc/normal" is no name of a table such as "normal"' },
    { { "netem", delay = "50ms", jitter = "1ms", distribution = "" }, 'distribution: "" given, a name expected' },
    { { "htb", offload = 2 }, "offload: 2 given, true or false expected" },
}

TestErrors = {}

function TestErrors.test_bad_arguments()
    for _, case in ipairs(bad) do
        local code = case.code or "EINVAL"
        support.refused(code, ("cannot add qdisc %s on v0 in by-nsh: %s (%s)"):format(case[1][1], case[2], code),
            qdiscs.by_nsh.qdisc.add, qdiscs.by_nsh.qdisc, qdiscs.with({ dev = "v0", root = true }, case[1]))
    end
end

-- Which of the two keys is named is chance.
function TestErrors.test_one_thing_said_twice()
    for _, args in ipairs{ { bandwidth = "1mbit", unlimited = true }, { besteffort = true, diffserv = "diffserv4" },
        { lan = true, rtt = 5 }, { atm = "atm", ptm = true } } do
        local err = support.raised(qdiscs.by_nsh.qdisc.add, qdiscs.by_nsh.qdisc,
            qdiscs.with({ "cake", dev = "v0", root = true }, args))
        lu.assertEquals(err.code, "EINVAL")
        lu.assertStrContains(err.message, ": given twice")
    end
end

os.exit(qdiscs.run())
