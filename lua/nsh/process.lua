--- Programs inside a namespace: `ns:exec{…}` to the end, `ns:spawn{…}` in the background.
--
--     local r = app1:exec{ "ip", "-br", "addr", output = true }
--     print(r.status, r.out)
--
-- A program in a namespace has its own /proc, /sys and hostname, an empty /run/netns, and over /etc
-- the files of /etc/netns/NAME, as `ip netns exec` does. None outlives nsh, daemons included.
local core = require "nsh.core"
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local loop = require "nsh.loop"
local server = require "nsh.server"
local settle = require "nsh.settle"
local trace = require "nsh.trace"
local stream = require "nsh.stream"

local M = {}
local Process = { __name = "nsh.process" }
Process.__index = Process

local HOSTNAME_MAX = 64

-- The options of each function, and the type of their values.
local exec_options = {
    output = "boolean", input = "string", env = "table", cwd = "string", timeout = "number",
}
local spawn_options = {
    output = "boolean", input = "boolean", env = "table", cwd = "string", listen = "any", timeout = "number",
}
local unshare_options = { output = "boolean", input = "boolean", env = "table", cwd = "string" }

-- --- arguments -----------------------------------------------------------------------------------

local function invalid(message, key)
    local err = errors.new("EINVAL", message)
    err.key = key
    return err
end

