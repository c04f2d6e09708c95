-- Firewalls of labs: declared, planned, changed, taken back; on the host beside those of others.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local host = nsh.host

local function listed(ns) return tostring(ns:nft()) end

local function answers(node, address) lu.assertTrue(node:ping(address, { timeout = 5 }).ok) end

-- What answers does so in a millisecond.
local function is_silent(node, address) lu.assertFalse(node:ping(address, { timeout = 0.3 }).ok) end

-- An app behind the host's bridge, and what is outside, which knows no way to it.
local function nat_lab(name)
    local lab = nsh.lab(name or "nat")
    lab.host:bridge{ "br0", addr = "172.16.0.1/16" }
    lab.host:sysctl("net.ipv4.ip_forward", 1)
    lab:node "app":connect{ "eth0", addr = "172.16.0.2/16", via = "172.16.0.1", to = lab.host,
        peer = { "hlink", master = "br0" } }
    lab:node "out":connect{ "eth0", addr = "9.9.9.9/24", to = lab.host, peer = { "up0", addr = "9.9.9.1/24" } }
    return lab, lab:find "app"
end

-- The kernel clears a lab away in its own time: on a busy machine in seconds.
local function wait_until_gone()
    local deadline <const> = os.time() + 60
    while #host.link:list() > 1 and os.time() < deadline do nsh.sleep(0.01) end
    lu.assertEquals(#host.link:list(), 1)
end

local function go_down(lab)
    lab:down()
    require "nsh.core".guardian.sync()
    wait_until_gone()
end

-- What -x says while fn runs.
local changes = support.commands

local FOREIGN = [[
table ip filter {
    chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; }
    chain DOCKER-USER { return; }
}
table inet wall {
    chain f { type filter hook forward priority 10; policy drop; ct state established accept; }
}]]

local Case = {}
Case.__index = Case
function Case:setUp() self.before = listed(host) end
function Case:tearDown()
    local after = listed(host)
    host:nft "flush ruleset" -- what fails is to disturb no other
    lu.assertEquals(after, self.before)
end

local function class() return setmetatable({}, Case) end

-- --- on the host ---------------------------------------------------------------------------------

TestHost = class()

function TestHost:test_nat_needs_its_helper_and_is_gone_with_the_lab()
    local lab, app = nat_lab()
    lab:up()
    is_silent(app, "9.9.9.9")
    lab.host:masquerade{ saddr = "172.16.0.0/16", oifname = "!= br0" }
    is_silent(app, "9.9.9.9")
    lab:up()
    answers(app, "9.9.9.9")
    lu.assertStrContains(listed(host), 'ip saddr 172.16.0.0/16 oifname != "br0" masquerade')
    go_down(lab)
end

function TestHost:test_forward_opens_what_others_drop()
    host:nft(FOREIGN)
    local foreign = listed(host)
    local lab, app = nat_lab()
    lab.host:masquerade{ saddr = "172.16.0.0/16", oifname = "!= br0" }
    lab:up()
    is_silent(app, "9.9.9.9")
    local way = lab.host:forward{ iifname = "br0", oifname = "!= br0" }
    lab:up()
    answers(app, "9.9.9.9")
    lu.assertStrContains(support.sh "nft list chain ip filter DOCKER-USER", 'accept comment "nsh-nat"')
    way:remove()
    lab:up()
    is_silent(app, "9.9.9.9")
    lab.host:forward{ iifname = "br0", oifname = "!= br0" }
    lab:up()
    go_down(lab)
    lu.assertEquals(listed(host), foreign)
    host:nft "flush ruleset"
end

function TestHost:test_labs_do_not_disturb_each_other()
    host:nft(FOREIGN)
    local foreign = listed(host)
    local one, two = nsh.lab "one", nsh.lab "one-more"
    one.host:forward{ iifname = "br1" }
    two.host:forward{ iifname = "br2" }
    two.host:snat{ saddr = "10.0.0.0/8", to = "10.9.9.9" }
    one:up()
    local only_one = listed(host)
    two:up()
    two:down()
    require "nsh.core".guardian.sync()
    lu.assertEquals(listed(host), only_one)
    two:up()
    one:down()
    require "nsh.core".guardian.sync()
    local text = listed(host)
    lu.assertStrContains(text, 'iifname "br2" accept comment "nsh-one-more"')
    lu.assertNotStrContains(text, "br1")
    two:down()
    require "nsh.core".guardian.sync()
    lu.assertEquals(listed(host), foreign)
    host:nft "flush ruleset"
