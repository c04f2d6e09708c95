-- What is refused, in which words, and that nothing was sent; what the kernel refuses; error objects.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local host = nsh.host
host.link:set{ "lo", up = true }
host.link:add{ "v0", type = "veth", peer = "v1" }
host.link:set{ "v0", up = true }
host.link:set{ "v1", up = true }
host.addr:add{ "10.0.0.1/24", dev = "v0" }
host.link:add{ "b0", type = "bridge" }
local closed = nsh.netns.new()
local closed_link, closed_addr = closed.link, closed.addr
closed_link:list()
closed:close()

-- --- what nsh refuses ----------------------------------------------------------------------------

local EINVAL, ERANGE, ENODEV = "EINVAL", "ERANGE", "ENODEV"

-- Each: what cannot be done, the object's verb and its arguments, and why: the end of the sentence.
local bad = {
    -- unknown keys
    { "add link x0", "link", "add", { "x0", type = "veth", mtuu = 1 },
        'unknown key "mtuu"; did you mean mtu', EINVAL },
    { "add link x0", "link", "add", { "x0", type = "bridge", prioritty = 1 },
        'unknown key "prioritty"; did you mean priority', EINVAL },
    { "add link x0", "link", "add", { "x0", type = "veth", priority = 1 },
        'unknown key "priority": it belongs to type = "bridge"', EINVAL },
    { "set link v0", "link", "set", { "v0", cost = 1 },
        'unknown key "cost": it belongs to type = "bridge_slave"', EINVAL },
    { "add link x0", "link", "add", { "x0", type = "bridge", peer = "x1" },
        'unknown key "peer": it belongs to type = "veth"', EINVAL },
    { "add link x0", "link", "add", { "x0", type = "veth", peer = { "x1", mtuu = 1 } },
        'peer: unknown key "mtuu"; did you mean mtu', EINVAL },
    { "add link x0", "link", "add", { "x0", type = "bridge", bridge = { prio = 1 } },
        'bridge: unknown key "prio"; did you mean priority', EINVAL },
    { "add addr 10.1.0.1/24", "addr", "add", { "10.1.0.1/24", device = "v0" },
        'unknown key "device"; did you mean dev', EINVAL },
    { "add route 10.2.0.0/16", "route", "add", { "10.2.0.0/16", gatewy = "10.0.0.2" },
        'unknown key "gatewy"; did you mean gateway', EINVAL },
    { "add neigh 10.0.0.2", "neigh", "add", { "10.0.0.2", dev = "v0", ladr = "02:00:00:00:00:01" },
        'unknown key "ladr"; did you mean lladdr', EINVAL },
    { "list link", "link", "list", { typ = "veth" }, 'unknown key "typ"; did you mean type', EINVAL },
    { "set link v0", "link", "set", { "v0", [true] = 1 }, "?: a key must be a word", EINVAL },
    { "set link v0", "link", "set", { "v0", [1.5] = 1 }, "?: a key must be a word", EINVAL },
    { "set link v0", "link", "set", { "v0", "up" },
        "[2]: only the first value may stand without a key", EINVAL },
    { "add link x0", "link", "add", { "x0", type = "veth", peer = { "x1", "up" } },
        "peer [2]: only the first value may stand without a key", EINVAL },
    -- types
    { "set link v0", "link", "set", { "v0", mtu = "big" }, 'mtu: "big" given, an integer expected', EINVAL },
    { "set link v0", "link", "set", { "v0", mtu = "14 00" }, 'mtu: "14 00" given, an integer expected', EINVAL },
    { "set link v0", "link", "set", { "v0", mtu = "" }, 'mtu: "" given, an integer expected', EINVAL },
    { "set link v0", "link", "set", { "v0", mtu = 1400.5 }, "mtu: 1400.5 given, an integer expected", EINVAL },
    { "set link v0", "link", "set", { "v0", mtu = 0 / 0 }, "mtu: -nan given, an integer expected", EINVAL },
    { "set link v0", "link", "set", { "v0", mtu = 1 / 0 }, "mtu: inf given, an integer expected", EINVAL },
    { "set link v0", "link", "set", { "v0", mtu = true }, "mtu: true given, an integer expected", EINVAL },
    { "set link v0", "link", "set", { "v0", mtu = {} },
        "mtu: a table given, a plain value expected", EINVAL },
    { "set link v0", "link", "set", { "v0", mtu = print },
        "mtu: a function given, a plain value expected", EINVAL },
    { "set link v0", "link", "set", { "v0", mtu = host }, "mtu: a table given, a plain value expected", EINVAL },
    { "set link v0", "link", "set", { "v0", up = "maybe" },
        'up: "maybe" given, true or false expected', EINVAL },
    { "set link v0", "link", "set", { "v0", up = 2 }, "up: 2 given, true or false expected", EINVAL },
    { "set link v0", "link", "set", { "v0", alias = true }, "alias: true given, a string expected", EINVAL },
    { "set link v0", "link", "set", { "v0", alias = 1.5 }, "alias: 1.5 given, a string expected", EINVAL },
    { "set link v0", "link", "set", { "v0", address = 7 },
        'address: 7 given, a MAC address such as "02:00:00:00:00:01" expected', EINVAL },
    { "set link v0", "link", "set", { "v0", netns = true },
        "netns: true given, a namespace, its name, or a pid expected", EINVAL },
    { "set link v0", "link", "set", { "v0", netns = {} },
        "netns: a table given, a plain value expected", EINVAL },
    { "set link v0", "link", "set", { "v0", netns = -1 },
        "netns: -1 given, a namespace, its name, or a pid expected", EINVAL },
    { "set link v0", "link", "set", { "v0", master = true },
        "master: true given, the name of an interface expected", EINVAL },
    { "add link x0", "link", "add", { "x0", type = 7 },
        'type: 7 given, a kind of link such as "veth" expected', EINVAL },
    { "add link x0", "link", "add", { "x0", type = "" },
        'type: "" given, a kind of link such as "veth" expected', EINVAL },
    { "add link x0", "link", "add", { "x0", type = "veth", peer = true },
        "peer name: true given, a string expected", EINVAL },
    { "add addr 7", "addr", "add", { 7, dev = "v0" },
        'local: 7 given, an address such as "10.0.0.1/24" expected', EINVAL },
    { "add route 10.2.0.0/16", "route", "add", { "10.2.0.0/16", via = true },
        'via: true given, an address such as "10.0.0.1" expected', EINVAL },
    -- numbers out of range
    { "set link v0", "link", "set", { "v0", mtu = -1 }, "mtu: -1 is out of range: 0 to 4294967295", ERANGE },
    { "set link v0", "link", "set", { "v0", mtu = 4294967296 },
        "mtu: 4294967296 is out of range: 0 to 4294967295", ERANGE },
    { "set link v0", "link", "set", { "v0", mtu = "99999999999999999999" },
        'mtu: "99999999999999999999" given, an integer expected', EINVAL },
    { "set link v0", "link", "set", { "v0", mtu = math.maxinteger },
        "mtu: 9223372036854775807 is out of range: 0 to 4294967295", ERANGE },
    { "set link b0", "link", "set", { "b0", type = "bridge", priority = 65536 },
        "priority: 65536 is out of range: 0 to 65535", ERANGE },
    { "set link b0", "link", "set", { "b0", type = "bridge", mcast_router = 256 },
        "mcast_router: 256 is out of range: 0 to 255", ERANGE },
    { "add link x0", "link", "add", { "x0", type = "veth", peer = { "x1", mtu = -3 } },
        "peer mtu: -3 is out of range: 0 to 4294967295", ERANGE },
    { "add link x0", "link", "add", { "x0", type = "bridge", bridge = { priority = 70000 } },
        "bridge priority: 70000 is out of range: 0 to 65535", ERANGE },
    { "add addr 10.1.0.1", "addr", "add", { "10.1.0.1", prefixlen = 129, dev = "v0" },
        "prefixlen: 129 is out of range: 0 to 128", ERANGE },
    { "add addr 10.1.0.1", "addr", "add", { "10.1.0.1", prefixlen = 33, dev = "v0" },
        "prefixlen: 33 is out of range: 0 to 32", ERANGE },
    { "add route 10.2.0.0/16", "route", "add", { "10.2.0.0/16", dev = "v0", table = -1 },
        "table: -1 is out of range: 0 to 4294967295", ERANGE },
    { "add nsid host", "nsid", "add", { host, nsid = -1 }, "nsid: -1 is out of range: 0 to 2147483647", ERANGE },
    -- strings
    { "add link 1234567890123456", "link", "add", { "1234567890123456", type = "bridge" },
        'name: "1234567890123456" has 16 characters, at most 15 are allowed', "ENAMETOOLONG" },
    { "set link v0", "link", "set", { "v0", name = "1234567890123456" },
        'name: "1234567890123456" has 16 characters, at most 15 are allowed', "ENAMETOOLONG" },
    { "add link x0", "link", "add", { "x0", type = "veth", peer = "1234567890123456" },
        'peer name: "1234567890123456" has 16 characters, at most 15 are allowed', "ENAMETOOLONG" },
    { "add link ", "link", "add", { "", type = "bridge" }, 'name: "" given, a name expected', EINVAL },
    { "set link v0", "link", "set", { "v0", name = "x\0y" }, 'name: there is a zero byte in "x"', EINVAL },
    { "set link v0\0y", "link", "set", { "v0\0y", up = true }, 'dev: there is a zero byte in "v0"', EINVAL },
    { "add addr 10.1.0.1/24", "addr", "add", { "10.1.0.1/24", dev = "v0", label = "0123456789abcdef" },
        'label: "0123456789abcdef" has 16 characters, at most 15 are allowed', "ENAMETOOLONG" },
    -- addresses
    { "set link v0", "link", "set", { "v0", address = "02:00:00:00:00" },
        'address: "02:00:00:00:00" is not a MAC address such as 02:00:00:00:00:01', EINVAL },
    { "set link v0", "link", "set", { "v0", address = "02:00:00:00:00:01:02" },
        'address: "02:00:00:00:00:01:02" is not a MAC address such as 02:00:00:00:00:01', EINVAL },
    { "set link v0", "link", "set", { "v0", address = "02:00:00:00:00:0g" },
        'address: "02:00:00:00:00:0g" is not a MAC address such as 02:00:00:00:00:01', EINVAL },
    { "add addr 10.1.0.1/33", "addr", "add", { "10.1.0.1/33", dev = "v0" },
        'local: "10.1.0.1/33": the prefix length of an IPv4 address is 0 to 32', EINVAL },
    { "add addr fd00::1/129", "addr", "add", { "fd00::1/129", dev = "v0" },
        'local: "fd00::1/129": the prefix length of an IPv6 address is 0 to 128', EINVAL },
    { "add addr 10.1.0.256/24", "addr", "add", { "10.1.0.256/24", dev = "v0" },
        'local: "10.1.0.256/24" is not an IPv4 or IPv6 address, with or without a prefix length', EINVAL },
    { "add addr 10.1/24", "addr", "add", { "10.1/24", dev = "v0" },
        'local: "10.1/24" is not an IPv4 or IPv6 address, with or without a prefix length', EINVAL },
    { "add addr ", "addr", "add", { "", dev = "v0" },
        'local: "" is not an IPv4 or IPv6 address, with or without a prefix length', EINVAL },
    { "add route 10.2.0.0/16", "route", "add", { "10.2.0.0/16", via = "10.0.0.2/24" },
        'via: "10.0.0.2/24": the address is wanted without a prefix length', EINVAL },
    { "add route 10.2.0.0/16", "route", "add", { "10.2.0.0/16", via = "router" },
        'via: "router" is not an IPv4 address', EINVAL },
    { "add neigh 10.0.0.2/24", "neigh", "add", { "10.0.0.2/24", dev = "v0" },
        'to: "10.0.0.2/24": the address is wanted without a prefix length', EINVAL },
    { "add neigh 10.0.0.2", "neigh", "add", { "10.0.0.2", dev = "v0", lladdr = "2" },
        'lladdr: "2" is not a MAC address such as 02:00:00:00:00:01', EINVAL },
    -- families that do not go together
    { "add addr fd00::1/64", "addr", "add", { "fd00::1/64", dev = "v0", brd = "+" },
        "brd: an IPv6 address has none", EINVAL },
    -- words
    { "add addr 10.1.0.1/24", "addr", "add", { "10.1.0.1/24", dev = "v0", scope = "galaxy" },
        'scope: "galaxy" given, one of global, site, link, host, nowhere expected', EINVAL },
    { "add route 10.2.0.0/16", "route", "add", { "10.2.0.0/16", type = "magic" },
        'type: "magic" given, one of unicast, local, broadcast, anycast, multicast, blackhole, ' ..
        "unreachable, prohibit, throw expected", EINVAL },
    { "add route 10.2.0.0/16", "route", "add", { "10.2.0.0/16", dev = "v0", table = "mine" },
        'table: "mine" given, one of main, local, default, all expected', EINVAL },
    { "add neigh 10.0.0.2", "neigh", "add", { "10.0.0.2", dev = "v0", nud = { "stale", "fresh" } },
        'nud: "fresh" given, one of INCOMPLETE, REACHABLE, STALE, DELAY, PROBE, FAILED, NOARP, ' ..
        "PERMANENT, NONE expected", EINVAL },
    { "set link v0", "link", "set", { "v0", addrgenmode = "own" },
        'addrgenmode: "own" given, one of eui64, none, stable_secret, random expected', EINVAL },
    -- what is not there
    { "set link nope", "link", "set", { "nope", up = true }, 'dev: there is no interface "nope"', ENODEV },
    { "del link nope", "link", "del", "nope", 'dev: there is no interface "nope"', ENODEV },
    { "get link nope", "link", "get", "nope", 'dev: there is no interface "nope"', ENODEV },
    { "list addr nope", "addr", "list", "nope", 'dev: there is no interface "nope"', ENODEV },
    { "set link v0", "link", "set", { "v0", master = "nope" },
        'master: there is no interface "nope"', ENODEV },
    { "add route 10.2.0.0/16", "route", "add", { "10.2.0.0/16", dev = "nope" },
        'dev: there is no interface "nope"', ENODEV },
    { "set link " .. ("n"):rep(59) .. "…", "link", "set", { ("n"):rep(200), up = true },
        'dev: there is no interface "' .. ("n"):rep(60) .. '…"', ENODEV },
    { "set link v0", "link", "set", { "v0", netns = "nope" },
        'netns: there is no namespace named "nope"', "ENOENT" },
    { "add link x0", "link", "add", { "x0", type = "veth", peer = { "x1", netns = "nope" } },
        'peer netns: there is no namespace named "nope"', "ENOENT" },
    { "set link v0", "link", "set", { "v0", netns = "a/b" },
        'netns: "a/b" cannot be the name of a namespace', EINVAL },
    { "add nsid nope", "nsid", "add", { "nope", nsid = 3 },
        'netns: there is no namespace named "nope"', "ENOENT" },
    { "set link v0", "link", "set", { "v0", netns = closed }, "netns: the namespace is closed", "EBADF" },
    -- what is said twice
    { "add link x0", "link", "add", { "x0", name = "x0", type = "bridge" }, "name: given twice", EINVAL },
    { "add link x0", "link", "add", { "x0", ifname = "x1", type = "bridge" }, "name: given twice", EINVAL },
    { "set link lo", "link", "set", { "lo", dev = "v0", up = true }, "dev: given twice", EINVAL },
    { "set link v0", "link", "set", { "v0", txqlen = 7, txqueuelen = 8 }, "txqueuelen: given twice", EINVAL },
    { "add addr 10.1.0.1/24", "addr", "add", { "10.1.0.1/24", dev = "v0", ifname = "lo" },
        "dev: given twice", EINVAL },
    { "add route default", "route", "add", { "default", to = "10.2.0.0/16", dev = "v0" },
        "to: given twice", EINVAL },
    { "add route 10.2.0.0/16", "route", "add", { "10.2.0.0/16", via = "10.0.0.2", gateway = "10.0.0.3" },
        "via: given twice", EINVAL },
    { "add link x0", "link", "add", { "x0", type = "bridge", info_kind = "bridge" },
        "type: given twice", EINVAL },
    { "add link x0", "link", "add", { "x0", type = "bridge", priority = 1, bridge = { priority = 2 } },
        "bridge priority: given twice", EINVAL },
    -- what is missing
    { "set link", "link", "set", { up = true }, "dev: missing", EINVAL },
    { "del link", "link", "del", {}, "dev: missing", EINVAL },
    { "del link", "link", "del", nil, "dev: missing", EINVAL },
    { "get link", "link", "get", nil, "dev: missing", EINVAL },
    { "add link x0", "link", "add", { "x0" }, "type: missing", EINVAL },
    { "add addr 10.1.0.1/24", "addr", "add", { "10.1.0.1/24" }, "dev: missing", EINVAL },
    { "add addr v0", "addr", "add", { dev = "v0" }, "local: missing", EINVAL },
    { "del addr 10.0.0.1/24", "addr", "del", "10.0.0.1/24", "dev: missing", EINVAL },
    { "get route", "route", "get", {}, "to: missing", EINVAL },
    { "add neigh 10.0.0.2", "neigh", "add", { "10.0.0.2" }, "dev: missing", EINVAL },
    { "add neigh v0", "neigh", "add", { dev = "v0" }, "to: missing", EINVAL },
    { "add nsid", "nsid", "add", { nsid = 3 }, "netns: missing", EINVAL },
    { "flush addr", "addr", "flush", nil, "say which: flush requires arguments", EINVAL },
    { "flush neigh", "neigh", "flush", {}, "say which: flush requires arguments", EINVAL },
}

