-- A lab of nsh side by side with its floor and its rivals: a star of leaves, up and down, in turn; and in
-- the end what was to be shown, and whether it was.
--   lua5.4 tests/bench/labs.lua [ROUNDS] [CONTESTANT…]      in the project's top directory
-- QUICK=1: three rounds at 100 and 1000 leaves, one of the rivals at 100; a minute or two.
-- Mininet's pingall fills the machine's neighbour table (net.ipv4.neigh.default.gc_thresh3), which all
-- namespaces share: not beside anything else that needs it.
local quick = os.getenv "QUICK" and os.getenv "QUICK" ~= ""
local sizes = quick and { 100, 1000 } or { 10, 100, 300, 1000 }
local pingall_size = 100
local rounds_by_default = quick and 3 or 5
local rival_rounds, rival_size = quick and 1 or 1000, quick and 100 or 1000 -- at most
local longest = 60 -- seconds that a contestant may take to be up: it sits out what would take longer
local patience = 400 -- seconds for all that it does
local slow, slow_rounds = 10, 3 -- one that takes so many seconds is measured that often

local sandbox = "tests/bench/sandbox build/bench/stamp "
local contestants = {
    { name = "floor", command = sandbox .. "build/bench/floor %d" },
    { name = "nsh", command = sandbox .. "./nsh tests/bench/star.lua %d", pingall = true },
    { name = "batch", command = sandbox .. "tests/bench/star.sh batch %d", rival = true },
    { name = "tutorial", command = sandbox .. "tests/bench/star.sh tutorial %d", rival = true },
    { name = "pyroute2", command = sandbox .. "tests/bench/star_pyroute2.py %d", rival = true },
    { name = "pushns", command = sandbox .. "tests/bench/star_pyroute2.py %d pushns", rival = true },
    { name = "mininet", command = sandbox .. "tests/bench/star_mininet.py %d", rival = true, pingall = true },
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

-- --- measuring -------------------------------------------------------------------------------------

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
    result.pair = result.pingall and result.pingall / result.pairs
    return pipe:close() and result, said or "nothing"
end

local function takes_part(contestant, size, round)
    local expected = (contestant.each or 0) * size -- at least
    return not contestant.failed and expected <= longest and (round <= slow_rounds or expected <= slow)
        and not (contestant.rival and (round > rival_rounds or size > rival_size))
end

-- One round of all. Returns { name = { up = seconds, … }, … }.
local function measure(chosen, size, round, argument)
    local results = {}
    for _, contestant in ipairs(chosen) do
        if takes_part(contestant, size, round) then
            local result, reason = run(contestant, size, argument)
            results[contestant.name] = result or nil
            contestant.failed = not result
            contestant.each = result and result.up / size
            if not result then
                print(("%s failed at %d: %s"):format(contestant.name, size, reason))
            end
        end
    end
    return results
end

local function measure_all(chosen, size, rounds, argument)
    local list = {}
    for round = 1, rounds do
        list[round] = measure(chosen, size, round, argument)
    end
    return list
end

-- --- reckoning -------------------------------------------------------------------------------------

-- The median of fn(results) over the rounds where it is something.
local function median(rounds, fn)
    local list = {}
    for _, results in ipairs(rounds or {}) do
        table.insert(list, fn(results) or nil)
    end
    table.sort(list)
    return list[(#list + 1) // 2]
end

local function value(rounds, name, key)
    return median(rounds, function(results)
        return results[name] and results[name][key]
    end)
end

-- Of what was measured in the same round, one right after the other: both have had the same weather.
local function ratio(rounds, key, name, other)
    return median(rounds, function(results)
        local a, b = results[name] and results[name][key], results[other] and results[other][key]
        return a and b and a / b
    end)
end

-- --- tables ----------------------------------------------------------------------------------------

local function cell(format, number)
    return number and ("%9s"):format(format:format(number)) or "        -"
end

local function print_sizes(chosen, rounds, size)
    print(("\nA star of %d leaves: seconds, medians of %d"):format(size, #rounds))
    print("                 up   /floor     /nsh  returns     gone   /floor  MiB")
    for _, contestant in ipairs(chosen) do
        local name = contestant.name
        local rss = value(rounds, name, "rss")
        print(("%-10s"):format(name) .. cell("%.3f", value(rounds, name, "up"))
            .. cell("%.2f", ratio(rounds, "up", name, "floor")) .. cell("%.2f", ratio(rounds, "up", name, "nsh"))
            .. cell("%.3f", value(rounds, name, "down-returns")) .. cell("%.3f", value(rounds, name, "down-gone"))
            .. cell("%.2f", ratio(rounds, "down-gone", name, "floor")) .. cell("%.1f", rss and rss / 1024))
    end
end

local function print_pingall(chosen, rounds)
    print(("\npingall of %d nodes: medians of %d; who takes long is stopped, and told by the pair"):format(pingall_size,
        #rounds))
    print("            seconds    pairs   loss %  ms/pair     /nsh")
    for _, contestant in ipairs(chosen) do
        local name = contestant.name
        local pair = value(rounds, name, "pair")
        print(("%-10s"):format(name) .. cell("%.3f", value(rounds, name, "pingall"))
            .. cell("%.0f", value(rounds, name, "pairs")) .. cell("%.2f", value(rounds, name, "loss"))
            .. cell("%.3f", pair and pair * 1000) .. cell("%.1f", ratio(rounds, "pair", name, "nsh")))
    end
end

-- --- what was to be shown --------------------------------------------------------------------------

-- Each: what, at how many leaves, the goal (`most` or `least`), and how it is reckoned from the rounds.
local function over(key, name, other)
    return function(rounds) return ratio(rounds, key, name, other) end
end

local function of_nsh(key, unit)
    return function(rounds)
        local number = value(rounds, "nsh", key)
        return number and number * (unit or 1)
    end
end

local goals = {
    { "up: nsh / floor", 100, most = 1.2, over("up", "nsh", "floor") },
    { "  in the script / in the floor", 100, most = 1.2, over("built", "nsh", "floor") },
    { "up: nsh / floor", 1000, most = 1.2, over("up", "nsh", "floor") },
    { "up: ip -batch / nsh", 100, least = 4, over("up", "batch", "nsh") },
    { "up: pyroute2 / nsh", 100, least = 15, over("up", "pyroute2", "nsh") },
    { "up: Mininet / nsh", 100, least = 15, over("up", "mininet", "nsh") },
    { "up: tutorials' style / nsh", 100, least = 30, over("up", "tutorial", "nsh") },
    { "down returns, milliseconds", 1000, most = 50, of_nsh("down-returns", 1000) },
    { "all gone: nsh / floor", 100, most = 1.1, over("down-gone", "nsh", "floor") },
    { "all gone: nsh / floor", 1000, most = 1.1, over("down-gone", "nsh", "floor") },
    { "resident memory, MiB", 1000, most = 24, of_nsh("rss", 1 / 1024) },
    { "pingall: loss, percent", "pingall", most = 0, of_nsh "loss" },
    { "pingall: Mininet / nsh", "pingall", least = 10, over("pair", "mininet", "nsh") },
}

local function print_goals(measured)
    print "\nWhat it must show                leaves      goal  measured  holds"
    for _, goal in ipairs(goals) do
        local what, size, reckon = goal[1], goal[2], goal[3]
        local number = reckon(measured[size])
        local holds = number and ((goal.most and number <= goal.most) or (goal.least and number >= goal.least))
        print(("%-30s %8d   %s %5g %9s  %s"):format(what, size == "pingall" and pingall_size or size,
            goal.most and "<=" or ">=", goal.most or goal.least, number and ("%.2f"):format(number) or "-",
            not number and "not measured" or holds and "yes" or "NO"))
    end
end

local rounds = tonumber(arg[1])
local chosen = choose{ table.unpack(arg, rounds and 2 or 1) }
rounds = rounds or rounds_by_default
local measured, pinging = {}, {}
for _, size in ipairs(sizes) do
    measured[size] = measure_all(chosen, size, rounds, "")
    print_sizes(chosen, measured[size], size)
end
for _, contestant in ipairs(chosen) do
    contestant.failed = nil
    table.insert(pinging, contestant.pingall and contestant or nil)
end
measured.pingall = measure_all(pinging, pingall_size, quick and 1 or rounds, "pingall")
print_pingall(pinging, measured.pingall)
print_goals(measured)
