--- Steps of a plan: what each kind is called, which command does the same, and how it is done.
local core = require "nsh.core"
local errors = require "nsh.errors"
local firewall = require "nsh.lab.firewall"
local namespace = require "nsh.namespace"
local trace = require "nsh.trace"

local M = {}

local guardian = core.guardian

-- Seconds in which links must run: they do in milliseconds (a pair's carrier is set by the kernel's own
-- work queue), unless the machine is very busy.
local SETTLE = 5
-- The kernel's work queue settles 200 ends at a time, and of what exceeds that 100 a second (measured;
-- net/core/link_watch.c): no more than these pairs may wait for it.
local UNSETTLED = 80
local POLL = 0.0001 -- seconds

local layers = 0 -- numbers of the process's guardian: 0 is the process itself

--- The number of a new layer: what the guardian undoes together.
function M.new_layer()
    layers = layers + 1
    return layers
end

function M.copy(args)
    local result = {}
    for key, value in pairs(args) do result[key] = value end
    return result
end

-- --- errors --------------------------------------------------------------------------------------

-- What an error calls a step: "add link eth0".
local function operation(step)
    if step.kind == "object" then
        local args = step.args
        return ("%s %s %s"):format(step.verb, step.object, tostring(args[1] or args.dst or args.dev or ""))
    end
    return M.kinds[step.kind].title(step)
end

local function refuse(step, err)
    err.where = step.by.where
    if err.code == "EXFULL" then err.hint = "a bridge has at most 1023 ports" end
    if err.key and err.message and not err.message:find(err.key, 1, true) then
        err.message = err.key .. ": " .. err.message
    end
    local is_node = step.kind == "netns" or step.kind == "forget"
    errors.raise(err, operation(step), not is_node and step.node.name or nil)
end

-- --- netlink objects -----------------------------------------------------------------------------

local function label(node) return node.kind ~= "host" and node.name or nil end

-- A plan speaks of namespaces that are not there: another stands in for them, under their name.
local function with_stand_in(args)
    local node = args.peer and args.peer.netns
    if not node or rawget(node, "handle") or rawget(node, "here") then return args end
    local result = M.copy(args)
    result.peer = M.copy(args.peer)
    result.peer.netns = { handle = require("nsh").host.here, label = node.name }
    return result
end

-- The number of queues of a pair is told if the script has given it. Else it makes the pair the sooner, and
-- nothing that it carries different: four more words an end would hide what a reader looks for.
local function told(step)
    local peer = step.object == "link" and step.verb == "add" and step.by.peer
    if not peer then return step.args end
    local args, near = M.copy(step.args), step.by.args
    args.peer = M.copy(args.peer)
    args.numtxqueues, args.numrxqueues = near.numtxqueues, near.numrxqueues
    args.peer.numtxqueues, args.peer.numrxqueues = peer.args.numtxqueues, peer.args.numrxqueues
    return args
end

local function object_command(step)
    local text, err = core.netlink.command(label(step.node), step.object, step.verb, with_stand_in(told(step)))
    if not text then refuse(step, err) end
    return text
end

-- The bridge of the host and its like do not go with a namespace: the guardian deletes them.
local function outlives(step)
    if step.node.kind ~= "host" or step.verb ~= "add" then return false end
    if step.object ~= "link" then return not step.by.owner and not step.node.by_name[step.args.dev] end
    local peer = rawget(step.by, "peer")
    return not peer or peer.node.kind == "host"
end

local function check_free(step, socket)
    if step.object == "link" and socket:get("link", "get", { step.args[1] }) then
        refuse(step, errors.new("EEXIST", "the host has an interface of that name already"))
    end
end

-- Told before it is made. If the name is somebody else's, nothing may be told.
local function tell_guardian(layer, step, socket)
    if not outlives(step) then return end
    check_free(step, socket)
    local message, err
    if step.object == "link" then message = core.netlink.deletion(step.args[1])
    else message, err = core.netlink.message(socket, step.object, "del", step.args) end
    if not message then refuse(step, err) end
    local ok, failed = guardian.undo_netlink(layer.id, message)
    if not ok then refuse(step, failed) end
end

local function has_up(record)
    for _, flag in ipairs(record.flags) do
        if flag == "UP" then return true end
    end
    return false
end

