-- Pictures for the terminal: whole ones are written out.
local lu = require "luaunit"
local nsh = require "nsh"
local cables = require "nsh.lab.cables"
local show = require "nsh.show"
local width = require "nsh.show.width"
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))

nsh.sandbox()

local host = nsh.host

-- --- helpers -------------------------------------------------------------------------------------

local labs = 0

local function new_lab()
    labs = labs + 1
    return nsh.lab("text" .. labs)
end

local function draws(graph, columns, expected)
    lu.assertEquals(graph:text{ width = columns, ascii = false } .. "\n", expected)
end

-- The lesson of a bridge: host, br0, two containers.
local function bridge()
    local lab = new_lab()
    lab.host:bridge{ "br0", addr = "172.16.0.1/16" }
    for i = 3, 4 do
        lab:node("app" .. i):connect{ "clink" .. i, addr = "172.16.0." .. i * 10 .. "/16", to = lab.host,
            peer = { "hlink" .. i, master = "br0" } }
    end
    return lab
end

local function two_hosts()
    local lab, pair = new_lab(), {}
    pair[1], pair[2] = lab:node "hostA", lab:node "hostB"
    pair[1]:connect{ "eth0", addr = "10.0.0.1/24", to = pair[2], peer = { "eth0", addr = "10.0.0.2/24" } }
    for i, node in ipairs(pair) do
        local br = node:bridge{ "br0" }
        node:link{ "vxlan0", type = "vxlan", id = 42, ["local"] = "10.0.0." .. i, remote = "10.0.0." .. 3 - i,
            master = "br0" }
        for k = 1, 3 do lab:node("c" .. i .. k):connect{ "eth0", to = br, peer = { "p" .. k } } end
    end
    return lab
end

local function shape(name, ...)
    local lab = new_lab()
    local args = table.pack(...)
    args[args.n + 1] = lab:pool "10.0.0.0/24"
    lab[name](lab, table.unpack(args, 1, args.n + 1))
    return lab
end

local function lines_of(text)
    local lines = {}
    for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
    return lines
end

-- --- whole pictures ------------------------------------------------------------------------------

TestPictures = {}

function TestPictures.test_a_host_with_a_bridge_between_its_containers()
    draws(bridge():graph(), 100, [[
                              ┌─ host ────────────────────┐
┌─ app3 ─────────────────┐    │ br0 bridge  172.16.0.1/16 │
│ clink3  172.16.0.30/16 ├────┤   hlink3                  │    ┌─ app4 ─────────────────┐
└────────────────────────┘    │   hlink4                  ├────┤ clink4  172.16.0.40/16 │
                              └───────────────────────────┘    └────────────────────────┘
]])
end

function TestPictures.test_the_same_in_eighty_columns_and_in_forty()
    draws(bridge():graph(), 80, [[
                                 ┌─ app3 ─────────────────┐
┌─ host ────────────────────┐ ╭──┤ clink3  172.16.0.30/16 │
│ br0 bridge  172.16.0.1/16 │ │  └────────────────────────┘
│   hlink3                  ├─╯  ┌─ app4 ─────────────────┐
│   hlink4                  ├────┤ clink4  172.16.0.40/16 │
└───────────────────────────┘    └────────────────────────┘
]])
    draws(bridge():graph(), 40, [[
┌─ host ────────────────────┐
│ br0 bridge  172.16.0.1/16 │
│   hlink3                  ├─╮
│   hlink4                  ├─┼─╮
└───────────────────────────┘ │ │
┌─ app3 ────────────────────┐ │ │
│ clink3  172.16.0.30/16    ├─╯ │
└───────────────────────────┘   │
┌─ app4 ────────────────────┐   │
│ clink4  172.16.0.40/16    ├───╯
└───────────────────────────┘
]])
end

