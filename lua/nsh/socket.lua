--- Connections from inside a namespace, and what waits for them there.
--
--     local listener <close> = app1:listen{ port = 8080 }
--     local client = app2:connect{ "10.0.0.1", port = 8080 }
--     local server = listener:accept()
--     client:write "hello\n"
--     print(server:read(), server.peer)
local core = require "nsh.core"
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local loop = require "nsh.loop"
local options = require "nsh.options"
local settle = require "nsh.settle"
local stream = require "nsh.stream"

local M = {}

local Connection = { __name = "nsh.connection" }
Connection.__index = Connection
local Listener = { __name = "nsh.listener" }
Listener.__index = Listener

-- What closes a listener with a path takes the path away: a layer of the guardian's for each (nsh.lab.apply counts
-- its own from 1).
local layers = 1 << 31

local port = { "port", min = 0, max = 65535, whole = true, valid = "0 to 65535" }
local timeout = { "timeout", default = 5, min = 0, max = 3600, valid = "0 to 3600 seconds" }
local address = { "address", type = "string", means = "address", valid = 'an address such as "10.0.0.1"' }
local unix = { "unix", type = "string", means = "file", valid = 'a path, or "@name"' }
local kind = { "type", type = "string", default = "tcp", words = { "tcp", "udp" }, valid = '"tcp" or "udp"' }

local connect_rows = { address, port, unix, timeout, kind }
local listen_rows = { address, port, unix }

-- --- where to ------------------------------------------------------------------------------------

local function title(spec)
    if type(spec) ~= "table" then return tostring(spec) end
    if spec.unix then return tostring(spec.unix) end
    local where = tostring(spec.address or spec[1] or "")
    return (where ~= "" and where .. " " or "") .. "port " .. tostring(spec.port or "?")
end

local function parse(ns, spec, rows, verb, default)
    local op = verb .. " " .. title(spec)
    local copy = {}
    for key, value in pairs(type(spec) == "table" and spec or {}) do copy[key] = value end
    copy.address, copy[1] = copy.address or copy[1], nil
    local opts = options.complete(rows, type(spec) == "table" and copy or spec, op, ns.name)
    if not opts.unix then opts.address = opts.address or default end
    local message = opts.unix and (opts.address or opts.port) and "a unix socket has neither address nor port" or
        not opts.unix and not opts.address and 'an address expected, as in { "10.0.0.1", port = 80 }' or
        not opts.unix and not opts.port and "port = … is missing"
    if message then errors.raise(errors.new("EINVAL", message), op, ns.name) end
    return opts, op
end

-- Seconds until a deadline; nil: for ever.
local function left(deadline)
    return deadline and math.max(0, deadline - core.poll.now())
end

-- --- connections ---------------------------------------------------------------------------------

-- Fields: address and port, the connection's own; peer and peer_port, those of its other end.
local function new(ns, fd, op)
    local self = setmetatable({ fd = fd, netns = ns.name, op = op, input = stream.reader(fd),
        output = stream.writer(fd) }, Connection)
    self.address, self.port = core.socket.name(fd)
    self.peer, self.peer_port = core.socket.peer(fd)
    return self
end

-- A unix socket whose queue is full tells nobody when it has room.
local PAUSE = 0.005

local function begin(ns, opts, op, deadline)
    while true do
        local fd, connected = core.socket.connect(ns.handle, opts.unix or opts.address, opts.port, opts.type)
        if fd then return fd, connected end
        local err = connected
        if err.code ~= "EAGAIN" then errors.raise(err, op, ns.name) end
        if core.poll.now() > deadline then return nil end
        loop.sleep(PAUSE)
    end
end

--- Opens a connection from inside the namespace; other tasks go on meanwhile. Links that nsh has changed carry by
-- then (`nsh.settle`).
--
-- `spec`: { "10.0.0.1", port = 80 }, or { unix = "/path" }, where "@name" is an abstract one, which belongs to its
-- namespace, as a path does not. Further:
--
-- - `timeout`: seconds (5)
-- - `type`: "udp": each write is a packet
--
-- Returns a connection: read, write, shutdown, close; address, port, peer, peer_port.
-- Errors: ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT, ENOENT (no such path) …
--
--     local c <close> = app1:connect{ "10.0.0.2", port = 80, timeout = 1 }
--     print(c:write "GET / HTTP/1.0\r\n\r\n":read "l")
function M.connect(ns, spec)
    errors.check_self(ns, "name", 'ns:connect{ "10.0.0.1", port = 80 }')
    local opts, op = parse(ns, spec, connect_rows, "connect to")
    settle.ready()
    local deadline = core.poll.now() + opts.timeout
    local fd, connected = begin(ns, opts, op, deadline)
    if fd and not connected then connected = loop.wait(fd:fileno(), "w", left(deadline)) end
    if not connected then
        if fd then fd:close() end
        errors.raise(errors.new("ETIMEDOUT", ("no answer after %g s"):format(opts.timeout)), op, ns.name)
    end
    local ok, err = core.socket.check(fd)
    if not ok then
        fd:close()
        errors.raise(err, op, ns.name)
    end
    return new(ns, fd, op)
