--- The boxes of a picture as lines of text: one for each node, with a line for each of its interfaces.
local picture = require "nsh.lab.picture"
local width = require "nsh.show.width"

local M = {}

-- The name, and what it is if that is no cable.
local function name_text(interface, depth)
    local words = picture.words(interface)
    table.insert(words, 1, interface.name)
    return (" "):rep(2 * depth) .. width.printable(table.concat(words, " "))
end

-- Walks through interfaces, ports below their masters: fn(interface, depth).
local function walk(tree, depth, fn)
    for _, branch in ipairs(tree) do
        fn(branch.interface, depth)
        walk(branch.ports, depth + 1, fn)
    end
end

--- The lines of a node's interfaces: a list of { text, address }, one for each address; and which line is
-- that of an interface, by its name. A switch's own line is there only if it tells something.
--
--     local lines, numbers = boxes.lines(node)
function M.lines(node)
    local lines, numbers = {}, {}
    local switch = picture.switch(node)
    local own = switch and switch.interface
    local is_hidden = own and not own.addresses[1] and own.up ~= false
    walk(is_hidden and switch.ports or picture.tree(node), 0, function(interface, depth)
        numbers[interface.name] = #lines + 1
        lines[#lines + 1] = { name_text(interface, depth), interface.addresses[1] or "" }
        for i = 2, #interface.addresses do lines[#lines + 1] = { "", interface.addresses[i] } end
    end)
    return lines, numbers
end

--- What stands above a node's interfaces.
function M.title(node)
    return width.printable(node.name) .. (node.kind == "switch" and " switch" or "")
end

-- The columns that names take where an address stands behind them.
local function name_columns(lines)
    local most = 0
    for _, line in ipairs(lines) do
        if line[2] ~= "" then most = math.max(most, width.columns(line[1])) end
    end
    return most
end

local function join(line, names)
    if line[2] == "" then return line[1] end
    return width.fill(line[1], names) .. "  " .. line[2]
end

--- A box: { title =, lines = texts, numbers = interface -> line, width = columns without the frame, height = lines
-- with it }. Line i stands i lines below the top of the frame.
function M.new(node)
    local lines, numbers = M.lines(node)
    local box = { node = node, title = M.title(node), lines = {}, numbers = numbers, height = #lines + 2 }
    local names = name_columns(lines)
    box.width = width.columns(box.title) + 3
    for i, line in ipairs(lines) do
        box.lines[i] = join(line, names)
        box.width = math.max(box.width, width.columns(box.lines[i]) + 2)
    end
    return box
end

return M
