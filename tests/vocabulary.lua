-- The tables of the README that say what nsh can speak of, made from the schema.
--   nsh -E tests/vocabulary.lua [README.md]     prints them, or puts them where they belong
local keys = require "nsh.repl.complete.keys"

local M = {}

local BEGIN, END = "<!-- made by tests/vocabulary.lua, from core/schema -->\n", "<!-- end -->\n"

-- "`name` (add), `dev`": the key of the first value; of which verbs, unless it is of all others.
local function first_values(object)
    local firsts, names = {}, {}
    for _, verb in ipairs(object.verbs) do
        local key = keys.first(object, verb) or ""
        if not names[key] then firsts[#firsts + 1], names[key] = key, {} end
        table.insert(names[key], verb.name)
    end
    local parts = {}
    for _, key in ipairs(firsts) do
        local of = #firsts > 1 and (" to %s"):format(table.concat(names[key], ", ")) or ""
        if key ~= "" then parts[#parts + 1] = ("`%s`%s"):format(key, of) end
    end
    return table.concat(parts, "; ")
end

-- "ip addr" of "ip addr add", "ip addr show", …
local function command_of(verbs)
    return "`" .. verbs[1].command:match "^%S+ %S+" .. "`"
end

local function verb_names(verbs)
    local names = {}
    for i, verb in ipairs(verbs) do names[i] = verb.name end
    return "`" .. table.concat(names, " ") .. "`"
end

-- Whether something can be written there; `own`: a table of the schema, or nil.
local function has_keys(own)
    for _, field in ipairs(own and own.fields or {}) do
        if field.name and not field.read_only then return true end
    end
    return false
end

local function kind_names(kinds)
    local names = {}
    for _, kind in ipairs(kinds) do
        if has_keys(kind.data) then names[#names + 1] = kind.name end
    end
    for _, kind in ipairs(kinds) do
        if has_keys(kind.port) then names[#names + 1] = kind.name .. "_slave" end
    end
    return "`" .. table.concat(names, " ") .. "`"
end

local function padded(rows)
    local widths, lines = {}, {}
    for _, row in ipairs(rows) do
        for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, utf8.len(cell)) end
    end
    for i, row in ipairs(rows) do
        local cells = {}
        for j, cell in ipairs(row) do cells[j] = cell .. (" "):rep(widths[j] - utf8.len(cell)) end
        lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |\n"
        if i == 1 then
            for j, width in ipairs(widths) do cells[j] = ("-"):rep(width + 2) end
            lines[#lines + 1] = "|" .. table.concat(cells, "|") .. "|\n"
        end
    end
    return table.concat(lines)
end

--- Both tables: the objects with their verbs, and the kinds that have attributes of their own.
function M.text()
    local all = keys.objects()
    local objects = { { "object", "verbs", "first value", "as" } }
    for i, object in ipairs(all) do
        objects[i + 1] = { ("`%s`"):format(object.name), verb_names(object.verbs), first_values(object),
            command_of(object.verbs) }
    end
    local kinds = { { "kinds of", "with attributes that nsh knows" },
        { "`link`", kind_names(all.link.table.kinds) }, { "`qdisc`", kind_names(all.qdisc.table.kinds) } }
    return BEGIN .. padded(objects) .. "\n" .. padded(kinds) .. END
end

--- The part of a document that stands between the same marks; nil if it has none. And where it begins and ends.
function M.find(document)
    local first = document:find(BEGIN, 1, true)
    local _, last = document:find(END, first or 1, true)
    return first and last and document:sub(first, last), first, last
end

local function replace_in(path)
    local file <close> = assert(io.open(path))
    local document = file:read "a"
    local found, first, last = M.find(document)
    assert(found, path .. " has no place for it")
    local out <close> = assert(io.open(path, "w"))
    out:write(document:sub(1, first - 1), M.text(), document:sub(last + 1))
end

if arg[0]:find "vocabulary%.lua$" then -- else a test has loaded it
    if arg[1] then replace_in(arg[1]) else io.write(M.text()) end
end

return M