end

local function check_open(self, op)
    if self.closed then errors.raise(errors.new("EBADF", "it is closed"), op, self.netns) end
end

--- Reads what comes, like Lua's file:read: "l" a line (default), "L" a line with its end, "a" everything until the
-- other end closes, or a number of bytes. `seconds`: how long at most (default: for ever). Returns a string; nil at
-- the end ("a": then ""). Errors: ETIMEDOUT, ECONNRESET, of UDP ECONNREFUSED; what has come stays for the next read.
--
--     print(connection:read("l", 1))
function Connection:read(what, seconds)
    local op = "read from " .. tostring(self)
    check_open(self, op)
    local deadline = seconds and core.poll.now() + seconds
    local piece, err = stream.read(self.input, what, function()
        if not loop.wait(self.fd:fileno(), "r", left(deadline)) then return false end
        stream.fill(self.input)
    end)
    if err then errors.raise(err, op, self.netns) end
    return piece
end

--- Writes a text, and returns the connection once the kernel has all of it. Errors: EPIPE, ECONNRESET.
--
--     connection:write "hello\n"
function Connection:write(text)
    local op = "write to " .. tostring(self)
    check_open(self, op)
    stream.add(self.output, text)
    while not stream.is_flushed(self.output) do
        local err = stream.flush(self.output)
        if err then errors.raise(err, op, self.netns) end
        if not stream.is_flushed(self.output) then loop.wait(self.fd:fileno(), "w") end
    end
    return self
end

--- Says that nothing more will be written: the other end reads its end. Returns the connection.
--
--     print(connection:write "all":shutdown():read "a")
function Connection:shutdown()
    if not self.closed then self.fd:shutdown() end
    return self
end

--- Closes the connection; what `local c <close> = …` does at the end of its block. Closing twice does no harm.
--
--     connection:close()
function Connection:close()
    self.closed = true
    self.fd:close()
end

Connection.__close = Connection.close

local function place(name, number)
    if not number then return name or "a socket without a name" end
    return ("%s port %d"):format(name, number)
end

function Connection:__tostring()
    return "connection with " .. place(self.peer, self.peer_port)
end

-- --- listeners -----------------------------------------------------------------------------------

-- Somebody else's file is not ours to take away at the end.
local function reserve_path(path, op, netns)
    if core.file.exists(path) then
        errors.raise(errors.new("EADDRINUSE", "there is a file of that name already"), op, netns)
    end
    if path:sub(1, 1) ~= "/" then path = errors.check(core.file.cwd()) .. "/" .. path end
    layers = layers + 1
    local ok, err = core.guardian.undo_unlink(layers, path)
    if not ok then errors.raise(err, op, netns) end
    return layers
end

--- Waits for connections inside the namespace, from now on; `accept` takes them.
--
-- `spec`: { port = 8080 }, with an `address` (default "0.0.0.0"; "::" is any of IPv6, and of IPv4 as well); port = 0
-- takes a free one. Or { unix = "/path" }, or "@name". Returns a listener: accept, close; address, port.
-- Errors: EADDRINUSE, EADDRNOTAVAIL, EACCES.
--
--     local listener <close> = app1:listen{ port = 8080 }
function M.listen(ns, spec)
    errors.check_self(ns, "name", "ns:listen{ port = 8080 }")
    local opts, op = parse(ns, spec, listen_rows, "listen on", "0.0.0.0")
    dry.check(op, ns.name)
    settle.ready()
    local is_path = opts.unix and opts.unix:sub(1, 1) ~= "@"
    local layer = is_path and reserve_path(opts.unix, op, ns.name)
    local fd, err = core.socket.listen(ns.handle, opts.unix or opts.address, opts.port)
    if not fd then errors.raise(err, op, ns.name) end
    local self = setmetatable({ fd = fd, netns = ns.name, ns = ns, op = op, layer = layer }, Listener)
    self.address, self.port = core.socket.name(fd)
    return self
end

--- The next connection, waited for at most `seconds` (default: for ever); nil after the time. Other tasks go on
-- meanwhile. Its `peer` is who connects.
--
--     local connection <close> = listener:accept(5)
function Listener:accept(seconds)
    local op = "accept at " .. tostring(self)
    check_open(self, op)
    local deadline = seconds and core.poll.now() + seconds
    while true do
        local fd, err = core.socket.accept(self.fd)
        if fd then return new(self.ns, fd, op) end
        if err.code ~= "EAGAIN" then errors.raise(err, op, self.netns) end
        if not loop.wait(self.fd:fileno(), "r", left(deadline)) then return nil end
    end
end

--- Stops to listen; what `local l <close> = …` does at the end of its block. Closing twice does no harm.
--
--     listener:close()
function Listener:close()
    if self.closed then return end
    self.closed = true
    self.fd:close()
    if self.layer then core.guardian.down(self.layer) end
end

Listener.__close = Listener.close

function Listener:__tostring()
    return "listener at " .. place(self.address, self.port)
end

options.declare(M.connect, connect_rows, { first = "neighbour" })
options.declare(M.listen, listen_rows, { first = "address" })

return M
