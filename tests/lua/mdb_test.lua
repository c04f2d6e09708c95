-- Multicast groups of bridges, with `bridge mdb` as the oracle.
local ways = dofile((arg[0]:gsub("[^/]*$", "ways.lua")))
local lu = require "luaunit"
local nsh = require "nsh"
local support = ways.support

local EINVAL, ERANGE = "EINVAL", "ERANGE"

-- A bridge of those versions of IGMP and MLD that have sources, with two ports.
local function bridge(ns)
    ns.link:add{ "br0", type = "bridge", mcast_igmp_version = 3, mcast_mld_version = 2, up = true }
    for i = 0, 1 do
        ns.link:add{ "p" .. i, type = "veth", master = "br0", up = true, peer = "q" .. i }
        ns.link:set{ "q" .. i, addrgenmode = "none", up = true }
    end
end

local cases = {
    { { "239.1.1.1", dev = "br0", port = "p0" }, "dev br0 port p0 grp 239.1.1.1" },
    { { "239.1.1.1", dev = "br0", port = "p1", temp = true }, "dev br0 port p1 grp 239.1.1.1 temp" },
    { { grp = "239.1.1.1", dev = "br0", port = "p0", permanent = true }, "dev br0 port p0 grp 239.1.1.1 permanent" },
    { { "239.1.1.2", dev = "br0", port = "p0", src = "10.0.0.9", state = "permanent" },
        "dev br0 port p0 grp 239.1.1.2 src 10.0.0.9 permanent" },
    { { "239.1.1.2", dev = "br0", port = "p0", vid = 7 }, "dev br0 port p0 grp 239.1.1.2 vid 7" },
    { { "ff0e::1", dev = "br0", port = "p0", permanent = true }, "dev br0 port p0 grp ff0e::1 permanent" },
    { { "ff0e::1", dev = "br0", port = "p1", src = "fd00::9", vid = 4094 },
        "dev br0 port p1 grp ff0e::1 src fd00::9 vid 4094" },
    { { "01:02:03:04:05:06", dev = "br0", port = "p0", permanent = true },
        "dev br0 port p0 grp 01:02:03:04:05:06 permanent" },
    { { "239.1.1.1", dev = "br0", port = "br0" }, "dev br0 port br0 grp 239.1.1.1" },
}

-- Besides what hosts have joined, as the kernel's own IPv6 does.
local function is_own(record) return record.protocol ~= "kernel" and record.grp:sub(1, 4) ~= "ff02" end

local place = "239.1.1.1 on br0"

local wrong = {
    { { "239.1.1.1", port = "p0" }, EINVAL, "dev: missing", "239.1.1.1" },
    { { "239.1.1.1", dev = "br0" }, EINVAL, "port: missing", place },
    { { dev = "br0", port = "p0" }, EINVAL, "grp: missing", "br0" },
    { { "everyone", dev = "br0", port = "p0" }, EINVAL, 'grp: "everyone" is not an IPv4 or IPv6 address',
        "everyone on br0" },
    { { 7, dev = "br0", port = "p0" }, EINVAL, 'grp: 7 given, an address or a MAC such as "239.1.1.1" expected',
        "7 on br0" },
    { { "10.0.0.1", dev = "br0", port = "p0" }, EINVAL },
    { { "239.1.1.1", dev = "br0", port = "v0" }, EINVAL },
    { { "239.1.1.1", dev = "br0", port = "p9" }, "ENODEV", 'port: there is no interface "p9"', place },
    { { "239.1.1.1", dev = "br0", port = "p0", src = "fd00::1" }, EINVAL, 'src: "fd00::1" is not an IPv4 address',
        place },
    { { "01:02:03:04:05:06", dev = "br0", port = "p0", src = "10.0.0.1", permanent = true }, EINVAL },
    { { "239.1.1.1", dev = "br0", port = "p0", vid = 4096 }, ERANGE, "vid: 4096 is out of range: 0 to 4095", place },
    { { "239.1.1.1", dev = "br0", port = "p0", state = "forever" }, EINVAL,
        'state: "forever" given, one of permanent, temp expected', place },
    { { "239.1.1.1", dev = "br0", port = "p0", permanent = "perhaps" }, EINVAL,
        'permanent: "perhaps" given, true or false expected', place },
    { { "239.1.1.1", dev = "br0", port = "p0", prt = 1 }, EINVAL, 'unknown key "prt"; did you mean port',
        place },
}

