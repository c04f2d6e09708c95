--- A picture in the language of graphviz: each node a box with a row for each interface.
local layout = require "nsh.lab.layout"
local picture = require "nsh.lab.picture"
local width = require "nsh.show.width"

local M = {}

-- The widest font comes first, by which dot measures: where there is another one, texts still fit.
local FONT = "DejaVu Sans,Verdana,Helvetica,Arial,sans-serif"
local INK, SOFT, FAINT = "#1f2933", "#64748b", "#94a3b8"
local FRAME = "#94a3b8"
local HEAD = { node = "#f1f5f9", host = "#e2e8f0", switch = "#dbeafe", outside = "#ffffff" }
local BRIDGE = "#eaf2fe"

local PREAMBLE = ([[
  graph [rankdir=LR, ranksep=%.2f, nodesep=0.25, pad=0.15, bgcolor="white", outputorder=edgesfirst]
  node  [shape=plain, fontname="FONT", fontsize=10, fontcolor="INK"]
  edge  [dir=none, color="SOFT", penwidth=1.2, fontname="FONT", fontsize=9, fontcolor="SOFT"]
]]):gsub("FONT", FONT):gsub("INK", INK):gsub("SOFT", SOFT)

-- What is outside of the lab is no box of it.
local OUTSIDE = ' style="rounded,dashed"'

local EDGES = {
    tunnel = 'style=dashed, color="#c2410c", fontcolor="#c2410c"',
    lower = "style=dotted",
}

-- --- text ------------------------------------------------------------------------------------------

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- U+2060, a joiner of words: takes no place. Behind "\" and "&" it keeps graphviz from putting a node's name
-- in the place of "\N", and from leaving "&amp;" in an SVG as it is.
local INVISIBLE = "\u{2060}"

-- As XML has it, which does not allow U+FFFE and U+FFFF.
local function escape(text)
    text = width.printable(text):gsub("\xEF\xBF[\xBE\xBF]", "\u{FFFD}")
    text = text:gsub("\\%f[%u]", "%0" .. INVISIBLE):gsub("&%f[#%w]", "%0" .. INVISIBLE)
    return (text:gsub("[&<>\"']", ENTITIES))
end

local function quote(text)
    return '"' .. width.printable(text):gsub('[\\"]', "\\%0") .. '"'
end

-- Without a color, in that of all text.
local function colored(text, color)
    return color and ('<font color="%s">%s</font>'):format(color, escape(text)) or escape(text)
end

-- --- boxes -----------------------------------------------------------------------------------------

-- Blanks in a text of their own, which nobody trims: names have their place behind them.
local function blanks(count)
    return count > 0 and colored(("\u{A0}"):rep(count), SOFT) or ""
end

-- The name, and what it is if that is no cable.
local function name_text(interface, depth)
    local is_down = interface.up == false
    local notes = picture.words(interface)
    local text = blanks(3 * depth) .. colored(interface.name, is_down and FAINT)
    return notes[1] and text .. " " .. colored(table.concat(notes, " "), is_down and FAINT or SOFT) or text
end

local function address_text(interface)
    local lines, color = {}, interface.up == false and FAINT or SOFT
    for i, address in ipairs(interface.addresses) do lines[i] = colored(address, color) end
    return table.concat(lines, '<br align="left"/>') .. (lines[2] and '<br align="left"/>' or "")
end

-- Cables leave on both sides: "w3" and "e3" are the ends of the third interface's row.
local ROW = '    <tr><td port="w%d" align="left"%s>%s</td><td port="e%d" align="left"%s>%s</td></tr>\n'

local function row(box, interface, name, background)
    local color, i = background and (' bgcolor="%s"'):format(background) or "", box.ports[interface.name]
    return ROW:format(i, color, name, i, color, address_text(interface))
end

