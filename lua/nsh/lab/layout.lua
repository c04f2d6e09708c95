--- Where the nodes of a picture stand: in columns, so that cables run from left to right.
--
-- The middle of the network stands in column 0, what hangs on it to its left and to its right: a hub is
-- between its leaves, a line is a line, a ring goes around, spines are between their leaves.
local M = {}

-- --- the network as nodes and neighbours -----------------------------------------------------------

local function is_tunnel(edge) return edge.kind == "tunnel" end

local function join(neighbours, a, b)
    if a == b or neighbours[a][b] then return end
    neighbours[a][b], neighbours[b][a] = true, true
    table.insert(neighbours[a], b)
    table.insert(neighbours[b], a)
end

-- The steps from the nearest of `from` to whatever they lead to: name -> steps, and a list of these names,
-- the nearest first. Nodes in `walls` are not entered.
local function explore(neighbours, from, walls)
    local steps, order = {}, {}
    local function reach(name, distance)
        if steps[name] or walls[name] then return end
        steps[name] = distance
        order[#order + 1] = name
    end
    for _, name in ipairs(from) do reach(name, 0) end
    for i = 1, math.huge do
        if not order[i] then return steps, order end
        for _, name in ipairs(neighbours[order[i]]) do reach(name, steps[order[i]] + 1) end
    end
end

-- Name -> list (and set) of names. A tunnel runs through the network, and joins only what else would not
-- be joined.
local function neighbours_of(picture)
    local neighbours = {}
    for _, node in ipairs(picture.nodes) do neighbours[node.name] = {} end
    for _, edge in ipairs(picture.edges) do
        if not is_tunnel(edge) then join(neighbours, edge.a[1], edge.b[1]) end
    end
    for _, edge in ipairs(picture.edges) do
        if is_tunnel(edge) and not explore(neighbours, { edge.a[1] }, {})[edge.b[1]] then
            join(neighbours, edge.a[1], edge.b[1])
        end
    end
    return neighbours
end

-- --- the middle ------------------------------------------------------------------------------------

-- Splits names into those with at most one neighbour among them, and the others.
local function find_ends(neighbours, names)
    local among, ends, others = {}, {}, {}
    for _, name in ipairs(names) do among[name] = true end
    for _, name in ipairs(names) do
        local degree = 0
        for _, other in ipairs(neighbours[name]) do degree = degree + (among[other] and 1 or 0) end
        table.insert(degree <= 1 and ends or others, name)
    end
    return ends, others
end

-- Of nodes that cables join in circles, those farthest from what hangs on them; the first, if that is no
-- more one than the other.
local function farthest(neighbours, core, hanging)
    local steps, most, result = explore(neighbours, hanging, {}), 0, {}
    for _, name in ipairs(core) do most = math.max(most, steps[name] or 0) end
    for _, name in ipairs(core) do
        if steps[name] == most then result[#result + 1] = name end
    end
    return #result > 0 and #result < #core and result or { core[1] }
end

-- Takes the ends off until none is left, or nothing else is.
local function find_middle(neighbours, names)
    local hanging, core = {}, names
    while true do
        local ends, others = find_ends(neighbours, core)
        if #others == 0 then return { core[1] } end
        if #ends == 0 then return farthest(neighbours, core, hanging) end
        table.move(ends, 1, #ends, #hanging + 1, hanging)
        core = others
    end
end

-- --- columns ---------------------------------------------------------------------------------------

-- What would fall apart without the middle: a list of lists of names.
local function find_branches(neighbours, names, middle)
    local walls, branches, seen = {}, {}, {}
    for _, name in ipairs(middle) do walls[name] = true end
    for _, name in ipairs(names) do
        if not walls[name] and not seen[name] then
            local _, branch = explore(neighbours, { name }, walls)
            for _, member in ipairs(branch) do seen[member] = true end
            branches[#branches + 1] = branch
        end
    end
    return branches
end

local function place(columns, neighbours, names)
    local middle = find_middle(neighbours, names)
    local steps = explore(neighbours, middle, {})
    for _, name in ipairs(middle) do columns[name] = 0 end
    local branches, left, right = find_branches(neighbours, names, middle), 0, 0
    if #branches == 2 and #branches[1] > #branches[2] then branches[1], branches[2] = branches[2], branches[1] end
    for _, branch in ipairs(branches) do
        local side = #branches > 1 and left <= right and -1 or 1
        for _, name in ipairs(branch) do columns[name] = side * steps[name] end
        if side < 0 then left = left + #branch else right = right + #branch end
    end
end

--- Node -> column, a whole number, the smallest farthest to the left.
function M.columns(picture)
    local neighbours, columns = neighbours_of(picture), {}
    for _, node in ipairs(picture.nodes) do
        if not columns[node.name] then
            local _, names = explore(neighbours, { node.name }, {})
            place(columns, neighbours, names)
        end
    end
    return columns
end

--- Node -> column, 0 or 1, that of the first node is 0: cables run between the two, or within one.
function M.two_columns(picture)
    local neighbours, columns = neighbours_of(picture), {}
    for _, node in ipairs(picture.nodes) do
        if not columns[node.name] then
            local steps = explore(neighbours, { node.name }, {})
            for name, distance in pairs(steps) do columns[name] = distance % 2 end
        end
    end
    return columns
end

local MOST_COLUMNS = 8 -- of a picture that fits a page

-- Folds columns to and fro, like a folding rule: what stands in columns beside each other still does.
local function fold(columns)
    local first, last = math.huge, -math.huge
    for _, column in pairs(columns) do first, last = math.min(first, column), math.max(last, column) end
    if last - first < MOST_COLUMNS then return columns end
    local folded, turn = {}, MOST_COLUMNS - 1
    for name, column in pairs(columns) do
        local at = (column - first) % (2 * turn)
        folded[name] = at <= turn and at or 2 * turn - at
    end
    return folded
end

--- The edges of a picture as they are drawn, from left to right: a list of { from =, to =, kind =,
-- label = }, with ends { node, interface }. Within a column they run from the earlier node to the later
-- one: so no two nodes that a cable joins stand above each other, which graphviz draws badly.
-- A network of many columns is folded.
--
--     for _, edge in ipairs(layout.edges(picture)) do print(edge.from[1], edge.to[1]) end
function M.edges(picture)
    local columns, number, edges = fold(M.columns(picture)), {}, {}
    for i, node in ipairs(picture.nodes) do number[node.name] = i end
    local function is_right_of(a, b)
        if columns[a] ~= columns[b] then return columns[a] > columns[b] end
        return number[a] > number[b]
    end
    for i, edge in ipairs(picture.edges) do
        local from, to = edge.a, edge.b
        if is_right_of(from[1], to[1]) then from, to = to, from end
        edges[i] = { from = from, to = to, kind = edge.kind, label = edge.label }
    end
    return edges
end

return M
