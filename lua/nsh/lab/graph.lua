--- Pictures of networks, for people: `lab:graph()`, and `nsh.graph{…}` of any namespaces.
--
--     nsh.graph{ ns1, host }:save "network.svg"
local errors = require "nsh.errors"
local natural = require "nsh.natural"
local picture = require "nsh.lab.picture"

local M = {}
local Graph = { __name = "nsh.graph" }
Graph.__index = Graph

-- --- texts ---------------------------------------------------------------------------------------

local WIDTH = 80 -- columns, where there is no terminal

-- Whether the locale's characters are those of UTF-8 (setlocale(3): the first of these that is set).
local function has_boxes()
    for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
        local value = os.getenv(name)
        if value and value ~= "" then return value:lower():find "utf%-?8" ~= nil end
    end
    return false
end

local text_options = {
    { "width", min = 20, max = 1000, whole = true, valid = "a number of columns, 20 to 1000" },
    { "ascii", type = "boolean", valid = "true or false" },
}

--- The picture for a terminal: each node a box with its interfaces and their addresses, ports below their bridge;
-- a line for each veth pair, a dashed one for each tunnel. Large networks are an outline. Options:
--
-- - `width`: columns that it may take (default: the terminal's; 80 if there is none)
-- - `ascii`: true: only "+", "-", "|" and the like (default: where the locale is not of UTF-8)
--
-- Also `tostring(graph)`, and so `print(lab:graph())`.
--
--     print(nsh.graph{ ns1, host }:text{ width = 100 })
function Graph:text(opts)
    errors.check_self(self, "picture", "graph:text()")
    opts = require("nsh.options").complete(text_options, opts or {}, "draw a picture")
    local ascii = opts.ascii
    if ascii == nil then ascii = not has_boxes() end
    local columns = opts.width or (require("nsh.core").file.window(1)) or WIDTH
    return require("nsh.lab.text").text(self.picture, columns, ascii)
end

function Graph:__tostring() return self:text() end

--- The text for graphviz: each node a box with its interfaces and their addresses, a bridge with its ports
-- as a block in it, a line for each veth pair, a dashed one for each tunnel.
--
--     print(nsh.graph{ ns1, host }:dot())
function Graph:dot()
    errors.check_self(self, "picture", "graph:dot()")
    return require("nsh.lab.dot").text(self.picture)
end

--- The text for Mermaid, which many pages draw by themselves: in Markdown between ```mermaid and ```.
--
--     print(nsh.graph{ ns1, host }:mermaid())
function Graph:mermaid()
    errors.check_self(self, "picture", "graph:mermaid()")
    return require("nsh.lab.mermaid").text(self.picture)
end

-- --- graphviz ------------------------------------------------------------------------------------

local function run_dot(graph, format)
    local host = require("nsh.namespace").current()
    local ok, result = pcall(host.exec, host, { "dot", "-T" .. format, input = graph:dot(), output = true })
    if not ok and type(result) == "table" and result.code == "ENOENT" then
        result.hint = "dot is a part of graphviz: apt-get install graphviz"
    end
    if not ok then error(result, 0) end
    return result
end

-- What graphviz makes of it: `dot -T`.
local function render(graph, format)
    errors.check_self(graph, "picture", "graph:svg()")
    local result = run_dot(graph, format)
    if result.status ~= 0 then
        errors.raise(errors.new("EIO", "dot: " .. result.err:gsub("%s+$", "")), "draw " .. graph.picture.name)
    end
    return result.out
end

--- The picture as SVG, drawn by graphviz's program `dot`: the same text for the same network. Errors:
-- ENOENT: graphviz is not there; EIO: it failed.
--
--     local svg = nsh.graph{ ns1, host }:svg()
function Graph:svg()
    -- without graphviz's version, and names that are only dot's
    local text = render(self, "svg"):gsub("<!%-%-.-%-%->\n?", ""):gsub("<title>n%d[^<]*</title>\n?", "")
    return text
end

-- --- files ---------------------------------------------------------------------------------------

-- What goes into a file, by the ending of its name.
local formats = {
    dot = Graph.dot, gv = Graph.dot, mmd = Graph.mermaid, svg = Graph.svg,
    txt = function(graph) return graph:text{ width = 100, ascii = false } .. "\n" end,
    png = function(graph) return render(graph, "png") end,
    pdf = function(graph) return render(graph, "pdf") end,
}

local CODES = { [2] = "ENOENT", [13] = "EACCES", [20] = "ENOTDIR", [21] = "EISDIR", [28] = "ENOSPC", [30] = "EROFS" }

local function write(path, text)
    local file, message, errno = io.open(path, "wb")
    if file then
        local written, write_message, write_errno = file:write(text)
        local closed, close_message, close_errno = file:close()
        if written and closed then return end
        message, errno = write_message or close_message, write_errno or close_errno
    end
    message = message:gsub("^.*: ", "")
    errors.raise(errors.new(CODES[errno] or "EIO", message), "save the picture as " .. path)
end

--- Whether a picture can be saved under that name, and the endings that there are, in words.
function M.can_save(path)
    return type(path) == "string" and formats[path:match "%.(%w+)$"] ~= nil,
        "the name must end with .svg, .png, .pdf, .dot, .gv, .mmd or .txt"
end

--- Saves the picture; the ending of the name says how: .svg, .png or .pdf (by graphviz), .dot or .gv, .mmd
-- (Mermaid), .txt (as graph:text()). Returns the graph. Errors: EINVAL: another ending; as of graph:svg(), and
-- of the file: ENOENT, EACCES, …
--
--     lab:graph():save "lab.svg"
function Graph:save(path)
    errors.check_self(self, "picture", 'graph:save "lab.svg"')
    local can, endings = M.can_save(path)
    if not can then errors.raise(errors.new("EINVAL", endings), "save the picture as " .. tostring(path)) end
    write(path, formats[path:match "%.(%w+)$"](self))
    return self
end

-- --- public --------------------------------------------------------------------------------------

-- `host`, and whatever has a name and is a namespace.
local function open_all()
    local netns = require "nsh.namespace"
    local list, names = { netns.current() }, {}
    for i, entry in ipairs(netns.list()) do names[i] = entry.name end
    for _, name in ipairs(natural.sort(names)) do
        local ok, ns = pcall(netns.open, name)
        if ok then list[#list + 1] = ns end
    end
    return list
end

local function close_all(list)
    for _, ns in ipairs(list) do ns:close() end
end

local function check(list)
    for i, ns in ipairs(list) do
        if type(ns) ~= "table" or not ns.link then
            errors.raise(errors.new("EINVAL", ("value %d is a %s, not a namespace"):format(i, type(ns))),
                "draw a picture")
        end
    end
    return list
end

local function picture_of(what)
    if what == nil then
        local list <close> = setmetatable(open_all(), { __close = close_all })
        return picture.of(list)
    elseif type(what) == "table" and rawget(what, "nodes") then
        return picture.of_lab(what)
    end
    return picture.of(check(type(what) == "table" and getmetatable(what) == nil and what or { what }))
end

--- A graph of a picture (nsh.lab.picture).
function M.new(from) return setmetatable({ picture = from }, Graph) end

--- A picture of a network: of namespaces, in their order, or of a lab, declared or up. Without an argument,
-- of `host` and all namespaces that have a name. What their interfaces are and have is looked up now. Returns
-- an object with text, dot, mermaid, svg, save. Errors: EINVAL: not a list of namespaces.
--
--     nsh.graph{ ns1, ns2, host }:save "network.svg"
function M.graph(what)
    return M.new(picture_of(what))
end

return M
