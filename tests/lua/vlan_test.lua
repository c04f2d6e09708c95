-- VLANs of bridges and ports, with `bridge` as the oracle: the same are set by nsh, by bridge, by the
-- command that nsh prints, and from records; what nsh lists of each is compared with `bridge -j -d`.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local function new(name)
    local ns = nsh.netns.add(name)
    ns.link:add{ "br0", type = "bridge", up = true }
    for _, port in ipairs{ "p1", "p2" } do
        ns.link:add{ port, type = "veth", up = true, master = "br0", peer = port .. "-peer" }
    end
    return ns
end

local by_nsh, by_bridge, by_command, by_record =
    new "by-nsh", new "by-bridge", new "by-command", new "by-record"
local all = { by_nsh, by_bridge, by_command, by_record }

local has_vlans = pcall(by_nsh.link.set, by_nsh.link, { "br0", type = "bridge", vlan_filtering = 1 })
for _, ns in ipairs(has_vlans and all or {}) do
    ns.link:set{ "br0", type = "bridge", vlan_filtering = 1 }
end

local function need_vlans() lu.skipIf(not has_vlans, "this kernel's bridges have no VLANs") end

local function bridge(ns, words)
    return support.sh(("bridge -n %s %s"):format(ns.name, words))
end

-- --- the comparison ------------------------------------------------------------------------------

local compared = 0

local function by_place(records)
    table.sort(records, function(a, b)
        if a.ifname ~= b.ifname then return a.ifname < b.ifname end
        return a.vlan < b.vlan
    end)
    return records
end

