-- `show` of an object prints what `list` returns: as JSON straight from the kernel's messages.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"
local core = require "nsh.core"

nsh.sandbox()

local ns

local function printed(code, options)
    return support.sh(("%s -E %s -e '%s'"):format(nsh.program, options or "-j", code))
end

local function as_json(code) return support.decode(printed(code)) end

TestShow = {}

function TestShow.setUp()
    ns = nsh.netns.add "prn1"
    local host = nsh.host
    host.link:add{ "br0", type = "bridge" }
    host.link:add{ "v0", type = "veth", peer = { "v1", netns = ns } }
    host.link:set{ "v0", master = "br0", alias = 'a "name" \\ of a tab\t', addrgenmode = "none" }
    for _, name in ipairs{ "lo", "br0", "v0" } do host.link:set{ name, up = true } end
    host.addr:add{ "10.0.0.1/24", dev = "br0", valid_lft = 900, preferred_lft = 600 }
    host.route:add{ "10.9.0.0/16", via = "10.0.0.2", mtu = 1400, metric = 5 }
    host.route:add{ "10.8.0.0/16", type = "blackhole", table = 100 }
    host.rule:add{ priority = 7, from = "10.0.0.0/8", not_ = true, fwmark = "0x10/0xf0", table = 100 }
    host.neigh:add{ "10.0.0.9", lladdr = "02:00:00:00:00:09", dev = "br0" }
    host.qdisc:add{ "tbf", dev = "v0", root = true, rate = "1mbit", burst = "32k", latency = "50ms" }
    host.fdb:add{ "02:00:00:00:00:07", dev = "v0", master = true }
    nsh.settle()
end

function TestShow.tearDown()
    nsh.host.link:del "br0"
    nsh.host.link:del "v0"
    nsh.host.rule:del{ priority = 7 }
    nsh.host.route:flush{ table = 100 }
    nsh.netns.del(ns)
end

local function has(verbs, wanted)
    for _, verb in ipairs(verbs) do if verb == wanted then return true end end
    return false
end

-- Those that have a list, in this kernel: it may lack the VLANs of bridges.
local function each_object()
    local names = {}
    for object, verbs in pairs(core.netlink.objects()) do
        local ok, err = pcall(function() nsh.host[object]:list() end)
        lu.assertEquals(ok or err.code == "EOPNOTSUPP", has(verbs, "list"), tostring(err))
        if ok then names[#names + 1] = object end
    end
    lu.assertTrue(#names >= 8)
    return ipairs(names)
end

-- Timers run on between the two.
local function without_timers(value)
    if type(value) ~= "table" then return value end
    local copy = {}
    for key, inner in pairs(value) do
        local runs = type(key) == "string" and (key:find "_timer$" or key:find "_life_time$")
        if not runs then copy[key] = without_timers(inner) end
    end
    return copy
end

function TestShow.test_of_every_object_what_list_returns()
    local filled = {}
    for _, object in each_object() do
        local shown = as_json(("nsh.host.%s:show()"):format(object))
        local listed = as_json(("show(nsh.host.%s:list())"):format(object))
        lu.assertEquals(without_timers(shown), without_timers(listed), object)
        if #shown > 0 then filled[#filled + 1] = object end
    end
    for _, object in ipairs{ "link", "addr", "route", "rule", "neigh", "nsid", "qdisc", "fdb" } do
        lu.assertTableContains(filled, object)
    end
end

-- A name twice in one object is no JSON that everybody reads alike.
function TestShow.test_no_name_is_there_twice()
    for _, object in each_object() do
        local shown = as_json(("nsh.host.%s:show()"):format(object))
        local names = 0
        local function count(value)
            for key, inner in pairs(type(value) == "table" and value or {}) do
                if type(key) == "string" then names = names + 1 end
                count(inner)
            end
        end
        count(shown)
        local _, written = printed(("nsh.host.%s:show()"):format(object)):gsub('[{,]"[^"]+":', "")
        lu.assertEquals(names, written, object)
    end
end

function TestShow.test_the_same_arguments()
    lu.assertEquals(support.pluck(as_json 'nsh.host.link:show{ type = "veth" }', "ifname"), { "v0" })
    lu.assertEquals(as_json 'nsh.host.route:show{ table = 100 }'[1].dst, "10.8.0.0/16")
    lu.assertEquals(as_json 'nsh.host.neigh:show{ dev = "v0" }', {})
    lu.assertEquals(as_json 'nsh.host.addr:show "br0"'[1]["local"], "10.0.0.1")
    lu.assertEquals(printed 'nsh.host.link:show{ type = "ifb" }', "[]\n")
end

function TestShow.test_for_people_it_is_the_table()
    lu.assertEquals(printed("nsh.host.route:show()", ""), printed("show(nsh.host.route:list())", ""))
    lu.assertStrContains(printed("nsh.host.route:show()", ""), "10.9.0.0/16")
end

function TestShow.test_behind_what_was_printed_before()
    lu.assertEquals(printed 'io.write "a" nsh.host.link:show{ type = "ifb" } print "b"', "a[]\nb\n")
end

function TestShow.test_what_is_refused()
    local text = printed [[print(select(2, pcall(nsh.host.link.show, nsh.host.link, { mtuu = 1 })))]]
    lu.assertStrContains(text, 'unknown key "mtuu"; did you mean mtu (EINVAL)')
    text = printed [[print(select(2, pcall(nsh.host.link.show, nsh.host.link, "nix")))]]
    lu.assertStrContains(text, 'there is no interface "nix" (ENODEV)')
    text = support.sh(([[%s -E -j -e 'nsh.host.route:show{ table = "all" } io.stdout:flush() nsh.host.route:show()' \
        2>&1 >/dev/full || echo failed]]):format(nsh.program))
    lu.assertStrContains(text, "cannot list route in host: Input/output error (EIO)")
    lu.assertStrContains(text, "failed")
end

os.exit(support.run())
