-- ns:ping against the real kernel: three namespaces in a row, left - router - right.
--   lua5.4 tests/lua/ping_test.lua     enters a sandbox of its own
-- All of it runs twice: with raw sockets, and where only the kernel's ping sockets are permitted.
local mode = os.getenv "NSH_TEST_PING"

if not mode then
    local function run(name, wrapper)
        return os.execute(("NSH_TEST_PING=%s exec unshare -Urnm %s lua5.4 %s %s"):format(name,
            wrapper, arg[0], table.concat(arg, " ")))
    end
    local with_raw = run("raw", "")
    local without = run("ping", "setpriv --bounding-set -net_raw --inh-caps -net_raw")
    os.exit(with_raw and without)
end

local root = arg[0]:match "^(.*)tests/lua/" or "./"
package.path = root .. "lua/?.lua;" .. root .. "lua/?/init.lua;" .. package.path
package.cpath = (os.getenv "NSH_BUILD" or root .. "build") .. "/?.so;" .. package.cpath

local lu = require "luaunit"
local core = require "nsh.core"
local loop = require "nsh.loop"
local ping = require "nsh.ping".ping

local pid = assert(io.open "/proc/self/stat"):read "n"

local function path(ns)
    return ("/proc/%d/fd/%d"):format(pid, ns.handle:fileno())
end

-- Runs a shell script inside; returns what it printed.
local function sh(ns, script, ...)
    local pipe = assert(io.popen(("nsenter --net=%s sh -ec '%s' 2>&1"):format(path(ns),
        script:format(...))))
    local text = pipe:read "a"
    return text, pipe:close()
end

local function run(ns, script, ...)
    local text, ok = sh(ns, script, ...)
    assert(ok, text)
    return text
end

local function namespace(name)
    local ns = { name = name, handle = assert(core.netns.new()) }
    run(ns, 'echo "0 0" > /proc/sys/net/ipv4/ping_group_range') -- for the run without raw sockets
    return ns
end

local left, router, right = namespace "left", namespace "router", namespace "right"

-- One pair of veth from `a` to `b`, with subnet 10.0.N.0/24 and 2001:db8:N::/64.
local function connect(a, b, n)
    run(a, "ip link add to%d type veth peer back%d netns %s", n, n, path(b))
    for i, ns in ipairs { a, b } do
        local dev = i == 1 and "to" or "back"
        run(ns, [[ip addr add 10.0.%d.%d/24 brd + dev %s%d
                  ip addr add 2001:db8:%d::%d/64 dev %s%d nodad
                  ip addr add fe80::%d/64 dev %s%d nodad
                  ip link set lo up; ip link set %s%d addrgenmode none up]], n, i, dev, n, n, i,
            dev, n, i, dev, n, dev, n)
    end
end

local function build()
    connect(left, router, 1)
    connect(router, right, 2)
    run(left, "ip route add default via 10.0.1.2; ip route add default via 2001:db8:1::2")
    run(right, "ip route add default via 10.0.2.1; ip route add default via 2001:db8:2::1")
    run(router, [[echo 1 > /proc/sys/net/ipv4/ip_forward
                  echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
                  echo 0 > /proc/sys/net/ipv6/icmp/ratelimit
                  echo 10000 > /proc/sys/net/ipv4/icmp_msgs_burst 2>/dev/null || true
                  echo 100000 > /proc/sys/net/ipv4/icmp_msgs_per_sec 2>/dev/null || true
                  echo 1 > /proc/sys/net/ipv6/conf/all/forwarding]])
    for _ = 1, 50 do
        if ping(left, "10.0.2.2").ok and ping(left, "2001:db8:2::2").ok then return end
        loop.sleep(0.05)
    end
    error "the way from left to right does not come up"
end

build()

local function assert_answered(result, count)
    lu.assertEquals(result.received, count, tostring(result))
    lu.assertEquals(result.transmitted, count)
    lu.assertTrue(result.ok)
    lu.assertEquals(result.loss, 0)
    lu.assertNil(result.reason)
    lu.assertNil(result.message)
    lu.assertTrue(0 <= result.min and result.min <= result.avg and result.avg <= result.max)
    lu.assertTrue(result.mdev >= 0 and result.mdev <= result.max)
end

