--- Cables in the gap between two columns of boxes, in characters.
--
-- A cable has rows on the left side and rows on the right side of the gap, which it joins: { left = { 3 },
-- right = { 7 } } runs across, { left = { 3, 9 }, right = {} } joins two boxes of the left column. Each that is
-- not straight has a track: it goes up or down there. Columns of a gap are counted from 1.
local M = {}

local LEFT, RIGHT, UP, DOWN = 1, 2, 4, 8

-- --- tracks --------------------------------------------------------------------------------------

local function span(cable)
    local low, high = math.huge, -math.huge
    for _, rows in ipairs { cable.left, cable.right } do
        for _, row in ipairs(rows) do low, high = math.min(low, row), math.max(high, row) end
    end
    return low, high
end

local function is_straight(cable) return cable.low == cable.high end

-- What goes first has its track farther to the left: short loops; of what goes down the lower one, of what
-- goes up the upper one. So cables that need not cross do not.
local function rank(cable)
    if #cable.right == 0 then return 1, cable.high - cable.low end
    local goes_down = cable.right[1] > cable.left[1]
    return 2, goes_down and -cable.left[1] or cable.left[1]
end

local function by_rank(cables)
    local list = {}
    for i, cable in ipairs(cables) do
        if not is_straight(cable) then
            local class, key = rank(cable)
            list[#list + 1] = { cable = cable, class = class, key = key, number = i }
        end
    end
    table.sort(list, function(a, b)
        if a.class ~= b.class then return a.class < b.class end
        if a.key ~= b.key then return a.key < b.key end
        return a.number < b.number
    end)
    return list
end

-- Row -> list of the cables that start there, on the left.
local function by_left_row(cables)
    local rows = {}
    for _, cable in ipairs(cables) do
        for _, row in ipairs(cable.left) do
            rows[row] = rows[row] or {}
            table.insert(rows[row], cable)
        end
    end
    return rows
end

local function is_free(taken, track, cable)
    for _, other in ipairs(taken[track] or {}) do
        if cable.low <= other.high and other.low <= cable.high then return false end
    end
    return true
end

-- Gives a cable its track: right of those that come in on the left where it goes out on the right. False if
-- that goes round in a circle.
local function give_track(cable, starts, taken)
    if cable.track or is_straight(cable) then return true end
    if cable.visited then return false end
    cable.visited = true
    local track = 1
    for _, row in ipairs(cable.right) do
        for _, other in ipairs(starts[row] or {}) do
            if other ~= cable and not give_track(other, starts, taken) then return false end
            if other ~= cable then track = math.max(track, (other.track or 0) + 1) end
        end
    end
    while not is_free(taken, track, cable) do track = track + 1 end
    cable.track = track
    taken[track] = taken[track] or {}
    table.insert(taken[track], cable)
    return true
end

--- Gives each cable its `track`, and returns how many tracks there are; nil if they cannot be drawn without two
-- of them on each other.
function M.route(cables)
    local taken = {}
    for _, cable in ipairs(cables) do cable.low, cable.high = span(cable) end
    local starts = by_left_row(cables)
    for _, one in ipairs(by_rank(cables)) do
        if not give_track(one.cable, starts, taken) then return nil end
    end
    return #taken
end

-- --- drawing -------------------------------------------------------------------------------------

-- Each style: what stands for lines in these directions.
M.styles = {
    unicode = {
        [LEFT + RIGHT] = "─", [UP + DOWN] = "│", [LEFT + DOWN] = "╮", [LEFT + UP] = "╯", [RIGHT + DOWN] = "╭",
        [RIGHT + UP] = "╰", [LEFT + RIGHT + DOWN] = "┬", [LEFT + RIGHT + UP] = "┴", [RIGHT + UP + DOWN] = "├",
        [LEFT + UP + DOWN] = "┤", [LEFT + RIGHT + UP + DOWN] = "┼",
        dashed = { [LEFT + RIGHT] = "╌", [UP + DOWN] = "╎" },
    },
    ascii = {
        [LEFT + RIGHT] = "-", [UP + DOWN] = "|", dashed = { [LEFT + RIGHT] = ".", [UP + DOWN] = ":" },
    },
}

local function add(cells, row, column, lines, cable)
    cells[row] = cells[row] or {}
    local cell = cells[row][column] or { lines = 0, dashed = true }
    cells[row][column] = cell
    cell.lines = cell.lines | lines
    cell.dashed = cell.dashed and cable.dashed
end

local function add_row(cells, row, from, to, cable)
    for column = from, to do add(cells, row, column, LEFT + RIGHT, cable) end
end

local function draw(cells, cable, columns)
    local at = cable.track and 2 * cable.track
    if not at then return add_row(cells, cable.low, 1, columns, cable) end
    for row = cable.low, cable.high do
        local lines = (row > cable.low and UP or 0) + (row < cable.high and DOWN or 0)
        add(cells, row, at, lines, cable)
    end
    for _, row in ipairs(cable.left) do
        add_row(cells, row, 1, at - 1, cable)
        add(cells, row, at, LEFT, cable)
    end
    for _, row in ipairs(cable.right) do
        add(cells, row, at, RIGHT, cable)
        add_row(cells, row, at + 1, columns, cable)
    end
end

local function glyph(cell, style)
    if not cell then return " " end
    return cell.dashed and style.dashed[cell.lines] or style[cell.lines] or "+"
end

--- Draws routed cables into a gap that is `columns` wide: a function of a row, which returns its text.
function M.draw(cables, columns, style)
    local cells = {}
    for _, cable in ipairs(cables) do draw(cells, cable, columns) end
    return function(row)
        local texts = {}
        for column = 1, columns do texts[column] = glyph(cells[row] and cells[row][column], style) end
        return table.concat(texts)
    end
end

return M
