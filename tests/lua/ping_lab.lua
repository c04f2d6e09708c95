-- What the tests of ns:ping share: a sandbox, and in it three namespaces in a row, left - router -
-- right. With NSH_TEST_PING=ping the caller has made the sandbox, and taken raw sockets away.
local lu = require "luaunit"
local core = require "nsh.core"
local loop = require "nsh.loop"
local ping = require "nsh.ping".ping

local mode = os.getenv "NSH_TEST_PING" or "raw"
if mode == "raw" then assert(core.sandbox.enter()) end

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
    run(ns, 'echo "0 0" > /proc/sys/net/ipv4/ping_group_range') -- for the runs without raw sockets
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

-- Not icmp_ratelimit = 0: in Linux 6.1 each error then also uses up what a router may say of missing routes.
local function build()
    connect(left, router, 1)
    connect(router, right, 2)
    run(left, "ip route add default via 10.0.1.2; ip route add default via 2001:db8:1::2")
    run(right, "ip route add default via 10.0.2.1; ip route add default via 2001:db8:2::1")
    run(router, [[echo 1 > /proc/sys/net/ipv4/ip_forward
                  echo 0 > /proc/sys/net/ipv4/icmp_ratemask
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

return {
    mode = mode, -- "raw" or "ping"
    pid = pid,
    left = left,
    router = router,
    right = right,
    namespace = namespace,
    sh = sh,
    run = run,
    assert_answered = assert_answered,
    assert_lost = assert_lost,
    assert_refused = assert_refused,
}
