--- Network namespaces: `nsh.netns`, and what a namespace can do.
local core = require "nsh.core"
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local object = require "nsh.object"
local options = require "nsh.options"
local trace = require "nsh.trace"

local M = {}

local Namespace = { __name = "nsh.namespace" }
local methods = {}

-- All that are in use, and processes that hold one: object -> number, in their order.
local known, count = setmetatable({}, { __mode = "k" }), 0

local function remember(one)
    count = count + 1
    known[one] = count
    return one
end

-- Fields of a namespace: `name` for people; `handle`, its descriptor, and `label`, its name in commands:
-- both nil for the one that nsh is in; `published`: whether `name` is one of /run/netns. `closed` once it is.
local function new(handle, name, label, published)
    return remember(setmetatable({ handle = handle, name = name, label = label, published = published or nil },
        Namespace))
end

--- A namespace of a handle (a userdata of nsh.core.netns) that /run/netns has under that name, and of a
-- netlink socket in it, if there is one already.
--
--     local ns = nsh.netns.wrap(handle, "app3")
function M.wrap(handle, name, socket)
    local ns = new(handle, name, name, true)
    rawset(ns, "netlink", socket)
    return ns
end

-- Methods that live in modules of their own, loaded when they are first used.
local elsewhere = {
    batch = "nsh.batch",
    capture = "nsh.capture",
    monitor = "nsh.monitor",
    exec = "nsh.process",
    spawn = "nsh.process",
    peer = "nsh.peers",
    connect = "nsh.socket",
    listen = "nsh.socket",
    listening = "nsh.listening",
    http = "nsh.http",
    shell = "nsh.shell",
    ping = "nsh.ping",
    show = "nsh.page",
    sysctl = "nsh.sysctl",
    nft = "nsh.firewall",
    masquerade = "nsh.firewall",
    snat = "nsh.firewall",
    dnat = "nsh.firewall",
    forward = "nsh.firewall",
}

local function refuse_closed(ns)
    errors.raise(errors.new("EBADF", "the namespace is closed"), "use namespace " .. ns.name)
end

-- What is said of a namespace that lacks it, too.
local optional = {
    handle = true, label = true, published = true, closed = true, here = true, here_label = true, etc = true,
}

local synonyms = {
    links = "link", interface = "link", iface = "link", dev = "link", address = "addr", neighbour = "neigh",
    neighbor = "neigh", run = "exec", start = "spawn", iptables = "nft", delete = "close", del = "close",
}

