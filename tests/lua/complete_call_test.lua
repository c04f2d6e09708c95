-- What Tab offers in the tables and texts of a call: keys by the schema, and what there is right now.
local lu = require "luaunit"
local core = require "nsh.core"
local find = require "nsh.repl.complete".complete
local nsh = require "nsh"

nsh.sandbox()

local host = nsh.host
local env = { host = host, nsh = nsh }

-- What is offered at the end of a text, as it would stand there.
local function words(text)
    local list = {}
    for i, match in ipairs((find(text, env))) do list[i] = match.word end
    return list
end

local function offers(text, ...)
    lu.assertEquals(words(text), { ... })
end

-- Of these, all are offered, or none.
local function contains(text, ...)
    local there = {}
    for _, word in ipairs(words(text)) do there[word] = true end
    for _, word in ipairs{ ... } do lu.assertTrue(there[word], text .. " lacks " .. word) end
end

local function lacks(text, ...)
    local there = {}
    for _, word in ipairs(words(text)) do there[word] = true end
    for _, word in ipairs{ ... } do lu.assertNil(there[word], text .. " has " .. word) end
end

local function note(text, word)
    for _, match in ipairs((find(text, env))) do
        if match.text == word then return match.note end
    end
end

-- One namespace with a pair of links to the host and one with addresses, and a lab of two nodes.
local function build()
    env.ns1 = nsh.netns.add "ns1"
    host.link:add{ "veth0", type = "veth", up = true, peer = { "veth1", netns = env.ns1 } }
    host.link:add{ "br0", type = "bridge" }
    host.addr:add{ "10.0.0.1/24", dev = "veth0" }
    env.ns1.link:set{ "veth1", up = true }
    env.ns1.addr:add{ "10.0.0.2/24", dev = "veth1" }
    env.ns1.route:add{ "10.9.0.0/16", via = "10.0.0.1" }
    env.lab = nsh.lab "tab"
    env.app3, env.app4 = env.lab:node "app3", env.lab:node "app4"
    env.app3:connect{ "clink3", addr = "172.16.0.30/16", to = env.app4, peer = { "clink4", addr = "172.16.0.40/16" } }
end

TestKeys = {}

function TestKeys.test_of_an_object()
    offers('host.link:set{ "lo", mt', "mtu = ")
    offers('host.addr:add{ "x", sco', "scope = ")
    contains("host.route:add{ ", "via", "dev", "metric", "nexthop")
    lacks("host.link:set{ ", "ifindex", "min_mtu", "id") -- what only the kernel sets, and a kind's
    offers('host.link:set{ "lo", mtu = 1400, mt')
end

function TestKeys.test_by_the_name_of_the_record_too()
    offers('host.route:add{ "x", gate', "gateway = ")
    lacks('host.route:add{ "x", ', "gateway")
end

function TestKeys.test_of_the_kind_once_it_is_named()
    lacks('host.link:add{ "x", ', "dstport", "info_data")
    contains('host.link:add{ "x", type = "vxlan", ', "id", "dstport", "local_", "mtu")
    lacks('host.link:add{ "x", type = "bridge", ', "dstport")
    contains('host.link:add{ "x", type = "bridge", ', "stp_state")
    contains('host.link:set{ "x", type = "bridge_slave", ', "hairpin")
    contains('host.qdisc:add{ "netem", dev = "lo", ', "delay", "loss")
    contains('host.qdisc:add{ kind = "netem", ', "delay")
    contains('host.link:add{ "x", type = "vxlan", vxlan = { ', "id", "dstport")
    lacks('host.link:add{ "x", type = "vxlan", vxlan = { ', "mtu")
end

function TestKeys.test_of_nested_tables()
    contains('host.link:add{ "x", type = "veth", peer = { "y", ', "netns", "mtu")
    contains('host.route:add{ "x", nexthops = { { ', "via", "weight")
    contains('host.filter:add{ "u32", action = { "mirred", ', "redirect")
    offers 'host.link:add{ "x", type = "veth", mtu = { '
end

function TestKeys.test_a_listing_is_narrowed_by_what_records_have()
    contains("host.link:list{ ", "ifindex", "master")
    lacks("host.link:list{ ", "netns", "peer")
    contains("host.link:show{ ", "master")
end

function TestKeys.test_words_that_lua_cannot_write()
    contains('host.link:add{ "x", type = "ipip", ', "encap_dport", "local_")
    lacks('host.link:add{ "x", type = "ipip", ', "encap-dport", "local")
    contains("host.rule:add{ ", "not_", "goto_")
end

