--- A shell inside a namespace, for people: `ns:shell()`.
local core = require "nsh.core"
local errors = require "nsh.errors"

local M = {}

--- Runs the user's shell ($SHELL, else bash or sh) inside the namespace, with the terminal, to its end; as `nsh enter`
-- does, its prompt names the namespace. Returns { status = 0 }, or signal = "KILL" instead of a status.
--
--     app1:shell()
function M.shell(ns)
    if type(ns) ~= "table" then errors.check_self(ns, "name", "ns:shell()") end
    local words, env = core.process.shell(ns.name)
    words.env = env
    return require("nsh.process").exec(ns, words)
end

return M
