--- The objects of a namespace and their verbs: `ns.link:add{…}` is `ip -n NS link add …`.
--
-- Arguments are the words of the command line, or the names of `ip -j -d`, `tc -j -d`; the first value
-- may stand without its key. Records have those names and values and can be given back to `add` and
-- `set`; keys that only the kernel sets are passed over.
local core = require "nsh.core"
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local record = require "nsh.record"
local settle = require "nsh.settle"
local traffic = require "nsh.traffic"

local M = {}

-- The first of these fields that a caller's table has; nobody's code is run for it.
local function first_of(args, ...)
    for _, key in ipairs { ... } do
        local value = type(args) == "table" and rawget(args, key)
        if value then return value end
    end
end

-- The key of the name of what is also known by the interface that it is on.
local own_key = {
    altname = "altname", qdisc = "kind", class = "classid", filter = "kind", vlan = "vid", fdb = "mac", mdb = "grp",
    rule = "priority", nexthop = "id",
}

-- What an error calls the thing: "veth0" in "cannot add link veth0".
local function name_of(object, args)
    if type(args) ~= "table" then return args and tostring(args) end
    local own = own_key[object.name] or 1
    local first = object.name == "class" and own or 1 -- whose kind says less
    local name = first_of(args, first, 1, own, "local_", "dst", "to", "name", "ifname", "dev")
    if type(name) == "table" then name = first_of(name, "name") end
    return name and tostring(name)
end

local function place_of(object, args, name)
    local dev = own_key[object.name] and first_of(args, "dev")
    return dev and dev ~= name and " on " .. tostring(dev) or ""
end

local function operation(object, verb, args)
    local name = name_of(object, args)
    return verb .. " " .. object.name .. (name and " " .. name or "") .. place_of(object, args, name)
end

-- Where the cure is known.
local function hint_for(object, err, args)
    local kind = first_of(args, "type", "info_kind")
    if err.code == "EPERM" and object.name == "fdb" then
        return "it needs CAP_NET_ADMIN there, and a port that is up and forwards"
    elseif err.code == "EPERM" then
        return "it needs CAP_NET_ADMIN there: run as root, or in a sandbox (nsh -S)"
    elseif err.code == "ENOTCONN" and kind == "veth" then
        return "a peer cannot be up before both ends exist: set it up afterwards"
    elseif err.message == "Unknown device type" and kind then
        return "this kernel has no such links, or not their module: as root, modprobe " ..
            errors.short(tostring(kind))
    elseif err.message == "Specified qdisc kind is unknown" then
        return "this kernel has no such qdisc, or not its module: as root, modprobe sch_" ..
            errors.short(tostring(first_of(args, 1, "kind")))
    elseif object.name == "filter" and err.message:find "^Parent Qdisc" then
        return 'filters are on a qdisc: ns.qdisc:add{ "clsact", dev = … } has a place for them'
    elseif err.message == "TC classifier not found" then
        return "this kernel has no such filter, or not its module: as root, modprobe cls_" ..
            errors.short(tostring(first_of(args, 1, "kind")))
    elseif err.message == "Failed to load TC action module" then
        return "this kernel has no such action, or not its module: as root, modprobe act_gact, act_police, …"
    elseif err.code == "EOPNOTSUPP" and object.name == "vlan" then
        return "the bridges of this kernel have no VLANs (CONFIG_BRIDGE_VLAN_FILTERING)"
    elseif err.message == "Unknown device type" then
        return 'say which kind of link: type = "veth"'
    end
end

-- The key that was refused goes before the words: "mtu: 70000 is out of range".
local function refuse(object, verb, args, err)
    err.hint = err.hint or hint_for(object, err, args)
    if err.key then err.message = err.key .. ": " .. err.message end
    errors.raise(err, operation(object, verb, args), object.ns.name)
end

local function check_call(object, verb, args, more)
    errors.check_self(object, "ns", ("ns.link:%s{…}"):format(verb))
    if more ~= nil then
        refuse(object, verb, args, errors.new("EINVAL", "one table holds all arguments: { \"veth0\", up = true }"))
    end
    if rawget(object.ns, "closed") then
        refuse(object, verb, args, errors.new("EBADF", "the namespace is closed"))
    end
end

-- Before a change.
local function prepare(object, verb, args)
    if dry.on then dry.check(operation(object, verb, args), object.ns.name) end
    if object.name == "link" then settle.mark(object.ns, args) end
end

--- Raises what a change was refused for, as its verb does: for batches.
M.refuse = refuse

--- What a change begins with, before anything is written: for batches.
function M.prepare(object, verb, args, more)
    check_call(object, verb, args, more)
    prepare(object, verb, args)
end

