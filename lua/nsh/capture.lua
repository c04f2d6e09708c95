--- Captures: the packets that pass an interface of a namespace, as tcpdump takes them.
--
-- A capture collects from the moment it is made. A task reads the kernel's ring whenever the script
-- waits for anything, so that captures, pings and programs go on side by side.
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local loop = require "nsh.loop"
local options = require "nsh.options"
local pcap = require "nsh.pcap"
local trace = require "nsh.trace"
local now = require("nsh.core").poll.now

local M = {}

local Capture = { __name = "nsh.capture" }
Capture.__index = Capture

-- What a capture may be told. A packet takes `snaplen` bytes of the ring even if it is short, and one of
-- 64 KiB, as veth carries those of TCP, is told by its first bytes as well.
local rows = {
    { "dev", type = "string", valid = 'the name of an interface, or "any"' },
    { "filter", type = "string", valid = 'a text of pcap-filter(7), such as "icmp"' },
    { "count", min = 1, max = math.maxinteger, whole = true, valid = "a number of packets from 1" },
    { "timeout", min = 0, max = 1e9, valid = "a number of seconds from 0" },
    { "promiscuous", type = "boolean", default = true, valid = "true or false" },
    { "snaplen", default = 2048, min = 1, max = 262144, whole = true, valid = "1 to 262144 bytes" },
    { "buffer", default = 4 << 20, min = 65536, max = 1 << 30, whole = true, valid = "64 KiB to 1 GiB, in bytes" },
    { "direction", type = "string", default = "inout", words = { "inout", "in", "out" },
        valid = '"in", "out" or "inout"' },
    { "file", type = "string", valid = "the path of a file to write" },
}

-- --- reading -------------------------------------------------------------------------------------

local function wake(self)
    for _, wait in ipairs(self.waits) do wait.done = true end
    self.waits = {}
end

-- The kernel collects no longer. `reason`: why, for people.
local function finish(self, reason)
    if not self.handle then return end
    self.reason = reason
    self.counts = self.handle:stats()
    self.handle:close()
    self.handle = nil
    wake(self)
end

local function keep(self, raw)
    self.all[#self.all + 1] = pcap.packet(raw)
    if self.limit and #self.all >= self.limit then finish(self, "count") end
end

-- Takes what the kernel holds, but not for ever what keeps coming.
local function drain(self)
    for _ = 1, self.handle and self.room or 0 do
        local raw, err = self.handle:next()
        if raw == nil then finish(self, err.message) end
        if not raw then break end
        keep(self, raw)
        if not self.handle then break end
    end
    wake(self)
end

-- It holds the capture only while it reads, so that one that nobody has any more is collected.
local function read(weak, fd)
    while weak.capture and weak.capture.handle do
        local deadline = weak.capture.deadline
        local ready = loop.wait(fd, "r", deadline and math.max(0, deadline - now()))
        local capture = weak.capture
        if capture then drain(capture) end
        if capture and not ready then finish(capture, "timeout") end
    end
end

local function start_reading(self)
    loop.go(read, setmetatable({ capture = self }, { __mode = "v" }), self.handle:fd())
end

-- --- public --------------------------------------------------------------------------------------

--- The next packet: waits for it, at most `timeout` seconds (default: for ever). Returns nil after the
-- time, and at the end of the capture.
--
--     local packet = capture:next(1)
function Capture:next(timeout)
    local deadline = timeout and now() + timeout
    while true do
        if self.at >= #self.all then drain(self) end
        if self.at < #self.all then
            self.at = self.at + 1
            return self.all[self.at]
        end
        local left = deadline and deadline - now()
        if not self.handle or left and left <= 0 then return nil end
        local wait = {}
        self.waits[#self.waits + 1] = wait
        loop.suspend(wait, left)
    end
end

--- The packets, as they come, for a `for`: those that were not taken yet, until the capture ends.
--
--     for packet in capture:packets() do print(packet) end
function Capture:packets()
    return function() return self:next() end
end

--- All packets so far, down to the last one that the kernel has seen. `filter`: only those that match a
-- text of pcap-filter(7). Errors: EINVAL, in libpcap's words.
--
--     assert(#capture:list "icmp[icmptype] == icmp-echo" == 4)
function Capture:list(filter)
    drain(self)
    return pcap.select(self.all, filter, "list packets of " .. self.name, self.netns)
end

--- Takes what the kernel still holds, and ends the capture. Returns it. Doing it twice does no harm.
--
--     show(capture:stop():list())
function Capture:stop()
    drain(self)
    finish(self, "stopped")
    return self
end

Capture.close = Capture.stop
Capture.__close = Capture.stop

--- How many packets there were since the beginning: { received =, dropped =, if_dropped = }: that passed
-- the filter, that found no room in the buffer, that the interface dropped.
--
--     assert(capture:stats().dropped == 0)
function Capture:stats()
    return self.handle and errors.check(self.handle:stats()) or self.counts
end

function Capture:__tostring()
    local state = self.handle and "running" or self.reason
    return ("capture on %s (%d packets, %s)"):format(self.name, #self.all, state)
end

local function with_dev(args)
    if type(args) == "string" then return { dev = args } end
    local copy = {}
    for key, value in pairs(type(args) == "table" and args or {}) do
        copy[key == 1 and "dev" or key] = value
    end
    return copy
end

local function hint_for(err, ns, dev)
    if err.code == "EPERM" then return "it needs CAP_NET_RAW there: run as root, or in a sandbox (nsh -S)" end
    if err.code ~= "ENODEV" then return err.hint end
    local names = {}
    for i, link in ipairs(ns.link:list()) do names[i] = link.ifname end
    local near = require("nsh.suggest").nearest(dev, names)
    return near and "did you mean " .. near or "there are " .. table.concat(names, ", ")
end

local function tell(ns, opts)
    if not trace.active() then return end
    local words = { ns.label and "ip netns exec " .. trace.quote(ns.label) or nil, "tcpdump -n -i", trace.quote(opts.dev) }
    if not opts.promiscuous then words[#words + 1] = "-p" end
    if opts.count then words[#words + 1] = "-c " .. opts.count end
    if opts.filter then words[#words + 1] = trace.quote(opts.filter) end
    trace.say("# %s", table.concat(words, " "))
end

local function open(ns, opts, op)
    dry.check(op, ns.name)
    local handle, err = pcap.core().open(ns.handle and ns.handle:fileno() or -1, opts)
    if not handle then
        err.hint = hint_for(err, ns, opts.dev)
        errors.raise(err, op, ns.name)
    end
    tell(ns, opts)
    return handle
end

function M.capture(ns, args, fn)
    if type(ns) ~= "table" then errors.check_self(ns, "name", "ns:capture{ \"br0\" }") end
    local opts = options.complete(rows, with_dev(args), "capture", ns.name)
    if not opts.dev then
        errors.raise(errors.new("EINVAL", 'say on which interface: ns:capture{ "br0" }'), "capture", ns.name)
    end
    local handle = open(ns, opts, "capture on " .. opts.dev)
    local self = setmetatable({
        name = opts.dev, netns = ns.name, handle = handle, room = handle:room(), all = {}, at = 0,
        waits = {}, limit = opts.count, deadline = opts.timeout and now() + opts.timeout,
    }, Capture)
    start_reading(self)
    if fn then self.task = loop.go(function() for packet in self:packets() do fn(packet) end end) end
    return self
end

return M
