--- What may be expected of a function: `expect(function() … end):fails("EADDRINUSE", "a second server")`.
local claim = require "nsh.lesson.claim"
local given = require "nsh.lesson.given"

local M = {}

--- `expect(fn):succeeds(text)`: fn() raises no error. `text` says what it is.
--
--     nsh.expect(function() vns1.link:get "lo" end):succeeds "vns1 is still there"
function M.succeeds(fn, text)
    claim.check(text or "the call succeeds", function()
        local ok, err = pcall(fn)
        return ok, not ok and tostring(err) or nil
    end)
end

--- `expect(fn):fails(code, text)`: fn() raises an error object with that code. `text` says what is claimed.
--
--     nsh.expect(function() ns:listen{ port = 80 } end):fails("EADDRINUSE", "port 80 is taken")
function M.fails(fn, code, text)
    given.text(code, "say with which error", 'nsh.expect(fn):fails("EADDRINUSE", "port 80 is taken")')
    claim.check(text or "the call fails", function()
        local ok, err = pcall(fn)
        if ok then return false, "it succeeds" end
        local found = type(err) == "table" and err.code
        return found == code, found == code and ("%s (%s)"):format(err.message, code) or tostring(err)
    end)
end

return M
