--- Completion of what is not Lua at the prompt: commands with a dot, and lines for a shell.
local M = {}

-- The names of the nodes that a line can name, each { word =, text =, note = }; `tail` follows a single one.
local function nodes(prefix, tail)
    local list = {}
    for _, name in ipairs(require "nsh.repl.nodes".names()) do
        if name:sub(1, #prefix) == prefix then list[#list + 1] = { word = name, text = name, note = "node" } end
    end
    if #list == 1 then list[1].word = list[1].word .. tail end
    return list
end

-- Those of `rows`, { word, note } each, that begin so.
local function words(rows, prefix, tail)
    local list = {}
    for _, row in ipairs(rows) do
        if row[1]:sub(1, #prefix) == prefix then list[#list + 1] = { word = row[1], text = row[1], note = row[2] } end
    end
    table.sort(list, function(a, b) return a.text < b.text end)
    if #list == 1 then list[1].word = list[1].word .. tail end
    return list
end

-- --- commands with a dot ---------------------------------------------------------------------------

local function commands() return require "nsh.repl.commands".rows end

local function command_names(_, start, prefix)
    local rows = {}
    for i, row in ipairs(commands()) do rows[i] = { row[1], row[3] } end
    return words(rows, prefix, " "), start
end

-- By what a row calls its argument; what is an expression is Lua's.
local function command_argument(text, word, start, prefix)
    local is = ""
    for _, row in ipairs(commands()) do is = row[1] == word and row[2] or is end
    if is:find "expr" then
        local begin = text:match("^%s*%.%a+%s+[%d.]+%s+()") or start
        return nil, begin
    elseif is:find "node" then return nodes(prefix, ""), start
    elseif is:find "file" then return { files = true, tail = "" }, start
    end
    local rows = {}
    for one in is:gmatch "[^|]+" do rows[#rows + 1] = { one } end
    return words(rows, prefix, ""), start
end

-- --- lines for a shell -----------------------------------------------------------------------------

local function files(_, start) return { files = true, tail = " " }, start end
local function node_names(_, start, prefix) return nodes(prefix, " "), start end

-- `h1 ping h2`: the first word is a node, the second no operator of Lua's.
local function mininet_line(_, name, second, start, prefix)
    local keywords = require "nsh.repl.complete.lex".KEYWORDS
    if keywords[name] or keywords[second] then return nil end
    for _, node in ipairs(require "nsh.repl.nodes".names()) do
        if node == name then
            local found = nodes(prefix, " ")
            found.files, found.tail = true, " "
            return found, start
        end
    end
end

-- How a line looks, and who completes it, with the text and the captures.
local forms = {
    { "^%s*%.()(%a*)$", command_names },
    { "^%s*%.(%a+)%s+()(.*)$", command_argument },
    { "^%s*!.-()(%S*)$", files },
    { "^%s*@()(%S*)$", node_names },
    { "^%s*@%S+%s.-()(%S*)$", files },
    { "^%s*([%a_][%w_-]*)%s+([%a/~][%w_.-]*)%s.-()(%S*)$", mininet_line },
}

--- The words that a line of Mininet's can begin with, as matches: where no Lua is meant, they are no names of it.
function M.beginnings(prefix)
    local rows = {}
    for word in pairs(require "nsh.repl.mininet".words) do rows[#rows + 1] = { word, "as at Mininet's prompt" } end
    for _, name in ipairs(require "nsh.repl.nodes".names()) do rows[#rows + 1] = { name, "node" } end
    return words(rows, prefix, " ")
end

--- The matches for a line that is no Lua, as of nsh.repl.complete, and where their word begins; for one that is nil,
-- and where the Lua begins, if that is not the first byte.
--
--     line.complete ".mo"   --> { { word = "mode ", … } }, 2
function M.complete(text)
    for _, form in ipairs(forms) do
        local found = table.pack(text:match(form[1]))
        if found[1] then return form[2](text, table.unpack(found, 1, found.n)) end
    end
end

return M
