-- The loop of request.c through nsh, in turn with it: microseconds a request.
--   nsh -S request.lua PROGRAM_OF_REQUEST_C [COUNT [ROUNDS]]
nsh.sandbox()
local floor, count, rounds = arg[1], tonumber(arg[2]) or 5000, tonumber(arg[3]) or 31
local now = require("nsh.core").poll.now
host.link:add{ "veth0", type = "veth", peer = "veth1" }

local function through_nsh()
    local link = host.link
    local cpu, start = os.clock(), now()
    for i = 1, count do
        link:set{ "veth0", txqlen = 500 + i % 1000 }
    end
    return (os.clock() - cpu) / count * 1e6, (now() - start) / count * 1e6
end

local function through_c()
    local pipe <close> = io.popen(floor .. " " .. count)
    return pipe:read("n", "n")
end

local function median(list)
    table.sort(list)
    return list[#list // 2 + 1]
end

local times = { own = { {}, {} }, c = { {}, {} } }
for round = 1, rounds do
    times.own[1][round], times.own[2][round] = through_nsh()
    times.c[1][round], times.c[2][round] = through_c()
end
for i, name in ipairs{ "CPU time", "clock" } do
    local own, c = median(times.own[i]), median(times.c[i])
    print(("one request, microseconds of %s (median of %d): nsh %.2f, C %.2f, difference %.2f"):format(
        name, rounds, own, c, own - c))
end