local function assert_lost(result, reason, message, from)
    lu.assertEquals(result.reason, reason, tostring(result))
    lu.assertStrContains(result.message, message)
    lu.assertEquals(result.from, from)
    lu.assertFalse(result.ok)
    lu.assertEquals(result.received, 0)
    lu.assertEquals(result.loss, 100)
    lu.assertNil(result.avg)
    lu.assertNil(result.ttl)
end

local function assert_refused(message, ...)
    local ok, err = pcall(ping, ...)
    lu.assertFalse(ok)
    lu.assertEquals(type(err), "table", tostring(err))
    lu.assertStrContains(tostring(err), message)
    return err
end

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
    lu.skipIf(mode == "ping", "a ping socket sends it to the router")
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

TestLost = {}

function TestLost.test_lo_is_down()
    local ns = namespace "new"
    assert_lost(ping(ns, "127.0.0.1"), "no route", "Network is unreachable")
    assert_lost(ping(ns, "::1"), "no route", "there is no address to send from")
    ns.handle:close()
end

function TestLost.test_routes_that_refuse()
    run(left, [[for f in 10.7.%%d.0/24 fd00:%%d::/64; do
                  ip route add blackhole $(printf $f 1); ip route add unreachable $(printf $f 2)
                  ip route add prohibit $(printf $f 3); ip route add throw $(printf $f 4); done]])
    for _, form in ipairs { "10.7.%d.1", "fd00:%d::1" } do
        assert_lost(ping(left, form:format(1)), "no route", "blackhole")
        assert_lost(ping(left, form:format(2)), "no route", "No route to host")
        assert_lost(ping(left, form:format(3)), "not permitted", "prohibit")
    end
    run(left, [[for t in blackhole unreachable prohibit throw; do
                  ip route flush type $t; ip -6 route flush type $t; done]])
end

function TestLost.test_no_route()
    local ns = namespace "new"
    run(ns, "ip link set lo up")
    assert_lost(ping(ns, "10.0.0.1"), "no route", "Network is unreachable")
    assert_lost(ping(ns, "fd00::1"), "no route", "Network is unreachable")
    ns.handle:close()
end

function TestLost.test_nobody_has_the_address()
    local results = ping(left, { "10.0.1.9", "2001:db8:1::9" }, { timeout = 0.2 })
    assert_lost(results[1], "timeout", "no reply within 0.2 s")
    assert_lost(results[2], "timeout", "no reply within 0.2 s")
    results = ping(left, { "10.0.1.9", "2001:db8:1::9", "10.0.2.2" }, { timeout = 6 })
    assert_lost(results[1], "unreachable", "10.0.1.1 says: host unreachable", "10.0.1.1")
    assert_lost(results[2], "unreachable", "address unreachable", "2001:db8:1::1")
    assert_answered(results[3], 1)
end

function TestLost.test_a_router_refuses()
    run(router, [[ip route add unreachable 10.6.2.0/24; ip route add prohibit 10.6.3.0/24
                  ip route add blackhole 10.6.1.0/24
                  ip route add unreachable fd06:2::/64; ip route add prohibit fd06:3::/64]])
    local results = ping(left, { "10.6.1.1", "10.6.2.1", "10.6.3.1", "10.6.4.1", "fd06:2::1",
        "fd06:3::1" }, { timeout = 0.5 })
    assert_lost(results[1], "timeout", "no reply")
    assert_lost(results[2], "unreachable", "host unreachable", "10.0.1.2")
    assert_lost(results[3], "unreachable", "prohibited", "10.0.1.2")
    assert_lost(results[4], "unreachable", "network unreachable", "10.0.1.2")
    assert_lost(results[5], "unreachable", "no route", "2001:db8:1::2")
    assert_lost(results[6], "unreachable", "prohibited", "2001:db8:1::2")
    run(router, [[for t in blackhole unreachable prohibit; do
                  ip route flush type $t; ip -6 route flush type $t; done]])
end

function TestLost.test_ttl()
    assert_lost(ping(left, "10.0.2.2", { ttl = 1 }), "ttl exceeded", "time to live", "10.0.1.2")
    assert_lost(ping(left, "2001:db8:2::2", { ttl = 1 }), "ttl exceeded", "hop limit",
        "2001:db8:1::2")
    assert_answered(ping(left, "10.0.2.2", { ttl = 2 }), 1)
    assert_answered(ping(left, "2001:db8:2::2", { ttl = 2 }), 1)
