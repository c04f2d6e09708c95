--- What the words of a lesson are given, and how they are written: a claim about nothing would always hold.
local errors = require "nsh.errors"

local M = {}

--- Raises EINVAL unless `holds`: what is wrong, and an example of what is right.
--
--     given.check(type(code) == "string", "say which error", 'nsh.expect(fn):fails "EADDRINUSE"')
function M.check(holds, wrong, example)
    if not holds then errors.raise(errors.new("EINVAL", ("%s: %s"):format(wrong, example))) end
end

--- Raises EINVAL unless `value` is a text that is not empty.
--
--     given.text(title, "a step has a title", 'nsh.step "A bridge joins them"')
function M.text(value, wrong, example) M.check(type(value) == "string" and value ~= "", wrong, example) end

return M
