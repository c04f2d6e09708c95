--- What a script has declared for a node: an object and its arguments, kept until `lab:up()`.
--
-- Fields: node; object ("link", "addr", "sysctl", …); args; where ("bridge.lua:7"); applied, the
-- arguments that are in force (args itself until it is changed), nil as long as it does not exist; removed.
local errors = require "nsh.errors"

local Declaration = { __name = "nsh.declaration" }
Declaration.__index = Declaration

--- Declares an object of `node`. `where` is the line that an error names.
--
--     Declaration.new(node, "route", { "default", via = "10.0.0.1" }, errors.where())
function Declaration.new(node, object, args, where)
    local self = setmetatable({ node = node, object = object, args = args, where = where }, Declaration)
    node.declarations[#node.declarations + 1] = self
    node.lab.dirty = true
    return self
end

--- What an error and a plan call it: "addr 10.0.0.1/24".
--
--     print(route:title())
function Declaration:title()
    local args = self.args
    local name = args[1] or args.dst or args.to or args.name or args.dev
    return name and ("%s %s"):format(self.object, tostring(name)) or self.object
end

local function copy(args)
    local result = {}
    for key, value in pairs(args) do result[key] = value end
    return result
end

--- Changes fields; `lab:up()` applies the difference. Returns the declaration.
--
--     route:set{ via = "10.0.0.254" }
function Declaration:set(fields)
    if self.removed then self:refuse("change", "it was removed") end
    if type(fields) ~= "table" then self:refuse("change", "a table of fields expected") end
    if self.args == self.applied then self.args = copy(self.args) end
    for key, value in pairs(fields) do self.args[key] = value end
    self.changed, self.node.lab.dirty = true, true
    return self
end

--- Takes it back; `lab:up()` deletes it.
--
--     route:remove(); lab:up()
function Declaration:remove()
    self.removed, self.node.lab.dirty = true, true
end

--- Raises an error about it: "lab.lua:7: cannot add link eth0 in app3: …".
--
--     route:refuse("add", "there is no such gateway", "ENOENT")
function Declaration:refuse(verb, message, code)
    local err = errors.new(code or "EINVAL", message)
    err.where = self.where
    errors.raise(err, verb .. " " .. self:title(), self.node.name)
end

return Declaration
