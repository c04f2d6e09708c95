-- ns:capture and nsh.pcap: what is seen, exactly and at once; when a capture ends; what it refuses.
local lu = require "luaunit"
local nsh = require "nsh"
local core = require "nsh.core"
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))

local scratch = support.sh "mktemp -d":gsub("%s+$", "")
local ECHO, REPLY = "icmp[icmptype] == icmp-echo", "icmp[icmptype] == icmp-echoreply"

nsh.sandbox()
local host = nsh.host
local a, b = nsh.netns.add "a", nsh.netns.add "b"

-- Two namespaces on a bridge of the host.
host.link:add{ "br0", type = "bridge", up = true }
for i, ns in ipairs{ a, b } do
    host.link:add{ "port" .. i, type = "veth", up = true, master = "br0", peer = { "eth0", netns = ns } }
    ns.link:set{ "lo", up = true }
    ns.link:set{ "eth0", up = true }
    ns.addr:add{ ("10.0.0.%d/24"):format(i), dev = "eth0" }
end
nsh.settle()

local function seconds_of(fn)
    local before = core.poll.now()
    fn()
    return core.poll.now() - before
end

-- A child of nsh that is not privileged in its network namespace; what it prints.
local function run_script(options, code)
    local path = scratch .. "/script.lua"
    local file <close> = assert(io.open(path, "w"))
    file:write(code)
    file:close()
    return support.sh(("%s %s %s 2>&1 || true"):format(os.getenv "NSH", options, path))
end

TestWhatIsSeen = {}

