-- Neighbours, with `ip neigh` as the oracle.
local ways = dofile((arg[0]:gsub("[^/]*$", "ways.lua")))
local lu = require "luaunit"
local nsh = require "nsh"

local EINVAL = "EINVAL"
local MAC = "02:00:00:00:07:01"

local cases = {
    { { "10.0.0.7", dev = "v0", lladdr = MAC }, "10.0.0.7 dev v0 lladdr " .. MAC },
    { { "10.0.0.7", dev = "v1", lladdr = MAC, nud = "permanent", router = true, protocol = "static" },
        "10.0.0.7 dev v1 lladdr " .. MAC .. " nud permanent router protocol static" },
    { { "10.0.0.7", dev = "v0", lladdr = "02:00:00:00:07:02", state = { "NOARP" }, protocol = 77 },
        "10.0.0.7 dev v0 lladdr 02:00:00:00:07:02 nud noarp protocol 77" },
    { { "10.0.0.7", dev = "v0", lladdr = MAC, nud = "reachable" },
        "10.0.0.7 dev v0 lladdr " .. MAC .. " nud reachable" },
    { { "10.0.0.7", dev = "v0", lladdr = MAC, nud = "stale", extern_learn = true },
        "10.0.0.7 dev v0 lladdr " .. MAC .. " nud stale extern_learn" },
    { { "10.0.0.7", dev = "v0", nud = "failed" }, "10.0.0.7 dev v0 nud failed" },
    { { "10.0.0.7", dev = "v0", managed = true }, "10.0.0.7 dev v0 managed" },
    { { "fd00::7", dev = "v0", lladdr = MAC, router = true }, "fd00::7 dev v0 lladdr " .. MAC .. " router", "inet6" },
    { { "fd00::7", dev = "v0", lladdr = MAC, nud = "stale" },
        "fd00::7 dev v0 lladdr " .. MAC .. " nud stale", "inet6" },
    { { "fd00::7", dev = "v0", lladdr = MAC, nud = "noarp", protocol = "bird" },
        "fd00::7 dev v0 lladdr " .. MAC .. " nud noarp protocol bird", "inet6" },
    { { "fd00::7", dev = "v0", managed = true }, "fd00::7 dev v0 managed", "inet6" },
}

local wrong = {
    { { "10.0.0.7", lladdr = MAC }, EINVAL, "dev: missing", "10.0.0.7" },
    { { dev = "v0", lladdr = MAC }, EINVAL, "to: missing", "v0" },
    { { "10.0.0", dev = "v0" }, EINVAL, 'to: "10.0.0" is not an IPv4 or IPv6 address', "10.0.0" },
    { { "10.0.0.7", dev = "v0", lladdr = "02:00" }, EINVAL },
    { { "10.0.0.7", dev = "v0", nud = "fresh" }, EINVAL, 'nud: "fresh" given, one of INCOMPLETE, REACHABLE, STALE, ' ..
        "DELAY, PROBE, FAILED, NOARP, PERMANENT, NONE expected", "10.0.0.7" },
    { { "10.0.0.7", dev = "v0", managed = "always" }, EINVAL, 'managed: "always" given, true or false expected',
        "10.0.0.7" },
    { { "10.0.0.7", dev = "v0", managed = true, nud = "permanent", lladdr = MAC }, EINVAL },
    { { "10.0.0.7", dev = "v0", protocol = "nobody" }, EINVAL, 'protocol: "nobody" given, one of unspec, redirect, ' ..
        "kernel, boot, static, gated, ra, mrt, zebra, bird, dnrouted, xorp, ntk, dhcp, keepalived, babel, openr, " ..
        "bgp, isis, … expected", "10.0.0.7" },
    { { "10.0.0.7", dev = "v0", lladr = MAC }, EINVAL, 'unknown key "lladr"; did you mean lladdr', "10.0.0.7" },
}

-- What the kernel looks for by itself is in one state, then in another.
local function settled(neigh)
    if neigh.managed then neigh.state = nil end
    return neigh
end

TestNeigh = ways.test{
    object = "neigh", cases = cases, wrong = wrong, show = "neigh show nud all",
    filter = { state = { "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "NOARP", "PERMANENT" } },
    own = function(record) return record.dst:find "[.:]7$" ~= nil and settled(record) ~= nil end,
    running = { "state" },
}

local proxies = {
    { { "10.0.0.7", proxy = true, dev = "v0" }, "proxy 10.0.0.7 dev v0" },
    { { "10.0.0.7", proxy = true, dev = "v1", router = true, protocol = "static" },
        "proxy 10.0.0.7 dev v1 router protocol static" },
    { { "fd00::7", proxy = true, dev = "v0" }, "proxy fd00::7 dev v0", "inet6" },
}

TestProxy = ways.test{
    object = "neigh", cases = proxies, show = "neigh show proxy", filter = { proxy = true },
    constant = { proxy = true, ["router"] = true, protocol = true },
}

function TestProxy.test_they_are_a_table_of_their_own()
    local ns = ways.space()
    ns.neigh:add{ "10.0.0.7", proxy = true, dev = "v0" }
    lu.assertEquals(#ns.neigh:list{ dst = "10.0.0.7" }, 0)
    lu.assertEquals(#ns.neigh:list{ dst = "10.0.0.7", proxy = true }, 1)
end

function TestNeigh.test_use_looks_for_it()
    local ns = ways.space()
    local said
    nsh.trace(function(line) said = line end)
    ns.neigh:add{ "10.0.0.7", dev = "v0", use = true, nud = "none" }
    nsh.trace(false)
    lu.assertEquals(said, "ip -n by-nsh neigh add 10.0.0.7 dev v0 use nud none")
    lu.assertEquals(#ns.neigh:list{ dst = "10.0.0.7", state = { "INCOMPLETE", "PROBE", "FAILED" } }, 1)
end

os.exit(ways.run())
