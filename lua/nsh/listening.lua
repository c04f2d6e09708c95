--- Sockets that wait for somebody: `ns:listening()`, and who waits at one place.
local core = require "nsh.core"
local errors = require "nsh.errors"
local suggest = require "nsh.suggest"

local M = {}

local Record = { __record = "socket" }

local KINDS = { "tcp", "tcp6", "udp", "udp6" } -- as `ss -tu`

local wildcards = { ["0.0.0.0"] = "inet", ["::"] = "inet6" }

-- --- looking -------------------------------------------------------------------------------------

--- A socket that asks the kernel, for `look`; to be closed.
function M.open(ns)
    local diag, err = core.sockdiag.open(ns.handle)
    if not diag then errors.raise(err, "list the sockets", ns.name) end
    return diag
end

local function read(diag, kind, netns)
    local list, err = diag:list(kind)
    if list then return list end
    if err.code == "ENOENT" then err.hint = "the kernel lacks the module " .. kind:gsub("6", "") .. "_diag" end
    errors.raise(err, "list the sockets", netns)
end

local function add_owners(records)
    local inodes = {}
    for i, record in ipairs(records) do inodes[i] = record.ino end
    local owners = core.sockdiag.owners(inodes)
    for _, record in ipairs(records) do
        local owner = owners[record.ino]
        if owner then record.pid, record.process = owner.pid, owner.name end
    end
end

local filters = { "netid", "family", "address", "port", "uid", "pid", "process" }

local function check_filter(filter, ns)
    if type(filter) ~= "table" then
        local err = errors.new("EINVAL", "what must match is a table, as in { port = 80 }")
        errors.raise(err, "list the sockets", ns.name)
    end
    for key in pairs(filter) do
        local known = false
        for _, name in ipairs(filters) do known = known or name == key end
        if not known then suggest.refuse("a socket has no", tostring(key), filters, { proto = "netid" }) end
    end
end

local function fits(record, filter)
    for key, value in pairs(filter) do
        if record[key] ~= value then return false end
    end
    return true
end

-- By port, as people look for them.
local function comes_first(a, b)
    for _, key in ipairs{ "port", "netid", "family", "address", "ino" } do
        if a[key] ~= b[key] then return a[key] < b[key] end
    end
    return false
end

--- The sockets of a namespace that wait for somebody, as `ss -ltnup` lists them: those of TCP that listen, and
-- those of UDP that are not connected.
--
-- `filter`: fields that must match; netid = "unix" lists the unix sockets that listen. Returns a list of records:
-- netid ("tcp", "udp", "unix"), state, family, address ("0.0.0.0", "::", a path, "@name"), port, uid, ino, recv_q,
-- send_q, v6only where it is set; pid and process (a name) of who has it open, as far as /proc tells it.
--
--     show(app1:listening())
--     assert(#app1:listening{ port = 8080 } == 1)
function M.listening(ns, filter)
    errors.check_self(ns, "name", "ns:listening()")
    filter = filter or {}
    check_filter(filter, ns)
    local diag <close> = M.open(ns)
    local all, found = {}, core.json.list {}
    for _, kind in ipairs(filter.netid == "unix" and { "unix" } or KINDS) do
        for _, record in ipairs(read(diag, kind, ns.name)) do all[#all + 1] = setmetatable(record, Record) end
    end
    add_owners(all)
    for _, record in ipairs(all) do
        if fits(record, filter) then found[#found + 1] = record end
    end
    table.sort(found, comes_first)
    return found
end

-- --- at one place -----------------------------------------------------------------------------

local function parse_text(text)
    local netid, rest = text:match "^(%a+):(.+)$"
    if netid ~= "udp" and netid ~= "tcp" then netid, rest = "tcp", text end
    if rest:find "^[@/]" then return { netid = "unix", address = rest, kinds = { "unix" } } end
    local address, port = rest:match "^%[(.-)%]:(%d+)$"
    if not address then address, port = rest:match "^([^:]*):(%d+)$" end
    port = math.tointeger(tonumber(port or rest))
    if not port or port < 1 or port > 65535 then return nil end
    if address == "" or address == "*" then address = nil end
    local bytes = address and core.address.parse(address)
    if address and not bytes then return nil end
    return { netid = netid, port = port, address = bytes and core.address.format(bytes),
        family = bytes and (#bytes == 4 and "inet" or "inet6"), kinds = { netid, netid .. "6" } }
end

--- What `listen = …` of a program means: a port (8080), "10.0.0.1:8080", "[::1]:8080", "udp:53", or a unix
-- socket ("/path", "@name"). Returns it as fields, or nil and an error object.
function M.parse(listen)
    local target
    if math.type(listen) == "integer" or type(listen) == "string" then target = parse_text(tostring(listen)) end
    if target then
        target.text = listen
        return target
    end
    local err = errors.new("EINVAL", ('a port (8080), "10.0.0.1:8080", "[::1]:8080", "udp:53", "/path" or "@name" ' ..
        'expected, not %s'):format(require("nsh.options").quote(listen)))
    err.key = "listen"
    return nil, err
end

-- The shell command that succeeds once somebody waits there. `prefix`: of a command in the namespace.
--
--     listening.command(8080, "ip netns exec app1 ")
function M.command(listen, prefix)
    local target = M.parse(listen) or { kinds = {}, port = 0 }
    local ss = target.netid == "unix" and ("ss -Hlx src unix:%s"):format(require("nsh.trace").quote(target.address)) or
        ("ss -Hln%s sport = %d"):format(target.netid == "udp" and "u" or "t", target.port)
    return prefix .. ss .. " | grep -q ."
end

-- Who waits at the wildcard address takes what comes for any; that of IPv6 also what comes for IPv4.
local function serves(record, target)
    if record.port ~= target.port then return false end
    if not target.address or record.address == target.address then return true end
    local wildcard = wildcards[record.address]
    return wildcard == target.family or wildcard == "inet6" and target.family == "inet" and not record.v6only
end

--- Looks who waits at `target` (of M.parse). Returns a set of inodes, which may be empty.
function M.look(diag, target, netns)
    local found = {}
    for _, kind in ipairs(target.kinds) do
        for _, record in ipairs(read(diag, kind, netns)) do
            if serves(record, target) then found[record.ino] = true end
        end
    end
    return found
end

return M
