-- Firewalls of namespaces that act at once: nft's text, and the helpers, by what gets through.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local host = nsh.host
local refused = support.refused

-- A router between two networks of both families; `out` has no way back to `inside` but by NAT.
local inside, router, out = nsh.netns.add "inside", nsh.netns.add "router", nsh.netns.add "out"

local function cable(ns, name, addresses)
    router.link:add{ name, type = "veth", up = true, peer = { "eth0", netns = ns } }
    ns.link:set{ "eth0", up = true }
    ns.link:set{ "lo", up = true }
    ns.addr:add{ addresses[1] .. ".2/24", dev = "eth0" }
    ns.addr:add{ addresses[2] .. "::2/64", dev = "eth0", nodad = true }
    router.addr:add{ addresses[1] .. ".1/24", dev = name }
    router.addr:add{ addresses[2] .. "::1/64", dev = name, nodad = true }
end

cable(inside, "in0", { "10.0.1", "fd01" })
cable(out, "out0", { "10.0.2", "fd02" })
inside.route:add{ "default", via = "10.0.1.1" }
inside.route:add{ "default", via = "fd01::1" }
router:sysctl("net.ipv4.ip_forward", 1)
router:sysctl("net.ipv6.conf.all.forwarding", 1)
support.wait_for_rest{ inside, router, out }

local function listed(ns) return tostring(ns:nft()) end

local function answers(ns, address) lu.assertTrue(ns:ping(address, { timeout = 5 }).ok) end

-- What answers does so in a millisecond.
local function is_silent(ns, address) lu.assertFalse(ns:ping(address, { timeout = 0.3 }).ok) end

local SERVER = [[import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[2]))); s.listen(); print("ready", flush=True)
c, peer = s.accept()
print(peer[0], flush=True)]]

local CLIENT = [[import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3]))]]

-- Whether a connection to { address, port } comes about with a server there at { address, port }; and the
-- client's address as the server sees it. `patience`: seconds (default 10).
local function connect(client, to, server, at, patience)
    local listener <close> = server:spawn{ "python3", "-c", SERVER, at[1], at[2], output = true }
    lu.assertEquals(listener:read "l", "ready")
    local result = client:exec{ "python3", "-c", CLIENT, to[1], to[2], patience or "10", output = true }
    if result.status ~= 0 then return false end
    return true, listener:read "l"
end

-- Each test leaves the firewalls as they were.
local Case = {}
Case.__index = Case
function Case:setUp() self.before = listed(router) .. listed(host) end
function Case:tearDown()
    lu.assertEquals(listed(router) .. listed(host), self.before)
end

local function class() return setmetatable({}, Case) end

-- --- text ----------------------------------------------------------------------------------------

TestText = class()

