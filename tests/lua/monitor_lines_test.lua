-- The lines of events are those of `ip -o monitor`, for the same events.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

-- The bridge's own view of a port, which says neither qdisc nor group: of these nsh tells nothing.
local function is_of_port(line)
    return line:find "^[^:]*: [^:]*: <" and not line:find " group "
end

-- Without what iproute2 tells otherwise: its own word for another link's state, what led to an event, blanks at the
-- end, and the names that it knows for ids.
local function plain(line)
    return (line:gsub(",M%-DOWN", ""):gsub(" event [%u ]+ ", " "):gsub(" *$", ""):gsub("^(nsid %d+) %(.*%)$", "%1"))
end

local PROBE, LAST = "198.51.100.1", "192.0.2.1" -- addresses that say: it listens, that was all

local function read_file(path)
    local file <close> = assert(io.open(path))
    return file:read "a"
end

local function is_listening(ns, path)
    ns.addr:add{ PROBE .. "/32", dev = "lo" }
    ns.addr:del{ PROBE .. "/32", dev = "lo" }
    return read_file(path):find(PROBE, 1, true)
end

-- Those from the first to the last, but for the probes.
local function those_between(lines)
    local list = {}
    for _, line in ipairs(lines) do
        if line:find("inet " .. LAST, 1, true) then return list end
        local counts = not line:find(PROBE, 1, true) and not is_of_port(line)
        if counts then list[#list + 1] = plain(line) end
    end
    error("the last one is missing", 0)
end

local function lines_of(path)
    local list = {}
    for line in read_file(path):gmatch "[^\n]+" do list[#list + 1] = line end
    return list
end

-- What `ip -o monitor` prints of what happens in `ns` while fn runs, and what nsh does.
local function lines_of_both(ns, objects, fn)
    local path = os.tmpname()
    local program = ns:spawn{ "sh", "-c", 'exec ip -o monitor "$@" >$0', path, table.unpack(objects) }
    support.wait_for("ip monitor listens", function() return is_listening(ns, path) end)
    local monitor <close> = ns:monitor(objects)
    fn()
    ns.addr:add{ LAST .. "/32", dev = "lo" }
    support.wait_for("ip monitor has told all", function() return read_file(path):find(LAST .. ".*\n") end)
    program:kill():wait()
    local theirs = those_between(lines_of(path))
    os.remove(path)
    return theirs, those_between(support.map(monitor:list(), tostring))
end

local function compare(objects, fn)
    local ns <close> = nsh.netns.new()
    local other <close> = nsh.netns.new()
    ns.link:set{ "lo", up = true }
    ns.link:add{ "v0", type = "veth", peer = { "v1", netns = other } }
    for _, one in ipairs{ { ns, "v0" }, { other, "v1" } } do
        one[1].link:set{ one[2], addrgenmode = "none" }
        one[1].link:set{ one[2], up = true }
    end
    support.wait_for_rest{ ns, other }
    local theirs, ours = lines_of_both(ns, objects, function() fn(ns, other) end)
    lu.assertEquals(ours, theirs)
    return #ours
end

-- The object, and routes of several ways.
local has_nexthops = require "nsh.core".netlink.objects().nexthop ~= nil

TestLines = {}

function TestLines.test_links()
    local count = compare({ "addr", "link" }, function(ns)
        ns.link:add{ "br0", type = "bridge", mtu = 1400 }
        ns.link:set{ "v0", master = "br0", alias = "a port" }
        ns.link:set{ "br0", up = true, group = 7 }
        ns.link:set{ "br0", mode = "dormant" }
        ns.link:set{ "v0", nomaster = true }
        ns.link:add{ "w0", type = "veth", peer = { "w1" } }
        ns.link:set{ "w1", name = "w2" }
        ns.link:del "w0"
        ns.link:del "br0"
    end)
    lu.assertTrue(count > 12, count)
end

function TestLines.test_addresses()
    compare({ "addr" }, function(ns)
        ns.addr:add{ "10.0.0.1/24", dev = "v0", brd = "+" }
        ns.addr:add{ "10.0.0.2/24", dev = "v0", label = "v0:a", valid_lft = 900, preferred_lft = 600 }
        ns.addr:add{ "10.1.0.1", peer = "10.1.0.2/32", dev = "v0", scope = "link", metric = 9 }
        ns.addr:add{ "fd00::1/64", dev = "v0", nodad = true, noprefixroute = true }
        ns.addr:del{ "fd00::1/64", dev = "v0" }
        ns.addr:del{ "10.0.0.1/24", dev = "v0" }
    end)
end

function TestLines.test_routes()
    compare({ "addr", "route" }, function(ns)
        ns.addr:add{ "10.0.0.1/24", dev = "v0" }
        ns.route:add{ "10.9.0.0/16", via = "10.0.0.2", src = "10.0.0.1", proto = "static", metric = 5, mtu = 1400 }
        ns.route:add{ "default", via = "10.0.0.3", dev = "v0", table = 100, onlink = true }
        ns.route:add{ "10.8.0.0/16", type = "blackhole" }
        if has_nexthops then
            support.sh("ip route add 10.6.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop via 10.0.0.3", ns)
        end
        ns.route:add{ "fd01::/64", dev = "v0", pref = "high" }
        ns.route:add{ "default", via = "fe80::9", dev = "v0" }
        ns.route:del{ "fd01::/64" }
        ns.route:del{ "10.9.0.0/16" }
    end)
end

function TestLines.test_rules()
    compare({ "addr", "rule" }, function(ns)
        ns.rule:add{ priority = 7, from = "10.0.0.0/8", table = 9 }
        ns.rule:add{ priority = 8, not_ = true, to = "10.0.0.1", fwmark = "0x10/0xf0", iif = "lo", table = "main" }
        ns.rule:add{ priority = 9, oif = "v0", ipproto = "tcp", sport = 80, dport = "100-200", type = "blackhole" }
        ns.rule:add{ priority = 10, uidrange = "0-0", goto_ = 32766 }
        ns.rule:add{ priority = 11, family = "inet6", from = "fd00::/64", tos = "0x10", table = 12,
            suppress_prefixlen = 0 }
        ns.rule:del{ priority = 7 }
    end)
end

function TestLines.test_neighbours()
    compare({ "addr", "neigh" }, function(ns)
        ns.neigh:add{ "10.0.0.9", lladdr = "02:00:00:00:00:09", dev = "v0" }
        ns.neigh:set{ "10.0.0.9", lladdr = "02:00:00:00:00:0a", nud = "stale", dev = "v0" }
        ns.neigh:add{ "fd00::9", lladdr = "02:00:00:00:00:09", router = true, dev = "v0" }
        ns.neigh:del{ "10.0.0.9", dev = "v0" }
    end)
end

function TestLines.test_ids()
    compare({ "addr", "nsid" }, function(ns, other)
        local third <close> = nsh.netns.new()
        ns.nsid:add{ third, nsid = 77 }
        lu.assertNotNil(other)
    end)
end

if has_nexthops then
    function TestLines.test_nexthops()
        compare({ "addr", "nexthop" }, function(ns)
            ns.addr:add{ "10.0.0.1/24", dev = "v0" }
            ns.nexthop:add{ id = 1, via = "10.0.0.2", dev = "v0" }
            ns.nexthop:add{ id = 2, blackhole = true }
            support.sh("ip nexthop add id 3 via 10.0.0.3 dev v0; ip nexthop add id 4 group 1,2/3", ns)
            ns.nexthop:del{ id = 1 }
        end)
    end
end

os.exit(support.run())
