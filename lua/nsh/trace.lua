--- What changed, as the commands that do the same (`nsh -x`).
local core = require "nsh.core"

local M = {}

-- Who gets the lines: whom `to` has named, and whom `also`.
local sink, listener

local function write_line(line)
    io.stderr:write(line, "\n")
end

local function tell(text)
    if sink then sink(text) end
    if listener then listener(text) end
end

-- Of a refused change only a comment is left, in all its lines, so that the rest can be pasted into a
-- shell.
local function say(command, refusal)
    tell(refusal and "# " .. (command .. ": " .. refusal):gsub("\n", "\n# ") or command)
end

local function listen()
    core.netlink.trace((sink or listener) and say or nil)
end

--- Begins to report each change, once the kernel has accepted it; `fn(line)` gets the lines, which
-- go to stderr without it. `to(false)` ends it.
--
--     trace.to(function(line) print("$ " .. line) end)
function M.to(fn)
    sink = fn and (fn == true and write_line or fn) or nil
    listen()
end

--- The same for one more, who takes nothing from the other: the prompt's journal.
--
--     trace.also(function(line) lines[#lines + 1] = line end)
function M.also(fn)
    listener = fn or nil
    listen()
end

--- Whether changes are reported.
function M.active() return (sink or listener) ~= nil end

--- Reports one change that netlink knows nothing of. Arguments as for string.format.
function M.say(format, ...)
    M.change(nil, format, ...)
end

--- The same of one that may have been refused: `refusal` says why, or is nil.
function M.change(refusal, format, ...)
    if M.active() then say(format:format(...), refusal) end
end

--- What stands before a command that is to run inside a namespace: "ip netns exec ns1 "; "" for a `label`
-- of nil. One that has no name is entered by its path.
--
--     trace.say("%ssysctl -w net.ipv4.ip_forward=1", trace.inside(ns.label))
function M.inside(label)
    if not label then return "" end
    local enter = label:find("/", 1, true) and "nsenter --net=%s " or "ip netns exec %s "
    return enter:format(M.quote(label))
end

--- A word of a command, quoted for the shell if it needs it.
function M.quote(word)
    if word:find "^[%w_%-./:@%%+,=]+$" then return word end
    return "'" .. word:gsub("'", "'\\''") .. "'"
end

return M