-- The names of what a namespace has, besides its fields.
local function own_names()
    local names = { "close" }
    for name in pairs(core.netlink.objects()) do names[#names + 1] = name end
    for name in pairs(elsewhere) do names[#names + 1] = name end
    table.sort(names)
    return names
end

--- The method of that name that every namespace has, or nil.
--
--     netns.method "ping"
function M.method(key)
    if elsewhere[key] and not methods[key] then methods[key] = require(elsewhere[key])[key] end
    return methods[key]
end

--- What a namespace has under a key: a field, a method or an object; nil if there is no such thing, where
-- `ns[key]` raises an error. Errors: EBADF once it is closed.
--
--     if not nsh.netns.find(host, "tunnel") then print "a namespace has no tunnel" end
function M.find(ns, key)
    local own = rawget(ns, key)
    if own ~= nil then return own end
    if rawget(ns, "closed") and key ~= "close" then refuse_closed(ns) end
    local found = M.method(key)
    if found then return found end
    local made = object.new(ns, key)
    rawset(ns, key, made)
    return made
end

function Namespace.__index(ns, key)
    local found = M.find(ns, key)
    if found ~= nil or optional[key] or type(key) ~= "string" then return found end
    require("nsh.suggest").refuse("a namespace has no", key, own_names(), synonyms)
end

function Namespace:__tostring()
    return "namespace " .. self.name
end

function Namespace:__close()
    self:close()
end

Namespace.__complete = own_names -- what Tab offers, and what stands under one of the names

function Namespace.__look(ns, key) return M.method(key) or object.new(ns, key) end

--- The netlink socket inside this namespace; opened when it is first needed. Of generic netlink that of a
-- family. Errors: ENOENT: the kernel does not know the family.
--
--     local socket = ns1:socket()
function methods:socket(family)
    local key = family and "netlink " .. family or "netlink"
    local socket = rawget(self, key)
    if not socket then
        local err
        socket, err = core.netlink.open(self.handle, self.label, family)
        if not socket and family then errors.raise(err, "use " .. family, self.name) end
        if not socket then errors.raise(err, "use namespace " .. self.name) end
        rawset(self, key, socket)
    end
    return socket
end

--- Lets go of the namespace: one without a name is gone, if no program and no other handle holds it.
-- Closing twice does no harm, and neither does closing `host`, which stays open. At the end of a block
-- `local ns <close> = nsh.netns.new()` does it.
--
--     ns1:close()
function methods:close()
    if not self.handle then return end
    for _, key in ipairs{ "netlink", "netlink wireguard" } do
        local socket = rawget(self, key)
        if socket then socket:close() end
    end
    self.handle:close()
    self.closed = true
end

-- The name of a namespace is a string; the rest of what it cannot be is checked further down.
local function check_name(name, op)
    if type(name) == "string" and not name:find "\0" then return end
    local what = type(name) == "string" and "without a zero byte" or "not a " .. type(name)
    errors.raise(errors.new("EINVAL", "the name of a namespace is a string, " .. what),
        op .. " namespace")
end

--- Creates a namespace with a name, as `ip netns add` does: it lives until `nsh.netns.del`, or as long
-- as the sandbox. Returns it. Errors: EEXIST; EINVAL for a name that cannot be one.
--
--     local ns1 = nsh.netns.add "ns1"
function M.add(name)
    check_name(name, "add")
    dry.check("add namespace " .. name)
    local handle, err = core.netns.add(name)
    trace.change(err and err.message, "ip netns add %s", trace.quote(name))
    if not handle then errors.raise(err, ("add namespace %s"):format(name)) end
    return new(handle, name, name, true)
end

local anonymous = 0

--- Creates a namespace without a name: it lives as long as this handle, or a program in it. Returns it.
--
--     local ns <close> = nsh.netns.new()
function M.new()
    dry.check "create a namespace"
    local handle, err = core.netns.new()
    if not handle then errors.raise(err, "create a namespace") end
    anonymous = anonymous + 1
    local name = "nsh-" .. anonymous
    trace.say("ip netns add %s", name)
    return new(handle, name, name)
end

local function open(what)
    if math.type(what) == "integer" then return core.netns.open_pid(what) end
    if type(what) ~= "string" or what:find "\0" then
        return nil, errors.new("EINVAL", "a name, a path or the pid of a process expected")
    end
    return (what:find "/" and core.netns.open_path or core.netns.open_name)(what)
end

--- Opens a namespace that exists: by its name in /run/netns, by a path (with a "/"), or by the pid of a
-- process in it. Returns it. Errors: ENOENT, ESRCH, EINVAL (not a network namespace).
--
--     local ns1 = nsh.netns.open "ns1"
--     local other = nsh.netns.open(1234)
function M.open(what)
    local handle, err = open(what)
    if not handle then errors.raise(err, "open namespace " .. tostring(what)) end
    if math.type(what) == "integer" then
        return new(handle, "pid-" .. what, ("/proc/%d/ns/net"):format(what))
    end
    if what:find "/" then return new(handle, what, what:match "^/run/netns/([^/]+)$" or what) end
    return new(handle, what, what, true)
end

--- Starts a program in a namespace that is new and has no name, as `unshare -n` does: nothing but the
-- process holds it, and it is gone with the last process in it. Arguments (without `listen`), and the process
-- that is returned, as of ns:spawn; `nsh.netns.open(p.pid)` enters the namespace, and the pid stands for it
-- wherever a namespace is meant. Errors: as of ns:spawn.
--
--     local p = nsh.netns.unshare{ "sleep", "60" }
--     host.link:add{ "veth0", type = "veth", peer = { "veth1", netns = p.pid } }
function M.unshare(args, ...) return remember(require("nsh.process").unshare(args, ...)) end

--- Takes the name of a namespace away, as `ip netns del` does; the namespace itself goes when nothing
-- else holds it. Takes a name or a namespace, which is closed. Errors: ENOENT.
--
--     nsh.netns.del "ns1"
function M.del(what)
    local name = type(what) == "table" and what.name or what
    check_name(name, "delete")
    dry.check("delete namespace " .. name)
    if type(what) == "table" and not what.published then
        errors.raise(errors.new("EINVAL", "it has no name in /run/netns"), "delete namespace " .. name)
    end
    local ok, err = core.netns.del(name)
    trace.change(err and err.message, "ip netns del %s", trace.quote(name))
    if not ok then errors.raise(err, "delete namespace " .. name) end
    if type(what) == "table" then what:close() end
end

--- The namespaces that have a name, as `ip -j netns` lists them: { name =, id = } with the id that the
-- host knows it by, if it has one.
--
--     for _, ns in ipairs(nsh.netns.list()) do print(ns.name) end
function M.list()
    local names, err = core.netns.list()
    if not names then errors.raise(err, "list the namespaces") end
    local socket, host = M.current():socket(), {}
    for i, name in ipairs(names) do
        local handle = core.netns.open_name(name)
        local id = handle and socket:get("nsid", "get", handle)
        if handle then handle:close() end
        host[i] = { name = name, id = id and id.nsid >= 0 and id.nsid or nil }
    end
    return core.json.list(host)
end

local current

-- What is in use, in its order, with a name in /run/netns or without: a list.
local function in_use(published)
    local list = {}
    for one in pairs(known) do
        local fits = (rawget(one, "published") or false) == published
        if fits and one ~= current and not rawget(one, "closed") then list[#list + 1] = one end
    end
    table.sort(list, function(a, b) return known[a] < known[b] end)
    return list
end

-- fn(name, handle) of a process, or of a namespace.
local function visit(one, fn)
    if not rawget(one, "pid") then return fn(one.name, one.handle) end
    local handle <close> = core.netns.open_pid(one.pid)
    return handle and fn(one.netns, handle)
end

local function visit_names(seen, fn)
    for _, name in ipairs(core.netns.list() or {}) do
        local handle <close> = not seen[name] and core.netns.open_name(name) or nil
        if handle and fn(name, handle) then return true end
    end
end

--- Calls fn(name, handle) for each namespace that nsh can name, until it returns true: its own ("host"), those of
-- /run/netns, and those in use that have no name there. The handle may be closed after the call.
--
--     nsh.netns.visit(function(name) print(name) end)
function M.visit(fn)
    if fn("host", M.current().here) then return end
    local seen = {}
    for _, one in ipairs(in_use(true)) do
        if visit(one, fn) then return end
        seen[one.name] = true
    end
    if visit_names(seen, fn) then return end
    for _, one in ipairs(in_use(false)) do
        if visit(one, fn) then return end
    end
end

--- The namespace that nsh was started in, or its sandbox: the same as the global `host`.
--
--     print(nsh.netns.current() == host)      --> true
function M.current()
    if not current then
        local handle, err = core.netns.current()
        if not handle then errors.raise(err, "open the namespace of nsh") end
        current = new(nil, "host", nil)
        -- for a link that another namespace sends here: `netns = host`
        current.here, current.here_label = handle, "/proc/$$/ns/net"
    end
    return current
end

for _, fn in ipairs{ M.open, M.del } do options.declare(fn, {}, { first = "netns" }) end

return M
