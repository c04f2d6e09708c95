--- Options that a function takes in a table: defaults, limits, and words for what is none.
--
-- A list of rows, one an option, in the order in which an error names them: { name, type = what Lua's
-- type() says (default "number"), default =, min =, max = (limits of a number), whole = (an integer),
-- words = (the only texts that are valid), valid = what is valid, in words, means = what a text names: "interface",
-- "address", "netns", "node", "file" (as completion offers them) }.
local errors = require "nsh.errors"

local M = {}

local function is_one_of(words, value)
    for _, word in ipairs(words) do
        if word == value then return true end
    end
    return false
end

local function is_valid(row, value)
    if type(value) ~= (row.type or "number") then return false end
    if row.words then return is_one_of(row.words, value) end
    if type(value) ~= "number" then return true end
    return value >= row.min and value <= row.max and (not row.whole or math.tointeger(value) ~= nil)
end

--- A caller's value as Lua writes it, for an error.
function M.quote(value)
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

local function names(rows)
    local list = {}
    for i, row in ipairs(rows) do list[i] = row[1] end
    local last = table.remove(list)
    return #list > 0 and table.concat(list, ", ") .. " and " .. last or last
end

local function find(rows, key)
    for _, row in ipairs(rows) do
        if row[1] == key then return row end
    end
end

-- The error, or nil.
local function check(rows, key, value)
    local row = find(rows, key)
    if not row then
        return errors.new("EINVAL", ("%s is no option; there are %s"):format(M.quote(key), names(rows)))
    elseif not is_valid(row, value) then
        return errors.new("EINVAL", ("%s is %s, not %s"):format(key, row.valid, M.quote(value)))
    end
end

local declared = setmetatable({}, { __mode = "k" })

--- Notes what a function takes in its tables, for completion and help. `rows`: its options; `more`: what else there
-- is: first (what a value without a key `means`, as of a row), words (those that it can be), link (a table of the
-- fields of a link as well, of that kind: "veth"; "" if the table says which), peer (rows of the table `peer`).
-- Returns the function.
--
--     options.declare(M.ping, rows, { first = "address" })
function M.declare(fn, rows, more)
    declared[fn] = { rows = rows, first = more and more.first, words = more and more.words, link = more and more.link,
        peer = more and more.peer }
    return fn
end

--- Notes that a function takes what another one does, which `other` returns: that may have to be loaded.
--
--     options.like(methods.run, function() return require("nsh.process").spawn end)
function M.like(fn, other) declared[fn] = other end

--- What was declared of a function, or nil.
function M.of(fn)
    local found = declared[fn]
    if type(found) == "function" then return M.of(found()) end
    return found
end

--- Rows of options that only have a type: { output = "boolean", … }.
function M.rows(types)
    local rows = {}
    for name, type in pairs(types) do rows[#rows + 1] = { name, type = type } end
    table.sort(rows, function(a, b) return a[1] < b[1] end)
    return rows
end

--- A new table with the options of `opts`, and the defaults of those that are not there. Raises EINVAL
-- with the key; `op` and `netns` as for `errors.raise`.
--
--     local opts = options.complete({ { "count", default = 1, min = 1, max = 9, valid = "1 to 9" } },
--         { count = 3 }, "ping")
function M.complete(rows, opts, op, netns)
    local result = {}
    if type(opts) ~= "table" then
        errors.raise(errors.new("EINVAL", ("options are a table, as in { %s = … }, not %s"):format(rows[1][1],
            M.quote(opts))), op, netns)
    end
    for _, row in ipairs(rows) do result[row[1]] = row.default end
    for key, value in pairs(opts) do
        local err = check(rows, key, value)
        if err then
            err.key = tostring(key)
            errors.raise(err, op, netns)
        end
        result[key] = value
    end
    return result
end

return M
