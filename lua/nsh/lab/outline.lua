--- A picture as an outline, for networks that are too large for boxes: each node with its interfaces below it,
-- and behind them what they are connected with.
local boxes = require "nsh.lab.boxes"
local show = require "nsh.lab.show"
local width = require "nsh.show.width"

local M = {}

-- { name, address, other end } for each line of a node.
local function rows_of(node, others)
    local lines, numbers = boxes.lines(node)
    for name, i in pairs(numbers) do
        local ends = others[node.name .. "/" .. name]
        lines[i][3] = ends and width.printable(table.concat(ends, ", "))
    end
    return lines
end

local function fill(out, rows, columns, arrow)
    for _, row in ipairs(rows) do
        local text = "  " .. width.fill(row[1], columns[1])
        if row[2] ~= "" or row[3] then text = text .. "  " .. width.fill(row[2], columns[2]) end
        if row[3] then text = text .. "  " .. arrow .. " " .. row[3] end
        out[#out + 1] = text
    end
end

--- The text, no line of it longer than `columns`.
function M.text(picture, columns, style)
    local others, all, out, widths = show.peers(picture), {}, {}, { 0, 0 }
    for i, node in ipairs(picture.nodes) do
        all[i] = rows_of(node, others)
        for _, row in ipairs(all[i]) do
            for k = 1, 2 do widths[k] = math.max(widths[k], width.columns(row[k])) end
        end
    end
    for i, node in ipairs(picture.nodes) do
        out[#out + 1] = boxes.title(node)
        fill(out, all[i], widths, style.arrow)
    end
    for i, line in ipairs(out) do out[i] = width.cut(line:gsub(" +$", ""), columns) end
    return table.concat(out, "\n")
end

return M
