--- What can be typed at the prompt that is not Lua: `.quit` and the like.
local M = {}

-- --- words with a dot ------------------------------------------------------------------------------

-- Rows of a word: its arguments and what it does, for `.help`, and the function that does it, which gets what
-- stands behind the word, and whose results are shown.
M.rows = {
    { "quit", "", "leave; labs are undone, as with Ctrl-D", function() M.leaving = true end },
    { "time", "[expr]", "how long it takes; alone: tell it of all, or only above half a second", function(text)
        require("nsh.repl.evaluate").time(text)
    end },
    { "mode", "table|json|lua", "how values are printed", function(name)
        if name == "" then print(require("nsh.show").mode()) else require("nsh.show").mode(name) end
    end },
    { "save", "file", "what was done, as a script that does it again", function(file)
        print(require("nsh.repl.save").save(file))
    end },
}

local function row_of(word)
    for _, row in ipairs(M.rows) do
        if row[1] == word then return row end
    end
end

local function dot(word, arguments)
    local row = row_of(word)
    if not row then error(("there is no command .%s; .help lists them"):format(word), 0) end
    return row[4](arguments)
end

-- --- forms -----------------------------------------------------------------------------------------

-- How a command looks, and what runs it, with the captures.
M.forms = {
    { "^%s*%.(%a+)%s*(.-)%s*$", dot },
    { "^%s*([%w_%.:%[%]\"' ]-)%s*(%?%??)%s*$", function(...) require("nsh.repl.question").ask(...) end },
}

--- The function that does what a text says that is a command; nil if it is none, and so is Lua.
--
--     commands.find ".quit" ()
function M.find(text)
    for _, form in ipairs(M.forms) do
        local found = table.pack(text:match(form[1]))
        if found[1] then
            return function() return form[2](table.unpack(found, 1, found.n)) end
        end
    end
end

return M
