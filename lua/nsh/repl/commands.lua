--- What can be typed at the prompt that is not Lua: `.quit` and the like.
local M = {}

-- --- words with a dot ------------------------------------------------------------------------------

local function on_host(command)
    local nodes = require "nsh.repl.nodes"
    nodes.run(nodes.get "host", command)
end

local function on_node(name, command)
    local nodes = require "nsh.repl.nodes"
    nodes.run(nodes.get(name), command)
end

local function open_shell(name)
    if name == "" then name = "host" end
    on_node(name, "")
end

-- What else the prompt takes, for `.help`.
local others = {
    { "x?  x??", "help on x, as help(x) is; its source" },
    { "! command", "runs it on the host, by the shell; alone: a shell" },
    { "@node command", "runs it in a node" },
    { "node command", "the same, nodes' names being their addresses: h1 ping -c1 h2" },
    { "nodes  net  links  dump  pingall", "what they are at Mininet's prompt" },
}

local function print_help()
    local lines = {}
    for _, row in ipairs(M.rows) do lines[#lines + 1] = { "." .. row[1] .. " " .. row[2], row[3] } end
    table.move(others, 1, #others, #lines + 1, lines)
    for _, line in ipairs(lines) do print(("%-34s%s"):format(line[1], line[2])) end
    print "All else is Lua; the value of an expression is shown, and is _ from then on. Ctrl-D leaves."
end

-- Rows of a word: its arguments and what it does, for `.help`, and the function that does it, which gets what
-- stands behind the word, and whose results are shown.
M.rows = {
    { "help", "", "this list", print_help },
    { "jobs", "", "what runs in the background", function() return require "nsh.repl.jobs".list() end },
    { "quit", "", "leave; labs are undone, as with Ctrl-D", function() M.leaving = true end },
    { "sh", "[node]", "a shell in a node, or on the host", open_shell },
    { "watch", "[seconds] expression", "its value again and again, until Ctrl-C",
        function(text) require "nsh.repl.watch".run(text) end },
    { "time", "[expr]", "how long it takes; alone: tell it of all, or only above half a second", function(text)
        require("nsh.repl.evaluate").time(text)
    end },
    { "mode", "table|json|lua", "how values are printed", function(name)
        if name == "" then print(require("nsh.show").mode()) else require("nsh.show").mode(name) end
    end },
    { "save", "file", "what was done, as a script that does it again", function(file)
        print(require("nsh.repl.save").save(file))
    end },
}

local function row_of(word)
    for _, row in ipairs(M.rows) do
        if row[1] == word then return row end
    end
end

local function refuse(word)
    local names = {}
    for i, row in ipairs(M.rows) do names[i] = row[1] end
    local near = require("nsh.suggest").nearest(word, names)
    error(("there is no command .%s; %s"):format(word, near and "did you mean ." .. near or ".help lists them"), 0)
end

local function dot(word, arguments)
    local row = row_of(word) or refuse(word)
    return row[4](arguments)
end

-- --- forms -----------------------------------------------------------------------------------------

-- How a command looks, and what runs it, with the captures.
M.forms = {
    { "^%s*%.(%a+)%s*(.-)%s*$", dot },
    { "^%s*!(.*)$", on_host },
    { "^%s*@(%S+)%s*(.*)$", on_node },
    { "^%s*([%w_%.:%[%]\"' ]-)%s*(%?%??)%s*$", function(...) require("nsh.repl.question").ask(...) end },
}

--- The function that does what a text says that is a command; nil if it is none, and so is Lua.
--
--     commands.find ".quit" ()
function M.find(text)
    for _, form in ipairs(M.forms) do
        local found = table.pack(text:match(form[1]))
        if found[1] then
            return function() return form[2](table.unpack(found, 1, found.n)) end
        end
    end
end

return M
