--- Where in an expression the cursor is: which call's table, which key, which argument. Nothing is looked up
-- here, so that it works on any text.
local lex = require "nsh.repl.complete.lex"

local M = {}

local opens = { ["("] = ")", ["{"] = "}", ["["] = "]" }
local closes = { [")"] = "(", ["}"] = "{", ["]"] = "[" }

local function is(token, text)
    return token and token.text == text and token.kind ~= "name"
end

-- Whether an expression that can be called or indexed ends with this token.
local function ends_expression(token)
    return token and (token.kind == "name" or (token.kind == "string" and not token.open) or is(token, ")") or
        is(token, "]"))
end

-- --- paths ---------------------------------------------------------------------------------------

-- The value of the tokens first … last if they are one constant.
local function constant(tokens, first, last)
    local token = tokens[last]
    if first == last and (token.kind == "string" or token.kind == "number") and not token.open then
        return token.value
    elseif first == last and (is(token, "true") or is(token, "false")) then
        return token.text == "true"
    elseif last == first + 1 and is(tokens[first], "-") and token.kind == "number" and token.value then
        return -token.value
    end
end

-- The bracket that the one at `i` closes.
local function opening(tokens, i)
    local depth = 0
    for at = i, 1, -1 do
        local text = tokens[at].kind == "operator" and tokens[at].text
        if closes[text] then depth = depth + 1 elseif opens[text] then depth = depth - 1 end
        if depth == 0 then return at end
    end
end

-- One step off the end of the expression at `i`: what it is, and where the rest ends.
local function last_step(tokens, i)
    local token, before = tokens[i], tokens[i - 1]
    if token.kind == "name" and (is(before, ".") or is(before, ":")) then
        return { key = token.text, method = is(before, ":") }, i - 2
    elseif token.kind == "name" then
        return { name = token.text }, 0
    elseif token.kind == "string" and ends_expression(before) then
        return { call = true, argument = token.value }, i - 1
    end
    local at = (is(token, "]") or is(token, ")")) and opening(tokens, i)
    if not at then return nil end
    local inside = constant(tokens, at + 1, i - 1)
    if is(token, "]") then
        if inside ~= nil then return { key = inside }, at - 1 end
    elseif ends_expression(tokens[at - 1]) then
        return { call = true, argument = inside }, at - 1
    elseif type(inside) == "string" then
        return { value = inside }, 0
    end
end

--- The steps that lead to the value of the expression that ends with token `i`; nil if it is not made of
-- names, constant indices and calls: { { name = "lab" }, { key = "find", method = true }, { call = true,
-- argument = "app3" } }, or { value = } for a constant as the first.
function M.path(tokens, i)
    local path = {}
    while i and i > 0 do
        if not ends_expression(tokens[i]) then return nil end
        local step
        step, i = last_step(tokens, i)
        if not step then return nil end
        table.insert(path, 1, step)
    end
    return path[1] and (path[1].name or path[1].value) and path or nil
end

-- --- brackets ------------------------------------------------------------------------------------

-- The key that an item of a table begins with, and where its value begins.
local function item_key(tokens, first, last)
    local token = tokens[first]
    if first < last and token.kind == "name" and is(tokens[first + 1], "=") then return token.text, first + 2 end
    if first + 3 <= last and is(token, "[") and is(tokens[first + 2], "]") and is(tokens[first + 3], "=") then
        return tokens[first + 1].value, first + 4
    end
end

-- What is known of the item that ends before token `i` goes into the frame's `given`: constants, paths
-- (tables), or true.
local function end_item(tokens, frame, i)
    if frame.open == "{" and frame.item < i then
        local key, at = item_key(tokens, frame.item, i - 1)
        if not key then
            frame.position = frame.position + 1
            key, at = frame.position, frame.item
        end
        local value = constant(tokens, at, i - 1)
        if value == nil then value = M.path(tokens, i - 1) end
        frame.given[key] = value == nil and true or value
    end
    frame.item, frame.argument = i + 1, frame.argument + 1
end

