--- Steps of a plan, as commands and as what the kernel is asked to do.
--
-- An up() is a layer: what it makes on the host is told to the guardian before it is made, under the
-- layer's number. So a layer can be taken back as one, by the guardian: when the lab ends, when nsh is
-- killed, and when a step in the middle is refused.
local core = require "nsh.core"
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local namespace = require "nsh.namespace"
local plan = require "nsh.lab.plan"
local trace = require "nsh.trace"

local M = {}

local guardian = core.guardian

-- Messages sent at once: so Ctrl-C and progress get a turn between them.
local BATCH = 64
-- Seconds in which links must run: they do in milliseconds (a pair's carrier is set by the kernel's own
-- work queue), unless the machine is very busy.
local SETTLE = 5
-- Seconds in which the kernel clears a lab away: a thousand namespaces take it one or two.
local GONE = 20

local layers = 0 -- numbers of the process's guardian: 0 is the process itself

local function copy(args)
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
    if err.key and err.message and not err.message:find(err.key, 1, true) then
        err.message = err.key .. ": " .. err.message
    end
    errors.raise(err, operation(step), step.node.name)
end

-- --- netlink objects -----------------------------------------------------------------------------

local function label(node) return node.kind ~= "host" and node.name or nil end

-- A plan speaks of namespaces that are not there: another stands in for them, under their name.
local function with_stand_in(args)
    local node = args.peer and args.peer.netns
    if not node or rawget(node, "handle") or rawget(node, "here") then return args end
    local result = copy(args)
    result.peer = copy(args.peer)
    result.peer.netns = { handle = require("nsh").host.here, label = node.name }
    return result
end

local function object_command(step)
    local text, err = core.netlink.command(label(step.node), step.object, step.verb, with_stand_in(step.args))
    if not text then refuse(step, err) end
    return text
end

-- The bridge of the host and its like do not go with a namespace: the guardian deletes them.
local function outlives(step)
    if step.node.kind ~= "host" or step.verb ~= "add" then return false end
    if step.object ~= "link" then return not step.by.owner and not step.node.by_name[step.args.dev] end
    local peer = step.by.peer
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