function TestPictures.test_without_characters_for_boxes()
    lu.assertEquals(bridge():graph():text{ width = 80, ascii = true } .. "\n", [[
                                 +- app3 -----------------+
+- host --------------------+ +--+ clink3  172.16.0.30/16 |
| br0 bridge  172.16.0.1/16 | |  +------------------------+
|   hlink3                  +-+  +- app4 -----------------+
|   hlink4                  +----+ clink4  172.16.0.40/16 |
+---------------------------+    +------------------------+
]])
end

function TestPictures.test_a_star_around_a_switch()
    draws(shape("star", 3):graph(), 80, [[
┌─ h1 ──────────────┐    ┌─ s1 switch ┐
│ eth0  10.0.0.1/24 ├────┤ h1-eth0    │    ┌─ h2 ──────────────┐
└───────────────────┘    │ h2-eth0    ├────┤ eth0  10.0.0.2/24 │
┌─ h3 ──────────────┐ ╭──┤ h3-eth0    │    └───────────────────┘
│ eth0  10.0.0.3/24 ├─╯  └────────────┘
└───────────────────┘
]])
end

function TestPictures.test_a_line_and_a_line_that_is_too_long()
    draws(shape("line", 3):graph(), 80, [[
┌─ r1 ──────────────┐    ┌─ r2 ──────────────┐
│ eth0  10.0.0.1/30 ├────┤ eth0  10.0.0.2/30 │    ┌─ r3 ──────────────┐
└───────────────────┘    │ eth1  10.0.0.5/30 ├────┤ eth0  10.0.0.6/30 │
                         └───────────────────┘    └───────────────────┘
]])
    draws(shape("line", 4):graph(), 80, [[
┌─ r1 ──────────────┐    ┌─ r2 ───────────────┐
│ eth0  10.0.0.1/30 ├────┤ eth0  10.0.0.2/30  │
└───────────────────┘ ╭──┤ eth1  10.0.0.5/30  │
┌─ r3 ──────────────┐ │  └────────────────────┘
│ eth0  10.0.0.6/30 ├─╯  ┌─ r4 ───────────────┐
│ eth1  10.0.0.9/30 ├────┤ eth0  10.0.0.10/30 │
└───────────────────┘    └────────────────────┘
]])
end

function TestPictures.test_a_ring_goes_around()
    draws(shape("ring", 4):graph(), 80, [[
                          ┌─ r2 ───────────────┐
                       ╭──┤ eth0  10.0.0.2/30  │    ┌─ r3 ──────────────┐
                       │  │ eth1  10.0.0.5/30  ├────┤ eth0  10.0.0.6/30 │
                       │  └────────────────────┘ ╭──┤ eth1  10.0.0.9/30 │
┌─ r1 ───────────────┐ │  ┌─ r4 ───────────────┐ │  └───────────────────┘
│ eth0  10.0.0.1/30  ├─╯  │ eth0  10.0.0.10/30 ├─╯
│ eth1  10.0.0.14/30 ├────┤ eth1  10.0.0.13/30 │
└────────────────────┘    └────────────────────┘
]])
end

function TestPictures.test_two_hosts_with_a_tunnel_between_them()
    draws(two_hosts():graph(), 100, [[
┌─ c11 ┐                                                      ┌─ c21 ┐
│ eth0 ├─╮  ┌─ hostA ───────────┐    ┌─ hostB ───────────┐ ╭──┤ eth0 │
└──────┘ │  │ br0 bridge        │    │ br0 bridge        │ │  └──────┘
┌─ c12 ┐ ╰──┤   p1              │    │   p1              ├─╯  ┌─ c22 ┐
│ eth0 ├────┤   p2              │    │   p2              ├────┤ eth0 │
└──────┘ ╭──┤   p3              │    │   p3              ├─╮  └──────┘
┌─ c13 ┐ │  │   vxlan0 vxlan 42 ├╌╌╌╌┤   vxlan0 vxlan 42 │ │  ┌─ c23 ┐
│ eth0 ├─╯  │ eth0  10.0.0.1/24 ├────┤ eth0  10.0.0.2/24 │ ╰──┤ eth0 │
└──────┘    └───────────────────┘    └───────────────────┘    └──────┘
]])
end