end

function TestLost.test_a_smaller_mtu_on_the_way()
    run(router, "ip link set to2 mtu 1300")
    run(right, "ip link set back2 mtu 1300")
    assert_lost(ping(left, "10.0.2.2", { size = 1400 }), "message too long", "MTU 1300", "10.0.1.2")
    assert_lost(ping(left, "2001:db8:2::2", { size = 1400 }), "message too long", "MTU 1300",
        "2001:db8:1::2")
    assert_answered(ping(left, "10.0.2.2", { size = 1400 }), 1) -- now the kernel knows, and cuts it
    assert_answered(ping(left, "2001:db8:2::2", { size = 1400 }), 1)
    run(router, "ip link set to2 mtu 1500")
    run(right, "ip link set back2 mtu 1500")
    run(left, "ip route flush cache; ip -6 route flush cache")
end

local function with_rule(ns, hook, rule, fn)
    run(ns, [[nft "add table inet t; add chain inet t c { type filter hook %s priority 0; };
                   add rule inet t c %s"]], hook, rule)
    local ok, err = pcall(fn)
    run(ns, "nft delete table inet t")
    if not ok then error(err, 0) end
end

function TestLost.test_firewalls()
    local both = { "10.0.2.2", "2001:db8:2::2" }
    local request = "meta l4proto { icmp, icmpv6 } ip%s daddr %s "
    local v4, v6 = request:format("", both[1]), request:format("6", both[2])
    for i, rule in ipairs { v4, v6 } do
        with_rule(left, "output", rule .. "drop", function()
            local hidden = mode == "ping" and i == 2 -- an IPv6 ping socket does not tell
            assert_lost(ping(left, both[i]), hidden and "timeout" or "not permitted",
                hidden and "no reply" or "firewall")
        end)
        with_rule(right, "input", rule .. "drop", function()
            assert_lost(ping(left, both[i], { timeout = 0.2 }), "timeout", "no reply within 0.2 s")
        end)
        with_rule(right, "input", rule .. "reject", function()
            assert_lost(ping(left, both[i]), "unreachable", "port unreachable", both[i])
        end)
        with_rule(router, "forward", rule .. "reject with icmpx type admin-prohibited", function()
            assert_lost(ping(left, both[i]), "unreachable", "prohibited",
                ({ "10.0.1.2", "2001:db8:1::2" })[i])
        end)
    end
end

-- An ICMP error for one target makes the socket's next send fail: the others must not notice. (The
-- firewall answers them all; an "unreachable" route would, after five, answer one a second.)
function TestLost.test_errors_of_some_do_not_touch_the_others()
    local addresses = {}
    for i = 1, 100 do
        addresses[i] = i % 2 == 0 and "10.0.2.2" or "10.6.0." .. i
    end
    run(router, "ip route add 10.6.0.0/16 via 10.0.2.2")
    with_rule(router, "forward", "ip daddr 10.6.0.0/16 reject with icmp type host-unreachable",
        function()
            for i, result in ipairs(ping(left, addresses, { count = 3, interval = 0.01 })) do
                if i % 2 == 0 then
                    assert_answered(result, 3)
                else
                    assert_lost(result, "unreachable", "host unreachable", "10.0.1.2")
                end
            end
        end)
    run(router, "ip route del 10.6.0.0/16")
end

function TestLost.test_partial_loss()
    with_rule(right, "input", "icmp type echo-request limit rate over 1/hour burst 2 packets drop",
        function()
            local result = ping(left, "10.0.2.2", { count = 4, interval = 0.01, timeout = 0.2 })
            lu.assertEquals(result.received, 2)
            lu.assertEquals(result.loss, 50)
            lu.assertEquals(result.reason, "timeout")
            lu.assertFalse(result.ok)
            lu.assertNotNil(result.avg)
        end)
end

-- 700 unresolved neighbours hold more than an ordinary user's send buffer.
function TestLost.test_many_silent_neighbours_do_not_lose_the_others()
    local addresses = {}
    for i = 1, 700 do
        addresses[i] = ("10.5.%d.%d"):format(i // 250, i % 250 + 1)
    end
    addresses[#addresses + 1] = "10.0.2.2"
    run(left, "ip addr add 10.5.255.1/16 dev to1")
    local results = ping(left, addresses, { timeout = 0.5 })
    run(left, "ip addr del 10.5.255.1/16 dev to1; ip neigh flush all")
    for i = 1, 700 do lu.assertEquals(results[i].received, 0) end
    assert_answered(results[701], 1)
end

-- The table is one for the whole machine: filled for as short as possible. It makes room by itself
-- for a few, from entries older than five seconds that others left.
local function write_neighbours(name)
    local file = assert(io.open(name, "w"))
    for i = 1, 1100 do
        local rest = "lladdr 02:00:00:00:00:01 dev to1 nud reachable\n"
        file:write(("neigh replace 10.4.%d.%d %s"):format(i // 250, i % 250 + 1, rest))
        file:write(("neigh replace fd04::%x %s"):format(i, rest))
    end
    file:close()
end

local function ping_with_full_table(name)
    local said, results
    for try = 1, 20 do
        said = run(left, "ip -force -b %s 2>&1 || true", name)
        results = ping(left, { "10.4.200." .. try, "fd04::f00" .. try, "127.0.0.1", "::1" },
            { timeout = 0.01 })
        if results[1].reason ~= "timeout" and results[2].reason ~= "timeout" then break end
    end
    return results, said:find "No buffer space" ~= nil
end

function TestLost.test_the_neighbour_table_is_full()
    local name = os.tmpname()
    write_neighbours(name)
    run(left, "ip addr add 10.4.255.1/16 dev to1; ip addr add fd04::ffff/64 dev to1 nodad")
    local ok, results, full = pcall(ping_with_full_table, name)
    run(left, [[ip neigh flush all; ip addr del 10.4.255.1/16 dev to1
                ip addr del fd04::ffff/64 dev to1]])
    os.remove(name)
    assert(ok, results)
    lu.skipIf(not full, "this machine's neighbour table is larger")
    assert_lost(results[1], "neighbour table full", "net.ipv4.neigh.default.gc_thresh3")
    assert_lost(results[2], "neighbour table full",
        mode == "ping" and "overflowed meanwhile" or "net.ipv6.neigh.default.gc_thresh3")
    assert_answered(results[3], 1)
    assert_answered(results[4], 1)
end

TestOracle = {}

-- The summary line of ping(8).
local function iputils(address)
    local text = sh(left, "ping -n -c 3 -i 0.05 -W 1 %s", address)
    local sent, received = text:match "(%d+) packets transmitted, (%d+) received"
    return tonumber(sent), tonumber(received), text
end

function TestOracle.test_the_same_counts_as_iputils()
    lu.skipIf(mode == "ping", "ping(8) has a capability as a file, and does not start without it")
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
    lu.assertStrContains(err.where, "ping_test.lua:")
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

function TestRefused.test_neither_kind_of_socket()
    lu.skipIf(mode == "raw", "raw sockets are permitted")
    local ns = { name = "strict", handle = assert(core.netns.new()) }
    for _, address in ipairs { "10.0.0.1", "::1" } do
        local err = assert_refused("neither a raw socket nor a ping socket is permitted", ns, address)
        lu.assertEquals(err.code, "EPERM")
        lu.assertStrContains(err.hint, "ping_group_range")
    end
    ns.handle:close()
end

function TestRefused.test_nothing_is_left_open()
    local function descriptors()
        collectgarbage()
        return select(2, run(left, "ls /proc/%d/fd", pid):gsub("\n", ""))
    end
    ping(left, "127.0.0.1")
    local before = descriptors()
    for _ = 1, 20 do
        ping(left, { "127.0.0.1", "::1" })
        pcall(ping, left, { "127.0.0.1", "nonsense" })
    end
    lu.assertEquals(descriptors(), before)
end

TestText = {}

function TestText.test_a_result_is_one_line()
    lu.assertStrMatches(tostring(ping(left, "10.0.2.2", { count = 2, interval = 0.01 })),
        "10%.0%.2%.2: 2 of 2 received, rtt min/avg/max/mdev = [%d.]+/[%d.]+/[%d.]+/[%d.]+ ms")
    lu.assertEquals(tostring(ping(left, "10.0.2.2", { ttl = 1 })),
        "10.0.2.2: 0 of 1 received, ttl exceeded (10.0.1.2 says: time to live exceeded)")
end

os.exit(lu.LuaUnit.run())
