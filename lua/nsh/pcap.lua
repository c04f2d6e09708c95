--- Packets: what a capture takes, and what stands in a file of tcpdump's: `nsh.pcap`.
--
--     for packet in nsh.pcap.open "x.pcap":packets() do print(packet, packet.ip and packet.ip.ttl) end
local errors = require "nsh.errors"

local M = {}

local function load_core()
    local ok, found = pcall(require, "nsh.core.pcap")
    if ok then return found end
    local missing = tostring(found):match "[^\n]*"
    errors.raise(errors.new("ELIBACC", "packets are read with libpcap: " .. missing,
        "apt-get install libpcap0.8; if pcap.so itself is missing, libpcap-dev, and build nsh again"), "use pcap")
end

local core

--- The C half, loaded when it is first used. Raises ELIBACC, with the package to install.
--
--     local pcap = nsh.pcap.core()
function M.core()
    core = core or load_core()
    return core
end

-- --- packets -------------------------------------------------------------------------------------

local Packet = { __name = "nsh.packet" }

-- The packet itself, in C, of each table of its fields.
local raw_of = setmetatable({}, { __mode = "k" })

-- What is made when it is asked for: bytes are for nobody's screen.
local made = {
    bytes = function(raw) return raw:bytes() end,
    payload = function(raw) return raw:payload() end,
}

function Packet.__index(packet, key)
    local make = made[key]
    local raw = make and raw_of[packet]
    return raw and make(raw)
end

function Packet.__tostring(packet)
    local raw = raw_of[packet]
    return raw and raw:line() or "packet"
end

function Packet.__complete()
    return { "bytes", "payload" }
end

local function unknown(key, ...)
    local known = {}
    for _, names in ipairs{ ... } do
        for name in pairs(names) do known[#known + 1] = name end
    end
    table.sort(known)
    require("nsh.suggest").refuse("a packet has no field", tostring(key), known, {})
end

local plain = { time = true, length = true, caplen = true, dev = true }

--- Raises EINVAL for a field that no packet can have, and so equals nothing. `fields`: those of a packet, or some.
--
--     nsh.pcap.check{ ip = { ttl = 63 } }
function M.check(fields)
    local names = M.core().names()
    for key, value in pairs(fields) do
        local known = names[key]
        if not known and not plain[key] then unknown(key, names, plain) end
        for field, inner in pairs(known and type(value) == "table" and value or {}) do
            if field == "inner" and type(inner) == "table" then M.check(inner)
            elseif not known[field] then unknown(field, known) end
        end
    end
end

--- A packet for Lua, from one of the C half.
--
--     local packet = nsh.pcap.packet(handle:next())
function M.packet(raw)
    local packet = setmetatable(raw:fields(), Packet)
    raw_of[packet] = raw
    return packet
end

--- A function that tells whether a packet of the C half matches a filter of pcap-filter(7); without one all do.
-- `link`: how packets begin there, so that a bad text is told where there are none as well; `op`, `netns`: as for
-- errors.raise. Errors: EINVAL, in libpcap's words.
--
--     local matches = nsh.pcap.matcher("icmp", nsh.pcap.core().ETHERNET, "list packets", "host")
function M.matcher(text, link, op, netns)
    if text == nil then return function() return true end end
    if type(text) ~= "string" then
        errors.raise(errors.new("EINVAL", 'a filter is a text such as "icmp", not a ' .. type(text)), op, netns)
    end
    local filter, err = M.core().open_filter(text, link)
    if not filter then errors.raise(err, op, netns) end
    return function(raw) return filter:matches(raw) end
end

-- --- files ---------------------------------------------------------------------------------------

local Writer = { __name = "nsh.pcap.writer" }
Writer.__index = Writer

local function check_path(path, op)
    if type(path) == "string" and not path:find "\0" then return end
    errors.raise(errors.new("EINVAL", "the path of a file expected, not " .. type(path)), op)
end

local function create(path, link)
    local file, err = M.core().create(path, link)
    if not file then errors.raise(err, "create " .. path) end
    return file
end

local function link_of(packet)
    local raw = raw_of[packet]
    return raw and raw:link() or M.core().ETHERNET
end

--- Creates a file for tcpdump and Wireshark, and returns what writes it: `write(packet)`, `close()`. A file holds
-- packets of one kind of link: that of the first one. `packet`: one of those that will come. Errors: as of open(2).
--
--     local file <close> = nsh.pcap.create "arp.pcap"
--     for packet in capture:packets() do if packet.arp then file:write(packet) end end
function M.create(path, packet)
    check_path(path, "create a file")
    local link = link_of(packet)
    return setmetatable({ path = path, link = link, file = create(path, link) }, Writer)
end

local function fail(self, err)
    errors.raise(err, "write " .. self.path)
end

--- Writes a packet. Returns the writer. Errors: EINVAL, it is of another kind of link (Ethernet, "any", none) than
-- the first one; as of write(2).
--
--     file:write(packet)
function Writer:write(packet)
    local raw = raw_of[packet]
    if not raw then fail(self, errors.new("EINVAL", "a packet of a capture expected")) end
    if not self.file then fail(self, errors.new("EBADF", "it is closed")) end
    if not self.written and raw:link() ~= self.link then
        self.file:close()
        self.link, self.file = raw:link(), create(self.path, raw:link())
    end
    local ok, err = self.file:write(raw)
    if not ok then fail(self, err) end
    self.written = true
    return self
end

--- Closes the file. Doing it twice does no harm. Errors: as of write(2).
--
--     file:close()
function Writer:close()
    local file = self.file
    if not file then return end
    self.file = nil
    local ok, err = file:flush()
    file:close()
    if not ok then fail(self, err) end
end

Writer.__close = Writer.close

function Writer:__tostring()
    return "packets into " .. self.path
end

--- Opens a file that tcpdump -w, Wireshark, or nsh has written, and returns it as a capture that has ended:
-- `packets next list save close`. Errors: as of open(2); EINVAL, it is no such file.
--
--     print(#nsh.pcap.open "br0.pcap":list "arp")
function M.open(path)
    check_path(path, "open a file")
    local handle, err = M.core().open_file(path)
    if not handle then errors.raise(err, "open " .. path) end
    return require "nsh.capture".of_file(handle, path)
end

return M
