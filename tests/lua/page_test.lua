-- Links with their other ends in other namespaces, and a namespace on one page.
local lu = require "luaunit"
local nsh = require "nsh"
local show = require "nsh.show"
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))

nsh.sandbox()

local host, netns = nsh.host, nsh.netns

-- Column PEER of the link `name`.
local function shown_peer(ns, name)
    for line in show.format(ns.link:list()):gmatch "[^\n]+" do
        if line:match "^%S+" == name then return line:match "veth +(.*)$" or "" end
    end
end

local function cable(ns_or_pid)
    host.link:add{ "h0", type = "veth", peer = { "n0", netns = ns_or_pid } }
end

local function printed(ns)
    local out, stdout = {}, io.stdout
    io.stdout = { write = function(_, ...) -- luacheck: ignore 122
        for _, text in ipairs { ... } do out[#out + 1] = text end
    end }
    local ok, err = pcall(ns.show, ns)
    io.stdout = stdout -- luacheck: ignore 122
    if not ok then error(err, 0) end
    return (table.concat(out):gsub("%x%x:%x%x:%x%x:%x%x:%x%x:%x%x", "aa:aa:aa:aa:aa:aa")
        :gsub("fe80::[%x:]+", "fe80::1"))
end

-- --- peers ---------------------------------------------------------------------------------------

TestPeers = {}

-- It may be going already, with the namespace of its other end.
function TestPeers.tearDown()
    pcall(host.link.del, host.link, "h0")
end

function TestPeers.test_a_namespace_with_a_name()
    local app1 = netns.add "app1"
    cable(app1)
    app1:close() -- its name is enough
    lu.assertEquals(shown_peer(host, "h0"), "n0 in app1")
    lu.assertEquals(host:peer("h0").netns, "app1")
    lu.assertEquals(host:peer("h0").ifname, "n0")
    local again <close> = netns.open "app1"
    lu.assertEquals(tostring(again:peer "n0"), "h0 in host")
    lu.assertEquals(shown_peer(again, "n0"), "h0 in host")
    netns.del "app1"
end

function TestPeers.test_a_process()
    local p <close> = netns.unshare{ "sleep", "60" }
    cable(p.pid)
    lu.assertEquals(shown_peer(host, "h0"), "n0 in pid-" .. p.pid)
end

function TestPeers.test_a_namespace_that_is_open()
    local ns <close> = netns.new()
    cable(ns)
    lu.assertEquals(host:peer("h0").netns, ns.name)
end

function TestPeers.test_a_node_of_a_lab()
    local lab <close> = nsh.lab "peers"
    local a, b = lab:node "a", lab:node "b"
    a:connect{ "eth0", to = b, peer = { "eth1" } }
    lab:up()
    lu.assertEquals(tostring(a:peer "eth0"), "eth1 in b")
    lu.assertEquals(shown_peer(b, "eth1"), "eth0 in a")
end

function TestPeers.test_in_the_same_namespace()
    host.link:add{ "h0", type = "veth", peer = { "h1" } }
    lu.assertEquals(shown_peer(host, "h0"), "h1")
    lu.assertEquals(tostring(host:peer "h0"), "h1")
    lu.assertNil(host:peer("h0").netns)
end

function TestPeers.test_a_namespace_that_nsh_does_not_know_is_a_number()
    local p = host:spawn{ "unshare", "-n", "sh", "-c", "echo; exec sleep 60", output = true }
    p:read "l"
    cable(p.pid)
    local record = host.link:get "h0"
    lu.assertEquals(shown_peer(host, "h0"), ("if%d (netnsid %d)"):format(record.link_index, record.link_netnsid))
    lu.assertNil(host:peer "h0")
    p:close()
end

function TestPeers.test_a_list_that_was_put_together_has_numbers()
    local ns <close> = netns.new()
    cable(ns)
    lu.assertStrContains(show.format { host.link:get "h0" }, "(netnsid ")
end

function TestPeers.test_what_there_is_not()
    lu.assertNil(host:peer "lo")
    lu.assertEquals(support.raised(host.peer, host, "none").code, "ENODEV")
    lu.assertStrContains(support.raised(host.peer).message, "a colon is missing")
end

function TestPeers.test_numbers_of_namespaces()
    local app1 <close> = netns.add "app1"
    cable(app1)
    local id = host.link:get("h0").link_netnsid
    lu.assertStrMatches(show.format(host.nsid:list()), ".*\n" .. id .. " +app1.*")
    netns.del "app1"
end

-- --- tables --------------------------------------------------------------------------------------

TestTables = {}

function TestTables.test_bridges_tell_their_switches()
    host.link:add{ "br0", type = "bridge", stp_state = 1, mcast_snooping = 0 }
    lu.assertStrMatches(show.format(host.link:list{ type = "bridge" }),
        "IFNAME .* KIND    STP  VLAN FILTERING  MULTICAST SNOOPING\nbr0 .* bridge  on   off             off")
    lu.assertNotStrContains(show.format(host.link:list()), "STP")
    host.link:del "br0"
end

function TestTables.test_routes_tell_their_scope_if_it_is_not_the_widest()
    local ns <close> = netns.new()
    ns.link:add{ "br0", type = "bridge", up = true }
    ns.addr:add{ "10.0.0.1/24", dev = "br0" }
    ns.route:add{ "default", via = "10.0.0.2" }
    local text = show.format(ns.route:list()):gsub(" *FLAGS", ""):gsub(" *linkdown", "")
    lu.assertEquals(text, [[
DST          VIA       DEV  SRC       PROTO   SCOPE
default      10.0.0.2  br0            boot
10.0.0.0/24            br0  10.0.0.1  kernel  link]])
end

-- --- the page ------------------------------------------------------------------------------------

TestPage = {}

function TestPage.test_one_that_is_new()
    local ns <close> = netns.new()
    lu.assertEquals(printed(ns), ([[
Namespace %s
Links
  IFNAME  STATE  ADDRESS            MTU (B)
  lo      DOWN   aa:aa:aa:aa:aa:aa  65536
Addresses: none
Routes: none
Neighbours: none
Listening: none
]]):format(ns.name))
end

function TestPage.test_a_node_with_all_that_there_can_be()
    local lab <close> = nsh.lab "page"
    local a, b = lab:node "a", lab:node "b"
    a:connect{ "eth0", addr = "10.0.0.1/24", via = "10.0.0.2", to = b, peer = { "eth1", addr = "10.0.0.2/24" } }
    lab:up()
    lu.assertTrue(a:ping(b).ok)
    a.rule:add{ priority = 100, from = "10.0.0.0/8", table = 100 }
    local has_nft = host:exec("command -v nft >/dev/null").status == 0
    if has_nft then a:exec "nft add table inet t" end
    lu.assertEquals(printed(a), [[
Namespace a
Links
  IFNAME  STATE    ADDRESS            MTU (B)  KIND  PEER
  lo      UNKNOWN  aa:aa:aa:aa:aa:aa  65536
  eth0    UP       aa:aa:aa:aa:aa:aa  1500     veth  eth1 in b
Addresses
  DEV   FAMILY  ADDRESS/PLEN                SCOPE
  lo    inet    127.0.0.1/8                 host
  eth0  inet    10.0.0.1/24                 global
  lo    inet6   ::1/128                     host
  eth0  inet6   fe80::1/64  link
Routes
  DST          VIA       DEV   SRC       PROTO   SCOPE
  default      10.0.0.2  eth0            boot
  10.0.0.0/24            eth0  10.0.0.1  kernel  link
Rules
  PRIORITY  FROM        TABLE
  0         all         local
  100       10.0.0.0/8  100
  32766     all         main
  32767     all         default
  0         all         local
  32766     all         main
Neighbours
  DST       DEV   LLADDR             STATE
  10.0.0.2  eth0  aa:aa:aa:aa:aa:aa  REACHABLE
Listening: none
]] .. (has_nft and "Firewall: 1 table (nft list ruleset)\n" or ""))
end

function TestPage.test_rules_only_if_there_are_others_than_everywhere()
    local ns <close> = netns.new()
    lu.assertNotStrContains(printed(ns), "Rules")
    ns.rule:add{ priority = 5, table = 100 }
    lu.assertStrContains(printed(ns), "Rules\n  PRIORITY  FROM  TABLE\n  0         all   local\n" ..
        "  5         all   100\n")
end

function TestPage.test_as_json()
    local ns <close> = netns.new()
    show.json(true)
    local ok, text = pcall(printed, ns)
    show.json(false)
    lu.assertTrue(ok, text)
    local page = support.decode(text)
    lu.assertEquals(page.name, ns.name)
    lu.assertEquals(page.links[1].ifname, "lo")
    lu.assertEquals(page.addresses, {})
    lu.assertNil(page.rules)
end

os.exit(support.run())