-- The fields of a link that a step changes, as they were, for link:set.
local function fields_before(step, socket)
    local record = step.verb == "set" and step.by.applied and socket:get("link", "get", { step.args[1] })
    if not record then return end
    local before = { step.args[1] }
    for key in pairs(step.args) do
        if key ~= 1 then before[key] = record[key] end
    end
    if step.args.up ~= nil then before.up = has_up(record) end
    if step.args.master or step.args.nomaster then
        before.master, before.nomaster = record.master, not record.master or nil
    end
    return before
end

-- Sends the steps of a batch; those that were done are the layer's to take back.
local function send(layer, batch, socket, steps)
    local ok, err, first, refused = batch:send(socket)
    for i, step in ipairs(steps) do
        local failed = refused and refused[i]
        if not failed then layer.done[#layer.done + 1] = step end
        if trace.active() then
            trace.change(failed and (i == first and err.message or "refused") or nil, "%s", object_command(step))
        end
    end
    if not ok then refuse(steps[first or 1], err) end
end

-- Whether a step names a link that the batch is only about to make.
local function needs(step, made)
    local args = step.args
    return made[args.dev] or made[args.master] or made[args.link] or (step.verb == "set" and made[args[1]])
end

local function is_ready(interface)
    return interface.node.ns:socket():link_ready(interface.ifname)
end

-- Both ends are asked: since Linux 6.8 the kernel settles the one that it is asked for, and no other.
local function pair_is_ready(near)
    local far = is_ready(near.peer)
    return is_ready(near) and far
end

local function address_is_ready(step)
    return step.node.ns:socket():address_ready(step.args[1])
end

-- Waits until at most `most` of what the queue holds are not ready, or until time is over.
local function await(queue, ready, most)
    local deadline = core.poll.now() + SETTLE
    while #queue - queue.done > most do
        if ready(queue[queue.done + 1]) or core.poll.now() > deadline then queue.done = queue.done + 1
        else core.poll.wait({}, {}, POLL) end
    end
end

local function is_up(interface) return interface.args.up ~= false end

-- The far end of a pair was set up, as its creating end is already: both will run. And neighbours will
-- ask for the addresses of IPv6 at them.
local function watch(layer, step)
    local by = step.by
    local near = step.object == "link" and step.args.up and rawget(by, "peer")
    if near and near.near and is_up(near) then table.insert(layer.links, near) end
    local owner = step.object == "addr" and step.verb == "add" and by.owner
    if owner and owner.peer and step.args[1]:find(":", 1, true) and is_up(owner) and is_up(owner.peer) then
        table.insert(layer.addresses, step)
    end
end

-- Steps first to last, all of one node.
local function apply_objects(layer, steps, first, last)
    local socket = steps[first].node:live():socket()
    local batch, waiting, made = layer.batch, {}, {}
    local function flush()
        local steps_sent = waiting
        waiting, made = {}, {}
        send(layer, batch, socket, steps_sent)
    end
    for i = first, last do
        local step = steps[i]
        if needs(step, made) then flush() end
        tell_guardian(layer, step, socket)
        if step.object == "link" then step.before = fields_before(step, socket) end
        local ok, err = batch:add(socket, step.object, step.verb, step.args)
        if not ok then
            flush()
            refuse(step, err)
        end
        waiting[#waiting + 1] = step
        watch(layer, step)
        if step.object == "link" and step.verb == "add" then made[step.args[1]] = true end
    end
    flush()
    await(layer.links, pair_is_ready, UNSETTLED)
end

-- --- namespaces ----------------------------------------------------------------------------------

-- Those from `first` to `last`, whose names follow each other; what failed is one of them, if any is to blame.
local function publish_some(layer, steps, first, last, number)
    local names = {}
    for i = first, last do names[#names + 1] = steps[i].node.name end
    local ok, err, failed = guardian.publish(layer.id, names, number)
    if not ok then refuse(steps[first - 1 + (failed or 1)], err) end
end

-- What is outside of the lab is none of its namespaces: it has no name that `ip netns` sees.
local function publish(layer, steps, first, last, number)
    local from = first
    for i = first, last + 1 do
        if i > last or steps[i].node.kind == "outside" then
            if from < i then publish_some(layer, steps, from, i - 1, number + from - first) end
            from = i + 1
        end
    end
    if not trace.active() then return end
    for i = first, last do trace.say("ip netns add %s", trace.quote(steps[i].node.name)) end
end

-- All in one go: made, given to the guardian, the nodes alive, and published.
local function apply_namespaces(layer, steps, first, last)
    local names = {}
    for i = first, last do names[#names + 1] = steps[i].node.name end
    local handles, sockets = core.netns.new_many(names)
    if not handles then refuse(steps[first], sockets) end
    local number, err = guardian.hold(layer.id, names, handles, "/run/nsh/" .. steps[first].node.lab.name)
    if not number then refuse(steps[first], err) end
    for i, handle in ipairs(handles) do
        local step = steps[first + i - 1]
        local node = step.node
        node.ns, node.number = namespace.wrap(handle, node.name, sockets[i]), number + i - 1
        node.handle, node.label = handle, node.name
        layer.done[#layer.done + 1] = step
    end
    publish(layer, steps, first, last, number)
end

function M.forget(node)
    if not node.ns then return end
    node.ns:close()
    node.ns, node.handle, node.label, node.firewall = false, nil, nil, nil
end

local function apply_forget(_, step)
    local node = step.node
    if node.kind ~= "outside" then core.netns.del(node.name) end
    trace.say("ip netns del %s", trace.quote(node.name))
    M.forget(node)
    guardian.drop(node.number)
end

-- --- the other kinds -----------------------------------------------------------------------------

local function value_text(value)
    if type(value) == "boolean" then return value and "1" or "0" end
    return tostring(value)
end

-- A parameter of the host is held, by the layer that declared it first: what other labs do with it counts.
local function hold(step, id, value)
    local key = step.by.args[1]
    local ok, err = core.sysctl.hold(id, key, value_text(value), step.node.lab.name)
    trace.change(err and err.message, "sysctl -qw %s", trace.quote(key .. "=" .. value_text(value)))
    if not ok then refuse(step, err) end
end

-- Another declaration of the same parameter that is in force and stays.
local function twin(declaration)
    local found
    for _, other in ipairs(declaration.node.declarations) do
        local same = other.object == "sysctl" and other.args[1] == declaration.args[1]
        if same and other ~= declaration and other.applied and not other.removed then found = other end
    end
    return found
end

-- Each parameter of the host is a layer of its own, so that it can be put back alone.
local function hold_anew(step)
    local declaration = step.by
    declaration.holder = M.new_layer()
    table.insert(step.node.lab.layers, declaration.holder)
    hold(step, declaration.holder, declaration.args.value)
end

local function apply_sysctl(_, step)
    local declaration, ns = step.by, step.node.ns
    local key, value = declaration.args[1], declaration.args.value
    local other = twin(declaration)
    step.previous = core.sysctl.read(ns.handle, key)
    if not declaration.applied then declaration.original = other and other.original or step.previous end
    if step.node.kind ~= "host" then ns:sysctl(key, value)
    elseif declaration.applied then hold(step, declaration.holder, value)
    else hold_anew(step) end
end

-- That its number stays among the lab's does no harm: nothing is in it any more.
local function release(step)
    guardian.down(step.by.holder)
    guardian.sync()
end

local function take_back_sysctl(step)
    local declaration = step.by
    if step.node.kind ~= "host" then step.node.ns:sysctl(declaration.args[1], step.previous)
    elseif declaration.applied then hold(step, declaration.holder, declaration.applied.value)
    else release(step) end
end

local function restored_value(declaration)
    local other = twin(declaration)
    if other then return other.args.value end
    return declaration.original
end

-- What has gone meanwhile, with its interface, needs nothing.
local function apply_restore(_, step)
    local declaration, ns = step.by, step.node.ns
    local key = declaration.args[1]
    if not core.sysctl.read(ns.handle, key) then return end
    if step.node.kind ~= "host" then return ns:sysctl(key, restored_value(declaration)) end
    release(step)
    trace.say("sysctl -qw %s", trace.quote(key .. "=" .. ns:sysctl(key)))
end

local function take_back_restore(step)
    if step.node.kind == "host" then hold_anew(step)
    else step.node.ns:sysctl(step.by.args[1], step.by.applied.value) end
end

local function sysctl_title(step, value)
    return ("set %s to %s"):format(step.by.args[1], value_text(value))
end

local function in_node(step) return "ip netns exec " .. trace.quote(step.node.name) .. " " end

local function sysctl_command(step, value)
    return (label(step.node) and in_node(step) or "") .. "sysctl -qw " ..
        trace.quote(step.by.args[1] .. "=" .. value_text(value))
end

local function write_file(step, path, text)
    local file, message = io.open(path, "w")
    if not file then refuse(step, errors.new("EIO", message)) end
    file:write(text)
    file:close()
end

local function apply_file(layer, step)
    local node, declaration = step.node, step.by
    local folder, err = require "nsh.lab.folder".make(layer.id, { "nsh", node.lab.name, node.name })
    if not folder then refuse(step, err) end
    node.ns.etc = folder
    local path = folder .. "/" .. declaration.args[1]
    errors.check(guardian.undo_unlink(layer.id, path))
    write_file(step, path, declaration.args.text)
end

function M.stop(declaration)
    if declaration.process then declaration.process:close() end
    declaration.process = nil
end

-- The line is that of the declaration.
local function at_declaration(step, fn, ...)
    local ok, result = pcall(fn, ...)
    if ok then return result end
    if type(result) == "table" and result.code ~= "EINTR" then result.where = step.by.where end
    error(result, 0)
end

local function apply_run(_, step)
    M.stop(step.by)
    step.by.process = at_declaration(step, require("nsh.process").launch, step.node:live(), step.by.args)
end

-- Servers have all been started by now: what they need together is the time of the slowest.
local function apply_listen(_, step)
    at_declaration(step, require("nsh.process").settled, step.by.process)
end

-- Pairs that were made; and links that were changed in place.
local function apply_wait(layer)
    local changed = {}
    await(layer.links, pair_is_ready, 0)
    await(layer.addresses, address_is_ready, 0)
    for _, step in ipairs(layer.done) do
        if step.before then changed[#changed + 1] = step.node.ns end
    end
    if #changed > 0 then require("nsh.settle").settle(changed, SETTLE) end
end

local function words(args)
    local list = {}
    for i, word in ipairs(args) do list[i] = trace.quote(tostring(word)) end
    return table.concat(list, " ")
end

--- What a step of each kind is called, which command does the same, and how it is done: `apply(layer,
-- step)`, or for many at once `apply_all(layer, steps, first, last)`; `take_back(step)` in a node that stays.
M.kinds = {
    object = { command = object_command, apply_all = apply_objects },
    netns = {
        title = function(step) return "add node " .. step.node.name end,
        command = function(step) return "ip netns add " .. trace.quote(step.node.name) end,
        apply_all = apply_namespaces,
    },
    forget = {
        title = function(step) return "remove node " .. step.node.name end,
        command = function(step) return "ip netns del " .. trace.quote(step.node.name) end,
        apply = apply_forget,
    },
    sysctl = {
        title = function(step) return sysctl_title(step, step.by.args.value) end,
        command = function(step) return sysctl_command(step, step.by.args.value) end,
        apply = apply_sysctl,
        take_back = take_back_sysctl,
    },
    restore = {
        title = function(step) return sysctl_title(step, restored_value(step.by)) end,
        command = function(step) return sysctl_command(step, restored_value(step.by)) end,
        apply = apply_restore,
        take_back = take_back_restore,
    },
    nft = firewall.kinds.nft,
    firewall = firewall.kinds.firewall,
    file = {
        title = function(step) return "write /etc/" .. step.by.args[1] end,
        command = function(step)
            local path = trace.quote(("/etc/netns/%s/%s"):format(step.node.name, step.by.args[1]))
            return ("install -D /dev/stdin %s <<'EOF'\n%s\nEOF"):format(path, (step.by.args.text:gsub("\n$", "")))
        end,
        apply = apply_file,
    },
    run = {
        title = function(step) return "run " .. tostring(step.by.args[1]) end,
        command = function(step)
            return (label(step.node) and in_node(step) or "") .. words(step.by.args) .. " &"
        end,
        apply = apply_run,
        take_back = function(step) M.stop(step.by) end,
    },
    listen = {
        title = function(step) return "wait for " .. tostring(step.by.args[1]) end,
        command = function(step)
            return ("until %s; do sleep 0.1; done"):format(require("nsh.listening").command(step.by.args.listen,
                label(step.node) and in_node(step) or ""))
        end,
        apply = apply_listen,
    },
    stop = {
        title = function(step) return "end " .. tostring(step.by.args[1]) end,
        command = function(step) return "# end " .. words(step.by.args) end,
        apply = function(_, step) M.stop(step.by) end,
    },
    wait = {
        title = function() return "wait for the links" end,
        apply = apply_wait,
    },
}

return M