-- Steps first to last, all of one node.
local function apply_objects(layer, steps, first, last)
    local socket = steps[first].node:live():socket()
    local batch <close> = core.netlink.batch()
    local waiting, made = {}, {}
    local function flush()
        local steps_sent = waiting
        waiting, made = {}, {}
        send(layer, batch, socket, steps_sent)
    end
    for i = first, last do
        local step = steps[i]
        if needs(step, made) then flush() end
        tell_guardian(layer, step, socket)
        local ok, err = batch:add(socket, step.object, step.verb, step.args)
        if not ok then
            flush()
            refuse(step, err)
        end
        waiting[#waiting + 1] = step
        if step.object == "link" and step.verb == "add" then made[step.args[1]] = true end
    end
    flush()
end

-- --- namespaces ----------------------------------------------------------------------------------

local function make_namespace(step)
    local handle, err = core.netns.new()
    if not handle then refuse(step, err) end
    return handle
end

local function publish(layer, step, target)
    local name = step.node.name
    local ok, err = guardian.undo_symlink(layer.id, "/run/netns/" .. name, target)
    if ok then ok, err = core.netns.publish(name, target) end
    if not ok then refuse(step, err) end
    trace.say("ip netns add %s", trace.quote(name))
end

-- All in one go: made, given to the guardian, published, and the nodes alive.
local function apply_namespaces(layer, steps, first, last)
    local handles, names = {}, {}
    for i = first, last do
        handles[#handles + 1], names[#names + 1] = make_namespace(steps[i]), steps[i].node.name
    end
    local number, err = guardian.hold(layer.id, names, handles)
    if not number then refuse(steps[first], err) end
    for i, handle in ipairs(handles) do
        local step = steps[first + i - 1]
        local node = step.node
        node.ns, node.number = namespace.wrap(handle, node.name), number + i - 1
        node.handle, node.label = handle, node.name
        layer.done[#layer.done + 1] = step
        publish(layer, step, ("/proc/%d/fd/%d"):format(guardian.pid(), node.number))
    end
end

local function forget(node)
    if not node.ns then return end
    node.ns:close()
    node.ns, node.handle, node.label = nil, nil, nil
end

local function apply_forget(_, step)
    local node = step.node
    core.netns.del(node.name)
    trace.say("ip netns del %s", trace.quote(node.name))
    forget(node)
    guardian.drop(node.number)
end

-- --- the other kinds -----------------------------------------------------------------------------

local function value_text(value)
    if type(value) == "boolean" then return value and "1" or "0" end
    return tostring(value)
end

local function apply_sysctl(layer, step)
    local key, value = step.by.args[1], step.by.args.value
    if step.node.kind == "host" then
        local ok, err = core.sysctl.hold(layer.id, key, value_text(value))
        trace.change(err and err.message, "sysctl -qw %s", trace.quote(key .. "=" .. value_text(value)))
        if not ok then refuse(step, err) end
    else
        step.node.ns:sysctl(key, value)
    end
end

local function in_node(step) return "ip netns exec " .. trace.quote(step.node.name) .. " " end

local function apply_nft(_, step)
    local ok, result = pcall(step.node.ns.exec, step.node.ns,
        { "nft", "-f", "-", input = "flush ruleset\n" .. step.text, output = true })
    if not ok then
        result.hint = result.code == "ENOENT" and "install the package nftables" or result.hint
        refuse(step, result)
    elseif result.status ~= 0 then
        refuse(step, errors.new("EINVAL", (result.err:gsub("%s+$", ""))))
    end
    trace.say("%snft -f - <<'EOF'\n%s\nEOF", in_node(step), step.text)
end

-- The guardian removes the last one first; a directory that others still use stays.
local function make_directory(layer, step, words)
    local path = "/run"
    for _, word in ipairs(words) do
        path = path .. "/" .. word
        local ok, err = guardian.undo_unlink(layer.id, path)
        if ok then ok, err = core.file.mkdir(path) end
        if not ok then refuse(step, err) end
    end
    return path
end

local function write_file(step, path, text)
    local file, message = io.open(path, "w")
    if not file then refuse(step, errors.new("EIO", message)) end
    file:write(text)
    file:close()
end

local function apply_file(layer, step)
    local node, declaration = step.node, step.by
    node.ns.etc = make_directory(layer, step, { "nsh", node.lab.name, node.name })
    local path = node.ns.etc .. "/" .. declaration.args[1]
    errors.check(guardian.undo_unlink(layer.id, path))
    write_file(step, path, declaration.args.text)
end

local function stop(declaration)
    if declaration.process then declaration.process:close() end
    declaration.process = nil
end

local function apply_run(_, step)
    stop(step.by)
    step.by.process = step.node:live():spawn(step.by.args)
end

local function settle(lab)
    local list = {}
    for _, node in ipairs(lab.nodes) do
        for _, interface in ipairs(node.interfaces) do
            if interface.near then list[#list + 1] = node.ns break end
        end
    end
    require "nsh.settle"(list, SETTLE)
end

local function words(args)
    local list = {}
    for i, word in ipairs(args) do list[i] = trace.quote(tostring(word)) end
    return table.concat(list, " ")
end

--- What a step of each kind is called, which command does the same, and how it is done: `apply(layer,
-- step)`, or for many at once `apply_all(layer, steps, first, last)`.
M.kinds = {
    object = { command = object_command, apply_all = apply_objects },
    netns = {
        title = function() return "add the namespace" end,
        command = function(step) return "ip netns add " .. trace.quote(step.node.name) end,
        apply_all = apply_namespaces,
    },
    forget = {
        title = function() return "delete the namespace" end,
        command = function(step) return "ip netns del " .. trace.quote(step.node.name) end,
        apply = apply_forget,
    },
    sysctl = {
        title = function(step) return ("set %s to %s"):format(step.by.args[1], value_text(step.by.args.value)) end,
        command = function(step)
            return (label(step.node) and in_node(step) or "") .. "sysctl -qw " ..
                trace.quote(step.by.args[1] .. "=" .. value_text(step.by.args.value))
        end,
        apply = apply_sysctl,
    },
    nft = {
        title = function() return "set the firewall" end,
        command = function(step) return ("%snft -f - <<'EOF'\n%s\nEOF"):format(in_node(step), step.text) end,
        apply = apply_nft,
    },
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
    },
    stop = {
        title = function(step) return "end " .. tostring(step.by.args[1]) end,
        command = function(step) return "# end " .. words(step.by.args) end,
        apply = function(_, step) stop(step.by) end,
    },
    wait = {
        title = function() return "wait for the links" end,
        apply = function(_, step) settle(step.by) end,
    },
}

-- --- up ------------------------------------------------------------------------------------------

-- The last step from `first` on that can be done together with it.
local function end_of_run(steps, first)
    local kind, node, last = steps[first].kind, steps[first].node, first
    local most = kind == "object" and BATCH or kind == "netns" and 250 or 1
    while last + 1 <= #steps and last - first + 1 < most do
        local next_step = steps[last + 1]
        if next_step.kind ~= kind or (kind == "object" and next_step.node ~= node) then break end
        last = last + 1
    end
    return last
end

local function apply(lab, layer, steps)
    local progress <close> = require "nsh.progress"(lab.name, #steps, "steps")
    local i = 1
    while i <= #steps do
        progress:at(i - 1)
        local last = end_of_run(steps, i)
        local kind = M.kinds[steps[i].kind]
        if kind.apply_all then
            kind.apply_all(layer, steps, i, last)
        else
            kind.apply(layer, steps[i])
            layer.done[#layer.done + 1] = steps[i]
        end
        i = last + 1
    end
end

local function keep_living(list)
    local kept = {}
    for _, one in ipairs(list) do
        if not one.removed then
            kept[#kept + 1] = one
            if one.args then one.applied, one.changed = copy(one.args), nil end
        end
    end
    return kept
end

-- What is declared is what is in force now.
local function commit(lab)
    for _, node in ipairs(lab.nodes) do
        node.interfaces, node.declarations = keep_living(node.interfaces), keep_living(node.declarations)
    end
    lab.nodes = keep_living(lab.nodes)
    lab.dirty = false
end

local function take_back_object(step)
    local socket = step.node.ns and step.node.ns:socket()
    if not socket then return end
    if step.verb == "add" then
        local args = step.object == "link" and { step.args[1] } or step.args
        socket:change(step.object, "del", args)
    elseif step.verb == "del" and step.object ~= "link" then
        socket:change(step.object, "add", step.args)
    elseif step.verb == "set" and step.by.applied then
        local before = { step.args[1] }
        for key in pairs(step.args) do before[key] = step.by.applied[key] end
        socket:change(step.object, "set", before)
    end
end

local function exists(step)
    return step.node.ns and step.node.ns:socket():get("link", "get", { step.args[1] })
end

-- The ends of pairs whose other end was in a namespace that goes: the kernel takes its time.
local function wait_until_gone(steps)
    for _, step in ipairs(steps) do
        local tries = GONE / 0.002
        while step.object == "link" and step.verb == "add" and exists(step) and tries > 0 do
            require("nsh.loop").sleep(0.002)
            tries = tries - 1
        end
    end
end

-- Last to first. What a new namespace holds goes with it.
local function take_back(layer)
    local new = {}
    for _, step in ipairs(layer.done) do
        if step.kind == "netns" then new[step.node] = true end
    end
    for i = #layer.done, 1, -1 do
        local step = layer.done[i]
        local peer = step.by.peer
        if step.kind == "run" then stop(step.by) end
        if step.kind == "object" and not new[step.node] and not (peer and new[peer.node]) then
            take_back_object(step)
        end
    end
    for node in pairs(new) do forget(node) end
    guardian.down(layer.id)
    guardian.sync()
    wait_until_gone(layer.done)
end

local function begin_layer()
    layers = layers + 1
    return { id = layers, done = {} }
end

local function register(lab)
    if lab.registered then return end
    local ok, err = guardian.register(lab.name)
    if not ok then errors.raise(err, "bring up lab " .. lab.name) end
    lab.registered = true
end

-- `nsh -n`: what a script does once its lab is up cannot be told.
local function end_with_plan(lab)
    print(table.concat(M.commands(lab), "\n"))
    os.exit(true, true)
end

--- Applies what is declared: see lab:up.
function M.up(lab)
    if dry.on then end_with_plan(lab) end
    local steps = plan.build(lab)
    if #steps > 0 then
        register(lab)
        if lab.was_up then -- what a down() before has left to do
            errors.check(guardian.sync())
            wait_until_gone(steps)
        end
        local layer = begin_layer()
        local ok, err = pcall(apply, lab, layer, steps)
        if not ok then
            take_back(layer)
            error(err, 0)
        end
        lab.layers[#lab.layers + 1] = layer.id
    end
    commit(lab)
end

-- --- down and keep -------------------------------------------------------------------------------

local function reset(declarations)
    for _, one in ipairs(declarations) do one.applied = nil end
end

--- Takes the lab down: see lab:down. The guardian does the work, and nsh goes on.
function M.down(lab)
    if #lab.layers == 0 then return end
    for _, node in ipairs(lab.nodes) do
        for _, declaration in ipairs(node.declarations) do stop(declaration) end
        reset(node.declarations)
        reset(node.interfaces)
        if node.kind ~= "host" then forget(node) end
    end
    for i = #lab.layers, 1, -1 do errors.check(guardian.down(lab.layers[i])) end
    lab.layers, lab.dirty, lab.was_up = {}, true, true
end

--- See lab:keep.
function M.keep(lab)
    register(lab)
    errors.check(guardian.keep())
end

--- The plan as commands, a line each.
function M.commands(lab)
    local lines = {}
    for _, step in ipairs(plan.build(lab)) do
        local command = M.kinds[step.kind].command
        if command then lines[#lines + 1] = command(step) end
    end
    return lines
end

return M
