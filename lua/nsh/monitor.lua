--- Monitors: what changes in a namespace, as `ip monitor` tells it.
--
--     local monitor <close> = host:monitor{ "link", "addr" }
--     for event in monitor do print(event) end
--
-- A monitor collects from the moment it is made. A task reads the kernel's buffer whenever the script waits for
-- anything, so that monitors, captures, pings and programs go on side by side.
local core = require "nsh.core"
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local event = require "nsh.event"
local feed = require "nsh.feed"
local options = require "nsh.options"
local trace = require "nsh.trace"
local now = core.poll.now

local M = {}

local Monitor = { __name = "nsh.monitor" }
Monitor.__index = Monitor

local HERE = -1 -- in place of an id: the monitor's own namespace
local MOST = 100000 -- events that wait for the script; the rest waits in the kernel, whose buffer is bounded
local PAUSE = 0.05 -- seconds between two looks whether there is room again

-- What can be heard of, in the order in which it is told anew: the kernel deletes in the opposite one.
local objects = { "nsid", "link", "addr", "nexthop", "route", "rule", "neigh" }

local rows = {
    { "all", type = "boolean", default = false, valid = "true or false" },
    { "initial", type = "boolean", default = false, valid = "true or false" },
    { "buffer", default = 1 << 20, min = 4096, max = 1 << 30, whole = true, valid = "4 KiB to 1 GiB, in bytes" },
    { "count", min = 1, max = math.maxinteger, whole = true, valid = "a number of events from 1" },
    { "timeout", min = 0, max = 1e9, valid = "a number of seconds from 0" },
}

-- Fields of a monitor: `netns`, the name of its namespace; `names`, the objects, in order, and as a set, `wanted`;
-- `handle` and `socket` in the namespace, as long as it runs; `reason`, why it ended; `queue` of events from
-- `first` on to `last`, which nobody has taken; `taken`, how many came so far; `waits` of those who want the next
-- one; `limit` of events, `deadline`; `places`: id -> a namespace that is heard.

-- --- the queue -----------------------------------------------------------------------------------

-- The kernel is heard no longer. `reason`: why, for people.
local function finish(self, reason)
    if not self.handle then return end
    self.reason = reason
    self.handle:close()
    self.socket:close()
    self.handle = nil
    feed.wake(self)
end

local function push(self, fields)
    if not self.handle then return end
    self.last = self.last + 1
    self.queue[self.last] = event.new(fields)
    if fields.record then
        self.taken = self.taken + 1
        if self.taken == self.limit then finish(self, "count") end
    end
end

local function pop(self)
    if self.first > self.last then return nil end
    local first = self.queue[self.first]
    self.queue[self.first] = nil
    self.first = self.first + 1
    return first
end

local function is_full(self) return self.last - self.first >= MOST end

-- --- namespaces ----------------------------------------------------------------------------------

-- `known`: object -> key -> the message that told of it last, for what is gone when the kernel is asked anew.
local function new_place(self, id, name)
    local place = { netns = name, nsid = id ~= HERE and id or nil, names = core.netlink.names(), known = {} }
    for _, object in ipairs(self.names) do place.known[object] = {} end
    self.places[id] = place
    return place
end

local function id_of(self, handle)
    local record = self.socket:get("nsid", "get", handle)
    return record and record.nsid
end

-- Calls fn(id, name, handle) for the other namespaces that have an id here, of those that nsh can name.
local function visit_others(self, fn)
    require("nsh.namespace").visit(function(name, handle)
        local id = id_of(self, handle)
        if id and id >= 0 and self.places[id] ~= self.places[HERE] then fn(id, name, handle) end
    end)
end

-- One that has got its id meanwhile. Others may have as well: they are looked up together.
local function find_place(self, id)
    if self.places[id] then return self.places[id] end
    visit_others(self, function(other, name)
        if not self.places[other] then new_place(self, other, name) end
    end)
    return self.places[id] or new_place(self, id)
end

-- --- what the kernel says ------------------------------------------------------------------------

local function tell(self, place, what, object, bytes)
    if not self.wanted[object] then return end
    push(self, { event = what, object = object, netns = place.netns, nsid = place.nsid,
        record = place.names:record(object, bytes) })
end

local function note(place, object, key, bytes)
    if place.known[object] then place.known[object][key] = bytes end
    if object == "link" and bytes then place.names:learn(bytes) end
end

-- A namespace whose id is gone is gone itself, and tells no more.
local function forget_place(self, place, bytes)
    local id = place.names:record("nsid", bytes).nsid
    if place == self.places[HERE] and self.places[id] ~= place then self.places[id] = nil end
end

local function hear(self, what, object, id, key, bytes)
    local place = find_place(self, id or HERE)
    if what == "new" or object == "link" then note(place, object, key, bytes) end
    tell(self, place, what, object, bytes)
    if what == "del" then note(place, object, key, nil) end
    if what == "del" and object == "nsid" then forget_place(self, place, bytes) end