-- One record a VLAN or range, where bridge has a list under each port; no flags are an empty list.
local function theirs(ns)
    local records = {}
    for _, port in ipairs(support.decode(bridge(ns, "-j -d vlan show"))) do
        for _, record in ipairs(port.vlans) do
            record.ifname, record.flags = port.ifname, record.flags or {}
            records[#records + 1] = record
            for _ in pairs(record) do compared = compared + 1 end
        end
    end
    return by_place(records)
end

local function ours(ns) return by_place(support.as_json(ns.vlan:list())) end

local function clear()
    if not has_vlans then return end
    for _, ns in ipairs(all) do
        for _, record in ipairs(ns.vlan:list()) do ns.vlan:del(record) end
        lu.assertEquals(ns.vlan:list(), {})
    end
end

-- --- what can be said ----------------------------------------------------------------------------

-- The verb, its arguments, and bridge's words.
local steps = {
    { "add", { dev = "p1", vid = 10 }, "add dev p1 vid 10" },
    { "add", { 11, dev = "p1", pvid = true }, "add dev p1 vid 11 pvid" },
    { "add", { "12", dev = "p1", untagged = true }, "add dev p1 vid 12 untagged" },
    { "add", { 13, dev = "p1", pvid = true, untagged = true }, "add dev p1 vid 13 pvid untagged" },
    { "add", { 11, dev = "p1", untagged = "on" }, "add dev p1 vid 11 untagged" },
    { "add", { 1, dev = "p2", master = true }, "add dev p2 vid 1 master" },
    { "add", { 4094, dev = "p2", pvid = false }, "add dev p2 vid 4094" },
    { "add", { "20-30", dev = "p2" }, "add dev p2 vid 20-30" },
    { "add", { "40-42", dev = "p2", untagged = true }, "add dev p2 vid 40-42 untagged" },
    { "add", { vlan = 50, vlanEnd = 55, ifname = "p2", flags = { "Egress Untagged" } },
        "add dev p2 vid 50-55 untagged" },
    { "add", { 5, dev = "br0", self = true }, "add dev br0 vid 5 self" },
    { "add", { 6, dev = "br0", pvid = true }, "add dev br0 vid 6 pvid self" },
    { "add", { "60-70", dev = "br0" }, "add dev br0 vid 60-70 self" },
    { "del", { 10, dev = "p1" }, "del dev p1 vid 10" },
    { "del", { "22-25", dev = "p2" }, "del dev p2 vid 22-25" },
    { "del", { 61, dev = "br0", self = true }, "del dev br0 vid 61 self" },
}

local options = {
    { "set", { 12, dev = "p1", state = "blocking" }, "set dev p1 vid 12 state blocking" },
    { "set", { 13, dev = "p1", mcast_router = 2 }, "set dev p1 vid 13 mcast_router 2" },
    { "set", { "20-21", dev = "p2", state = "learning" }, "set dev p2 vid 20-21 state learning" },
    { "set", { 5, dev = "br0", state = 0 }, "set dev br0 vid 5 state disabled" },
}

local function apply(list)
    for _, step in ipairs(list) do
        local verb, args, words = table.unpack(step)
        local command = support.said(function() by_nsh.vlan[verb](by_nsh.vlan, args) end)
        bridge(by_bridge, "vlan " .. words)
        support.iproute.run((command:gsub("by%-nsh", "by-command")))
        lu.assertEquals(theirs(by_nsh), theirs(by_bridge), words)
        lu.assertEquals(theirs(by_command), theirs(by_bridge), command)
        lu.assertEquals(ours(by_nsh), theirs(by_bridge), words)
    end
end

TestVlan = { setUp = clear }

function TestVlan.test_the_same_as_bridge()
    need_vlans()
    apply(steps)
    local records = by_nsh.vlan:list()
    for _, record in ipairs(records) do by_record.vlan:add(record) end
    lu.assertEquals(by_place(by_record.vlan:list()), by_place(records))
    apply(options)
    lu.assertEquals(ours(by_bridge), theirs(by_bridge))
    for _, record in ipairs(by_nsh.vlan:list()) do by_record.vlan:set(record) end
    lu.assertEquals(ours(by_record), theirs(by_bridge))
end

-- One message of the kernel holds a port's; many do not fit in one.
function TestVlan.test_many()
    need_vlans()
    for vid = 2, 4094, 2 do by_nsh.vlan:add{ vid, dev = "p1" } end
    lu.assertEquals(#by_nsh.vlan:list(), 2047)
    lu.assertEquals(ours(by_nsh), theirs(by_nsh))
    by_nsh.vlan:del{ "1-4094", dev = "p1" }
    lu.assertEquals(by_nsh.vlan:list(), {})
end

function TestVlan.test_filters()
    need_vlans()
    by_nsh.vlan:add{ "20-30", dev = "p1" }
    by_nsh.vlan:add{ 25, dev = "p2", pvid = true }
    by_nsh.vlan:add{ 40, dev = "p2" }
    local function count(filter) return #by_nsh.vlan:list(filter) end
    lu.assertEquals(count "p1", 1)
    lu.assertEquals(count{ dev = "p2" }, 2)
    lu.assertEquals(count{ vid = 25 }, 2)
    lu.assertEquals(count{ vid = 20 }, 1)
    lu.assertEquals(count{ vid = "22-30" }, 1)
    lu.assertEquals(count{ vid = "22-31" }, 0)
    lu.assertEquals(count{ pvid = true }, 1)
    lu.assertEquals(count{ pvid = false }, 2)
    lu.assertEquals(count{ dev = "p2", vid = 40, state = "forwarding" }, 1)
    lu.assertEquals(count{ state = "blocking" }, 0)
end

function TestVlan.test_forwarding_in_a_vlan()
    need_vlans()
    by_nsh.vlan:add{ 7, dev = "p1" }
    local command = support.said(function()
        by_nsh.fdb:add{ "02:00:00:00:00:07", dev = "p1", vlan = 7, master = true, static = true }
    end)
    lu.assertEquals(command,
        "bridge -n by-nsh fdb add 02:00:00:00:00:07 dev p1 vlan 7 master static")
    local record = by_nsh.fdb:list{ mac = "02:00:00:00:00:07" }
    lu.assertEquals(support.as_json(record), { { mac = "02:00:00:00:00:07", ifname = "p1", vlan = 7,
        master = "br0", flags = {}, state = "static" } })
    lu.assertStrContains(bridge(by_nsh, "fdb show vlan 7"),
        "02:00:00:00:00:07 dev p1 vlan 7 master br0 static")
    by_nsh.fdb:del(record[1])
end

-- --- what is refused -----------------------------------------------------------------------------

local EINVAL, ERANGE = "EINVAL", "ERANGE"

-- The verb, its arguments, the name in the sentence, and the rest of it.
local bad = {
    { "add", { dev = "p1", vid = 0 }, "0 on p1", "vid: 0 is out of range: 1 to 4094", ERANGE },
    { "add", { dev = "p1", vid = 4095 }, "4095 on p1", "vid: 4095 is out of range: 1 to 4094", ERANGE },
    { "add", { dev = "p1", vid = "7-4095" }, "7-4095 on p1", "vid: 4095 is out of range: 1 to 4094", ERANGE },
    { "add", { dev = "p1", vid = "7-" }, "7- on p1", 'vid: "7-" given, an integer, or two expected', EINVAL },
    { "add", { dev = "p1", vid = "-7" }, "-7 on p1", 'vid: "-7" given, an integer, or two expected', EINVAL },
    { "add", { dev = "p1", vid = "1-2-3" }, "1-2-3 on p1",
        'vid: "1-2-3" given, an integer, or two expected', EINVAL },
    { "add", { dev = "p1", vid = "ten" }, "ten on p1", 'vid: "ten" given, an integer expected', EINVAL },
    { "add", { dev = "p1", vid = true }, "true on p1", "vid: true given, an integer expected", EINVAL },
    { "add", { dev = "p1" }, "p1", "vid: missing", EINVAL },
    { "add", { vid = 7 }, "7", "dev: missing", EINVAL },
    { "add", { 7, dev = "nowhere" }, "7 on nowhere", 'dev: there is no interface "nowhere"', "ENODEV" },
    { "add", { 7, dev = "p1", vid = 8 }, "7 on p1", "vid: given twice", EINVAL },
    { "add", { 7, dev = "p1", pvidd = true }, "7 on p1", 'unknown key "pvidd"; did you mean pvid', EINVAL },
    { "add", { 7, dev = "p1", pvid = "maybe" }, "7 on p1", 'pvid: "maybe" given, true or false expected', EINVAL },
    { "add", { 7, dev = "p1", flags = { "Pvid?" } }, "7 on p1",
        'flags: "Pvid?" given, one of PVID, Egress Untagged expected', EINVAL },
    { "add", { 7, dev = "p1", self = true }, "7 on p1", "self: it is no bridge", EINVAL },
    { "add", { 7, dev = "br0", master = true }, "7 on br0", "master: it is the bridge itself", EINVAL },
    { "add", { 7, dev = "p1", state = "blocking" }, "7 on p1",
        "state: only one that is there can have another: set it", EINVAL },
    { "set", { 7, dev = "p1", state = "open" }, "7 on p1", 'state: "open" given, one of disabled, ' ..
        "listening, learning, forwarding, blocking expected", EINVAL },
    { "set", { 7, dev = "p1", mcast_router = 4 }, "7 on p1", "mcast_router: 4 is out of range: 0 to 3", ERANGE },
    { "set", { 7, dev = "p1", pvid = true }, "7 on p1", "pvid: add it anew to change that", EINVAL },
    { "set", { 7, dev = "p1", untagged = true }, "7 on p1", "untagged: add it anew to change that", EINVAL },
}

TestErrors = {}

function TestErrors.test_bad_arguments()
    for _, case in ipairs(bad) do
        local verb, args, name, text, code = table.unpack(case)
        support.refused(code, ("cannot %s vlan %s in by-nsh: %s (%s)"):format(verb, name, text, code),
            by_nsh.vlan[verb], by_nsh.vlan, args)
    end
end

function TestErrors.test_what_the_kernel_says()
    need_vlans()
    local function said(verb, args)
        return support.raised(by_nsh.vlan[verb], by_nsh.vlan, args).message
    end
    lu.assertEquals(said("add", { "30-20", dev = "p1" }),
        "bridge: End vlan id is less than or equal to start vlan id")
    lu.assertEquals(said("add", { "20-30", dev = "p1", pvid = true }), "bridge: Pvid isn't allowed in a range")
    lu.assertEquals(said("add", { 7, dev = "lo" }), "bridge: The device is not a valid bridge or bridge port")
end

function TestErrors.test_a_kernel_without_vlans()
    lu.skipIf(has_vlans, "this kernel's bridges have VLANs")
    local err = support.raised(by_nsh.vlan.list, by_nsh.vlan)
    lu.assertEquals(err.code, "EOPNOTSUPP")
    lu.assertStrContains(err.hint, "CONFIG_BRIDGE_VLAN_FILTERING")
end

local status = support.run()
print(("# %d fields compared with bridge"):format(compared))
os.exit(status)
