-- tun and tap: links that are made through /dev/net/tun, against `ip tuntap` and `ip -j -d link`.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local oracle = dofile((arg[0]:gsub("[^/]*$", "oracle.lua")))
local lu = require "luaunit"
local nsh = require "nsh"

nsh.sandbox()

local ns, other

local trace = support.trace

-- What iproute2 says of a link there, and that nsh says the same.
local function shown(where, name)
    local theirs = oracle.prepare("ip", "link", support.ip(where, "-d link show %s", name)[1])
    local ours = oracle.prepare("nsh", "link", support.as_json(where.link:get(name)))
    lu.assertEquals(oracle.differences(ours, theirs, name, {}), {})
    return theirs
end

TestTun = {}

function TestTun.setUp()
    local device = io.open("/dev/net/tun", "r+")
    lu.skipIf(not device, "/dev/net/tun is not there, or not for this user")
    device:close()
    ns, other = nsh.netns.new(), nsh.netns.new()
end

function TestTun.tearDown()
    ns:close()
    other:close()
end

-- In a sandbox of an ordinary user only root has a number that the kernel knows there.
local cases = {
    { { mode = "tap" }, "mode tap" },
    { { mode = "tun" }, "mode tun" },
    { { mode = "TAP", pi = true }, "mode tap pi" },
    { { mode = "tun", vnet_hdr = true }, "mode tun vnet_hdr" },
    { { mode = "tap", multi_queue = true, user = 0 }, "mode tap multi_queue user 0" },
    { { mode = "tap", multi_queue = false, group = "root" }, "mode tap group 0" },
    { { tun = { type = "tun", user = "root", group = 0, pi = true } }, "mode tun user 0 group 0 pi" },
}

function TestTun.test_the_same_link_as_of_ip()
    for _, case in ipairs(cases) do
        local args = { "x0", type = "tun" }
        for key, value in pairs(case[1]) do args[key] = value end
        ns.link:add(args)
        support.sh("ip tuntap add dev x0 " .. case[2], other)
        local ours, theirs = shown(ns, "x0"), shown(other, "x0")
        for _, key in ipairs{ "linkinfo", "flags", "link_type", "mtu", "txqlen", "num_tx_queues" } do
            lu.assertEquals(ours[key], theirs[key], case[2])
        end
        ns.link:del "x0"
        other.link:del "x0"
    end
end

function TestTun.test_a_record_makes_it_again()
    ns.link:add{ "x0", type = "tun", mode = "tap", multi_queue = true, vnet_hdr = true, mtu = 1400, group = "root",
        txqueuelen = 7, alias = "a tap", address = "02:00:00:00:00:07" }
    local record = ns.link:get "x0"
    other.link:add(record)
    local again = other.link:get "x0"
    record.ifindex, again.ifindex = nil, nil
    lu.assertEquals(again, record)
    lu.assertEquals(trace(other.link.set, other.link, other.link:get "x0"), {})
end

function TestTun.test_it_is_said_as_commands_that_do_the_same()
    local lines = trace(ns.link.add, ns.link, { "x0", type = "tun", mode = "tap", pi = true, vnet_hdr = false,
        user = "root", mtu = 1400, up = true, alias = "later" })
    local on = "ip -n " .. ns.name .. " "
    lu.assertEquals(lines, { on .. "tuntap add dev x0 mode tap user root pi\n" .. on ..
        "link set dev x0 up mtu 1400", on .. "link set dev x0 alias later" })
    support.sh((table.concat(lines, "\n"):gsub("%-n %S+ ", "")), other)
    lu.assertEquals(shown(other, "x0").linkinfo, shown(ns, "x0").linkinfo)
    lu.assertEquals(trace(ns.link.add, ns.link, { "x1", type = "tun", mode = "tun" }),
        { on .. "tuntap add dev x1 mode tun" })
end

