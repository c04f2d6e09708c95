-- Labs: what is declared is built, changed, taken back and taken down.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"
local refused, pluck = support.refused, support.pluck

-- The names of the host's interfaces, but for lo.
local function interfaces(ns)
    local list = pluck((ns or host).link:list(), "ifname")
    for i, name in ipairs(list) do
        if name == "lo" then table.remove(list, i) break end
    end
    return list
end

-- What fn() changes, as commands.
local changes = support.commands

local function gone()
    support.wait_for("the lab is gone", function()
        return #interfaces() == 0 and #nsh.netns.list() == 0
    end)
end

-- A class of tests that each leave nothing.
local function class() return { setUp = gone, tearDown = gone } end

-- The document's two containers on a bridge.
local function bridge_lab(name)
    local lab = nsh.lab(name or "bridge")
    lab.host:bridge{ "br0", addr = "172.16.0.1/16" }
    for i = 3, 4 do
        lab:node("app" .. i):connect{ "clink" .. i, addr = "172.16.0." .. i * 10 .. "/16", via = "172.16.0.1",
            to = lab.host, peer = { "hlink" .. i, master = "br0" } }
    end
    return lab
end

TestPlan = class()

function TestPlan:test_is_the_commands_in_order_and_changes_nothing()
    local lab = bridge_lab()
    local lines = table.concat(lab:plan(), "\n"):gsub("address %x%x[%x:]+ ", "")
    lu.assertEquals(lines, [[
ip link add name br0 type bridge
ip netns add app3
ip netns add app4
ip link add name hlink3 up master br0 type veth peer name clink3 netns app3
ip link add name hlink4 up master br0 type veth peer name clink4 netns app4
ip -n app3 link set dev lo up
ip -n app3 link set dev clink3 up
ip -n app3 addr add 172.16.0.30/16 dev clink3
ip -n app3 route add default via 172.16.0.1 dev clink3
ip -n app4 link set dev lo up
ip -n app4 link set dev clink4 up
ip -n app4 addr add 172.16.0.40/16 dev clink4
ip -n app4 route add default via 172.16.0.1 dev clink4
ip link set dev br0 up
ip addr add 172.16.0.1/16 dev br0]])
    lu.assertEquals(interfaces(), {})
    lu.assertEquals(#nsh.netns.list(), 0)
end

function TestPlan:test_says_what_up_does()
    local lab <close> = bridge_lab()
    lab:find "app3":sysctl("net.ipv4.ip_forward", 1)
    lab:find "app3":nft "table inet t { }"
    local plan = lab:plan()
    lu.assertEquals(changes(function() lab:up() end), plan)
    lu.assertEquals(lab:plan(), {})
end

function TestPlan:test_names_the_line_of_what_cannot_be()
    local lab = nsh.lab "wrong"
    local a = lab:node "a"
    a:addr{ "10.0.0.1/24", dev = "eth9" }
    local err = refused("ENODEV", 'cannot add addr 10.0.0.1/24 in a: dev: there is no interface "eth9" (ENODEV)',
        lab.plan, lab)
    lu.assertStrContains(err.where, "lab_test.lua:")
    lab = nsh.lab "wrong"
    lab:node "left":connect{ to = "rigth" }
    lab:node "right"
    refused("ENOENT", 'cannot add link eth0 in left: there is no node "rigth"; did you mean right (ENOENT)',
        lab.up, lab)
    refused("EINVAL", 'cannot set link eth0 in b: unknown key "mtuu"; did you mean mtu (EINVAL)', function()
        local one = nsh.lab "wrong"
        local b = one:node "b"
        one:node "a":connect{ to = b, peer = { "eth0", mtuu = 5 } }
        one:up()
    end)
end

TestDeclarations = class()

function TestDeclarations:test_what_nothing_adds_is_none()
    local node = nsh.lab "keys":node "a"
    refused("EINVAL", "cannot declare wg in a: nothing adds a wg: node.wg:set{ … } once the lab is up (EINVAL)",
        function() node:wg{ "wg0", listen_port = 51820 } end)
end

function TestDeclarations:test_a_doubled_name_is_refused_with_the_line_of_the_first()
    local lab = nsh.lab "double"
    local a = lab:node "a"
    local err = support.raised(lab.node, lab, "a")
    lu.assertEquals(err.code, "EEXIST")
    lu.assertStrContains(err.message, "there is one already: ")
    lu.assertStrContains(err.message, "lab_test.lua:")
    a:connect{ "eth0", to = lab:node "b" }
    err = support.raised(a.connect, a, { "eth0", to = "b" })
    lu.assertStrContains(err.message, "a has an interface of that name already: ")
    lu.assertEquals(#a.interfaces, 1)
end

function TestDeclarations:test_half_a_pair_is_none()
    local lab = nsh.lab "half"
    local a, b = lab:node "a", lab:node "b"
    a:connect{ "eth0", to = b, peer = "x" }
    support.raised(a.connect, a, { "eth1", to = b, peer = "x" })
    a:connect{ "eth1", to = b, peer = "y" }
    local lines = table.concat(lab:plan(), "\n")
    lu.assertEquals(select(2, lines:gsub("link add", "")), 2)
end

function TestDeclarations:test_what_it_refers_to_may_come_later()
    local lab <close> = nsh.lab "later"
    lab:node "a":connect{ "eth0", addr = "10.0.0.1/24", to = "s" }
    lab:node "b":connect{ "eth0", addr = "10.0.0.2/24", to = "s" }
    lab:switch "s"
    lab:up()
    lu.assertTrue(lab:find "a":ping(lab:find "b").ok)
    lu.assertEquals(#lab:find "s".link:list{ master = "s" }, 2)
end

function TestDeclarations:test_a_long_name_is_shortened_the_same_way_each_time()
    local long = "leaf-one-to-spine-two"
    local function build()
        local lab <close> = nsh.lab "long"
        local a = lab:node "a"
        a:connect{ long, to = lab:node "b", peer = long }
        a:addr{ "10.0.0.1/24", dev = long }
        a:sysctl("net.ipv4.conf." .. a:ifname(long) .. ".forwarding", 1)
        lab:up()
        lu.assertEquals(a.addr:list{ dev = a:ifname(long), family = "inet" }[1].local_, "10.0.0.1")
        return interfaces(a:live())[1]
    end
    local name = build()
    lu.assertEquals(#name, 15)
    lu.assertStrContains(name, "leaf-one")
    lu.assertEquals(build(), name)
    gone()
end

function TestDeclarations:test_macs_follow_from_the_names()
    local function mac()
        local lab <close> = bridge_lab()
        lab:up()
        return lab:find "app3".link:get "clink3".address
    end
    local first = mac()
    gone()
    lu.assertEquals(mac(), first)
    lu.assertStrMatches(first, "02:.*")
    gone()
end

TestUp = class()

function TestUp:test_every_node_reaches_every_other()
    local lab <close> = bridge_lab()
    lab:up()
    local app3, app4 = lab:find "app3", lab:find "app4"
    lu.assertTrue(app3:ping(app4).ok)
    lu.assertTrue(app4:ping "172.16.0.1".ok)
    lu.assertTrue(host:ping "172.16.0.30".ok)
    lu.assertEquals(pluck(nsh.netns.list(), "name"), { "app3", "app4" })
    lu.assertEquals(interfaces(), { "br0", "hlink3", "hlink4" })
    lu.assertEquals(app3.route:get("8.8.8.8").gateway, "172.16.0.1")
end

function TestUp:test_iproute2_sees_the_nodes_by_name()
    local lab <close> = bridge_lab()
    lab:up()
    lu.assertEquals(support.ip(nil, "-n app3 addr show dev clink3")[1].addr_info[1]["local"], "172.16.0.30")
    lu.assertStrContains(support.sh "ip netns exec app4 ip -br addr", "172.16.0.40/16")
    local seen = host:exec{ "ip", "-n", "app3", "-br", "addr", output = true }
    lu.assertStrContains(seen.out, "172.16.0.30/16", false, seen.err)
end

function TestUp:test_nothing_is_sent_if_nothing_changed()
    local lab <close> = bridge_lab()
    lab:up()
    lu.assertEquals(changes(function() lab:up():up() end), {})
end

function TestUp:test_only_the_difference_is_sent()
    local lab <close> = bridge_lab()
    lab:up()
    lab:node "app5":connect{ "clink5", addr = "172.16.0.50/16", to = lab.host, peer = { "hlink5", master = "br0" } }
    local lines = table.concat(changes(function() lab:up() end), "\n"):gsub("address %x%x[%x:]+ ", "")
    lu.assertEquals(lines, [[
ip netns add app5
ip link add name hlink5 up master br0 type veth peer name clink5 netns app5
ip -n app5 link set dev lo up
ip -n app5 link set dev clink5 up
ip -n app5 addr add 172.16.0.50/16 dev clink5]])
    lu.assertTrue(lab:find "app5":ping(lab:find "app3").ok)
end

function TestUp:test_changed_fields_are_changed_in_place()
    local lab <close> = nsh.lab "change"
    local a, b = lab:node "a", lab:node "b"
    local link = a:connect{ "eth0", addr = "10.0.0.1/24", to = b, peer = { "eth0", addr = "10.0.0.2/24" } }
    lab:up()
    link:set{ mtu = 1400 }
    lu.assertEquals(changes(function() lab:up() end), { "ip -n a link set dev eth0 mtu 1400" })
    lu.assertEquals(a.link:get "eth0".mtu, 1400)
    link:set{ addr = { "10.0.0.1/24", "10.0.0.9/24" } }
    lab:up()
    lu.assertEquals(pluck(a.addr:list{ family = "inet", dev = "eth0" }, "local_"), { "10.0.0.1", "10.0.0.9" })
    lu.assertTrue(b:ping "10.0.0.9".ok)
    link:down()
    lu.assertEquals(changes(function() lab:up() end), { "ip -n a link set dev eth0 down" })
    lu.assertFalse(b:ping("10.0.0.1", { timeout = 0.2 }).ok)
    link:up()
    lab:up()
    lu.assertTrue(b:ping "10.0.0.1".ok)
end

function TestUp:test_what_is_removed_goes()
    local lab <close> = bridge_lab()
    lab:up()
    lab:find "app4":remove()
    lab:up()
    lu.assertEquals(interfaces(), { "br0", "hlink3" })
    lu.assertEquals(pluck(nsh.netns.list(), "name"), { "app3" })
    lab:node "app4":connect{ "clink4", addr = "172.16.0.41/16", to = lab.host, peer = { "hlink4", master = "br0" } }
    lab:up()
    lu.assertTrue(host:ping "172.16.0.41".ok)
    lab:find "app4".interfaces[1]:remove()
    lab:up()
    lu.assertEquals(interfaces(), { "br0", "hlink3" })
    lu.assertEquals(interfaces(lab:find "app4":live()), {})
end

function TestUp:test_a_name_can_be_given_again_at_once()
    local lab <close> = bridge_lab()
    lab:up()
    lab:find "app3":remove()
    lab:node "app3":connect{ "clink3", addr = "172.16.0.33/16", to = lab.host, peer = { "hlink3", master = "br0" } }
    lab:up()
    lu.assertTrue(host:ping "172.16.0.33".ok)
    lu.assertFalse(host:ping("172.16.0.30", { timeout = 0.2 }).ok)
end

function TestUp:test_everybody_reaches_everybody()
    local lab <close> = nsh.lab "all"
    lab:star(4, lab:pool "10.0.0.0/24")
    lab:up()
    local result = require("nsh.lab.pingall").pingall(lab)
    lu.assertEquals({ result.ok, result.transmitted, result.received, #result.failures }, { true, 12, 12, 0 })
    lab:find "h3".interfaces[1]:down()
    lab:up()
    result = require("nsh.lab.pingall").pingall(lab, { timeout = 0.3 })
    lu.assertEquals({ result.ok, result.received }, { false, 6 })
    lu.assertEquals({ result.matrix.h1.h3, result.matrix.h3.h1 }, { false, false })
end

-- As another lab does that ends at the same time: it takes the directory of all labs away if that is empty.
function TestUp:test_files_beside_labs_that_end()
    local other <close> = host:spawn{ "lua5.4", "-e", 'while true do os.remove "/run/nsh" for _ = 1, 3000 do end end' }
    for i = 1, 30 do
        local lab <close> = nsh.lab("files" .. i)
        lab:node "a":file("motd", "hello\n")
        lab:up()
        lu.assertEquals(lab:find "a":exec{ "cat", "/etc/motd", output = true }.out, "hello\n")
    end
    lu.assertTrue(other:running())
end

TestRefusal = class()

function TestRefusal:test_in_the_middle_takes_back_everything()
    local lab = bridge_lab()
    lab:find "app4":route{ "10.9.0.0/16", via = "192.168.7.1" }
    local err = refused("ENETUNREACH",
        "cannot add route 10.9.0.0/16 in app4: Nexthop has invalid gateway (ENETUNREACH)", lab.up, lab)
    lu.assertStrContains(err.where, "lab_test.lua:")
    lu.assertEquals(interfaces(), {})
    lu.assertEquals(nsh.netns.list(), {})
end

function TestRefusal:test_of_a_second_up_leaves_the_first()
    local lab <close> = bridge_lab()
    lab:up()
    local app3 = lab:find "app3"
    local function state()
        return { interfaces(), interfaces(app3:live()), app3.route:list(), app3.link:get "clink3".mtu,
            #nsh.netns.list() }
    end
    local before = state()
    app3.interfaces[1]:set{ mtu = 1300 }
    app3:addr{ "10.7.0.1/24", dev = "clink3" }
    lab:node "x":connect{ "eth0", to = app3, peer = "extra" }
    local wrong = app3:route{ "10.9.0.0/16", via = "192.168.7.1" }
    refused("ENETUNREACH", "cannot add route 10.9.0.0/16 in app3: Nexthop has invalid gateway (ENETUNREACH)",
        lab.up, lab)
    lu.assertEquals(state(), before)
    lu.assertTrue(app3:ping(lab:find "app4").ok)
    wrong:remove()
    lab:up()
    lu.assertEquals(app3.link:get "clink3".mtu, 1300)
    lu.assertEquals(interfaces(app3:live()), { "clink3", "extra" })
end

function TestRefusal:test_keeps_what_somebody_else_had_made()
    host.link:add{ "br0", type = "bridge" }
    local lab = bridge_lab()
    refused("EEXIST", "cannot add link br0 in host: the host has an interface of that name already (EEXIST)",
        lab.up, lab)
    lu.assertEquals(interfaces(), { "br0" })
    host.link:del "br0"
    lab:up()
    lab:find "app3".route:add{ "10.8.0.0/16", via = "172.16.0.9" }
    lab:find "app3":route{ "10.8.0.0/16", via = "172.16.0.9" }
    lu.assertEquals(support.raised(lab.up, lab).code, "EEXIST")
    lu.assertEquals(#lab:find "app3".route:list "10.8.0.0/16", 1)
    lab:down()
    gone()
end

TestDown = class()

function TestDown:test_leaves_nothing_and_up_builds_it_again()
    local lab = bridge_lab()
    for _ = 1, 3 do
        lab:up()
        lu.assertTrue(lab:find "app3":ping(lab:find "app4").ok)
        lab:down()
    end
    lab:down()
    gone()
    local err = support.raised(function() return lab:find "app3".link:list() end)
    lu.assertStrContains(tostring(err), "cannot use the node in app3: it is not up")
end

function TestDown:test_ends_its_programs_and_daemons()
    local lab = bridge_lab()
    lab:find "app3":run{ "sleep", "1000" }
    lab:up()
    local app3 = lab:find "app3"
    app3:exec "setsid sleep 1001 & exit 0"
    local function sleeping()
        return host:exec{ "pgrep", "-f", "^sleep 100[01]", output = true }.out
    end
    support.wait_for("both run", function() return select(2, sleeping():gsub("\n", "")) == 2 end)
    lab:down()
    support.wait_for("they have ended", function() return sleeping() == "" end)
    gone()
end

function TestDown:test_takes_back_what_it_changed_on_the_host()
    host.link:add{ "mine0", type = "veth", up = true, peer = { "mine1", up = nil } }
    host.link:set{ "mine1", up = true }
    host.addr:add{ "10.1.0.1/24", dev = "mine0" }
    self.own = "mine0"
    local before = { host:sysctl "net.ipv4.ip_forward", host.addr:list{ family = "inet" }, host.route:list() }
    local lab = bridge_lab()
    lab.host:addr{ "10.2.0.1/24", dev = "mine0" }
    lab.host:route{ "10.3.0.0/16", via = "10.1.0.7" }
    lab.host:sysctl("net.ipv4.ip_forward", before[1] == 1 and 0 or 1)
    lab:up()
    lu.assertNotEquals(host:sysctl "net.ipv4.ip_forward", before[1])
    lu.assertEquals(#host.route:list "10.3.0.0/16", 1)
    lab:down()
    support.wait_for("it is as it was", function() return #interfaces() == 2 end)
    lu.assertEquals({ host:sysctl "net.ipv4.ip_forward", host.addr:list{ family = "inet" }, host.route:list() }, before)
end

function TestDown:tearDown()
    if self.own then host.link:del(self.own) end
    self.own = nil
    gone()
end

function TestDown:test_a_block_that_ends_ends_its_lab()
    do
        local lab <close> = bridge_lab()
        lab:up()
    end
    gone()
end

TestNode = class()

function TestNode:test_has_its_files_programs_sysctls_and_firewall()
    local lab <close> = bridge_lab()
    local app3 = lab:find "app3"
    app3:file("hosts", "172.16.0.40 app4\n")
    app3:file("resolv.conf", "nameserver 172.16.0.53\n")
    app3:sysctl("net.ipv4.conf.clink3.rp_filter", 2)
    app3:nft "table inet t { chain c { type filter hook output priority 0; icmp type echo-request drop; }; }"
    local program = app3:run{ "sh", "-c", "hostname; exec sleep 1000", output = true }
    lab:up()
    lu.assertEquals(app3:exec{ "cat", "/etc/hosts", "/etc/resolv.conf", output = true }.out,
        "172.16.0.40 app4\nnameserver 172.16.0.53\n")
    lu.assertEquals(app3:sysctl "net.ipv4.conf.clink3.rp_filter", 2)
    lu.assertEquals(program.process:read "l", "app3")
    lu.assertTrue(program.process:running())
    lu.assertEquals(app3:ping(lab:find "app4").reason, "not permitted")
    lu.assertStrContains(app3:exec{ "nft", "list", "ruleset", output = true }.out, "echo-request drop")
end

function TestNode:test_a_rule_that_nft_refuses_is_an_error_with_its_line()
    local lab = bridge_lab()
    lab:find "app3":nft "table inet t { chain c { nonsense; }; }"
    local err = support.raised(lab.up, lab)
    lu.assertStrContains(tostring(err), "cannot set the firewall in app3: ")
    lu.assertStrContains(err.message, "nonsense")
    lu.assertEquals(interfaces(), {})
end

function TestNode:test_both_families()
    local lab <close> = nsh.lab "six"
    local pool, six = lab:pool "10.0.0.0/24", lab:pool "2001:db8::/64"
    local s = lab:switch "s"
    for i = 1, 3 do lab:node("n" .. i):connect{ addr = { pool, six }, to = s } end
    lab:up()
    local n1, n3 = lab:find "n1", lab:find "n3"
    lu.assertEquals({ n3:address(), n3:address "inet6" }, { "10.0.0.3", "2001:db8::3" })
    lu.assertTrue(n1:ping(n3:address()).ok)
    lu.assertTrue(n1:ping(n3:address "inet6").ok)
end

function TestNode:test_a_link_has_its_rate()
    local lab <close> = nsh.lab "rate"
    local a, b = lab:node "a", lab:node "b"
    local link = a:connect{ "eth0", rate = "10mbit", to = b }
    local function qdisc() return a.qdisc:list{ dev = "eth0" }[1] end
    lab:up()
    lu.assertEquals({ qdisc().kind, qdisc().options.rate }, { "tbf", 1250000 })
    link:set{ rate = "20mbit" }
    lab:up()
    lu.assertEquals(qdisc().options.rate, 2500000)
    link:set{ rate = false }
    lab:up()
    lu.assertEquals(qdisc().kind, "noqueue")
end

function TestNode:test_fields_that_a_link_takes_only_once_it_exists()
    local lab <close> = bridge_lab()
    lab:find "app3".interfaces[1]:set{ alias = "the far end", txqueuelen = 77 }
    lab.host.by_name.br0:set{ alias = "the bridge", mtu = 1400 }
    lab:up()
    local far, bridge = lab:find "app3".link:get "clink3", host.link:get "br0"
    lu.assertEquals({ far.ifalias, far.txqlen }, { "the far end", 77 })
    lu.assertEquals({ bridge.ifalias, bridge.mtu }, { "the bridge", 1400 })
end

function TestNode:test_lo_stays_down_if_it_is_told_to()
    local lab <close> = nsh.lab "lo"
    local a, b = lab:node("a", { lo = false }), lab:node "b"
    lab:up()
    lu.assertEquals({ a.link:get "lo".operstate, b.link:get "lo".operstate }, { "DOWN", "UNKNOWN" })
end

os.exit(support.run())
