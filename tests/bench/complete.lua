-- How long Tab takes with very many links: milliseconds, the median of nine.
--   nsh -S tests/bench/complete.lua [links, default 1000]
local core = require "nsh.core"
local complete = require "nsh.repl.complete".complete

local links = tonumber(arg[1]) or 1000
local ns = nsh.netns.add "many"

-- Sends what each(i, add) adds for half of the links.
local function all(each)
    local batch <close> = core.netlink.batch()
    for i = 1, links // 2 do
        assert(each(i, function(...) return batch:add(ns:socket(), ...) end))
    end
    assert(batch:send(ns:socket()))
end

all(function(i, add) return add("link", "add", { "veth" .. i, type = "veth", peer = "peer" .. i }) end)
all(function(i, add) return add("addr", "add", { ("10.%d.%d.1/24"):format(i // 250, i % 250), dev = "veth" .. i }) end)
assert(#ns.link:list() > links * 0.9 and #ns.addr:list() > links * 0.4)

for _, text in ipairs{ "many.li", "many.link:set{ m", 'many.link:set{ "ve', 'many.link:set{ "veth77',
    'many.addr:del{ "10', 'many.link:add{ "x", type = "' } do
    local times = {}
    for i = 1, 9 do
        local start = core.poll.now()
        complete(text, { many = ns })
        times[i] = (core.poll.now() - start) * 1000
    end
    table.sort(times)
    print(("%-32s %6.1f ms"):format(text, times[5]))
end
