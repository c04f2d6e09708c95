--- A picture for the terminal: nodes as boxes in columns, cables between them.
local boxes = require "nsh.lab.boxes"
local cables = require "nsh.lab.cables"
local layout = require "nsh.lab.layout"
local outline = require "nsh.lab.outline"
local width = require "nsh.show.width"

local M = {}

local MOST_NODES = 16 -- for boxes: more of them are easier to read as an outline
local SWEEPS = 4

local frames = {
    unicode = { "┌", "┐", "└", "┘", h = "─", v = "│", w = "┤", e = "├", cut = "…", arrow = "──" },
    ascii = { "+", "+", "+", "+", h = "-", v = "|", w = "+", e = "+", cut = ".", arrow = "--" },
}

-- --- which column --------------------------------------------------------------------------------

-- Columns as numbers from 1, without gaps, the first node rather left than right; nil if an edge would run past a
-- column.
local function compact(columns, picture)
    local used, place = {}, {}
    for _, node in ipairs(picture.nodes) do place[columns[node.name]] = true end
    for column in pairs(place) do used[#used + 1] = column end
    table.sort(used)
    for i, column in ipairs(used) do place[column] = i end
    if 2 * place[columns[picture.nodes[1].name]] > #used + 1 then
        for i, column in ipairs(used) do place[column] = #used + 1 - i end
    end
    local result = {}
    for name, column in pairs(columns) do result[name] = place[column] end
    for _, edge in ipairs(picture.edges) do
        if math.abs(result[edge.a[1]] - result[edge.b[1]]) > 1 then return nil end
    end
    return result
end

local function all_in_one(picture)
    local columns = {}
    for _, node in ipairs(picture.nodes) do columns[node.name] = 1 end
    return columns
end

-- The ways to arrange nodes, the best one first: each returns node -> column.
local arrangements = {
    function(picture) return compact(layout.columns(picture), picture) end,
    function(picture) return compact(layout.two_columns(picture), picture) end,
    all_in_one,
}

-- --- which row -----------------------------------------------------------------------------------

-- What stands where: `columns`, a list of lists of boxes; `cables`, a list of { a, b }, each { box, name }.
local function arrange(picture, column_of)
    local plan, by_name = { columns = {}, cables = {} }, {}
    for i, node in ipairs(picture.nodes) do
        local box, column = boxes.new(node), column_of[node.name]
        box.column, box.number = column, i
        plan.columns[column] = plan.columns[column] or {}
        table.insert(plan.columns[column], box)
        by_name[node.name] = box
    end
    for i, edge in ipairs(picture.edges) do
        local a, b = { by_name[edge.a[1]], edge.a[2] }, { by_name[edge.b[1]], edge.b[2] }
        if a[1].column > b[1].column then a, b = b, a end
        plan.cables[i] = { a = a, b = b, dashed = edge.kind ~= "veth" }
    end
    return plan
end

-- The row of a cable's end; where a switch's own line is not shown, that of its name.
local function row_of(cable_end)
    return cable_end[1].row + (cable_end[1].numbers[cable_end[2]] or 0)
end

local function stack(column)
    local row = 1
    for _, box in ipairs(column) do
        box.row = row
        row = row + box.height
    end
end

-- Calls fn(box, own end, other end) for both ends of the cables between this column and others.
local function each_end(plan, fn)
    for _, cable in ipairs(plan.cables) do
        if cable.a[1].column ~= cable.b[1].column then
            fn(cable.a[1], cable.a, cable.b)
            fn(cable.b[1], cable.b, cable.a)
        end
    end
end

-- Sorts the boxes of a column by the rows that their cables lead to.
local function sort_column(plan, column)
    local sums, counts = {}, {}
    each_end(plan, function(box, _, far)
        sums[box], counts[box] = (sums[box] or 0) + row_of(far), (counts[box] or 0) + 1
    end)
    local function key(box) return counts[box] and sums[box] / counts[box] or box.row end
    local keys = {}
    for _, box in ipairs(column) do keys[box] = key(box) end
    table.sort(column, function(a, b)
        if keys[a] ~= keys[b] then return keys[a] < keys[b] end
        return a.number < b.number
    end)
    stack(column)
end

-- Moves a column as a whole, so that cables to the column before it are short, and many of them straight.
local function align(plan, i)
    local steps = {}
    for _, cable in ipairs(plan.cables) do
        if cable.a[1].column == i - 1 and cable.b[1].column == i then
            steps[#steps + 1] = row_of(cable.a) - row_of(cable.b)
        end
    end
    table.sort(steps)
    local step = steps[(#steps + 1) // 2] or 0
    for _, box in ipairs(plan.columns[i]) do box.row = box.row + step end
end

local function set_rows(plan)
    local columns, top = plan.columns, math.huge
    for _, column in ipairs(columns) do stack(column) end
    for sweep = 1, #columns > 1 and SWEEPS or 0 do
        for i = 1, #columns do sort_column(plan, columns[sweep % 2 == 1 and i or #columns + 1 - i]) end
    end
    for i = 2, #columns do align(plan, i) end
    for _, column in ipairs(columns) do top = math.min(top, column[1].row) end
    for _, column in ipairs(columns) do
        for _, box in ipairs(column) do box.row = box.row - top + 1 end
    end
end

-- --- cables --------------------------------------------------------------------------------------

-- The gap right of each column: a list of cables as nsh.lab.cables has them. The last one is for cables within
-- the last column.
local function set_gaps(plan)
    plan.gaps = {}
    for i = 1, #plan.columns do plan.gaps[i] = {} end
    for _, cable in ipairs(plan.cables) do
        local a, b = row_of(cable.a), row_of(cable.b)
        local is_loop = cable.a[1].column == cable.b[1].column
        table.insert(plan.gaps[cable.a[1].column], {
            left = is_loop and { a, b } or { a }, right = is_loop and {} or { b }, dashed = cable.dashed,
        })
    end
end

-- Routes them; false if that cannot be done, or takes more than `columns`.
local function route(plan, columns)
    local sum = 0
    for i, column in ipairs(plan.columns) do
        local tracks = cables.route(plan.gaps[i])
        if not tracks then return false end
        local is_last = i == #plan.columns
        plan.gaps[i].width = is_last and 2 * tracks or math.max(2 * tracks + 1, 4)
        column.width = 0
        for _, box in ipairs(column) do column.width = math.max(column.width, box.width) end
        sum = sum + column.width + 2 + plan.gaps[i].width
    end
    return sum <= columns
end

-- --- drawing -------------------------------------------------------------------------------------

-- Rows at which cables leave a column's boxes to the left and to the right.
local function find_ports(plan, i)
    local left, right = {}, {}
    for _, cable in ipairs(plan.gaps[i - 1] or {}) do
        for _, row in ipairs(cable.right) do left[row] = true end
    end
    for _, cable in ipairs(plan.gaps[i]) do
        for _, row in ipairs(cable.left) do right[row] = true end
    end
    return left, right
end

local function box_line(box, line, columns, frame)
    if line == 0 then
        local rest = columns - width.columns(box.title) - 3
        return frame[1] .. frame.h .. " " .. box.title .. " " .. frame.h:rep(rest) .. frame[2]
    elseif line == box.height - 1 then
        return frame[3] .. frame.h:rep(columns) .. frame[4]
    end
    return nil, " " .. width.fill(box.lines[line], columns - 1)
end

-- Row -> text of a column; what is missing is blank.
local function draw_column(plan, i, frame)
    local left, right = find_ports(plan, i)
    local rows, columns = {}, plan.columns[i].width
    for _, box in ipairs(plan.columns[i]) do
        for line = 0, box.height - 1 do
            local row = box.row + line
            local border, text = box_line(box, line, columns, frame)
            rows[row] = border or (left[row] and frame.w or frame.v) .. text .. (right[row] and frame.e or frame.v)
        end
    end
    return rows
end

local function height_of(plan)
    local height = 0
    for _, column in ipairs(plan.columns) do
        local last = column[#column]
        height = math.max(height, last.row + last.height - 1)
    end
    return height
end

local function draw(plan, frame, style)
    local drawn, gaps, lines = {}, {}, {}
    for i in ipairs(plan.columns) do
        drawn[i] = draw_column(plan, i, frame)
        gaps[i] = cables.draw(plan.gaps[i], plan.gaps[i].width, style)
    end
    for row = 1, height_of(plan) do
        local texts = {}
        for i, column in ipairs(plan.columns) do
            texts[#texts + 1] = drawn[i][row] or (" "):rep(column.width + 2)
            texts[#texts + 1] = gaps[i](row)
        end
        lines[row] = table.concat(texts):gsub(" +$", "")
    end
    return table.concat(lines, "\n")
end

local function find_plan(picture, columns)
    for _, arrangement in ipairs(arrangements) do
        local column_of = arrangement(picture)
        local plan = column_of and arrange(picture, column_of)
        if plan then
            set_rows(plan)
            set_gaps(plan)
            if route(plan, columns) then return plan end
        end
    end
end

--- The text of a picture (nsh.lab.picture), without a newline at its end. `columns`: how wide it may be;
-- `ascii`: without characters that draw boxes. A large network becomes an outline.
--
--     print(text.text(picture.of { ns1, host }, 80))
function M.text(picture, columns, ascii)
    local set = ascii and "ascii" or "unicode"
    local plan = #picture.nodes <= MOST_NODES and picture.nodes[1] and find_plan(picture, columns)
    if not plan then return outline.text(picture, columns, frames[set]) end
    return draw(plan, frames[set], cables.styles[set])
end

return M
