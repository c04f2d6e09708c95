-- The line of a packet is the one that tcpdump -n prints of it: real traffic, and packets that are made here.
local lu = require "luaunit"
local nsh = require "nsh"
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))

local scratch = support.sh "mktemp -d":gsub("%s+$", "")
local compared = 0

local function with_single_spaces(line)
    return (line:gsub("%s+", " "):gsub(" $", ""))
end

-- In a user namespace with one id tcpdump cannot become another user; whoever is not root does not try.
local function tcpdump(path)
    local text = support.sh(("unshare --user --map-user=1000 tcpdump -n -r %s 2>/dev/null"):format(path))
    local lines = {}
    for line in text:gmatch "[^\n]+" do
        if line:find "^%d%d:%d%d:%d%d" then
            lines[#lines + 1] = line
        elseif line:find "^%S" then -- what is in a VXLAN; of what tcpdump does not know, the bytes are indented
            lines[#lines] = lines[#lines] .. " " .. line
        end
    end
    return support.map(lines, with_single_spaces)
end

-- What nsh tells and tcpdump does not, and where tcpdump begins a new line.
local function as_tcpdump(packet)
    return with_single_spaces(tostring(packet):gsub("vlan %d+, ", ""):gsub("(vni %d+):", "%1"))
end

local function assert_same(path)
    local packets, lines = nsh.pcap.open(path):list(), tcpdump(path)
    for i, line in ipairs(lines) do lu.assertEquals(as_tcpdump(packets[i]), line) end
    lu.assertEquals(#packets, #lines)
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

function TestTraffic:testAllInterfaces()
    local path = scratch .. "/any.pcap"
    local capture <close> = r:capture{ "any", file = path }
    a:ping({ "10.0.2.2", "2001:db8:2::2" }, { count = 2, interval = 0.01 })
    local ways = {}
    for _, packet in ipairs(capture:stop():list "icmp") do
        lu.assertEquals(tostring(packet):match "^%S+ (%S+)", packet.dev)
        ways[#ways + 1] = packet.dev .. " " .. packet.sll.direction
    end
    lu.assertEquals(table.concat(ways, ", ", 1, 4), "ra In, rb Out, rb In, ra Out")
    assert_same(path)
end

-- --- packets that are made here ------------------------------------------------------------------

local MAC = "\2\0\0\0\0\2\2\0\0\0\0\1"
local FOUR, SIX = "\10\0\0\1\10\0\0\2", ("\x20\1\x0d\xb8" .. ("\0"):rep(11) .. "\1"):rep(2)

local function ether(kind, rest) return MAC .. (">I2"):pack(kind) .. rest end

local function ip(protocol, rest, more)
    more = more or {}
    return (">BBI2I2I2BBI2"):pack(0x45, 0, 20 + #rest, 77, more.flags or 0, 64, protocol, 0) .. FOUR .. rest
end

local function ip6(protocol, rest) return (">I4I2BB"):pack(0x60000000, #rest, protocol, 64) .. SIX .. rest end

local function udp(sport, dport, rest, length)
    return (">I2I2I2I2"):pack(sport, dport, length or 8 + #rest, 0) .. rest
end

local function tcp(flags, rest, more)
    more = more or {}
    local options = more.options or ""
    return (">I2I2I4I4BBI2I2I2"):pack(40000, more.dport or 90, more.seq or 1000, more.ack or 2000,
        (20 + #options) // 4 << 4, flags, 500, 0, 3) .. options .. rest
end

local function icmp(kind, code, word, rest) return (">BBI2I4"):pack(kind, code, 0, word) .. rest end

-- A file of frames, some of them cut: { bytes, length }.
local function write(frames, link)
    local path = scratch .. "/made.pcap"
    local file <close> = assert(io.open(path, "wb"))
    file:write(("<I4I2I2I4I4I4I4"):pack(0xa1b2c3d4, 2, 4, 0, 0, 262144, link or 1))
    for i, frame in ipairs(frames) do
        local bytes = type(frame) == "table" and frame[1] or frame
        local length = type(frame) == "table" and frame[2] or #bytes
        file:write(("<I4I4I4I4"):pack(1700000000 + i, i, #bytes, length), bytes)
    end
    return path
end

local function assert_made(frames, link)
    local path = write(frames, link)
    local packets, lines = assert_same(path)
    lu.assertEquals(#packets, #frames)
    return packets, lines
end

TestMade = {}

function TestMade:testEveryKindOfICMP()
    local frames = {}
    local quotes = { ip(17, udp(1000, 2000, "x")), ip(6, tcp(2, "")), ip(1, icmp(8, 0, 5, "xxxx")),
        ip(99, "xxxxxxxx") }
    for kind = 0, 40 do
        for code = 0, 17 do
            local quote = quotes[(kind + code) % #quotes + 1]
            local message = icmp(kind, code, code * 65536 * 256 + code * 256, quote)
            -- between them are those with a form of their own that no lab sees
            if kind < 9 or kind > 18 then frames[#frames + 1] = ether(0x800, ip(1, message)) end
        end
    end
    assert_made(frames)
end

function TestMade:testEveryKindOfICMPv6()
    local frames = {}
    local quotes = { ip6(17, udp(1000, 2000, "x")), ip6(6, tcp(2, "")), ip6(58, icmp(128, 0, 5, "xxxx")),
        ip6(99, "xxxxxxxx") }
    for _, kind in ipairs{ 1, 2, 3, 4, 128, 129, 133, 134, 135, 136, 143, 190 } do
        for code = 0, 8 do
            local quote = quotes[(kind + code) % #quotes + 1]
            frames[#frames + 1] = ether(0x86dd, ip6(58, icmp(kind, code, code * 65536 + 3, quote .. ("\0"):rep(40))))
        end
    end
    assert_made(frames)
end

function TestMade:testFlagsAndOptionsOfTCP()
    local frames = {}
    for flags = 0, 255 do frames[#frames + 1] = ether(0x800, ip(6, tcp(flags, flags % 3 == 0 and "data" or ""))) end
    for _, options in ipairs{
        "\2\4\5\xb4\4\2\8\10\0\0\1\2\0\0\0\0\1\3\3\7", "\1\1\5\10\0\0\4\1\0\0\4\9", "\1\1\0\0", "\0\0\0\0",
        "\5\18\0\0\4\1\0\0\4\9\0\0\8\1\0\0\8\9\1\1",
    } do
        for i = 0, 2 do
            local segment = tcp(16, "", { options = options, dport = 91 + i, seq = 5000 + i })
            frames[#frames + 1] = ether(0x800, ip(6, segment))
            frames[#frames + 1] = ether(0x86dd, ip6(6, segment))
        end
    end
    for _, text in ipairs{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", "xxx", "\r\n" } do
        frames[#frames + 1] = ether(0x800, ip(6, tcp(24, text, { dport = 80 })))
    end
    assert_made(frames)
end

function TestMade:testUDPAndFragments()
    assert_made{
        ether(0x800, ip(17, udp(1000, 2000, "hello"))), ether(0x86dd, ip6(17, udp(1000, 2000, "hello"))),
        ether(0x800, ip(17, udp(1000, 2000, ""))), ether(0x800, ip(17, udp(1000, 2000, "hello", 4))),
        ether(0x800, ip(17, udp(1000, 2000, "hello", 1400), { flags = 0x2000 })),
        ether(0x800, ip(17, ("x"):rep(64), { flags = 0x2010 })), ether(0x800, ip(1, ("x"):rep(64), { flags = 0x10 })),
        ether(0x800, ip(1, icmp(8, 0, 65537, ("x"):rep(64)), { flags = 0x2000 })),
        ether(0x800, ip(99, "xxxxxxxx")), ether(0x86dd, ip6(99, "xxxxxxxx")),
        ether(0x86dd, ip6(44, "\x3a\0\0\1\0\0\0\9" .. icmp(128, 0, 65537, "xxxx"))),
        ether(0x86dd, ip6(44, "\x3a\0\5\xa8\0\0\0\9xxxxxxxx")),
        ether(0x86dd, ip6(44, "\x11\0\0\1\0\0\0\9" .. udp(1000, 2000, "xxxx"))),
        ether(0x86dd, ip6(0, "\x3a\0\5\2\0\0\1\0" .. icmp(143, 0, 1, ("x"):rep(20)))),
        ether(0x86dd, ip6(0, "\x11\0\5\2\0\0\1\0" .. udp(1000, 2000, "xxxx"))),
        ether(0x86dd, ip6(60, "\x06\0\1\4\0\0\0\0" .. tcp(2, ""))),
        ether(0x800, ip(17, udp(1000, 2000, "hello")) .. ("\0"):rep(20)), -- padded by the link
    }
end

function TestMade:testARP()
    local function arp(op, target_mac)
        return ether(0x806, "\0\1\8\0\6\4" .. (">I2"):pack(op) .. "\2\0\0\0\0\1\10\0\0\1" .. target_mac ..
            "\10\0\0\2")
    end
    local packets = assert_made{
        arp(1, ("\0"):rep(6)), arp(2, "\2\0\0\0\0\2"), arp(1, "\2\0\0\0\0\2"), arp(1, ("\255"):rep(6)),
        arp(1, ("\0"):rep(6)) .. ("\0"):rep(18),
    }
    lu.assertEquals(packets[1].arp, { op = "request", sender = "10.0.0.1", sender_mac = "02:00:00:00:00:01",
        target = "10.0.0.2", target_mac = "00:00:00:00:00:00" })
end

function TestMade:testTagsAndTunnels()
    local inner = ether(0x800, ip(1, icmp(8, 0, 65537, ("x"):rep(56))))
    local packets = assert_made{
        ether(0x8100, "\x60\7\8\0" .. ip(1, icmp(8, 0, 65537, ("x"):rep(56)))),
        ether(0x88a8, "\0\5\x81\0\0\7\x86\xdd" .. ip6(17, udp(1, 2, "x"))),
        ether(0x800, ip(17, udp(50000, 4789, "\8\0\0\0\0\0\x2a\0" .. inner))),
        ether(0x86dd, ip6(17, udp(50000, 4789, "\8\0\0\0\0\0\x2a\0" .. inner))),
        ether(0x88b5, "hello"), ether(0x8100, "\0\7\x88\xb5hello"),
    }
    lu.assertEquals(packets[1].vlan, { id = 7, prio = 3, dei = false, type = 0x800 })
    lu.assertStrContains(tostring(packets[1]), " vlan 7, IP 10.0.0.1 > 10.0.0.2: ICMP echo request")
    lu.assertEquals(packets[3].vxlan.vni, 42)
    lu.assertEquals(packets[3].vxlan.inner.icmp.seq, 1)
    lu.assertStrContains(tostring(packets[3]), "VXLAN, flags [I] (0x08), vni 42: IP 10.0.0.1 > 10.0.0.2: ICMP echo")
end

function TestMade:testOtherLinks()
    local packet = ip(1, icmp(8, 0, 65537, "xxxx"))
    assert_made({ packet, ip6(58, icmp(128, 0, 65537, "xxxx")) }, 101)
    assert_made({ "\2\0\0\0" .. packet }, 0)
    assert_made({ "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\8\0" .. packet,
        "\0\4\0\1\0\6\2\0\0\0\0\1\0\0\8\0" .. packet }, 113)
end

function TestMade:testCut()
    local frames = {}
    for _, frame in ipairs{
        ether(0x800, ip(1, icmp(8, 0, 65537, ("x"):rep(56)))), ether(0x800, ip(6, tcp(24, ("x"):rep(40)))),
        ether(0x800, ip(17, udp(1, 2, ("x"):rep(40)))), ether(0x86dd, ip6(58, icmp(135, 0, 0, ("x"):rep(24)))),
        ether(0x86dd, ip6(17, udp(1, 2, ("x"):rep(40)))),
    } do
        local sixth = frame:byte(13) == 0x86 and frame:byte(21) == 58
        for size = 15, #frame do
            -- Of less than eight bytes of ICMPv6 nsh tells nothing, tcpdump the type.
            if not (sixth and size >= 55 and size < 62) then frames[#frames + 1] = { frame:sub(1, size), #frame } end
        end
    end
    assert_made(frames)
end

local status = support.run()
io.stderr:write(("# %d lines are tcpdump's\n"):format(compared))
os.execute("rm -rf " .. scratch)
os.exit(status)