local function request(object, method, verb, args, given, is_record)
    local socket = rawget(object, "socket") or object:open()
    local result, err = socket[method](socket, object.name, verb, given, is_record)
    if result == nil and err then refuse(object, verb, args, err) end
    return result
end

-- Of a record that is made again: the kernel takes them for a link that exists.
local function add_altnames(object, args)
    local names = rawget(args, "altnames")
    for _, name in ipairs(type(names) == "table" and not args.netns and names or {}) do
        object.ns.altname:add{ name, dev = args.ifname }
    end
end

-- Devices of WireGuard, which the kernel tells in parts.
local function devices(object, verb, args)
    return require("nsh.wireguard").list(object.ns, args, function(given)
        return request(object, "list", verb, args, given)
    end)
end

-- What a change takes: a list of arguments, or nil for one request with those that it has.
local function requests_of(object, verb, args, is_record)
    if is_record then return record.requests(args, verb) end
    return object.name == "wg" and require("nsh.wireguard").requests(object.ns, verb, args) or nil
end

local function change(object, verb, args, more)
    check_call(object, verb, args, more)
    prepare(object, verb, args)
    local is_record = object.name == "link" and record.is_record(args)
    local requests = requests_of(object, verb, args, is_record)
    if not requests then return request(object, "change", verb, args, args) end
    for _, given in ipairs(requests) do request(object, "change", verb, args, given, is_record) end
    if is_record and verb == "add" then add_altnames(object, args) end
end

