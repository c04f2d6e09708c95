-- Requests of HTTP by curl from inside a namespace. The server is a task here: it says what it was asked.
local unit = require "luaunit"
local nsh = require "nsh"
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local now = require("nsh.core").poll.now

nsh.sandbox()
local a, b = nsh.netns.new(), nsh.netns.new()
a.link:add{ "veth0", type = "veth", up = true, peer = { "veth1", netns = b } }
b.link:set{ "veth1", up = true }
a.addr:add{ "10.0.0.1/24", dev = "veth0" }
b.addr:add{ "10.0.0.2/24", dev = "veth1" }
a.addr:add{ "fd00::1/64", dev = "veth0" }
b.addr:add{ "fd00::2/64", dev = "veth1" }
support.wait_for_rest{ a, b }

local URL = "http://10.0.0.1:8080/path"

-- Answers one request with `answer`; what it was asked is the task's result.
local function serve(answer, address)
    local listener = a:listen{ address or "0.0.0.0", port = 8080 }
    return nsh.go(function()
        local connection <close> = listener:accept(30)
        listener:close()
        local head, length = {}, 0
        repeat
            local line = connection:read():gsub("\r", "")
            length = tonumber(line:match "^Content%-Length: (%d+)") or length
            head[#head + 1] = line
        until line == ""
        local body = length > 0 and connection:read(length) or ""
        connection:write(answer)
        return head, body
    end)
end

local function get(answer, request)
    local task = serve(answer)
    local result = b:http(request or URL)
    return result, task:wait(30)
end

local function refused(request)
    return support.raised(b.http, b, request)
end

TestHttp = {}

function TestHttp:test_answer()
    local text = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nX-A: 1\r\nx-a: 2\r\n\r\nbody\r\n\r\nof two"
    local answer, head = get(text)
    unit.assertEquals(answer, { status = 200, headers = { ["content-type"] = "text/plain", ["x-a"] = "1, 2" },
        body = "body\r\n\r\nof two" })
    unit.assertEquals(head[1], "GET /path HTTP/1.1")
end

function TestHttp:test_any_status_is_an_answer()
    local answer = get "HTTP/1.0 404 Not Found\r\n\r\n"
    unit.assertEquals({ answer.status, answer.body, answer.headers }, { 404, "", {} })
    unit.assertEquals(get "HTTP/1.0 302 Found\r\nLocation: http://10.9.9.9/\r\n\r\n".status, 302)
    unit.assertEquals(get "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".body, "hi")
end

function TestHttp:test_body_and_headers_are_sent()
    local _, head, body = get("HTTP/1.0 200 OK\r\n\r\n",
        { URL, method = "PUT", headers = { ["X-Test"] = "a b", Expect = "" }, body = "@text\n\0end" })
    unit.assertEquals(head[1], "PUT /path HTTP/1.1")
    unit.assertStrContains(table.concat(head, "\n"), "X-Test: a b")
    unit.assertEquals(body, "@text\n\0end")
end

function TestHttp:test_large_bodies()
    local text = ("0123456789"):rep(100000)
    local answer, _, body = get("HTTP/1.0 200 OK\r\n\r\n" .. text,
        { URL, body = text, method = "POST", headers = { Expect = "" } })
    unit.assertTrue(answer.body == text)
    unit.assertTrue(body == text)
end

function TestHttp:test_head_has_no_body()
    local answer, head = get("HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n", { URL, method = "HEAD" })
    unit.assertEquals({ answer.status, answer.body, answer.headers["content-length"] }, { 200, "", "100" })
    unit.assertEquals(head[1], "HEAD /path HTTP/1.1")
end

function TestHttp:test_ipv6()
    local task = serve("HTTP/1.0 200 OK\r\n\r\n", "::")
    unit.assertEquals(b:http "http://[fd00::1]:8080/".status, 200)
    task:wait()
end

-- In a nsh of its own, with that environment: the address of a server that answers, and what became of it.
local ASK = [[
local l = host:listen{ "127.0.0.1", port = 0 }
nsh.go(function() l:accept(30):write "HTTP/1.0 204 None\r\n\r\n":close() end)
local ok, result = pcall(host.http, host, ("http://127.0.0.1:%d/"):format(l.port))
print(ok and result.status or result)
]]

local function ask(environment)
    return support.sh(("%s %s -e '%s'"):format(environment, os.getenv "NSH", ASK))
end

-- Neither a user's configuration nor a proxy comes in between.
function TestHttp:test_nothing_of_the_users_own()
    local home = support.sh "mktemp -d":gsub("\n", "")
    support.sh(("echo 'head\nurl = http://127.0.0.1:1/' >%s/.curlrc"):format(home))
    unit.assertEquals(ask(("HOME=%s CURL_HOME=%s http_proxy=http://127.0.0.1:1/"):format(home, home)), "204\n")
    support.sh("rm -r " .. home)
end

function TestHttp:test_no_curl()
    unit.assertStrMatches(ask "PATH=/nonesuch", ".*cannot run curl in host: No such file or directory %(ENOENT%)\n" ..
        "  hint: install the package curl\n")
end

local REFUSALS = {
    { "http://10.0.0.1:81/", "ECONNREFUSED", "Connection refused" },
    { "http://10.9.0.1/", "ENETUNREACH", "Network is unreachable" },
    { "http://10.8.0.1/", "EHOSTUNREACH", "No route to host" },
    { "http://nonesuch.invalid/", "EAI_NONAME", "Could not resolve host: nonesuch.invalid" },
    { "http://10.0.0.77/", "ETIMEDOUT", "no answer after 0.3 s", timeout = 0.3 },
}

function TestHttp:test_refusals()
    b.route:add{ "10.8.0.0/16", type = "unreachable" }
    for _, row in ipairs(REFUSALS) do
        local begin = now()
        support.refused(row[2], ("cannot get %s in nsh-2: %s (%s)"):format(row[1], row[3], row[2]),
            b.http, b, { row[1], timeout = row.timeout })
        unit.assertTrue(now() - begin >= (row.timeout or 0))
    end
    unit.assertEquals(refused "nonesuch://10.0.0.1/".code, "EPROTONOSUPPORT")
    unit.assertEquals(refused "http://10.0.0.1:x/".code, "EINVAL")
end

function TestHttp:test_server_that_breaks_off()
    unit.assertEquals(support.raised(get, "").code, "ECONNRESET")
end

function TestHttp:test_server_that_says_nothing()
    local _ <close> = a:listen{ port = 8080 }
    unit.assertEquals(refused{ URL, timeout = 0.5 }.code, "ETIMEDOUT")
end

function TestHttp:test_wrong_arguments()
    for _, bad in ipairs{ {}, { URL, timout = 1 }, { URL, timeout = "1" }, { URL, headers = { "x" } }, 7 } do
        unit.assertEquals(refused(bad).code, "EINVAL")
    end
    unit.assertEquals(support.raised(b.http, URL).code, "EINVAL")
end

-- The server is a task of this same program.
function TestHttp:test_side_by_side()
    local tasks = {}
    local listener <close> = a:listen{ port = 8080 }
    local server = nsh.go(function()
        for _ = 1, 8 do
            local connection <close> = listener:accept(30)
            local number = connection:read():match "GET /(%d+)"
            connection:write("HTTP/1.0 200 OK\r\n\r\n" .. number)
            connection:shutdown():read "a"
        end
    end)
    for i = 1, 8 do tasks[i] = nsh.go(function() return b:http("http://10.0.0.1:8080/" .. i).body end) end
    for i = 1, 8 do unit.assertEquals(tasks[i]:wait(30), tostring(i)) end
    server:wait(30)
end

os.exit(support.run(), true)
