--- The result of a pingall as text: who reached whom, and how long it took.
local width = require "nsh.show.width"

local M = {}

local LINE = 76 -- columns: what is wider is shown in a shorter form
local ROWS, NAMED = 20, 10 -- at most so many lines of a summary, so many failures one by one
local SIDE = 30 -- columns for the names on the left of a line of the summary

-- --- texts ---------------------------------------------------------------------------------------

local function right(text, columns)
    return (" "):rep(columns - width.columns(text)) .. text
end

-- As many of the texts as fit into so many columns; if not all do, with the count behind them.
local function some(texts, columns)
    local line = table.concat(texts, " ")
    if width.columns(line) <= columns then return line end
    local count = ("… (%d)"):format(#texts)
    line = ""
    for _, text in ipairs(texts) do
        if width.columns(line .. text .. " " .. count) > columns then break end
        line = line .. text .. " "
    end
    return line .. count
end

-- Lines of cells as lines of text, the first column to the left; nil if they are too wide.
local function align(lines, gap)
    local columns, total = {}, -#gap
    for j in ipairs(lines[1]) do
        columns[j] = 0
        for _, line in ipairs(lines) do columns[j] = math.max(columns[j], width.columns(line[j])) end
        total = total + columns[j] + #gap
    end
    if total > LINE then return nil end
    for i, line in ipairs(lines) do
        for j, text in ipairs(line) do
            line[j] = j == 1 and width.fill(text, columns[j]) or right(text, columns[j])
        end
        lines[i] = table.concat(line, gap):gsub(" +$", "")
    end
    return lines
end

-- --- failures ------------------------------------------------------------------------------------

--- One failure: "a -> b 10.0.0.2: timeout (no reply within 1 s)".
function M.format_failure(failure)
    return ("%s -> %s %s: %s (%s)"):format(width.printable(failure.from), width.printable(failure.to),
        failure.address, failure.reason, failure.message)
end

-- lost[from][to]: "4", "6" or "46", which families failed; where there is one only, it goes without
-- saying.
local function lost_families(result)
    local lost, digit = {}, { inet = "4", inet6 = "6" }
    for _, failure in ipairs(result.failures) do
        local row = lost[failure.from] or {}
        lost[failure.from] = row
        local before = row[failure.to] or ""
        local mine = #result.families > 1 and digit[failure.family] or ""
        row[failure.to] = before:find(mine, 1, true) and before or before .. mine
    end
    return lost
end

local function one_by_one(failures)
    local lines = {}
    for i, failure in ipairs(failures) do lines[i] = M.format_failure(failure) end
    return lines
end

-- One line for each reason, the most frequent first: how often, and one of them.
local function by_reason(failures)
    local groups, known = {}, {}
    for i, failure in ipairs(failures) do
        local group = known[failure.reason] or { count = 0, order = i, example = failure }
        if group.count == 0 then table.insert(groups, group) end
        known[failure.reason], group.count = group, group.count + 1
    end
    table.sort(groups, function(a, b)
        return a.count > b.count or a.count == b.count and a.order < b.order
    end)
    for i, group in ipairs(groups) do
        groups[i] = ("%d × %s, such as %s"):format(group.count, group.example.reason,
            M.format_failure(group.example))
    end
    return groups
end

-- --- the matrix ----------------------------------------------------------------------------------

-- The texts that stand for an answer and for none: with times, or as a single character each.
local function as_time(rtt)
    return rtt < 10 and ("%.3f"):format(rtt) or ("%.1f"):format(rtt)
end

local function as_dot()
    return "."
end

local function row_of(result, lost, from, answered)
    local row = {}
    for j, to in ipairs(result.nodes) do
        local rtt = result.matrix[from][to]
        row[j] = from == to and "-" or rtt == nil and "" or rtt and answered(rtt) or
            "X" .. (#lost[from][to] == 1 and lost[from][to] or "")
    end
    return row
end

-- Lines of cells: `heads` over the columns, `sides` before the rows.
local function matrix(result, lost, heads, sides, answered)
    local lines = { { "", table.unpack(heads) } }
    for i, from in ipairs(result.nodes) do
        lines[i + 1] = { sides[i], table.unpack(row_of(result, lost, from, answered)) }
    end
    return lines
end

-- With times; if that is too wide, numbers for names and a character for an answer; else nil.
local function whole(result, lost)
    local names, numbers, numbered = {}, {}, {}
    if #result.nodes > LINE // 2 then return nil end
    for i, name in ipairs(result.nodes) do
        names[i], numbers[i] = width.printable(name), tostring(i)
        numbered[i] = ("%2d %s"):format(i, names[i])
    end
    return align(matrix(result, lost, names, names, as_time), "  ") or
        align(matrix(result, lost, numbers, numbered, as_dot), " ")
end

-- --- the summary ---------------------------------------------------------------------------------

local function unanswered(result, row)
    local names = {}
    for _, to in ipairs(result.nodes) do
        if row[to] then
            local family = #row[to] == 1 and ("(IPv%s)"):format(row[to]) or ""
            table.insert(names, width.printable(to) .. family)
        end
    end
    return names
end

-- Those that miss the same ones stand together: a node that is down is one group, and all others,
-- which miss it, are another. Those with most failures first.
local function group_rows(result, lost)
    local groups, known = {}, {}
    for i, from in ipairs(result.nodes) do
        local to = lost[from] and unanswered(result, lost[from])
        local key = to and table.concat(to, "\0")
        if key and not known[key] then
            known[key] = { from = {}, to = to, order = i }
            table.insert(groups, known[key])
        end
        if key then table.insert(known[key].from, width.printable(from)) end
    end
    table.sort(groups, function(a, b)
        local many, more = #a.from * #a.to, #b.from * #b.to
        return many > more or many == more and a.order < b.order
    end)
    return groups
end

local function summary(result, lost)
    local lines, groups = {}, group_rows(result, lost)
    for i = 1, math.min(ROWS, #groups) do
        local start = some(groups[i].from, SIDE) .. " -> no answer from "
        lines[i] = start .. some(groups[i].to, LINE - width.columns(start))
    end
    if #groups > ROWS then lines[ROWS + 1] = ("… and %d more such lines"):format(#groups - ROWS) end
    return lines
end

-- --- all of it -----------------------------------------------------------------------------------

local function sums(result)
    if result.transmitted == 0 then
        return "nothing to ping: no two nodes have addresses of the same family"
    end
    local text = ("%d transmitted, %d received, %.3g%% loss"):format(result.transmitted, result.received,
        result.loss)
    if result.avg then
        text = ("%s, rtt min/avg/max = %.3f/%.3f/%.3f ms"):format(text, result.min, result.avg, result.max)
    end
    return text
end

--- The matrix of times, with X where there was no answer (X4, X6: in that family only), and under it the
-- failures; without the times if it is too wide; for many nodes who had no answer from whom, and how
-- often each reason was given. The last line has the sums.
function M.format(result)
    local lost = lost_families(result)
    local lines = whole(result, lost) or summary(result, lost)
    local failures = (#result.failures <= NAMED and one_by_one or by_reason)(result.failures)
    table.move(failures, 1, #failures, #lines + 1, lines)
    table.insert(lines, sums(result))
    return table.concat(lines, "\n")
end

return M