function TestWhatIsSeen:testPingsOnABridgeExactly()
    local capture <close> = host:capture{ "br0", filter = "icmp" }
    a:ping({ "10.0.0.2" }, { count = 2, interval = 0 })
    b:ping({ "10.0.0.1" }, { count = 2, interval = 0 })
    lu.assertEquals(#capture:list(ECHO), 4)
    lu.assertEquals(#capture:list(REPLY), 4)
    lu.assertEquals(#capture:list(), 8)
    lu.assertEquals(capture:stats(), { received = 8, dropped = 0, if_dropped = 0 })
    for _, packet in ipairs(capture:list()) do lu.assertStrContains(tostring(packet), "ICMP echo") end
end

function TestWhatIsSeen:testABridgeThatIsNotPromiscuousSeesNothingOfWhatItForwards()
    local capture <close> = host:capture{ "br0", filter = "icmp", promiscuous = false }
    a:ping "10.0.0.2"
    lu.assertEquals(capture:list(), {})
end

-- A packet is there as soon as whoever sent it knows that it was answered, however busy the machine is.
function TestWhatIsSeen:testNoPacketIsLateUnderLoad()
    local busy <close> = host:spawn "while :; do :; done"
    local more <close> = host:spawn "while :; do :; done"
    for _ = 1, 100 do
        local capture <close> = host:capture{ "port2", filter = "icmp" }
        lu.assertTrue(a:ping "10.0.0.2".ok)
        lu.assertEquals(#capture:stop():list(), 2)
    end
    lu.assertTrue(busy:running() and more:running())
end

function TestWhatIsSeen:testThousandsOfPacketsWhileThePingGoesOn()
    local capture <close> = host:capture{ "br0", filter = "icmp" }
    lu.assertEquals(a:ping("10.0.0.2", { count = 5000, interval = 0 }).received, 5000)
    lu.assertEquals(#capture:list(), 10000)
    lu.assertEquals(capture:stats().dropped, 0)
end

function TestWhatIsSeen:testFields()
    local capture <close> = host:capture{ "port1" }
    a.neigh:flush{ dev = "eth0" }
    a:ping("10.0.0.2", { size = 10, ttl = 9 })
    local arp, echo = capture:list "arp"[1], capture:list(ECHO)[1]
    local mac = a.link:get "eth0".address
    lu.assertEquals(arp.arp, { op = "request", sender = "10.0.0.1", sender_mac = mac, target = "10.0.0.2",
        target_mac = "00:00:00:00:00:00" })
    lu.assertEquals(arp.ether, { src = mac, dst = "ff:ff:ff:ff:ff:ff", type = 0x806 })
    lu.assertEquals({ echo.ip.src, echo.ip.dst, echo.ip.ttl, echo.ip.proto }, { "10.0.0.1", "10.0.0.2", 9, "icmp" })
    lu.assertEquals({ echo.icmp.type, echo.icmp.code, echo.icmp.seq }, { 8, 0, 1 })
    lu.assertEquals({ echo.length, echo.caplen, #echo.bytes, #echo.payload }, { 52, 52, 52, 10 })
    lu.assertEquals(echo.bytes:sub(-10), echo.payload)
    lu.assertAlmostEquals(echo.time, os.time(), 60)
    lu.assertNil(echo.tcp)
    lu.assertEquals(nsh.show.format{ arp, echo }, tostring(arp) .. "\n" .. tostring(echo))
end

function TestWhatIsSeen:testSnaplenAndDirection()
    local cut <close> = host:capture{ "port1", filter = "icmp", snaplen = 40 }
    local into <close> = host:capture{ "port1", filter = "icmp", direction = "in" }
    local out <close> = host:capture{ "port1", filter = "icmp", direction = "out" }
    a:ping "10.0.0.2"
    lu.assertEquals(support.pluck(cut:list(), "caplen"), { 40, 40 })
    lu.assertEquals(support.pluck(cut:list(), "length"), { 98, 98 })
    lu.assertEquals(support.map(into:list(), function(p) return p.icmp.type end), { 8 })
    lu.assertEquals(support.map(out:list(), function(p) return p.icmp.type end), { 0 })
end

-- Frames with a tag, as a program sends them.
function TestWhatIsSeen:testTags()
    local capture <close> = host:capture{ "port1", filter = "vlan 7" }
    local hex = "ffffffffffff02000000000181000007080600010800060400010200000000010a0700010000000000000a070002"
    support.sh(([[perl -e 'socket(my $s, 17, 3, 0) or die $!; my $to = pack("S n i S C C a8", 17, 3,
        %d, 0, 0, 6, ""); send($s, pack("H*", "%s"), 0, $to) or die $!']]):format(a.link:get "eth0".ifindex, hex), a)
    local packet = capture:next(5)
    lu.assertEquals(packet.vlan.id, 7)
    lu.assertStrContains(tostring(packet), " vlan 7, ARP, Request who-has 10.7.0.2 tell 10.7.0.1, length 28")
    lu.assertEquals(#capture:list "vlan 7 and arp", 1)
    lu.assertEquals(#capture:list "vlan 8", 0)
end

TestHowItEnds = {}

function TestHowItEnds:testCount()
    local capture <close> = host:capture{ "br0", filter = "icmp", count = 3 }
    a:ping("10.0.0.2", { count = 3, interval = 0 })
    local lines = {}
    for packet in capture:packets() do lines[#lines + 1] = tostring(packet) end
    lu.assertEquals(#lines, 3)
    lu.assertEquals(capture.reason, "count")
    lu.assertStrContains(tostring(capture), "capture on br0 (3 packets, count)")
end

function TestHowItEnds:testTimeout()
    local capture <close> = host:capture{ "br0", filter = "icmp", timeout = 0.3 }
    a:ping "10.0.0.2"
    local count = 0
    local took = seconds_of(function() for _ in capture:packets() do count = count + 1 end end)
    lu.assertEquals(count, 2)
    lu.assertTrue(took < 20)
    lu.assertEquals(capture.reason, "timeout")
end

function TestHowItEnds:testNextWaitsAsLongAsItIsTold()
    local capture <close> = host:capture{ "br0", filter = "icmp" }
    lu.assertTrue(seconds_of(function() lu.assertNil(capture:next(0.1)) end) >= 0.1)
    local task = nsh.go(function() return capture:next() end)
    lu.assertFalse(task:done())
    a:ping "10.0.0.2"
    lu.assertEquals(task:wait(5).icmp.type, 8)
    lu.assertNotNil(capture:next(0))
    lu.assertNil(capture:next(0))
end

function TestHowItEnds:testStopKeepsWhatCame()
    local capture = host:capture{ "br0", filter = "icmp" }
    a:ping "10.0.0.2"
    lu.assertIs(capture:stop(), capture)
    a:ping "10.0.0.2"
    lu.assertEquals(#capture:list(), 2)
    lu.assertEquals(#capture:stop():list(ECHO), 1)
    lu.assertEquals(capture:stats().received, 2)
    lu.assertNotNil(capture:next())
    lu.assertNotNil(capture:next())
    lu.assertNil(capture:next())
    lu.assertEquals(capture.reason, "stopped")
end

-- The kernel gives up the ring with the interface: what came before must be read all the same.
function TestHowItEnds:testTheInterfaceDisappears()
    for _ = 1, 10 do
        host.link:add{ "x0", type = "veth", up = true, peer = "x1" }
        host.link:set{ "x1", up = true }
        nsh.settle(host)
        local capture <close> = host:capture{ "x0", filter = "arp" }
        host.addr:add{ "10.9.0.1/24", dev = "x0" }
        host:ping("10.9.0.2", { timeout = 0.001 })
        host.link:del "x0"
        local count = 0
        for packet in capture:packets() do count = count + (packet.arp and 1 or 0) end
        lu.assertTrue(count >= 1)
        lu.assertEquals(capture.reason, "The interface disappeared")
    end
end

function TestHowItEnds:testDownIsNotGone()
    local capture <close> = host:capture{ "port2", filter = "icmp" }
    host.link:set{ "port2", up = false }
    lu.assertEquals(capture:list(), {})
    host.link:set{ "port2", up = true }
    nsh.settle(host)
    support.wait_for("the port forwards again", function() return a:ping "10.0.0.2".ok end)
    lu.assertEquals(#capture:list(ECHO), #capture:list(REPLY))
    lu.assertTrue(#capture:list(ECHO) >= 1)
end

function TestHowItEnds:testNamespaceEndsWithTheInterface()
    local ns = nsh.netns.new()
    host.link:add{ "y0", type = "veth", up = true, peer = { "y1", netns = ns } }
    ns.link:set{ "y1", up = true }
    local far = host:capture{ "y0" }
    local near = ns:capture{ "y1" }
    ns:close()
    near:close() -- as a tcpdump in it would, it has kept the namespace
    lu.assertEquals(near.reason, "stopped")
    local count = 0
    for _ in far:packets() do count = count + 1 end
    lu.assertEquals(far.reason, "The interface disappeared")
    lu.assertTrue(count < 100)
end

-- One that nobody has any more lets go of the namespace as well.
function TestHowItEnds:testCollected()
    local ns = nsh.netns.new()
    host.link:add{ "y0", type = "veth", up = true, peer = { "y1", netns = ns } }
    ns.link:set{ "y1", up = true }
    ns:capture{ "y1" }
    ns:close()
    collectgarbage()
    collectgarbage()
    support.wait_for("y0 is gone", function() return not pcall(host.link.get, host.link, "y0") end)
end

function TestHowItEnds:testInterrupt()
    local text = support.sh(([[timeout --foreground -s INT 1 %s -S -q -e 'host.link:set{ "lo", up = true }
        for p in host:capture{ "lo" }:packets() do print(p) end' 2>&1; echo $?]]):format(os.getenv "NSH"))
    lu.assertStrContains(text, "124")
    lu.assertStrContains(text, "nterrupted")
end

TestSideBySide = {}

function TestSideBySide:testSeveralInSeveralNamespaces()
    local captures = {}
    for i, where in ipairs{ { host, "br0" }, { host, "port1" }, { a, "eth0" }, { b, "eth0" }, { host, "any" } } do
        captures[i] = where[1]:capture{ where[2], filter = "icmp" }
    end
    local task = nsh.go(function() return b:ping("10.0.0.1", { count = 20, interval = 0.005 }) end)
    local result = a:exec{ "ping", "-c5", "-i0.01", "10.0.0.2", output = true }
    lu.assertEquals(result.status, 0)
    lu.assertTrue(task:wait().ok)
    for i = 1, 4 do lu.assertEquals(#captures[i]:stop():list(), 50) end
    -- port to bridge to port: each packet of a ping is seen at three interfaces
    lu.assertTrue(#captures[5]:stop():list() >= 100)
end

function TestSideBySide:testCallback()
    local lines = {}
    local capture <close> = host:capture({ "br0", filter = "icmp", count = 4 },
        function(packet) lines[#lines + 1] = tostring(packet) end)
    a:ping("10.0.0.2", { count = 2, interval = 0 })
    capture.task:wait(5)
    lu.assertEquals(lines, support.map(capture:list(), tostring))
    lu.assertEquals(#lines, 4)
end

function TestSideBySide:testNodesOfALab()
    local lab <close> = nsh.lab "captured"
    local x, y = lab:node "x", lab:node "y"
    x:connect{ "eth0", addr = "10.1.0.1/24", to = y, peer = { "eth0", addr = "10.1.0.2/24" } }
    lu.assertEquals(support.raised(y.capture, y, "eth0").code, "ENOENT")
    lab:up()
    local capture <close> = y:capture{ "eth0", filter = "icmp" }
    lu.assertTrue(x:ping(y).ok)
    lu.assertEquals(#capture:list(), 2)
    capture:close()
    lab:down()
end

TestFiles = {}

function TestFiles:testWrittenAndRead()
    local path, saved = scratch .. "/x.pcap", scratch .. "/saved.pcap"
    local capture <close> = host:capture{ "br0", filter = "icmp", file = path }
    a:ping("10.0.0.2", { count = 2, interval = 0 })
    local lines = support.map(capture:list(), tostring)
    lu.assertEquals(support.map(nsh.pcap.open(path):list(), tostring), lines)
    capture:save(saved, ECHO)
    local file = nsh.pcap.open(saved)
    lu.assertEquals(tostring(file:next()), lines[1])
    lu.assertEquals(#file:list(), 2)
    lu.assertEquals(tostring(file:next()), lines[3])
    lu.assertNil(file:next())
    lu.assertEquals(file.reason, "end of file")
    lu.assertEquals(#file:list(REPLY), 0)
end

function TestFiles:testWrittenPacketByPacket()
    local path = scratch .. "/any.pcap"
    local capture <close> = host:capture{ "any", filter = "icmp" }
    a:ping "10.0.0.2"
    local file = nsh.pcap.create(path)
    for _, packet in ipairs(capture:stop():list()) do file:write(packet) end
    local other <close> = host:capture{ "br0", filter = "icmp" }
    a:ping "10.0.0.2"
    local err = support.raised(file.write, file, other:list()[1])
    lu.assertEquals(err.code, "EINVAL")
    file:close()
    file:close()
    lu.assertEquals(#nsh.pcap.open(path):list(), #capture:list())
    lu.assertEquals(support.raised(file.write, file, other:list()[1]).code, "EBADF")
end

function TestFiles:testWhatIsNoFile()
    support.refused("ENOENT", "cannot open /none.pcap: No such file or directory (ENOENT)", nsh.pcap.open,
        "/none.pcap")
    lu.assertEquals(support.raised(nsh.pcap.open, arg[0]).code, "EINVAL")
    lu.assertEquals(support.raised(nsh.pcap.open, 7).code, "EINVAL")
    lu.assertEquals(support.raised(nsh.pcap.create, "/none/x.pcap").code, "ENOENT")
    lu.assertEquals(support.raised(host.capture, host, { "br0", file = "/none/x.pcap" }).code, "ENOENT")
end

-- What cannot be written is told by whoever asks next, not lost in the background.
function TestFiles:testFullDisk()
    local capture = host:capture{ "br0", filter = "icmp", file = "/dev/full" }
    a:ping "10.0.0.2"
    lu.assertEquals(support.raised(capture.stop, capture).code, "ENOSPC")
    lu.assertEquals(capture.reason, "No space left on device")
    lu.assertTrue(#capture:list() >= 1)
end

TestRefusals = {}

function TestRefusals:testWords()
    support.refused("ENODEV", "cannot capture on br1 in host: No such device (ENODEV)\n  hint: did you mean br0",
        host.capture, host, "br1")
    local err = support.raised(host.capture, host, { "br0", filter = "icmpp" })
    lu.assertEquals({ err.code, err.key }, { "EINVAL", "filter" })
    lu.assertStrContains(tostring(err), "cannot capture on br0 in host: filter \"icmpp\": can't parse filter")
    for _, opts in ipairs{ {}, { "br0", snaplen = 0 }, { "br0", count = 1.5 }, { "br0", fliter = "x" }, { 7 },
            { "br0", direction = "up" } } do
        lu.assertEquals(support.raised(host.capture, host, opts).code, "EINVAL")
    end
    lu.assertEquals(support.raised(host.capture, host, "").code, "ENODEV")
    lu.assertEquals(support.raised(host.capture, host, ("x"):rep(300)).code, "ENODEV")
    lu.assertEquals(support.raised(host.capture, host).code, "EINVAL")
    lu.assertEquals(support.raised(nsh.host.capture, "br0").code, "EINVAL")
end

function TestRefusals:testFilterOfAnEmptyList()
    local capture <close> = host:capture "br0"
    lu.assertEquals(support.raised(capture.list, capture, "icmpp").code, "EINVAL")
    lu.assertEquals(support.raised(capture.list, capture, 7).code, "EINVAL")
    lu.assertEquals(support.raised(capture.next, capture, "soon").code, "EINVAL")
end

function TestRefusals:testLinkThatIsDown()
    host.link:add{ "down0", type = "veth", peer = "down1" }
    support.refused("ENETDOWN", 'cannot capture on down0 in host: Network is down (ENETDOWN)\n' ..
        '  hint: bring it up first: link:set{ "down0", up = true }', host.capture, host, "down0")
    host.link:del "down0"
end

function TestRefusals:testProgramWithoutItsModule()
    local alone = scratch .. "/alone"
    support.sh(("mkdir -p %s && cp %s %s/nsh"):format(alone, os.getenv "NSH", alone))
    local text = support.sh(alone .. "/nsh -S -e 'host:capture \"lo\"' 2>&1 || true")
    lu.assertStrContains(text, "/lib/lua/5.4/nsh/core/pcap.so: cannot open shared object file")
    lu.assertStrContains(text, "apt-get install libpcap0.8")
end

function TestRefusals:testDryRun()
    lu.assertStrContains(run_script("-S -n", 'host:capture "lo"'), "nsh -n changes nothing")
end

function TestRefusals:testTrace()
    local text = run_script("-S -x", [[host.link:set{ "lo", up = true }
        local ns = nsh.netns.add "x"
        ns.link:set{ "lo", up = true }
        host:capture{ "lo", promiscuous = false, count = 3 }
        ns:capture{ "lo", filter = "icmp or arp", direction = "in", file = "/dev/null" }]])
    lu.assertStrContains(text, "\n# tcpdump -n -i lo -p -c 3\n")
    lu.assertStrContains(text, "\n# ip netns exec x tcpdump -n -i lo -Q in -w /dev/null 'icmp or arp'\n")
end

local status = support.run()
os.execute("rm -rf " .. scratch)
os.exit(status)
