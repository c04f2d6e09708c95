--- What is typed as something that can be called: an expression, or statements.
local excerpt = require "nsh.excerpt"
local tokens = require "nsh.repl.tokens"
local locals = require "nsh.repl.locals"

local M = {}

local RETURN = "return "

-- The text without the semicolons at its end, and whether there were any.
local function without_semicolons(text, words)
    local n = #words
    while n > 0 and words[n].text == ";" do n = n - 1 end
    if n == #words then return text, false end
    return text:sub(1, n > 0 and words[n].last or 0), true
end

-- How far the compiler got: the line and the byte in it.
local function reached(source, message)
    local _, number, rest = excerpt.place(message)
    return number or 0, number and excerpt.syntax(source, number, rest) or 0
end

-- Of the two errors of a text, as an expression and as statements, the one that is farther on says more.
local function better(text, as_expression, as_statements)
    local line, byte = reached(text, as_statements)
    local other_line, other_byte = reached(RETURN .. text, as_expression)
    if other_line == 1 then other_byte = other_byte - #RETURN end
    local is_farther = other_line > line or other_line == line and other_byte > byte
    if is_farther then return as_expression, RETURN .. text, #RETURN end
    return as_statements, text, 0
end

--- Compiles a text under a chunk name. Returns { fn, silent, lost }: `silent`: a semicolon at its end says that
-- nothing is shown; `is_expression`; `lost`: the names of locals that will not be there behind it; `outcome`: that of
-- locals.compile. Or nil, the error, the source that it is about, and how many bytes of that nobody typed.
--
--     chunk.compile("1 + 1;", "=stdin")
function M.compile(text, name)
    local words = tokens.of(text)
    local body, silent = without_semicolons(text, words)
    local whole = RETURN .. body
    local plain, not_expression = load(whole, name, "t")
    if not plain then
        local not_statements
        whole = text
        plain, not_statements = load(text, name, "t")
        if not plain then return nil, better(text, not_expression, not_statements) end
    end
    local fn, lost, outcome = locals.compile(whole, words, name, plain)
    if not fn then return nil, lost, text, 0 end
    return { fn = fn, silent = silent, lost = lost, outcome = outcome, is_expression = whole ~= text }
end

return M
