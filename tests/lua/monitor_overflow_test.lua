-- Monitors that are told more than they have room for: a mirror that follows the events equals the kernel again.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"
local netlink = require "nsh.core".netlink

nsh.sandbox()

-- What says which one a record is, for who keeps a mirror.
local key_of = {
    link = function(link) return link.ifindex end,
    addr = function(addr) return addr.ifindex .. " " .. addr.local_ .. "/" .. addr.prefixlen end,
    route = function(route)
        return ("%s %s %s %s %s %s %s"):format(route.family, route.table, route.type, route.dst, route.dev,
            route.gateway, route.metric)
    end,
    rule = function(rule) return rule.family .. rule.priority end,
}

local function place_of(mirror, event)
    local place = (event.netns or "") .. " " .. event.object
    mirror[place] = mirror[place] or {}
    return mirror[place]
end

-- All that there are, so that the monitor has them no longer.
local function take(monitor)
    local events = {}
    for event in function() return monitor:next(0) end do events[#events + 1] = event end
    return events
end

-- A mirror knows "new" and "del", and nothing of overflows.
local function follow(mirror, events)
    local told = { new = 0, del = 0, overflow = 0, synced = 0 }
    for _, event in ipairs(events) do
        told[event.event] = told[event.event] + 1
        if event.record then
            place_of(mirror, event)[key_of[event.object](event.record)] = event.event == "new" and event.record or nil
        end
    end
    return told
end

local all_of = { route = { { family = "inet", table = "all" }, { family = "inet6", table = "all" } },
    rule = { { family = "inet" }, { family = "inet6" } } }

local function listed(ns, object)
    local there = {}
    for _, filter in ipairs(all_of[object] or { {} }) do
        for _, record in ipairs(ns[object]:list(filter)) do there[key_of[object](record)] = record end
    end
    return there
end

local function sorted_keys(list)
    local keys = {}
    for key in pairs(list) do keys[#keys + 1] = tostring(key) end
    table.sort(keys)
    return keys
end

-- Both in JSON, so that it is the records that are compared; they may be many.
local function assert_mirrors(mirror, ns, object)
    local own, theirs = place_of(mirror, { netns = ns.name, object = object }), listed(ns, object)
    lu.assertEquals(table.concat(sorted_keys(own), "\n"), table.concat(sorted_keys(theirs), "\n"))
    for key, record in pairs(theirs) do
        local a, b = support.as_json(own[key]), support.as_json(record)
        lu.assertEquals(a, b)
    end
    return #sorted_keys(theirs)
end

-- Sends many changes without looking at what is told meanwhile.
local function change(ns, object, verb, count, arguments)
    local batch <close> = netlink.batch()
    for i = 1, count do assert(batch:add(ns:socket(), object, verb, arguments(i))) end
    assert(batch:send(ns:socket()))
end

local function route(i) return { ("10.%d.%d.0/24"):format(i >> 8, i & 255), dev = "v0" } end
local function moved(i) return { ("10.%d.%d.0/24"):format(i >> 8, i & 255), dev = "v0", metric = 5 } end

local function address(i) return { ("10.1.%d.%d/32"):format(i >> 8, i & 255), dev = "v1" } end

local ns, other

TestOverflow = {}

function TestOverflow.setUp()
    ns, other = support.pair("mon1", "mon2")
end

function TestOverflow.tearDown()
    if not rawget(other, "closed") then nsh.netns.del(other) end
    nsh.netns.del(ns)
end

function TestOverflow.test_thousands_of_routes()
    change(ns, "route", "add", 3000, route)
    local mirror = {}
    local monitor <close> = ns:monitor{ "route", initial = true, buffer = 8192 }
    follow(mirror, take(monitor))
    lu.assertTrue(assert_mirrors(mirror, ns, "route") >= 3000)

    change(ns, "route", "del", 2000, route)
    change(ns, "route", "add", 2500, moved)
    local told = follow(mirror, take(monitor))
    lu.assertEquals({ told.overflow, told.synced }, { 1, 1 })
    lu.assertTrue(told.del >= 2000, told.del)
    lu.assertTrue(assert_mirrors(mirror, ns, "route") >= 3500)
end

function TestOverflow.test_it_goes_on_afterwards()
    local monitor <close> = ns:monitor{ "route", buffer = 8192 }
    for _ = 1, 3 do
        change(ns, "route", "add", 1000, route)
        change(ns, "route", "del", 1000, route)
        local events = take(monitor)
        lu.assertEquals({ events[1].event, events[#events].event }, { "overflow", "synced" })
        lu.assertEquals({ events[1].netns, events[#events].unknown }, { "mon1", nil })
    end
    ns.route:add(route(7))
    lu.assertEquals(tostring(monitor:next(1)), "10.0.7.0/24 dev v0 scope link")
    lu.assertNil(monitor:next(0))
end

function TestOverflow.test_links_that_come_and_go_with_their_addresses()
    local mirror = {}
    local monitor <close> = ns:monitor{ "link", "addr", "rule", initial = true, buffer = 16384 }
    change(ns, "link", "add", 600, function(i)
        return { "w" .. i, type = "veth", peer = { "x" .. i, netns = other } }
    end)
    change(ns, "addr", "add", 600, function(i) return { ("10.1.%d.%d/32"):format(i >> 8, i & 255), dev = "w" .. i } end)
    change(ns, "rule", "add", 600, function(i) return { priority = i, from = "10.0.0.0/8", table = 7 } end)
    nsh.settle()
    local told = follow(mirror, take(monitor))
    lu.assertTrue(told.overflow >= 1)
    lu.assertEquals(assert_mirrors(mirror, ns, "link"), 602)
    lu.assertEquals(assert_mirrors(mirror, ns, "addr"), 600)
    lu.assertTrue(assert_mirrors(mirror, ns, "rule") > 600)

    nsh.netns.del(other) -- and with it the other ends
    support.wait_for("the links are gone", function() return #ns.link:list() == 1 end)
    told = follow(mirror, take(monitor))
    lu.assertTrue(told.overflow >= 1)
    lu.assertTrue(told.del >= 1200, told.del)
    lu.assertEquals(assert_mirrors(mirror, ns, "link"), 1)
    lu.assertEquals(assert_mirrors(mirror, ns, "addr"), 0)
end

function TestOverflow.test_of_all_namespaces_that_have_an_id()
    local mirror = {}
    local monitor <close> = ns:monitor{ "route", "addr", all = true, initial = true, buffer = 8192 }
    change(other, "addr", "add", 1000, address)
    change(ns, "route", "add", 1000, route)
    change(other, "addr", "del", 900, address)
    local told = follow(mirror, take(monitor))
    lu.assertTrue(told.overflow >= 1)
    lu.assertEquals(assert_mirrors(mirror, other, "addr"), 100)
    lu.assertTrue(assert_mirrors(mirror, other, "route") > 100)
    lu.assertTrue(assert_mirrors(mirror, ns, "route") > 1000)
end

function TestOverflow.test_a_loop_sees_it()
    local seen = {}
    local monitor <close> = ns:monitor({ "route", buffer = 4096 }, function(event) seen[event.event] = true end)
    change(ns, "route", "add", 2000, route)
    support.wait_for("it is in step again", function() return seen.synced end)
    lu.assertTrue(seen.overflow and seen.new)
    monitor:stop()
end

os.exit(support.run())
