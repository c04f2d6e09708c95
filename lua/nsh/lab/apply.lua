--- Labs go up and down: the steps of a plan are done, or taken back.
--
-- An up() is a layer: what it makes on the host is told to the guardian before it is made, under the
-- layer's number. So a layer can be taken back as one, by the guardian: when the lab ends, when nsh is
-- killed, and when a step in the middle is refused.
local core = require "nsh.core"
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local plan = require "nsh.lab.plan"
local kinds = require "nsh.lab.step"

local M = {}

local guardian = core.guardian

-- Messages sent at once: so Ctrl-C, progress, and namespaces that are being made get a turn between them.
local BATCH = 16
-- Namespaces taken at once: while the kernel makes the next ones, what goes into these is made. (And SCM_RIGHTS,
-- by which the guardian gets them, takes 253 descriptors; include/net/scm.h).
local NAMESPACES = 16
-- Seconds in which the kernel clears a lab away: a thousand namespaces take it one or two.
local GONE = 20
-- The same for what may also be somebody's own, who then gets his error so much later.
local DYING = 1

-- --- up ------------------------------------------------------------------------------------------

-- The last step from `first` on that can be done together with it.
local function end_of_run(steps, first)
    local kind, node, last = steps[first].kind, steps[first].node, first
    local most = kind == "object" and BATCH or kind == "netns" and math.huge or 1
    while last + 1 <= #steps and last - first + 1 < most do
        local next_step = steps[last + 1]
        if next_step.kind ~= kind or (kind == "object" and next_step.node ~= node) then break end
        last = last + 1
    end
    return last
end

