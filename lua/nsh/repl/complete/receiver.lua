--- Which of nsh's own things a value is, seen by its metatable: whose namespace is to be asked.
local core = require "nsh.core"
local namespace = require "nsh.namespace"
local object = require "nsh.object"

local M = {}

local Namespace = debug.getmetatable(namespace.current())

local classes = {} -- metatable -> name
for name in pairs(core.netlink.objects()) do classes[debug.getmetatable(object.new({}, name))] = name end

-- Labs are loaded only by who has one.
local function Node() return package.loaded["nsh.lab.node"] end

local function is_node_object(value)
    local node = type(value) == "table" and rawget(value, "node")
    local look = Node() and M.node(node) and Node().__look
    return look and debug.getmetatable(look(node, "link")) == debug.getmetatable(value)
end

--- The node that a value is, or belongs to; nil.
function M.node(value)
    if type(value) ~= "table" or not Node() then return nil end
    local meta = debug.getmetatable(value)
    if meta == Node() then return value end
    local owner = rawget(value, "node")
    return owner and debug.getmetatable(owner) == Node() and owner or nil
end

--- "link", "addr", … if a value is that object of a namespace or a node; nil.
function M.object(value)
    if type(value) ~= "table" then return nil end
    return classes[debug.getmetatable(value)] or is_node_object(value) and rawget(value, "name") or nil
end

local function namespace_of(value)
    if classes[debug.getmetatable(value)] then value = rawget(value, "ns") end
    return debug.getmetatable(value) == Namespace and value or nil
end

--- Where a value belongs: { ns = its namespace, unless there is none yet, node =, lab = }; each nil if it is none
-- of nsh's.
function M.of(value)
    if type(value) ~= "table" then return {} end
    local node = M.node(value)
    if node then return { ns = namespace_of(rawget(node, "ns") or nil), node = node, lab = rawget(node, "lab") } end
    local lab = package.loaded["nsh.lab"]
    if lab and debug.getmetatable(value) == lab.Lab then return { lab = value } end
    return { ns = namespace_of(value) }
end

return M
