--- Colours by meaning, on a terminal that wants them.
local core = require "nsh.core"

local STDOUT = 1

local codes = { good = "32", bad = "31;1", head = "1", faint = "2" }

local function wanted()
    return core.file.isatty(STDOUT) and os.getenv "TERM" ~= "dumb" and (os.getenv "NO_COLOR" or "") == ""
end

local on

--- `text` in the colour of `meaning` ("good", "bad", "head", "faint") if stdout is a terminal; the text
-- itself elsewhere, with TERM=dumb, and with NO_COLOR (no-color.org).
--
--     print(colour("good", "ok"))
return function(meaning, text)
    if on == nil then on = wanted() end
    return on and ("\27[%sm%s\27[0m"):format(codes[meaning], text) or text
end
