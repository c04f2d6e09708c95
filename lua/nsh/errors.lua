--- Errors as objects: what the kernel or nsh refused, where, and why.
--
-- Primitives below `nsh.core` return nil and an error object { code, errno, message, key, hint };
-- `errors.check` and `errors.raise` add what only the caller knows and raise it.
--
--     local ok, e = pcall(function() host.link:add{ "br0", type = "bridge" } end)
--     if not ok and e.code == "EEXIST" then … end
--
-- Fields: code ("EEXIST"), errno (17), message (the kernel's words), op ("add link br0"),
-- netns ("host"), where ("bridge.lua:7"), key and hint where they are known.
local M = {}

local Error = { __name = "nsh.error" }
M.Error = Error

-- nsh's own files: "=[nsh.…]" when they are built in, else the folder this one was loaded from.
local own = debug.getinfo(1, "S").source:match "^(=%[nsh)" or
    debug.getinfo(1, "S").source:match "^(.*)errors%.lua$"

local function is_own(info)
    return info.what == "C" or info.source:sub(1, #own) == own
end

--- The place in the user's code that led here: "bridge.lua:7", or nil if there is none.
function M.where()
    local level = 2
    while true do
        local info = debug.getinfo(level, "Sl")
        if not info then return nil end
        if not is_own(info) then
            return ("%s:%d"):format(info.short_src, info.currentline)
        end
        level = level + 1
    end
end

function Error:__tostring()
    local text = { self.where and self.where .. ": " or "" }
    if self.op then
        text[#text + 1] = "cannot " .. self.op
        text[#text + 1] = self.netns and " in " .. self.netns or ""
        text[#text + 1] = ": "
    end
    text[#text + 1] = self.message:gsub("%c", function(c) return ("\\x%02X"):format(c:byte()) end)
    text[#text + 1] = self.code and " (" .. self.code .. ")" or ""
    text[#text + 1] = self.hint and "\n  hint: " .. self.hint or ""
    return table.concat(text)
end

--- The word of a caller, cut if it is very long: at most 60 columns, the last of which is "…".
--
--     errors.short(name)
function M.short(word)
    return #word <= 60 and word or require("nsh.show.width").cut(word, 60)
end

--- Raises `err` (an error object of a primitive). `op`: what was tried, as in "cannot OP": "add link
-- br0"; `netns`: the name of the namespace, if one matters. Does not return.
function M.raise(err, op, netns)
    err.op, err.netns, err.where = err.op or op, err.netns or netns, err.where or M.where()
    err.op = err.op and err.op:gsub("%S+", M.short)
    error(setmetatable(err, Error), 0)
end

--- Returns `value, ...` if `value` is neither nil nor false, else raises the error object behind it.
--
--     local fd = errors.check(core.netns.add(name))
function M.check(value, err, ...)
    if value then return value, err, ... end
    M.raise(err)
end

--- Raises EINVAL unless `self` has the field `field`: somebody wrote a dot where a colon belongs.
--
--     errors.check_self(object, "ns", "host.link:set{…}")
function M.check_self(self, field, example)
    if type(self) == "table" and self[field] then return end
    M.raise(M.new("EINVAL", ("a colon is missing before the name of the method: %s"):format(example)))
end

--- An error object of nsh's own: `M.raise(M.new("EINVAL", "…"), "ping")`.
function M.new(code, message, hint)
    return setmetatable({ code = code, message = message, hint = hint }, Error)
end

return M
