--- Values as text for people: lists of records as tables, one record as lines, the rest as Lua writes
-- it, keys sorted.
--
-- On a terminal in colours by what they mean; as JSON after show.json(true), as Lua after show.mode "lua".
--
--     show(host.link:list())
local core = require "nsh.core"
local errors = require "nsh.errors"
local keywords = require "nsh.keywords"
local kinds = require "nsh.show.kinds"
local metafield = require "nsh.metafield"
local paint = require "nsh.show.paint"
local units = require "nsh.show.units"
local width = require "nsh.show.width"

local M = {}

local LINE = 76 -- columns: what is longer is broken over lines
local CELL = 48 -- columns: the longest prefix of IPv6, and then some
local CELL_DEPTH, RECORD_DEPTH = 2, 4 -- of tables inside a cell, inside a record

local modes = { "table", "json", "lua" }
local mode = "table"

-- Objects that say themselves what they are, and all that is no table, are never looked into.
local function is_open(value)
    return type(value) == "table" and not metafield(value, "__tostring")
end

-- Addresses in memory differ from run to run and tell nobody anything.
local function name_of(value)
    local kind = type(value)
    if io.type(value) then return io.type(value) end
    if metafield(value, "__tostring") then return tostring(value) end
    if kind == "function" or kind == "thread" then return kind end
    if kind == "userdata" then return metafield(value, "__name") or kind end
    return tostring(value)
end

-- As Lua would read it back, on one line.
local function literal(value)
    if type(value) ~= "string" then return name_of(value) end
    return '"' .. width.printable((value:gsub('[\\"]', "\\%0"))) .. '"'
end

-- --- other tables --------------------------------------------------------------------------------

local rank = { number = 1, string = 2 }

local function key_text(key)
    if type(key) == "string" and key:find "^[%a_][%w_]*$" and not keywords[key] then return key end
    return "[" .. (is_open(key) and "table" or literal(key)) .. "]"
end

local function comes_before(a, b)
    local rank_a, rank_b = rank[type(a)] or 3, rank[type(b)] or 3
    if rank_a ~= rank_b then return rank_a < rank_b end
    if rank_a < 3 then return a < b end
    return key_text(a) < key_text(b)
end

