-- The delay, loss and rate of a lab's link as a qdisc: which, with which numbers, and that it works.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local shaping = require "nsh.lab.shaping"

local ns = nsh.netns.add "ns"
ns.link:add{ "v0", type = "veth", up = true, peer = { "v1", netns = nsh.host } }
ns.addr:add{ "10.0.0.1/24", dev = "v0" }
nsh.host.link:set{ "v1", up = true }
nsh.host.addr:add{ "10.0.0.2/24", dev = "v1" }

-- The qdisc that results; or nil and what is said about it.
local function apply(fields)
    local args = shaping(fields)
    args.dev = "v0"
    local ok, err = pcall(ns.qdisc.replace, ns.qdisc, args)
    if not ok then return nil, err.message end
    return ns.qdisc:get "v0"
end

local _, refusal = apply{ delay = "1ms" }
local has_netem = not tostring(refusal):find "kind is unknown"

local function need_netem() lu.skipIf(not has_netem, "this kernel has no netem") end

TestShaping = {}

function TestShaping.test_nothing()
    lu.assertNil(shaping{})
    lu.assertNil(shaping{ mtu = 1400, addr = "10.0.0.1/24" })
end

function TestShaping.test_rate_alone()
    local options = apply{ rate = "10mbit" }.options
    lu.assertEquals(options, { rate = 1250000, burst = 16384, mpu = 0, lat = 50000, linklayer = "ethernet" })
    lu.assertEquals(apply{ rate = 125000 }.options.burst, 16384)
    lu.assertAlmostEquals(apply{ rate = "1gbit" }.options.burst, 1250000, 10)
end

-- A packet that waits does not wait for ever, and the queue of a fast link holds what is on its way.
function TestShaping.test_queue_of_netem()
    lu.assertEquals(shaping{ delay = "50ms", rate = "10mbit" }.limit, 100)
    lu.assertEquals(shaping{ delay = "100ms", rate = "1gbit" }.limit, 12500)
    lu.assertEquals(shaping{ delay = 0.1, rate = 125000000 }.limit, 12500)
    lu.assertEquals(shaping{ delay = { "100ms", jitter = "5ms" }, rate = "1gbit" }.limit, 12500)
    lu.assertEquals(shaping{ delay = { delay = 0.1 }, rate = "1gbit" }.limit, 12500)
    lu.assertEquals(shaping{ delay = "50ms" }.limit, 83333)
    lu.assertEquals(shaping{ delay = 1e9 }.limit, 4294967295)
    lu.assertNil(shaping{ loss = "1%" }.limit)
    lu.assertEquals(shaping{ loss = "1%", rate = "1mbit" }.limit, 100)
end

function TestShaping.test_netem_does_it_all()
    need_netem()
    local qdisc = apply{ delay = "50ms", loss = "1%", rate = "10mbit" }
    lu.assertEquals(qdisc.kind, "netem")
    lu.assertEquals(qdisc.options.delay.delay, 0.05)
    lu.assertEquals(qdisc.options["loss-random"].loss, 0.01)
    lu.assertEquals(qdisc.options.rate.rate, 1250000)
    lu.assertEquals(apply{ delay = { "20ms", jitter = "2ms" } }.options.delay.jitter, 0.002)
    lu.assertEquals(apply{ delay = "20ms", jitter = "3ms" }.options.delay.jitter, 0.003)
    lu.assertEquals(apply{ duplicate = "2%" }.options.duplicate.duplicate, 0.02)
    lu.assertEquals(apply{ loss = 0.5 }.options["loss-random"].loss, 0.5)
end

function TestShaping.test_packets_are_late_and_lost()
    need_netem()
    apply{ delay = "40ms" }
    local late = nsh.host:ping("10.0.0.1", { count = 3, timeout = 10 })
    lu.assertTrue(late.ok and late.min >= 40, tostring(late))
    apply{ loss = 1 }
    lu.assertFalse(nsh.host:ping("10.0.0.1", { timeout = 0.2 }).ok)
end

function TestShaping.test_the_key_that_is_wrong()
    local function refused(fields, text)
        local args = shaping(fields)
        args.dev = "v0"
        local err = support.raised(ns.qdisc.replace, ns.qdisc, args)
        lu.assertEquals(err.message, text)
    end
    refused({ delay = "50parsecs" }, 'delay: "50parsecs" given, a time such as "50ms" expected')
    refused({ loss = "much" }, 'loss: "much" given, a share such as "1%" expected')
    refused({ rate = "fast" }, 'rate: "fast" given, a rate such as "10mbit" expected')
    refused({ rate = true }, 'rate: true given, a rate such as "10mbit" expected')
    refused({ delay = -1 }, "delay: -1 is out of range: 0 to 1000000000s")
end

os.exit(support.run())
