--- Nodes of a lab: namespaces, switches, and `lab.host`.
--
-- A node's methods declare, and `lab:up()` applies the difference. What runs there, and its objects'
-- verbs, act at once: `node:exec{…}`, `node:ping(…)`, `node.link:list()`.
local core = require "nsh.core"
local errors = require "nsh.errors"
local Declaration = require "nsh.lab.declaration"
local firewall = require "nsh.lab.firewall"
local Interface = require "nsh.lab.interface"
local options = require "nsh.options"

local Node = { __name = "nsh.node" }
local methods = {}

--- Makes a node; for lab:node and its like.
function Node.new(lab, name, kind, where)
    return setmetatable({ lab = lab, name = name, kind = kind, where = where, interfaces = {},
        by_name = {}, declarations = {}, ns = false, removed = false }, Node)
end

function Node:__tostring()
    return ("node %s of lab %s"):format(self.name, self.lab.name)
end

-- --- declarations --------------------------------------------------------------------------------

local function refuse(node, op, message, code)
    errors.raise(errors.new(code or "EINVAL", message), op, node.name)
end

local function check_table(node, spec, op, example)
    if type(spec) ~= "table" then refuse(node, op, "one table holds all arguments: " .. example) end
    if rawget(node, "removed") then refuse(node, op, "the node was removed") end
end

local function free_name(node, prefix)
    local i = 0
    while node.by_name[prefix .. i] do i = i + 1 end
    return prefix .. i
end

-- Both ends' tables are the script's own: they are read, not kept.
local function with_name(spec, name)
    if type(spec) == "string" then return { spec } end
    local copy = {}
    for key, value in pairs(spec or {}) do copy[key] = value end
    copy[1] = copy[1] or copy.name or name
    copy.name = nil
    return copy
end

-- The far end: named for the near node where many meet, and a port of the bridge that is meant.
local function far_spec(near, spec, node, bridge)
    local far = with_name(spec.peer)
    if far[1] == nil then
        local shared = bridge or node.kind == "host"
        far[1] = shared and near.node.name .. "-" .. near.name or free_name(node, "eth")
    end
    if far.master == nil and bridge then far.master = bridge.name end
    return far
end

-- `target`: a node, or a bridge of one.
local function join(near, spec, target)
    local node = target.node or target
    local bridge = target.node and target or target.switch
    local peer = Interface.new(node, "veth", far_spec(near, spec, node, bridge), near.where)
    near.peer, peer.peer, peer.far = peer, near, true
end

--- Declares a veth pair from this node to another one, and returns its near end.
--
-- The first value is the name of the near end ("eth0", "eth1", … if there is none). `to`: a node, its
-- name (which may be declared later), a switch, or a bridge that `node:bridge` returned. `peer`: the
-- far end, as { "hlink3", master = "br0", addr = … }; without it, it is named for the node, and a port
-- of the bridge or switch. At both ends: `addr`, an address with its prefix length, a pool, or a list
-- of them; `via`, the gateway of a default route; `delay`, `jitter`, `loss`, `rate` of what is sent; `vlan`, of
-- a bridge's port; and the fields of ip-link(8): mtu, address, master, up, …  Both ends are up unless
-- they are told `up = false`. MACs follow from the names.
-- Errors: EEXIST (the name is taken), ENOENT (raised by lab:up: there is no such node).
--
-- With a `port` or `unix` it is ns:connect{…}, which opens a connection at once.
--
--     app3:connect{ "clink3", addr = "172.16.0.30/16", via = "172.16.0.1",
--                   to = lab.host, peer = { "hlink3", master = "br0" } }
function methods:connect(spec)
    if type(spec) == "table" and (spec.port or spec.unix) then return self:live():connect(spec) end
    check_table(self, spec, "connect", '{ "eth0", to = other }')
    local to = spec.to
    if type(to) ~= "string" and not (type(to) == "table" and (to.interfaces or to.kind == "bridge")) then
        refuse(self, "connect", "to = … must say which node: the node, its name, or a bridge")
    end
    local near = Interface.new(self, "veth", with_name(spec, free_name(self, "eth")), errors.where())
    local target = type(to) == "string" and self.lab.by_name[to] or to
    if type(target) == "string" then
        self.lab:wait_for(target, near, function(node) join(near, spec, node) end)
        return near
    end
    local ok, err = pcall(join, near, spec, target)
    if ok then return near end
    near:remove() -- half a pair is none
    error(err, 0)
end

local function enslave(bridge, ports)
    if type(ports) ~= "table" then bridge:refuse("add", 'ports are a list of names: { "eth0", "eth1" }') end
    for _, name in ipairs(ports) do
        local port = bridge.node.by_name[name]
        if not port then bridge:refuse("add", "ports: there is no interface " .. tostring(name), "ENODEV") end
        port:set{ master = bridge.name }
    end