end

function TestHost:test_a_table_of_that_name_is_not_touched()
    host:nft "table inet nsh-nat { }"
    local lab = nsh.lab "nat"
    lab.host:masquerade{}
    local err = support.raised(lab.up, lab)
    lu.assertEquals({ err.code, err.hint }, { "EEXIST", "if nobody uses it: nft delete table inet nsh-nat" })
    lab:down()
    lu.assertEquals(listed(host), "table inet nsh-nat {\n}")
    host:nft "delete table inet nsh-nat"
end

function TestHost:test_goes_up_again_at_once()
    local lab = nat_lab()
    lab.host:masquerade{}
    for _ = 1, 5 do
        lab:up()
        lab:down()
    end
    lab:up()
    lu.assertStrContains(listed(host), "masquerade")
    go_down(lab)
end

function TestHost:test_texts_in_a_sandbox_are_gone_with_the_lab()
    local lab, app = nat_lab()
    local text = lab.host:nft(FOREIGN)
    lab.host:masquerade{}
    lab:up()
    is_silent(app, "9.9.9.9")
    text:remove()
    lab:up()
    answers(app, "9.9.9.9")
    lu.assertNotStrContains(listed(host), "FORWARD")
    lab.host:nft "table ip6 six { }"
    lab:up()
    lu.assertStrContains(listed(host), "ip6 six")
    go_down(lab)
end

-- --- what is refused -----------------------------------------------------------------------------

TestRefused = class()

function TestRefused:test_takes_everything_back()
    host:nft(FOREIGN)
    local foreign = listed(host)
    local lab = nat_lab()
    lab.host:masquerade{}
    lab.host:forward{ iifname = "br0" }
    lab:find "app":nft "nonsense"
    local err = support.raised(lab.up, lab)
    lu.assertStrContains(tostring(err), "lab_firewall_test.lua:")
    wait_until_gone()
    lu.assertEquals(listed(host), foreign)
    host:nft "flush ruleset"
end

function TestRefused:test_takes_back_what_was_added_to_what_is_up()
    host:nft(FOREIGN)
    local lab = nat_lab()
    local app = lab:find "app"
    local nat = lab.host:masquerade{ saddr = "172.16.0.0/16" }
    lab.host:forward{ iifname = "br0" }
    app:nft "table inet t { chain c { }; }"
    app:forward "drop"
    lab:up()
    local before, inner = listed(host), listed(app)
    nat:set{ saddr = "10.0.0.0/8" }
    lab.host:forward{ iifname = "br1" }
    app:masquerade{}
    app:nft "add rule inet t c drop"
    lab:find "out":nft "nonsense"
    local err = support.raised(lab.up, lab)
    lu.assertStrContains(err.message, "in line 1: nonsense")
    lu.assertEquals(listed(host), before)
    lu.assertEquals(listed(app), inner)
    go_down(lab)
    host:nft "flush ruleset"
end

function TestRefused:test_names_the_declaration_and_its_line()
    local lab = nsh.lab "lines"
    local app = lab:node "app"
    app:nft "table inet t { }"
    local line <const> = debug.getinfo(1, "l").currentline + 1
    app:nft "table inet u {\n}\ntable inet v { nonsense; }"
    app:nft "table inet w { }"
    local err = support.raised(lab.up, lab)
    lu.assertStrContains(err.where, ":" .. line)
    lu.assertStrContains(err.message, " in line 3: table inet v { nonsense; }")
end

function TestRefused:test_names_the_helper_that_nft_refuses()
    local lab = nsh.lab "lines"
    local app = lab:node "app"
    app:masquerade{}
    local line <const> = debug.getinfo(1, "l").currentline + 1
    app:masquerade{ proto = "tcp", dport = "nope" }
    app:forward{}
    lu.assertStrContains(support.raised(lab.up, lab).where, ":" .. line)
end