function TestTun.test_it_stays_and_goes_as_any_link()
    ns.link:add{ "x0", type = "tun", mode = "tun", up = true }
    ns.addr:add{ "10.0.0.1/24", dev = "x0" }
    lu.assertEquals(ns.link:get("x0").linkinfo.info_data.persist, true)
    lu.assertEquals(support.pluck(ns.link:list{ type = "tun", mode = "tun" }, "ifname"), { "x0" })
    lu.assertEquals(ns.link:list{ type = "tun", mode = "tap" }, {})
    ns.link:del "x0"
    lu.assertEquals(ns.link:list{ type = "tun" }, {})
end

function TestTun.test_a_port_of_a_bridge()
    ns.link:add{ "b0", type = "bridge" }
    ns.link:add{ "x0", type = "tun", mode = "tap", master = "b0" }
    lu.assertEquals(ns.link:get("x0").master, "b0")
end

function TestTun.test_in_another_namespace()
    ns.link:add{ "x0", type = "tun", mode = "tap", netns = other, alias = "far" }
    lu.assertEquals(other.link:get("x0").ifalias, "far")
    lu.assertEquals(#ns.link:list(), 1)
end

function TestTun.test_replace()
    ns.link:replace{ "x0", type = "tun", mode = "tap", mtu = 1400 }
    ns.link:replace{ "x0", type = "tun", mode = "tap", mtu = 1300 }
    lu.assertEquals(ns.link:get("x0").mtu, 1300)
end

local wrong = {
    { {}, "EINVAL", "mode: missing" },
    { { mode = "tup" }, "EINVAL", 'mode: "tup" given, one of tun, tap expected' },
    { { mode = "tap", user = "no-such-user" }, "EINVAL",
        'user: "no-such-user" given, a user of this machine expected' },
    { { mode = "tap", group = "no-such-group" }, "EINVAL",
        'group: "no-such-group" given, a group of this machine expected' },
    { { mode = "tap", user = -1 }, "ERANGE", "user: -1 is out of range: 0 to 4294967295" },
    { { mode = "tap", pi = "maybe" }, "EINVAL", 'pi: "maybe" given, true or false expected' },
    { { mode = "tap", vnethdr = true }, "EINVAL", 'unknown key "vnethdr"; did you mean vnet_hdr' },
    { { mode = "tun", address = "02:00:00:00:00:01" }, "EOPNOTSUPP", "Operation not supported" },
    { { mode = "tap", mtu = 1 }, "EINVAL", "mtu less than device minimum" },
}

function TestTun.test_what_is_refused_leaves_nothing()
    for _, one in ipairs(wrong) do
        local args = { "x0", type = "tun" }
        for key, value in pairs(one[1]) do args[key] = value end
        support.refused(one[2], ("cannot add link x0 in %s: %s (%s)"):format(ns.name, one[3], one[2]),
            ns.link.add, ns.link, args)
        lu.assertEquals(#ns.link:list(), 1)
    end
end

function TestTun.test_one_that_exists()
    ns.link:add{ "x0", type = "tun", mode = "tap" }
    support.refused("EEXIST", "cannot add link x0 in " .. ns.name .. ": File exists (EEXIST)", ns.link.add, ns.link,
        { "x0", type = "tun", mode = "tap" })
    lu.assertEquals(#ns.link:list(), 2)
end

function TestTun.test_in_a_lab()
    local lab <close> = nsh.lab "taps"
    local node = lab:node "a"
    node:bridge{ "br0" }
    node:link{ "tap0", type = "tun", mode = "tap", mtu = 1400, master = "br0" }
    lu.assertStrContains(table.concat(lab:plan(), "\n"), "ip -n a tuntap add dev tap0 mode tap")
    lab:up()
    local record = node.link:get "tap0"
    lu.assertEquals({ record.mtu, record.master, record.linkinfo.info_data.type }, { 1400, "br0", "tap" })
    local host = lab.host
    host:link{ "tap1", type = "tun", mode = "tun" }
    lab:up()
    lu.assertEquals(nsh.host.link:get("tap1").linkinfo.info_data.type, "tun")
    lab:down()
    support.wait_for("the guardian deletes it", function() return #nsh.host.link:list{ type = "tun" } == 0 end)
end

local function run()
    local status = support.run()
    print(("# %d fields compared with iproute2"):format(oracle.compared))
    return status
end

os.exit(run())