function TestKeys.test_options_of_functions()
    offers('host:capture{ "lo", di', "direction = ")
    contains("host:spawn{ ", "listen", "cwd")
    lacks("host:exec{ ", "listen")
    contains('host:ping("10.0.0.2", { ', "count", "ttl")
    contains('host:connect{ "x", ', "port", "unix")
    contains('host:http{ "http://x", ', "method", "headers")
    contains("host:monitor{ ", "initial", '"link"')
    contains("host:masquerade{ ", "oifname", "saddr")
    lacks("host:dnat{ ", "oifname")
end

function TestKeys.test_a_function_of_somebody_has_none()
    env.mine = function() end
    lacks("mine{ ", "mtu", "count")
    contains("mine{ ", "host")
end

function TestKeys.test_verbs_of_an_object_are_those_of_the_kernel()
    offers("host.nsid:", "add", "get", "list", "show") -- and not what its class has for itself
end

TestValues = {}

function TestValues.test_words_of_a_key()
    offers('host.link:set{ "lo", up = ', "false", "true")
    offers('host.link:set{ "lo", up = t', "true")
    offers('host:capture{ "lo", direction = ', '"in"', '"inout"', '"out"')
    offers('host:capture{ "lo", direction = "o', 'out"')
    contains('host.route:add{ "x", scope = "', "link", "host")
    contains('host.neigh:add{ "x", state = { "', "PERMANENT", "STALE")
end

function TestValues.test_kinds()
    contains('host.link:add{ "x", type = ', '"vxlan"', '"bridge"', '"dummy"')
    offers('host.link:add{ "x", type = "vx', 'vxlan"')
    contains('host.link:set{ "x", type = "', "bridge_slave")
    offers('host.qdisc:add{ "net', 'netem"')
    contains('host.filter:add{ "', "u32", "flower")
    contains('host.filter:add{ "u32", action = { "', "drop", "mirred")
end

function TestValues.test_an_expression_can_stand_there_as_well()
    env.minimum = 1280
    offers('host.link:set{ "lo", mtu = mini', "minimum")
    offers('host.link:set{ "lo", up = mini', "minimum")
end

TestLive = {}

function TestLive.test_interfaces_of_the_receiver()
    offers('host.link:set{ "', "br0", "lo", "veth0")
    offers('host.link:set{ "ve', 'veth0"')
    offers('ns1.link:set{ "ve', 'veth1"')
    offers("ns1.link:set{ 've", "veth1'")
    offers('ns1.link:del "ve', 'veth1"')
    offers("ns1.link:get [[ve", "veth1]]")
    offers('ns1.addr:add{ "10.1.1.1/8", dev = "ve', 'veth1"')
    offers('ns1:capture{ "ve', 'veth1"')
    offers('ns1:peer "ve', 'veth1"')
    offers('ns1.link:set{ "nothing')
    offers('host:masquerade{ oifname = "br', 'br0"')
end

function TestLive.test_a_word_about_each()
    lu.assertEquals(note('host.link:set{ "', "veth0"), "UP  10.0.0.1/24")
    lu.assertEquals(note('host.link:set{ "', "br0"), "DOWN  ")
    lu.assertEquals(note('ns1.route:del{ "', "10.9.0.0/16"), "via 10.0.0.1 dev veth1")
    lu.assertEquals(note("host.link:set{ ", "mtu"), "bytes")
    lu.assertEquals(note("host.link:", "add"), "create a link")
    lu.assertEquals(note("host:pi", "ping"), "(addresses, opts)")
end

function TestLive.test_masters_are_those_that_can_be_one()
    offers('host.link:set{ "veth0", master = ', '"br0"')
end

function TestLive.test_at_the_other_end_of_a_pair()
    offers('host.link:add{ "x", type = "veth", peer = { "y", netns = ns1, link = "', "lo", "veth1")
end

function TestLive.test_addresses_and_routes()
    offers('host.addr:del{ "10', '10.0.0.1/24"')
    offers('ns1.addr:del "10', '10.0.0.2/24"')
    offers('ns1.route:del{ "', "10.0.0.0/24", "10.9.0.0/16")
    offers('ns1.route:add{ "10.10.0.0/16", via = "', '10.0.0.1"')
    offers('ns1:ping{ "x", source = "10', '10.0.0.2"')
    offers('ns1:ping "10.0', '10.0.0.1"')
    offers 'ns1.addr:add{ "10' -- a new one is none of those that are there
    offers 'ns1.mdb:add{ "' -- nor is a group
end

function TestLive.test_namespaces()
    offers('nsh.netns.open "', 'ns1"')
    offers('nsh.netns.del("ns', 'ns1")')
    contains('host.link:set{ "veth0", netns = ', "ns1", '"ns1"', "app3")
end

