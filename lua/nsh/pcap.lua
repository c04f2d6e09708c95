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
    return make and make(raw_of[packet])
end

function Packet.__tostring(packet)
    return raw_of[packet]:line()
end

function Packet.__complete()
    return { "bytes", "payload" }
end

--- A packet for Lua, from one of the C half.
function M.packet(raw)
    local packet = setmetatable(raw:fields(), Packet)
    raw_of[packet] = raw
    return packet
end

--- Those of a list of packets that match a filter of pcap-filter(7); all without one. Errors: EINVAL, in libpcap's
-- words.
--
--     pcap.select(packets, "icmp[icmptype] == icmp-echo")
function M.select(packets, filter, op, netns)
    local list, compiled = {}, {}
    local function matches(raw)
        local link = raw:link()
        if not compiled[link] then
            local made_filter, err = M.core().open_filter(filter, link)
            if not made_filter then errors.raise(err, op, netns) end
            compiled[link] = made_filter
        end
        return compiled[link]:matches(raw)
    end
    for _, packet in ipairs(packets) do
        if not filter or matches(raw_of[packet]) then list[#list + 1] = packet end
    end
    return list
end

return M
