--- Requests of HTTP from inside a namespace, by the program curl.
local errors = require "nsh.errors"
local options = require "nsh.options"
local process = require "nsh.process"

local M = {}

local rows = {
    { "timeout", default = 5, min = 0.001, max = 3600, valid = "0.001 to 3600 seconds" },
    { "method", type = "string", default = "GET", valid = 'a method, such as "GET"' },
    { "headers", type = "table", default = {}, valid = 'a table such as { ["Content-Type"] = "text/plain" }' },
    { "body", type = "string", valid = "a text" },
}

-- What curl's exit status stands for (curl(1), EXIT CODES), where the system's word is not known better.
local codes = {
    [1] = "EPROTONOSUPPORT", [3] = "EINVAL", [6] = "EAI_NONAME", [7] = "ECONNREFUSED", [8] = "EPROTO",
    [52] = "ECONNRESET", [55] = "EPIPE", [56] = "ECONNRESET",
}

-- What it tells of an attempt to connect, in the words of strerror(3).
local reasons = {
    ["Connection refused"] = "ECONNREFUSED", ["Network is unreachable"] = "ENETUNREACH",
    ["No route to host"] = "EHOSTUNREACH", ["Connection timed out"] = "ETIMEDOUT", ["Permission denied"] = "EACCES",
    ["Operation not permitted"] = "EPERM", ["Connection reset by peer"] = "ECONNRESET",
    ["Cannot assign requested address"] = "EADDRNOTAVAIL", ["Invalid argument"] = "EINVAL",
}

-- Nothing of the user's own configuration or proxies; the head of the answer before its body; what
-- happens on the way on stderr, in English.
local function command(url, opts)
    local words = { "curl", "-q", "-sSivg", "--noproxy", "*", "--max-time", ("%.3f"):format(opts.timeout),
        output = true, input = opts.body and true or nil, env = { LC_ALL = "C" } }
    local function add(...)
        for _, word in ipairs{ ... } do words[#words + 1] = word end
    end
    if opts.method == "HEAD" then add "-I" else add("-X", opts.method) end
    for name, value in pairs(opts.headers) do add("-H", ("%s: %s"):format(name, value)) end
    if opts.body then add("--data-binary", "@-") end
    add("--", url)
    return words
end

local function failure(status, log, timeout)
    local reason
    for text in log:gmatch "\n%* [^\n]-fail[^\n]*: ([^\n]+)" do reason = text end
    if status == 28 then return errors.new("ETIMEDOUT", ("no answer after %g s"):format(timeout)) end
    local said = log:match "\ncurl: %(%d+%) ([^\n]*)" or "curl ended with status " .. status
    if status == 7 and reasons[reason] then return errors.new(reasons[reason], reason) end
    return errors.new(codes[status] or "EIO", said)
end

-- "HTTP/1.0 200 OK" and what follows until an empty line; an interim answer (1xx) stands before the one that counts.
local function split(text)
    local head, body
    repeat
        head, body = text:match "^(.-)\r?\n\r?\n(.*)$"
        text = body
    until not head or not head:find "^HTTP/%S+ 1%d%d"
    return head, body
end

-- Names in lower case, as HTTP does not tell cases apart; of several with one name, all with commas between.
local function parse_headers(head)
    local headers = {}
    for name, value in head:gmatch "\n([^:\r\n]+):[ \t]*([^\r\n]*)" do
        name = name:lower()
        headers[name] = headers[name] and headers[name] .. ", " .. value or value
    end
    return headers
end

local function refuse(err, url, ns)
    errors.raise(err, "get " .. url, ns.name)
end

local function parse(ns, request)
    local opts = {}
    for key, value in pairs(type(request) == "table" and request or {}) do opts[key] = value end
    local url = type(request) == "string" and request or opts[1] or opts.url
    opts[1], opts.url = nil, nil
    if type(url) ~= "string" then
        local err = errors.new("EINVAL", 'an address such as "http://10.0.0.1:8080/" expected')
        errors.raise(err, "send a request", ns.name)
    end
    opts = options.complete(rows, opts, "get " .. url, ns.name)
    for name, value in pairs(opts.headers) do
        if type(name) ~= "string" or type(value) ~= "string" and type(value) ~= "number" then
            refuse(errors.new("EINVAL", 'headers are { ["Name"] = "value" }'), url, ns)
        end
    end
    return url, opts
end

-- In the background, so that Ctrl-C is nsh's; its own time runs out before ours.
local function run(ns, url, opts)
    local ok, curl = pcall(process.spawn, ns, command(url, opts))
    if not ok then
        if curl.code == "ENOENT" then curl.hint = "install the package curl" end
        error(curl, 0)
    end
    local program <close> = curl
    if opts.body then pcall(function() program:write(opts.body):close_input() end) end -- not all want it
    local text, log = program:read "a", program:read("a", "stderr")
    return program:wait(), text, "\n" .. log
end

--- Sends a request of HTTP from inside the namespace, by the program curl, and returns the answer; other tasks go
-- on meanwhile. Links that nsh has changed carry by then (`nsh.settle`).
--
-- `request`: an address, or a table with one and options:
--
-- - `timeout`: seconds for all of it (5)
-- - `method`: "GET", "POST", …
-- - `headers`: name -> value
-- - `body`: a text that is sent
--
-- No proxy is used, and no redirection followed. Returns { status = 200, body = "…",
-- headers = { ["content-type"] = "text/html", … } }, names in lower case; any status is a result.
-- Errors: ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT, ECONNRESET, EAI_NONAME (no such host), EINVAL; ENOENT
-- if curl is not installed.
--
--     local answer = app1:http "http://10.0.0.1:8080/"
--     print(answer.status, answer.headers["content-type"], #answer.body)
function M.http(ns, request)
    errors.check_self(ns, "name", 'ns:http "http://10.0.0.1:8080/"')
    local url, opts = parse(ns, request)
    local result, text, log = run(ns, url, opts)
    if result.status ~= 0 then refuse(failure(result.status or result.signal, log, opts.timeout), url, ns) end
    local head, body = split(text)
    if not head then refuse(errors.new("EPROTO", "the answer is none of HTTP"), url, ns) end
    local status = math.tointeger(tonumber(head:match "^HTTP/%S+ (%d+)"))
    return { status = status, headers = parse_headers(head), body = body }
end

options.declare(M.http, rows)

return M
