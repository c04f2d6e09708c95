--- Interfaces as a lab declares them: the ends of veth pairs, bridges, and links of any other kind.
--
-- Fields beside those of a declaration: name (as the script says it), ifname (as the kernel does),
-- kind ("veth"), addresses (texts such as "10.0.0.1/24"), peer (the other end of a veth pair).
local errors = require "nsh.errors"
local names = require "nsh.lab.name"
local Declaration = require "nsh.lab.declaration"
local options = require "nsh.options"

local Interface = setmetatable({ __name = "nsh.interface" }, { __index = Declaration })
Interface.__index = Interface

-- Keys of an interface that are objects of their own, or say how it is joined to others (options.lua). `shape`:
-- they make its qdisc.
local ROWS = {
    { "addr", valid = "an address with its prefix length, a pool, or a list of them" },
    { "via", means = "neighbour", valid = "the gateway of a default route" },
    { "to", means = "node", valid = "the node at the other end, its name, or a bridge" },
    { "peer", type = "table", valid = "the other end: its name and fields" },
    { "vlan", valid = "of a bridge's port: an id, or a table of vlan:add" },
    { "delay", valid = 'of what is sent: "50ms", or seconds', shape = true },
    { "jitter", valid = 'of the delay: "5ms", or seconds', shape = true },
    { "loss", valid = 'a share of the packets: "1%", or 0.01', shape = true },
    { "duplicate", valid = 'a share of the packets: "1%", or 0.01', shape = true },
    { "rate", valid = 'of what is sent: "10mbit", or bytes a second', shape = true },
}

local OWN, SHAPES = {}, {}
for _, row in ipairs(ROWS) do (row.shape and SHAPES or OWN)[row[1]] = true end

local function listed(value)
    if not value or (type(value) == "table" and next(value) == nil) then return {} end
    if type(value) == "table" and not value.__name and value[1] ~= nil then return value end
    return { value }
end

-- A pool, or an address of one, in place of a text.
local function text_of(address)
    if type(address) == "table" and address.next then return address:next() end
    return address
end

local function without_length(address)
    return type(address) == "string" and address:match "^[^/]+" or address
end

-- --- what goes along with a link -----------------------------------------------------------------

local function is_same(a, b)
    for key, value in pairs(a) do if b[key] ~= value then return false end end
    for key in pairs(b) do if a[key] == nil then return false end end
    return true
end

local function find(list, args)
    for i, other in ipairs(list) do if is_same(other, args) then return i end end
end