-- Whichever key comes first, a table's order being chance: both sentences are right.
local either = {
    { "add addr 10.1.0.1/24", "addr", "add", { "10.1.0.1/24", dev = "v0", peer = "fd00::1" },
        'peer: "fd00::1" is not an IPv4 address, with or without a prefix length',
        'local: "10.1.0.1/24" is not an IPv6 address, with or without a prefix length' },
    { "add addr fd00::1/64", "addr", "add", { "fd00::1/64", dev = "v0", brd = "10.0.0.255" },
        'brd: "10.0.0.255" is not an IPv6 address',
        'local: "fd00::1/64" is not an IPv4 address, with or without a prefix length' },
    { "add route 10.2.0.0/16", "route", "add", { "10.2.0.0/16", via = "fd00::1" },
        'via: "fd00::1" is not an IPv4 address',
        'to: "10.2.0.0/16" is not an IPv6 address, with or without a prefix length' },
    { "add route 10.2.0.0/16", "route", "add", { "10.2.0.0/16", family = "inet6", dev = "v0" },
        'to: "10.2.0.0/16" is not an IPv6 address, with or without a prefix length',
        'family: "inet6" given, inet as of the addresses expected' },
    { "add neigh fd00::2", "neigh", "add", { "fd00::2", family = "inet", dev = "v0" },
        'to: "fd00::2" is not an IPv4 address', 'family: "inet" given, inet6 as of the addresses expected' },
    { "set link v0", "link", "set", { "v0", up = true, down = true },
        "up: it contradicts another key", "down: it contradicts another key" },
    { "set link v0", "link", "set", { "v0", master = "b0", nomaster = true },
        "master: given twice", "nomaster: given twice" },
}

