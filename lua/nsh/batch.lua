--- Many changes of a namespace, sent together: `ns:batch(fn)`.
local core = require "nsh.core"
local errors = require "nsh.errors"
local object = require "nsh.object"
local trace = require "nsh.trace"

local M = {}

local MOST = 1000 -- that wait

local changes = { "add", "append", "del", "replace", "set" }

-- What others of the batch may speak of, or takes more than one message: done at once, in its turn.
local done_at_once = { altname = true, link = true, nsid = true, wg = true }

-- What Lua has of those that wait, by their number.
local function no_items() return { objects = {}, verbs = {}, args = {}, callers = {}, commands = {}, count = 0 } end

-- What was done, and what was refused: of the first it is known why.
local function tell(items, err, first, refused)
    for i = 1, items.count do
        local why = refused and refused[i] and (i == first and err.message or "refused as well")
        if items.commands[i] then trace.change(why, "%s", items.commands[i]) end
    end
end

local function send(batch)
    local items = batch.items
    batch.items = no_items()
    local ok, err, first, refused = batch.messages:send(batch.ns:socket())
    if not ok and not first then errors.raise(err, "send a batch", batch.ns.name) end
    tell(items, err, first, refused)
    if ok then return end
    local caller = items.callers[first]
    if caller.what ~= "C" then -- else it was `return b.route:add{…}`, and the batch has ended with it
        err.where = ("%s:%d"):format(caller.short_src, caller.currentline)
    end
    object.refuse(items.objects[first], items.verbs[first], items.args[first], err)
end

local function append(batch, own, verb, args)
    local command, err = batch.messages:add(batch.ns:socket(), own.name, verb, args, trace.active())
    if not command then
        send(batch)
        object.refuse(own, verb, args, err)
    end
    local items = batch.items
    local n = items.count + 1
    items.count, items.objects[n], items.verbs[n], items.args[n] = n, own, verb, args
    items.commands[n] = command ~= true and command
    items.callers[n] = debug.getinfo(4, "Sl")
    if n == MOST then send(batch) end
end

local function change(proxy, verb, args, ...)
    local batch, own = proxy.batch, proxy.own
    if batch.over then
        errors.raise(errors.new("EINVAL", "the batch is over"), verb .. " " .. own.name, batch.ns.name)
    end
    batch.count = batch.count + 1
    if done_at_once[own.name] then
        send(batch)
        own[verb](own, args, ...)
    else
        object.prepare(own, verb, args, ...)
        append(batch, own, verb, args)
    end
end

local function refuse_verb(name, verb, own)
    if type(verb) == "string" then require("nsh.suggest").refuse(name .. " has in a batch no verb", verb, own, {}) end
end

-- Objects of a batch, by name: made once for all batches.
local classes, names = {}, {}

for name, verbs in pairs(core.netlink.objects()) do
    local has, own, class = {}, {}, {}
    for _, verb in ipairs(verbs) do has[verb] = true end
    for _, verb in ipairs(changes) do
        if has[verb] then
            own[#own + 1] = verb
            class[verb] = function(proxy, ...)
                errors.check_self(proxy, "own", ("b.%s:%s{…}"):format(name, verb))
                change(proxy, verb, ...)
            end
        end
    end
    names[#names + 1] = name
    setmetatable(class, { __index = function(_, verb) return refuse_verb(name, verb, own) end })
    classes[name] = { __index = class, __name = "nsh.batch." .. name, __complete = function() return own end }
end

table.sort(names)

local Batch = { __name = "nsh.batch" }

function Batch.__index(batch, name)
    local class = classes[name]
    if not class then
        if type(name) == "string" then require("nsh.suggest").refuse("a batch has no", name, names, {}) end
        return nil
    end
    local proxy = setmetatable({ batch = batch, own = batch.ns[name] }, class)
    rawset(batch, name, proxy)
    return proxy
end

--- Calls `fn(b)`, whose changes `b.route:add{…}`, `b.neigh:replace{…}`, … are sent to the kernel together, a
-- thousand at a time: for many of them, as `ip -batch`. `b` has the namespace's objects, and of their verbs those
-- that change something. Links are changed at once, in their turn, so that what follows can be on them.
-- Returns how many changes there were. Errors: those of the verbs, with the line that the refused one was said on.
-- A batch is no transaction: what was said before is done, and of what is sent together also what comes behind. So it
-- is where `fn` fails, whose error goes before those of what then waited.
--
--     ns1:batch(function(b)
--         for i = 1, 250 do b.route:add{ ("10.9.%d.0/24"):format(i), via = "10.0.0.1" } end
--     end)
function M.batch(ns, fn)
    errors.check_self(ns, "socket", "ns:batch(function(b) … end)")
    if type(fn) ~= "function" then
        local what = ("a %s given, a function expected"):format(type(fn))
        errors.raise(errors.new("EINVAL", what), "begin a batch", ns.name)
    end
    local batch = { ns = ns, messages = core.netlink.batch(), items = no_items(), count = 0, over = false }
    setmetatable(batch, Batch)
    local ok, err = pcall(fn, batch)
    batch.over = true
    if not ok then
        pcall(send, batch)
        error(err, 0)
    end
    send(batch)
    return batch.count
end

return M
