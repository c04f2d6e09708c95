--- How matches are shown below the line: one a line with a word about each, or side by side.
local colour = require "nsh.colour"
local width_of = require "nsh.show.width"

local M = {}

local GAP = 2

local function widest(matches)
    local width = 0
    for _, match in ipairs(matches) do width = math.max(width, width_of.columns(match.text)) end
    return width
end

local function has_notes(matches)
    for _, match in ipairs(matches) do
        if match.note and match.note ~= "" then return true end
    end
    return false
end

local function with_notes(matches, columns)
    local lines, width = {}, math.min(widest(matches), columns // 2)
    for i, match in ipairs(matches) do
        local room = columns - width - GAP - 1 -- nothing stands in the last column: some terminals go on
        local note = match.note and match.note ~= "" and width_of.cut(match.note, room)
        local text = width_of.cut(match.text, note and width or columns - 1)
        lines[i] = note and width_of.fill(text, width + GAP) .. colour("faint", note) or text
    end
    return lines
end

-- In columns, each read from above to below.
local function side_by_side(matches, columns)
    local width = widest(matches) + GAP
    local across = math.max(1, (columns + GAP - 1) // width)
    local down = (#matches + across - 1) // across
    local lines = {}
    for row = 1, down do
        local cells = {}
        for i = row, #matches, down do cells[#cells + 1] = width_of.fill(matches[i].text, width) end
        lines[row] = table.concat(cells):gsub("%s+$", "")
    end
    return lines
end

--- The lines that show matches (of nsh.repl.complete) on a terminal of that size: no more than leave the line
-- that is typed in sight.
--
--     list.lines(matches, 80, 24)
function M.lines(matches, columns, rows)
    local most = math.max(3, rows - 3)
    local lines = has_notes(matches) and #matches <= most and with_notes(matches, columns) or
        side_by_side(matches, columns)
    if #lines <= most then return lines end
    local shown = has_notes(matches) and with_notes(matches, columns) or lines
    local across = (#matches + #shown - 1) // #shown
    shown = table.move(shown, 1, most - 1, 1, {})
    shown[most] = ("… and %d more"):format(#matches - (most - 1) * across)
    return shown
end

return M