-- The records of a list, or how many a flush has deleted, where that may take several requests.
local function all_of(object, verb, args, more)
    check_call(object, verb, args, more)
    if verb == "flush" then prepare(object, verb, args) end
    if object.name == "wg" then return devices(object, verb, args) end
    if not traffic.is_scattered(object) then return request(object, verb, verb, args, args) end
    local result
    traffic.each(object, args, function(given)
        local part = request(object, verb, verb, args, given)
        if verb == "flush" then
            result = (result or 0) + part
        else
            result = result and table.move(part, 1, #part, #result + 1, result) or part
        end
    end)
    return result
end

local verbs = {}

--- Creates one. Errors: EEXIST, and what the kernel says.
--
-- What the kernel only takes for a link that exists (`alias`, `addrgenmode`, the attributes of a port)
-- follows in a second request; if that is refused, the link is deleted again.
--
--     host.link:add{ "veth0", type = "veth", peer = { "veth1", netns = ns1 } }
--     host.link:add{ "tap0", type = "tun", mode = "tap", user = "nobody" }
--     host.altname:add{ "uplink", dev = "veth0" }
--     host.addr:add{ "10.0.0.1/24", dev = "veth0" }
--     ns1.route:add{ "default", via = "10.0.0.1" }
--     ns1.qdisc:add{ "netem", dev = "veth1", root = true, delay = "50ms", loss = "1%" }
--     ns1.class:add{ "htb", dev = "veth2", parent = "1:", classid = "1:10", rate = "10mbit", ceil = "1gbit" }
--     ns1.filter:add{ "u32", dev = "veth2", ingress = true, protocol = "ip", pref = 1,
--                     match = "ip dst 10.0.0.0/8", action = { "mirred", redirect = true, dev = "ifb0" } }
--     host.vlan:add{ 10, dev = "veth0", pvid = true, untagged = true }
--     ns1.route:add{ "10.9.0.0/16", nexthops = { { via = "10.0.0.2", weight = 3 }, { via = "10.0.0.3" } } }
--     ns1.nexthop:add{ 3, group = { 1, { id = 2, weight = 4 } } }
--     host.mdb:add{ "239.1.1.1", dev = "br0", port = "veth0", permanent = true }
function verbs:add(args, ...) change(self, "add", args, ...) end

--- Changes one that exists: `ip link set`, `ip route change`. Of a link's record it sends what differs
-- from the link; of a qdisc, as `tc qdisc change`, all options anew. Errors: ENODEV, ENOENT.
--
--     host.link:set{ "veth0", up = true, mtu = 1400 }
--     ns1.wg:set{ "wg0", private_key = ns1.wg:genkey(), listen_port = 51820,
--                 peer = { key, endpoint = "10.0.0.2:51820", allowed_ips = { "10.9.0.0/24" } } }
function verbs:set(args, ...) change(self, "set", args, ...) end

--- Creates one, or changes the one that is there. Of WireGuard: as `set`, and peers that are not named are removed.
--
--     ns1.route:replace{ "default", via = "10.0.0.254" }
function verbs:replace(args, ...) change(self, "replace", args, ...) end

--- Creates a route behind those to the same destination.
--
--     host.route:append{ "10.9.0.0/16", via = "10.0.0.3" }
function verbs:append(args, ...) change(self, "append", args, ...) end

--- Deletes one. Errors: ENODEV, ESRCH, ENOENT, EADDRNOTAVAIL: there is none such.
--
--     host.link:del "veth0"
function verbs:del(args, ...) change(self, "del", args, ...) end

--- Returns one record. Errors: ENODEV, ENOENT: there is none such.
--
--     print(host.link:get("lo").mtu)
--     print(ns1.route:get("10.0.0.1").dev)
--     print(ns1.qdisc:get("veth1").options.limit)     -- of the root; another by its parent
--     print(ns1.wg:get("wg0").public_key)
function verbs:get(args, ...)
    check_call(self, "get", args, ...)
    if self.name == "wg" then return devices(self, "get", args)[1] end
    return request(self, "get", "get", args, args)
end

--- Returns a list of records: all, or those whose fields are equal to the arguments'. As iproute2's,
-- routes are those of IPv4 and the main table unless `family` or `table` (also "all") is given, and
-- neighbours those that have a state. Filters are those of all places, classes and filters those of all
-- interfaces, unless the arguments say where. With `stats = true` links have their counters, `stats64`.
--
--     print(host.link:list{ stats = true }[1].stats64.rx.bytes)
--     for _, n in ipairs(ns1.neigh:list{ dev = "veth1" }) do print(n.dst, n.lladdr, n.state[1]) end
function verbs:list(args, ...)
    local records = all_of(self, "list", args, ...)
    local leads_elsewhere = self.name == "link" or self.name == "nsid"
    return leads_elsewhere and require("nsh.peers").note(records, self.ns) or records
end

--- Prints what `list` with the same arguments returns, as `show` does. As JSON (`nsh -j`) it needs no more memory
-- than the kernel's own messages, and a fraction of the time: for very many.
--
--     host.route:show{ table = "all" }
function verbs:show(args, ...)
    local show = require "nsh.show"
    if not show.is_json() or traffic.is_scattered(self) or self.name == "wg" then return show(self:list(args, ...)) end
    check_call(self, "list", args, ...)
    request(self, "print", "list", args, args)
end

--- Deletes all that `list` with the same arguments shows, and returns how many there were. As with
-- iproute2 there must be an argument, and neighbours that are PERMANENT or NOARP stay unless a `state`
-- is given. Errors: EINVAL without an argument.
--
--     ns1.neigh:flush{ dev = "veth1" }
function verbs:flush(args, ...)
    if args == nil or (type(args) == "table" and next(args) == nil) then
        errors.check_self(self, "ns", "ns.neigh:flush{…}")
        refuse(self, "flush", args, errors.new("EINVAL", "say which: flush requires arguments"))
    end
    return all_of(self, "flush", args, ...)
end

local classes = {}

-- What opens the netlink socket of an object; `family`: of generic netlink, or nil.
local function opener(family)
    --- The netlink socket of an object, opened when it is first needed; kept in its field `socket`.
    --
    --     local socket = host.link:open()
    local function open_socket(object)
        object.socket = object.ns:socket(family)
        return object.socket
    end
    return open_socket
end

-- What an object has besides the verbs of its messages.
local wg = {}
local more = { wg = wg }

--- A new private key of WireGuard, by chance: `wg genkey`. The public one follows from it: the kernel tells
-- that of a device whose private key is set.
--
--     ns1.wg:set{ "wg0", private_key = ns1.wg:genkey() }
--     print(ns1.wg:get("wg0").public_key)
function wg.genkey() return core.netlink.key(true) end

--- A new secret for both sides, a peer's `preshared_key`: `wg genpsk`.
--
--     local secret = ns1.wg:genpsk()
function wg.genpsk() return core.netlink.key(false) end

-- iproute2's other words for its verbs, and those of other programs.
local synonyms = {
    ls = "list", lst = "list", dump = "list", change = "set", chg = "set", modify = "set",
    delete = "del", remove = "del", destroy = "del", rm = "del", create = "add", new = "add",
    prepend = "append", clear = "flush",
}

-- A class is only asked for what an object does not have itself.
local function refuser(name, own)
    return function(_, key)
        if type(key) ~= "string" then return nil end
        require("nsh.suggest").refuse(name .. " has no verb", key, own, synonyms)
    end
end

for name, own in pairs(core.netlink.objects()) do
    local class = { name = name, open = opener(own.family) }
    for _, verb in ipairs(own) do class[verb] = verbs[verb] end
    for verb, fn in pairs(more[name] or {}) do own[#own + 1], class[verb] = verb, fn end
    if class.list then own[#own + 1], class.show = "show", verbs.show end
    classes[name] = { __index = setmetatable(class, { __index = refuser(name, own) }), __name = "nsh." .. name,
        __complete = function() return own end }
end

--- The object `name` ("link", "addr", …) of a namespace; nil if there is none such.
function M.new(ns, name)
    return classes[name] and setmetatable({ ns = ns }, classes[name])
end

return M
