-- What could disturb a request while it is written, sent or read.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local ns

TestRequest = {}

function TestRequest.setUp()
    ns = nsh.netns.new()
    ns.link:add{ "v0", type = "veth", peer = "v1" }
end

function TestRequest.tearDown() ns:close() end

-- A finalizer runs whenever Lua needs memory, and may make requests of its own.
function TestRequest.test_finalizers_that_make_requests()
    local made = 0
    for i = 1, 500 do
        setmetatable({}, { __gc = function()
            made = made + 1
            ns.link:set{ "lo", up = true }
            ns.addr:list()
        end })
        ns.link:set{ "v0", txqlen = 1000 + i % 7, netns = ns }
        lu.assertEquals(ns.link:get("v0").txqlen, 1000 + i % 7)
        lu.assertEquals(#ns.link:list(), 3)
    end
    collectgarbage()
    lu.assertTrue(made > 400)
end

-- What stands behind __index is not the caller's table.
function TestRequest.test_metamethods_are_not_called()
    local args = setmetatable({ "v0", up = true }, { __index = function() error "called" end })
    ns.link:set(args)
    lu.assertTrue(#ns.link:list{ dev = "v0", up = true } == 1)
end

function TestRequest.test_requests_in_the_function_that_is_told_of_changes()
    local told = {}
    nsh.trace(function(line)
        told[#told + 1] = line
        ns.link:list()
    end)
    local ok, err = pcall(ns.link.set, ns.link, { "v0", mtu = 3 })
    nsh.trace(false)
    lu.assertFalse(ok)
    lu.assertEquals(#told, 1)
    lu.assertStrContains(err.message, "mtu less than device minimum")
end

function TestRequest.test_tables_without_end()
    local loop = { "x", type = "veth" }
    loop.peer = loop
    local ok, err = pcall(ns.link.add, ns.link, loop)
    lu.assertFalse(ok)
    lu.assertEquals(err.code, "EMSGSIZE")
    lu.assertEquals(#ns.link:list(), 3)
end

function TestRequest.test_a_refusal_leaves_no_descriptor_open()
    nsh.netns.add "other"
    for _ = 1, 20 do
        lu.assertFalse(pcall(ns.link.set, ns.link, { "v0", netns = "other", mtu = -1 }))
        lu.assertFalse(pcall(ns.link.set, ns.link, { "v0", netns = "other", nonsense = 1 }))
        lu.assertFalse(pcall(ns.link.list, ns.link, { netns = "other", nonsense = 1 }))
    end
    nsh.netns.del "other"
end

os.exit(support.run())
