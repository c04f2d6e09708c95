--- The words of Mininet's prompt: `h1 ping -c1 h2`, and `nodes net links dump pingall`.
--
-- Lua goes first: these words are taken for what they are at Mininet's only where no Lua is meant.
local nodes = require "nsh.repl.nodes"
local read = require "nsh.repl.read"

local M = {}

local function the_lab()
    return nodes.lab() or error("there is no lab yet: nsh.lab \"name\" begins one", 0)
end

local function drawn()
    return require("nsh.lab.picture").of_lab(the_lab())
end

-- --- the words -------------------------------------------------------------------------------------

local function show_nodes()
    local names = {}
    for _, node in ipairs(the_lab().nodes) do names[#names + 1] = node.name end
    print("available nodes are: \n" .. table.concat(require("nsh.natural").sort(names), " "))
end

-- Calls fn(node, its interfaces as words), `word(node, interface)` being one, or nil.
local function each_node(picture, word, fn)
    for _, node in ipairs(picture.nodes) do
        local words = {}
        for _, interface in ipairs(node.interfaces) do words[#words + 1] = word(node, interface) end
        fn(node, words)
    end
end

local function show_net()
    local picture = drawn()
    local peers = require("nsh.lab.show").peers(picture)
    local function word(node, interface)
        local ends = peers[node.name .. "/" .. interface.name]
        return ends and interface.name .. ":" .. table.concat(ends, ",")
    end
    each_node(picture, word, function(node, words) print(table.concat({ node.name, table.unpack(words) }, " ")) end)
end

local function states_of(picture)
    local states = {}
    for _, node in ipairs(picture.nodes) do
        for _, interface in ipairs(node.interfaces) do
            states[node.name .. "/" .. interface.name] = interface.state == "UP" and "OK" or interface.state
        end
    end
    return states
end

local function show_links()
    local picture = drawn()
    local states = states_of(picture)
    for _, edge in ipairs(picture.edges) do
        local a, b = table.concat(edge.a, "/"), table.concat(edge.b, "/")
        if edge.kind == "veth" then
            print(("%s<->%s (%s %s)"):format(a, b, states[a] or "MISSING", states[b] or "MISSING"))
        end
    end
end

local function address_word(_, interface)
    local address = interface.addresses[1]
    return interface.name .. ":" .. (address and address:match "^[^/]*" or "None")
end

local function show_dump()
    each_node(drawn(), address_word, function(node, words)
        local kind = node.kind == "node" and "host" or node.kind
        print(("<%s %s: %s>"):format(kind:sub(1, 1):upper() .. kind:sub(2), node.name, table.concat(words, ",")))
    end)
end

local function pingall(timeout)
    return the_lab():pingall{ timeout = timeout ~= "" and (tonumber(timeout) or timeout) or nil }
end

local words = { nodes = show_nodes, net = show_net, links = show_links, dump = show_dump, pingall = pingall }

M.words = words -- for completion

-- --- which is meant --------------------------------------------------------------------------------

-- What the user has given that name is meant then.
local function is_own(name)
    return rawget(_G, name) ~= nil or require("nsh.repl.locals").get(name)
end

local function find_word(text)
    local word, argument = text:match "^%s*(%l+)%s*(%S*)%s*$"
    local is_theirs = words[word] and (argument == "" or word == "pingall") and not is_own(word)
    return is_theirs and function() return words[word](argument) end or nil
end

-- How Lua goes on behind a name, and no command begins: "~/x" and "../x" are paths, "(" and "[" the shell's.
local operators = { "^[=<>+*%%^#&|,:;)%]}]", "^~=", "^[-/~]%s", "^%.%.%s", "^and%s", "^or%s" }

local function goes_on(rest)
    for _, operator in ipairs(operators) do
        if rest:find(operator) then return true end
    end
end

local function find_command(text)
    local name, command = text:match "^%s*(%S+)%s+(%S.*)$"
    if not name or goes_on(command) or read.compile(text) then return nil end
    local node = nodes.find(name)
    return node and function() nodes.run_there(node, command) end
end

--- The function that does what a text says in Mininet's words; nil if it is Lua, or nothing that has a meaning.
--
--     mininet.find "h1 ping -c1 h2" ()
function M.find(text)
    return find_word(text) or find_command(text)
end

return M
