--- The words that a piece of Lua is made of, and what they say about it without running it.
local lex = require "nsh.repl.complete.lex"

local M = {}

-- What opens a block that `end` or `until` closes.
local opens = { ["function"] = true, ["do"] = true, ["if"] = true, ["repeat"] = true }
local closes = { ["end"] = true, ["until"] = true }

--- The words of a text, in order: the tokens of nsh.repl.complete.lex without comments, each with its `text` and
-- `depth`: how many blocks it is in. Text that is no Lua gives some words all the same.
--
--     tokens.of "x = 1"   --> { { kind = "name", text = "x", first = 1, last = 1, depth = 0 }, … }
function M.of(text)
    local words, depth = {}, 0
    for _, word in ipairs(lex.tokens(text)) do
        local is_keyword = word.kind == "keyword"
        word.text = text:sub(word.first, word.last)
        if is_keyword and closes[word.text] then depth = depth - 1 end
        word.depth = depth
        if is_keyword and opens[word.text] then depth = depth + 1 end
        if word.kind ~= "comment" then words[#words + 1] = word end
    end
    return words
end

--- The names behind word `i`, which are divided by commas and may have attributes, as a list of { name, attribute };
-- and the number of the word behind them.
--
--     tokens.names_behind(tokens.of "local x, y = 1", 1)   --> { { name = "x" }, { name = "y" } }, 5
function M.names_behind(words, i)
    local names = {}
    repeat
        local name = words[i + 1]
        if not name or name.kind ~= "name" then break end
        local has_attribute = words[i + 2] and words[i + 2].text == "<" and words[i + 3]
        names[#names + 1] = { name = name.text, attribute = has_attribute and words[i + 3].text or nil }
        i = i + (has_attribute and 5 or 2)
    until not words[i] or words[i].text ~= ","
    return names, i
end

--- The locals of the outermost block, as a list of { name, attribute } in the order of their declaration.
--
--     tokens.locals(tokens.of "local x <const>, y = 1, 2")
--     --> { { name = "x", attribute = "const" }, { name = "y" } }
function M.locals(words)
    local found = {}
    for i, word in ipairs(words) do
        if word.text == "local" and word.kind == "keyword" and word.depth == 0 then
            local behind = words[i + 1] and words[i + 1].text == "function" and i + 1 or i
            table.move(M.names_behind(words, behind), 1, 255, #found + 1, found)
        end
    end
    return found
end

--- The word `return` that ends the outermost block, or nil.
--
--     tokens.last_return(tokens.of "return x").first   --> 1
function M.last_return(words)
    for i = #words, 1, -1 do
        local word = words[i]
        if word.kind == "keyword" and word.text == "return" and word.depth == 0 then return word end
    end
end

--- Whether a `return` stands in a block of the chunk itself, not of a function in it.
--
--     tokens.returns_early(tokens.of "if x then return end")   --> true
function M.returns_early(words)
    local outside -- the depth of the outermost function
    for _, word in ipairs(words) do
        local text = word.kind == "keyword" and word.text
        if not outside and text == "return" and word.depth > 0 then return true end
        if not outside and text == "function" then
            outside = word.depth
        elseif text == "end" and word.depth == outside then
            outside = nil
        end
    end
    return false
end

--- The names that a text mentions as variables or as keys in braces, not behind a dot or a colon: name -> true.
--
--     tokens.mentioned(tokens.of "a.b").a   --> true
function M.mentioned(words)
    local names = {}
    for i, word in ipairs(words) do
        local before = words[i - 1] and words[i - 1].text
        if word.kind == "name" and before ~= "." and before ~= ":" then names[word.text] = true end
    end
    return names
end

return M
