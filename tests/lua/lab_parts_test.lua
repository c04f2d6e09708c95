-- Labs: what each is called, what its pairs are made of, parameters that come back, shapes, and pools of addresses.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

local function gone()
    support.wait_for("the lab is gone", function()
        return #host.link:list() == 1 and #nsh.netns.list() == 0
    end)
end

-- A class of tests that each leave nothing.
local function class() return { setUp = gone, tearDown = gone } end

-- What fn() changes, as commands.
local changes = support.commands

TestUnnamed = class()

function TestUnnamed:test_labs_of_one_process_have_names_of_their_own()
    local stat <close> = io.open "/proc/self/stat"
    local pid = stat:read "n"
    local one, other = nsh.lab(), nsh.lab()
    lu.assertEquals(one.name:sub(1, #"lab_parts_test-" + #tostring(pid)), "lab_parts_test-" .. pid)
    lu.assertStrMatches(other.name, "lab_parts_test%-" .. pid .. "%-%d+")
    lu.assertNotEquals(one.name, other.name)
end

-- The lab's name has the process's number in it: a MAC must not.
function TestUnnamed:test_macs_follow_from_the_script()
    local lab = nsh.lab()
    lu.assertStrMatches(lab.seed, "lab_parts_test%-?%d*")
    lu.assertNotEquals(lab.seed, lab.name)
    local named = nsh.lab(lab.seed)
    for _, one in ipairs{ lab, named } do one:node "a":connect{ "eth0", to = one:node "b" } end
    lu.assertEquals(lab:plan(), named:plan())
end

function TestUnnamed:test_comes_up_and_is_listed()
    local script = [[local lab = nsh.lab() lab:node "a" lab:up() os.execute(os.getenv "NSH" .. " list -j")]]
    local pipe <close> = io.popen(("%s -e '%s'"):format(os.getenv "NSH", script))
    lu.assertStrMatches(pipe:read "a", '.*"name":"nsh%-%d+".*"nodes":1.*')
end

TestPair = class()

local function queues(link) return { link.num_tx_queues, link.num_rx_queues } end

function TestPair:test_has_one_queue_unless_told_otherwise()
    local lab <close> = nsh.lab "queues"
    local a, b = lab:node "a", lab:node "b"
    a:connect{ "eth0", to = b }
    a:connect{ "eth1", numtxqueues = 3, to = b, peer = { "eth1", numrxqueues = 2 } }
    local plan = table.concat(lab:plan(), "\n")
    lu.assertEquals(select(2, plan:gsub("numtxqueues", "")), 1)
    lu.assertEquals(select(2, plan:gsub("numrxqueues", "")), 1)
    lab:up()
    lu.assertEquals(queues(a.link:get "eth0"), { 1, 1 })
    lu.assertEquals(queues(b.link:get "eth0"), { 1, 1 })
    lu.assertEquals(queues(a.link:get "eth1"), { 3, 1 })
    lu.assertEquals(queues(b.link:get "eth1"), { 1, 2 })
end

function TestPair:test_of_a_node_in_the_middle_goes_with_it_and_comes_back()
    local lab <close> = nsh.lab "middle"
    local a, b, c = lab:node "a", lab:node "b", lab:node "c"
    local function connect_middle()
        a:connect{ "east", addr = "10.0.1.1/24", to = b, peer = { "west", addr = "10.0.1.2/24" } }
        b:connect{ "east", addr = "10.0.2.2/24", to = c, peer = { "west", addr = "10.0.2.3/24" } }
    end
    connect_middle()
    lab:up()
    b:remove()
    lab:up()
    lu.assertEquals({ #a.link:list(), #c.link:list(), #nsh.netns.list() }, { 1, 1, 2 })
    b = lab:node "b"
    connect_middle()
    lab:up()
    lu.assertTrue(b:ping("10.0.1.1").ok and b:ping("10.0.2.3").ok)
end

TestSysctl = class()

local KEY = "net.ipv4.ip_forward"
local COUNT = "net.ipv4.tcp_retries2"

function TestSysctl:test_that_is_removed_is_put_back_at_once_in_a_node()
    local lab <close> = nsh.lab "sysctls"
    local a = lab:node "a"
    local declared = a:sysctl(COUNT, 7)
    lab:up()
    local other = a:sysctl(COUNT, 8)
    lab:up()
    lu.assertEquals(a:sysctl(COUNT), 8)
    declared:remove()
    lab:up()
    lu.assertEquals(a:sysctl(COUNT), 8)
    other:remove()
    local plan = lab:plan()
    lu.assertEquals(plan, { "ip netns exec a sysctl -qw net.ipv4.tcp_retries2=15" })
    lu.assertEquals(changes(function() lab:up() end), plan)
    lu.assertEquals(a:sysctl(COUNT), 15)
    lu.assertEquals(lab:plan(), {})
end

function TestSysctl:test_that_is_removed_is_put_back_at_once_on_the_host()
    local before = host:sysctl(KEY)
    local lab <close> = nsh.lab "sysctls"
    lab:node "a"
    local declared = lab.host:sysctl(KEY, 1 - before)
    lab:up()
    lu.assertEquals(host:sysctl(KEY), 1 - before)
    declared:remove()
    local plan = lab:plan()
    lu.assertEquals(plan, { "sysctl -qw " .. KEY .. "=" .. before })
    lu.assertEquals(changes(function() lab:up() end), plan)
    lu.assertEquals(host:sysctl(KEY), before)
    lab.host:sysctl(KEY, 1 - before)
    lab:up()
    lab:down()
    support.wait_for("the parameter is back", function() return host:sysctl(KEY) == before end)
end

-- The second link cannot be: its name is somebody's.
function TestSysctl:test_what_is_put_back_is_set_again_if_the_rest_is_refused()
    local before = host:sysctl(KEY)
    local lab <close> = nsh.lab "sysctls"
    local a = lab:node "a"
    local own, hosts = a:sysctl(COUNT, 7), lab.host:sysctl(KEY, 1 - before)
    lab:up()
    own:remove()
    hosts:remove()
    host.link:add{ "taken", type = "bridge" }
    lab.host:bridge{ "taken" }
    lu.assertEquals(support.raised(lab.up, lab).code, "EEXIST")
    lu.assertEquals({ a:sysctl(COUNT), host:sysctl(KEY) }, { 7, 1 - before })
    host.link:del "taken"
    lab:down()
    support.wait_for("the parameter is back", function() return host:sysctl(KEY) == before end)
end

TestShapes = class()

local function counts(lab)
    local lines = table.concat(lab:plan(), "\n")
    return { select(2, lines:gsub("netns add", "")), select(2, lines:gsub("type veth", "")) }
end

function TestShapes:test_have_their_nodes_and_links()
    local lab = nsh.lab "shape"
    lab:star(4, lab:pool "10.0.0.0/24")
    lu.assertEquals(counts(lab), { 5, 4 })
    lab = nsh.lab "shape"
    lab:line(4)
    lu.assertEquals(counts(lab), { 4, 3 })
    lab = nsh.lab "shape"
    lab:ring(4)
    lu.assertEquals(counts(lab), { 4, 4 })
    lab = nsh.lab "shape"
    lab:tree(2, 3)
    lu.assertEquals(counts(lab), { 13, 12 })
    lab = nsh.lab "shape"
    lab:mesh(5)
    lu.assertEquals(counts(lab), { 5, 10 })
    lab = nsh.lab "shape"
    local leaves, spines = lab:leaf_spine(4, 2)
    lu.assertEquals({ #leaves, #spines, table.unpack(counts(lab)) }, { 4, 2, 6, 8 })
end

function TestShapes:test_neighbours_reach_each_other()
    local lab <close> = nsh.lab "ring"
    local nodes = lab:ring(3, lab:pool "10.0.0.0/24")
    lab:up()
    for i, node in ipairs(nodes) do
        for _, interface in ipairs(node.interfaces) do
            lu.assertTrue(node:ping(interface.peer:address()).ok, "r" .. i .. " " .. interface.name)
        end
    end
end

TestPool = {}

function TestPool:test_gives_each_address_once()
    local pool = nsh.lab "pool":pool "10.0.0.0/29"
    local all = {}
    for i = 1, 6 do all[i] = pool:next() end
    lu.assertEquals(all, { "10.0.0.1/29", "10.0.0.2/29", "10.0.0.3/29", "10.0.0.4/29", "10.0.0.5/29", "10.0.0.6/29" })
    support.refused("ENOSPC", "cannot take an address: 10.0.0.0/29 has no more of them (ENOSPC)", pool.next, pool)
end

function TestPool:test_gives_prefixes()
    local pool = nsh.lab "pool":pool "2001:db8::/120"
    lu.assertEquals(tostring(pool:subnet(126)), "2001:db8::/126")
    lu.assertEquals(pool:subnet(127):next(), "2001:db8::4/127")
    lu.assertEquals(pool:next(), "2001:db8::6/120")
    lu.assertEquals(support.raised(pool.subnet, pool, 120).code, "EINVAL")
    lu.assertEquals(support.raised(nsh.lab "pool".pool, nsh.lab "pool", "10.0.0/8").code, "EINVAL")
end

os.exit(support.run())
