--- The way out of a lab: in a sandbox to a simulated outside, on the real host the uplink that it has.
--
-- The simulated outside is a node that `ip netns` and pingall do not see: one interface, `eth0`, which has the
-- gateway's address and those of the hosts. It knows the way to the uplink's own networks only, and what it
-- cannot answer it drops, as the Internet does with private sources.
local core = require "nsh.core"
local errors = require "nsh.errors"
local options = require "nsh.options"

local M = {}

local Uplink = { __name = "nsh.uplink" }
local methods = {}

-- --- what is said of it --------------------------------------------------------------------------

-- Of the link itself, as connect{…} takes them.
local LINK = { "addr", "mtu", "address", "delay", "jitter", "loss", "duplicate", "rate" }
-- Of its default route.
local ROUTE = { "metric", "proto", "src" }
local OWN = { "name", "via", "hosts" }

local function known_keys()
    local list = {}
    for _, keys in ipairs{ OWN, LINK, ROUTE } do table.move(keys, 1, #keys, #list + 1, list) end
    return list
end

local function refuse(message, code)
    errors.raise(errors.new(code or "EINVAL", message), "declare an uplink")
end

local function check_keys(spec)
    if type(spec) ~= "table" then
        refuse('one table holds all arguments: { "enp0s1", addr = "192.168.64.3/24", via = "192.168.64.1" }')
    end
    local keys = known_keys()
    for key in pairs(spec) do
        local known = key == 1
        for _, name in ipairs(keys) do known = known or name == key end
        if not known then require("nsh.suggest").refuse("an uplink has no", tostring(key), keys, { host = "hosts" }) end
    end
end

-- A text, a pool or a list of them: { text =, bytes =, length = } each.
local function parse_list(key, value)
    local list = {}
    if value == nil then return list end
    if type(value) ~= "table" or value.next then value = { value } end
    for i, one in ipairs(value) do
        local text = type(one) == "table" and one.next and one:next() or one
        if type(text) ~= "string" then refuse(("%s: an address or a list of them expected"):format(key)) end
        local bytes, length = core.address.parse(text)
        if not bytes then refuse(("%s: %s"):format(key, length.message)) end
        list[i] = { text = text, bytes = bytes, length = length, bare = text:match "^[^/]*" }
    end
    return list
end

-- --- addresses -----------------------------------------------------------------------------------

local function shares_network(address, network)
    if #address.bytes ~= #network.bytes then return false end
    local whole, bits = network.length // 8, network.length % 8
    if address.bytes:sub(1, whole) ~= network.bytes:sub(1, whole) then return false end
    local mask = 0xff << (8 - bits) & 0xff
    return bits == 0 or (address.bytes:byte(whole + 1) ~ network.bytes:byte(whole + 1)) & mask == 0
end

local function find_network(address, addresses)
    for _, network in ipairs(addresses) do
        if shares_network(address, network) then return network end
    end
end

local function find_family(address, list)
    for _, one in ipairs(list) do
        if #one.bytes == #address.bytes then return one end
    end
end

local function check_other(key, address, addresses)
    for _, own in ipairs(addresses) do
        if own.bytes == address.bytes then refuse(("%s: %s is the uplink's own address"):format(key, own.bare)) end
    end
end

-- What the outside answers for, with the prefix lengths of its interface: in a network of the uplink that of
-- the network, else one of a host alone.
local function outside_addresses(plan)
    local list = {}
    for _, gateway in ipairs(plan.via) do
        local network = find_network(gateway, plan.addr)
        check_other("via", gateway, plan.addr)
        if not network then refuse(("via: %s is in no network of the uplink"):format(gateway.bare)) end
        list[#list + 1] = ("%s/%d"):format(gateway.bare, network.length)
    end
    for _, host in ipairs(plan.hosts) do
        local network = find_network(host, plan.addr)
        check_other("hosts", host, plan.addr)
        if not network and not find_family(host, plan.via) then
            refuse(("hosts: %s is in no network of the uplink: a gateway leads there (via = …)"):format(host.bare))
        end
        list[#list + 1] = ("%s/%d"):format(host.bare, network and network.length or #host.bytes * 8)
    end
    return list
end

local function parse(spec)
    local plan = { addr = parse_list("addr", spec.addr), via = parse_list("via", spec.via),
        hosts = parse_list("hosts", spec.hosts), src = parse_list("src", spec.src) }
    plan.outside = outside_addresses(plan)
    return plan
end

-- --- the simulated outside -----------------------------------------------------------------------

-- A new namespace has them from the initial one. `arp_ignore`: nobody on the link is told where a host behind
-- the gateway is. `ratelimit`, in milliseconds: of the errors, which are what it counts, none is ever due.
local SILENCE = {
    { "net.ipv4.ip_forward", 0 },
    { "net.ipv4.conf.all.rp_filter", 0 },
    { "net.ipv4.conf.default.rp_filter", 0 },
    { "net.ipv4.conf.all.arp_ignore", 2 },
    { "net.ipv4.icmp_ratelimit", 1000000000 },
}
local SILENCE6 = {
    { "net.ipv6.conf.all.forwarding", 0 },
    { "net.ipv6.icmp.ratelimit", 1000000000 },
}
local NO_INET6 = {
    { "net.ipv6.conf.all.disable_ipv6", 1 },
    { "net.ipv6.conf.default.disable_ipv6", 1 },
}

local function declare_sysctls(node, rows)
    for _, row in ipairs(rows) do node:sysctl(row[1], row[2]) end
end

local function has_inet6(plan)
    for _, address in ipairs(plan.addr) do
        if #address.bytes == 16 then return true end
    end
    return false
end

-- A kernel without IPv6 has no parameters of it.
local function silence(node, plan)
    declare_sysctls(node, SILENCE)
    if not core.sysctl.read(nil, "net.ipv6.conf.all.forwarding") then return end
    declare_sysctls(node, has_inet6(plan) and SILENCE6 or NO_INET6)
end

local function add_outside(lab, ifname)
    local name = lab.by_name.outside and "outside-" .. ifname or "outside"
    local node = lab:add_node(name, "outside")
    node.lo = true
    return node
end

-- --- the host's end ------------------------------------------------------------------------------

local function is_inet6(text) return text:find(":", 1, true) ~= nil end

-- What connect{…} has no words for: the metric is also that of the route to the network itself, as the
-- clients of DHCP have it.
local function refine(interface, spec, plan)
    for _, part in ipairs(interface.parts) do
        local args = part.args
        if part.object == "addr" or part.object == "route" then args.metric = spec.metric end
        if part.object == "route" then
            args.proto = spec.proto
            for _, src in ipairs(plan.src) do
                if is_inet6(src.bare) == is_inet6(args.via) then args.src = src.bare end
            end
        end
    end
end

local function connect(host, outside, spec, plan)
    local near = { spec[1], to = outside, via = spec.via, peer = { "eth0", addr = plan.outside } }
    for _, key in ipairs(LINK) do near[key] = spec[key] end
    near.addr = {}
    for i, address in ipairs(plan.addr) do near.addr[i] = address.text end
    local interface = host:connect(near)
    interface.uplink = true
    refine(interface, spec, plan)
    return interface
end

local function check_simulated(spec, plan)
    if type(spec[1]) ~= "string" then refuse 'it has no name: { "enp0s1", addr = "192.168.64.3/24" }' end
    if not plan.addr[1] then
        refuse(("%s has no address: addr = \"192.168.64.3/24\" is the host's own"):format(spec[1]))
    end
    if plan.src[1] and not plan.via[1] then
        refuse "src is of the default route, which needs a gateway: via = …"
    end
    for _, src in ipairs(plan.src) do
        if not find_family(src, plan.via) then refuse(("src: no gateway is of the family of %s"):format(src.bare)) end
    end
end

local function simulate(lab, spec, plan)
    check_simulated(spec, plan)
    local host, outside = lab.host, add_outside(lab, spec[1])
    local ok, interface = pcall(connect, host, outside, spec, plan)
    if not ok then
        outside:remove() -- what leads there is not
        error(interface, 0)
    end
    silence(outside, plan)
    return { real = false, outside = outside, interface = interface, ifname = interface.ifname,
        addresses = interface.addresses, gateway = plan.via[1] and plan.via[1].bare }
end

-- --- the real uplink -----------------------------------------------------------------------------

-- The default route that wins.
local function find_default(host, family)
    local best
    for _, route in ipairs(host.route:list{ family = family, table = "main" }) do
        local is_default = route.dst == "default" and route.dev
        if is_default and (not best or (route.metric or 0) < (best.metric or 0)) then best = route end
    end
    return best
end

local function addresses_of(host, ifname)
    local list = {}
    for _, record in ipairs(host.addr:list{ dev = ifname }) do
        if record.scope == "global" then
            list[#list + 1] = ("%s/%d"):format(record.local_ or record["local"], record.prefixlen)
        end
    end
    return list
end

local function tell(lab, up)
    io.stderr:write(("nsh: lab %s: the uplink is the real one, %s (%s)\n"):format(lab.name, up.ifname,
        table.concat(up.addresses, ", ") .. (up.gateway and " via " .. up.gateway or "")))
end

local function find_real(lab)
    local host = require("nsh").host
    local route = find_default(host, "inet") or find_default(host, "inet6")
    if not route then
        local err = errors.new("ENETUNREACH", "the host has no default route, so there is no uplink")
        err.hint = "nsh -S runs the script in a sandbox, where the uplink and the outside are simulated"
        errors.raise(err, "declare an uplink", "host")
    end
    local up = { real = true, ifname = route.dev, gateway = route.gateway, addresses = addresses_of(host, route.dev) }
    tell(lab, up)
    return up
end

-- --- the object ----------------------------------------------------------------------------------

-- The interface that the lab declared; of the host's own nothing is changed.
local function interface_of(uplink, op)
    errors.check_self(uplink, "ifname", "uplink:down()")
    if uplink.real then
        errors.raise(errors.new("EPERM", "it is the real one: a lab keeps away from the host's own interfaces"),
            op .. " the uplink " .. uplink.ifname, "host")
    end
    return uplink.interface
end

--- The first address of the uplink, of a family ("inet", "inet6") if one is given, without its prefix length;
-- nil if it has none.
--
--     print(uplink:address "inet6")
function methods:address(family)
    errors.check_self(self, "ifname", "uplink:address()")
    for _, address in ipairs(self.addresses) do
        if not family or is_inet6(address) == (family == "inet6") then return (address:match "^[^/]*") end
    end
end

--- Sets the interface down, with the next `lab:up()`. Errors: EPERM: it is the real one.
--
--     uplink:down(); lab:up()
function methods:down()
    interface_of(self, "set down"):down()
    return self
end

--- Sets the interface up again, with the next `lab:up()`. Errors: EPERM: it is the real one.
--
--     uplink:up(); lab:up()
function methods:up()
    interface_of(self, "set up"):up()
    return self
end

--- Removes it, and the outside with it, with the next `lab:up()`. Errors: EPERM: it is the real one.
--
--     uplink:remove(); lab:up()
function methods:remove()
    interface_of(self, "remove"):remove()
    self.outside:remove()
end

function Uplink.__index(uplink, key)
    if key == "outside" and rawget(uplink, "real") then
        errors.raise(errors.new("EPERM", "what is behind the real uplink is not nsh's; what passes it is seen on "
            .. uplink.ifname), "use the outside", "host")
    end
    return methods[key]
end

function Uplink:__tostring()
    return ("uplink %s%s"):format(self.ifname, self.real and " (real)" or "")
end

-- The names that completion offers.
function Uplink.__complete()
    local list = { "addresses", "gateway", "ifname", "outside", "real" }
    for name in pairs(methods) do list[#list + 1] = name end
    return list
end

--- Declares the host's way out. In a sandbox: an interface of the host, and a namespace behind it that plays
-- the outside world: it answers for the gateway and for `hosts`, to whoever has an address in a network of the
-- uplink, and to nobody else; it sends no ICMP errors. On the real host, and with `nsh --internet`, it is the
-- interface of the default route: nothing is declared, all arguments but their mistakes are passed over, and a
-- line says which one it is.
--
-- `spec`: the interface's name first, and
--
-- - `addr`: its address with the prefix length, a pool, or a list of them
-- - `via`: the gateway of the default route, for each family if there are two
-- - `hosts`: addresses that answer, on the link or behind the gateway
-- - `metric`, `proto`, `src`: of that route, as `ip route` has them
-- - `mtu`, `address`, `delay`, `loss`, `rate` …: as in connect{…}
--
-- Returns an uplink: ifname; addresses, with their prefix lengths, and address(family), the first one without;
-- gateway (nil without one); real; outside, the node behind it, whose interface is eth0 (of the real one: EPERM);
-- down(), up(), remove().
-- Errors: EINVAL: an unknown key, or an address that cannot be reached so; EEXIST: the lab's host has such an
-- interface; ENETUNREACH: the real host has no default route.
--
--     local up = lab:uplink{ "enp0s1", addr = "192.168.64.3/24", via = "192.168.64.1", hosts = { "8.8.8.8" } }
--     lab:up()
--     print(lab.host:ping "8.8.8.8", up.ifname, up:address())
function M.uplink(lab, spec)
    spec = spec == nil and {} or spec
    check_keys(spec)
    local own = setmetatable({ spec[1] or spec.name }, { __index = spec })
    local plan = parse(own)
    local simulated = core.sandbox.active() and not core.sandbox.internet()
    return setmetatable(simulated and simulate(lab, own, plan) or find_real(lab), Uplink)
end

local rows = {}
for i, key in ipairs(known_keys()) do rows[i] = { key } end
options.declare(M.uplink, rows)

return M