end

--- Declares a bridge in this node, and returns it. It goes up last, once it has its ports. `ports`: names
-- of interfaces declared before that become its ports.
--
--     host:bridge{ "br0", addr = "172.16.0.1/16", stp_state = 0 }
--     host:bridge{ "br1", ports = { "hlink3", "hlink4" } }
function methods:bridge(spec)
    if type(spec) == "string" then spec = { spec } end
    check_table(self, spec, "add a bridge", '{ "br0", addr = "10.0.0.1/24" }')
    local fields = with_name(spec, free_name(self, "br"))
    fields.ports = nil
    local bridge = Interface.new(self, "bridge", fields, errors.where())
    if spec.ports then enslave(bridge, spec.ports) end
    return bridge
end

--- The interface that was declared under that name, or nil.
--
--     host:find "hlink3":set{ mtu = 1400 }
function methods:find(name) return self.by_name[name] end

--- Declares a link of any other kind, with the arguments of link:add, and `addr` and `via`.
--
--     r1:link{ "lo1", type = "dummy", addr = "10.255.0.1/32" }
local function declare_link(self, spec)
    check_table(self, spec, "add a link", '{ "lo1", type = "dummy" }')
    local kind = spec.type or spec.info_kind
    if type(kind) ~= "string" then refuse(self, "add a link", 'say which kind of link: type = "dummy"') end
    if kind == "veth" then refuse(self, "add a link", "a veth pair is declared with node:connect{…}") end
    return Interface.new(self, kind, with_name(spec), errors.where())
end

--- Declares a kernel parameter; without a value, reads the one in force. On the host it is put back
-- when the lab ends.
--
--     r1:sysctl("net.ipv4.ip_forward", 1)
function methods:sysctl(key, value)
    if value == nil then return self:live():sysctl(key) end
    if type(key) ~= "string" then refuse(self, "use sysctl", 'a key such as "net.ipv4.ip_forward" expected') end
    return Declaration.new(self, "sysctl", { key, value = value }, errors.where())
end

--- Declares the node's firewall: text for the program nft. Further texts are added to it. Without a text
-- lists what is in force: see ns:nft. On the host in a sandbox only; elsewhere nsh.host:nft acts at once.
--
--     r1:nft "table inet t { chain c { type filter hook input priority 0; policy drop; }; }"
function methods:nft(text)
    if text == nil then return self:live():nft() end
    if type(text) ~= "string" then refuse(self, "use nft", "a text of rules expected") end
    if not firewall.takes_text(self) then
        refuse(self, "use nft", "a lab keeps away from the host's firewall but for masquerade, snat, dnat, forward",
            "EPERM")
    end
    return Declaration.new(self, "nft", { "ruleset", text = text }, errors.where())
end

local function declare_helper(self, verb, args)
    errors.check_self(self, "declarations", ("node:%s{…}"):format(verb))
    return Declaration.new(self, verb, firewall.check(self, verb, args), errors.where())
end

--- Declares that what leaves the node gets the address of the interface by which it leaves: see
-- ns:masquerade.
--
--     lab.host:masquerade{ saddr = "172.16.0.0/16", oifname = "!= br0" }
function methods:masquerade(args) return declare_helper(self, "masquerade", args) end

--- Declares that what leaves the node gets another source: see ns:snat.
--
--     r1:snat{ saddr = "2.2.2.0/30", to = "192.168.70.53" }
function methods:snat(args) return declare_helper(self, "snat", args) end

--- Declares a port forward: see ns:dnat.
--
--     r1:dnat{ iifname = "eth0", proto = "tcp", dport = 8080, to = "10.0.0.2:80" }
function methods:dnat(args) return declare_helper(self, "dnat", args) end

--- Declares that something is forwarded, also where others drop it; or a policy: see ns:forward.
--
--     lab.host:forward{ iifname = "br0", oifname = "!= br0" }
function methods:forward(args) return declare_helper(self, "forward", args) end

--- Declares a file below /etc that the node's programs see.
--
--     app:file("resolv.conf", "nameserver 10.0.0.53\n")
function methods:file(name, text)
    if type(name) ~= "string" or name == "" or name:find "[/%z]" or type(text) ~= "string" then
        refuse(self, "add a file", 'a name without "/" and a text expected: ("hosts", "10.0.0.1 r1\\n")')
    end
    if self.kind == "host" then refuse(self, "add a file", "a lab keeps away from the host's /etc", "EPERM") end
    return Declaration.new(self, "file", { name, text = text }, errors.where())
end

