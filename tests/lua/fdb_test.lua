-- The forwarding databases of bridges and tunnels, with `bridge` as the oracle: the same entries are made
-- by nsh, by bridge, by the command that nsh prints, and from records.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local function new(name)
    local ns = nsh.netns.add(name)
    ns.link:add{ "br0", type = "bridge", up = true, address = "02:00:00:00:01:00" }
    pcall(ns.link.set, ns.link, { "br0", type = "bridge", vlan_default_pvid = 0 }) -- else all twice
    for _, port in ipairs{ "p1", "p2" } do
        ns.link:add{ port, type = "veth", up = true, master = "br0", address = "02:00:00:00:01:0" .. port:sub(2),
            peer = port .. "-peer" }
        ns.link:set{ port .. "-peer", up = true }
        support.wait_for("the port forwards", function()
            return ns.link:get(port).linkinfo.info_slave_data.state == "forwarding"
        end)
    end
    return ns
end

local by_nsh, by_bridge, by_command, by_record =
    new "by-nsh", new "by-bridge", new "by-command", new "by-record"
local all = { by_nsh, by_bridge, by_command, by_record }

local has_vxlan = pcall(by_nsh.link.add, by_nsh.link, { "probe", type = "vxlan" })
if not has_vxlan then -- it may miss its attributes only
    has_vxlan = pcall(support.sh, "ip -n by-nsh link add probe type vxlan id 1 dstport 1 && " ..
        "ip -n by-nsh link del probe")
end

local function bridge(ns, words)
    return support.iproute.run(("bridge -n %s %s"):format(ns.name, words))
end

local compared = 0

local function by_mac(records)
    local function key(record)
        return record.mac .. record.ifname .. (record.master or "") .. (record.dst or "")
    end
    table.sort(records, function(a, b) return key(a) < key(b) end)
    return records
end