function TestLive.test_nodes()
    offers('lab:find "ap', "app3", "app4")
    offers('app3:connect{ "x", to = "ap', "app3", "app4")
    contains('app3:connect{ "x", to = ', "app4")
    offers('app3:connect{ "x", to = app4, ra', "rate = ")
    offers('app4:ping "', '172.16.0.30"')
    contains('app3:bridge{ "x", ', "addr", "stp_state")
    contains('app3:link{ "x", type = "vxlan", ', "addr", "dstport")
    offers('app3:route{ "x", vi', "via = ")
    offers('app3:run{ "x", lis', "listen = ")
    contains("lab:pingall{ ", "family", "timeout")
    contains('lab:switch("s1", { ', "stp_state", "addr")
    offers('lab:node("n", { l', "lo = ")
    contains("lab.host:", "connect", "sysctl")
    lu.assertEquals(#env.lab.nodes, 2) -- looking declares no host
end

function TestLive.test_what_a_node_has_declared_and_what_it_has()
    offers('app3.link:set{ "cl', 'clink3"')
    lu.assertEquals(note('app3.link:set{ "', "clink3"), "declared")
    env.lab:up()
    lu.assertEquals(note('app3.link:set{ "', "clink3"), "UP  172.16.0.30/16")
    offers('lab:find "app3".link:set{ "cl', 'clink3"')
    offers('for i = 1, 2 do\n  local l = app3.link\n  l:set{ "cl', 'clink3"')
    env.lab:down()
end

function TestLive.test_a_closed_namespace_has_nothing()
    env.gone = nsh.netns.new()
    env.gone:close()
    offers 'gone.link:set{ "'
end

TestSafe = {}

local function forbidden() error "a user's code was called" end
local metatable = { __index = forbidden, __pairs = forbidden, __len = forbidden, __call = forbidden, __eq = forbidden }

function TestSafe.test_who_only_looks_like_a_namespace_is_not_asked()
    env.fake = setmetatable({ name = "x", handle = setmetatable({}, metatable), link = setmetatable({}, metatable) },
        metatable)
    offers 'fake.link:set{ "'
    offers 'fake.link:set{ mtu'
    env.faked = setmetatable({ handle = setmetatable({}, metatable) }, debug.getmetatable(env.ns1))
    offers 'faked.link:set{ "'
    contains("faked.link:set{ ", "mtu")
end

function TestSafe.test_a_spoilt_object_runs_nothing()
    local spoilt = setmetatable({ ns = setmetatable({}, metatable) }, debug.getmetatable(host.link))
    env.spoilt = spoilt
    offers 'spoilt:set{ "'
    rawset(env.ns1, "netlink", setmetatable({}, metatable)) -- nor is a socket that it has
    offers('ns1.link:set{ "ve', 'veth1"')
    rawset(env.ns1, "netlink", nil)
    local nodes = setmetatable(env.lab.nodes, metatable) -- nor has a list of a lab's
    offers('lab:find "ap', "app3", "app4")
    setmetatable(nodes, nil)
end

function TestSafe.test_nothing_is_changed()
    local lines = {}
    nsh.trace(function(line) lines[#lines + 1] = line end)
    local fields = {}
    for key in next, env.ns1 do fields[key] = true end
    offers('ns1.route:del{ "10.9', '10.9.0.0/16"')
    for key in next, env.ns1 do lu.assertTrue(fields[key], key) end
    nsh.trace(false)
    lu.assertEquals(lines, {})
end

function TestSafe.test_few_questions_whatever_there_is()
    local asked, open = {}, core.netlink.open
    for i = 1, 50 do env.ns1.link:add{ "many" .. i, type = "veth", peer = "peer" .. i } end
    core.netlink.open = function(...)
        asked[#asked + 1] = true
        return open(...)
    end
    local list = words 'ns1.link:set{ "many'
    core.netlink.open = open
    lu.assertEquals({ list[1], list[2], list[50], #list }, { "many1", "many2", "many50", 50 })
    lu.assertEquals(#asked, 2) -- links, and their addresses
end

TestClosing = {}

function TestClosing.test_what_is_certain_is_added()
    offers('lab:do', "down()")
    env.record = { ["a key"] = 1, [3] = 2, plain = 3 }
    offers('record["a', 'a key"]')
    offers("record[", "3", '"a key"', '"plain"')
    env.one, env.two = function(x) return x end, function(x, y) return x, y end
    require "nsh.options".declare(env.one, {}, { first = "netns" })
    require "nsh.options".declare(env.two, {}, { first = "netns" })
    offers('one("ns', 'ns1")')
    offers('two("ns', 'ns1"')
end

function TestClosing.test_what_stands_there_is_not_added_again()
    lu.assertEquals(find('ns1.link:set{ "ve', env, '", up = true }')[1].word, "veth1")
    lu.assertEquals(find('ns1.link:set{ mt', env, " = 3")[1].word, "mtu")
    lu.assertEquals(find('ns1.link:set{ "ve', env, " }")[1].word, 'veth1"')
end

build()
os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run())
