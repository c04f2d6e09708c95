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

--- Returns fn(), which runs programs that only look.
function M.looking(fn)
    local on <const> = M.on
    M.on = false
    local results = table.pack(pcall(fn))
    M.on = on
    if not results[1] then error(results[2], 0) end
    return table.unpack(results, 2, results.n)
end

return M
