-- The simulated outside: it answers for what it was told to, to whom it knows the way to, and is silent else.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"
local nsh = require "nsh"
nsh.sandbox()
local host = nsh.host
local refused = support.refused

local UPLINK = { "enp0s1", addr = "192.168.64.3/24", via = "192.168.64.1", hosts = { "8.8.8.8" } }

-- UPLINK with other fields.
local function with(fields)
    local spec = {}
    for key, value in pairs(UPLINK) do spec[key] = value end
    for key, value in pairs(fields) do spec[key] = value end
    return spec
end

local function link_names() return support.pluck(host.link:list(), "ifname") end

local function gone()
    support.wait_for("the lab is gone", function()
        return #link_names() == 1 and #nsh.netns.list() == 0
    end)
end

-- A class of tests that each leave nothing.
local function class() return { setUp = gone, tearDown = gone } end

-- One echo request, again if others have filled the machine's neighbour table.
local function ping(ns, address, timeout)
    local result
    for _ = 1, 50 do
        result = ns:ping(address, { timeout = timeout })
        if not (result.reason or ""):find "table full" then return result end
        nsh.sleep(0.1)
    end
    return result
end

local function assert_answered(ns, address)
    local result = ping(ns, address, 10)
    lu.assertTrue(result.ok, tostring(result))
end

-- Neither a reply nor an error.
local function assert_silent(ns, address)
    lu.assertStrContains(tostring(ping(ns, address, 0.3).reason), "timeout")
end

local function assert_no_route(ns, address)
    lu.assertStrContains(tostring(ping(ns, address, 0.3).reason), "no route")
end

local function pingall(lab)
    local result
    for _ = 1, 10 do
        result = require "nsh.lab.pingall".pingall(lab)
        if result.ok then break end
    end
    return result
end

-- What a counter of /proc/net/snmp6 says inside a namespace: "Icmp6OutDestUnreachs".
local function counter6(ns, name)
    return math.tointeger(support.sh("cat /proc/net/snmp6", ns):match(name .. "%s+(%d+)"))
end

