-- ns:ping against the real kernel: what answers, what is no address, what is no option.
package.path = (arg[0]:match "^(.*/)" or "./") .. "?.lua;" .. package.path

local lab = require "ping_lab"
local lu = require "luaunit"
local core = require "nsh.core"
local loop = require "nsh.loop"
local ping = require "nsh.ping".ping

local left, router, right, run = lab.left, lab.router, lab.right, lab.run
local assert_answered, assert_refused = lab.assert_answered, lab.assert_refused

TestReachable = {}

function TestReachable.test_every_kind_of_address()
    for _, address in ipairs { "127.0.0.1", "::1", "10.0.1.1", "10.0.1.2", "10.0.2.2", "0.0.0.0",
        "2001:db8:1::1", "2001:db8:1::2", "2001:db8:2::2", "fe80::2%to1", "ff02::1%to1" } do
        local result = ping(left, address, { count = 2, interval = 0.01 })
        assert_answered(result, 2)
        lu.assertEquals(result.address, address)
    end
end

function TestReachable.test_the_unspecified_ipv6_address_is_ourselves()
    lu.skipIf(lab.mode == "ping", "a ping socket sends it to the router")
    assert_answered(ping(left, "::"), 1)
end

function TestReachable.test_the_ttl_is_that_of_the_reply()
    lu.assertEquals(ping(left, "10.0.1.2").ttl, 64)
    lu.assertEquals(ping(left, "10.0.2.2").ttl, 63)
    lu.assertEquals(ping(left, "2001:db8:2::2").ttl, 63)
end

function TestReachable.test_sizes()
    for _, size in ipairs { 0, 1, 7, 8, 9, 56, 1472, 1473, 65507 } do
        for _, address in ipairs { "127.0.0.1", "::1", "10.0.2.2", "2001:db8:2::2" } do
            assert_answered(ping(left, address, { size = size }), 1)
        end
    end
end