-- Those that the test made, not the kernel's own: 02:00:00:00:00:…
local function own(records)
    local kept = {}
    for _, record in ipairs(records) do
        if record.mac:find "^02:00:00:00:00" then kept[#kept + 1] = record end
    end
    return by_mac(kept)
end

local function ours(ns) return support.as_json(ns.fdb:list()) end

local function theirs(ns)
    local records = support.decode(bridge(ns, "-j -d fdb show"))
    for _, record in ipairs(records) do
        for _ in pairs(record) do compared = compared + 1 end
    end
    return records
end

local function clear()
    for _, ns in ipairs(all) do
        for _, record in ipairs(own(ns.fdb:list())) do ns.fdb:del(record) end
        lu.assertEquals(own(ns.fdb:list()), {})
    end
end

-- --- what can be said ----------------------------------------------------------------------------

local function mac(n) return ("02:00:00:00:00:%02x"):format(n) end

-- The verb, the address, nsh's other arguments, bridge's words.
local steps = {
    { "add", 1, { dev = "p1" }, "" },
    { "add", 2, { dev = "p1", self = true }, "self" },
    { "add", 3, { dev = "p1", master = true }, "master" },
    { "add", 4, { dev = "p1", master = "br0" }, "master" },
    { "add", 5, { dev = "p1", master = true, static = true }, "master static" },
    { "add", 6, { dev = "p1", master = true, dynamic = true }, "master dynamic" },
    { "add", 7, { dev = "p1", master = true, permanent = true }, "master permanent" },
    { "add", 8, { dev = "p1", master = true, state = "static" }, "master static" },
    { "add", 9, { dev = "p1", master = true, state = "local" }, "master local" },
    { "add", 10, { dev = "p1", master = true, state = "" }, "master dynamic" },
    { "add", 11, { dev = "p1", master = true, static = true, sticky = true }, "master static sticky" },
    { "add", 12, { dev = "p1", master = true, extern_learn = true, dynamic = true },
        "master extern_learn dynamic" },
    { "add", 13, { dev = "p1", master = true, use = true, dynamic = true }, "master use dynamic" },
    { "add", 14, { ifname = "p1", flags = { "sticky" }, master = "br0", state = "static" },
        "master sticky static" },
    { "add", 15, { dev = "br0", self = true }, "self" },
    { "add", 16, { dev = "br0", master = "br0" }, "self" },
    { "replace", 5, { dev = "p2", master = true, static = true }, "master static" },
    { "replace", 17, { dev = "p2", master = true, dynamic = true }, "master dynamic" },
    { "del", 1, { dev = "p1" }, "" },
    { "del", 3, { dev = "p1", master = true }, "master" },
}

local tunnels = {
    { "add", 1, { dev = "vx", dst = "10.0.0.1" }, "dst 10.0.0.1" },
    { "append", 1, { dev = "vx", dst = "10.0.0.2", port = 4790, vni = 43, via = "br0" },
        "dst 10.0.0.2 port 4790 vni 43 via br0" },
    { "add", 2, { dev = "vx", dst = "10.0.0.3", self = true, dynamic = true },
        "dst 10.0.0.3 self dynamic" },
    { "add", 3, { dev = "vx6", dst = "fd00::1", static = true }, "dst fd00::1 static" },
    { "del", 1, { dev = "vx", dst = "10.0.0.2", port = 4790, vni = 43, via = "br0" },
        "dst 10.0.0.2 port 4790 vni 43 via br0" },
}

local function check_step(step)
    local verb, n, args, words = table.unpack(step)
    args.mac = mac(n)
    local command = support.said(function() by_nsh.fdb[verb](by_nsh.fdb, args) end)
    bridge(by_bridge, ("fdb %s %s dev %s %s"):format(verb, args.mac, args.dev or args.ifname, words))
    support.iproute.run((command:gsub("by%-nsh", "by-command")))
    lu.assertEquals(own(theirs(by_nsh)), own(theirs(by_bridge)), command)
    lu.assertEquals(own(theirs(by_command)), own(theirs(by_bridge)), command)
    lu.assertEquals(by_mac(ours(by_nsh)), by_mac(theirs(by_nsh)))
end

local function check_records()
    local records = own(by_nsh.fdb:list())
    for _, record in ipairs(records) do by_record.fdb:append(record) end
    lu.assertEquals(own(by_record.fdb:list()), records)
end

TestFdb = { setUp = clear }

function TestFdb.test_the_same_as_bridge()
    for _, step in ipairs(steps) do check_step(step) end
    lu.assertEquals(by_mac(ours(by_bridge)), by_mac(theirs(by_bridge)))
end

function TestFdb.test_records_can_be_given_back()
    for _, step in ipairs(steps) do
        if step[1] == "add" then
            step[3].mac = mac(step[2])
            by_nsh.fdb:add(step[3])
        end
    end
    local records = own(by_nsh.fdb:list())
    lu.assertEquals(#records, 16)
    for _, record in ipairs(records) do by_record.fdb:add(record) end
    lu.assertEquals(own(by_record.fdb:list()), records)
end

function TestFdb.test_tunnels()
    lu.skipIf(not has_vxlan, "this kernel has no vxlan")
    for _, ns in ipairs(all) do
        support.sh(("ip -n %s link add vx type vxlan id 42 dstport 4789"):format(ns.name))
        support.sh(("ip -n %s link add vx6 type vxlan id 43 dstport 4790 remote fd00::9 dev br0"):format(ns.name))
    end
    for _, step in ipairs(tunnels) do check_step(step) end
    check_records()
    lu.assertEquals(#by_nsh.fdb:list{ dst = "fd00::1" }, 1)
    lu.assertEquals(#by_nsh.fdb:list{ dst = "10.0.0.1" }, 1)
    lu.assertEquals(#by_nsh.fdb:list{ dst = "10.0.0.9" }, 0)
end

function TestFdb.test_get_and_filters()
    by_nsh.fdb:add{ mac(1), dev = "p1", master = true, static = true }
    by_nsh.fdb:add{ mac(2), dev = "p2", master = true, dynamic = true }
    lu.assertEquals(by_nsh.fdb:get{ mac(1), dev = "p1" }.state, "static")
    lu.assertEquals(by_nsh.fdb:get{ mac(2), br = "br0" }.ifname, "p2")
    local function count(filter) return #own(by_nsh.fdb:list(filter)) end
    lu.assertEquals(count "p1", 1)
    lu.assertEquals(count{ br = "br0" }, 2)
    lu.assertEquals(count{ master = "br0", dev = "p1" }, 1)
    lu.assertEquals(count{ mac = mac(2) }, 1)
    lu.assertEquals(count{ state = "static" }, 1)
    lu.assertEquals(count{ dynamic = true }, 1)
    lu.assertEquals(count{ self = true }, 0)
    lu.assertEquals(support.raised(by_nsh.fdb.get, by_nsh.fdb, { mac(9), br = "br0" }).code, "ENOENT")
end

-- --- what is refused -----------------------------------------------------------------------------

local EINVAL, ERANGE = "EINVAL", "ERANGE"

local bad = {
    { { "02:00", dev = "p1" }, "02:00 on p1",
        'mac: "02:00" is not a MAC address such as 02:00:00:00:00:01', EINVAL },
    { { mac(1), dev = 1.5 }, mac(1) .. " on 1.5", "dev: 1.5 given, the name of an interface expected", EINVAL },
    { { mac(1), dev = "p1", master = false }, mac(1) .. " on p1",
        "master: false given, the name of an interface expected", EINVAL },
    { { mac(1), dev = "p1", dst = "here" }, mac(1) .. " on p1",
        'dst: "here" is not an IPv4 or IPv6 address', EINVAL },
    { { mac(1), dev = "p1", port = 65536 }, mac(1) .. " on p1", "port: 65536 is out of range: 0 to 65535", ERANGE },
    { { mac(1), dev = "p1", vni = 1 << 24 }, mac(1) .. " on p1",
        "vni: 16777216 is out of range: 0 to 16777215", ERANGE },
    { { mac(1), dev = "p1", state = "odd" }, mac(1) .. " on p1",
        'state: "odd" given, one of permanent, static, stale, local, dynamic expected', EINVAL },
    { { mac(1), dev = "p1", state = "stale" }, mac(1) .. " on p1",
        "state: one of permanent, static, dynamic expected", EINVAL },
    { { mac(1), dev = "p1", static = true, dynamic = true }, mac(1) .. " on p1",
        "state: one of permanent, static, dynamic expected", EINVAL },
    { { mac(1), dev = "p1", state = "static", dynamic = true }, mac(1) .. " on p1",
        "state: one of permanent, static, dynamic expected", EINVAL },
    { { mac(1), dev = "p1", stick = true }, mac(1) .. " on p1",
        'unknown key "stick"; did you mean sticky', EINVAL },
    { { mac(1) }, mac(1), "dev: missing", EINVAL },
    { { dev = "p1" }, "p1", "mac: missing", EINVAL },
}

TestErrors = { setUp = clear }

function TestErrors.test_bad_arguments()
    for _, case in ipairs(bad) do
        local args, name, text, code = table.unpack(case)
        support.refused(code, ("cannot add fdb %s in by-nsh: %s (%s)"):format(name, text, code),
            by_nsh.fdb.add, by_nsh.fdb, args)
    end
end

function TestErrors.test_what_the_kernel_says()
    by_nsh.fdb:add{ mac(1), dev = "p1", master = true }
    lu.assertEquals(support.raised(by_nsh.fdb.add, by_nsh.fdb, { mac(1), dev = "p1", master = true }).code,
        "EEXIST")
    lu.assertEquals(support.raised(by_nsh.fdb.del, by_nsh.fdb, { mac(9), dev = "p1", master = true }).code,
        "ENOENT")
end

local status = support.run()
print(("# %d fields compared with bridge"):format(compared))
os.exit(status)
