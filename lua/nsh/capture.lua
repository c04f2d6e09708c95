--- Captures: the packets that pass an interface of a namespace, as tcpdump takes them.
--
--     local capture <close> = host:capture{ "br0", filter = "icmp" }
--     app3:ping "172.16.0.40"
--     show(capture:list())
--
-- A capture collects from the moment it is made. A task reads the kernel's ring whenever the script
-- waits for anything, so that captures, pings and programs go on side by side.
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local feed = require "nsh.feed"
local options = require "nsh.options"
local pcap = require "nsh.pcap"
local trace = require "nsh.trace"
local now = require("nsh.core").poll.now

local M = {}

local Capture = { __name = "nsh.capture" }
Capture.__index = Capture

local PAUSE = 0.05 -- seconds between two looks at an interface that is down

-- What a capture may be told. Each packet takes `snaplen` bytes of the buffer, however short it is, and those
-- of TCP have up to 64 KiB on a veth: hence no more than tells them all apart.
local rows = {
    { "dev", type = "string", means = "interface", valid = 'the name of an interface, or "any"' },
    { "filter", type = "string", valid = 'a text of pcap-filter(7), such as "icmp"' },
    { "count", min = 1, max = math.maxinteger, whole = true, valid = "a number of packets from 1" },
    { "timeout", min = 0, max = 1e9, valid = "a number of seconds from 0" },
    { "promiscuous", type = "boolean", default = true, valid = "true or false" },
    { "snaplen", default = 2048, min = 1, max = 262144, whole = true, valid = "1 to 262144 bytes" },
    { "buffer", default = 4 << 20, min = 65536, max = 1 << 30, whole = true, valid = "64 KiB to 1 GiB, in bytes" },
    { "direction", type = "string", default = "inout", words = { "inout", "in", "out" },
        valid = '"in", "out" or "inout"' },
    { "file", type = "string", means = "file", valid = "the path of a file to write" },
}

-- Fields of a capture: `name` of the interface, `netns`, its `label` in commands, and `opts`, which a file lacks;
-- `handle`, as long as it runs; `reason`, why it ended;
-- how packets begin, `link`; `all` packets so far, as the C half has them, and as Lua's tables those that were `told`;
-- `at`, how many of them were taken one by one; `waits` of those who want the next one; `limit` of packets, `deadline`,
-- `room` of the kernel's ring in packets; `writer` of a file, `failure` of that.
local function new(fields)
    fields.all, fields.told, fields.at, fields.waits = {}, {}, 0, {}
    fields.link = fields.handle:link()
    return setmetatable(fields, Capture)
end

-- --- reading -------------------------------------------------------------------------------------

-- Writes a packet, or without one what is not in the file yet. Nobody waits for what happens behind his back: that it
-- failed is told by the next `list` or `stop`.
local function write(self, raw)
    local writer = self.writer
    if not writer or self.failure then return end
    local ok, err
    if raw then ok, err = writer:write(raw) else ok, err = writer:flush() end
    if not ok then self.failure = err end
end

-- The kernel collects no longer. `reason`: why, for people.
local function finish(self, reason)
    if not self.handle then return end
    self.reason = reason
    self.counts = self.handle:stats()
    self.handle:close()
    self.handle = nil
    write(self)
    if self.writer then self.writer:close() end
    self.writer = nil
    feed.wake(self)
end

