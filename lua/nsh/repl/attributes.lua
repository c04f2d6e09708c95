--- What help says of an object of a namespace, a kind of link, qdisc, filter or action, and of a record: its
-- attributes, from the tables that check and write them.
local keys = require "nsh.repl.complete.keys"
local page = require "nsh.repl.page"

local M = {}

local concat = table.concat

local objects = keys.objects

-- --- one attribute -------------------------------------------------------------------------------

local function key_of(field)
    return keys.written(field.word or field.name)
end

local MOST = 24 -- words that are all shown

local function words_of(field)
    local words = field.words
    if not words or #words == 0 then return nil end
    local text = concat(words, ", ", 1, math.min(#words, MOST)) .. (#words > MOST and ", …" or "")
    local only = field.value == "word" or field.value == "words"
    return (only and "" or "or ") .. text
end

local function range_of(field)
    if not field.max then return nil end
    return ("%d to %d"):format(field.min or 0, field.max)
end

-- What it takes, and what that means.
local function text_of(field, is_in_record)
    local takes, parts = field.unit or field.value, { field.help }
    parts[#parts + 1] = range_of(field)
    parts[#parts + 1] = words_of(field)
    if not is_in_record then
        local differs = field.name and key_of(field) ~= keys.written(field.name)
        parts[#parts + 1] = differs and ("in records `%s`"):format(field.name) or nil
        parts[#parts + 1] = field.write_only and "in no record" or nil
    end
    parts[#parts + 1] = field.read_only and "read only" or nil
    local text = concat(parts, "; ")
    return takes and takes .. (text ~= "" and ": " .. text or "") or text
end

local is_kind_data = { ["kind data"] = true, ["port data"] = true }

-- fn(field) for each row of a table, those of nests that may stand beside it as well, the first of two with one word.
local function each_field(table, fn, seen)
    for _, field in ipairs(table.fields) do
        local word = field.word or field.name
        if field.flat and field.table then
            each_field(field.table, fn, seen)
        elseif word and not seen[word] and not is_kind_data[field.value] then
            seen[word] = true
            fn(field)
        end
    end
end

local function by_name(table)
    local found = {}
    each_field(table, function(field) found[field.name] = field end, {})
    return found
end

local function add_table(out, title, table)
    local rows = {}
    each_field(table, function(field) rows[#rows + 1] = { key_of(field), text_of(field) } end, {})
    out:title(title)
    out:rows(rows)
end

--- A page of rows of nsh.repl.complete.keys: what may stand at one place of a call, or, with a `key`, the one.
--
--     print(attributes.of_rows(keys.rows(level), "mtu"))
function M.of_rows(rows, key)
    local out, list = page.new(), {}
    for _, row in ipairs(rows) do
        local is_meant = not key or row.word == key or row.name == key
        if is_meant and not is_kind_data[row.value] then list[#list + 1] = { row.word, text_of(row) } end
    end
    out:rows(list)
    return out
end

-- --- kinds ---------------------------------------------------------------------------------------

-- Where kinds are: what one is called, how it is written, and the table that has them.
local function families()
    local all = objects()
    local list = {
        { "link", 'a kind of link: ns.link:add{ "NAME", type = "%s", … }', all.link.table },
        { "qdisc", 'a kind of qdisc: ns.qdisc:add{ "%s", dev = "veth0", root = true, … }', all.qdisc.table },
        { "class", 'a kind of class: ns.class:add{ "%s", dev = "veth0", parent = "1:", classid = "1:10", … }',
            all.class.table },
        { "filter", 'a kind of filter: ns.filter:add{ "%s", dev = "veth0", ingress = true, … }', all.filter.table },
    }
    for _, kind in ipairs(all.filter.table.kinds) do
        for _, field in ipairs(kind.data and kind.data.fields or {}) do
            if field.value == "tables" and field.table and field.table.kinds then
                list[#list + 1] = { "action", 'an action of filters: action = { "%s", … }', field.table }
                return list
            end
        end
    end
    return list
end

local function add_kind(out, family, kind)
    local usage = family[2]:format(kind.name)
    if out.lines[1] then out:gap() end
    out:head(kind.name .. ", " .. usage)
    if kind.data and kind.data.fields[1] then
        add_table(out, "Attributes", kind.data)
    else
        out:text "It has no attributes of its own that nsh knows."
    end
    if kind.port then add_table(out, ('Attributes of its ports (type = "%s_slave")'):format(kind.name), kind.port) end
end

local function of_kind(name)
    local out = page.new()
    for _, family in ipairs(families()) do
        for _, kind in ipairs(family[3].kinds or {}) do
            if kind.name == name:gsub("_slave$", "") then add_kind(out, family, kind) end
        end
    end
    return out.lines[1] and out
end

local function add_kinds(out, table)
    local names = {}
    for i, kind in ipairs(table.kinds or {}) do names[i] = kind.name end
    if not names[1] then return end
    out:title(("Kinds, each with attributes: help \"%s\""):format(names[1]))
    out:text(concat(names, " "))
end

-- --- objects -------------------------------------------------------------------------------------

local function add_verbs(out, object)
    local rows = {}
    for i, verb in ipairs(object.verbs) do
        local first = keys.first(object, verb)
        rows[i] = { ("%s{ %s }"):format(verb.name, first and first .. ", …" or "…"),
            ("%s (%s)"):format(verb.help or "", verb.command) }
    end
    out:title("Verbs")
    out:rows(rows)
end

--- The page about an object of a namespace: "link".
--
--     print(attributes.of_object "link")
function M.of_object(name)
    local out, object = page.new(), objects()[name]
    local verbs = object.verbs
    local list = verbs.list and ("ns.%s:list(), "):format(name) or ""
    local any = verbs.list or verbs[1]
    out:head(("%s: %sns.%s:VERB{ … }, as `%s`"):format(name, list, name, any.command:match "^%S+ %S+"))
    add_verbs(out, object)
    add_table(out, "Attributes", object.table)
    add_kinds(out, object.table)
    return out
end

--- The page about an object, or about all kinds of that name; nil if there is neither.
--
--     print(attributes.named "vxlan")
function M.named(name)
    return objects()[name] and M.of_object(name) or of_kind(name) or nil
end

--- The names of all objects and kinds.
function M.names()
    local list = {}
    for _, object in ipairs(objects()) do list[#list + 1] = object.name end
    for _, family in ipairs(families()) do
        for _, kind in ipairs(family[3].kinds or {}) do list[#list + 1] = kind.name end
    end
    return list
end

-- --- records -------------------------------------------------------------------------------------

--- The page about a record: what its fields mean.
--
--     print(attributes.of_record(host.link:get "lo", "link"))
function M.of_record(record, object)
    local out, fields = page.new(), by_name(objects()[object].table)
    out:head(("a record of %s"):format(object))
    out:text(("What `ns.%s:list()` and `get` return, with the fields of `ip -j -d`. It can be changed and given to "
        .. "`add`, also of another namespace, or to `set`; what only the kernel sets is passed over."):format(object))
    local rows = {}
    for key in next, record do
        local field = fields[key:gsub("_$", "")] or fields[key]
        rows[#rows + 1] = { key, field and text_of(field, true) or "" }
    end
    table.sort(rows, function(a, b) return a[1] < b[1] end)
    out:title "Its fields"
    out:rows(rows)
    return out
end

return M
