--- Doc comments: what stands above a function in its source, for `help`, hints and tests; nobody's code is run.
--
-- A comment is paragraphs of prose, in which "Errors:" begins what may be raised, up to the end of the paragraph;
-- a list of "- `key`: what it means" describes a table of arguments; and what is indented by four is an example.
-- That is Markdown, so that LDoc reads the same.
local names = require "nsh.repl.names"
local source = require "nsh.repl.source"

local M = {}

-- --- comments --------------------------------------------------------------------------------------

-- The lines of the comment that ends before line `number`, without dashes, and where it begins; nil if it is no doc
-- comment.
local function comment_above(lines, number)
    local first = number
    while first > 1 and lines[first - 1]:find "^%s*%-%-" do first = first - 1 end
    if first == number or not lines[first]:find "^%s*%-%-%-[^-]" then return nil end
    local text = {}
    for i = first, number - 1 do text[#text + 1] = lines[i]:gsub("^%s*%-%-%-? ?", "") end
    return text, first
end

local forms = { -- of a line: what block it is part of, and what of it counts
    { "^    (.*)", "code" }, { "^%- (.*)", "item" }, { "^  (.*)", "more" }, { "^(%S.*)", "text" },
}

local function form_of(line)
    for _, form in ipairs(forms) do
        local rest = line:match(form[1])
        if rest then return form[2], rest end
    end
end

-- Blocks of a comment: { kind = "text" | "item" | "code", text }, in their order.
local function blocks_of(lines)
    local blocks, open = {}, nil
    for _, line in ipairs(lines) do
        local kind, rest = form_of(line)
        if kind == "more" then kind = open and open.kind or "text" end
        if not kind then
            open = nil
        elseif open and open.kind == kind and not line:find "^%- " then
            open.text = open.text .. (kind == "code" and "\n" or " ") .. rest
        else
            open = { kind = kind, text = rest }
            blocks[#blocks + 1] = open
        end
    end
    return blocks
end

-- Takes "Errors: …" off the end of a paragraph.
local function take_errors(block)
    local before, errors = block.text:match "^(.-)%f[%a]Errors?: (.*)$"
    if not before then return nil end
    block.text = before:match "^(.-)%s*$"
    return errors
end

local function parse(lines)
    local result, examples, errors = {}, {}, {}
    for _, block in ipairs(blocks_of(lines)) do
        if block.kind == "code" then examples[#examples + 1] = block.text end
        if block.kind == "text" then errors[#errors + 1] = take_errors(block) end
        if block.text ~= "" and block.kind ~= "code" then result[#result + 1] = block end
    end
    result.summary = result[1] and (result[1].text:match "^.-%.%f[%s\0]" or result[1].text) or ""
    result.errors = errors[1] and table.concat(errors, " ")
    result.example = examples[1] and table.concat(examples, "\n")
    return result
end

-- --- functions -------------------------------------------------------------------------------------

local function split(params)
    local list = {}
    for word in params:gmatch "[%w_.]+" do list[#list + 1] = word end
    return list
end

-- What a line that begins a function says: the table that it is put into, its name, and its parameters.
local function header(line, module)
    local owner, mark, name, params = line:match "^%s*function ([%w_]+)([.:])([%w_]+)%((.-)%)"
    if owner then return owner, name, split((mark == ":" and "self," or "") .. params) end
    name, params = line:match "^%s*local function ([%w_]+)%((.-)%)"
    if name then return nil, name, split(params) end
    name, params = line:match "^%s*function ([%w_]+)%((.-)%)"
    if not name then name, params = line:match "([%w_]+)%s*=%s*function%((.-)%)" end
    if name then return nil, name, split(params) end
    params = line:match "^return function%((.-)%)"
    if params then return nil, module:match "[^.]+$", split(params) end
end

-- The same of a function whose line does not say it.
local function bare_header(fn)
    local info, params = debug.getinfo(fn, "u"), {}
    for i = 1, info.nparams do params[i] = debug.getlocal(fn, i) end
    if info.isvararg then params[#params + 1] = "..." end
    return nil, "function", params
end

local function is_told_of(comment, word)
    return table.concat(comment, "\n"):find(word, 1, true)
end

-- What a function takes beyond its arguments, only to refuse it, is none.
local function describe(lines, number, module, fn)
    local owner, name, params = header(lines[number], module)
    if not name and fn then owner, name, params = bare_header(fn) end
    if not name then return nil end
    local comment, first = comment_above(lines, number)
    local doc = comment and parse(comment) or { summary = "" }
    if comment and params[#params] == "..." and not is_told_of(comment, "...") then table.remove(params) end
    doc.name, doc.params = names.of(module, owner, name, params)
    doc.signature = ("%s(%s)"):format(doc.name, table.concat(doc.params, ", "))
    doc.where, doc.first, doc.documented = ("%s:%d"):format(module, number), first or number, comment ~= nil
    return doc
end

-- What a function passes its calls on to, as a doc.
local function forwarded(fn, upvalues)
    for i = 1, debug.getinfo(fn, "u").nups do
        local name, value = debug.getupvalue(fn, i)
        local before = upvalues[name]
        if before then return type(value) == "function" and M.of(value) or M.find(before .. value) end
    end
end

--- What is written above a function, and in its first line: a list of blocks { kind = "text" or "item", text = },
-- with name ("ns:ping"), params (a list of names), signature, summary (the first sentence), errors and example (nil if
-- there is none), where ("nsh.ping:129"), documented. nil for a function of C, and one whose source is not to be read.
--
--     print(doc.of(host.ping).signature)      --> ns:ping(addresses, opts)
function M.of(fn)
    local lines, first, _, module = source.of(fn)
    return lines and (forwarded(fn, names.forwards[module] or {}) or describe(lines, first, module, fn))
end

--- The source of a function, its comment as well, as text; nil if it cannot be read.
--
--     print(doc.source(nsh.go))
function M.source(fn)
    local lines, first, last = source.of(fn)
    if not lines then return nil end
    local _, above = comment_above(lines, first)
    return table.concat(lines, "\n", above or first, last)
end

--- The head of a module: what its things are; as doc.of, without what only a function has.
--
--     print(doc.module("nsh.ping").summary)
function M.module(name)
    local lines = source.module(name)
    local number = 1
    while lines and lines[number] and lines[number]:find "^%-%-" do number = number + 1 end
    local comment = lines and comment_above(lines, number)
    return comment and parse(comment)
end

local index

-- All that are public: a list, by name too. What has no example is for nsh itself.
local function make_index()
    index = {}
    for _, module in ipairs(names.modules) do
        local lines = source.module(module) or {}
        for number, line in ipairs(lines) do
            local doc = line:find("function", 1, true) and describe(lines, number, module)
            if doc and doc.example then index[#index + 1], index[doc.name] = doc, doc end
        end
    end
    return index
end

--- All public functions, as of doc.of.
--
--     print(#doc.all())
function M.all() return index or make_index() end

--- The public function that users call so: "ns:ping", "nsh.netns.add"; nil if there is none.
--
--     print(doc.find("ns:ping").summary)
function M.find(name)
    return M.all()[name]
end

--- The public functions whose names begin so, sorted: those of a namespace with "ns:".
--
--     for _, one in ipairs(doc.of_prefix "ns:") do print(one.signature) end
function M.of_prefix(prefix)
    local list = {}
    for _, doc in ipairs(M.all()) do
        local rest = doc.name:sub(1, #prefix) == prefix and doc.name:sub(#prefix + 1)
        if rest and rest:find "^[%w_]+$" then list[#list + 1] = doc end
    end
    table.sort(list, function(a, b) return a.name < b.name end)
    return list
end

return M