TestMdb = ways.test{
    object = "mdb", families = { false }, setup = bridge, cases = cases, wrong = wrong, own = is_own,
    program = "bridge", show = "mdb show", flatten = function(answer) return answer[1].mdb end,
    constant = { dev = true, index = true },
}

function TestMdb.test_filters()
    local mdb = ways.space().mdb
    mdb:add{ "239.1.1.1", dev = "br0", port = "p0" }
    mdb:add{ "239.1.1.1", dev = "br0", port = "p1", permanent = true, vid = 5 }
    mdb:add{ "239.1.1.2", dev = "br0", port = "p1", permanent = true, src = "10.0.0.9" }
    mdb:add{ "ff0e::1", dev = "br0", port = "p1", src = "fd00::9" }
    local function count(filter)
        local records = mdb:list(filter)
        for i = #records, 1, -1 do if not is_own(records[i]) then table.remove(records, i) end end
        return #records
    end
    lu.assertEquals(count "br0", 4)
    lu.assertEquals(count{ port = "p1" }, 3)
    lu.assertEquals(count{ grp = "239.1.1.1" }, 2)
    lu.assertEquals(count{ src = "10.0.0.9" }, 1)
    lu.assertEquals(count{ src = "fd00::9" }, 1)
    lu.assertEquals(count{ vid = 5 }, 1)
    lu.assertEquals(count{ state = "permanent" }, 2)
    lu.assertEquals(count{ temp = true, grp = "239.1.1.1" }, 1)
    mdb:del{ "239.1.1.1", dev = "br0", port = "p1", vid = 5 }
    lu.assertEquals(count{ grp = "239.1.1.1" }, 1)
    lu.assertEquals(support.raised(mdb.del, mdb, { "239.1.1.9", dev = "br0", port = "p0" }).code, EINVAL)
    lu.assertEquals(support.raised(mdb.add, mdb, { "239.1.1.1", dev = "br0", port = "p0" }).code, "EEXIST")
end

-- Joins a group with two sources, as IGMPv3 tells it to the bridge.
local JOIN = [[
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for source in ("10.0.0.8", "10.0.0.9"):
    join = socket.inet_aton("239.7.7.7") + socket.inet_aton("10.5.0.2") + socket.inet_aton(source)
    s.setsockopt(socket.IPPROTO_IP, 39, join)
print("joined", flush=True)
time.sleep(600)
]]

function TestMdb.test_sources_that_a_host_wants()
    local ns = ways.space()
    ns.addr:add{ "10.5.0.2/24", dev = "q0" }
    local host <close> = ns:spawn{ "python3", "-c", JOIN, output = true }
    lu.assertEquals(host:read(), "joined")
    local function find()
        for _, record in ipairs(ns.mdb:list{ grp = "239.7.7.7" }) do
            if record.source_list and #record.source_list == 2 then return record end
        end
    end
    support.wait_for("the bridge knows both sources", find)
    local own = support.as_json(find())
    local theirs
    for _, record in ipairs(support.decode(support.sh "bridge -n by-nsh -j -d mdb show")[1].mdb) do
        if record.grp == own.grp and record.source_list then theirs = record end
    end
    for _, record in ipairs{ own, theirs } do
        for _, source in ipairs(record.source_list) do source.timer = nil end -- it runs
    end
    lu.assertEquals(own, theirs)
    lu.assertEquals(own.filter_mode, "include")
    lu.assertEquals(support.pluck(own.source_list, "address"), { "10.0.0.8", "10.0.0.9" })
    host:close()
    ns.addr:flush{ dev = "q0" }
end

nsh.settle()
os.exit(ways.run())
