--- The nodes that a line at the prompt may name, and what it runs there.
--
-- A node is one of the labs of this nsh, the newest first; `host`; or a namespace that has a name.
local core = require "nsh.core"

local M = {}

-- --- which they are --------------------------------------------------------------------------------

local function labs()
    local lab = package.loaded["nsh.lab"]
    return lab and lab.all() or {}
end

--- The lab that is meant where none is named: the newest that is up, else the newest. nil if there is none.
--
--     nodes.lab():pingall()
function M.lab()
    local all = labs()
    for _, lab in ipairs(all) do
        if lab.nodes[1] and rawget(lab.nodes[1], "ns") then return lab end
    end
    return all[1]
end

local function node_of_lab(name)
    local declared
    for _, lab in ipairs(labs()) do
        local node = lab.by_name[name]
        if node and rawget(node, "ns") then return node end
        declared = declared or node
    end
    return declared
end

local function named_namespace(name)
    for _, there in ipairs(core.netns.list() or {}) do
        if there == name then return require("nsh").netns.open(name) end
    end
end

local function look_up(name)
    return node_of_lab(name) or (name == "host" and require("nsh").host) or named_namespace(name)
end

--- The node or namespace of that name; nil if there is none, or its name is all that is left of it.
--
--     nodes.find "h1"
function M.find(name)
    local ok, node = pcall(look_up, name)
    return ok and node or nil
end

local function namespace_of(node)
    return rawget(node, "lab") and node:live() or node
end

--- The names of all that can be named: "host", the nodes of the labs, the namespaces that have a name.
--
--     print(table.concat(nodes.names(), " "))
function M.names()
    local names, seen = { "host" }, { host = true }
    local function add(name)
        if not seen[name] then names[#names + 1], seen[name] = name, true end
    end
    for _, lab in ipairs(labs()) do
        for _, node in ipairs(lab.nodes) do add(node.name) end
    end
    for _, name in ipairs(core.netns.list() or {}) do add(name) end
    return names
end

--- As `find`, but raises ENOENT if there is none, with the nearest name.
--
--     nodes.get "h1"
function M.get(name)
    local node = look_up(name)
    if node then return node end
    local errors = require "nsh.errors"
    local near = require("nsh.suggest").nearest(name, M.names())
    errors.raise(errors.new("ENOENT", ("there is no node %s%s"):format(name,
        near and "; did you mean " .. near or "")))
end

-- --- addresses -------------------------------------------------------------------------------------

-- Those that others may reach.
local function addresses_of(ns, family)
    local list = {}
    for _, address in ipairs(ns.addr:list{ family = family }) do
        if address.scope == "global" then list[#list + 1] = address.local_ end
    end
    return list
end

-- How well a namespace reaches an address: on a link of its own, by a gateway, or not at all.
local function reach(ns, address)
    local ok, route = pcall(ns.route.get, ns.route, { address })
    if not ok or not route then return 0 end
    return (route.gateway or route.via) and 1 or 2
end

-- The families that a command may speak: "ping -6", "ping6".
local function families_of(words)
    for word in words:gmatch "%S+" do
        if word == "-6" or word:find "^%a+6$" then return { "inet6" } end
        if word == "-4" then return { "inet" } end
    end
    return { "inet", "inet6" }
end

-- The address of `target` that `ns` reaches best, else its first; nil if it has none.
local function address_for(ns, target, families)
    local best, most
    for _, family in ipairs(families) do
        for _, address in ipairs(addresses_of(target, family)) do
            local how = reach(ns, address)
            if how > (most or -1) then best, most = address, how end
        end
    end
    return best
end

-- "tcpdump host h2": there it is a word of the program's own.
local function is_qualifier(word, rest)
    return word == "host" and rest:find "^%s+[%w:]" ~= nil
end

-- A command in which each word that is a node's name is the node's address, as at Mininet's prompt.
local function with_addresses(ns, command)
    local families = families_of(command)
    return (command:gsub("(%S+)()", function(word, behind)
        local node = not is_qualifier(word, command:sub(behind)) and M.find(word)
        return node and address_for(ns, namespace_of(node), families) or word
    end))
end

-- --- running ---------------------------------------------------------------------------------------

-- What a shell says as well; that it was not well otherwise, the program says itself.
local function report(result)
    if result.signal and result.signal ~= "INT" and result.signal ~= "PIPE" then
        io.stderr:write("ended by SIG", result.signal, "\n")
    end
end

-- The node in a script that does it again.
local function expression_of(node)
    if node.name == "host" then return "nsh.host" end
    if rawequal(rawget(_G, node.name), node) then return node.name end
    return ("require %q.get %q"):format("nsh.repl.nodes", node.name)
end

-- Runs a command, which goes to the journal as what would be typed in Lua.
local function exec(node, command)
    local ns = namespace_of(node)
    local entry = require("nsh.repl.journal").add_call(("%s:exec %q"):format(expression_of(node), command))
    local result = ns:exec(command)
    entry.failed = result.signal == "INT" and "interrupted" or nil
    report(result)
end

--- Runs a command for the shell in a node, with the terminal; without a command, a shell.
--
--     nodes.run(nodes.get "h1", "ip -br addr | head")
function M.run(node, command)
    if command:find "%S" then exec(node, command) else report(namespace_of(node):shell()) end
end

--- The same at Mininet's prompt: "h1 ping -c1 h2" pings the address of h2.
--
--     nodes.run_there(nodes.get "h1", "ping -c1 h2")
function M.run_there(node, command)
    M.run(node, with_addresses(namespace_of(node), command))
end

return M