--- Declares a program that runs in the node from the end of lab:up() on, until the lab ends; programs
-- start in the order of their declarations. Arguments as for ns:spawn; those with `listen` start side by
-- side, and lab:up() waits for all of them. Returns the declaration, whose field `process` is the running one.
--
--     app:run{ "python3", "-m", "http.server", "8080", listen = 8080 }
function methods:run(command)
    if type(command) == "string" then command = { "sh", "-c", command } end
    check_table(self, command, "run a program", '{ "sleep", "60" }')
    return Declaration.new(self, "run", with_name(command), errors.where())
end

--- Removes the node, and what it is connected with, with the next `lab:up()`.
--
--     app3:remove(); lab:up()
function methods:remove()
    if self.kind == "host" then refuse(self, "remove a node", "the host stays") end
    self.removed, self.lab.dirty = true, true
    self.lab.by_name[self.name] = nil
    for i = #self.interfaces, 1, -1 do self.interfaces[i]:remove() end
end

--- The first address of the node, of a family ("inet", "inet6") if one is given, without its prefix
-- length; nil if it has none.
--
--     a:ping(b:address())
function methods:address(family)
    for _, interface in ipairs(self.interfaces) do
        local address = not interface.removed and interface:address(family)
        if address then return address end
    end
end

--- What the kernel calls an interface that may have been declared with a longer name.
--
--     show(app3.link:get(app3:ifname "a-name-too-long-for-the-kernel"))
function methods:ifname(name)
    local interface = self.by_name[name]
    return interface and interface.ifname or name
end

-- --- the living namespace ------------------------------------------------------------------------

--- The namespace itself. Errors: ENOENT: `lab:up()` has not made it yet.
--
--     print(app3:live().name)
function methods:live()
    local ns = rawget(self, "ns")
    if not ns then
        refuse(self, "use the node", ("it is not up: lab:up() makes it"), "ENOENT")
    end
    return ns
end

--- Pings addresses, or nodes: see ns:ping.
--
--     print(app3:ping(app4))
function methods:ping(target, opts)
    if getmetatable(target) == Node then target = target:address() end
    return self:live():ping(target, opts)
end

--- Captures on an interface of the node: see ns:capture.
--
--     local capture <close> = app3:capture{ "clink3", filter = "icmp" }
function methods:capture(args, fn)
    local function rename(name) return self:ifname(name) end
    return self:live():capture(require "nsh.capture".arguments(args, rename), fn)
end

-- `node.link`: verbs of the namespace's object; called, it declares one.
local Objects = {}

function Objects.__index(object, verb)
    local node, name = rawget(object, "node"), rawget(object, "name")
    return function(_, ...)
        local own = node:live()[name]
        return own[verb](own, ...)
    end
end

local known = core.netlink.objects()

local function check_adds(node, name)
    for _, verb in ipairs(known[name]) do
        if verb == "add" then return end
    end
    refuse(node, "declare " .. name, ("nothing adds a %s: node.%s:set{ … } once the lab is up"):format(name, name))
end

function Objects.__call(object, node, args)
    if object.name == "link" then return declare_link(node, args) end
    check_adds(node, object.name)
    check_table(node, type(args) == "string" and { args } or args, "add " .. object.name, "{ … }")
    return Declaration.new(node, object.name, with_name(args), errors.where())
end

-- What completion offers: `node.link` has the verbs of the namespace's.
function Objects.__complete(object) return known[rawget(object, "name")] end

function Objects.__look(object, verb) return require("nsh.object").new({}, rawget(object, "name"))[verb] end

-- What the namespace does itself, at once.
local living = {
    batch = true, exec = true, http = true, listen = true, listening = true, monitor = true, peer = true, shell = true,
    show = true, spawn = true,
}

function Node.__index(node, key)
    if methods[key] then return methods[key] end
    if known[key] then
        local object = setmetatable({ node = node, name = key }, Objects)
        rawset(node, key, object)
        return object
    end
    if living[key] then
        return function(self, ...)
            local ns = self:live()
            return ns[key](ns, ...)
        end
    end
end

-- The names that completion offers.
function Node.__complete()
    local list = { "name", "interfaces" }
    for name in pairs(living) do list[#list + 1] = name end
    for name in pairs(methods) do list[#list + 1] = name end
    for name in pairs(known) do list[#list + 1] = name end
    return list
end

function Node.__look(node, key)
    if known[key] then return setmetatable({ node = node, name = key }, Objects) end
    return methods[key] or living[key] and require("nsh.namespace").method(key) or nil
end

Node.__finds = "by_name" -- where `find` looks

options.declare(methods.connect, Interface.rows, { link = "veth", peer = Interface.rows })
options.declare(methods.bridge, Interface.rows, { link = "bridge" })
options.like(methods.run, function() return require("nsh.process").spawn end)
options.declare(methods.find, {}, { first = "declared" })
options.declare(Objects.__call, Interface.rows, { link = "" }) -- of `link`

return Node
