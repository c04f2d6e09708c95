--- Locals at the prompt: one that a chunk has declared is there in those behind it, as in one long script.
--
-- A chunk that declares locals ends by handing over a function that names them, and so holds its upvalues. A later
-- chunk that mentions such a name is compiled inside a function with locals of those names, and gets these upvalues in
-- their place (debug.upvaluejoin): it reads and writes the same variable as everybody who has it. Constants have no
-- upvalue, but a value that does not change.
local tokens = require "nsh.repl.tokens"

local M = {}

-- No name of a user's.
local KEEP = "_nsh_keep"

-- How many names one chunk can have from others, of the 200 locals that Lua allows in a function.
local MOST = 150

-- name -> { fn, index of its upvalue } or { value = … }, a constant
local kept = {}

-- --- what a chunk leaves ---------------------------------------------------------------------------

-- The names that can be kept, and those that cannot: what is closed with its chunk, and what names are looked up in.
local function divide(declared)
    local names, lost, seen = {}, {}, {}
    for i = #declared, 1, -1 do
        local name, attribute = declared[i].name, declared[i].attribute
        if not seen[name] then
            local list = (attribute == "close" or name == "_ENV") and lost or names
            table.insert(list, 1, { name = name, attribute = attribute })
        end
        seen[name] = true
    end
    return names, lost
end

local function list_of(names)
    local words = {}
    for i, one in ipairs(names) do words[i] = type(one) == "table" and one.name or one end
    return table.concat(words, ", ")
end

-- What is called at the end of a chunk, and notes in `outcome` that it was.
local function keeper(names, outcome)
    return function(fn)
        outcome.missed = nil
        local values, upvalues, i = table.pack(fn()), {}, 1
        while debug.getupvalue(fn, i) do
            upvalues[debug.getupvalue(fn, i)] = i
            i = i + 1
        end
        for n, one in ipairs(names) do
            local is_constant = one.attribute == "const"
            kept[one.name] = is_constant and { value = values[n], constant = true } or { fn, upvalues[one.name] }
        end
    end
end

-- --- what a chunk finds ----------------------------------------------------------------------------

-- The kept names that are mentioned: variables, constants, and the constants' values.
local function found_by(words)
    local variables, constants, values, count = {}, {}, {}, 0
    for name in pairs(tokens.mentioned(words)) do
        local one = kept[name]
        if one and count < MOST then
            local list = one.constant and constants or variables
            list[#list + 1] = name
            if one.constant then values[#list] = one.value end
            count = count + 1
        end
    end
    return variables, constants, values
end

local function join(fn)
    local i = 1
    while true do
        local name = debug.getupvalue(fn, i)
        if not name then return fn end
        local one = kept[name]
        if one and not one.constant then debug.upvaluejoin(fn, i, one[1], one[2]) end
        i = i + 1
    end
end

-- `text` as a function that has these names around it. All on the first line, so that lines keep their numbers.
local function around(text, variables, constants)
    local parts = { "local ", KEEP, " <const>" }
    for _, name in ipairs(constants) do parts[#parts + 1] = ", " .. name .. " <const>" end
    parts[#parts + 1] = " = ... "
    if variables[1] then parts[#parts + 1] = "local " .. table.concat(variables, ", ") .. " " end
    parts[#parts + 1] = "return function(...) " .. text .. "\nend"
    return table.concat(parts)
end

-- `text` with the call behind it, or before the `return` that ends it, that hands over its locals.
local function with_keeper(text, words, names)
    if not names[1] then return text end
    local call = ("%s(function() return %s end)"):format(KEEP, list_of(names))
    local last = tokens.last_return(words)
    if not last then return text .. "\n" .. call end
    return text:sub(1, last.first - 1) .. " " .. call .. " " .. text:sub(last.first)
end

-- --- public ----------------------------------------------------------------------------------------

--- Compiles a chunk that is known to be Lua, with the locals of earlier ones around it. `plain`: what it was compiled
-- to alone; `words`: those of tokens.of. Returns the function, the names of the locals that will not be there
-- behind it ("" for none), and { missed }: the names of those that are there only once it has come to its end, nil
-- from then on; or nil and an error: a constant is assigned to.
--
--     locals.compile("x = x + 1", words, "=stdin", plain)
function M.compile(text, words, name, plain)
    local names, lost = divide(tokens.locals(words))
    local variables, constants, values = found_by(words)
    local outcome = { missed = names[1] and list_of(names) }
    if not (names[1] or variables[1] or constants[1]) then return plain, list_of(lost), outcome end
    local outer, message = load(around(with_keeper(text, words, names), variables, constants), name, "t")
    if not outer and names[1] then -- a goto that leads to its end, or more locals than Lua allows
        outer, message = load(around(text, variables, constants), name, "t")
        table.move(names, 1, #names, #lost + 1, lost)
        outcome.missed = nil
    end
    if not outer then return nil, message end
    return join(outer(keeper(names, outcome), table.unpack(values, 1, #constants))), list_of(lost), outcome
end

--- The value of a local that is kept, for completion and help: whether there is one of that name, and its value.
--
--     local found, value = locals.get "x"
function M.get(name)
    local one = kept[name]
    if not one then return false end
    if one.constant then return true, one.value end
    return true, select(2, debug.getupvalue(one[1], one[2]))
end

--- What names mean at the prompt, for completion and help: a table of the locals, with the globals behind it.
--
--     locals.scope().host
function M.scope()
    local own = {}
    for name in pairs(kept) do own[name] = select(2, M.get(name)) end
    return setmetatable(own, { __index = _G })
end

return M