-- A bridge and its ports are one block, with a line around it.
local function rows(box, tree, depth, background)
    local texts = {}
    for i, branch in ipairs(tree) do
        local before = tree[i - 1]
        local is_border = before and (branch.ports[1] or before.ports[1])
        local color = branch.interface.kind == "bridge" and BRIDGE or background
        texts[i] = (is_border and "    <hr/>\n" or "") ..
            row(box, branch.interface, name_text(branch.interface, depth), color) ..
            rows(box, branch.ports, depth + 1, color)
    end
    return table.concat(texts)
end

local HEADER = '    <tr><td colspan="2" align="left" bgcolor="%s"><b>%s</b></td></tr>\n'

-- A switch and its bridge are one thing.
local function box_rows(box, node)
    local switch = picture.switch(node)
    if switch then
        return row(box, switch.interface, ("<b>%s</b>"):format(escape(node.name)), HEAD.switch) ..
            rows(box, switch.ports, 0, BRIDGE)
    end
    return HEADER:format(HEAD[node.kind] or HEAD.node, escape(node.name)) .. rows(box, picture.tree(node), 0)
end

local BOX = [[
  n%d [label=<<table border="1" cellborder="0" cellspacing="0" cellpadding="5" color="%s"%s>
%s  </table>>]
]]

-- --- edges -----------------------------------------------------------------------------------------

-- On white: graphviz may put it on the line.
local LABEL = 'label=<<table border="0" cellspacing="0" cellpadding="1" bgcolor="white"><tr><td>%s</td></tr></table>>'

local function attributes_of(edge)
    local list = { EDGES[edge.kind] }
    if edge.label then list[#list + 1] = LABEL:format(escape(edge.label)) end
    return list[1] and " [" .. table.concat(list, ", ") .. "]" or ""
end

-- Where both ends are in one box, they meet at a point beside it: graphviz draws such loops over others.
local LOOP = [[
  p%d [shape=point, width=0.02, color="%s"]
  n%d:e%d:e -> p%d:w%s
  n%d:e%d:e -> p%d:w
]]

local function edge_text(i, edge, boxes)
    local from, to, attributes = boxes[edge.from[1]], boxes[edge.to[1]], attributes_of(edge)
    local start, goal = from.ports[edge.from[2]], to.ports[edge.to[2]]
    if from == to then return LOOP:format(i, SOFT, from.number, start, i, attributes, to.number, goal, i) end
    return ("  n%d:e%d:e -> n%d:w%d:w%s\n"):format(from.number, start, to.number, goal, attributes)
end

-- Inches between columns: cables need room where many leave one node, and where they make circles.
local function column_gap(from)
    local circles, most = math.max(0, #from.edges - #from.nodes + 1), 0
    for _, node in ipairs(from.nodes) do most = math.max(most, #node.interfaces) end
    return math.min(0.8 + most * 0.02 + circles * 0.05, 2.5)
end

-- --- public ----------------------------------------------------------------------------------------

-- Node -> its number, and the numbers of its interfaces.
local function number(nodes)
    local boxes = {}
    for i, node in ipairs(nodes) do
        local ports = {}
        for k, interface in ipairs(node.interfaces) do ports[interface.name] = k end
        boxes[node.name] = { number = i, ports = ports }
    end
    return boxes
end

--- The text for graphviz's `dot` of a picture (nsh.lab.picture).
--
--     print(dot.text(picture.of { ns1, host }))
function M.text(from)
    local boxes = number(from.nodes)
    local texts = { ("digraph %s {\n"):format(quote(from.name)), PREAMBLE:format(column_gap(from)) }
    for i, node in ipairs(from.nodes) do
        local style = node.kind == "outside" and OUTSIDE or ""
        texts[#texts + 1] = BOX:format(i, FRAME, style, box_rows(boxes[node.name], node))
    end
    for i, edge in ipairs(layout.edges(from)) do texts[#texts + 1] = edge_text(i, edge, boxes) end
    return table.concat(texts) .. "}\n"
end

return M
