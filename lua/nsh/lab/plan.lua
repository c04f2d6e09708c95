--- From what is declared to steps, in the order in which the kernel is fastest.
--
-- A step is { kind =, node =, by = the declaration }, with object, verb and args if its kind is "object".
-- The order follows what the kernel costs (measured, see tests/bench): nothing is moved between
-- namespaces, so each veth is created from the namespace of its busier end (the port of a bridge, the
-- host) with the other end in place; the other end is set up in its own; bridges go up once they have
-- all their ports, or each new port's multicast would be flooded to all the others.
local firewall = require "nsh.lab.firewall"
local names = require "nsh.lab.name"

local M = {}

-- What a veth takes at its creation (drivers/net/veth.c, rtnl_create_link); the rest is set later. The
-- peer ignores `master` and refuses `up` there.
local AT_CREATION = { address = true, mtu = true, txqueuelen = true, txqlen = true, group = true,
    numtxqueues = true, numrxqueues = true }
local NEAR_ONLY = { up = true, master = true }
-- Left alone, the kernel makes a queue for each processor, and takes all but one out of use again, which
-- is a third of what a pair costs (veth_init_queues, drivers/net/veth.c).
local QUEUES = 1
-- And of a link of any other kind, what takes effect only once it exists (core/schema/link.c: LATER).
local ONCE_IT_EXISTS = { alias = true, ifalias = true, addrgenmode = true, protodown = true, proto_down = true,
    carrier = true }

-- A bridge takes the MTU of its ports unless one is set when it exists (br_mtu_auto_adjust, net/bridge/br_if.c).
local function is_later(interface, key)
    return ONCE_IT_EXISTS[key] or (key == "mtu" and interface.kind == "bridge")
end

-- --- small helpers -------------------------------------------------------------------------------

local function is_up(interface) return interface.args.up ~= false end

local function is_new(declaration) return not declaration.applied and not declaration.removed end

local function shallow(args)
    local copy = {}
    for key, value in pairs(args) do copy[key] = value end
    return copy
end

-- Keys whose value is an interface of the same node, perhaps by its long name.
local DEVICES = { "dev", "master", "link" }

