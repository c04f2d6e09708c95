--- Labs: networks that are declared, built in one go, and gone without a trace.
--
--     local lab = nsh.lab "bridge"
--     local host = lab.host
--     host:bridge{ "br0", addr = "172.16.0.1/16" }
--     for i = 3, 4 do
--       lab:node("app" .. i):connect{ "clink" .. i, addr = "172.16.0." .. i * 10 .. "/16", via = "172.16.0.1",
--                                     to = host, peer = { "hlink" .. i, master = "br0" } }
--     end
--     lab:up()
local core = require "nsh.core"
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local Node = require "nsh.lab.node"
local options = require "nsh.options"

local Lab = { __name = "nsh.lab" }
local methods = {}

local function check_name(what, name)
    if type(name) == "string" and name ~= "" and #name <= 64 and not name:find "[/%z%s]" and
        name ~= "." and name ~= ".." then
        return
    end
    errors.raise(errors.new("EINVAL", ("the name of a %s is a word of at most 64 bytes without \"/\""):format(what)),
        ("declare %s %s"):format(what, tostring(name)))
end

-- It is forked while nsh is small: each page that nsh has by then costs it a fault when it is written to
-- next. If that is refused, lab:up() will say so.
local function start_guardian()
    if not dry.on then core.guardian.start() end
end

local made, count = setmetatable({}, { __mode = "k" }), 0 -- labs of this process -> their number
local unnamed = 0

-- The script's name, fit to be one of a lab, for one that has none of its own; the process's number makes
-- it one that nobody else has.
local function make_up_name()
    local script = type(arg) == "table" and type(arg[0]) == "string" and arg[0]:match "([^/]+)$" or "lab"
    local stem = script:gsub("%.lua$", ""):gsub("[%z%s]", "-"):sub(1, 40)
    unnamed = unnamed + 1
    local nth = unnamed > 1 and "-" .. unnamed or ""
    local stat <close> = assert(io.open "/proc/self/stat")
    return ("%s-%d%s"):format(stem, stat:read "n", nth), stem .. nth
end

--- Begins a lab. Nothing is made before `lab:up()`. Without a name it gets one of its script's and the
-- number of the process: such a script may run several times at once. Errors: EINVAL: this cannot be a name.
--
--     local lab <close> = nsh.lab "bridge"
local function new(name)
    local seed = name
    if name == nil then name, seed = make_up_name() end
    check_name("lab", name)
    start_guardian()
    -- The seed is what MACs follow from: the same at each run.
    local lab = setmetatable({ name = name, seed = seed, nodes = {}, by_name = {}, waiting = {}, layers = {},
        dirty = true }, Lab)
    local draw = package.loaded["nsh.lab.draw"]
    if draw then draw.note(lab) end
    count = count + 1
    made[lab] = count
    return lab
end

