-- ns:ping against the real kernel, with a crowded neighbour table. That table is one for the whole
-- machine, so this disturbs whatever else pings meanwhile, for a few seconds: run it alone.
package.path = (arg[0]:match "^(.*/)" or "./") .. "?.lua;" .. package.path

local lab = require "ping_lab"
local lu = require "luaunit"
local ping = require "nsh.ping".ping

local left, run = lab.left, lab.run
local assert_answered, assert_lost = lab.assert_answered, lab.assert_lost

TestOverflow = {}

-- 700 unresolved neighbours hold more than an ordinary user's send buffer.
function TestOverflow.test_many_silent_neighbours_do_not_lose_the_others()
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

-- The table makes room by itself for a few, from entries older than five seconds that others left.
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

function TestOverflow.test_the_neighbour_table_is_full()
    local name = os.tmpname()
    write_neighbours(name)
    run(left, "ip addr add 10.4.255.1/16 dev to1; ip addr add fd04::ffff/64 dev to1 nodad")
    local ok, results, full = pcall(ping_with_full_table, name)
    run(left, [[ip neigh flush all; ip addr del 10.4.255.1/16 dev to1
                ip addr del fd04::ffff/64 dev to1]])
    os.remove(name)
    assert(ok, results)
    lu.skipIf(not full, "this machine's neighbour table is larger")
    assert_lost(results[1], "neighbour table full", "neighbour table of the machine")
    assert_lost(results[2], "neighbour table full", "neighbour table of the machine")
    assert_answered(results[3], 1)
    assert_answered(results[4], 1)
end

os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run())
