--- Echo requests from many namespaces at once, no more at a time than the neighbour tables hold.
--
-- The kernel has one table for IPv4 and one for IPv6, for all namespaces of the machine together, with
-- room for gc_thresh3 = 1024 entries each (linux/net/ipv4/arp.c, net/ipv6/ndisc.c), and takes five
-- seconds before it lets one go for another. So the probes go out in waves: each waits until it is
-- answered or lost, and then takes the neighbours away that it made. A full mesh of 100 nodes fills the
-- table ten times over.
local core = require "nsh.core"
local errors = require "nsh.errors"
local loop = require "nsh.loop"

local M = {}
local Waves = {}
Waves.__index = Waves

-- Entries that a probe may make: the target's here, ours there; in IPv6 one more of the group that the
-- question for the target goes to.
local COST = { inet = 2, inet6 = 3 }

-- ... and if nobody was found at its address before: then most likely none there.
local COST_AGAIN = { inet = 1, inet6 = 2 }

local RESERVE = 16 -- this part of a table is for others
local LEAST = 8 -- this part is taken however full it is: the kernel finds room where it can
local USUAL, SMALLEST = 1 / 2, 1 / 32 -- of what is free goes into a wave; the least after an overflow
local TURN = 0.02 -- seconds until other tasks have their turn

-- A processor queues so many packets (net.core.netdev_max_backlog), and drops the rest. In the worst
-- case, a bridge, the question for one target becomes one packet for every node.
local BACKLOG = 1000
local PAUSE = 0.001 -- seconds for the queue to empty

