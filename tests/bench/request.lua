-- The same loop as request.c, through nsh: microseconds a request.
--   nsh -S request.lua COUNT [PROGRAM OF request.c]
nsh.sandbox()
local count, floor = tonumber(arg[1]) or 10000, arg[2]
host.link:add{ "veth0", type = "veth", peer = "veth1" }

local function now()
    local file <close> = io.open "/proc/uptime"
    return file:read "n"
end

local function median(list)
    table.sort(list)
    return list[#list // 2 + 1]
end

local function through_nsh()
    local link = host.link
    local start = now()
    for i = 1, count do
        link:set{ "veth0", txqlen = 500 + i % 1000 }
    end
    return (now() - start) / count * 1e6
end

local own, c = {}, {}
for round = 1, 21 do
    own[round] = through_nsh()
    if floor then
        local pipe <close> = io.popen(floor .. " " .. count)
        c[round] = tonumber(pipe:read "l")
    end
end
print(("one request, microseconds (median of 21): nsh %.2f, C %.2f, difference %.2f"):format(
    median(own), median(c), median(own) - median(c)))