-- The brackets that are open at the end of the tokens, the innermost last.
local function open_brackets(tokens)
    local frames = {}
    for i, token in ipairs(tokens) do
        local text, top = token.kind == "operator" and token.text, frames[#frames]
        if opens[text] then
            frames[#frames + 1] = { open = text, at = i, item = i + 1, argument = 1, position = 0, given = {} }
        elseif closes[text] and top and top.open == closes[text] then
            frames[#frames] = nil
        elseif top and (text == "," or text == ";") then
            end_item(tokens, top, i)
        end
    end
    return frames
end

-- --- calls ---------------------------------------------------------------------------------------

local function call(tokens, last, argument, in_brackets)
    local path = M.path(tokens, last)
    return path and { path = path, argument = argument, in_brackets = in_brackets }
end

-- The call whose argument the frame's table is, and the tables on the way to it. Each but the first has
-- the `key` under which it stands in the one before.
local function tables_of(tokens, frames)
    local tables = {}
    for n = #frames, 1, -1 do
        local frame, outer, before = frames[n], frames[n - 1], tokens[frames[n].at - 1]
        if frame.open ~= "{" then return nil end
        local one = { given = frame.given }
        table.insert(tables, 1, one)
        if ends_expression(before) then return call(tokens, frame.at - 1, 1), tables end
        if not outer or outer.at >= frame.at then return nil end
        if outer.open == "(" and (is(before, "(") or is(before, ",")) and ends_expression(tokens[outer.at - 1]) then
            return call(tokens, outer.at - 1, outer.argument, true), tables
        end
        local key, at
        if outer.item < frame.at then key, at = item_key(tokens, outer.item, frame.at - 1) end
        if outer.item < frame.at and at ~= frame.at then return nil end
        one.key = key or outer.position + 1
    end
end

-- In a table: at a key (or a value without one), at the value of a key, or in an expression.
local function in_table(c, tokens, frames)
    local frame = frames[#frames]
    c.call, c.tables = tables_of(tokens, frames)
    if frame.item > #tokens then
        c.what, c.position = "item", frame.position + 1
        return
    end
    local key, at = item_key(tokens, frame.item, #tokens)
    if key and at > #tokens then c.what, c.key = "value", key else c.call, c.tables = nil, nil end
end

local function in_brackets(c, tokens, frame)
    local last = tokens[#tokens]
    if frame.open == "[" and last == tokens[frame.at] and ends_expression(tokens[frame.at - 1]) then
        c.what, c.owner = "index", M.path(tokens, frame.at - 1)
    elseif frame.open == "(" and (is(last, "(") or is(last, ",")) and ends_expression(tokens[frame.at - 1]) then
        c.what, c.call = "argument", call(tokens, frame.at - 1, frame.argument, true)
    end
end

--- The innermost call that is open at the end of the tokens, with brackets, a table or a text; as `call` of M.find.
function M.open_call(tokens)
    local last = #tokens
    if last > 0 and tokens[last].kind == "string" and tokens[last].open then
        last = last - 1
        if ends_expression(tokens[last]) then return call(tokens, last, 1) end
    end
    local frames = open_brackets(table.move(tokens, 1, last, 1, {}))
    for n = #frames, 1, -1 do
        local frame = frames[n]
        local found = frame.open ~= "[" and ends_expression(tokens[frame.at - 1]) and
            call(tokens, frame.at - 1, frame.argument, frame.open == "(")
        if found then return found end
    end
end

-- --- the cursor ----------------------------------------------------------------------------------

-- Takes the word at the cursor off the tokens.
local function take_word(tokens, text)
    local last = tokens[#tokens]
    if last and last.kind == "string" and last.open then
        tokens[#tokens] = nil
        return { word = last.value, start = last.body, quote = last.open }
    elseif last and (last.kind == "name" or last.kind == "keyword") and last.last == #text then
        tokens[#tokens] = nil
        return { word = last.text, start = last.first }
    elseif last and (last.open or (last.kind == "number" and last.last == #text)) then
        return nil -- a comment, or in the middle of a number
    end
    return { word = "", start = #text + 1 }
end

local function surroundings(c, tokens)
    local last, frames = tokens[#tokens], open_brackets(tokens)
    local frame = frames[#frames]
    if not c.quote and (is(last, ".") or is(last, ":")) then
        c.what, c.owner = last.text == "." and "field" or "method", M.path(tokens, #tokens - 1)
    elseif c.quote and ends_expression(last) then
        c.what, c.call = "argument", call(tokens, #tokens, 1)
    elseif frame and frame.open == "{" then
        in_table(c, tokens, frames)
    elseif frame then
        in_brackets(c, tokens, frame)
    end
    c.what = c.what or "expression"
end

--- What could be completed at the end of `text`: nil in a comment or a number, else { word = what is there of
-- it, start = its first byte, quote = with what it was opened if it is a string, tokens = those before it,
-- what = … }, where `what` is one of
--
--  - "field", "method": of the value at the path `owner` (nil: unknown), behind a dot or a colon;
--  - "index": a key of `owner` in brackets;
--  - "item": a key of a table, or a value without one at `position`;
--  - "value": that of the `key` of a table;
--  - "argument": one of `call`;
--  - "expression": anything else.
--
-- `call` is { path = of the function, argument = which, in_brackets = whether it has them }; `tables`, of
-- "item" and "value", are those on the way from the call to the cursor, each { given = the keys that it has
-- before the cursor: constants, paths or true, key = where it stands in the one before }.
function M.find(text)
    local tokens = lex.tokens(text)
    local c = take_word(tokens, text)
    if not c then return nil end
    c.tokens = tokens
    surroundings(c, tokens)
    return c
end

return M