-- The first namespaces are taken in their turn, more when a step needs one of them: the kernel has been at work on
-- them since begin().
local function take_namespaces(layer)
    local coming = layer.coming
    local first, last = coming.taken + 1, math.min(coming.taken + NAMESPACES, #coming)
    kinds.kinds.netns.apply_all(layer, coming, first, last)
    coming.taken = last
end

local function provide(layer, node)
    while not node.ns and layer.coming.taken < #layer.coming do take_namespaces(layer) end
end

local function provide_all(layer, steps, first, last)
    for i = first, last do
        local step = steps[i]
        local peer = step.object == "link" and step.args.peer
        provide(layer, step.node)
        if peer and peer.netns then provide(layer, peer.netns) end
    end
end

local function apply_run(layer, steps, first, last)
    local kind = kinds.kinds[steps[first].kind]
    provide_all(layer, steps, first, last)
    if kind.apply_all then return kind.apply_all(layer, steps, first, last) end
    kind.apply(layer, steps[first])
    layer.done[#layer.done + 1] = steps[first]
end

local function apply(lab, layer, steps)
    local progress <close> = require "nsh.progress"(lab.name, #steps, "steps")
    local i = 1
    while i <= #steps do
        progress:at(i - 1)
        local last = end_of_run(steps, i)
        if steps[i].kind == "netns" then
            table.move(steps, i, last, #layer.coming + 1, layer.coming)
            take_namespaces(layer)
        else
            apply_run(layer, steps, i, last)
        end
        i = last + 1
    end
    while layer.coming.taken < #layer.coming do take_namespaces(layer) end
end

local function keep_living(list)
    local kept = {}
    for _, one in ipairs(list) do
        if not one.removed then
            kept[#kept + 1] = one
            if one.args then one.applied, one.changed = one.args, nil end
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

-- A link whose other end is in one of those nodes.
local function goes_with(step, nodes)
    local peer = step.object == "link" and step.verb == "add" and step.by.peer
    return peer and nodes[peer.node]
end

local function take_back_object(step, new)
    local socket = step.node.ns:socket()
    if step.verb == "add" and not goes_with(step, new) then
        socket:change(step.object, "del", step.object == "link" and { step.args[1] } or step.args)
    elseif step.verb == "del" and step.object ~= "link" then
        socket:change(step.object, "add", step.args)
    elseif step.before then
        socket:change("link", "set", step.before)
    end
end

-- Interfaces of the host whose other end was in a namespace that goes; the kernel takes its time.
local leaving = {}

local function is_on_host(step)
    return step.node.kind == "host" and step.object == "link" and step.verb == "add"
end

local function wait_until_gone(ns, name, seconds)
    local deadline = core.poll.now() + seconds
    while ns:socket():has(name) and core.poll.now() < deadline do
        core.poll.wait({}, {}, 0.002) -- not the loop's: no task may meet the lab half gone
    end
end

-- What a down() before, or another nsh that has just ended, has left to the kernel, before its names are
-- used again.
local function wait_for_names(steps)
    if next(leaving) then errors.check(guardian.sync()) end
    for _, step in ipairs(steps) do
        local name, peer = is_on_host(step) and step.args[1], rawget(step.by, "peer")
        local seconds = leaving[name] and GONE or peer and peer.node.kind ~= "host" and DYING
        if name and seconds then wait_until_gone(step.node.ns, name, seconds) end
        if name then leaving[name] = nil end
    end
end

-- Last to first. What a new namespace holds goes with it, and so do the other ends of its pairs.
local function take_back(layer)
    local new = {}
    for _, step in ipairs(layer.done) do
        if step.kind == "netns" then new[step.node] = true end
    end
    for i = #layer.done, 1, -1 do
        local step = layer.done[i]
        local undo = kinds.kinds[step.kind].take_back
        if step.kind == "object" and not new[step.node] then take_back_object(step, new) end
        if undo and (step.kind == "run" or not new[step.node]) then pcall(undo, step) end
    end
    for node in pairs(new) do kinds.forget(node) end
    guardian.down(layer.id)
    guardian.sync()
    for _, step in ipairs(layer.done) do
        if goes_with(step, new) and not new[step.node] then wait_until_gone(step.node.ns, step.args[1], GONE) end
    end
end

local function begin_layer()
    return { id = kinds.new_layer(), batch = core.netlink.batch(), done = {}, coming = { taken = 0 },
        links = { done = 0 }, addresses = { done = 0 } }
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

local function count_new(lab)
    local count = 0
    for _, node in ipairs(lab.nodes) do
        if not node.ns and not node.removed then count = count + 1 end
    end
    return count
end

local function build(lab)
    local steps = plan.build(lab)
    if #steps > 0 then
        register(lab)
        wait_for_names(steps)
        local layer, under = begin_layer(), #lab.layers + 1
        core.interrupt.finally(function() apply(lab, layer, steps) end, function() take_back(layer) end)
        table.insert(lab.layers, under, layer.id) -- the host's parameters come back first
    end
    commit(lab)
end

--- Applies what is declared: see lab:up.
function M.up(lab)
    if dry.on then end_with_plan(lab) end
    if lab.going then M.down(lab) end
    core.netns.begin(count_new(lab))
    core.interrupt.finally(function() build(lab) end, core.netns.finish)
    core.netns.finish()
end

-- --- down and keep -------------------------------------------------------------------------------

local function reset(declarations)
    for _, one in ipairs(declarations) do one.applied = nil end
end

--- Takes the lab down: see lab:down. The guardian does the work, and nsh goes on. If it is interrupted,
-- whatever uses the lab next does the rest.
function M.down(lab)
    if #lab.layers == 0 then return end
    lab.going = true
    for _, node in ipairs(lab.nodes) do
        for _, declaration in ipairs(node.declarations) do kinds.stop(declaration) end
        reset(node.declarations)
        reset(node.interfaces)
        for _, interface in ipairs(node.interfaces) do
            if node.kind == "host" then leaving[interface.ifname] = true end
        end
        node.firewall = nil
        if node.kind ~= "host" then kinds.forget(node) end
    end
    for i = #lab.layers, 1, -1 do
        errors.check(guardian.down(lab.layers[i]))
        lab.layers[i] = nil
    end
    lab.dirty, lab.going = true, false
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
        local command = kinds.kinds[step.kind].command
        if command then lines[#lines + 1] = command(step) end
    end
    return lines
end

return M