-- The keys that are not of the list part, sorted.
local function other_keys(value)
    local length, keys = rawlen(value), {}
    for key in next, value do
        local in_list = math.type(key) == "integer" and key >= 1 and key <= length
        if not in_list then keys[#keys + 1] = key end
    end
    table.sort(keys, comes_before)
    return keys
end

-- What is in a table, in order, as { prefix, value }: the prefix is "" or "key = ".
local function items_of(value)
    local items = {}
    for i = 1, rawlen(value) do items[i] = { "", rawget(value, i) } end
    for _, key in ipairs(other_keys(value)) do
        items[#items + 1] = { key_text(key) .. " = ", rawget(value, key) }
    end
    return items
end

-- What stands for a value that is not taken apart; nil for one that is. `marks`: what stands for the
-- tables that were met before.
local function leaf(value, depth, marks)
    if not is_open(value) then return literal(value) end
    if marks[value] then return marks[value] end
    if next(value) == nil then return "{}" end
    if depth == 0 then return "{…}" end
end

-- nil as soon as it does not fit into `room` columns: a web of tables would take for ever.
local function on_one_line(value, depth, marks, room)
    local text = leaf(value, depth, marks)
    if text then return text end
    local texts, left = {}, room - 2
    marks[value] = "<cycle>"
    for i, item in ipairs(items_of(value)) do
        local inner = on_one_line(item[2], depth - 1, marks, left - #item[1])
        texts[i] = inner and item[1] .. inner
        left = left - (inner and width.columns(texts[i]) + 2 or math.huge)
        if left < 0 then break end
    end
    marks[value] = nil
    return left >= 0 and "{ " .. table.concat(texts, ", ") .. " }" or nil
end

local function over_lines(value, depth, marks, indent, room)
    local text = leaf(value, depth, marks) or on_one_line(value, depth, marks, room - #indent)
    if text then return text end
    local lines, inner_indent = { "{" }, indent .. "  "
    marks[value] = "<cycle>"
    for _, item in ipairs(items_of(value)) do
        local inner = over_lines(item[2], depth - 1, marks, inner_indent, room - #item[1] - 1)
        lines[#lines + 1] = inner_indent .. item[1] .. inner .. ","
    end
    marks[value] = "<see above>"
    lines[#lines + 1] = indent .. "}"
    return table.concat(lines, "\n")
end

-- --- records -------------------------------------------------------------------------------------

local function is_record(value)
    if not is_open(value) or next(value) == nil then return false end
    for key in next, value do
        if type(key) ~= "string" then return false end
    end
    return true
end

local function is_list_of(value, fits)
    if not is_open(value) or rawlen(value) == 0 or #other_keys(value) > 0 then return false end
    for i = 1, rawlen(value) do
        if not fits(rawget(value, i)) then return false end
    end
    return true
end

local function is_scalar(value)
    return not is_open(value)
end

-- What `list` returns when there is nothing.
local function is_empty_list(value)
    return is_open(value) and next(value) == nil and metafield(value, "__name") == "nsh.list"
end

-- "BROADCAST,UP" for a list of scalars, as iproute2 writes flags; nil for anything else.
local function joined(value)
    if not is_list_of(value, is_scalar) then return nil end
    local texts = {}
    for i = 1, rawlen(value) do texts[i] = name_of(rawget(value, i)) end
    return width.printable(table.concat(texts, ","))
end

-- "" for what is not there.
local function cell(value)
    if value == nil or is_open(value) and next(value) == nil then return "" end
    local text = is_scalar(value) and width.printable(name_of(value)) or joined(value) or
        on_one_line(value, CELL_DEPTH, {}, math.huge)
    return width.cut(text, CELL)
end

-- The keys of all the records: known ones first, then by the alphabet.
local function keys_of(records)
    local left, keys, rest = {}, {}, {}
    for _, record in ipairs(records) do
        for key in next, record do left[key] = true end
    end
    for _, key in ipairs(kinds.first_keys) do
        if left[key] then keys[#keys + 1] = key end
        left[key] = nil
    end
    for key in pairs(left) do rest[#rest + 1] = key end
    table.sort(rest)
    return table.move(rest, 1, #rest, #keys + 1, keys)
end

local function needed(columns, records)
    local kept = {}
    for _, column in ipairs(columns) do
        local when = column[3]
        if not when or when(records) then kept[#kept + 1] = column end
    end
    return kept
end

local function columns_for(records)
    local kind = metafield(records[1], "__record")
    for _, record in ipairs(records) do
        if metafield(record, "__record") ~= kind then kind = nil end
    end
    if kinds.columns[kind] then return needed(kinds.columns[kind], records) end
    local columns = {}
    for i, key in ipairs(keys_of(records)) do columns[i] = { key:upper(), key } end
    return columns
end

local function source_value(record, source, records)
    if type(source) == "function" then return source(record, records) end
    return rawget(record, source)
end

-- How text is drawn: as it is, or in colours.
local function plainly(_, text) return text end

-- A column as texts, its head first, all of one width; nil if there is nothing in it.
local function fill_column(records, header, source, draw)
    local head = width.printable(units.head(header, source))
    local texts, columns, empty = { head }, width.columns(head), true
    for i, record in ipairs(records) do
        local text = cell(source_value(record, source, records))
        texts[i + 1], empty = text, empty and text == ""
        columns = math.max(columns, width.columns(text))
    end
    if empty then return nil end
    for i, text in ipairs(texts) do
        local blanks = (" "):rep(columns - width.columns(text))
        texts[i] = (i == 1 and text or draw(header, text)) .. blanks
    end
    return texts
end

local function as_table(records, draw)
    local lines = {}
    for i = 1, #records + 1 do lines[i] = {} end
    for _, column in ipairs(columns_for(records)) do
        for i, text in ipairs(fill_column(records, column[1], column[2], draw) or {}) do
            table.insert(lines[i], text)
        end
    end
    for i, texts in ipairs(lines) do lines[i] = table.concat(texts, "  "):gsub(" +$", "") end
    return table.concat(lines, "\n")
end

-- A value beside its key; a text keeps its lines.
local function beside_key(value, marks, room)
    if type(value) ~= "string" then
        return joined(value) or over_lines(value, RECORD_DEPTH, marks, "", room)
    end
    local lines = {}
    for line in value:gsub("\n$", ""):gmatch "([^\n]*)" do lines[#lines + 1] = width.printable(line) end
    return table.concat(lines, "\n")
end

local function as_lines(record, draw)
    local keys, heads, lines, margin = keys_of { record }, {}, {}, 0
    for i, key in ipairs(keys) do
        heads[i] = width.printable(units.head(key, key))
        margin = math.max(margin, width.columns(heads[i]) + 2)
    end
    for i, key in ipairs(keys) do
        local text = draw(key, beside_key(rawget(record, key), { [record] = "<cycle>" }, LINE - margin))
        text = text:gsub("\n", "\n" .. (" "):rep(margin))
        lines[i] = (width.fill(heads[i], margin) .. text):gsub(" +$", "")
    end
    return table.concat(lines, "\n")
end

-- Objects that say themselves what they are: the results of a ping.
local function speaks(value)
    return type(value) == "table" and metafield(value, "__tostring") ~= nil
end

local function one_a_line(values)
    local lines = {}
    for i, value in ipairs(values) do lines[i] = tostring(value) end
    return table.concat(lines, "\n")
end

-- --- public --------------------------------------------------------------------------------------

local function as_json(value) return errors.check(core.json.encode(value)) end

local function as_lua(value) return over_lines(value, math.huge, {}, "", LINE) end

local function for_people(value, draw)
    if type(value) == "string" then return value end
    if is_empty_list(value) then return "(none)" end
    if is_list_of(value, is_record) then return as_table(value, draw) end
    if is_list_of(value, speaks) then return one_a_line(value) end
    if is_record(value) then return as_lines(value, draw) end
    return as_lua(value)
end

local formats = { table = for_people, json = as_json, lua = as_lua }

--- The text of `value` as `show` prints it, without colours and a newline at the end. A string is itself; an
-- object with `__tostring` is asked; the rest as the head of this file says. In JSON mode its JSON;
-- raises an error object for what JSON cannot hold.
--
--     local text = show.format(host.addr:list())
function M.format(value)
    return formats[mode](value, plainly)
end

--- The same in colours, if stdout is a terminal that wants them: for what is written there.
--
--     show.write(show.painted(host.addr:list()), "\n")
function M.painted(value)
    return formats[mode](value, paint.value)
end

local function to_stdout(text) io.stdout:write(text) end

local write = to_stdout

--- Writes what is to be seen, in one piece, to stdout or wherever `show.to` says.
--
--     show.write("two\n", "lines\n")
function M.write(...)
    write(table.concat { ... })
end

--- Lets fn(text) write what `show` and others of nsh print for people; nil: stdout. So the prompt has its pager.
--
--     show.to(function(text) io.stderr:write(text) end)
function M.to(fn) write = fn or to_stdout end

--- Prints each value for people. Scalars share a line, as with `print`; whatever has lines of its
-- own starts on a new one. Also `show(value, ...)`.
--
--     show(host.route:list(), "and", "so", "on")
function M.show(...)
    local texts, on_own_lines = {}, true
    for i = 1, select("#", ...) do
        local value = select(i, ...)
        local was_alone = on_own_lines
        on_own_lines = mode == "json" or is_open(value)
        texts[2 * i - 1] = i == 1 and "" or (was_alone or on_own_lines) and "\n" or "\t"
        texts[2 * i] = M.painted(value)
    end
    if not texts[1] then return end
    texts[#texts + 1] = "\n"
    M.write(table.unpack(texts))
end

--- How values are printed: "table" (for people), "json", or "lua" (as Lua would read them back); without a name it
-- only tells. Errors: EINVAL.
--
--     show.mode "lua"   --> "lua"
function M.mode(name)
    if name == nil then return mode end
    if not formats[name] then require("nsh.suggest").refuse("there is no way to show values as", name, modes, {}) end
    mode = name
    return mode
end

--- Switches `show`, and what the prompt prints, to JSON (`on` true) and back (false).
--
--     show.json(true)
function M.json(on)
    mode = on and "json" or "table"
end

--- Whether values are printed as JSON.
--
--     if not show.is_json() then print "for people" end
function M.is_json() return mode == "json" end

return setmetatable(M, { __call = function(_, ...) M.show(...) end })