-- --- what stands in the boxes --------------------------------------------------------------------

TestBoxes = { }

function TestBoxes.test_several_addresses_what_is_down_wide_names_and_no_cable()
    local lab = new_lab()
    lab:node "a":connect{ "eth0", addr = { "10.0.0.1/24", "2001:db8::1/64" }, to = "東京", up = false }
    lab:node "東京"
    lab:node "alone"
    lab:up()
    draws(lab:graph(), 80, [[
┌─ a ───────────────────────┐    ┌─ 東京 ┐
│ eth0 down  10.0.0.1/24    ├────┤ eth0  │
│            2001:db8::1/64 │    └───────┘
└───────────────────────────┘
┌─ alone ───────────────────┐
└───────────────────────────┘
]])
    lab:down()
end

function TestBoxes.test_what_a_lab_says_of_its_cables()
    local lab = new_lab()
    local s1 = lab:switch "s1"
    lab:node "a":connect{ "eth0", to = s1, delay = { "50ms", jitter = "5ms" }, peer = { "p1", vlan = { 10, 20 } } }
    lab:node "b":connect{ "eth0", to = s1, delay = 0.02, loss = 0.01, rate = "10mbit", peer = { "p2" } }
    draws(lab:graph(), 80, [[
                     ┌─ a ─────────────────────────────────┐
                  ╭──┤ eth0 delay 50ms 5ms                 │
┌─ s1 switch ───┐ │  └─────────────────────────────────────┘
│ p1 vlan 10,20 ├─╯  ┌─ b ─────────────────────────────────┐
│ p2            ├────┤ eth0 rate 10mbit delay 20ms loss 1% │
└───────────────┘    └─────────────────────────────────────┘
]])
end

function TestBoxes.test_both_ends_in_one_namespace()
    local ns <close> = nsh.netns.new()
    ns.link:add{ "x1", type = "veth", peer = { "x2" } }
    local name = ns.name
    draws(nsh.graph { ns }, 80, ([[
┌─ NAME ──┐
│ x1 down ├─╮
│ x2 down ├─╯
└─────────┘
]]):gsub("NAME ", name .. " "):gsub("─ (nsh%-%d) ──┐", "─ %1 ─┐"))
end

function TestBoxes.test_a_switch_with_an_address_has_a_line()
    local lab = new_lab()
    local s1 = lab:switch("s1", { addr = "10.0.0.254/24" })
    lab:node "a":connect{ "eth0", to = s1 }
    draws(lab:graph(), 80, [[
┌─ s1 switch ──────────────┐
│ s1 bridge  10.0.0.254/24 │    ┌─ a ──┐
│   a-eth0                 ├────┤ eth0 │
└──────────────────────────┘    └──────┘
]])
end

-- --- tracks --------------------------------------------------------------------------------------

TestTracks = {}

-- At row 5 one comes in on the left and the other one goes out on the right: the first has to turn off before.
function TestTracks.test_two_in_one_row_are_not_drawn_on_each_other()
    local down, up = { left = { 3 }, right = { 5 } }, { left = { 5 }, right = { 1 } }
    lu.assertEquals(cables.route { down, up }, 2)
    lu.assertEquals({ up.track, down.track }, { 1, 2 })
    down, up = { left = { 3 }, right = { 5 } }, { left = { 5 }, right = { 0 } }
    lu.assertEquals(cables.route { { left = { 1, 2 }, right = {} }, down, up }, 3)
    lu.assertEquals({ up.track, down.track }, { 2, 3 })
end

function TestTracks.test_what_cannot_be_drawn_is_refused()
    lu.assertNil(cables.route { { left = { 3 }, right = { 5 } }, { left = { 5 }, right = { 3 } } })
