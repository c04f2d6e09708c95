--- What may be expected of a value: `expect(#lab.nodes):is(3, "nodes of the lab")`.
local claim = require "nsh.lesson.claim"

local M = {}

local function text_of(value) return require("nsh.show").format(value) end

--- `expect(value):is(other, text)`: it is equal to `other`. `text` says what value it is.
--
--     nsh.expect(host:sysctl "net.ipv4.ip_forward"):is(0, "the host's ip_forward")
function M.is(value, other, text)
    claim.check(("%s is %s"):format(text or "the value", text_of(other)), function()
        return value == other, value ~= other and "it is " .. text_of(value) or nil
    end)
end

--- `expect(value):is_not(other, text)`: it is not equal to `other`.
--
--     nsh.expect(mac):is_not("00:00:00:00:00:00", "the MAC of veth0")
function M.is_not(value, other, text)
    claim.check(("%s is not %s"):format(text or "the value", text_of(other)), function() return value ~= other end)
end

return M
