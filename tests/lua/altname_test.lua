-- Alternative names of links: given, taken away, listed, and good wherever a link is named.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"
local nsh = require "nsh"

nsh.sandbox()

local ns, other

TestAltname = {}

function TestAltname.setUp()
    ns, other = nsh.netns.new(), nsh.netns.new()
    for _, where in ipairs{ ns, other } do where.link:add{ "x0", type = "veth", peer = "x1" } end
end

function TestAltname.tearDown()
    ns:close()
    other:close()
end

local long = ("a-long-name-"):rep(10)

local compared = 0

local function names_by_ip(where)
    local names = support.ip(where, "link show x0")[1].altnames
    compared = compared + #(names or {})
    return names
end

function TestAltname.test_as_ip_does_it()
    for _, name in ipairs{ "wan", long, "wan:2" } do
        ns.altname:add{ name, dev = "x0" }
        support.sh(("ip link property add dev x0 altname '%s'"):format(name), other)
    end
    for _, where in ipairs{ ns, other } do
        lu.assertEquals(support.as_json(where.link:get("x0").altnames), names_by_ip(where))
    end
    lu.assertItemsEquals(names_by_ip(ns), names_by_ip(other))
    ns.altname:del{ "wan", dev = "x0" }
    support.sh("ip link property del dev x0 altname wan", other)
    lu.assertItemsEquals(names_by_ip(ns), { long, "wan:2" })
    lu.assertItemsEquals(names_by_ip(ns), names_by_ip(other))
end

function TestAltname.test_it_is_good_wherever_a_link_is_named()
    ns.altname:add{ long, dev = "x0" }
    lu.assertEquals(ns.link:get(long).ifname, "x0")
    ns.link:set{ long, up = true }
    ns.link:set{ "x1", up = true }
    ns.addr:add{ "10.0.0.1/24", dev = long }
    ns.route:add{ "10.1.0.0/16", via = "10.0.0.2", dev = long }
    lu.assertEquals(support.pluck(ns.addr:list{ dev = long, family = "inet" }, "local_"), { "10.0.0.1" })
    lu.assertEquals(ns.route:list{ "10.1.0.0/16" }[1].dev, "x0")
    ns.altname:add{ "wan", dev = long }
    ns.link:del "wan"
    lu.assertEquals(#ns.link:list(), 1)
end

function TestAltname.test_the_command_does_the_same()
    local lines = {}
    nsh.trace(function(line) lines[#lines + 1] = line end)
    ns.altname:add{ "wan:2", dev = "x0" }
    ns.altname:del{ "wan:2", dev = "x0" }
    nsh.trace(false)
    local property = ("ip -n %s link property "):format(ns.name)
    lu.assertEquals(lines, { property .. "add dev x0 altname wan:2", property ..
        "del dev x0 altname wan:2" })
    support.sh((lines[1]:gsub("%-n %S+ ", "")), other)
    lu.assertEquals(names_by_ip(other), { "wan:2" })
end

function TestAltname.test_a_record_takes_them_along()
    ns.altname:add{ "wan", dev = "x0" }
    ns.altname:add{ "uplink", dev = "x0" }
    local record = ns.link:get "x0"
    other.link:del "x0"
    other.link:add(record)
    lu.assertItemsEquals(names_by_ip(other), { "wan", "uplink" })
    lu.assertEquals(other.link:get("x0").altnames, record.altnames)
    other.link:set(record)
    lu.assertItemsEquals(names_by_ip(other), { "wan", "uplink" })
end

local wrong = {
    { { dev = "x0" }, "EINVAL", "x0", "altname: missing" },
    { { "y" }, "EINVAL", "y", "dev: missing" },
    { { "y", dev = "x9" }, "ENODEV", "y on x9", 'dev: there is no interface "x9"' },
    { { "", dev = "x0" }, "EINVAL", " on x0", 'altname: "" given, a name expected' },
    { { true, dev = "x0" }, "EINVAL", "true on x0", "altname: true given, a string expected" },
    { { "x1", dev = "x0" }, "EEXIST", "x1 on x0", "File exists" },
    { { "y", dev = "x0", up = true }, "EINVAL", "y on x0", 'unknown key "up"; valid are dev, altname' },
}

function TestAltname.test_wrong_values()
    for _, one in ipairs(wrong) do
        support.refused(one[2], ("cannot add altname %s in %s: %s (%s)"):format(one[3], ns.name, one[4], one[2]),
            ns.altname.add, ns.altname, one[1])
    end
    local err = support.raised(ns.altname.add, ns.altname, { ("y"):rep(128), dev = "x0" })
    lu.assertEquals(err.code, "ENAMETOOLONG")
    lu.assertStrContains(err.message, "has 128 characters, at most 127 are allowed")
    support.refused("ENOENT", "cannot del altname y on x0 in " .. ns.name .. ": No such file or directory (ENOENT)",
        ns.altname.del, ns.altname, { "y", dev = "x0" })
end

function TestAltname.test_in_a_lab()
    local lab <close> = nsh.lab "names"
    local node = lab:node "a"
    node:altname{ "uplink-of-a", dev = "eth0" }
    node:connect{ "eth0", to = lab:node "b", peer = { "eth0" } }
    lab:up()
    lu.assertEquals(node.link:get("uplink-of-a").ifname, "eth0")
end

local status = support.run()
print(("# %d fields compared with ip, of altname"):format(compared))
os.exit(status)