-- The declarations of an object that the interface has become those of `list`; what is the same stays.
local function set_parts(self, object, list)
    for _, part in ipairs(self.parts) do
        if part.object == object and not part.removed then
            local i = find(list, part.args)
            if i then table.remove(list, i) else part:remove() end
        end
    end
    for _, args in ipairs(list) do
        local part = Declaration.new(self.node, object, args, self.where)
        part.owner = self
        self.parts[#self.parts + 1] = part
    end
end

local function set_addresses(self, addr)
    local list = {}
    self.addresses = {}
    for i, address in ipairs(listed(addr)) do
        self.addresses[i] = text_of(address)
        list[i] = { self.addresses[i], dev = self.ifname }
    end
    set_parts(self, "addr", list)
end

local function set_gateways(self, via)
    local list = {}
    for i, gateway in ipairs(listed(via)) do
        list[i] = { "default", via = without_length(gateway), dev = self.ifname }
    end
    set_parts(self, "route", list)
end

local function set_vlans(self, vlan)
    local list = {}
    for i, one in ipairs(listed(vlan)) do
        list[i] = type(one) == "table" and one or { vid = one, pvid = true, untagged = true }
        list[i].dev = self.ifname
    end
    set_parts(self, "vlan", list)
end

local function set_shape(self, fields)
    for key, value in pairs(fields) do self.shape[key] = value or nil end
    local args = next(self.shape) and require "nsh.lab.shaping"(self.shape)
    if args then args.dev = self.ifname end
    set_parts(self, "qdisc", { args or nil })
end

-- Splits what a script gave into the link's own fields and the rest, which is set.
local function take(self, spec)
    local shape = {}
    for key, value in pairs(spec) do
        if SHAPES[key] then shape[key] = value
        elseif key ~= 1 and key ~= "type" then self.args[key] = value end
    end
    for key in pairs(OWN) do self.args[key] = nil end
    if type(self.args.master) == "table" then self.args.master = self.args.master.name end
    if spec.addr ~= nil then set_addresses(self, spec.addr) end
    if spec.via ~= nil then set_gateways(self, spec.via) end
    if spec.vlan ~= nil then set_vlans(self, spec.vlan) end
    if next(shape) then set_shape(self, shape) end
end

-- --- the interface -------------------------------------------------------------------------------

local function check_name(self, name)
    if type(name) ~= "string" or name == "" then
        self:refuse("add", "the name of an interface is a string, not " .. tostring(name))
    end
    local other = self.node.by_name[name] or self.node.by_name[self.ifname]
    if other then
        self:refuse("add", ("%s has an interface of that name already: %s"):format(self.node.name, other.where),
            "EEXIST")
    end
end

--- Declares an interface of `node`. `spec`: its name first, fields of the link, `addr`, `via`, … ;
-- `where`: the line that an error names.
--
--     Interface.new(node, "dummy", { "lo1" }, errors.where())
function Interface.new(node, kind, spec, where)
    local name = spec[1] or spec.name
    local self = setmetatable({ node = node, object = "link", kind = kind, name = name, where = where,
        args = { name }, addresses = {}, parts = {}, shape = {} }, Interface)
    self.ifname = type(name) == "string" and names.shorten(name) or name
    check_name(self, name)
    self.args = { self.ifname }
    node.by_name[name], node.by_name[self.ifname] = self, self
    node.interfaces[#node.interfaces + 1] = self
    node.lab.dirty = true
    take(self, spec)
    return self
end

function Interface:__tostring()
    return ("interface %s of %s"):format(self.name, self.node.name)
end

--- Changes fields of the link, or `addr`, `via`, `delay`, `loss`, `rate`; `lab:up()` applies the
-- difference. A field is taken away with `false` where the kernel can: `master = false`, `addr = false`.
-- Returns the interface.
--
--     link:set{ mtu = 1400, delay = "50ms" }
function Interface:set(fields)
    Declaration.set(self, {})
    if type(fields) ~= "table" then self:refuse("change", "a table of fields expected") end
    take(self, fields)
    return self
end

--- Sets the interface down, with the next `lab:up()`.
--
--     link:down(); lab:up()
function Interface:down() return self:set{ up = false } end

-- With its end the kernel has taken away its routes, and its addresses of IPv6 (fib_disable_ip in
-- net/ipv4/fib_frontend.c, addrconf_ifdown in net/ipv6/addrconf.c): they are to be made again.
local function forget_parts(self)
    for _, part in ipairs(self.parts) do
        local is_inet6 = part.object == "addr" and tostring(part.args[1]):find(":", 1, true)
        if part.object == "route" or is_inet6 then part.applied = nil end
    end
end

--- Sets the interface up again, with the next `lab:up()`, with its addresses and routes.
--
--     link:up(); lab:up()
function Interface:up()
    if self.applied and self.applied.up == false then forget_parts(self) end
    return self:set{ up = true }
end

--- Removes it with the next `lab:up()`, and with it the other end of a veth pair.
--
--     link:remove(); lab:up()
function Interface:remove()
    if self.removed then return end
    Declaration.remove(self)
    self.node.by_name[self.name], self.node.by_name[self.ifname] = nil, nil
    for _, part in ipairs(self.parts) do part:remove() end
    if self.peer then self.peer:remove() end
end

--- The first address of a family, without its prefix length: "10.0.0.1"; nil if there is none.
--
--     app3:ping(link:address "inet")
function Interface:address(family)
    for _, address in ipairs(self.addresses) do
        if not family or (address:find(":", 1, true) ~= nil) == (family == "inet6") then
            return without_length(address)
        end
    end
end

--- Raises an error if somebody called with a dot.
--
--     Interface.check(self)
function Interface.check(self)
    errors.check_self(self, "ifname", "link:set{…}")
end

options.declare(Interface.set, ROWS, { link = "" })
Interface.rows = ROWS

return Interface
