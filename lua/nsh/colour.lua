--- Colours by meaning, on a terminal that wants them.
local core = require "nsh.core"

local STDOUT = 1

-- Of what networks are made of, those of `ip -c`.
local codes = {
    good = "32", bad = "31;1", head = "1", faint = "2",
    ifname = "36", mac = "33", inet = "35", inet6 = "34", up = "32", down = "31",
}

local function wanted(fd)
    return core.file.isatty(fd) and os.getenv "TERM" ~= "dumb" and (os.getenv "NO_COLOR" or "") == ""
end

local on = {}

--- `text` in the colour of `meaning` ("good", "bad", "head", "faint", "ifname", "mac", "inet", "inet6", "up",
-- "down") if what is written to `fd` (default: stdout) appears on a terminal; the text itself elsewhere, with
-- TERM=dumb, and with NO_COLOR (no-color.org).
--
--     print(colour("good", "ok"))
return function(meaning, text, fd)
    fd = fd or STDOUT
    if on[fd] == nil then on[fd] = wanted(fd) end
    return on[fd] and ("\27[%sm%s\27[0m"):format(codes[meaning], text) or text
end
