-- The star of floor.c as a lab, with floor.c's lines.   tests/bench/sandbox ./nsh tests/bench/star.lua N [pingall]
-- (Not -S: that sandbox lets nobody limit its namespaces.)
local now = require("nsh.core").poll.now
local count, pingall = tonumber(arg[1]), arg[2] == "pingall"
local patience = 60 -- seconds

local function print_since(what, start)
    print(("%s %.6f"):format(what, now() - start))
end

local function wait_until(reached, what)
    local deadline = now() + patience
    while not reached() do
        assert(now() < deadline, what)
        nsh.sleep(0.001)
    end
end

local function address(i)
    return ("10.0.%d.%d/16"):format((i - 1) // 250 + 1, (i - 1) % 250 + 1)
end

local function declare()
    local lab = nsh.lab "star"
    lab.host:bridge{ "br0", addr = "10.0.0.1/16" }
    for i = 1, count do
        lab:node("n" .. i):connect{ "eth0", addr = address(i), via = "10.0.0.1",
                                    to = lab.host, peer = { "h" .. i, master = "br0" } }
    end
    return lab
end

-- As floor.c: one namespace more than our own is allowed, and refused while others are left.
local function limit_namespaces()
    local limit <close> = assert(io.open("/proc/sys/user/max_net_namespaces", "w"))
    assert(limit:write "2")
end

local function namespaces_gone()
    local ok, result = pcall(nsh.netns.new)
    if ok then
        result:close()
    elseif result.code ~= "ENOSPC" then
        error(result)
    end
    return ok
end

local function bridge_gone()
    return #host.link:list() == 1 -- lo
end

local function resident_kib()
    local status <close> = assert(io.open "/proc/self/status")
    return status:read("a"):match "VmRSS:%s*(%d+)"
end

io.stdout:setvbuf "line" -- stamp.c tells the time of each line
local start = now()
local lab = declare()
lab:up()
print_since("up", start)
print("rss " .. resident_kib())

if pingall then
    start = now()
    local result = lab:pingall()
    print_since("pingall", start)
    print("pairs " .. count * (count - 1))
    print(("loss %.2f"):format(result.loss))
end

start = now()
lab:down()
print_since("down-returns", start)
limit_namespaces()
wait_until(namespaces_gone, "namespaces are left")
wait_until(bridge_gone, "links are left")
print_since("down-gone", start)