end

-- --- what there is -------------------------------------------------------------------------------

local function tell_gone(self, place, object, there)
    for key, bytes in pairs(place.known[object]) do
        if not there[key] then tell(self, place, "del", object, bytes) end
    end
end

local function learn_names(place, list)
    for i = 2, #list, 2 do place.names:learn(list[i]) end
end

-- Asks for all of one object; tells what is gone, and what is there. Its names have to be known before.
local function read_object(self, place, socket, object, quiet)
    local list = errors.check(core.netlink.dump(socket, object))
    if object == "link" then learn_names(place, list) end
    local there = {}
    for i = 1, #list, 2 do there[list[i]] = list[i + 1] end
    if not quiet then tell_gone(self, place, object, there) end
    place.known[object] = there
    for i = 2, quiet and 0 or #list, 2 do tell(self, place, "new", object, list[i]) end
end

local function read_place(self, place, socket, quiet)
    if self.handle and not self.wanted.link then learn_names(place, errors.check(core.netlink.dump(socket, "link"))) end
    for _, object in ipairs(self.names) do
        if self.handle then read_object(self, place, socket, object, quiet) end -- else its count is full
    end
end

-- Returns the ids of the namespaces that cannot be asked, since nsh does not know their names.
local function read_all(self, quiet)
    read_place(self, self.places[HERE], self.socket, quiet)
    local asked = {}
    if self.all then
        visit_others(self, function(id, name, handle)
            local socket <close> = core.netlink.open(handle, name)
            if socket and not asked[id] then
                read_place(self, self.places[id] or new_place(self, id, name), socket, quiet)
                asked[id] = true
            end
        end)
    end
    return asked
end