local function check_device(declaration, key, name)
    local node = declaration.node
    if node.kind == "host" or name == "lo" or node.by_name[name] then return end
    local known = {}
    for _, interface in ipairs(node.interfaces) do known[#known + 1] = interface.name end
    local nearest = require("nsh.suggest").nearest(name, known)
    declaration:refuse("add", ("%s: there is no interface \"%s\"%s"):format(key, name,
        nearest and ("; did you mean %s"):format(nearest) or ""), "ENODEV")
end

-- The arguments as the kernel's names have them: to be read only, they may be the declaration's own.
local function resolved(declaration)
    local args, own = declaration.args, true
    for _, key in ipairs(DEVICES) do
        local name = args[key]
        if type(name) == "string" then
            check_device(declaration, key, name)
            local ifname = declaration.node:ifname(name)
            if own and ifname ~= name then args, own = shallow(args), false end
            if not own then args[key] = ifname end
        end
    end
    return args
end

-- --- collecting ----------------------------------------------------------------------------------

local Plan = {}
Plan.__index = Plan

function Plan:step(step)
    self.steps[#self.steps + 1] = step
end

function Plan:object(declaration, verb, args, object)
    self:step{ kind = "object", node = declaration.node, by = declaration,
        object = object or declaration.object, verb = verb, args = args }
end

-- Calls fn for each node that stays.
local function each_node(lab, fn)
    for _, node in ipairs(lab.nodes) do
        if not node.removed then fn(node) end
    end
end

-- --- links ---------------------------------------------------------------------------------------

local function rank(interface)
    return (interface.args.master and 4 or 0) + (interface.node.kind == "host" and 2 or 0) + (interface.far and 1 or 0)
end

-- The end whose namespace creates the pair: it can have its master and be up at once.
local function is_busier(interface) return rank(interface) > rank(interface.peer) end

local function address_of(interface)
    return interface.args.address or names.mac(interface.node.lab.seed, interface.node.name, interface.name)
end

local function creation(interface, near)
    local args = { interface.ifname, address = address_of(interface) }
    local all = resolved(interface)
    for key, value in pairs(all) do
        if AT_CREATION[key] or (near and NEAR_ONLY[key]) then args[key] = value end
    end
    if near then args.up = is_up(interface) or nil end
    args.numtxqueues, args.numrxqueues = args.numtxqueues or QUEUES, args.numrxqueues or QUEUES
    return args
end

-- The rest of an end's fields; the far end's state and master are among it.
local function remainder(interface, near)
    local args, some = { interface.ifname }, false
    for key, value in pairs(resolved(interface)) do
        if key ~= 1 and not AT_CREATION[key] and not NEAR_ONLY[key] then args[key], some = value, true end
    end
    if some and interface.args.master and not args.type then args.type = "bridge_slave" end
    if not near then
        args.master = interface.args.master and interface.node:ifname(interface.args.master) or nil
        args.up, some = is_up(interface) or nil, some or is_up(interface) or args.master
    end
    return some and args
end

local function add_cable(plan, main)
    local args = creation(main, true)
    args.type, args.peer = "veth", creation(main.peer)
    if main.peer.node ~= main.node then args.peer.netns = main.peer.node end
    main.near, main.peer.near = true, false
    plan:object(main, "add", args)
end

-- A bridge is born with a MAC that is its own, or the smallest of its ports' would be its.
local function add_other(plan, interface)
    local args = shallow(resolved(interface))
    args.type = interface.kind
    for key in pairs(interface.args) do
        if is_later(interface, key) then args[key] = nil end
    end
    if interface.kind == "bridge" then
        args.up, args.address = nil, address_of(interface)
    else
        args.up = is_up(interface) or nil
    end
    plan:object(interface, "add", args)
end

-- What is left to be set of it.
local function afterthought(interface)
    local args, some = { interface.ifname }, false
    for key, value in pairs(interface.args) do
        if is_later(interface, key) then args[key], some = value, true end
    end
    return some and args
end

-- A link that stands on another one, or belongs to one, comes after it.
local function stands_on_other(interface)
    for _, key in ipairs(DEVICES) do
        if interface.args[key] then return true end
    end
    return false
end

local function each_new(node, fn)
    for _, interface in ipairs(node.interfaces) do
        if is_new(interface) then fn(interface) end
    end
end

local function add_others(plan, node, later)
    local seen = {}
    local function add_after_lower(interface)
        if not interface or seen[interface] or not is_new(interface) then return end
        seen[interface] = true
        for _, key in ipairs(DEVICES) do add_after_lower(node.by_name[interface.args[key]]) end
        if not interface.peer and stands_on_other(interface) == later then add_other(plan, interface) end
    end
    each_new(node, add_after_lower)
end

local function add_cables(plan, node)
    each_new(node, function(interface)
        if interface.peer and is_busier(interface) then add_cable(plan, interface) end
    end)
end

-- --- what is changed in place --------------------------------------------------------------------

local function difference(declaration)
    local args, some = { declaration.args[1] }, false
    for key, value in pairs(resolved(declaration)) do
        if declaration.applied[key] ~= value then args[key], some = value, true end
    end
    return some and args
end

local function change_link(plan, interface)
    local args = difference(interface)
    if not args then return end
    if args.master == false then args.master, args.nomaster = nil, true end
    if not interface.peer then args.type = args.type or interface.kind end -- its own words belong to that
    plan:object(interface, "set", args)
end

local function change_object(plan, declaration)
    plan:object(declaration, "del", declaration.applied)
    plan:object(declaration, "add", resolved(declaration))
end

-- --- a node's own configuration ------------------------------------------------------------------

local function add_namespace(plan, node)
    if not node.ns then plan:step{ kind = "netns", node = node, by = node } end
end

local function set_links(plan, node)
    if not node.ns and node.lo then
        plan:step{ kind = "object", node = node, by = node, object = "link", verb = "set", args = { "lo", up = true } }
    end
    for _, interface in ipairs(node.interfaces) do
        if is_new(interface) then
            local args
            if interface.peer then args = remainder(interface, interface.near)
            else args = afterthought(interface) end
            if args then plan:object(interface, "set", args) end
        elseif interface.changed and not interface.removed then
            change_link(plan, interface)
        end
    end
end

local function raise_bridges(plan, node)
    each_new(node, function(interface)
        if interface.kind == "bridge" and is_up(interface) then
            plan:object(interface, "set", { interface.ifname, up = true })
        end
    end)
end

-- Objects in the order in which one may need another; those of other kinds follow.
local ORDER = { altname = 0, addr = 1, neigh = 2, vlan = 3, fdb = 3, nexthop = 4, route = 5, rule = 6 }
local SPECIAL = { link = true, sysctl = true, nft = true, file = true, run = true }
for helper in pairs(firewall.HELPERS) do SPECIAL[helper] = true end

local function ordered(node)
    local list = {}
    for i, declaration in ipairs(node.declarations) do
        if not SPECIAL[declaration.object] and not declaration.removed then
            list[#list + 1] = { declaration, (ORDER[declaration.object] or 7) * 1e6 + i }
        end
    end
    table.sort(list, function(a, b) return a[2] < b[2] end)
    return list
end

-- An address of IPv6 is usable at once, without the second of duplicate address detection.
local function addition(declaration)
    local args = resolved(declaration)
    local text = args[1]
    if declaration.object == "addr" and type(text) == "string" and text:find(":", 1, true) and args.nodad == nil then
        args = shallow(args)
        args.nodad = true
    end
    return args
end

local function set_objects(plan, node)
    for _, entry in ipairs(ordered(node)) do
        local declaration = entry[1]
        if not declaration.applied then plan:object(declaration, "add", addition(declaration))
        elseif declaration.changed then change_object(plan, declaration) end
    end
end

local function has_bridge(node)
    for _, interface in ipairs(node.interfaces) do
        if interface.kind == "bridge" then return true end
    end
    return false
end

local function configure(plan, node)
    set_links(plan, node)
    raise_bridges(plan, node)
    set_objects(plan, node)
end

-- --- the rest ------------------------------------------------------------------------------------

-- Declarations of an object kind that are new or changed.
local function each_declared(node, object, fn)
    for _, declaration in ipairs(node.declarations) do
        local due = not declaration.applied or declaration.changed
        if declaration.object == object and due and not declaration.removed then fn(declaration) end
    end
end

-- A key with the name of an interface in it exists once that does: "net.ipv4.conf.eth0.rp_filter".
local function names_interface(declaration)
    for word in declaration.args[1]:gmatch "[^./]+" do
        if declaration.node.by_name[word] then return true end
    end
    return false
end

local function add_kind(plan, node, kind, filter)
    each_declared(node, kind, function(declaration)
        if not filter or filter(declaration) then
            plan:step{ kind = kind, node = node, by = declaration }
        end
    end)
end

-- Of the programs that are about to be started.
local function add_listeners(plan, node)
    each_declared(node, "run", function(declaration)
        if declaration.args.listen then plan:step{ kind = "listen", node = node, by = declaration } end
    end)
end

local function add_firewall(plan, node)
    for _, step in ipairs(firewall.steps(node)) do plan:step(step) end
end

-- --- what is taken back --------------------------------------------------------------------------

local function remove_objects(plan, node, addresses)
    for i = #node.declarations, 1, -1 do
        local declaration = node.declarations[i]
        local own_link = declaration.owner and declaration.owner.removed
        if declaration.removed and declaration.applied and not SPECIAL[declaration.object] and not own_link and
            (declaration.object == "addr") == addresses then
            plan:object(declaration, "del", declaration.applied)
        end
    end
end

-- A pair is deleted from one end; if a node goes, from the other, so that it is gone when we return.
local function remove_links(plan, node)
    for i = #node.interfaces, 1, -1 do
        local interface = node.interfaces[i]
        local with_peer = interface.peer and plan.gone[interface.peer]
        if interface.removed and interface.applied and not with_peer then
            plan.gone[interface] = true
            plan:object(interface, "del", { interface.ifname })
        end
    end
end

-- What is to be done when a declaration of a kind goes.
local END = { run = "stop", sysctl = "restore" }

local function end_declarations(plan, node)
    for _, declaration in ipairs(node.declarations) do
        local kind = declaration.removed and declaration.applied and END[declaration.object]
        if kind then plan:step{ kind = kind, node = node, by = declaration } end
    end
end

local function forget_nodes(plan, lab)
    for _, node in ipairs(lab.nodes) do
        if node.removed and node.ns then plan:step{ kind = "forget", node = node, by = node } end
    end
end

-- Whether a name that goes is one that comes: then what goes must go first.
local function reuses_names(lab)
    for _, node in ipairs(lab.nodes) do
        if node.removed and lab.by_name[node.name] then return true end
        for _, interface in ipairs(node.interfaces) do
            if interface.removed and interface.applied and node.by_name[interface.ifname] then return true end
        end
    end
    return false
end

-- --- the whole -----------------------------------------------------------------------------------

-- What is refused takes back what was done, which is easiest if nothing was removed before.
local function remove(plan, lab)
    each_node(lab, function(node) remove_links(plan, node) end)
    forget_nodes(plan, lab)
end

local function wait(plan, lab)
    if #plan.steps > 0 then plan:step{ kind = "wait", node = lab.nodes[1], by = lab } end
end

local function add(plan, lab)
    local function each(fn, ...)
        for _, node in ipairs(lab.nodes) do
            if not node.removed then fn(plan, node, ...) end
        end
    end
    -- What is undone runs backwards: the host's bridges go after the namespaces with their ports, which
    -- the kernel clears together, and not port by port.
    local function others(on_host)
        each(function(_, node)
            if (node.kind == "host") == on_host then add_others(plan, node, false) end
        end)
    end
    others(true)
    each(add_namespace)
    each(add_kind, "file")
    each(add_kind, "sysctl", function(declaration) return not names_interface(declaration) end)
    others(false)
    each(add_cables)
    each(add_others, true)
    each(add_kind, "sysctl", names_interface)
    for _, last in ipairs{ false, true } do
        each(function(_, node)
            if has_bridge(node) == last then configure(plan, node) end
        end)
        wait(plan, lab) -- a bridge that goes up takes the ports that run, and has its carrier at once
    end
    each(remove_objects, true)
    each(add_firewall)
    each(add_kind, "run")
    each(add_listeners)
end

--- The steps from what is in force to what is declared. Raises an error, with the declaration's line,
-- for what refers to something that there is not.
function M.build(lab)
    lab:check()
    local plan = setmetatable({ steps = {}, gone = {} }, Plan)
    local first = reuses_names(lab)
    each_node(lab, function(node)
        end_declarations(plan, node)
        remove_objects(plan, node, false)
    end)
    if first then remove(plan, lab) end
    add(plan, lab)
    if not first then remove(plan, lab) end
    return plan.steps
end

return M