function TestRefused:test_wrong_arguments_at_once()
    local node = nsh.lab "words":node "app"
    support.refused("EINVAL", 'cannot add masquerade in app: unknown key "sadr"; did you mean saddr (EINVAL)',
        node.masquerade, node, { sadr = "10.0.0.0/8" })
    local nat = node:masquerade{}
    nat:set{ saddr = "x" }
    support.refused("EINVAL", 'cannot set the firewall in app: saddr: an address such as "10.0.0.0/24" expected, ' ..
        'not "x" (EINVAL)', node.lab.up, node.lab)
end

-- --- in nodes ------------------------------------------------------------------------------------

TestNodes = class()

function TestNodes:test_a_router_that_is_a_node()
    local lab <close> = nsh.lab "router"
    local r, a, b = lab:node "r", lab:node "a", lab:node "b"
    a:connect{ "eth0", addr = "10.0.1.2/24", via = "10.0.1.1", to = r, peer = { "a-very-long-interface-name",
        addr = "10.0.1.1/24" } }
    b:connect{ "eth0", addr = "10.0.2.2/24", to = r, peer = { "eth1", addr = "10.0.2.1/24" } }
    r:sysctl("net.ipv4.ip_forward", 1)
    r:nft "table ip wall { chain f { type filter hook forward priority 0; policy drop; }; }"
    r:masquerade{ iifname = "a-very-long-interface-name" }
    r:forward{ oifname = "!= a-very-long-interface-name" }
    lab:up()
    answers(a, "10.0.2.2")
    lu.assertEquals(listed(host), "")
end

function TestNodes:test_a_changed_text_keeps_the_helpers()
    local lab <close> = nsh.lab "keeps"
    local app = lab:node "app"
    local text = app:nft "table inet t { }"
    local nat = app:masquerade{}
    lab:up()
    text:set{ text = "table inet u { }" }
    lab:up()
    lu.assertStrContains(listed(app), "table inet u")
    lu.assertStrContains(listed(app), "masquerade")
    lu.assertNotStrContains(listed(app), "table inet t ")
    nat:remove()
    lab:up()
    lu.assertEquals(listed(app), "table inet u {\n}")
end

-- --- the plan ------------------------------------------------------------------------------------

TestPlan = class()

function TestPlan:test_is_what_up_does()
    host:nft(FOREIGN)
    local lab = nat_lab()
    local nat = lab.host:masquerade{ saddr = "172.16.0.0/16", oifname = "!= br0" }
    lab.host:forward{ iifname = { "br0", "br1" }, proto = { "tcp", "icmp" } }
    lab:find "app":forward "drop"
    local plan = lab:plan()
    lu.assertEquals(changes(function() lab:up() end), plan)
    lu.assertStrContains(table.concat(plan, "\n"), [[

nft -f - <<'EOF'
add table inet nsh-nat
add chain inet nsh-nat postrouting { type nat hook postrouting priority srcnat; policy accept; }
]])
    lu.assertEquals(lab:plan(), {})
    nat:remove()
    plan = lab:plan()
    lu.assertStrContains(plan[1], "delete rule inet nsh-nat postrouting handle ")
    lu.assertEquals(changes(function() lab:up() end), plan)
    go_down(lab)
    host:nft "flush ruleset"
end

-- What nsh prints does the same when a shell runs it.
function TestPlan:test_can_be_pasted()
    local lab = nsh.lab "paste"
    lab.host:masquerade{ saddr = "10.0.0.0/8", comment = "it's" }
    lab.host:dnat{ iifname = "eth9", proto = "udp", dport = "53-54", to = "[fd00::1]:53" }
    lab.host:forward "drop"
    lab.host:forward{ saddr = { "10.0.0.1", "10.0.0.2" }, daddr = "!= 10.0.0.0/8" }
    local plan = table.concat(lab:plan(), "\n")
    lab:up()
    local by_nsh = listed(host)
    lab:down()
    require "nsh.core".guardian.sync()
    lu.assertEquals(listed(host), "")
    support.sh("sh -e <<'END'\n" .. plan .. "\nEND")
    lu.assertEquals(listed(host), by_nsh)
    host:nft "delete table inet nsh-paste"
end

os.exit(support.run())
