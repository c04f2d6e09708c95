-- Long lists beside iproute2's, as whole processes, in turn: 2000 links and 100 000 routes as JSON, and the routes
-- added in batches. Fails if nsh takes more than it may.
--   nsh -S tests/bench/lists.lua [LINKS [ROUTES [ROUNDS]]]
local core = require "nsh.core"
local links, routes, rounds = tonumber(arg[1]) or 2000, tonumber(arg[2]) or 100000, tonumber(arg[3]) or 11
local now = core.poll.now
nsh.sandbox()

local directory = assert(io.popen "mktemp -d /tmp/nsh-lists.XXXXXX"):read "l"

local function write_file(name, text)
    local path = directory .. "/" .. name
    local file <close> = assert(io.open(path, "w"))
    file:write(text)
    return path
end

local function median(list)
    table.sort(list)
    return list[#list // 2 + 1]
end

local function seconds_of(command)
    local start = now()
    assert(os.execute("exec " .. command .. " >/dev/null"))
    return now() - start
end

local failed = false

-- Medians of two commands that are run in turn; `prepare` is done before each.
local function compare(what, most, own, theirs, prepare)
    local times = { {}, {} }
    for round = 1, rounds do
        for i, command in ipairs{ own, theirs } do
            if prepare then prepare() end
            times[i][round] = seconds_of(command)
        end
    end
    local nsh_time, ip_time = median(times[1]), median(times[2])
    local ratio = nsh_time / ip_time
    failed = failed or ratio > most
    print(("%-34s nsh %6.1f ms, ip %6.1f ms: %.2f times (at most %.1f)"):format(what, nsh_time * 1e3, ip_time * 1e3,
        ratio, most))
end

-- What a process has taken of memory, at most, as it says itself: MiB.
local function memory_of(code)
    local path = write_file("memory", "")
    local tell = ([[; for line in io.lines "/proc/self/status" do
        local kib = line:match "^VmHWM:%%s*(%%d+)"
        if kib then io.open("%s", "w"):write(kib) end
    end]]):format(path)
    assert(os.execute(("%s -E -j -e '%s' >/dev/null"):format(nsh.program, code .. tell)))
    return tonumber(assert(io.open(path)):read "a") / 1024
end

local function list_of(object) return ("nsh.host.%s:show()"):format(object) end

local function listing(object) return ("%s -E -j -e '%s'"):format(nsh.program, list_of(object)) end

-- --- links ---------------------------------------------------------------------------------------

local other = nsh.netns.new()
local batch = core.netlink.batch()
for i = 1, links do
    assert(batch:add(host:socket(), "link", "add", { "w" .. i, type = "veth", peer = { "x" .. i, netns = other } }))
end
assert(batch:send(host:socket()))
compare(links .. " links as JSON", 1.5, listing "link", "ip -j -d link")
print(("%-34s nsh %.0f MiB at most"):format("  its memory", memory_of(list_of "link")))
other:close()

-- --- routes --------------------------------------------------------------------------------------

host.link:add{ "v0", type = "veth", peer = "v1" }
host.link:set{ "v0", up = true }
host.link:set{ "v1", up = true }

local function prefix(i) return ("10.%d.%d.%d/32"):format(i >> 16, i >> 8 & 255, i & 255) end

local lines = {}
for i = 1, routes do lines[i] = ("route add %s dev v0\n"):format(prefix(i)) end
local for_ip = write_file("batch", table.concat(lines))
local for_nsh = write_file("add.lua", ([[
host:batch(function(b)
    for i = 1, %d do
        b.route:add{ ("10.%%d.%%d.%%d/32"):format(i >> 16, i >> 8 & 255, i & 255), dev = "v0" }
    end
end)
]]):format(routes))

local function without_routes() host.route:flush{ dev = "v0" } end

compare(routes .. " routes added in batches", 1.2, ("%s -E %s"):format(nsh.program, for_nsh), "ip -batch " .. for_ip,
    without_routes)
compare(routes .. " routes as JSON", 2, listing "route", "ip -j route")
print(("%-34s nsh %.0f MiB at most"):format("  its memory", memory_of(list_of "route")))

assert(os.execute("rm -r " .. directory))
os.exit(failed and 1 or 0)
