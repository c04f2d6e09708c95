--- A page of help: text that is broken to the width of the terminal, in colour where that is wanted.
local colour = require "nsh.colour"
local core = require "nsh.core"
local width = require "nsh.show.width"

local Page = { __name = "nsh.page" }
Page.__index = Page

local STDOUT = 1
local NARROWEST, WIDEST, USUAL = 40, 100, 80 -- columns
local KEY = 22     -- columns of the widest key that does not get a line of its own
local HELD = "\1"  -- stands for a blank where no line is broken

local function columns()
    return math.max(NARROWEST, math.min(core.file.window(STDOUT) or USUAL, WIDEST))
end

--- A page without anything on it.
local function new()
    return setmetatable({ lines = {}, columns = columns() }, Page)
end

function Page:__tostring() return table.concat(self.lines, "\n") end

-- What stands in backticks is not broken, …
local function hold(text)
    return (text:gsub("`[^`]*`", function(code) return (code:gsub(" ", HELD)) end))
end

-- … and is bold where there are colours.
local function finish(line)
    return (line:gsub(HELD, " "):gsub("`([^`]+)`", function(code)
        local bold = colour("head", code)
        return bold ~= code and bold or "`" .. code .. "`"
    end))
end

-- Lines of at most so many columns, but for words that are longer.
local function wrap(text, room)
    local lines, line = {}, ""
    for word in hold(text):gmatch "%S+" do
        if line ~= "" and width.columns(line) + 1 + width.columns(word) > room then
            lines[#lines + 1], line = line, ""
        end
        line = line == "" and word or line .. " " .. word
    end
    lines[#lines + 1] = line
    for i, one in ipairs(lines) do lines[i] = finish(one) end
    return lines
end

--- A line as it is.
function Page:line(text) self.lines[#self.lines + 1] = text end

--- An empty line, unless there is one, or nothing.
function Page:gap()
    if self.lines[1] and self.lines[#self.lines] ~= "" then self:line "" end
end

--- What the page is about, and at the right where that is written down.
function Page:head(text, where)
    local room = self.columns - width.columns(text)
    local fits = where and room > width.columns(where)
    self:line(colour("head", text) .. (fits and (" "):rep(room - #where) .. colour("faint", where) or ""))
end

--- What the next lines are about.
function Page:title(text)
    self:gap()
    self:line(colour("head", text))
end

--- A paragraph.
function Page:text(text)
    self:gap()
    for _, line in ipairs(wrap(text, self.columns - 2)) do self:line("  " .. line) end
end

local function row(out, key, text, key_columns)
    local lines = wrap(text, out.columns - key_columns - 4)
    local fits = width.columns(key) <= key_columns
    if not fits then out:line("  " .. key) end
    for i, line in ipairs(lines) do
        local blank = ("  %s  %s"):format(width.fill(i == 1 and fits and key or "", key_columns), line)
        out:line((blank:gsub("%s+$", "")))
    end
end

--- Words and what they mean: a list of { word, text }.
function Page:rows(list)
    local key_columns = 0
    for _, one in ipairs(list) do key_columns = math.max(key_columns, width.columns(one[1])) end
    for _, one in ipairs(list) do row(self, one[1], one[2], math.min(key_columns, KEY)) end
end

--- What is Lua, as it is.
function Page:code(text)
    for line in (text .. "\n"):gmatch "(.-)\n" do self:line("  " .. line) end
end

-- "`count`: probes of each address": a word and what it means.
local function item(text)
    local key, rest = text:match "^(`.-): (.*)$"
    return key and { key:gsub("`", ""), rest } or { "", text }
end

-- The items from the block at `i` on.
local function add_items(out, blocks, i)
    local list = {}
    while blocks[i] and blocks[i].kind == "item" do
        list[#list + 1] = item(blocks[i].text)
        i = i + 1
    end
    out:gap()
    out:rows(list)
    return i
end

--- All that a doc comment says (nsh.repl.doc).
function Page:doc(about)
    local i = 1
    while about[i] do
        if about[i].kind == "item" then
            i = add_items(self, about, i)
        else
            self:text(about[i].text)
            i = i + 1
        end
    end
    if about.errors then
        self:title "Errors"
        for _, line in ipairs(wrap(about.errors, self.columns - 2)) do self:line("  " .. line) end
    end
    if about.example then
        self:title "Example"
        self:code(about.example)
    end
end

--- Another page behind this one.
function Page:append(other)
    self:gap()
    table.move(other.lines, 1, #other.lines, #self.lines + 1, self.lines)
end

return { new = new }