function TestText:test_takes_effect_and_is_listed()
    router:nft [[
        table inet t {
            chain c { type filter hook input priority 0; policy accept; tcp dport 80 counter drop; }
        }]]
    local rules = router:nft()
    lu.assertEquals(rules[1].table, { family = "inet", name = "t", handle = rules[1].table.handle })
    lu.assertEquals(math.type(rules[1].table.handle), "integer")
    lu.assertEquals({ rules[2].chain.hook, rules[2].chain.policy }, { "input", "accept" })
    lu.assertEquals(rules[3].rule.expr[3], { drop = true })
    lu.assertEquals(tostring(rules) .. "\n", support.sh("nft list ruleset", router))
    lu.assertEquals(nsh.show.format(rules), tostring(rules))
    lu.assertStrContains(support.sh("nft -j list ruleset", router), '"hook": "input"')
    router:nft "delete table inet t"
    lu.assertEquals(#router:nft(), 0)
end

function TestText:test_takes_effect_as_a_whole_or_not_at_all()
    local err = support.raised(router.nft, router, "add table inet t\nadd rule inet t nowhere accept")
    lu.assertEquals({ err.code, err.line, err.rule }, { "ENOENT", 2, "add rule inet t nowhere accept" })
    lu.assertEquals(#router:nft(), 0)
end

function TestText:test_what_is_refused_is_told_with_its_line()
    refused("EINVAL", 'cannot set the firewall in router: Could not resolve service: Servname not supported for ' ..
        'ai_socktype, at "nope" in line 3: tcp dport nope accept (EINVAL)', router.nft, router,
        "table inet t {\n  chain c {\n    tcp dport nope accept\n  }\n}")
    refused("EINVAL", "cannot set the firewall in router: a text of rules expected (EINVAL)", router.nft, router, {})
    refused("EINVAL", 'a colon is missing before the name of the method: ns:nft "…" (EINVAL)', router.nft, "x")
end

-- nft would take the rest of a line for its own.
function TestText:test_a_percent_sign_stays_one()
    local err = support.raised(router.nft, router, "add table inet %d%s")
    lu.assertStrContains(err.message, "in line 1: add table inet %d%s")
end

function TestText:test_needs_a_program_and_a_module()
    local loaded = package.loaded.cjson
    package.loaded.cjson, package.preload.cjson = nil, function() error "not found" end
    local err = support.raised(router.nft, router)
    package.loaded.cjson, package.preload.cjson = loaded, nil
    lu.assertEquals({ err.code, err.hint }, { "ENOENT", "install the package lua-cjson" })
    err = support.raised(router.nft, setmetatable({ exec = function(_, args)
        return router:exec{ "/is/not/there/" .. args[1] } -- a PATH may have folders that one must not read
    end }, { __index = router }), "add table inet t")
    lu.assertEquals({ err.code, err.hint }, { "ENOENT", "install the package nftables" })
end

-- --- NAT -----------------------------------------------------------------------------------------

TestNat = class()

function TestNat:test_masquerade_rewrites_the_source()
    is_silent(inside, "10.0.2.2")
    local nat = router:masquerade{ saddr = "10.0.1.0/24", oifname = "!= in0" }
    answers(inside, "10.0.2.2")
    local ok, peer = connect(inside, { "10.0.2.2", "8080" }, out, { "10.0.2.2", "8080" })
    lu.assertEquals({ ok, peer }, { true, "10.0.2.1" })
    nat:remove()
    is_silent(inside, "10.0.2.2")
end

function TestNat:test_masquerade_excludes_an_interface()
    local _ <close> = router:masquerade{ saddr = "10.0.1.0/24", oifname = "!= out0" }
    is_silent(inside, "10.0.2.2")
end

function TestNat:test_without_arguments_both_families()
    local _ <close> = router:masquerade{}
    answers(inside, "10.0.2.2")
    answers(inside, "fd02::2")
end

function TestNat:test_snat_gives_the_source_that_is_asked_for()
    router.addr:add{ "10.0.2.9/32", dev = "out0" }
    local _ <close> = router:snat{ saddr = "10.0.1.2", to = "10.0.2.9" }
    local _ <close> = router:snat{ saddr = "fd01::/64", to = "fd02::1" }
    local _, peer = connect(inside, { "10.0.2.2", "8080" }, out, { "10.0.2.2", "8080" })
    lu.assertEquals(peer, "10.0.2.9")
    _, peer = connect(inside, { "fd02::2", "8080" }, out, { "fd02::2", "8080" })
    lu.assertEquals(peer, "fd02::1")
    router.addr:del{ "10.0.2.9/32", dev = "out0" }
end

function TestNat:test_dnat_forwards_a_port()
    lu.assertFalse((connect(out, { "10.0.2.1", "8080" }, inside, { "10.0.1.2", "80" }, "0.5")))
    local _ <close> = router:dnat{ iifname = "out0", proto = "tcp", dport = 8080, to = "10.0.1.2:80" }
    local _ <close> = router:masquerade{ oifname = "in0" }
    local ok, peer = connect(out, { "10.0.2.1", "8080" }, inside, { "10.0.1.2", "80" })
    lu.assertEquals({ ok, peer }, { true, "10.0.1.1" })
    lu.assertFalse((connect(out, { "10.0.2.1", "8081" }, inside, { "10.0.1.2", "80" }, "0.5")))
    lu.assertStrContains(listed(router), 'iifname "out0" tcp dport 8080 dnat ip to 10.0.1.2:80')
end

function TestNat:test_dnat_of_ipv6()
    local _ <close> = router:dnat{ proto = "tcp", dport = "8080-8081", to = "[fd01::2]:80" }
    local _ <close> = router:masquerade{ oifname = "in0" }
    lu.assertTrue((connect(out, { "fd02::1", "8081" }, inside, { "fd01::2", "80" })))
end

-- --- forwarding ----------------------------------------------------------------------------------

TestForward = class()

function TestForward:setUp()
    Case.setUp(self)
    out.route:add{ "10.0.1.0/24", via = "10.0.2.1" }
    out.route:add{ "fd01::/64", via = "fd02::1" }
    answers(inside, "10.0.2.2")
end

function TestForward:tearDown()
    out.route:del{ "10.0.1.0/24", via = "10.0.2.1" }
    out.route:del{ "fd01::/64", via = "fd02::1" }
    Case.tearDown(self)
end

local function check(is_open, ns, address)
    if is_open then answers(ns, address) else is_silent(ns, address) end
end

-- Whether inside reaches out, and out inside.
local function check_ways(there, back)
    check(there, inside, "10.0.2.2")
    check(back, out, "10.0.1.2")
end

function TestForward:test_a_policy_drops_and_an_accept_opens_one_way_with_the_answers()
    local policy = router:forward "drop"
    check_ways(false, false)
    local way = router:forward{ iifname = "in0", oifname = "out0" }
    check_ways(true, false)
    way:remove()
    check_ways(false, false)
    policy:remove()
    check_ways(true, true)
end

function TestForward:test_the_last_policy_counts()
    local first <const>, second <const> = router:forward{ policy = "drop" }, router:forward "accept"
    check_ways(true, true)
    second:remove()
    check_ways(false, false)
    first:remove()
end

function TestForward:test_ports_and_addresses()
    local _ <close> = router:forward "drop"
    local _ <close> = router:forward{ daddr = "10.0.2.2", proto = "tcp", dport = { 80, 443 } }
    lu.assertTrue((connect(inside, { "10.0.2.2", "443" }, out, { "10.0.2.2", "443" })))
    lu.assertFalse((connect(inside, { "10.0.2.2", "444" }, out, { "10.0.2.2", "444" }, "0.5")))
    is_silent(inside, "10.0.2.2")
    local _ <close> = router:forward{ saddr = "fd01::/64" }
    answers(inside, "fd02::2")
    is_silent(out, "fd01::2")
end

-- One's own accept does not help against another's drop.
local function check_foreign(text, chain, both)
    router:nft(text)
    local before = listed(router)
    check_ways(false, false)
    local own <close> = router:masquerade{ saddr = "10.99.0.0/16" }
    check_ways(false, false)
    local way = router:forward{ iifname = { "in0", "in1" }, saddr = "10.0.1.0/24", comment = "why" }
    check_ways(true, both or false)
    lu.assertStrContains(support.sh("nft list chain " .. chain, router), 'accept comment "nsh why"')
    way:remove()
    own:remove()
    lu.assertEquals(listed(router), before)
    router:nft("delete table " .. chain:match "%S+ %S+")
end

function TestForward:test_opens_a_foreign_policy()
    check_foreign("table ip other { chain f { type filter hook forward priority 5; policy drop; }; }", "ip other f")
end

function TestForward:test_opens_what_drops_by_a_rule()
    check_foreign("table inet wall { chain reject_all { reject; }\n" ..
        "chain f { type filter hook forward priority 10; goto reject_all; }; }", "inet wall f")
end

-- There the answers are known by their addresses alone.
function TestForward:test_opens_the_chain_of_iptables_so_that_it_can_still_be_listed()
    check_foreign("table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }",
        "ip filter FORWARD", true)
end

function TestForward:test_opens_dockers_chain_for_users()
    check_foreign("table ip filter { chain DOCKER-USER { return; }\n" ..
        "chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; }; }",
        "ip filter DOCKER-USER", true)
end

function TestForward:test_leaves_alone_what_drops_nothing()
    router:nft("table ip mangle { chain FORWARD { type filter hook forward priority -150; counter; }; }\n" ..
        "table inet in { chain i { type filter hook input priority 0; policy drop; }; }")
    local before = router:nft()
    local way = router:forward{ iifname = "in0" }
    lu.assertEquals(support.sh("nft list table ip mangle; nft list table inet in", router), tostring(before) .. "\n")
    way:remove()
    router:nft "delete table ip mangle; delete table inet in"
end

function TestForward:test_iptables_lists_what_it_has_not_made()
    support.sh("iptables-nft -P FORWARD DROP; iptables-nft -N DOCKER-USER; " ..
        "iptables-nft -I FORWARD -j DOCKER-USER", router)
    local way <close> = router:forward{ iifname = "in0", oifname = "!= in1", proto = { "tcp", "icmp" } }
    check_ways(true, true)
    lu.assertStrContains(support.sh("iptables-nft -S DOCKER-USER", router),
        '-A DOCKER-USER -i in0 ! -o in1 -p icmp -m comment --comment nsh -j ACCEPT')
    way:remove()
    router:nft "delete table ip filter"
end

function TestForward:test_what_somebody_has_flushed_is_removed_without_complaint()
    router:nft "table ip other { chain f { type filter hook forward priority 5; policy drop; }; }"
    local way, policy = router:forward{ iifname = "in0" }, router:forward "drop"
    router:nft "flush chain ip other f"
    way:remove()
    router:nft "flush ruleset"
    policy:remove()
    local _ <close> = router:masquerade{}
    lu.assertStrContains(listed(router), "masquerade")
end

-- --- words ---------------------------------------------------------------------------------------

TestWords = class()

local function says(text, verb, args)
    local code = text:match "%((%u+)%)" or "EINVAL"
    refused(code, ("cannot add %s in router: %s (%s)"):format(verb, text, code), router[verb], router, args)
end

function TestWords:test_what_is_wrong_is_told()
    says('unknown key "sadr"; did you mean saddr', "masquerade", { sadr = "10.0.0.0/8" })
    says('unknown key "oifname"; did you mean iifname', "dnat", { oifname = "x", to = "10.0.0.1" })
    says('unknown key "1"; there are saddr, daddr, iifname, proto, sport, dport, to, comment', "dnat", { "x" })
    says('one table holds all arguments: masquerade{ saddr = "172.16.0.0/16", oifname = "!= br0" }', "masquerade", "x")
    says('saddr: an address such as "10.0.0.0/24" expected, not "10.0.0.300"', "masquerade", { saddr = "10.0.0.300" })
    says('to: an address such as "192.168.70.53" expected', "snat", { saddr = "10.0.0.1" })
    says("daddr: IPv4 and IPv6 in one rule: make it two", "forward", { saddr = "10.0.0.1", daddr = "fd00::1" })
    says('proto: a port is one of a protocol: proto = "tcp", or "udp"', "forward", { dport = 80 })
    says('policy: "drop" or "accept" expected', "forward", "dropp")
    says("policy: it stands alone: it is for all that no rule accepts", "forward",
        { policy = "drop", saddr = "10.0.0.1" })
    says('iifname: the name of an interface, such as "eth0" expected, not "a"b"', "forward", { iifname = 'a"b' })
    says('comment: a text of at most 60 bytes without " expected', "forward", { comment = ("x"):rep(61) })
    says("saddr: a list of at least one value expected", "forward", { saddr = {} })
    lu.assertEquals(support.raised(router.masquerade, router, { sadr = 1 }).key, "sadr")
end

function TestWords:test_what_nft_refuses_is_told()
    local err = support.raised(router.masquerade, router, { proto = "tcp", dport = "nope" })
    lu.assertStrContains(tostring(err), 'cannot add masquerade in router: Could not resolve service')
    lu.assertStrContains(err.message, ', at "nope" in line 3: add rule inet nsh postrouting tcp dport nope masquerade')
    lu.assertEquals(listed(router), "")
end

os.exit(support.run())
