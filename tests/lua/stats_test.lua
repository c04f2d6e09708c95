-- What went through a link: with `stats = true`, and `ip -j -s link` as the oracle.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"
local nsh = require "nsh"

nsh.sandbox()
local compared = 0

TestStats = {}

function TestStats:setUp()
    self.ns, self.other = support.pair("counted", "other")
    for i, ns in ipairs{ self.ns, self.other } do
        ns.addr:add{ ("10.0.0.%d/24"):format(i), dev = "v" .. i - 1 }
        ns.link:set{ "lo", up = true }
    end
    lu.assertEquals(self.ns:ping("10.0.0.2", { count = 3 }).ok, true)
    self.ns:ping "10.0.0.1"
end

function TestStats:tearDown()
    for _, ns in ipairs{ self.ns, self.other } do
        ns:close()
        nsh.netns.del(ns.name)
    end
end

-- What runs on its own may be counted between two looks.
local function at_rest(look)
    local before
    support.wait_for("nothing is counted any more", function()
        local now = support.as_json(look())
        local same = pcall(lu.assertEquals, now, before)
        before = now
        return same
    end)
    return before
end

function TestStats:test_all_counters_are_as_ip_tells_them()
    for i = 1, 100 do
        local own = at_rest(function() return self.ns.link:list{ stats = true } end)
        local shown = support.ip(self.ns, "-d -s link")
        local equal = pcall(lu.assertEquals, support.map(own, function(one) return one.stats64 end),
            support.map(shown, function(one) return one.stats64 end))
        lu.assertEquals(equal or i < 100, true)
        if equal then
            for _, link in ipairs(own) do
                for _, direction in pairs(link.stats64) do for _ in pairs(direction) do compared = compared + 1 end end
            end
            lu.assertEquals(own[1].stats64.rx.packets > 0 and own[2].stats64.tx.bytes > 0, true)
            return
        end
    end
end

function TestStats:test_they_are_told_only_to_who_asks()
    local link = self.ns.link
    lu.assertEquals(link:get{ "v0", stats = true }.stats64.rx.packets > 2, true)
    lu.assertNil(link:get("v0").stats64)
    lu.assertNil(link:get{ "v0", stats = false }.stats64)
    lu.assertEquals(#link:list{ stats = true, mtu = 1500 }, 1)
    for _, one in ipairs(link:list()) do lu.assertNil(one.stats64) end
    local monitor = self.ns:monitor{ "link", initial = true }
    lu.assertNil(monitor:next(5).record.stats64)
    link:set{ "v0", mtu = 1400 }
    for event in function() return monitor:next(0.2) end do
        lu.assertNil(event.record and event.record.stats64)
    end
    monitor:close()
end

function TestStats:test_a_record_with_them_can_be_given_back()
    self.ns.link:add{ "br0", type = "bridge" }
    local record = self.ns.link:get{ "br0", stats = true }
    lu.assertEquals(record.stats64.tx.packets, 0)
    lu.assertEquals(support.said(function() self.ns.link:set(record) end), "")
    self.other.link:add(record)
    lu.assertEquals(self.other.link:get("br0").address, record.address)
end

function TestStats:test_a_table_has_columns_for_them()
    lu.assertStrContains(nsh.show.format(self.ns.link:list{ stats = true }), "RX BYTES")
    lu.assertNil((nsh.show.format(self.ns.link:list()):find "BYTES"))
end

function TestStats:test_wrong_values()
    local link = self.ns.link
    support.refused("EINVAL", "cannot set link v0 in counted: stats: only get and list tell them (EINVAL)", link.set,
        link, { "v0", stats = true })
    support.refused("EINVAL", "cannot add link x0 in counted: peer stats: only get and list tell them (EINVAL)",
        link.add, link, { "x0", type = "veth", peer = { "x1", stats = true } })
    support.refused("EINVAL", 'cannot list link in counted: stats: "rx" given, true or false expected (EINVAL)',
        link.list, link, { stats = "rx" })
end

local status = support.run()
print(("# %d fields compared with iproute2, of link"):format(compared))
os.exit(status)