local function keep(self, raw)
    self.all[#self.all + 1] = raw
    write(self, raw)
    if #self.all == self.limit then finish(self, "count") end
end

-- Takes at most `most` packets of those that are there: what keeps coming is not waited for.
local function take(self, most)
    for _ = 1, most do
        if not self.handle then return end
        local raw, err = self.handle:next()
        if raw == nil then return finish(self, err.message) end
        if not raw then return self.is_file and finish(self, "end of file") end
        keep(self, raw)
    end
end

local function drain(self, most)
    take(self, most or self.room)
    write(self)
    if self.failure then finish(self, self.failure.message) end
    feed.tell(self, self.at < #self.all)
end

-- A table of fields costs more than a packet: whoever counts some of many makes few of them.
local function packet_at(self, i)
    self.told[i] = self.told[i] or pcap.packet(self.all[i])
    return self.told[i]
end

local function pop(self)
    if self.at >= #self.all then return nil end
    self.at = self.at + 1
    return packet_at(self, self.at)
end

local way = {
    drain = function(self) drain(self, self.is_file and 1) end,
    pop = pop,
    finish = finish,
    -- Of an interface that is down nobody tells that it is gone.
    pause = function(self) return self.handle:down() and PAUSE or nil end,
    wanted = function(self) return "a packet of " .. self.name end,
}

local function check_written(self, op)
    local err = self.failure
    if not err or self.blamed then return end
    self.blamed = true
    errors.raise(err, op, self.netns)
end

-- Of a file the rest is not asked for.
local function finish_now(self)
    if not self.is_file then drain(self) end
    finish(self, "stopped")
end

-- --- what a capture can do -----------------------------------------------------------------------

--- The next packet: waits for it, at most `timeout` seconds (default: for ever). Returns nil after the
-- time, and at the end of the capture; `capture.reason` says then why it ended.
--
--     local packet = capture:next(1)
function Capture:next(timeout)
    return feed.next(self, way, timeout)
end

--- The packets as they come, for a `for`: those that `next` has not returned yet, until the capture ends.
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
    local op = "list the packets of " .. self.name
    drain(self, self.is_file and math.maxinteger)
    check_written(self, op)
    local list, matches = {}, pcap.matcher(filter, self.link, op, self.netns)
    for i, raw in ipairs(self.all) do
        if matches(raw) then list[#list + 1] = packet_at(self, i) end
    end
    return list
end

--- Takes what the kernel still holds, and ends the capture; `list` and `next` tell on. Returns it. Doing it twice
-- does no harm.
--
--     show(capture:stop():list())
function Capture:stop()
    finish_now(self)
    check_written(self, "capture on " .. self.name)
    return self
end

--- Ends the capture; what `local capture <close> = …` does at the end of its block.
--
--     capture:close()
function Capture:close()
    finish_now(self)
end

Capture.__close = Capture.close

--- How many packets there were since the beginning: { received =, dropped =, if_dropped = }: that passed the
-- filter (on `lo` each counts twice), that found no room in the buffer, that the interface dropped. nil of a file.
--
--     assert(capture:stats().dropped == 0)
function Capture:stats()
    return self.handle and self.handle:stats() or self.counts
end

--- Writes all packets so far, or those that match a filter, into a file for tcpdump and Wireshark. Returns
-- the capture. Errors: as of open(2) and write(2), EINVAL for the filter.
--
--     capture:save("br0.pcap", "not arp")
function Capture:save(path, filter)
    local packets = self:list(filter)
    local writer <close> = pcap.create(path, packets[1])
    for _, packet in ipairs(packets) do writer:write(packet) end
    return self
end

function Capture:__tostring()
    local state = self.handle and "running" or self.reason
    return ("capture on %s (%d packets, %s)"):format(self.name, #self.all, state)
end

--- A file as a capture that has ended: for `nsh.pcap.open`.
function M.of_file(handle, path)
    return new{ name = path, handle = handle, is_file = true, room = math.maxinteger }
end

-- --- start ---------------------------------------------------------------------------------------

--- The arguments as a new table, the first value under its key. `rename`: a function that is given the name of the
-- interface, and returns the one that the kernel knows.
function M.arguments(args, rename)
    if type(args) == "string" then args = { args } end
    local copy = {}
    for key, value in pairs(type(args) == "table" and args or {}) do
        copy[key == 1 and "dev" or key] = value
    end
    if rename and copy.dev then copy.dev = rename(copy.dev) end
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

-- The command that would take the same.
local function command(label, opts)
    local words = { label and "ip netns exec " .. trace.quote(label) .. " tcpdump -n -i" or "tcpdump -n -i",
        trace.quote(opts.dev) }
    local function add(condition, text) if condition then words[#words + 1] = text end end
    add(not opts.promiscuous, "-p")
    add(opts.count, ("-c %s"):format(opts.count))
    add(opts.direction ~= "inout", "-Q " .. opts.direction)
    add(opts.file, "-w " .. trace.quote(opts.file or ""))
    add(opts.filter, trace.quote(opts.filter or ""))
    return table.concat(words, " ")
end

--- The command of tcpdump's that shows what `list(filter)` returns.
--
--     print(host:capture{ "br0" }:command "icmp")     --> tcpdump -n -i br0 icmp
function Capture:command(filter)
    local own = self.opts and self.opts.filter
    local both = own and filter and ("(%s) and (%s)"):format(own, filter) or own or filter
    if not self.opts then return ("tcpdump -n -r %s %s"):format(trace.quote(self.name), both or "") end
    return command(self.label, setmetatable({ filter = both }, { __index = self.opts }))
end

-- As a comment: it changes nothing, and would not end.
local function tell(ns, opts)
    if trace.active() then trace.say("# %s", command(ns.label, opts)) end
end

local function open(ns, opts, op)
    dry.check(op, ns.name)
    local handle, err = pcap.core().open(ns.handle and ns.handle:fileno() or -1, opts)
    if not handle then
        err.hint = hint_for(err, ns, opts.dev)
        errors.raise(err, op, ns.name)
    end
    return handle
end

local function open_writer(handle, opts, op, netns)
    if not opts.file then return nil end
    local writer, err = pcap.core().create(opts.file, handle:link())
    if writer then return writer end
    handle:close()
    errors.raise(err, op .. " into " .. opts.file, netns)
end

--- Captures the packets that pass an interface; the kernel collects them when this returns. Other tasks, pings and
-- programs go on meanwhile.
--
-- `args`: the name of an interface, or a table, the name first:
--
-- - `dev`: the interface, up, or "any" for all
-- - `filter`: which packets, as pcap-filter(7) has it: "icmp", "arp or port 80"
-- - `count`: ends after so many packets
-- - `timeout`: ends after so many seconds
-- - `promiscuous`: false: only what is for the interface itself (a bridge forwards the rest unseen)
-- - `direction`: "in" or "out"
-- - `snaplen`: bytes that are kept of each packet (2048)
-- - `buffer`: bytes that the kernel holds until nsh reads them (4 MiB)
-- - `file`: the path of a file for tcpdump and Wireshark that gets them as well
--
-- `fn`: called for each packet, by a task, `capture.task`.
--
-- Returns a capture: `packets next list stop stats save close`. A packet is a table with time (seconds since the
-- epoch), length and caplen (bytes, and how many of them are here), dev (of "any"), and, as far as it has them:
-- ether vlan arp ip ip6 frag icmp icmp6 udp tcp vxlan, tables with fields such as src, dst, ttl; what is in a VXLAN,
-- or quoted by an ICMP error, is in `inner` there. `payload` and `bytes` are strings, tostring(packet) the line
-- that tcpdump -n prints.
-- Errors: ENODEV, ENETDOWN (the interface is not up), EPERM, EINVAL for the filter, ELIBACC without libpcap.
--
--     local capture <close> = host:capture{ "br0", filter = "icmp or arp" }
--     for packet in capture:packets() do print(packet, packet.ip and packet.ip.ttl) end
function M.capture(ns, args, fn)
    if type(ns) ~= "table" then errors.check_self(ns, "name", "ns:capture{ \"br0\" }") end
    local opts = options.complete(rows, M.arguments(args), "capture", ns.name)
    if not opts.dev then
        errors.raise(errors.new("EINVAL", 'say on which interface: ns:capture{ "br0" }'), "capture", ns.name)
    end
    local op = "capture on " .. opts.dev
    local handle = open(ns, opts, op)
    local self = new{
        name = opts.dev, netns = ns.name, label = ns.label, opts = opts,
        handle = handle, writer = open_writer(handle, opts, op, ns.name),
        room = handle:room(), limit = opts.count, deadline = opts.timeout and now() + opts.timeout,
    }
    tell(ns, opts)
    feed.start(self, way, handle:fd())
    if fn then self.task = feed.each(self, fn) end
    return self
end

options.declare(M.capture, rows, { first = "interface" })

return M
