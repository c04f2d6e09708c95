--- The usual shapes. Each declares nodes and links of a lab, and returns the nodes; whatever else they
-- need can be declared afterwards.
local M = {}

local function numbered(lab, prefix, count)
    local nodes = {}
    for i = 1, count do nodes[i] = lab:node(prefix .. i) end
    return nodes
end

-- A link between two nodes with a prefix of its own.
local function join(pool, a, b)
    local pair = pool and pool:subnet(pool:pair_length())
    return a:connect{ addr = pair, to = b, peer = { addr = pair } }
end

--- A star: a switch "s1" and nodes "h1" … "hN" at it, with addresses of the pool.
--
--     local leaves, switch = lab:star(10, lab:pool "10.0.0.0/24")
function M.star(lab, count, pool)
    local switch = lab:switch "s1"
    local nodes = numbered(lab, "h", count)
    for _, node in ipairs(nodes) do node:connect{ addr = pool, to = switch } end
    return nodes, switch
end

--- A line: each of "r1" … "rN" linked with the next one. Each link gets a prefix of the pool.
--
--     local routers = lab:line(4, lab:pool "10.0.0.0/16")
function M.line(lab, count, pool)
    local nodes = numbered(lab, "r", count)
    for i = 2, count do join(pool, nodes[i - 1], nodes[i]) end
    return nodes
end

--- A ring: a line whose last node is linked with the first.
--
--     local routers = lab:ring(4, lab:pool "10.0.0.0/16")
function M.ring(lab, count, pool)
    local nodes = M.line(lab, count, pool)
    if count > 2 then join(pool, nodes[count], nodes[1]) end
    return nodes
end

--- A tree of nodes "n1", "n2", … in the order of their depth: n1 is the root, each of the upper ones has
-- `fanout` children, `depth` is the number of links from the root to a leaf.
--
--     local nodes = lab:tree(2, 3, lab:pool "10.0.0.0/16")
function M.tree(lab, depth, fanout, pool)
    local count, level = 1, 1
    for _ = 1, depth do
        level = level * fanout
        count = count + level
    end
    local nodes = numbered(lab, "n", count)
    for i = 2, count do join(pool, nodes[(i - 2) // fanout + 1], nodes[i]) end
    return nodes
end

--- A mesh: each of "r1" … "rN" linked with each other.
--
--     local routers = lab:mesh(4, lab:pool "10.0.0.0/16")
function M.mesh(lab, count, pool)
    local nodes = numbered(lab, "r", count)
    for i = 1, count do
        for j = i + 1, count do join(pool, nodes[i], nodes[j]) end
    end
    return nodes
end

--- Leaf and spine: each of "leaf1" … linked with each of "spine1" …  Returns the leaves and the spines.
--
--     local leaves, spines = lab:leaf_spine(4, 2, lab:pool "10.0.0.0/16")
function M.leaf_spine(lab, leaves, spines, pool)
    local lower, upper = numbered(lab, "leaf", leaves), numbered(lab, "spine", spines)
    for _, leaf in ipairs(lower) do
        for _, spine in ipairs(upper) do join(pool, leaf, spine) end
    end
    return lower, upper
end

return M
