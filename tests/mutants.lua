-- Writes copies of a script, each without one step: a statement that changes something, or a field of such
-- a call that is a step of its own.   lua5.4 mutants.lua SCRIPT FOLDER
-- They are FOLDER/1.lua, FOLDER/2.lua…; line N of the output says what N.lua lacks.

local function set(words)
    local all = {}
    for word in words:gmatch "%S+" do all[word] = true end
    return all
end

-- What a statement that is a step calls last. Flushing a cache is none: it keeps a check from being lucky.
local STEPS = set [[
    add del set replace append new unshare up down remove
    link addr route neigh rule vlan fdb qdisc sysctl
    connect bridge switch uplink file run spawn
    nft masquerade snat dnat forward
]]

-- The fields that are a command of their own, by what is called.
local DECLARED = set "addr via master up remote"
local FIELDS = {
    connect = DECLARED, bridge = DECLARED, switch = DECLARED, link = DECLARED, add = set "master up",
}

local KEYWORDS = set [[
    and break do else elseif end false for function goto if in local nil not or repeat return then true until while
]]
local BEFORE_STATEMENT = set "do then else repeat end nil true false ; ) } ] ..."
local OPENS, CLOSES = set "function if do repeat", set "end until"
local BRACKETS = { ["("] = ")", ["{"] = "}", ["["] = "]" }

-- --- tokens -------------------------------------------------------------------------------------------

-- Each is a kind of token and how it is found; an empty capture at the end says where it ends.
local PATTERNS = {
    { "blank", "^%s+()" },
    { "blank", "^%-%-%[(=*)%[.-%]%1%]()" },
    { "blank", "^%-%-[^\n]*()" },
    { "string", "^%[(=*)%[.-%]%1%]()" },
    { "name", "^[%a_][%w_]*()" },
    { "number", "^%d[%w.]*()" },
    { "symbol", "^%.%.%.()" },
    { "symbol", "^[=~<>./:][=./:]()" },
    { "symbol", "^.()" },
}

local function find_quoted_end(source, from)
    local quote, at = source:sub(from, from), from + 1
    while source:sub(at, at) ~= quote do
        at = at + (source:sub(at, at) == "\\" and 2 or 1)
    end
    return at + 1
end

-- The kind of the token at `from`, and where the next one begins.
local function read_token(source, from)
    if source:find("^[\"']", from) then return "string", find_quoted_end(source, from) end
    for _, row in ipairs(PATTERNS) do
        local found = { source:match(row[2], from) }
        if found[1] then return row[1], found[#found] end
    end
end

local function tokenize(source)
    local tokens, from = {}, (source:match "^#[^\n]*()" or 1)
    while from <= #source do
        local kind, after = read_token(source, from)
        local text = source:sub(from, after - 1)
        if kind == "name" and KEYWORDS[text] then kind = "keyword" end
        if kind ~= "blank" then
            tokens[#tokens + 1] = { kind = kind, text = text, from = from, to = after - 1 }
        end
        from = after
    end
    return tokens
end

local source, tokens

local function text(i) return tokens[i] and tokens[i].text end

local function kind(i) return tokens[i] and tokens[i].kind end

-- The index of the bracket that closes the one at i; i itself if it is none.
local function close_of(i)
    local open, shut, depth = text(i), BRACKETS[text(i)], 0
    if not shut or kind(i) == "string" then return i end
    for j = i, #tokens do
        local same = kind(j) == "symbol" and text(j)
        depth = depth + (same == open and 1 or same == shut and -1 or 0)
        if depth == 0 then return j end
    end
end

-- --- steps --------------------------------------------------------------------------------------------

-- Reads what is called on what, from a name on: `lab:node("app3"):connect{ … }`. Gives the indexes of its
-- last token and of the arguments of its last call (nil if it is no call), and the name that is called.
local function read_chain(i)
    local name, arguments = text(i), nil
    while true do
        local after = text(i + 1)
        if (after == "." or after == ":") and kind(i + 2) == "name" then
            i, name, arguments = i + 2, text(i + 2), nil
        elseif kind(i + 1) == "string" or after == "(" or after == "{" then
            arguments = i + 1
            i = close_of(arguments)
        elseif after == "[" then
            i, arguments = close_of(i + 1), nil
        else
            return i, arguments, name
        end
    end
end

local function begins_statement(i)
    local before = kind(i - 1)
    return not before or before == "name" or before == "string" or before == "number" or BEFORE_STATEMENT[text(i - 1)]
end

-- What a new namespace has as a sysctl depends on the machine, so that the first call for a key makes a known
-- start; only those behind it are steps.
local started = {}

local function changes(name, arguments)
    if not arguments or not STEPS[name] then return false end
    if name ~= "sysctl" then return true end
    local key = text(arguments + 1)
    local is_step = started[key] and text(arguments + 2) == ","
    started[key] = true
    return is_step
end

-- The index of a field's last token: its value ends at a comma or at the table's end.
local function field_end(i)
    local blocks = 0
    repeat
        i = close_of(i + 1)
        blocks = blocks + (OPENS[text(i)] and 1 or CLOSES[text(i)] and -1 or 0)
        local after = text(i + 1)
    until blocks == 0 and (after == "," or after == ";" or after == "}")
    return text(i + 1) == "}" and i or i + 1
end

local function is_field(i, fields)
    local before = text(i - 1)
    return fields[text(i)] and text(i + 1) == "=" and (before == "{" or before == "," or before == ";")
end

-- Gives the first and last token of each step.
local function find_steps()
    local steps, seen = {}, {}
    local function add(first, last)
        if not seen[first] then steps[#steps + 1] = { first, last } end
        seen[first] = true
    end
    for i = 1, #tokens do
        local starts = kind(i) == "name" and text(i - 1) ~= "." and text(i - 1) ~= ":"
        local last, arguments, name
        if starts then last, arguments, name = read_chain(i) end
        if starts and changes(name, arguments) then
            if begins_statement(i) then add(i, last) end
            for j = i, last do
                if is_field(j, FIELDS[name] or {}) then add(j, field_end(j + 1)) end
            end
        end
    end
    return steps
end

-- The script without a step, its lines where they were.
local function without(first, last)
    local from, to = tokens[first].from, tokens[last].to
    local lines = source:sub(from, to):gsub("[^\n]", "")
    return source:sub(1, from - 1) .. lines .. source:sub(to + 1)
end

local function title(first, last)
    local _, line = source:sub(1, tokens[first].from):gsub("\n", "")
    local words = source:sub(tokens[first].from, tokens[last].to):gsub("%s+", " "):gsub(",$", "")
    return ("line %d: %s"):format(line + 1, words)
end

local input <close> = assert(io.open(arg[1]))
source = input:read "a"
tokens = tokenize(source)
local count = 0
for _, step in ipairs(find_steps()) do
    local mutant = without(step[1], step[2])
    if load((mutant:gsub("^#", "--"))) then
        count = count + 1
        local output <close> = assert(io.open(("%s/%d.lua"):format(arg[2], count), "w"))
        output:write(mutant)
        print(title(step[1], step[2]))
    end
end
