--- Echo requests (ICMP and ICMPv6), many targets at once, from inside a namespace.
--
-- No program is started: nsh sends the packets itself. What cannot be reached is a result, not an
-- error; an address that is none, or an option that is none, is an error.
local core = require "nsh.core"
local errors = require "nsh.errors"
local loop = require "nsh.loop"
local options = require "nsh.options"
local settle = require "nsh.settle"

local M = {}

-- What `opts` may hold.
local rows = {
    { "count", default = 1, min = 1, max = 1000000, whole = true, valid = "1 to 1000000 probes" },
    { "interval", default = 0.1, min = 0, max = 3600, valid = "0 to 3600 seconds" },
    { "timeout", default = 1, min = 0.001, max = 3600, valid = "0.001 to 3600 seconds" },
    { "size", default = 56, min = 0, max = 65507, whole = true, valid = "0 to 65507 bytes" },
    { "ttl", default = 0, min = 1, max = 255, whole = true, valid = "1 to 255" },
    { "source", type = "string", means = "address", valid = 'an address of the namespace, such as "10.0.0.1"' },
    { "forget", type = "boolean", default = false, valid = "true or false" },
}

-- One line, as the summary of ping(8): "10.0.0.1: 3 of 3 received, rtt min/avg/max/mdev = … ms".
local Result = {}

function Result:__tostring()
    local text = ("%s: %d of %d received"):format(self.address, self.received, self.transmitted)
    if self.duplicates > 0 then text = ("%s, %d duplicates"):format(text, self.duplicates) end
    if self.received > 0 then
        text = ("%s, rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms"):format(text, self.min,
            self.avg, self.max, self.mdev)
    end
    return self.reason and ("%s, %s (%s)"):format(text, self.reason, self.message) or text
end

local function check_address(address, netns)
    if type(address) ~= "string" then
        errors.raise(errors.new("EINVAL", "an address is a string such as \"10.0.0.1\", not " ..
            options.quote(address)), "ping", netns)
    end
end

local function add(engine, address, netns)
    check_address(address, netns)
    local ok, err = engine:add(address)
    if not ok then errors.raise(err, "ping " .. address, netns) end
end

local function collect(engine, addresses)
    local results = {}
    for i, address in ipairs(addresses) do
        local result = engine:result(i)
        result.address = address
        result.ok = result.received == result.transmitted
        results[i] = setmetatable(result, Result)
    end
    return results
end

local function open(ns, opts, op)
    local engine, err = core.ping.open(ns.handle, opts)
    if not engine then errors.raise(err, op, ns.name) end
    return engine
end

-- The kernel goes on asking for a neighbour that does not answer, and the next packet to it would wait for
-- that. It is not told as a change (`nsh -x`): the ping itself made the entry.
local function forget_silent(ns, results)
    local socket, batch <close> = ns:socket(), core.netlink.batch()
    for _, result in ipairs(results) do
        local entries = result.received == 0 and socket:list("neigh", "list", { result.address }) or {}
        for _, entry in ipairs(entries) do
            if not entry.lladdr then batch:add(socket, "neigh", "del", { entry.dst, dev = entry.dev }) end
        end
    end
    batch:send(socket) -- what has gone by itself meanwhile is no error
end

local function run(ns, addresses, opts, op)
    opts = options.complete(rows, opts, op, ns.name)
    local forget = opts.forget
    opts.forget = nil
    local engine <close> = open(ns, opts, op)
    for _, address in ipairs(addresses) do add(engine, address, ns.name) end
    settle.ready()
    while errors.check(engine:step()) ~= "done" do
        loop.wait_any(engine:fds(), engine:timeout())
    end
    local results = collect(engine, addresses)
    if forget then forget_silent(ns, results) end
    return results
end

-- The options that stand beside the addresses: { "10.0.0.2", "10.0.0.3", count = 3 }.
local function beside(addresses)
    local opts = {}
    for key, value in pairs(addresses) do
        if math.type(key) ~= "integer" then opts[key] = value end
    end
    return opts
end

--- Sends echo requests to an address, or to all of a list at the same time, and waits for the
-- replies; other tasks go on meanwhile. Links that nsh has changed carry by then (`nsh.settle`). An
-- address is "10.0.0.1", "2001:db8::1", or a link-local one with its interface, "fe80::1%veth0". A
-- broadcast or multicast address is answered by whoever is first; what else comes counts as
-- duplicates.
--
-- `opts`, which may also stand beside the addresses of a list:
--
-- - `count`: probes of each address (default 1)
-- - `interval`: seconds between them (0.1)
-- - `timeout`: seconds to wait for each reply (1)
-- - `size`: bytes of payload (56)
-- - `ttl`: hops (the namespace's default)
-- - `source`: the address to send from (the kernel chooses)
-- - `forget`: true: what did not answer leaves no entry in the neighbour table, so that the next attempt
--   begins anew
--
-- Returns a result, or a list of them in the order of the addresses: address, ok (all were
-- answered), transmitted, received, duplicates, loss (percent); if there was a reply min, avg, max,
-- mdev (milliseconds) and ttl (of the last one); if one was missing, reason and message (a word and
-- a sentence) and, when an ICMP error told it, from (its sender). The words: "timeout",
-- "unreachable", "ttl exceeded", "message too long", "no route", "not permitted", "neighbour table
-- full", "queue full", "not sent". The kernel itself gives a neighbour up after three seconds: with
-- a timeout above that, a host that does not exist is "unreachable", else "timeout". Routers limit
-- how many ICMP errors they send: of many probes, only some are "unreachable" at once.
--
--     print(host:ping "10.0.0.2")
--     for _, r in ipairs(host:ping({ "10.0.0.2", "10.0.0.3" }, { count = 3 })) do
--       print(r.address, r.ok, r.avg, r.reason)
--     end
function M.ping(ns, addresses, opts)
    if type(ns) ~= "table" then errors.check_self(ns, "name", "ns:ping \"10.0.0.2\"") end
    if type(addresses) == "table" then
        return run(ns, addresses, opts or beside(addresses), "ping")
    end
    check_address(addresses, ns.name)
    return run(ns, { addresses }, opts or {}, "ping " .. addresses)[1]
end

options.declare(M.ping, rows, { first = "neighbour" })

return M