--- No nodes yet. `count`: how many there will be; `size`: bytes of payload. Let go of with `<close>`,
-- which deletes the neighbours that came since `add`.
function M.new(count, size)
    local burst = math.max(1, BACKLOG // 2 // math.max(1, count))
    local options = { count = 1, interval = 0, timeout = 1, size = size, ttl = 0, burst = burst }
    return setmetatable({ engines = {}, options = options, share = USUAL, base = {}, turn = 0 }, Waves)
end

local function check(node, value, err)
    if not value then errors.raise(err, "ping all", node.name) end
    return value
end

--- Adds a node, { name =, ns = }: the neighbours that it has now will stay. One that nothing is sent
-- from or to may be on the way.
function Waves:add(node)
    self.any = check(node, core.ping.open(node.ns.handle, self.options))
    self.engines[node] = self.any
    check(node, self.any:remember())
end

-- Deletes the neighbours that are new in these nodes (the keys).
local function forget(self, nodes)
    for node in pairs(nodes) do check(node, self.engines[node]:forget()) end
end

function Waves:__close()
    for _, engine in pairs(self.engines) do
        engine:forget() -- what cannot be deleted, the kernel lets go of by itself
        engine:close()
    end
end

-- --- how large a wave may be ---------------------------------------------------------------------

-- Who is on the way has neighbours as well: once there are too many, they go, too.
local function read_table(self, family)
    local entries, limit = self.any:table(family)
    if not entries then errors.raise(limit, "read the neighbour table") end
    self.base[family] = self.base[family] or entries
    if entries > self.base[family] + limit // LEAST then
        forget(self, self.engines)
        entries = errors.check(self.any:table(family))
        self.base[family] = entries
    end
    return entries, limit
end

local function room(self, family)
    local entries, limit = read_table(self, family)
    return math.max(limit - limit // RESERVE - entries, limit // LEAST) * self.share
end

-- A small wave is as fast as a large one, unless it waits for somebody.
local function adapt(self, lost, overflowed)
    local most = lost and 1 or USUAL
    self.share = overflowed and math.max(SMALLEST, self.share / 2) or math.min(most, self.share * 1.25)
end

-- --- one wave ------------------------------------------------------------------------------------

-- A wave: a list of sources, each { engine =, and its probes in the order of the engine's targets };
-- `source_of` them by node; and the set of all nodes that take part.
local function source_for(self, wave, node, timeout)
    local source = wave.source_of[node]
    if not source then
        source = { engine = self.engines[node] }
        wave.source_of[node] = source
        table.insert(wave, source)
        errors.check(source.engine:again(timeout))
    end
    return source
end

local function add_probe(self, wave, probe, timeout)
    local source = source_for(self, wave, probe.from, timeout)
    local ok, err = source.engine:add(probe.address)
    if not ok then errors.raise(err, "ping " .. probe.address, probe.from.name) end
    table.insert(source, probe)
    wave.touched[probe.from], wave.touched[probe.to] = true, true
end

local function gather(self, next_probe, timeout)
    local wave, left = { source_of = {}, touched = {} }, {}
    local family
    repeat
        local probe = next_probe()
        if not probe then return wave, false end
        family = probe.family
        local cost = probe.reason == "unreachable" and COST_AGAIN or COST
        left[family] = (left[family] or room(self, family)) - cost[family]
        add_probe(self, wave, probe, timeout)
    until left[family] <= 0
    return wave, true
end

local function let_others(self)
    if core.poll.now() < self.turn then return end
    loop.wait_any({}, 0)
    self.turn = core.poll.now() + TURN
end

-- Sends a source's probes, as fast as they are answered: who sends on while replies lie in the kernel's
-- queue makes it overflow. Returns whether there are some to wait for.
local function send_probes(self, engine)
    local state
    repeat
        state = errors.check(engine:step())
        local time = state ~= "done" and math.min(engine:timeout(), PAUSE) or 0
        if time > 0 then loop.wait_any(engine:fds(), time) end
        let_others(self)
    until state ~= "sending"
    return state == "waiting"
end

local function wait_for_replies(engines)
    while #engines > 0 do
        local items, soonest, waiting = {}, math.huge, {}
        for _, engine in ipairs(engines) do
            if errors.check(engine:step()) ~= "done" then
                table.insert(waiting, engine)
                table.move(engine:fds(), 1, 2, #items + 1, items)
                soonest = math.min(soonest, engine:timeout())
            end
        end
        if #waiting > 0 then loop.wait_any(items, soonest) end
        engines = waiting
    end
end

local function run(self, wave)
    local waiting = {}
    for _, source in ipairs(wave) do
        if send_probes(self, source.engine) then table.insert(waiting, source.engine) end
    end
    wait_for_replies(waiting)
end

-- Returns the sources that lost something.
local function note_times(wave)
    local losers = {}
    for _, source in ipairs(wave) do
        local lost = false
        for i, probe in ipairs(source) do
            probe.rtt = source.engine:rtt(i)
            lost = lost or not probe.rtt
        end
        if lost then table.insert(losers, source) end
    end
    return losers
end

-- Notes why; returns whether a table was full. To delete a neighbour that did not answer made the
-- kernel say so: one more step hears it.
local function note_reasons(losers)
    local overflowed = false
    for _, source in ipairs(losers) do
        errors.check(source.engine:step())
        for i, probe in ipairs(source) do
            local result = not probe.rtt and errors.check(source.engine:result(i)) or {}
            probe.reason, probe.message = result.reason, result.message
            overflowed = overflowed or M.is_overflow(probe)
        end
    end
    return overflowed
end

--- Sends as many probes as fit, and waits until each is answered or `timeout` seconds are over. Other
-- tasks go on meanwhile. `next_probe()` returns the next one, or nil: a table { from =, to = (nodes that
-- were added), family = "inet" or "inet6", address = } that gets rtt (milliseconds), or reason and
-- message as the results of `ns:ping` have them. Returns a list of lists of the probes that were sent,
-- and whether there may be more.
function Waves:send(next_probe, timeout)
    local wave, more = gather(self, next_probe, timeout)
    run(self, wave)
    local losers = note_times(wave)
    forget(self, wave.touched)
    adapt(self, #losers > 0, note_reasons(losers))
    return wave, more
end

--- Whether a probe was lost because a neighbour table had no room: then nothing is known of its target.
function M.is_overflow(probe)
    return probe.reason == "neighbour table full"
end

return M
