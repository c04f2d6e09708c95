--- Events: what a monitor tells, and the lines of `ip -o monitor` for them.
--
--     print(monitor:next())     --> Deleted 10.9.0.0/16 via 10.0.0.2 dev v0
local M = {}

local Event = { __name = "nsh.event" }
Event.__index = Event

-- --- words ---------------------------------------------------------------------------------------

-- Rows of { field, before, after, unless }: how a field stands in a line, and a function of it, or the value that
-- is not worth a word. A switch stands as its own word.
local function words_of(rows, record)
    local words = {}
    for _, row in ipairs(rows) do
        local value, before, after = record[row[1]], row[2] or "", row[3] or " "
        if type(row[4]) == "function" then value = value ~= nil and row[4](value, record) or nil end
        if value == true then value, before = row[2] or row[1], "" end
        if value and value ~= row[4] then words[#words + 1] = before .. value .. after end
    end
    return table.concat(words)
end

local function joined(list) return table.concat(list, ",") end
local function spaced(list) return list[1] and table.concat(list, " ") end
local function seconds(time) return time == 2 ^ 32 - 1 and "forever" or time .. "sec" end

-- --- links ---------------------------------------------------------------------------------------

local link_rows = {
    { "flags", "<", "> ", joined },
    { "mtu", "mtu " },
    { "qdisc", "qdisc " },
    { "master", "master " },
    { "operstate", "state " },
    { "group", "group " },
}

local address_rows = {
    { "address", "", "" },
    { "broadcast", " brd ", "" },
    { "link_netnsid", " link-netnsid ", "" },
}

-- The other end, as `ip` names it: of a pair that has lost it there is none.
local function other_end(record)
    local kind = record.linkinfo and record.linkinfo.info_kind
    local other = record.link or record.link_index and "if" .. record.link_index
    return other and "@" .. other or kind == "veth" and "@NONE" or ""
end

local function link_line(record)
    return ("%d: %s%s: %s\\    link/%s %s"):format(record.ifindex, record.ifname, other_end(record),
        words_of(link_rows, record), record.link_type, words_of(address_rows, record))
end

-- --- addresses -----------------------------------------------------------------------------------

local function with_length(address, record) return address .. "/" .. record.prefixlen end
local function alone(address, record) return record.address and address or with_length(address, record) end

local addr_rows = {
    { "local_", "", nil, alone },
    { "address", "peer ", nil, with_length },
    { "metric", "metric " },
    { "broadcast", "brd " },
    { "scope", "scope " },
    { "secondary" }, { "temporary" }, { "nodad" }, { "optimistic" }, { "dadfailed" }, { "home" }, { "deprecated" },
    { "tentative" }, { "dynamic" }, { "mngtmpaddr" }, { "noprefixroute" }, { "autojoin" }, { "stable-privacy" },
    { "label", "", "" },
    { "valid_life_time", "\\       valid_lft ", nil, seconds },
    { "preferred_life_time", "preferred_lft ", "", seconds },
}

local function addr_line(record)
    return ("%d: %s    %s %s"):format(record.ifindex, record.ifname, record.family, words_of(addr_rows, record))
end

-- --- routes and rules ----------------------------------------------------------------------------

local function host_of(via) return type(via) == "table" and via.family .. " " .. via.host or via end

local route_rows = {
    { "type", "", nil, "unicast" },
    { "dst" },
    { "from", "from " },
    { "tos", "tos " },
    { "nhid", "nhid " },
    { "gateway", "via " },
    { "via", "via ", nil, host_of },
    { "dev", "dev " },
    { "table", "table ", nil, "main" },
    { "protocol", "proto ", nil, "boot" },
    { "scope", "scope ", nil, "global" },
    { "prefsrc", "src " },
    { "metric", "metric " },
    { "flags", "", nil, spaced },
    { "mtu", "mtu " },
    { "advmss", "advmss " },
    { "initcwnd", "initcwnd " },
    { "pref", "pref ", "" },
}

local hop_rows = {
    { "gateway", "via " },
    { "via", "via ", nil, host_of },
    { "dev", "dev " },
    { "weight", "weight " },
    { "flags", "", nil, spaced },
}

local function route_line(record)
    local line = words_of(route_rows, record)
    for _, hop in ipairs(record.nexthops or {}) do
        line = line .. "\\\tnexthop " .. words_of(hop_rows, hop)
    end
    return line
end

local function from(src, record) return record.srclen and src .. "/" .. record.srclen or src end
local function to(dst, record) return record.dstlen and dst .. "/" .. record.dstlen or dst end
local function masked(mark, record) return record.fwmask and mark .. "/" .. record.fwmask or mark end

local function maker(protocol) return protocol ~= "unspec" and protocol ~= "kernel" and protocol end

local function range(name)
    return function(first, record) return first .. "-" .. record[name .. "_end"] end
end

local rule_rows = {
    { "priority", "", ":\t" },
    { "not_", "not" },
    { "src", "from ", nil, from },
    { "dst", "to ", nil, to },
    { "tos", "tos " },
    { "fwmark", "fwmark ", nil, masked },
    { "iif", "iif " },
    { "oif", "oif " },
    { "l3mdev", "lookup [l3mdev-table]" },
    { "uid_start", "uidrange ", nil, range "uid" },
    { "ipproto", "ipproto " },
    { "sport", "sport " },
    { "sport_start", "sport ", nil, range "sport" },
    { "dport", "dport " },
    { "dport_start", "dport ", nil, range "dport" },
    { "table", "lookup " },
    { "suppress_prefixlen", "suppress_prefixlength " },
    { "goto_", "goto " },
    { "nop" },
    { "action" },
    { "protocol", "proto ", nil, maker },
}

-- --- the rest ------------------------------------------------------------------------------------

local neigh_rows = {
    { "dst" },
    { "dev", "dev " },
    { "lladdr", "lladdr " },
    { "router" }, { "proxy" }, { "extern_learn" }, { "offload" },
    { "state", "", nil, spaced },
    { "protocol", "proto " },
}

local function member(one) return one.weight and one.weight ~= 1 and one.id .. "," .. one.weight or one.id end

local function members(group)
    local list = {}
    for i, one in ipairs(group) do list[i] = member(one) end
    return table.concat(list, "/")
end

local nexthop_rows = {
    { "id", "id " },
    { "group", "group ", nil, members },
    { "blackhole" },
    { "gateway", "via " },
    { "dev", "dev " },
    { "scope", "scope ", nil, "global" },
    { "protocol", "proto ", nil, "unspec" },
    { "flags", "", nil, spaced },
    { "fdb" },
}

local nsid_rows = { { "nsid", "nsid " } }

local function line_by(rows)
    return function(record) return words_of(rows, record) end
end

local lines = {
    link = link_line,
    addr = addr_line,
    route = route_line,
    rule = line_by(rule_rows),
    neigh = line_by(neigh_rows),
    nexthop = line_by(nexthop_rows),
    nsid = line_by(nsid_rows),
}

-- --- events --------------------------------------------------------------------------------------

local notes = {
    overflow = "# events were lost: what there is now follows",
    synced = "# this is what there is now",
}

-- As `ip -o monitor` prints it; of an event of another namespace its name goes first.
function Event:__tostring()
    if not self.record then return notes[self.event] end
    local place = self.nsid and ("[%s] "):format(self.netns or "nsid " .. self.nsid) or ""
    local line = lines[self.object](self.record):gsub(" +$", "")
    return place .. (self.event == "del" and "Deleted " or "") .. line
end

--- Fields as an event: `event`, and of one that tells of an object `object`, `record`, `netns`, and `nsid` if it
-- happened elsewhere.
function M.new(fields) return setmetatable(fields, Event) end

return M