local function names_of(options)
    local names = {}
    for name in pairs(options) do names[#names + 1] = name end
    table.sort(names)
    return table.concat(names, ", ")
end

-- Returns nil, or the error object that says what is wrong with option `key`.
local function check_option(key, value, options)
    local expected = options[key]
    if not expected then
        return invalid(('there is no option "%s"; there are: %s'):format(key, names_of(options)), key)
    elseif type(value) ~= expected and expected ~= "any" then
        return invalid(("%s must be a %s, not a %s"):format(key, expected, type(value)), key)
    end
end

local function check_env(env)
    for name, value in pairs(env or {}) do
        if type(name) ~= "string" or name == "" or name:find "[=\0]" then
            return invalid(('"%s" cannot be the name of an environment variable'):format(name), "env")
        elseif value ~= false and type(value) ~= "string" and type(value) ~= "number" then
            return invalid(("environment variable %s must be a string, or false"):format(name), "env")
        end
    end
end

local function to_words(args)
    local words = {}
    for i, word in ipairs(args) do
        if type(word) ~= "string" and type(word) ~= "number" then
            return nil, invalid(("word %d must be a string, not a %s"):format(i, type(word)))
        end
        words[i] = tostring(word)
    end
    if not words[1] then return nil, invalid "there is no program to run" end
    return words
end

-- The words and the options; a string is a line for the shell.
local function parse(ns, args, options, more)
    if type(ns) ~= "table" then errors.check_self(ns, "name", "ns:exec{…}, ns:spawn{…}") end
    if more ~= nil then
        errors.raise(invalid "options stand beside the words: { \"ls\", output = true }", "run a program", ns.name)
    end
    if type(args) == "string" then return { "sh", "-c", args }, {} end
    local words, err
    if type(args) == "table" then
        words, err = to_words(args)
    else
        err = invalid("a program is a string for the shell or a list of words, not a " .. type(args))
    end
    if err then errors.raise(err, "run a program", ns.name) end
    local chosen = {}
    for key, value in pairs(args) do
        if math.type(key) ~= "integer" then
            err = check_option(tostring(key), value, options)
            if err then errors.raise(err, "run " .. words[1], ns.name) end
            chosen[key] = value
        end
    end
    err = check_env(chosen.env)
    if err then errors.raise(err, "run " .. words[1], ns.name) end
    return words, chosen
end

-- --- start ---------------------------------------------------------------------------------------

local function hint_for(err, words)
    if err.code == "ENOSPC" then
        err.hint = "raise the limit: sysctl -w user.max_net_namespaces=N"
    elseif err.code == "ENOENT" and not words[2] and words[1]:find " " then
        err.hint = 'each word is a string of its own: { "ip", "addr" }; for a shell { "sh", "-c", "…" }'
    end
    return err
end

-- A pipe from the program: our end to read from, and the program's end.
local function output_pipe()
    local reader, writer = core.process.pipe()
    errors.check(reader, writer)
    errors.check(reader:nonblock())
    return stream.reader(reader), writer
end

local function input_pipe()
    local reader, writer = core.process.pipe()
    errors.check(reader, writer)
    errors.check(writer:nonblock())
    return stream.writer(writer), reader
end

-- What the program gets as stdin, stdout, stderr: its ends of the pipes, ours go into `self`.
local function connect(self, options, background)
    local ends = {}
    if options.input then
        self.stdin, ends.stdin = input_pipe()
    elseif background then
        ends.stdin = errors.check(core.process.null())
    end
    if options.output then
        self.stdout, ends.stdout = output_pipe()
        self.stderr, ends.stderr = output_pipe()
    end
    return ends
end

-- The programs that run with pipes, also where the script holds them no longer: without us they would write
-- to nobody, and fail.
local talking = {}

local function reap(self)
    local result, err = self.handle:reap()
    if err then errors.raise(err, "wait for " .. self.name, self.netns) end
    self.result = self.result or result
    if self.result then talking[self] = nil end
end

-- Of those that nobody has waited for, too.
local function forget_ended()
    for process in pairs(talking) do reap(process) end
end

local function start(ns, words, options, background)
    dry.check("run " .. words[1], ns.name)
    forget_ended()
    settle.ready()
    local self = setmetatable({ name = words[1], netns = ns.name, waiting = 0 }, Process)
    local ends = connect(self, options, background)
    local handle, err = core.process.start {
        argv = words,
        env = options.env,
        cwd = options.cwd,
        netns = ns.handle,
        unshared = rawget(ns, "unshared"),
        hostname = ns.handle and ns.name and ns.name:sub(1, HOSTNAME_MAX),
        etc = ns.handle and (ns.etc or ns.name and "/etc/netns/" .. ns.name),
        stdin = ends.stdin and ends.stdin:fileno(),
        stdout = ends.stdout and ends.stdout:fileno(),
        stderr = ends.stderr and ends.stderr:fileno(),
        foreground = not background,
    }
    for _, fd in pairs(ends) do fd:close() end
    if not handle then
        self:close()
        errors.raise(hint_for(err, words), "run " .. words[1], ns.name)
    end
    self.handle, self.pid = handle, handle:pid()
    talking[self] = next(ends) and true
    return self
end

-- --- pipes ---------------------------------------------------------------------------------------

local function close_input(self)
    if self.stdin then self.stdin.fd:close() end
    self.stdin = nil
end

-- A program that does not read to the end has its reasons: `broken` remembers.
local function flush(self)
    local input = self.stdin
    self.broken = stream.flush(input)
    if self.broken or stream.is_flushed(input) and input.last then close_input(self) end
end

-- --- waiting -------------------------------------------------------------------------------------

-- Everything that may happen next: a list of { fd, mode, what to do, with what }.
local function events(self)
    local list = {}
    for _, out in ipairs { self.stdout or false, self.stderr or false } do
        if out and not out.ended then list[#list + 1] = { out.fd:fileno(), "r", stream.fill, out } end
    end
    if self.stdin and (self.stdin.last or not stream.is_flushed(self.stdin)) then
        list[#list + 1] = { self.stdin.fd:fileno(), "w", flush, self }
    end
    if not self.result then
        list[#list + 1] = { self.handle:pidfd(), "r", reap, self }
        local stops = self.handle:stops()
        if stops then list[#list + 1] = { stops, "r", reap, self } end
    end
    return list
end

-- Its descriptor is polled no longer.
local function close_handle(self)
    if self.handle then self.handle:close() end
    self.handle = nil
    if self.watch then self.watch.done = true end
end

-- Descriptors go once nothing can come any more - and no other task polls them.
local function release(self)
    if self.waiting > 0 or not self.result then return end
    close_handle(self)
    for _, out in ipairs { self.stdout or false, self.stderr or false } do
        if out and out.ended then out.fd:close() end
    end
end

-- Waits for one event and deals with it; whichever the caller is after, all pipes keep moving, so that
-- the program never stands still because the other one is full. False after the deadline.
local function step(self, deadline)
    local list = events(self)
    self.waiting = self.waiting + 1
    local index = loop.wait_any(list, deadline and math.max(0, deadline - core.poll.now()))
    self.waiting = self.waiting - 1
    if not index then return false end
    local event = list[index]
    event[3](event[4])
    release(self)
    return true
end

-- --- in the background ---------------------------------------------------------------------------

--- Waits until the program has ended, at most `timeout` seconds (default: for ever). Returns
-- { status = 0 } or, if a signal ended it, { signal = "KILL" }; nil after the time. What it prints
-- meanwhile is kept for `read`.
--
--     local p = app1:spawn{ "sleep", "1" }
--     print(p:wait(0.1), p:wait().status)  --> nil  0
function Process:wait(timeout)
    local deadline = timeout and core.poll.now() + timeout
    while not self.result do
        if not step(self, deadline) then return nil end
    end
    return self.result
end

--- Whether the program has not ended yet.
--
--     assert(app1:spawn{ "sleep", "1" }:running())
function Process:running()
    if not self.result then reap(self) end
    return not self.result
end

--- Sends a signal, by name or number (default "TERM"), to the program and what it started in its
-- process group. One that has ended already is no error.
--
--     local p = app1:spawn{ "sleep", "60" }
--     p:kill "INT"
--     assert(p:wait().signal == "INT")
function Process:kill(signal)
    if self.result then return self end
    local ok, err = self.handle:kill(signal or "TERM")
    if not ok then errors.raise(err, "kill " .. self.name, self.netns) end
    return self
end

local function stream_named(self, name)
    if name ~= "stdout" and name ~= "stderr" then
        return nil, invalid(('one can read "stdout" or "stderr", not "%s"'):format(name))
    end
    return self[name], invalid "it was not started with output = true"
end

--- Reads what the program prints, like Lua's file:read. `what`: "l" a line (default), "L" a line with
-- its end, "a" everything until the end, or a number of bytes. `name`: "stdout" (default) or "stderr".
-- Returns a string; nil at the end ("a": then ""). Needs output = true.
--
--     local p = app1:spawn{ "ip", "monitor", output = true }
--     print(p:read "l")
function Process:read(what, name)
    local op = "read from " .. self.name
    local out, err = stream_named(self, name or "stdout")
    if not out then errors.raise(err, op, self.netns) end
    local piece
    piece, err = stream.read(out, what, function() step(self) end)
    if err then errors.raise(err, op, self.netns) end
    return piece
end

--- Writes `text` to the program's stdin, and returns the process once all of it is in the pipe. Needs
-- input = true. Error EPIPE if the program does not read any more.
--
--     local p = app1:spawn{ "cat", input = true, output = true }
--     p:write "hello\n":close_input()
--     print(p:read "a")
function Process:write(text)
    local input = self.stdin
    local op = "write to " .. self.name
    if not input then
        errors.raise(self.broken or invalid "its input is closed", op, self.netns)
    end
    stream.add(input, text)
    while self.stdin and not stream.is_flushed(input) do step(self) end
    if self.broken then errors.raise(self.broken, op, self.netns) end
    return self
end

--- Closes the program's stdin: it reads its end. Calling it again does nothing. Returns the process.
--
--     app1:spawn{ "sort", input = true }:write "b\na\n":close_input():wait()
function Process:close_input()
    close_input(self)
    return self
end

--- Kills the program if it still runs, and lets go of its pipes; what `local p <close> = …` does at the
-- end of its block.
--
--     local p <close> = app1:spawn{ "sleep", "60" }
function Process:close()
    if self.handle and not self.result then
        self.handle:finish()
        self.result = self.handle:reap()
    end
    close_handle(self)
    talking[self] = nil
    close_input(self)
    for _, out in ipairs { self.stdout or false, self.stderr or false } do
        if out then
            out.fd:close()
            out.ended = true
        end
    end
end

Process.__close = Process.close

function Process:__tostring()
    return ("process %d (%s)"):format(self.pid, self.name)
end

--- Calls fn(process) from a task once a program has ended, unless somebody who waits for it or closes it knows that
-- first.
function M.when_ended(self, fn)
    loop.go(function()
        self.watch = { { self.handle:pidfd(), "r" } }
        loop.suspend(self.watch)
        if self.result or not self.handle then return end
        reap(self)
        release(self)
        fn(self)
    end)
end

--- Starts a program as `spawn` does, and does not wait until it listens: for several that start side by side.
-- `settled(process)` waits.
function M.launch(ns, args, ...)
    local words, options = parse(ns, args, spawn_options, ...)
    local awaited = (options.listen or options.timeout) and server.expect(ns, words, options)
    local self = start(ns, words, options, true)
    self.awaited = awaited
    local jobs = package.loaded["nsh.repl.jobs"]
    if jobs then jobs.note(self) end
    return self
end

--- Waits until a program of `launch` listens where it shall, if it shall; its time begins now, so that many that
-- start at once on a busy machine need not be as fast as one. Returns it. Errors: as of `spawn`.
function M.settled(self)
    local awaited = self.awaited
    self.awaited = nil
    if awaited then server.await(self, awaited) end
    return self
end

--- Starts a program in the background and returns it, once it runs. Links that nsh has changed
-- carry by then (`nsh.settle`). `args`: a string for the shell, or a list of words with options:
--
-- - `output`: true: its stdout and stderr are for `read` (default: they are nsh's)
-- - `input`: true: its stdin is for `write` (default: /dev/null)
-- - `env`: name -> value added to the environment, or false to take a variable away
-- - `cwd`: the directory that it starts in
-- - `listen`: returns only when somebody listens there who did not before: a port of TCP (8080), "10.0.0.1:8080",
--   "[::1]:8080", "udp:53", or a unix socket ("/path", "@name"); it may be a daemon that the program leaves
-- - `timeout`: how many seconds `listen` may take (default 5)
--
-- The process has `pid`, wait, kill, read, write, close_input, running, close. It ends when nsh does.
--
-- Errors: as of execve, such as ENOENT; with `listen` also ETIMEDOUT, and ECHILD if the program fails before:
-- then it is ended, and the error has its `status` or `signal`, and with output = true `out` and `err`.
--
--     local server <close> = app1:spawn{ "python3", "-m", "http.server", "8080", listen = 8080 }
--     print(app2:http "http://10.0.0.1:8080/".status)
function M.spawn(ns, args, ...)
    return M.settled(M.launch(ns, args, ...))
end

-- What stands for a namespace that is still to be.
local UNSHARED = { name = "a namespace of its own", unshared = true }

local function quoted(words)
    local list = {}
    for i, word in ipairs(words) do list[i] = trace.quote(word) end
    return table.concat(list, " ")
end

--- For nsh.netns.unshare.
function M.unshare(args, ...)
    local words, options = parse(UNSHARED, args, unshare_options, ...)
    local process = start(UNSHARED, words, options, true)
    process.netns = "pid-" .. process.pid
    trace.say("unshare -n %s &  # pid %d", quoted(words), process.pid)
    return process
end

-- --- in the foreground ---------------------------------------------------------------------------

local function timed_out(ns, words, timeout)
    local err = errors.new("ETIMEDOUT", ("it still ran after %g s"):format(timeout))
    errors.raise(err, "run " .. words[1], ns.name)
end

-- What a program that was killed may have left of its own: another screen, no cursor, reports of the mouse, colours,
-- other characters.
local ORDINARY = "\27[?1047l\27[?25h\27[?1000l\27[?1002l\27[?1003l\27[?1006l\27[m\27(B\15"

local function tidy_screen()
    local terminal <close> = os.getenv "TERM" ~= "dumb" and io.open("/dev/tty", "w") or nil
    if terminal then terminal:write(ORDINARY) end
end

--- Runs a program to its end, with the terminal if nsh has one. Links that nsh has changed carry
-- before it starts (`nsh.settle`). `args`: a string for the shell, or a list of words with options:
--
-- - `output`: true: collect what it prints, as `out` and `err` of the result (default: to the screen)
-- - `input`: a string that it reads as stdin (default: nsh's stdin)
-- - `env`: name -> value added to the environment, or false to take a variable away
-- - `cwd`: the directory that it starts in
-- - `timeout`: seconds; then it is killed, and the error is ETIMEDOUT
--
-- Returns { status = 0, out = , err = }, or signal = "KILL" instead of a status; neither is an error. Ctrl-C that
-- ends the program interrupts the script as well. Errors: as of execve, such as ENOENT.
--
--     local r = app1:exec{ "ping", "-c1", "10.0.0.2", output = true, timeout = 5 }
--     if r.status ~= 0 then print(r.out) end
function M.exec(ns, args, ...)
    local words, options = parse(ns, args, exec_options, ...)
    local process <close> = start(ns, words, options, false)
    local has_terminal = process.handle:stops()
    if process.stdin then process.stdin.text, process.stdin.last = options.input, true end
    local result = process:wait(options.timeout) or timed_out(ns, words, options.timeout)
    -- of what it has printed until it ends; a daemon that it leaves behind does not hold us
    result.out, result.err = stream.drain(process.stdout), stream.drain(process.stderr)
    if has_terminal and result.signal then tidy_screen() end
    if has_terminal and result.signal == "INT" then core.process.interrupt() end
    return result
end

local options = require "nsh.options" -- above, that is what a caller chose

options.declare(M.exec, options.rows(exec_options), { first = "file" })
options.declare(M.spawn, options.rows(spawn_options), { first = "file" })
options.declare(M.unshare, options.rows(unshare_options), { first = "file" })

return M
