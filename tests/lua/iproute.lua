-- iproute2 without a process for each command: one that reads commands as they come for each program, namespace and
-- other options. (Under emulation a process takes twenty times as long as the link that it makes.) What a program
-- keeps of one command for the next is the names of links: of one that comes again by the same name, ask without it.
--   local iproute = dofile((arg[0]:gsub("[^/]*$", "iproute.lua")))
--   iproute.run "ip -n app1 link add x0 type dummy"
--   print(iproute.run "ip -n app1 -j -d link show")
local nsh = require "nsh"

local M = {}

local running = {} -- by their words

-- "tc -n app1 -j qdisc show": the words to start a program with, a list, and those that it reads.
local function split(command)
    local program, rest = command:match "^(%a+) (.*)$"
    local words = { program }
    while true do
        local option, more = rest:match "^(%-%S+) (.*)$"
        if not option then return words, rest end
        words[#words + 1], rest = option, more
        if option == "-n" then
            words[#words + 1], rest = rest:match "^(%S+) (.*)$"
        end
    end
end

local function find(name)
    if not running[name] then
        running[name] = {
            lines = 0,
            process = nsh.host:spawn{ "sh", "-c", ("exec %s -force -batch - 2>&1"):format(name),
                input = true, output = true },
        }
    end
    return running[name]
end

local function stop(name)
    running[name].process:close()
    running[name] = nil
end

-- What it says to a line, and whether that has failed. The answer ends where the next line, which is no command,
-- fails; or with the program itself: some failures end it.
local function ask(name, line)
    local program = find(name)
    program.process:write(line .. "\n.\n")
    program.lines = program.lines + 2
    local said, is_failed = {}, false
    for text in function() return program.process:read "L" end do
        local failed = tonumber(text:match "^Command failed %-:(%d+)\n$")
        if failed == program.lines then
            return table.concat(said):gsub('Object "." is unknown[^\n]*\n$', ""), is_failed
        end
        is_failed = is_failed or failed
        said[#said + 1] = text
    end
    stop(name)
    return table.concat(said), true
end

--- What commands of iproute2 print, one a line, which must succeed; words in quotes are all that is special in them.
function M.run(commands)
    local said = {}
    for command in commands:gmatch "[^\n]+" do
        local words, line = split(command)
        local text, is_failed = ask(table.concat(words, " "), line)
        if is_failed then error(command .. ": " .. text, 2) end
        said[#said + 1] = text
    end
    return table.concat(said)
end

--- Ends the programs, and lets go of their namespaces.
function M.close()
    for name in pairs(running) do stop(name) end
end

return M
