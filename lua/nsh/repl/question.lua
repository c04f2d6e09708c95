--- Questions at the prompt: `x?` and `x??`, the key `?` where the cursor is, and the signature that is shown while a
-- call's arguments are typed. Values are only looked at: nobody's code is run.
local context = require "nsh.repl.complete.context"
local lex = require "nsh.repl.complete.lex"
local locals = require "nsh.repl.complete.locals"
local look = require "nsh.repl.complete.look"
local scope = require("nsh.repl.locals").scope

local M = {}

-- --- what a text means ---------------------------------------------------------------------------

local joins = { ["."] = true, [":"] = true, ["["] = true, ["]"] = true, ["("] = true, [")"] = true }

-- Whether nothing but one expression of names and indices can be made of the tokens.
local function is_one(tokens)
    for i, token in ipairs(tokens) do
        local is_word = token.kind == "name"
        if is_word and i > 1 and not joins[tokens[i - 1].text] then return false end
        if token.open or token.kind == "keyword" or token.kind == "operator" and not joins[token.text] then
            return false
        end
    end
    return true
end

-- The path of an expression that a text is: names, constant indices, find "x"; nil if it is anything else.
local function path_of(text)
    local tokens = lex.tokens(text)
    return is_one(tokens) and context.path(tokens, #tokens) or nil
end

local function name_of(path)
    local last = path[#path]
    return last.key or last.name or (last.call and last.argument) or last.value
end

-- The page about what a path leads to, or about its name: `nsh.lab` may not be loaded yet.
local function page_of(path, text, known)
    local help = require "nsh.repl.help"
    local value = look.resolve(path, scope(), known)
    if type(value) == "string" and #path == 1 and path[1].value then return help.named(value) end
    if value ~= nil then return help.about(value) end
    return help.named((text:match "^%s*(.-)%s*$")) or help.named(name_of(path))
end

local function raise(text, what)
    local errors = require "nsh.errors"
    errors.raise(errors.new("ENOENT", ("there is %s %s"):format(what, errors.short(text))))
end

-- --- x? and x?? ----------------------------------------------------------------------------------

local answered -- what the key has answered just now: Enter behind it asks for nothing more

local function help_on(text)
    if text == "" then return require "nsh.repl.tour"() end
    local path = path_of(text)
    return path and page_of(path, text) or raise(text, "no help on")
end

local function source_of(text)
    local path = path_of(text)
    local value = path and look.resolve(path, scope())
    local source = type(value) == "function" and require("nsh.repl.doc").source(value)
    return source or raise(text, "no source to show of")
end

--- Answers `text?` (or `text??`), and prints the answer. Errors: ENOENT: there is nothing to tell.
--
--     question.ask("host.ping", "?")
function M.ask(text, marks)
    local was = answered
    answered = nil
    if was == text .. marks then return end
    require "nsh.show"(#marks > 1 and source_of(text) or help_on(text))
end

-- --- the cursor ----------------------------------------------------------------------------------

-- The rest of a name that the cursor stands in.
local function whole_word(before, after)
    return before .. (after:match "^[%w_]*" or "")
end

local function page_of_call(call, known)
    return call and page_of(call.path, "", known)
end

-- What can stand in the table that the cursor is in.
local function page_of_keys(c)
    local keys = require "nsh.repl.complete.keys"
    local level = c.call and c.tables and keys.level(c, scope(), c.known)
    local rows = level and keys.rows(level) or {}
    if #rows == 0 then return nil end
    return require("nsh.repl.attributes").of_rows(rows, c.key)
end

local function page_at(before, after)
    local text = whole_word(before, after)
    if not text:find "%S" then return require "nsh.repl.tour"() end
    local c = context.find(text)
    if not c or c.quote then return nil end
    c.known = locals.of(c.tokens)
    local tokens = lex.tokens(text)
    local path = c.word ~= "" and context.path(tokens, #tokens)
    if path and (#path > 1 or not c.tables) then
        local found = page_of(path, c.word, c.known)
        if found then return found end
    end
    return page_of_keys(c) or page_of_call(c.call or context.open_call(c.tokens), c.known)
end

-- Whether a question mark can be part of what is typed: in a string, a comment, or a line for another program.
local function is_text(before)
    local c = context.find(before)
    return not c or c.quote or require("nsh.repl.commands").find(before) or require("nsh.repl.mininet").find(before)
end

--- What the key `?` does: tells about what stands at the cursor, above the line, and returns true, and whether the
-- whole line is a question then; nil where it is a character like others. `times`: how often it was pressed, one after
-- the other: twice is for the source.
--
--     question.key("host.ping", "", 1)
function M.key(before, after, times)
    if is_text(before) then return nil end
    local line = before .. after
    local is_whole = path_of(line) ~= nil
    if times == 1 or not is_whole then
        print(tostring(page_at(before, after) or "nothing is known of what stands here"))
    else
        local ok, source = pcall(source_of, line)
        print(ok and source or tostring(source))
    end
    answered = is_whole and line .. (times > 1 and "??" or "?") or nil
    return true, is_whole
end

-- --- the hint ------------------------------------------------------------------------------------

-- What is called: the object's name in place of any.
local function signature_of(fn, self)
    local about = require("nsh.repl.doc").of(fn)
    if not about then return (require("nsh.repl.library").of(fn)) end
    local object = about.name:find("OBJECT", 1, true) and require("nsh.repl.complete.receiver").object(self)
    return object and about.signature:gsub("OBJECT", object) or about.signature
end

--- The signature of the call whose arguments are being typed at the end of `text`; nil if there is none, or it is not
-- known.
--
--     question.signature 'host:ping("10.0.0.1", '     --> ns:ping(addresses, opts)
function M.signature(text)
    local tokens = lex.tokens(text)
    local call = context.open_call(tokens)
    if not call then return nil end
    local fn, self = look.resolve(call.path, scope(), locals.of(tokens))
    return type(fn) == "function" and signature_of(fn, self) or nil
end

local LEAST, MARGIN = 12, 8 -- columns: of a hint, and what stays free at the right

--- The hint behind `text`, which has the cursor at its end, and how many columns it takes; nil if there is none, or no
-- room in that row of the terminal. `prompt`, `screen`: the columns of the prompt and of the terminal.
--
--     question.hint("host:ping(", 5, 80)
function M.hint(text, prompt, screen)
    local width = require "nsh.show.width"
    local last = text:match "[^\n]*$"
    local column = (width.columns(last) + (#last == #text and prompt or 0)) % screen
    local room = screen - column - MARGIN
    if room < LEAST or column == 0 or last:find "%c" then return nil end
    local signature = M.signature(text)
    if not signature then return nil end
    local shown = width.cut(width.printable(signature), room)
    return shown, width.columns(shown)
end

return M
