-- ns:ping against the real kernel: every way to get no answer, and what is said about it.
package.path = (arg[0]:match "^(.*/)" or "./") .. "?.lua;" .. package.path

local lab = require "ping_lab"
local lu = require "luaunit"
local ping = require "nsh.ping".ping

local left, router, right, run = lab.left, lab.router, lab.right, lab.run
local assert_answered, assert_lost = lab.assert_answered, lab.assert_lost

TestLost = {}

function TestLost.test_lo_is_down()
    local ns = lab.namespace "new"
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
    local ns = lab.namespace "new"
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
            local hidden = lab.mode == "ping" and i == 2 -- an IPv6 ping socket does not tell
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

os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run())
