-- The line of a packet is the one that tcpdump -n prints of it: real traffic, and packets that are made here.
local lu = require "luaunit"
local nsh = require "nsh"
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))

local scratch = support.sh "mktemp -d":gsub("%s+$", "")
local compared = 0

-- In a user namespace with one id tcpdump cannot become another user; whoever is not root does not try.
local function tcpdump(path, options)
    local text = support.sh(("unshare --user --map-user=1000 tcpdump %s -r %s 2>/dev/null"):format(options or "-n", path))
    local lines = {}
    for line in text:gmatch "[^\n]+" do
        if line:find "^%s" then goto next end -- the bytes of what it does not know
        -- What is in a VXLAN has a line of its own there.
        if line:find "^%d%d:%d%d:%d%d" then lines[#lines + 1] = line else lines[#lines] = lines[#lines] .. " " .. line end
        ::next::
    end
    return lines
end

-- What nsh tells and tcpdump does not; and where a line is broken.
local function as_tcpdump(packet)
    return (tostring(packet):gsub("vlan %d+, ", ""):gsub("(vni %d+):", "%1"):gsub("(length %d+:) $", "%1"))
end

local function assert_same(path)
    local packets, lines = nsh.pcap.open(path):list(), tcpdump(path)
    for i = 1, math.max(#packets, #lines) do
        lu.assertEquals(packets[i] and as_tcpdump(packets[i]), lines[i] and (lines[i]:gsub("%s+$", "")))
    end
    compared = compared + #lines
    return packets, lines
end

local a, r, b

local function build()
    nsh.sandbox()
    a, r, b = nsh.netns.add "a", nsh.netns.add "r", nsh.netns.add "b"
    r.link:add{ "ra", type = "veth", up = true, peer = { "eth0", netns = a } }
    r.link:add{ "rb", type = "veth", up = true, peer = { "eth0", netns = b } }
    for i, ns in ipairs{ a, b } do
        ns.link:set{ "lo", up = true }
        ns.link:set{ "eth0", up = true }
        ns.addr:add{ ("10.0.%d.2/24"):format(i), dev = "eth0" }
        ns.addr:add{ ("2001:db8:%d::2/64"):format(i), dev = "eth0", nodad = true }
        local port = i == 1 and "ra" or "rb"
        r.addr:add{ ("10.0.%d.1/24"):format(i), dev = port }
        r.addr:add{ ("2001:db8:%d::1/64"):format(i), dev = port, nodad = true }
        ns.route:add{ "default", via = ("10.0.%d.1"):format(i) }
        ns.route:add{ "default", via = ("2001:db8:%d::1"):format(i) }
    end
    r:sysctl("net.ipv4.ip_forward", 1)
    r:sysctl("net.ipv6.conf.all.forwarding", 1)
    r:sysctl("net.ipv4.icmp_ratelimit", 0)
    r:sysctl("net.ipv6.icmp.ratelimit", 0)
    nsh.settle()
end

build()

-- Captures what fn() does on an interface of a namespace, into a file, and compares that.
local function compare(ns, dev, fn)
    local path = scratch .. "/traffic.pcap"
    local capture <close> = ns:capture{ dev, file = path }
    fn()
    local all = capture:stop():list()
    local packets, lines = assert_same(path)
    lu.assertEquals(support.map(all, tostring), support.map(packets, tostring))
    lu.assertTrue(#packets > 0)
    return packets, lines
end

TestTraffic = {}

function TestTraffic:testPing()
    local packets = compare(a, "eth0", function()
        a.neigh:flush{ dev = "eth0" }
        a:ping({ "10.0.1.1", "10.0.2.2" }, { count = 3, interval = 0.01 })
    end)
    lu.assertTrue(#packets >= 14)
end

function TestTraffic:testPingOfIPv6()
    compare(a, "eth0", function()
        a.neigh:flush{ dev = "eth0" }
        a:ping({ "2001:db8:1::1", "2001:db8:2::2" }, { count = 3, interval = 0.01 })
    end)
end

function TestTraffic:testWhatCannotBeReached()
    local packets = compare(a, "eth0", function()
        a:ping({ "10.0.2.99", "2001:db8:2::99" }, { timeout = 4 })
        a:ping({ "10.9.9.9", "2001:db8:9::9" }, { timeout = 0.3 })
        a:ping({ "10.0.2.2", "2001:db8:2::2" }, { timeout = 0.3, ttl = 1 })
    end)
    local seen = {}
    for _, packet in ipairs(packets) do
        if packet.icmp then seen[packet.icmp.type] = packet.icmp end
    end
    lu.assertEquals(seen[11].inner.ip.dst, "10.0.2.2")
    lu.assertEquals(seen[3].inner.icmp.type, 8)
end

function TestTraffic:testFragments()
    local packets = compare(a, "eth0", function() a:ping({ "10.0.2.2", "2001:db8:2::2" }, { size = 5000 }) end)
    local offsets = {}
    for _, packet in ipairs(packets) do
        if packet.ip then offsets[#offsets + 1] = packet.ip.offset * 8 end
    end
    table.sort(offsets)
    lu.assertEquals(offsets, { 0, 0, 1480, 1480, 2960, 2960, 4440, 4440 })
end

local server = [[
use IO::Socket::INET; $| = 1;
my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die; print "ready\n";
my $c = $s->accept or die; while (<$c>) { last if /^\r$/ } print $c "HTTP/1.0 200 OK\r\n\r\n" . "x" x 20000; close $c;
]]

local client = [[
use IO::Socket::INET; my $s = IO::Socket::INET->new(PeerAddr => "10.0.2.2:8080") or die;
print $s "GET / HTTP/1.0\r\n\r\n"; $s->flush; my $n = 0; while (read($s, my $b, 4096)) { $n += length $b } print $n;
my $u = IO::Socket::INET->new(PeerAddr => "10.0.2.2:9999", Proto => "udp"); $u->send("hello"); $u->send("x" x 3000);
]]

function TestTraffic:testTcpAndUdp()
    local packets = compare(a, "eth0", function()
        local listening <close> = b:spawn{ "perl", "-e", server, output = true }
        lu.assertEquals(listening:read "l", "ready")
        local result = a:exec{ "perl", "-e", client, output = true }
        lu.assertEquals(result.err, "")
        lu.assertTrue(tonumber(result.out) > 20000)
        listening:wait()
    end)
    local flags = {}
    for _, packet in ipairs(packets) do
        if packet.tcp then flags[packet.tcp.flags] = packet.tcp end
    end
    lu.assertEquals(flags["S."].sport, 8080)
    lu.assertEquals(flags.S.dport, 8080)
end

function TestTraffic:testVlanAndVxlan()
    for i, ns in ipairs{ a, b } do
        ns.link:add{ "vx", type = "vxlan", up = true }
    end
end

TestTraffic.testVlanAndVxlan = nil

function TestTraffic:testTagsAndTunnels()
    local script = [[set -e
        ip link add link eth0 name eth0.7 type vlan id 7; ip addr add 10.7.0.%d/24 dev eth0.7; ip link set eth0.7 up
        ip link add vx0 type vxlan id 42 dstport 4789 local 10.0.%d.2 remote 10.0.%d.2
        ip addr add 10.42.0.%d/24 dev vx0; ip link set vx0 up]]
    support.sh(script:format(1, 1, 2, 1), a)
    support.sh(script:format(2, 2, 1, 2), b)
    support.sh([[ip link add link ra name ra.7 type vlan id 7; ip addr add 10.7.0.9/24 dev ra.7
        ip link set ra.7 up]], r)
    nsh.settle{ a, b, r }
    local packets = compare(a, "eth0", function()
        a:ping({ "10.7.0.9", "10.42.0.2" }, { count = 2, interval = 0.01 })
    end)
    local tagged, tunnelled
    for _, packet in ipairs(packets) do
        tagged = packet.vlan and packet.icmp and packet or tagged
        tunnelled = packet.vxlan and packet.vxlan.inner.icmp and packet or tunnelled
    end
    lu.assertEquals(tagged.vlan.id, 7)
    lu.assertStrContains(tostring(tagged), "vlan 7, IP 10.7.0.")
    lu.assertEquals(tunnelled.vxlan.vni, 42)
    lu.assertStrContains(tunnelled.vxlan.inner.ip.src, "10.42.0.")
end

function TestTraffic:testAllInterfaces()
    local packets = compare(r, "any", function() a:ping({ "10.0.2.2", "2001:db8:2::2" }, { count = 2, interval = 0.01 }) end)
    lu.assertTrue(#packets >= 8)
end

local status = support.run()
io.stderr:write(("# %d lines are tcpdump's\n"):format(compared))
os.execute("rm -rf " .. scratch)
os.exit(status)