-- The same of /proc/net/snmp: "Icmp" "OutDestUnreachs".
local function counter(ns, group, name)
    local text = support.sh("cat /proc/net/snmp", ns)
    local names, values = text:match(group .. ": ([^\n]*)\n" .. group .. ": ([^\n]*)")
    local list = {}
    for value in values:gmatch "%S+" do list[#list + 1] = math.tointeger(value) end
    local i = 0
    for word in names:gmatch "%S+" do
        i = i + 1
        if word == name then return list[i] end
    end
    error("no counter " .. name)
end

-- A node behind the host, which forwards for it.
local function add_app(lab)
    lab.host:sysctl("net.ipv4.ip_forward", 1)
    return lab:node "app3":connect{ "clink3", addr = "172.16.0.30/16", via = "172.16.0.1", to = lab.host,
        peer = { "hlink3", addr = "172.16.0.1/16" } }.node
end

TestOutside = class()

function TestOutside:test_answers_for_the_gateway_and_the_hosts_and_for_nobody_else()
    local lab <close> = nsh.lab "t"
    lab:uplink(UPLINK)
    lab:up()
    assert_answered(host, "192.168.64.1")
    assert_answered(host, "8.8.8.8")
    for _, address in ipairs{ "8.8.4.4", "192.168.64.2" } do assert_silent(host, address) end
    lu.assertFalse(host:ping("192.168.64.255", { timeout = 0.3 }).ok)
end

function TestOutside:test_has_the_route_of_the_document()
    local lab <close> = nsh.lab "t"
    lab:uplink(with{ metric = 100, proto = "dhcp", src = "192.168.64.3" })
    lab:up()
    local text = support.sh "ip route":gsub(" +\n", "\n")
    lu.assertEquals(text, "default via 192.168.64.1 dev enp0s1 proto dhcp src 192.168.64.3 metric 100\n" ..
        "192.168.64.0/24 dev enp0s1 proto kernel scope link src 192.168.64.3 metric 100\n")
end

function TestOutside:test_does_not_answer_a_private_source_until_it_is_translated()
    local lab <close> = nsh.lab "t"
    local up = lab:uplink(UPLINK)
    local app3 = add_app(lab)
    lab:up()
    local before = counter(up.outside, "Icmp", "InEchos")
    assert_silent(app3, "8.8.8.8")
    lu.assertTrue(counter(up.outside, "Icmp", "InEchos") > before, "the request is heard")
    host:exec{ "nft", "add table t; add chain t c { type nat hook postrouting priority 100; }; " ..
        "add rule t c oifname enp0s1 masquerade" }
    local answered = ping(app3, "8.8.8.8", 10)
    host:exec{ "nft", "delete table t" }
    lu.assertTrue(answered.ok, tostring(answered))
end

function TestOutside:test_knows_only_the_networks_of_the_uplink()
    local lab <close> = nsh.lab "t"
    local up = lab:uplink(UPLINK)
    lab:up()
    lu.assertEquals(support.sh("ip route", up.outside):gsub(" +\n", "\n"),
        "192.168.64.0/24 dev eth0 proto kernel scope link src 192.168.64.1\n")
    assert_answered(up.outside, "192.168.64.3")
    assert_no_route(up.outside, "172.16.0.30")
end

function TestOutside:test_sends_no_errors()
    local lab <close> = nsh.lab "t"
    local up = lab:uplink(UPLINK)
    lab:up()
    for _, address in ipairs{ "8.8.8.8", "192.168.64.1", "9.9.9.9" } do
        support.sh(("bash -c 'echo x >/dev/udp/%s/9'"):format(address))
    end
    support.wait_for("all have arrived", function() return counter(up.outside, "Udp", "NoPorts") >= 2 end)
    lu.assertEquals(counter(up.outside, "Icmp", "OutDestUnreachs"), 0)
    lu.assertEquals(counter(host, "Icmp", "InDestUnreachs"), 0)
end

function TestOutside:test_sends_no_errors_of_IPv6()
    local lab <close> = nsh.lab "t"
    local up = lab:uplink{ "enp0s1", addr = "fd00:64::3/64", via = "fd00:64::1", hosts = "2001:db8::8" }
    lab:up()
    for _, address in ipairs{ "2001:db8::8", "fd00:64::1", "2001:db8::9" } do
        support.sh(("bash -c 'echo x >/dev/udp/%s/9'"):format(address))
    end
    support.wait_for("all have arrived", function() return counter6(up.outside, "Udp6NoPorts") >= 2 end)
    lu.assertEquals(counter6(up.outside, "Icmp6OutDestUnreachs"), 0)
    lu.assertEquals(counter6(host, "Icmp6InDestUnreachs"), 0)
end

-- A new namespace has them from the initial one, whose may be 0 here.
function TestOutside:test_depends_on_no_parameter_of_the_machine()
    local lab = nsh.lab "t"
    lab:uplink(with{ addr = { "192.168.64.3/24", "fd00:64::3/64" } })
    local plan = table.concat(lab:plan(), "\n")
    for _, key in ipairs{ "ipv4.ip_forward", "ipv4.conf.all.rp_filter", "ipv4.conf.default.rp_filter",
        "ipv6.conf.all.forwarding" } do
        lu.assertStrContains(plan, ("\nip netns exec outside sysctl -qw net.%s=0\n"):format(key))
    end
end

function TestOutside:test_answers_on_the_link_without_a_gateway()
    local lab <close> = nsh.lab "t"
    local up = lab:uplink{ "ens33", addr = "192.168.70.53/24", hosts = { "192.168.70.38" } }
    lab:up()
    lu.assertNil(up.gateway)
    assert_answered(host, "192.168.70.38")
    lu.assertEquals(support.ip(host, "route show default"), {})
    assert_no_route(host, "8.8.8.8")
end

function TestOutside:test_tells_nobody_on_the_link_where_a_host_behind_the_gateway_is()
    local lab <close> = nsh.lab "t"
    lab:uplink(UPLINK)
    lab.host:route{ "8.8.8.8", dev = "enp0s1" }
    lab:up()
    assert_silent(host, "8.8.8.8")
end

function TestOutside:test_speaks_IPv6_as_well()
    local lab <close> = nsh.lab "t"
    local up = lab:uplink{ "enp0s1", addr = { "192.168.64.3/24", "fd00:64::3/64" }, mtu = 1400,
        via = { "192.168.64.1", "fd00:64::1" }, hosts = { "8.8.8.8", "2001:db8::8" }, src = "fd00:64::3" }
    lab:up()
    lu.assertEquals(up:address(), "192.168.64.3")
    lu.assertEquals(up:address "inet6", "fd00:64::3")
    assert_answered(host, "8.8.8.8")
    assert_answered(host, "2001:db8::8")
    assert_answered(host, "fd00:64::1")
    assert_silent(host, "2001:db8::9")
    lu.assertEquals(host.link:get "enp0s1".mtu, 1400)
    lu.assertEquals(support.ip(host, "-6 route show default")[1].prefsrc, "fd00:64::3")
    lu.assertNil(support.ip(host, "route show default")[1].prefsrc)
end

function TestOutside:test_without_IPv6_has_none()
    local lab <close> = nsh.lab "t"
    local up = lab:uplink(UPLINK)
    lab:up()
    lu.assertEquals(support.ip(up.outside, "-6 addr"), {})
end

TestLab = class()

function TestLab:test_lists_pings_and_publishes_no_outside()
    local lab <close> = nsh.lab "t"
    lab:uplink(UPLINK)
    add_app(lab)
    lab:up()
    lu.assertEquals(support.pluck(nsh.netns.list(), "name"), { "app3" })
    lu.assertEquals(support.sh "ip netns list":match "%S+", "app3")
    local result = pingall(lab)
    lu.assertTrue(result.ok)
    lu.assertEquals(result.nodes, { "host", "app3" })
end

function TestLab:test_pings_no_address_of_the_uplink()
    local lab <close> = nsh.lab "t"
    lab:uplink(UPLINK)
    lab:node "a":connect{ "eth0", addr = "10.0.0.1/24", to = lab:node "b", peer = { "eth0", addr = "10.0.0.2/24" } }
    lab:up()
    local result = pingall(lab)
    lu.assertTrue(result.ok)
    lu.assertEquals(result.nodes, { "a", "b" })
end

function TestLab:test_plans_what_it_does()
    local lines, lab = {}, nsh.lab "t"
    lab:uplink(UPLINK)
    local plan = lab:plan()
    nsh.trace(function(line) lines[#lines + 1] = line end)
    lab:up()
    nsh.trace(false)
    lab:down()
    lu.assertEquals(lines, plan)
    lu.assertStrContains(table.concat(lines, "\n"), "ip netns add outside\n")
    lu.assertStrContains(table.concat(lines, "\n"), "\nip route add default via 192.168.64.1 dev enp0s1")
end

function TestLab:test_removes_an_uplink_and_takes_another()
    local lab <close> = nsh.lab "t"
    local up = lab:uplink(UPLINK)
    lab:up()
    up:remove()
    lab:up()
    support.wait_for("it is gone", function() return #link_names() == 1 end)
    lu.assertNil(lab:find "outside")
    up = lab:uplink(with{ "ens33" })
    lab:up()
    lu.assertEquals(up.ifname, "ens33")
    assert_answered(host, "8.8.8.8")
end

-- Somebody else's namespace of that name stays.
function TestLab:test_leaves_another_namespace_named_outside_alone()
    nsh.netns.add "outside":close()
    local lab <close> = nsh.lab "t"
    local up = lab:uplink(UPLINK)
    lab:up()
    up:remove()
    lab:up()
    lab:down()
    lu.assertEquals(support.pluck(nsh.netns.list(), "name"), { "outside" })
    nsh.netns.del "outside"
end

function TestLab:test_pulls_the_cable()
    local lab <close> = nsh.lab "t"
    local up = lab:uplink{ "enp0s1", addr = { "192.168.64.3/24", "fd00:64::3/64" },
        via = { "192.168.64.1", "fd00:64::1" }, hosts = { "8.8.8.8", "2001:db8::8" } }
    lab:up()
    up:down()
    lab:up()
    assert_no_route(host, "192.168.64.1")
    up:up()
    lab:up()
    assert_answered(host, "8.8.8.8")
    assert_answered(host, "2001:db8::8")
    up:down():up()
    lab:up()
    assert_answered(host, "8.8.8.8")
end

function TestLab:test_has_two_uplinks()
    local lab <close> = nsh.lab "t"
    local first = lab:uplink(UPLINK)
    local second = lab:uplink{ "ens33", addr = "192.168.70.53/24", hosts = { "192.168.70.38" } }
    lab:up()
    lu.assertEquals({ first.outside.name, second.outside.name }, { "outside", "outside-ens33" })
    assert_answered(host, "8.8.8.8")
    assert_answered(host, "192.168.70.38")
end

function TestLab:test_draws_the_outside_apart()
    local lab = nsh.lab "t"
    lab:uplink(UPLINK)
    local dot, mermaid = lab:graph():dot(), lab:graph():mermaid()
    local _, dashed = dot:gsub("rounded,dashed", "")
    lu.assertEquals(dashed, 1)
    lu.assertStrContains(dot, "8.8.8.8/32")
    lu.assertStrContains(mermaid, "class n2 outside")
end

function TestLab:test_runs_programs_outside()
    local lab <close> = nsh.lab "t"
    local up = lab:uplink(UPLINK)
    lab:up()
    local result = up.outside:exec{ "hostname", output = true }
    lu.assertEquals(result.out, "outside\n")
end

TestMistakes = class()

-- The sentence of what is refused at the declaration, which leaves nothing declared.
local function refuses(code, sentence, spec)
    local lab = nsh.lab "t"
    refused(code, sentence, function() lab:uplink(spec) end)
    lu.assertEquals(lab:plan(), {})
end

local DECLARE = "cannot declare an uplink: "

function TestMistakes:test_unknown_key()
    refuses("EINVAL", 'an uplink has no "gatway"; there are name, via, hosts, addr, mtu, address, delay, jitter, ' ..
        "loss, duplicate, rate, metric, proto, src (EINVAL)", with{ gatway = "192.168.64.1" })
    refuses("EINVAL", 'an uplink has no "host"; did you mean hosts (EINVAL)', with{ host = "8.8.8.8" })
end

function TestMistakes:test_no_table_no_name_no_address()
    refuses("EINVAL", DECLARE .. 'one table holds all arguments: { "enp0s1", addr = "192.168.64.3/24", ' ..
        'via = "192.168.64.1" } (EINVAL)', "enp0s1")
    refuses("EINVAL", DECLARE .. 'it has no name: { "enp0s1", addr = "192.168.64.3/24" } (EINVAL)', {})
    refuses("EINVAL", DECLARE .. 'enp0s1 has no address: addr = "192.168.64.3/24" is the host\'s own (EINVAL)',
        { "enp0s1" })
end

function TestMistakes:test_addresses_that_do_not_fit()
    refuses("EINVAL", DECLARE .. "via: 192.168.65.1 is in no network of the uplink (EINVAL)",
        with{ via = "192.168.65.1" })
    refuses("EINVAL", DECLARE .. "hosts: 8.8.8.8 is in no network of the uplink: a gateway leads there " ..
        "(via = …) (EINVAL)", { "enp0s1", addr = "192.168.64.3/24", hosts = "8.8.8.8" })
    refuses("EINVAL", DECLARE .. "hosts: 192.168.64.3 is the uplink's own address (EINVAL)",
        with{ hosts = { "192.168.64.3" } })
    refuses("EINVAL", DECLARE .. "via: 192.168.64.3 is the uplink's own address (EINVAL)",
        with{ via = "192.168.64.3" })
    refuses("EINVAL", DECLARE .. "src is of the default route, which needs a gateway: via = … (EINVAL)",
        { "enp0s1", addr = "192.168.64.3/24", src = "192.168.64.3" })
end

function TestMistakes:test_text_that_is_no_address()
    local lab = nsh.lab "t"
    local err = support.raised(function() lab:uplink(with{ hosts = { "dns.google" } }) end)
    lu.assertEquals(err.code, "EINVAL")
    lu.assertStrContains(tostring(err), "hosts: ")
    lu.assertStrContains(tostring(err), "dns.google")
end

function TestMistakes:test_a_name_that_is_taken_leaves_no_outside()
    local lab = nsh.lab "t"
    lab.host:bridge{ "enp0s1" }
    local err = support.raised(function() lab:uplink(UPLINK) end)
    lu.assertEquals(err.code, "EEXIST")
    lu.assertNil(lab:find "outside")
    lu.assertNotStrContains(table.concat(lab:plan(), "\n"), "outside")
end

os.exit(support.run())