local function unknown_ids(self, asked)
    local list = {}
    for id, place in pairs(self.places) do
        if place.nsid and not asked[id] then list[#list + 1] = id end
    end
    table.sort(list)
    return list[1] and list or nil
end

-- After events were lost: what is gone and what is there, as events; whatever comes meanwhile follows them.
local function resync(self)
    self.handle:drop()
    push(self, { event = "overflow", netns = self.netns })
    local asked = read_all(self)
    push(self, { event = "synced", netns = self.netns, unknown = unknown_ids(self, asked) })
end

-- --- reading -------------------------------------------------------------------------------------

local function take(self)
    while self.handle and not is_full(self) do
        local what, object, id, key, bytes = self.handle:next()
        if what then
            hear(self, what, object, id, key, bytes)
        elseif not object then
            return
        elseif object.code == "ENOBUFS" then
            resync(self)
        else
            return finish(self, object.message)
        end
    end
end

local function drain(self)
    if self.handle then take(self) end
    feed.tell(self, self.first <= self.last)
end

local way = {
    drain = drain, pop = pop, finish = finish,
    pause = function(self) if is_full(self) then return PAUSE, true end end,
    wanted = function() return "an event" end,
}

-- --- what a monitor can do -----------------------------------------------------------------------

--- The next event: waits for it, at most `timeout` seconds (default: for ever). Returns nil after the time, and at
-- the end of the monitor; `monitor.reason` says then why it ended. A monitor is also a function that does this.
--
--     local event = monitor:next(1)
--     for event in monitor do print(event.event, event.record.ifname) end
function Monitor:next(timeout)
    return feed.next(self, way, timeout)
end

function Monitor:__call() return self:next() end

--- The events so far that `next` has not returned yet, down to the last one that the kernel has told.
--
--     assert(#monitor:list() == 2)
function Monitor:list()
    drain(self)
    return core.json.list(table.move(self.queue, self.first, self.last, 1, {}))
end

--- Tells anew what there is, as after an overflow: first what is gone, as the monitor knew it, then all that is
-- there, then `event = "synced"`. Where the kernel tells nothing: routes of IPv4 go silently with a link that goes
-- down. Returns the monitor.
--
--     monitor:resync()
function Monitor:resync()
    drain(self)
    if self.handle then resync(self) end
    feed.wake(self)
    return self
end

--- Takes what the kernel still holds, and ends the monitor; `list` and `next` tell on. Returns it. Doing it twice
-- does no harm.
--
--     for _, event in ipairs(monitor:stop():list()) do print(event) end
function Monitor:stop()
    drain(self)
    finish(self, "stopped")
    return self
end

--- Ends the monitor; what `local monitor <close> = …` does at the end of its block.
--
--     monitor:close()
function Monitor:close()
    self:stop()
end

Monitor.__close = Monitor.close

function Monitor:__tostring()
    return ("monitor of %s in %s (%s)"):format(table.concat(self.names, ", "), self.netns,
        self.handle and "running" or self.reason)
end

-- --- start ---------------------------------------------------------------------------------------

local heard = {} -- objects of this nsh
for _, name in ipairs(objects) do heard[name] = core.netlink.objects()[name] and true or nil end

local function check_object(name, ns)
    if heard[name] then return name end
    local there = {}
    for _, object in ipairs(objects) do there[#there + 1] = heard[object] and object or nil end
    local near = type(name) == "string" and require("nsh.suggest").nearest(name, there)
    errors.raise(errors.new("EINVAL", ("%s is nothing that can be monitored; there are %s"):format(options.quote(name),
        table.concat(there, ", ")), near and "did you mean " .. near), "monitor", ns.name)
end

-- The values without a key are objects, the others options.
local function split(args, ns)
    local wanted, opts = {}, {}
    if type(args) == "string" then args = { args } end
    if type(args) ~= "table" and args ~= nil then check_object(args, ns) end
    for key, value in pairs(args or {}) do
        if math.type(key) == "integer" then wanted[check_object(value, ns)] = true else opts[key] = value end
    end
    return next(wanted) and wanted or heard, options.complete(rows, opts, "monitor", ns.name)
end

local function in_order(wanted)
    local names = {}
    for _, name in ipairs(objects) do names[#names + 1] = wanted[name] and name or nil end
    return names
end

-- Links tell the names of interfaces, and ids which namespaces there are: both are heard anyway.
local function to_join(names, wanted, all)
    local list = table.move(names, 1, #names, 1, {})
    if not wanted.link then list[#list + 1] = "link" end
    if all and not wanted.nsid then list[#list + 1] = "nsid" end
    return list
end

local function open(ns, names, wanted, opts)
    local handle, err = core.netlink.monitor(ns.handle, to_join(names, wanted, opts.all), opts.all, opts.buffer)
    local socket
    if handle then socket, err = core.netlink.open(ns.handle, ns.label) end
    if socket then return handle, socket end
    if err.code == "EPERM" then err.hint = "it needs CAP_NET_BROADCAST there: run as root, or in a sandbox (nsh -S)" end
    errors.raise(err, "monitor", ns.name)
end

-- As a comment: it changes nothing, and would not end.
local function say(ns, names, all)
    if not trace.active() then return end
    local program = ns.label and ns.label:find("/", 1, true) and trace.inside(ns.label) .. "ip" or
        ns.label and "ip -n " .. trace.quote(ns.label) or "ip"
    trace.say("# %s monitor %s%s", program, all and "all-nsid " or "", table.concat(names, " "))
end

local function begin(self, ns, quiet)
    new_place(self, HERE, ns.name)
    local own = self.all and id_of(self, ns.handle or ns.here)
    if own and own >= 0 then self.places[own] = self.places[HERE] end
    read_all(self, quiet)
    if not quiet then push(self, { event = "synced", netns = self.netns }) end
    if self.handle then feed.start(self, way, self.handle:fileno()) end
end

--- Tells what changes in a namespace, as `ip monitor` does; the kernel is heard when this returns. Other tasks,
-- pings and programs go on meanwhile.
--
-- `args`: the objects, of link, addr, route, rule, neigh, nexthop and nsid (all, if there are none), and
--
-- - `all`: true: also what happens in the namespaces that have an id here (`ns.nsid:list()`)
-- - `initial`: true: begins with all that is there, as events, and `event = "synced"` behind them
-- - `buffer`: bytes that the kernel holds until nsh reads them (1 MiB; an ordinary user gets 208 KiB)
-- - `count`: ends after so many events of objects
-- - `timeout`: ends after so many seconds
--
-- `fn`: called for each event, by a task, `monitor.task`. It may also be the first argument.
--
-- Returns a monitor: `next list resync stop close`, and a function for a `for`. An event is a table: event ("new":
-- it is there or has changed; "del"), object, record (as of `list`), netns, and nsid if it happened elsewhere;
-- tostring(event) is the line of `ip -o monitor`. If more happens than there is room for, `event = "overflow"` says
-- that events were lost; then come what is gone since, what is there now, and `event = "synced"` (with a list
-- `unknown` of the ids of namespaces that nsh has no name for: of these it cannot tell).
-- Errors: EPERM, EINVAL.
--
--     local monitor <close> = host:monitor{ "link", "addr" }
--     host:monitor({ "neigh", all = true }, print)
function M.monitor(ns, args, fn)
    if type(ns) ~= "table" then errors.check_self(ns, "name", 'ns:monitor{ "link" }') end
    if type(args) == "function" then args, fn = fn, args end
    local wanted, opts = split(args, ns)
    dry.check("monitor", ns.name)
    local names = in_order(wanted)
    local handle, socket = open(ns, names, wanted, opts)
    local self = setmetatable({
        netns = ns.name, names = names, wanted = wanted, all = opts.all, handle = handle, socket = socket,
        queue = {}, first = 1, last = 0, taken = 0, waits = {}, places = {},
        limit = opts.count, deadline = opts.timeout and now() + opts.timeout,
    }, Monitor)
    say(ns, names, opts.all)
    begin(self, ns, not opts.initial)
    if fn then self.task = feed.each(self, fn) end
    return self
end

options.declare(M.monitor, rows, { words = in_order(heard) })

return M
