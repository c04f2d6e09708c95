--- What a link of a lab is like: `delay`, `jitter`, `loss`, `duplicate` and `rate` as one qdisc.
local core = require "nsh.core"

-- Sources: man tc-tbf, man tc-netem, RFC 6928.
local PACKET = 1500 -- bytes: the MTU of Ethernet, and of a veth unless it is told otherwise
local WAIT = 50000 -- microseconds that a packet waits at most for its turn: man tc-tbf's example
local BURST = 16384 -- bytes, at least: the ten segments with which TCP begins (RFC 6928), headers too
local BURST_TIME = 0.01 -- seconds: a burst is at least rate / HZ (man tc-tbf), at HZ = 100
local FASTEST = 1.25e9 -- bytes a second: 10 Gbit, about what a core carries over a veth
local FEWEST = 100 -- packets: not every one is as long as it may be
local MOST = 0xffffffff -- what 32 bits hold

local function rate_of(rate) return core.netlink.quantity("rate", rate) end

local function whole(number, least)
    return math.floor(math.min(math.max(number, least), MOST) + 0.5)
end

local function seconds(delay)
    if type(delay) == "table" then delay = delay.delay or delay[1] end
    return core.netlink.quantity("time", delay) or 0
end

-- In netem's queue are all packets that are on their way, and those that wait for their turn. With less
-- room (netem's own is 1000) a fast link with a delay would lose what nobody told it to lose; with more,
-- a slow one would hold packets for seconds.
local function queue_for(delay, rate)
    if not delay and not rate then return nil end
    local packets = (rate_of(rate) or FASTEST) * (seconds(delay) + WAIT / 1e6) / PACKET
    return whole(packets, FEWEST)
end

local function burst_for(rate)
    return whole((rate_of(rate) or 0) * BURST_TIME, BURST)
end

--- The qdisc that makes a link so. `fields`: a table that may have `delay` and `jitter` (times such as
-- "50ms", or seconds; a delay also as a table, `{ "50ms", jitter = "5ms" }`), `loss` and `duplicate`
-- (shares such as "1%", or 0.01), and `rate` (such as "10mbit", or bytes a second); others are not looked
-- at. Returns the arguments of `qdisc:add` but for `dev`, or nil if there is none of them. Nothing is
-- checked here: `qdisc:add` names the key that is wrong.
--
-- A rate alone is a token bucket (tbf); with anything else netem does all of it.
--
--     local shaping = require "nsh.lab.shaping"
--     local args = shaping{ rate = "10mbit" }
--     args.dev = "veth0"
--     ns1.qdisc:add(args)
local function shaping(fields)
    local delay, rate = fields.delay, fields.rate
    if delay or fields.jitter or fields.loss or fields.duplicate then
        return { "netem", root = true, delay = delay, jitter = fields.jitter, loss = fields.loss,
            duplicate = fields.duplicate, rate = rate, limit = queue_for(delay, rate) }
    elseif rate then
        return { "tbf", root = true, rate = rate, burst = burst_for(rate), latency = WAIT }
    end
end

return shaping