local function state()
    local found = {}
    for _, command in ipairs{ "-d link", "-d addr", "route show table all", "neigh", "netns list-id" } do
        found[#found + 1] = support.sh("ip " .. command):gsub("_timer +[%d.]+", "")
    end
    return found
end

local function sentence(case, why, code)
    return ("cannot %s in host: %s (%s)"):format(case[1], why, code)
end

TestRefused = {}

local function try(case)
    return support.raised(host[case[2]][case[3]], host[case[2]], case[4])
end

for i, case in ipairs(bad) do
    TestRefused[("test_%03d_%s"):format(i, (case[5]:gsub("[^%w]+", "_")))] = function()
        support.refused(case[6], sentence(case, case[5], case[6]), host[case[2]][case[3]],
            host[case[2]], case[4])
    end
end

function TestRefused.test_either_of_two_keys()
    for _, case in ipairs(either) do
        local text = tostring(try(case)):gsub("^[%w_./-]+:%d+: ", "")
        if text ~= sentence(case, case[5], EINVAL) then
            lu.assertEquals(text, sentence(case, case[6], EINVAL))
        end
    end
end

function TestRefused.test_nothing_was_sent()
    support.wait_for_rest{ host }
    local before, lines = state(), {}
    nsh.trace(function(line) lines[#lines + 1] = line end)
    for _, list in ipairs{ bad, either } do
        for _, case in ipairs(list) do try(case) end
    end
    nsh.trace(false)
    lu.assertEquals(lines, {})
    lu.assertEquals(state(), before)
end

function TestRefused.test_the_key_is_a_field_of_the_object()
    local function key_of(...) return support.raised(...).key end
    lu.assertEquals(key_of(host.link.set, host.link, { "v0", mtu = -1 }), "mtu")
    lu.assertEquals(key_of(host.link.add, host.link, { "x0", type = "veth", peer = { "x1", mtu = -1 } }),
        "peer mtu")
    lu.assertEquals(key_of(host.addr.add, host.addr, { "10.1.0.1/99", dev = "v0" }), "local")
end

function TestRefused.test_what_is_not_a_table()
    lu.assertStrContains(tostring(support.raised(host.link.add, host.link, print)), "a function given")
    lu.assertStrContains(tostring(support.raised(host.link.add, host.link, true)), "true given")
    lu.assertStrContains(tostring(support.raised(host.link.set, host.link, 1.5)), "1.5 given")
end

function TestRefused.test_a_table_that_contains_itself()
    local ring = { "x1" }
    ring.peer, ring.type = ring, "veth"
    lu.assertEquals(type(support.raised(host.link.add, host.link, { "x0", type = "veth", peer = ring })),
        "table")
    lu.assertEquals(#host.link:list{ type = "veth" }, 2)
end

-- --- what the kernel refuses ---------------------------------------------------------------------

TestKernel = {}

-- Older kernels (6.1) do not have all of the sentences: what iproute2 is told.
local function kernel_says(command)
    local text = support.sh(command .. "; true")
    return text:match "^Error: (.-)%.\n" or text:match "^RTNETLINK answers: (.-)\n"
end

local ASSIGNED = kernel_says "ip addr add 10.0.0.1/24 dev v0"
local NOT_FOUND = kernel_says "ip addr del 10.9.9.9/24 dev v0"

local function refused_by_kernel(case)
    return support.refused(case[6], sentence(case, case[5], case[6]), host[case[2]][case[3]],
        host[case[2]], case[4])
end

function TestKernel.test_words_and_codes()
    for _, case in ipairs{
        { "add link b0", "link", "add", { "b0", type = "bridge" }, "File exists", "EEXIST" },
        { "add link x0", "link", "add", { "x0", type = "veth", peer = "b0" }, "File exists", "EEXIST" },
        { "add addr 10.0.0.1/24", "addr", "add", { "10.0.0.1/24", dev = "v0" }, ASSIGNED, "EEXIST" },
        { "del addr 10.9.9.9/24", "addr", "del", { "10.9.9.9/24", dev = "v0" }, NOT_FOUND, "EADDRNOTAVAIL" },
        { "add route default", "route", "add", { "default", via = "192.0.2.1" },
            "Nexthop has invalid gateway", "ENETUNREACH" },
        { "add route 10.2.0.1/16", "route", "add", { "10.2.0.1/16", dev = "v0" },
            "Invalid prefix for given prefix length", "EINVAL" },
        { "add route 10.2.0.0/16", "route", "add", { "10.2.0.0/16", type = "blackhole", dev = "v0" },
            "Gateway, device and multipath can not be specified for this route type", "EINVAL" },
        { "del route 10.77.0.0/16", "route", "del", "10.77.0.0/16", "No such process", "ESRCH" },
        { "set link v0", "link", "set", { "v0", mtu = 1 }, "mtu less than device minimum", "EINVAL" },
        { "set link v0", "link", "set", { "v0", mtu = 70000 }, "mtu greater than device maximum", "EINVAL" },
        { "set link v0", "link", "set", { "v0", master = "lo" }, "Operation not supported", "EOPNOTSUPP" },
        { "del neigh 10.0.0.99", "neigh", "del", { "10.0.0.99", dev = "v0" },
            "No such file or directory", "ENOENT" },
        { "get neigh 10.0.0.99", "neigh", "get", { "10.0.0.99", dev = "v0" },
            "Neighbour entry not found", "ENOENT" },
        { "get route 192.0.2.1", "route", "get", "192.0.2.1", "Network is unreachable", "ENETUNREACH" },
    } do refused_by_kernel(case) end
end

-- The offset in the extended ACK is that of the attribute which the kernel points at.
function TestKernel.test_the_key_from_the_extended_ack()
    local err = refused_by_kernel{ "set link v0", "link", "set", { "v0", mtu = 1400, gso_max_size = 1,
        txqlen = 7 }, "gso_max_size: integer out of range", "ERANGE" }
    lu.assertEquals(err.key, "gso_max_size")
    err = refused_by_kernel{ "add link x0", "link", "add", { "x0", type = "veth", peer = { "x1",
        gso_max_size = 1 } }, "peer gso_max_size: integer out of range", "ERANGE" }
    lu.assertEquals(err.key, "peer gso_max_size")
end

function TestKernel.test_a_kind_that_the_kernel_lacks()
    local err = support.raised(host.link.add, host.link, { "x0", type = "nosuch" })
    lu.assertEquals(err.code, "EOPNOTSUPP")
    lu.assertStrContains(err.hint, "modprobe nosuch")
    lu.assertStrContains(tostring(err),
        "cannot add link x0 in host: Unknown device type (EOPNOTSUPP)\n  hint: ")
end

function TestKernel.test_a_refused_change_is_a_comment_in_the_trace()
    local lines = {}
    nsh.trace(function(line) lines[#lines + 1] = line end)
    pcall(host.addr.add, host.addr, { "10.0.0.1/24", dev = "v0" })
    nsh.trace(false)
    lu.assertEquals(lines, { "# ip addr add 10.0.0.1/24 dev v0: " .. ASSIGNED })
end

-- A shell command that starts nsh without any power.
local function powerless(code)
    return ("setpriv --bounding-set=-all --inh-caps=-all %s -e %s 2>&1 || :"):format(os.getenv "NSH",
        "'" .. code .. "'")
end

function TestKernel.test_without_privilege()
    local text = support.sh(powerless [[
        local ok, err = pcall(host.link.add, host.link, { "x0", type = "bridge" })
        print(err.code, err.hint ~= nil)
        print(err)
        host.link:set{ "lo", up = true }
        ]])
    lu.assertStrContains(text, "EPERM\ttrue")
    lu.assertStrContains(text, "cannot add link x0 in host: Operation not permitted (EPERM)\n  hint: ")
    lu.assertStrContains(text, "cannot set link lo in host: Operation not permitted (EPERM)\n  hint: ")
    text = support.sh(powerless "nsh.netns.new()")
    lu.assertStrContains(text, "cannot create a namespace: Operation not permitted (EPERM)\n  hint: ")
end

-- --- the object ----------------------------------------------------------------------------------

TestObject = {}

local HERE = "errors_test.lua"

local function assert_line(err, line)
    lu.assertStrMatches(err.where, ".*" .. HERE:gsub("%.", "%%.") .. ":" .. line)
    lu.assertStrContains(tostring(err), err.where .. ": cannot ")
end

local function this_line() return debug.getinfo(2, "l").currentline end

function TestObject.test_its_fields()
    local err = support.raised(host.link.add, host.link, { "b0", type = "bridge" })
    lu.assertEquals({ err.code, err.errno, err.message, err.op, err.netns, err.key, err.hint },
        { "EEXIST", 17, "File exists", "add link b0", "host" })
    err = support.raised(host.link.set, host.link, { "b0", mtu = "x" })
    lu.assertEquals(err.errno, 22)
end

function TestObject.test_the_namespace_is_named()
    local one <close> = nsh.netns.add "one"
    local text = tostring(support.raised(one.link.del, one.link, "nope"))
    lu.assertStrContains(text, 'cannot del link nope in one: dev: there is no interface "nope" (ENODEV)')
    nsh.netns.del "one"
end

function TestObject.test_the_line_in_a_function()
    local line
    local function helper()
        line = this_line() + 1
        host.link:add{ "b0", type = "bridge" }
    end
    assert_line(support.raised(helper), line)
end

function TestObject.test_the_line_through_pcall_and_sort()
    local line
    local ok, err = pcall(function()
        table.sort({ 1, 2 }, function()
            line = this_line() + 1
            host.link:del "nope"
        end)
    end)
    lu.assertFalse(ok)
    assert_line(err, line)
end

function TestObject.test_the_line_in_a_coroutine()
    local line
    local co = coroutine.create(function()
        coroutine.yield()
        line = this_line() + 1
        host.link:del "nope"
    end)
    coroutine.resume(co)
    local _, err = coroutine.resume(co)
    assert_line(err, line)
end

function TestObject.test_the_line_in_a_task()
    local line
    local task = nsh.go(function()
        nsh.sleep(0.01)
        line = this_line() + 1
        host.link:del "nope"
    end)
    assert_line(support.raised(task.wait, task), line)
end

function TestObject.test_the_line_of_every_verb()
    local one <close> = nsh.netns.new()
    for object, verbs in pairs{ link = { "add", "set", "replace", "del", "get", "list" },
        addr = { "add", "set", "replace", "del", "list", "flush" },
        route = { "add", "set", "replace", "append", "del", "get", "list", "flush" },
        neigh = { "add", "set", "replace", "del", "get", "list", "flush" },
        nsid = { "add", "get", "list" } } do
        for _, verb in ipairs(verbs) do
            local line = this_line() + 1
            local ok, err = pcall(function() one[object][verb](one[object], { nope = 1 }) end)
            lu.assertFalse(ok)
            assert_line(err, line)
            lu.assertStrContains(err.message, 'unknown key "nope"')
        end
    end
end

function TestObject.test_an_error_that_is_not_caught_is_one_sentence()
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    file:write 'host.link:set{ "lo", up = true }\nlocal function f()\n  host.link:del "nope"\nend\nf()\n'
    file:close()
    local text = support.sh(("%s -S %s 2>&1; echo $?"):format(os.getenv "NSH", name))
    os.remove(name)
    lu.assertEquals(text, ('nsh: %s:3: cannot del link nope in host: dev: there is no interface "nope" ' ..
        '(ENODEV)\n  3 |   host.link:del "nope"\n    |                 ^~~~~~\n1\n'):format(name))
end

function TestObject.test_it_can_be_raised_again()
    local first = support.raised(host.link.del, host.link, "nope")
    local again = support.raised(function() error(first) end)
    lu.assertIs(again, first)
    lu.assertEquals(tostring(again), tostring(first))
end

-- --- what is closed ------------------------------------------------------------------------------

TestClosed = {}

function TestClosed.test_every_use_is_refused_at_its_line()
    for name, use in pairs{
        list = function() closed_link:list() end,
        add = function() closed_link:add{ "x0", type = "bridge" } end,
        get = function() closed_link:get "lo" end,
        flush = function() closed_addr:flush "lo" end,
        never_used = function() closed_addr:list() end,
        object = function() closed.neigh:list() end,
        exec = function() closed:exec{ "true" } end,
        spawn = function() closed:spawn{ "true" } end,
        ping = function() closed:ping "127.0.0.1" end,
        sysctl = function() closed:sysctl "net.ipv4.ip_forward" end,
        nsid = function() host.nsid:get{ closed } end,
    } do
        local err = support.raised(use)
        lu.assertEquals(type(err), "table", name .. ": " .. tostring(err))
        lu.assertEquals(err.code, "EBADF", name)
        lu.assertStrContains(tostring(err), HERE .. ":", false, name)
        lu.assertStrContains(tostring(err), "the namespace is closed", false, name)
    end
    closed:close() -- and closing again does no harm
end

os.exit(support.run())
