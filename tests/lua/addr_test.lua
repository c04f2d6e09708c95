-- Addresses, with `ip addr` as the oracle.
local ways = dofile((arg[0]:gsub("[^/]*$", "ways.lua")))
local lu = require "luaunit"
local support = ways.support

local EINVAL, ERANGE = "EINVAL", "ERANGE"

local cases = {
    { { "10.7.0.1/24", dev = "v0" }, "10.7.0.1/24 dev v0" },
    { { "10.7.0.1", dev = "v0" }, "10.7.0.1 dev v0" },
    { { "10.7.0.1", prefixlen = 16, dev = "v1", label = "v1:one" }, "10.7.0.1/16 dev v1 label v1:one" },
    { { ["local"] = "10.7.0.1/24", brd = "+", ifname = "v0" }, "10.7.0.1/24 brd + dev v0" },
    { { local_ = "10.7.0.1/24", broadcast = "10.7.0.77", dev = "v0" }, "10.7.0.1/24 broadcast 10.7.0.77 dev v0" },
    { { "10.7.0.1/31", brd = "+", dev = "v0" }, "10.7.0.1/31 brd + dev v0" },
    { { "10.7.0.1", peer = "10.7.0.2/30", dev = "v0" }, "10.7.0.1 peer 10.7.0.2/30 dev v0" },
    { { "10.7.0.1/24", dev = "v0", scope = "link", metric = 7 }, "10.7.0.1/24 dev v0 scope link metric 7" },
    { { "10.7.0.1/24", dev = "v0", scope = 77 }, "10.7.0.1/24 dev v0 scope 77" },
    { { "10.7.0.1/24", dev = "v0", noprefixroute = true }, "10.7.0.1/24 dev v0 noprefixroute" },
    { { "10.7.0.1/24", dev = "v0", valid_lft = 5000, preferred_lft = 4000 },
        "10.7.0.1/24 dev v0 valid_lft 5000 preferred_lft 4000" },
    { { "10.7.0.1/24", dev = "v0", preferred_lft = 0 }, "10.7.0.1/24 dev v0 preferred_lft 0" },
    { { "239.7.0.1/32", dev = "v0", autojoin = true }, "239.7.0.1/32 dev v0 autojoin" },
    { { "127.7.0.1/8", dev = "lo" }, "127.7.0.1/8 dev lo" },
    { { "fd07::1/64", dev = "v0", nodad = true }, "fd07::1/64 dev v0 nodad", "inet6" },
    { { "fd07::1", dev = "v0", nodad = true, home = true }, "fd07::1 dev v0 nodad home", "inet6" },
    { { "fd07::1", peer = "fd07::2/64", dev = "v1", nodad = true }, "fd07::1 peer fd07::2/64 dev v1 nodad", "inet6" },
    { { "fd07::1/64", dev = "v0", nodad = true, mngtmpaddr = true, noprefixroute = true },
        "fd07::1/64 dev v0 nodad mngtmpaddr noprefixroute", "inet6" },
    { { "fd07::1/64", dev = "v0", nodad = true, valid_lft = 5000, preferred_lft = 4000, metric = 9 },
        "fd07::1/64 dev v0 nodad valid_lft 5000 preferred_lft 4000 metric 9", "inet6" },
    { { "fd07::1/64", dev = "v0", nodad = true, valid_lft = "forever", preferred_lft = 0 },
        "fd07::1/64 dev v0 nodad valid_lft forever preferred_lft 0", "inet6" },
    { { "fd07::1/64", dev = "v0", optimistic = true }, "fd07::1/64 dev v0 optimistic", "inet6" },
    { { "ff07::1/128", dev = "v0", nodad = true, autojoin = true }, "ff07::1/128 dev v0 nodad autojoin", "inet6" },
    { { "fe80::7/64", dev = "v0", nodad = true }, "fe80::7/64 dev v0 nodad", "inet6" },
}

local wrong = {
    { { "10.7.0.1/33", dev = "v0" }, EINVAL,
        'local: "10.7.0.1/33": the prefix length of an IPv4 address is 0 to 32', "10.7.0.1/33" },
    { { "10.7.0.1", prefixlen = 33, dev = "v0" }, ERANGE, "prefixlen: 33 is out of range: 0 to 32", "10.7.0.1" },
    { { "10.7.0.1/24" }, EINVAL, "dev: missing", "10.7.0.1/24" },
    { { dev = "v0" }, EINVAL, "local: missing", "v0" },
    { { "fd07::1/64", dev = "v0", brd = "+" }, EINVAL },
    { { "10.7.0.1/24", peer = "fd07::1", dev = "v0" }, EINVAL },
    { { "10.7.0.1/24", dev = "v0", scope = "yard" }, EINVAL,
        'scope: "yard" given, one of global, site, link, host, nowhere expected', "10.7.0.1/24" },
    { { "10.7.0.1/24", dev = "v0", scope = 256 }, ERANGE, "scope: 256 is out of range: 0 to 255", "10.7.0.1/24" },
    { { "10.7.0.1/24", dev = "v0", valid_lft = "always" }, EINVAL, 'valid_lft: "always" given, an integer expected',
        "10.7.0.1/24" },
    { { "10.7.0.1/24", dev = "v0", valid_lft = 5, preferred_lft = 6 }, EINVAL },
    { { "10.7.0.1/24", dev = "v0", label = ("x"):rep(16) }, "ENAMETOOLONG",
        'label: "xxxxxxxxxxxxxxxx" has 16 characters, at most 15 are allowed', "10.7.0.1/24" },
    { { "10.7.0.1/24", dev = "v0", proto = "nobody" }, EINVAL,
        'proto: "nobody" given, one of unspec, kernel_lo, kernel_ra, kernel_ll expected', "10.7.0.1/24" },
    { { "10.7.0.1/24", dev = "v0", noprefixrout = true }, EINVAL,
        'unknown key "noprefixrout"; did you mean noprefixroute', "10.7.0.1/24" },
}

-- One record for each address, where iproute2 has them below their links.
local function flatten(links)
    local addresses = {}
    for _, link in ipairs(links) do
        for _, address in ipairs(link.addr_info or {}) do
            address.ifindex, address.ifname = link.ifindex, link.ifname
            addresses[#addresses + 1] = next(address) and address or nil
        end
    end
    return addresses
end

local function is_own(record)
    local address = record["local"] or record.local_
    return (address:find "^%d+%.7%." or address:find "^f[df]07:" or address:find "^fe80::7$") ~= nil
end

TestAddr = ways.test{
    object = "addr", cases = cases, wrong = wrong, show = "addr show", flatten = flatten,
    own = is_own, running = { "valid_life_time", "preferred_life_time", "tentative", "deprecated" },
}

function TestAddr.test_who_made_it()
    local ns = ways.space()
    ns.addr:add{ "10.7.0.1/24", dev = "v0", proto = 77 }
    ns.addr:add{ "10.7.1.1/24", dev = "v0", proto = "kernel_ra" }
    lu.assertEquals(support.pluck(ns.addr:list{ proto = 77 }, "local_"), { "10.7.0.1" })
    lu.assertEquals(support.pluck(ns.addr:list{ protocol = "kernel_ra" }, "local_"), { "10.7.1.1" })
end

os.exit(ways.run())