end

function TestTracks.test_apart_they_share_one()
    local above, below, straight = { left = { 1 }, right = { 4 } }, { left = { 6 }, right = { 9 } },
        { left = { 5 }, right = { 5 } }
    lu.assertEquals(cables.route { above, below, straight }, 1)
    lu.assertEquals({ above.track, below.track }, { 1, 1 })
    lu.assertNil(straight.track)
end

-- --- sizes ---------------------------------------------------------------------------------------

TestSizes = {}

function TestSizes.test_no_line_is_too_wide()
    local graphs = {
        bridge():graph(), two_hosts():graph(), shape("star", 8):graph(), shape("mesh", 5):graph(),
        shape("leaf_spine", 4, 2):graph(), shape("tree", 2, 3):graph(), shape("line", 30):graph(),
    }
    for columns = 20, 140, 5 do
        for _, graph in ipairs(graphs) do
            for _, ascii in ipairs { true, false } do
                for _, line in ipairs(lines_of(graph:text{ width = columns, ascii = ascii })) do
                    lu.assertTrue(width.columns(line) <= columns, line)
                end
            end
        end
    end
end

-- Every cable is drawn to both of its ends: as many lines leave boxes as cables have ends.
function TestSizes.test_every_cable_has_two_ends()
    for _, lab in ipairs { bridge(), two_hosts(), shape("star", 8), shape("ring", 5), shape("mesh", 5),
        shape("leaf_spine", 4, 2), shape("tree", 2, 3), shape("line", 6) } do
        local graph = lab:graph()
        local text = graph:text{ width = 100, ascii = false }
        local _, east = text:gsub("├[─╌]", "")
        local _, west = text:gsub("[─╌]┤ ", "")
        lu.assertEquals(east + west, 2 * #graph.picture.edges, text)
    end
end

function TestSizes.test_a_large_network_is_an_outline()
    local text = shape("line", 17):graph():text{ width = 60, ascii = false }
    lu.assertEquals(text:match "^(.-\nr3)\n", [[
r1
  eth0  10.0.0.1/30   ── r2/eth0
r2
  eth0  10.0.0.2/30   ── r1/eth0
  eth1  10.0.0.5/30   ── r3/eth0
r3]])
    lu.assertEquals(#lines_of(text), 17 + 32)
end

function TestSizes.test_nothing_is_no_error()
    lu.assertEquals(nsh.graph({}):text(), "")
end

-- --- how it is asked for -------------------------------------------------------------------------

TestText = {}

function TestText.test_a_graph_says_itself_as_text()
    local graph = bridge():graph()
    lu.assertEquals(tostring(graph), graph:text())
    lu.assertEquals(show.format(graph), graph:text())
end

function TestText.test_options_are_checked()
    local graph = nsh.graph { host }
    support.refused("EINVAL", 'cannot draw a picture: "widht" is no option; there are width and ascii (EINVAL)',
        graph.text, graph, { widht = 80 })
    support.refused("EINVAL", "cannot draw a picture: width is a number of columns, 20 to 1000, not 3 (EINVAL)",
        graph.text, graph, { width = 3 })
    lu.assertStrContains(support.raised(graph.text).message, "a colon is missing")
end

function TestText.test_the_locale_says_which_characters_there_are()
    local function first(variables)
        local command = "env -u LC_ALL -u LC_CTYPE -u LANG %s %s -e 'print(nsh.graph{ nsh.netns.new() })'"
        return support.sh(command:format(variables, os.getenv "NSH")):match "^[^ ]+"
    end
    lu.assertEquals(first "LANG=de_DE.UTF-8", "┌─")
    lu.assertEquals(first "LANG=C LC_ALL=C.utf8", "┌─")
    lu.assertEquals(first "LANG=C.UTF-8 LC_CTYPE=POSIX", "+-")
    lu.assertEquals(first "", "+-")
end

os.exit(support.run())