--- The labs of this process that somebody still has, the newest first.
--
--     print(require("nsh.lab").all()[1].name)
local function all()
    local labs = {}
    for lab in pairs(made) do labs[#labs + 1] = lab end
    table.sort(labs, function(a, b) return made[a] > made[b] end)
    return labs
end

function Lab:__tostring() return "lab " .. self.name end

function Lab:__close() self:down() end

--- Declares a node of a kind ("node", "switch", "host", "outside"), for lab:node and its like. Errors: EEXIST.
--
--     local node = lab:add_node("app3", "node")
function methods.add_node(lab, name, kind)
    local where, other = errors.where(), lab.by_name[name]
    if other then
        errors.raise(errors.new("EEXIST", "there is one already: " .. other.where), "declare node " .. name)
    end
    local node = Node.new(lab, name, kind, where)
    lab.nodes[#lab.nodes + 1], lab.by_name[name] = node, node
    lab.dirty = true
    return node
end

-- Links that were declared before the node they go to.
local function satisfy(lab, node)
    local waiting = lab.waiting[node.name]
    lab.waiting[node.name] = nil
    for _, one in ipairs(waiting or {}) do one.fn(node) end
end

--- Calls fn(node) once there is a node of that name; for `to = "name"`.
--
--     lab:wait_for("app4", link, function(node) print(node.name) end)
function methods:wait_for(name, near, fn)
    local list = self.waiting[name] or {}
    self.waiting[name] = list
    list[#list + 1] = { near = near, fn = fn }
end

--- Declares a node: a network namespace with its `lo` up (`{ lo = false }`: down), in which programs have
-- the node's name as their host name. Errors: EEXIST: there is one of that name.
--
--     local app3 = lab:node "app3"
function methods:node(name, opts)
    check_name("node", name)
    if name == "host" then
        errors.raise(errors.new("EINVAL", "that is the name of lab.host"), "declare node host")
    end
    local node = self:add_node(name, "node")
    node.lo = not (opts and opts.lo == false)
    satisfy(self, node)
    return node
end

--- Declares a switch: a bridge in a namespace of its own, both of that name. What connects to it
-- becomes a port. `spec`: fields of the bridge.
--
--     local s1 = lab:switch "s1"
--     app:connect{ "eth0", addr = "10.0.0.1/24", to = s1 }
function methods:switch(name, spec)
    check_name("switch", name)
    local node = self:add_node(name, "switch")
    local bridge = { name }
    for key, value in pairs(spec or {}) do bridge[key] = value end
    node.lo, node.switch = true, node:bridge(bridge)
    satisfy(self, node)
    return node
end

--- The node of that name, or nil.
--
--     lab:find "app3":exec "ip addr"
function methods:find(name) return self.by_name[name] end

--- A pool of addresses: `prefix` is one of IPv4 or IPv6. An `addr = pool` takes its next address. Errors: EINVAL.
--
--     local pool = lab:pool "10.0.0.0/24"
function methods:pool(prefix) return require "nsh.lab.pool".new(prefix) end

--- The steps of `lab:up()` as commands of iproute2 and others, a line each; changes nothing.
--
--     print(table.concat(lab:plan(), "\n"))
function methods:plan() return require("nsh.lab.apply").commands(self) end

--- Builds what is declared, or what was declared since the last time; waits until the links run.
-- Returns the lab. What is refused in the middle takes back everything that this call did, and is an
-- error that names the declaration and its line.
--
--     lab:up()
function methods:up()
    if self.dirty or self.going then require("nsh.lab.apply").up(self) end
    return self
end

--- Ends the lab: its programs, namespaces, and what it changed on the host. Returns at once; the kernel
-- needs a moment more. It can be brought up again. Nothing happens if it is not up.
--
--     lab:down()
function methods:down() require("nsh.lab.apply").down(self) end

--- Pings from every node every other one, and prints the matrix (at the prompt it is the value that is
-- shown). `opts` and what is returned: see `pingall`.
--
--     assert(lab:pingall().ok)
function methods:pingall(opts)
    local result = require("nsh.lab.pingall").pingall(self, opts)
    local prompt = package.loaded["nsh.repl.evaluate"]
    if not (prompt and prompt.evaluating) then require "nsh.show"(result) end
    return result
end

--- Lets the lab outlive nsh, as `nsh --keep` does: `nsh enter` and `nsh down` work on it.
--
--     lab:up():keep()
function methods:keep() require("nsh.lab.apply").keep(self) end

-- Methods in modules of their own: name -> function of that module.
local elsewhere = {
    show = "nsh.lab.show", graph = "nsh.lab.graph", uplink = "nsh.lab.uplink",
    star = "nsh.lab.shapes", line = "nsh.lab.shapes", ring = "nsh.lab.shapes", tree = "nsh.lab.shapes",
    mesh = "nsh.lab.shapes", leaf_spine = "nsh.lab.shapes",
}

function Lab.__index(lab, key)
    if methods[key] then return methods[key] end
    if key == "host" then
        local host = lab:add_node("host", "host")
        host.ns = require("nsh").host
        host.here, host.here_label = host.ns.here, host.ns.here_label
        rawset(lab, "host", host)
        satisfy(lab, host)
        return host
    end
    if elsewhere[key] then return require(elsewhere[key])[key] end
end

-- The names that completion offers.
function Lab.__complete()
    local list = { "host", "name", "nodes" }
    for name in pairs(methods) do list[#list + 1] = name end
    for name in pairs(elsewhere) do list[#list + 1] = name end
    return list
end

-- Looking at `lab.host` does not declare it.
function Lab.__look(lab, key)
    if key == "host" then
        local host = Node.new(lab, "host", "host")
        host.ns = require("nsh").host
        return host
    end
    return methods[key] or elsewhere[key] and require(elsewhere[key])[key] or nil
end

Lab.__finds = "by_name" -- where `find` looks

--- Raises an error if something refers to a node that there is not. Errors: ENOENT.
--
--     lab:check()
function methods:check()
    for name, waiting in pairs(self.waiting) do
        local known = {}
        for _, node in ipairs(self.nodes) do known[#known + 1] = node.name end
        local nearest = require("nsh.suggest").nearest(name, known)
        waiting[1].near:refuse("add", ("there is no node \"%s\"%s"):format(name,
            nearest and ("; did you mean %s"):format(nearest) or ""), "ENOENT")
    end
end

options.declare(methods.find, {}, { first = "node" })
options.declare(methods.node, { { "lo", type = "boolean", valid = "whether its lo is up" } })
options.declare(methods.switch, require("nsh.lab.interface").rows, { link = "bridge" })
options.like(methods.pingall, function() return require("nsh.lab.pingall").pingall end)

return { new = new, all = all, Lab = Lab }
