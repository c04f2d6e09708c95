--- A picture in the language of Mermaid, which many pages draw by themselves: a subgraph for each node,
-- and within it one for each bridge with its ports.
local layout = require "nsh.lab.layout"
local picture = require "nsh.lab.picture"
local width = require "nsh.show.width"

local M = {}

-- Names are not broken over lines, and do not touch what is below them.
local HEAD = [[
%%{init: {"flowchart": {"wrappingWidth": 600, "subGraphTitleMargin": {"top": 4, "bottom": 6}}}}%%
flowchart LR
]]

local STYLES = [[
    classDef node fill:#f8fafc,stroke:#94a3b8
    classDef outside fill:#ffffff,stroke:#94a3b8,stroke-dasharray:4 4
    classDef bridge fill:#eaf2fe,stroke:#94a3b8
    classDef interface fill:#ffffff,stroke:#cbd5e1
]]

local LINKS = { veth = "---", lower = "-- %s ---", tunnel = "-. %s .-" }

-- --- text ------------------------------------------------------------------------------------------

-- Whatever might mean something becomes a number: "#34;" is Mermaid's '"'.
local function escape(text)
    return (width.printable(text):gsub("[^%w ./:_\x80-\xFF-]", function(c) return ("#%d;"):format(c:byte()) end))
end

-- A text of some lines, between quotes.
local function quote(...)
    local lines = { ... }
    for i, line in ipairs(lines) do lines[i] = escape(line) end
    return '"' .. table.concat(lines, "<br>") .. '"'
end

local function title(interface)
    local words = picture.words(interface)
    table.insert(words, 1, interface.name)
    return table.concat(words, " ")
end

-- --- nodes -----------------------------------------------------------------------------------------

local function write(out, depth, format, ...)
    out[#out + 1] = ("    "):rep(depth) .. format:format(...) .. "\n"
end

-- A box around what `fill` writes. Its text may have one line only: what is within does not move down.
local function write_group(out, depth, id, text, class, fill)
    write(out, depth, "subgraph %s[%s]", id, quote(text))
    fill()
    write(out, depth, "end")
    write(out, depth, "class %s %s", id, class)
end

local function write_interface(out, depth, id, text, interface)
    write(out, depth, "%s[%s]:::interface", id, quote(text, table.unpack(interface.addresses)))
end

-- What has ports is a box around them, and in it a box of its own if it has addresses.
local function write_branches(out, depth, ids, tree)
    for _, branch in ipairs(tree) do
        local interface, id = branch.interface, ids[branch.interface.name]
        if not branch.ports[1] then
            write_interface(out, depth, id, title(interface), interface)
        else
            local has_own = interface.addresses[1] ~= nil
            write_group(out, depth, has_own and id .. "_ports" or id, title(interface), "bridge", function()
                if has_own then write_interface(out, depth + 1, id, interface.name, interface) end
                write_branches(out, depth + 1, ids, branch.ports)
            end)
        end
    end
end

-- A switch is its bridge; a node without interfaces is no group.
local function write_node(out, id, ids, node)
    local tree, class = picture.tree(node), node.kind == "outside" and "outside" or "node"
    if picture.switch(node) then
        write_branches(out, 1, ids, tree)
    elseif tree[1] then
        write_group(out, 1, id, node.name, class, function() write_branches(out, 2, ids, tree) end)
    else
        write(out, 1, "%s[%s]:::%s", id, quote(node.name), class)
    end
end

-- --- public ----------------------------------------------------------------------------------------

-- Names may be anything, ids may not: node -> interface -> id.
local function ids_of(nodes)
    local ids = {}
    for i, node in ipairs(nodes) do
        ids[node.name] = {}
        for k, interface in ipairs(node.interfaces) do ids[node.name][interface.name] = ("n%d_%d"):format(i, k) end
    end
    return ids
end

--- The text for Mermaid of a picture (nsh.lab.picture).
--
--     print(mermaid.text(picture.of { ns1, host }))
function M.text(from)
    local ids, out = ids_of(from.nodes), { HEAD }
    for i, node in ipairs(from.nodes) do write_node(out, "n" .. i, ids[node.name], node) end
    for _, edge in ipairs(layout.edges(from)) do
        write(out, 1, "%s %s %s", ids[edge.from[1]][edge.from[2]],
            LINKS[edge.kind]:format(quote(edge.label or "")), ids[edge.to[1]][edge.to[2]])
    end
    return table.concat(out) .. STYLES
end

return M
