-- A lab of nsh side by side with its floor and its rivals: a star of leaves, up and down, in turn.
--   lua5.4 tests/bench/labs.lua [ROUNDS] [CONTESTANT…]      in the project's top directory
-- Mininet's pingall fills the machine's neighbour table (net.ipv4.neigh.default.gc_thresh3), which all
-- namespaces share: not beside anything else that needs it.
local sizes = { 10, 100, 300, 1000 }
local pingall_size = 100
local rounds_by_default = 5
local longest = 60 -- seconds that a contestant may take to be up: it sits out what would take longer
local patience = 300 -- seconds for all that it does
local slow, slow_rounds = 10, 3 -- one that takes so many seconds is measured that often

local sandbox = "tests/bench/sandbox "
local contestants = {
    { name = "floor", command = sandbox .. "build/bench/floor %d" },
    { name = "nsh", command = sandbox .. "./nsh tests/bench/star.lua %d", pingall = true },
    { name = "batch", command = sandbox .. "tests/bench/star.sh batch %d" },
    { name = "tutorial", command = sandbox .. "tests/bench/star.sh tutorial %d" },
    { name = "pyroute2", command = sandbox .. "tests/bench/star_pyroute2.py %d" },
    { name = "pushns", command = sandbox .. "tests/bench/star_pyroute2.py %d pushns" },
    { name = "mininet", command = sandbox .. "tests/bench/star_mininet.py %d", pingall = true },
}

local function choose(names)
    if #names == 0 then
        return contestants
    end
    local known, chosen = {}, {}
    for _, contestant in ipairs(contestants) do
        known[contestant.name] = contestant
    end
    for i, name in ipairs(names) do
        chosen[i] = known[name] or error("no contestant " .. name, 0)
    end
    return chosen
end

-- Runs a contestant once. Returns its lines as { up = seconds, … }, or nothing and what else it said first.
local function run(contestant, size, argument)
    local command = ("timeout -s KILL %d %s %s 2>&1"):format(patience, contestant.command:format(size), argument)
    local pipe = assert(io.popen(command))
    local result, said = {}, nil
    for line in pipe:lines() do
        local key, value = line:match "^([%w-]+) ([%d.]+)$"
        if key then
            result[key] = tonumber(value)
        else
            said = said or line
        end
    end
    return pipe:close() and result, said or "nothing"
end

-- One more round for a contestant: its values are added to the lists in times[name].
local function measure(times, contestant, size, argument)
    local result, reason = run(contestant, size, argument)
    if not result then
        contestant.failed = true
        print(("%s failed at %d: %s"):format(contestant.name, size, reason))
        return
    end
    local lists = times[contestant.name] or {}
    times[contestant.name] = lists
    for key, value in pairs(result) do
        lists[key] = lists[key] or {}
        table.insert(lists[key], value)
    end
    contestant.each = result.up / size
end

local function takes_part(contestant, size, round)
    local expected = (contestant.each or 0) * size -- at least
    return not contestant.failed and expected <= longest and (round <= slow_rounds or expected <= slow)
end

local function measure_all(chosen, size, rounds, argument)
    local times = {}
    for round = 1, rounds do
        for _, contestant in ipairs(chosen) do
            if takes_part(contestant, size, round) then
                measure(times, contestant, size, argument)
            end
        end
    end
    return times
end

local function median(times, name, key)
    local list = times[name] and times[name][key]
    if not list then
        return nil
    end
    table.sort(list)
    return list[(#list + 1) // 2]
end

local function cell(format, value, divisor)
    return value and divisor and ("%9s"):format(format:format(value / divisor)) or "        -"
end

local function print_table(chosen, times, size, rounds)
    print(("\nA star of %d leaves: seconds, medians of %d"):format(size, rounds))
    print("                 up   /floor     /nsh  returns     gone   /floor  MiB")
    for _, contestant in ipairs(chosen) do
        local function of(key, name)
            return median(times, name or contestant.name, key)
        end
        local up, gone, rss = of "up", of "down-gone", of "rss"
        print(("%-10s"):format(contestant.name) .. cell("%.3f", up, 1) .. cell("%.2f", up, of("up", "floor"))
            .. cell("%.2f", up, of("up", "nsh")) .. cell("%.3f", of "down-returns", 1) .. cell("%.3f", gone, 1)
            .. cell("%.2f", gone, of("down-gone", "floor")) .. cell("%.1f", rss, 1024))
    end
end

local function print_pingall(chosen, times, rounds)
    print(("\npingall of %d nodes: medians of %d"):format(pingall_size, rounds))
    print("            seconds   loss %     /nsh")
    for _, contestant in ipairs(chosen) do
        local seconds = median(times, contestant.name, "pingall")
        print(("%-10s"):format(contestant.name) .. cell("%.3f", seconds, 1)
            .. cell("%.2f", median(times, contestant.name, "loss"), 1)
            .. cell("%.2f", seconds, median(times, "nsh", "pingall")))
    end
end

local rounds = tonumber(arg[1])
local chosen = choose{ table.unpack(arg, rounds and 2 or 1) }
rounds = rounds or rounds_by_default
for _, size in ipairs(sizes) do
    print_table(chosen, measure_all(chosen, size, rounds, ""), size, rounds)
end
local pinging = {}
for _, contestant in ipairs(chosen) do
    contestant.failed = nil
    table.insert(pinging, contestant.pingall and contestant or nil)
end
print_pingall(pinging, measure_all(pinging, pingall_size, rounds, "pingall"), rounds)
