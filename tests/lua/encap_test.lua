-- Routes that put something around packets: `encap ip`, `encap ip6`. The oracle is the text of `ip -d route`, since
-- its JSON has two fields of one name.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local core = require "nsh.core"
local lu = require "luaunit"
local nsh = require "nsh"

nsh.sandbox()

local WAYS = { "by-nsh", "by-ip", "by-command", "by-record" }
local spaces, compared, release = {}, 0, support.sh "uname -r"

-- Some kernels of 6.18 die of options of encap that they refuse elsewhere: of those only the plainest is tried.
local function require_tried()
    lu.skipIf(not release:find "%-amd64", "tried on Debian's kernel only")
end

TestEncap = {}

function TestEncap:setUp()
    for _, way in ipairs(WAYS) do
        local ns = nsh.netns.add(way)
        spaces[way] = ns
        ns.link:add{ "v0", type = "veth", address = "02:00:00:00:00:10", up = true, peer = "v1" }
        ns.link:set{ "v1", up = true }
        ns.addr:add{ "10.0.0.1/24", dev = "v0" }
        ns.addr:add{ "fd00::1/64", dev = "v0", nodad = true }
    end
end

function TestEncap:tearDown()
    for way, ns in pairs(spaces) do
        ns:close()
        nsh.netns.del(way)
    end
end

-- "encap ip id 7 src 0.0.0.0 dst 10.0.0.2 ttl 0 tos 0 csum", each that there is.
local alone = { key = true, csum = true, seq = true }

local function parse(text)
    local list = {}
    for at in text:gmatch "encap ([^\n]*)" do
        local words = at:gmatch "%S+"
        local one = { type = words() }
        for word in words do
            if word == "via" or word == "dev" then break end
            if alone[word] then one[word] = true else
                local value = words()
                one[word] = math.tointeger(tonumber(value)) or value
            end
        end
        list[#list + 1] = one
    end
    return list
end

local function encaps(records)
    local list = {}
    for _, record in ipairs(support.as_json(records)) do
        for _, way in ipairs(record.nexthops or { record }) do list[#list + 1] = way.encap end
    end
    return list
end

local function shown(object, ns, option)
    return support.sh(("ip -n %s -d %s %s show %s"):format(ns.name, option, object,
        object == "route" and "10.9.0.0/16" or ""))
end

-- In all four ways, on an object that is gone behind it.
local function check(object, args, words, key)
    local printed = support.said(function() spaces["by-nsh"][object]:add(args) end)
    support.sh(("ip -n by-ip %s add %s"):format(object, words))
    support.sh((printed:gsub("%-n by%-nsh ", "-n by-command ")))
    for _, record in ipairs(spaces["by-nsh"][object]:list(key)) do spaces["by-record"][object]:add(record) end
    local text = shown(object, spaces["by-ip"], "")
    for _, way in ipairs(WAYS) do
        lu.assertEquals(shown(object, spaces[way], ""), text, way .. ": " .. printed)
        local own = encaps(spaces[way][object]:list(key))
        lu.assertEquals(own, parse(text), way)
        lu.assertEquals(#own > 0, true)
        for _, one in ipairs(own) do for _ in pairs(one) do compared = compared + 1 end end
        spaces[way][object]:del(spaces[way][object]:list(key)[1])
    end
end

function TestEncap.test_of_ip()
    check("route", { "10.9.0.0/16", encap = { "ip", id = 7, dst = "10.0.0.2" }, via = "10.0.0.2", dev = "v0" },
        "10.9.0.0/16 encap ip id 7 dst 10.0.0.2 via 10.0.0.2 dev v0", { to = "10.9.0.0/16" })
end

function TestEncap.test_every_word_of_ip()
    require_tried()
    check("route", { "10.9.0.0/16", dev = "v0", encap = { type = "ip", id = 1 << 40, src = "10.0.0.1", dst = "10.0.0.2",
        ttl = 64, tos = 8, key = true, csum = true, seq = true } }, "10.9.0.0/16 encap ip id 1099511627776 " ..
        "src 10.0.0.1 dst 10.0.0.2 ttl 64 tos 8 key csum seq dev v0", { to = "10.9.0.0/16" })
end

function TestEncap.test_every_word_of_ip6()
    require_tried()
    check("route", { "10.9.0.0/16", dev = "v0", encap = { "ip6", id = 9, src = "fd00::1", dst = "fd00::2", hoplimit = 3,
        tc = 5, key = true, csum = true, seq = true } }, "10.9.0.0/16 encap ip6 id 9 src fd00::1 dst fd00::2 " ..
        "hoplimit 3 tc 5 key csum seq dev v0", { to = "10.9.0.0/16" })
end

function TestEncap.test_several_ways()
    require_tried()
    check("route", { "10.9.0.0/16", nexthops = { { encap = { "ip", id = 1, dst = "10.0.0.2" }, dev = "v0" },
        { encap = { "ip6", id = 2, dst = "fd00::2" }, dev = "v1", weight = 3 } } }, "10.9.0.0/16 " ..
        "nexthop encap ip id 1 dst 10.0.0.2 dev v0 nexthop encap ip6 id 2 dst fd00::2 dev v1 weight 3",
        { to = "10.9.0.0/16" })
end

function TestEncap.test_of_a_nexthop()
    require_tried()
    check("nexthop", { 1, encap = { "ip", id = 5, dst = "10.0.0.2" }, dev = "v0" },
        "id 1 encap ip id 5 dst 10.0.0.2 dev v0")
end

local wrong = {
    { { "ipp", id = 7 }, "encap type",
        '"ipp" given, one of mpls, ip, ila, ip6, seg6, bpf, seg6local, rpl, ioam6 expected' },
    { { id = 7 }, "encap", 'unknown key "id": it belongs to type = "ip"' },
    { { "ip", hoplimit = 7 }, "encap", 'unknown key "hoplimit": it belongs to type = "ip6"' },
    { { "ip" }, "encap dst", "missing" },
    { {}, "encap type", "missing" },
    { "ip6", "encap dst", "missing" },
    { 7, "encap dst", "missing" },
    { { "ip", id = -1 }, "encap id", "-1 is out of range: 0 to 9223372036854775807" },
    { { "ip", dst = "fd00::1" }, "encap dst", '"fd00::1" is not an IPv4 address' },
    { { "ip6", dst = "10.0.0.1" }, "encap dst", '"10.0.0.1" is not an IPv6 address' },
    { { "ip", dst = "10.0.0.1", ttl = 256 }, "encap ttl", "256 is out of range: 0 to 255" },
    { { "ip", dst = "10.0.0.1", key = 7 }, "encap key", "7 given, true or false expected" },
    { { "ip", 7 }, "encap", "too many values" },
    { { "mpls", dst = 100 }, "encap", 'unknown key "dst": nsh does not know the attributes of mpls yet' },
}

function TestEncap.test_wrong_values()
    for _, case in ipairs(wrong) do
        local command, err = core.netlink.command(nil, "route", "add", { "10.9.0.0/16", encap = case[1], dev = "v0" })
        lu.assertNil(command, case[3])
        lu.assertEquals({ (err.key:gsub(" $", "")), err.message }, { case[2], case[3] })
    end
    lu.assertEquals(support.raised(nsh.host.route.list, nsh.host.route, { encap = { "ip", id = 1 } }).code, "EINVAL")
end

local status = support.run()
print(("# %d fields compared with iproute2, of route nexthop"):format(compared))
os.exit(status)