function TestReachable.test_a_list_keeps_its_order_and_its_duplicates()
    local addresses = { "10.0.2.2", "::1", "10.0.2.2", "10.0.77.1", "127.0.0.1", "10.0.2.2" }
    run(left, "ip route add unreachable 10.0.77.0/24")
    local results = ping(left, addresses, { count = 3, interval = 0.01 })
    run(left, "ip route del unreachable 10.0.77.0/24")
    lu.assertEquals(#results, #addresses)
    for i, result in ipairs(results) do
        lu.assertEquals(result.address, addresses[i])
        lu.assertEquals(result.ok, addresses[i] ~= "10.0.77.1")
        lu.assertEquals(result.transmitted, 3)
        lu.assertEquals(result.duplicates, 0)
    end
end

function TestReachable.test_an_empty_list()
    lu.assertEquals(ping(left, {}), {})
end

function TestReachable.test_many_probes_without_a_pause()
    assert_answered(ping(left, "10.0.2.2", { count = 3000, interval = 0 }), 3000)
end

function TestReachable.test_sequence_numbers_wrap()
    assert_answered(ping(left, "127.0.0.1", { count = 70000, interval = 0, size = 8 }), 70000)
end

function TestReachable.test_the_interval_is_kept()
    local before = core.poll.now()
    assert_answered(ping(left, "10.0.2.2", { count = 4, interval = 0.05 }), 4)
    local seconds = core.poll.now() - before
    lu.assertTrue(seconds >= 0.15 and seconds < 5, seconds)
end

function TestReachable.test_a_thousand_addresses_at_once()
    local addresses = {}
    for i = 0, 999 do
        addresses[#addresses + 1] = ("10.9.%d.%d"):format(i // 250, i % 250 + 1)
    end
    run(right, "ip addr add 10.9.0.1/16 dev lo") -- on lo, the whole prefix is local
    run(router, "ip route add 10.9.0.0/16 via 10.0.2.2")
    local before = core.poll.now()
    for _, result in ipairs(ping(left, addresses)) do assert_answered(result, 1) end
    lu.assertTrue(core.poll.now() - before < 5)
    run(right, "ip addr del 10.9.0.1/16 dev lo")
    run(router, "ip route del 10.9.0.0/16")
end

function TestReachable.test_broadcast_and_multicast()
    lu.assertEquals(ping(left, "10.0.1.255", { timeout = 0.1 }).reason, "timeout")
    run(router, "echo 0 > /proc/sys/net/ipv4/icmp_echo_ignore_broadcasts")
    run(left, "ip route add 255.255.255.255 dev to1; ip route add 224.0.0.1 dev to1")
    for _, address in ipairs { "10.0.1.255", "255.255.255.255", "224.0.0.1" } do
        assert_answered(ping(left, { address, "10.0.1.2" }, { count = 2, interval = 0.01 })[1], 2)
    end
    run(router, "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_broadcasts")
end

function TestReachable.test_the_source_can_be_chosen()
    run(left, "ip addr add 10.0.1.7/24 dev to1")
    run(router, [[nft "add table t; add chain t c { type filter hook input priority 0; };
                       add rule t c ip saddr 10.0.1.7 icmp type echo-request counter"]])
    assert_answered(ping(left, "10.0.1.2", { source = "10.0.1.7" }), 1)
    assert_answered(ping(left, "10.0.1.2", {}), 1)
    lu.assertStrContains(run(router, "nft list table t"), "packets 1 ")
    run(router, "nft delete table t")
    run(left, "ip addr del 10.0.1.7/24 dev to1")
    assert_answered(ping(left, "fe80::2%to1", { source = "fe80::1%to1" }), 1)
    assert_refused("cannot send from 10.0.1.7: Cannot assign requested address", left, "10.0.1.2",
        { source = "10.0.1.7" })
    assert_refused('"::1" cannot be reached from an IPv4 address', left, "::1",
        { source = "10.0.1.1" })
end

function TestReachable.test_two_at_once_in_one_namespace()
    local tasks = {}
    for i = 1, 20 do
        local size = i % 3 * 8
        tasks[i] = loop.go(ping, i % 2 == 0 and left or right, { "10.0.2.2", "10.0.1.1", "::1" },
            { count = 30, interval = 0.002, size = size })
    end
    for _, task in ipairs(tasks) do
        for _, result in ipairs(task:wait()) do
            assert_answered(result, 30)
            lu.assertEquals(result.duplicates, 0)
        end
    end
end

function TestReachable.test_what_comes_after_the_first_reply_is_a_duplicate()
    local result = ping(left, "ff02::1%to1", { count = 3, interval = 0.1 })
    assert_answered(result, 3)
    lu.assertTrue(result.duplicates >= 2) -- left answers itself, and so does router
end

TestOracle = {}

-- The summary line of ping(8).
local function iputils(address)
    local text = lab.sh(left, "ping -n -c 3 -i 0.05 -W 1 %s", address)
    local sent, received = text:match "(%d+) packets transmitted, (%d+) received"
    return tonumber(sent), tonumber(received), text
end

function TestOracle.test_the_same_counts_as_iputils()
    lu.skipIf(lab.mode == "ping", "ping(8) has a capability as a file, and does not start without it")
    run(router, "ip route add prohibit 10.6.3.0/24")
    for _, address in ipairs { "127.0.0.1", "10.0.2.2", "2001:db8:2::2", "::1", "10.6.3.1",
        "10.0.1.77" } do
        local result = ping(left, address, { count = 3, interval = 0.05 })
        local sent, received, text = iputils(address)
        lu.assertEquals({ result.transmitted, result.received }, { sent, received }, text)
    end
    run(router, "ip route del prohibit 10.6.3.0/24")
end

TestRefused = {}

function TestRefused.test_addresses()
    local err = assert_refused('cannot ping 10.0.0.300 in left: "10.0.0.300" is not an IPv4 or ' ..
        "IPv6 address (EINVAL)", left, "10.0.0.300")
    lu.assertEquals({ err.code, err.netns, err.op }, { "EINVAL", "left", "ping 10.0.0.300" })
    lu.assertStrContains(err.where, "ping_lab.lua:") -- assert_refused
    assert_refused('"10.0.0.1/24": the address is wanted without a prefix length', left,
        "10.0.0.1/24")
    assert_refused("cannot ping 10.1 in left", left, { "127.0.0.1", "10.1" })
    assert_refused('"fe80::2" is link-local: name the interface, as in fe80::2%eth0', left, "fe80::2")
    assert_refused('there is no interface named "none"', left, "fe80::2%none")
    assert_refused('there is no interface named ""', left, "fe80::2%")
    assert_refused("there is no interface named", left, "fe80::2%" .. ("x"):rep(300))
    assert_refused("only a link-local address takes an interface", left, "2001:db8:1::2%to1")
    assert_refused("is not an IPv6 address", left, "10.0.1.2%to1")
    assert_refused("is not an IPv4 or IPv6 address", left, "")
    assert_refused("is not an IPv4 or IPv6 address", left, ("1"):rep(10000))
    assert_refused('an address is a string such as "10.0.0.1", not 7', left, 7)
    assert_refused('an address is a string such as "10.0.0.1", not nil', left, nil)
    assert_refused('an address is a string such as "10.0.0.1", not true', left, { true })
end

function TestRefused.test_options()
    for _, case in ipairs {
        { { count = 0 }, "count is 1 to 1000000 probes, not 0" },
        { { count = 1.5 }, "count is 1 to 1000000 probes, not 1.5" },
        { { count = "3" }, 'count is 1 to 1000000 probes, not "3"' },
        { { interval = -1 }, "interval is 0 to 3600 seconds, not -1" },
        { { interval = 0 / 0 }, "interval is 0 to 3600 seconds" },
        { { timeout = 0 }, "timeout is 0.001 to 3600 seconds, not 0" },
        { { timeout = math.huge }, "timeout is 0.001 to 3600 seconds" },
        { { size = 65508 }, "size is 0 to 65507 bytes, not 65508" },
        { { size = -1 }, "size is 0 to 65507 bytes, not -1" },
        { { ttl = 0 }, "ttl is 1 to 255, not 0" },
        { { ttl = 256 }, "ttl is 1 to 255, not 256" },
        { { source = 1 }, "source is an address of the namespace" },
        { { source = "x" }, '"x" is not an IPv4 or IPv6 address' },
        { { cuont = 1 }, '"cuont" is no option; there are count, interval, timeout, size, ttl' },
        { { 3 }, "1 is no option" },
        { 3, "options are a table" },
    } do
        local err = assert_refused(case[2], left, "127.0.0.1", case[1])
        lu.assertEquals(err.code, "EINVAL")
    end
    lu.assertEquals(assert_refused("", left, "127.0.0.1", { count = 0 }).key, "count")
end

-- Run by ping_socket_test.lua, where raw sockets are not permitted.
local function test_neither_kind_of_socket()
    local ns = { name = "strict", handle = assert(core.netns.new()) }
    for _, address in ipairs { "10.0.0.1", "::1" } do
        local err = assert_refused("neither a raw socket nor a ping socket is permitted", ns, address)
        lu.assertEquals(err.code, "EPERM")
        lu.assertStrContains(err.hint, "ping_group_range")
    end
    ns.handle:close()
end
if lab.mode == "ping" then TestRefused.test_neither_kind_of_socket = test_neither_kind_of_socket end

function TestRefused.test_nothing_is_left_open()
    local function descriptors()
        collectgarbage()
        return select(2, run(left, "ls /proc/%d/fd", lab.pid):gsub("\n", ""))
    end
    ping(left, "127.0.0.1")
    local before = descriptors()
    for _ = 1, 20 do
        ping(left, { "127.0.0.1", "::1" })
        pcall(ping, left, { "127.0.0.1", "nonsense" })
    end
    lu.assertTrue(descriptors() <= before)
end

TestText = {}

function TestText.test_a_result_is_one_line()
    lu.assertStrMatches(tostring(ping(left, "10.0.2.2", { count = 2, interval = 0.01 })),
        "10%.0%.2%.2: 2 of 2 received, rtt min/avg/max/mdev = [%d.]+/[%d.]+/[%d.]+/[%d.]+ ms")
    lu.assertEquals(tostring(ping(left, "10.0.2.2", { ttl = 1 })),
        "10.0.2.2: 0 of 1 received, ttl exceeded (10.0.1.2 says: time to live exceeded)")
end

os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run())
