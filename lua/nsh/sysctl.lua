--- Kernel parameters of a namespace.
local core = require "nsh.core"
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local trace = require "nsh.trace"

local M = {}

-- nil for what is no value of a parameter.
local function to_text(value)
    if type(value) == "boolean" then return value and "1" or "0" end
    if type(value) == "number" then value = math.tointeger(value) or value end
    return (type(value) == "number" or type(value) == "string") and tostring(value) or nil
end

local function write(ns, key, value)
    local text = to_text(value)
    if not text then
        errors.raise(errors.new("EINVAL", "a number, a string or a boolean expected, not a " .. type(value)),
            "set " .. key, ns.name)
    end
    dry.check("set " .. key, ns.name)
    local ok, err = core.sysctl.write(ns.handle, key, text)
    trace.change(err and err.message, "%ssysctl -qw %s",
        trace.inside(ns.label), trace.quote(key .. "=" .. text))
    if not ok then errors.raise(err, ("set %s to %s"):format(key, text), ns.name) end
end

--- Reads, or with a value writes, a kernel parameter of this namespace.
--
-- `key`: as for sysctl(8), "net.ipv4.ip_forward"; with '/' between the words where one has a dot:
-- "net/ipv4/conf/eth0.1/forwarding". `value`: a number, a string, or a boolean for 1 and 0.
-- Returns the value that is in force: an integer if it is one, else a string. Errors: ENOENT (no such
-- key in this namespace), EINVAL (a value that the kernel does not take), EACCES, EROFS.
--
--     host:sysctl("net.ipv4.ip_forward", 1)
--     print(host:sysctl "net.ipv4.ip_forward")        --> 1
function M.sysctl(ns, key, value)
    errors.check_self(ns, "name", "ns:sysctl \"net.ipv4.ip_forward\"")
    if type(key) ~= "string" then
        errors.raise(errors.new("EINVAL", 'a key such as "net.ipv4.ip_forward" expected'), "use sysctl", ns.name)
    end
    if value ~= nil then write(ns, key, value) end
    local text, err = core.sysctl.read(ns.handle, key)
    if not text then errors.raise(err, "read " .. key, ns.name) end
    return math.tointeger(text) or text
end

require("nsh.options").declare(M.sysctl, {})

return M
