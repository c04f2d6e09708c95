-- pingall where the neighbour table is too small: it is one for the whole machine, so this disturbs
-- whatever else sends meanwhile, for some seconds. Run it alone.
package.path = (arg[0]:match "^(.*/)" or "./") .. "?.lua;" .. package.path

local lab = require "pingall_lab"
local lu = require "luaunit"
local nsh = require "nsh"
local pingall = require "nsh.lab.pingall".pingall
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local waves = require "nsh.lab.waves"

TestTable = {}

-- 9900 pairs make 9900 neighbours; there is room for 1024.
function TestTable.test_a_mesh_ten_times_as_large()
    local nodes, switch = lab.star(100, { "10.0.0.%d/24" })
    local r = pingall(nodes)
    lab.skip_if_crowded(r)
    lu.assertTrue(r.ok, tostring(r))
    lu.assertEquals(r.transmitted, 9900)
    for _, node in ipairs(nodes) do lu.assertEquals(#node.ns.neigh:list(), 0) end
    lab.close(nodes, switch)
end

-- Fills both tables with neighbours that the kernel does not let go of; returns whether they are full.
local function fill_tables(ns)
    local function fill(format)
        for i = 1, 1100 do
            ns.neigh:replace{ format:format(i // 250, i % 250 + 1), lladdr = "02:00:00:00:00:01", dev = "eth0",
                nud = "reachable" }
        end
    end
    for _, format in ipairs{ "10.9.%d.%d", "fd09::%x:%x" } do
        local ok, err = pcall(fill, format)
        if ok then return false end
        lu.assertEquals(err.code, "ENOBUFS")
    end
    return true
end

-- One wave: what is lost in it is lost for want of room, and not because nobody is there.
local function check_words(nodes)
    local all <close> = waves.new(#nodes, 56)
    for _, node in ipairs(nodes) do all:add(node) end
    for _, family in ipairs{ "inet", "inet6" } do
        local address = nodes[2].addresses[family == "inet" and 1 or 2]:match "^[^/]+"
        local probe = { from = nodes[1], to = nodes[2], family = family, address = address }
        local list = { probe }
        all:send(function() return table.remove(list) end, 0.3)
        if not probe.rtt then lu.assertEquals(probe.reason, "neighbour table full", probe.message) end
    end
end

function TestTable.test_others_hold_it_for_a_while()
    local nodes, switch = lab.star(4, { "10.0.0.%d/24", "fd00::%x/64" })
    local others, other = lab.star(1, { "10.9.255.1/16", "fd09::ffff:1/64" })
    lu.skipIf(not fill_tables(others[1].ns), "this machine's neighbour tables are larger")
    check_words(nodes)
    local task = nsh.go(function()
        nsh.sleep(1.5)
        lab.close(others, other)
    end)
    local r = pingall(nodes, { timeout = 0.5 })
    task:wait()
    lab.skip_if_crowded(r)
    lu.assertTrue(r.ok, tostring(r))
    lu.assertEquals(r.transmitted, 24)
    lab.close(nodes, switch)
end

os.exit(support.run())
