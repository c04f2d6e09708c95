--- Help at the prompt: what a function, a thing of nsh's, an object of a namespace or a kind of link is.
--
--     help(host.ping)
--     help "vxlan"
local doc = require "nsh.repl.doc"
local metafield = require "nsh.metafield"
local page = require "nsh.repl.page"

local M = {}

-- --- functions -----------------------------------------------------------------------------------

-- What a comment refers to: "see ns:ping" has that one's page behind it.
local function referred(about)
    for _, block in ipairs(about) do
        local name = block.text:match "%f[%a][Ss]ee `?([%w_.:]+)"
        local other = name and doc.find(name:gsub("[.:]$", ""))
        if other and other.name ~= about.name then return other end
    end
end

local function of_doc(about)
    local out = page.new()
    out:head(about.signature, about.where)
    out:doc(about)
    if not about.documented then out:text "It has no doc comment, which begins with --- in the line above." end
    local other = referred(about)
    if other then out:append(of_doc(other)) end
    return out
end

local function of_c_function(fn)
    local library = require "nsh.repl.library"
    local signature, text = library.of(fn)
    local out = page.new()
    out:head(signature or "a function of C", signature and "Lua")
    out:text(text or "It has no comment that could be shown.")
    return out
end

local function of_function(fn)
    local about = doc.of(fn)
    return about and of_doc(about) or of_c_function(fn)
end

-- --- tables --------------------------------------------------------------------------------------

local function module_of(value)
    for name, loaded in next, package.loaded do
        if rawequal(loaded, value) and name:find "^nsh" then return name end
    end
end

local function count(value)
    local all = 0
    for _ in next, value do all = all + 1 end
    return all
end

local function plural(text, number, word)
    return ("%s %d %s%s"):format(text, number, word, number == 1 and "" or "s")
end

-- "link" of a link's record.
local function record_of(value)
    local name = type(value) == "table" and metafield(value, "__record")
    return type(name) == "string" and name or nil
end

local function of_plain_table(value)
    local out, first = page.new(), rawget(value, 1)
    local record = record_of(first)
    if record then
        out:head(plural("a list of", rawlen(value), "record") .. " of " .. record)
        out:append(require "nsh.repl.attributes".of_record(first, record))
    else
        out:head(plural("a table:", count(value), "key"))
    end
    return out
end

-- The object of a namespace or a node: "link".
local function object_of(value)
    return require("nsh.repl.complete.receiver").object(value)
end

local function of_table(value)
    local topics = require "nsh.repl.topics"
    local record, object = record_of(value), object_of(value)
    local schema = (record or object) and require "nsh.repl.attributes"
    if record then return schema.of_record(value, record) end
    if object then return schema.of_object(object) end
    local class = metafield(value, "__name")
    local module = module_of(value)
    return type(class) == "string" and topics.of_class(class) or module and topics.of_module(module) or
        of_plain_table(value)
end

-- --- names ---------------------------------------------------------------------------------------

local function suggestions()
    local list = require("nsh.repl.topics").names()
    for _, about in ipairs(doc.all()) do list[#list + 1] = about.name end
    for _, name in ipairs(require("nsh.repl.attributes").names()) do list[#list + 1] = name end
    return list
end

-- Functions of that name whatever they belong to.
local function of_last_name(name)
    local out
    for _, about in ipairs(doc.all()) do
        if about.name:match "[%w_]+$" == name then
            local one = of_doc(about)
            if out then out:append(one) else out = one end
        end
    end
    return out
end

--- The page about a word: a thing of nsh's, an object, a kind, or a function; nil if it is none of these.
--
--     print(help.named "vxlan")
function M.named(name)
    local about = doc.find(name)
    return require("nsh.repl.topics").named(name) or require("nsh.repl.attributes").named(name)
        or about and of_doc(about) or require("nsh.repl.topics").of_module(name) or of_last_name(name)
end

local function refuse(name)
    local nearest = require("nsh.suggest").nearest(name, suggestions())
    local errors = require "nsh.errors"
    errors.raise(errors.new("EINVAL", ("there is no help on \"%s\"; %s"):format(errors.short(name),
        nearest and "did you mean " .. nearest or "help() tells on what there is")))
end

-- --- values --------------------------------------------------------------------------------------

--- The page about a value; nobody's code is run. Of a text it says that it is one: `named` takes it for a name.
--
--     print(help.about(host))
function M.about(value)
    local kind = type(value)
    if kind == "function" then return of_function(value) end
    if kind == "table" then return of_table(value) end
    local out = page.new()
    local word = math.type(value) or kind
    local article = word:find "^[aeiou]" and "an " or "a "
    out:head(kind == "nil" and "nil: there is nothing of that name" or article .. word)
    if kind == "string" then out:text(("%d bytes. What can be done with texts: `help(string)`"):format(#value)) end
    return out
end

--- What `nsh.help` does.
function M.help(...)
    if select("#", ...) == 0 then return require "nsh.show"(require "nsh.repl.tour"()) end
    local what = ...
    local found
    if type(what) == "string" then found = M.named(what) or refuse(what) else found = M.about(what) end
    require "nsh.show"(found)
end

return M
