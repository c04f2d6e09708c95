--- A run that changes nothing (`nsh -n`): the first lab that goes up is printed as commands instead.
local errors = require "nsh.errors"

local M = { on = false }

--- Switches it on, for the rest of the program.
function M.run() M.on = true end

--- Raises an error if nothing may be changed; `op` and `netns` as for errors.raise.
function M.check(op, netns)
    if not M.on then return end
    errors.raise(errors.new("EPERM", "nsh -n changes nothing; only what a lab declares can be planned"), op, netns)
end

return M
