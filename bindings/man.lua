-- Writes nsh(3), what nsh's functions do: their doc comments as a manual page.
--   lua5.4 bindings/man.lua > nsh.3
local doc = require "nsh.repl.doc"
local names = require "nsh.repl.names"

local function escape(text) return (text:gsub("\\", "\\e")) end

-- A dot or an apostrophe at the beginning of a line would make it a request of roff's.
local function write(text) print((text:gsub("^[.']", "\\&%0"))) end

local function code(text) return (escape(text):gsub("%-", "\\-")) end

-- What stands in backticks is bold.
local function prose(text)
    return (escape(text):gsub("`([^`]+)`", function(word) return "\\fB" .. word:gsub("%-", "\\-") .. "\\fR" end))
end

local function example(text)
    print ".PP\n.EX"
    for line in (text .. "\n"):gmatch "(.-)\n" do write("    " .. code(line)) end
    print ".EE"
end

local writers = {
    text = function(text)
        print ".PP"
        write(prose(text))
    end,
    item = function(text)
        local key, rest = text:match "^(`.-): (.*)$"
        print ".TP"
        write(prose(key or "\\[bu]"))
        write(prose(rest or text))
    end,
}

local function body(about)
    for _, block in ipairs(about) do writers[block.kind](block.text) end
    if about.errors then writers.text("Errors: " .. about.errors) end
    if about.example then example(about.example) end
end

-- The public functions of a module, in the order of its source.
local function functions_of(module)
    local list = {}
    for _, about in ipairs(doc.all()) do
        if about.where:match "^[^:]+" == module then list[#list + 1] = about end
    end
    return list
end

print '.TH NSH 3 "" nsh "Lua functions"\n.SH NAME\nnsh \\- functions of the shell for Linux network namespaces'
for _, module in ipairs(names.modules) do
    local list = functions_of(module)
    if list[1] then
        print(".SH " .. module)
        body(doc.module(module) or {})
    end
    for _, about in ipairs(list) do
        print(".SS " .. code(about.signature))
        body(about)
    end
end
print ".SH SEE ALSO\n.BR nsh (1)"
