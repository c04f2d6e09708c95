--- What is more than a screen goes through a pager: $PAGER, else `less -RFX` if it is there. PAGER=cat, or an empty
-- one, means none; so does TERM=dumb.
local core = require "nsh.core"
local dry = require "nsh.dry"
local width = require "nsh.show.width"

local M = {}

local STDIN, STDOUT = 0, 1
local NOT_RUN, INTERRUPTED = { [126] = true, [127] = true }, 130 -- the shell's

local function is_in_path(program)
    for folder in (os.getenv "PATH" or ""):gmatch "[^:]+" do
        if core.file.exists(folder .. "/" .. program) then return true end
    end
end

-- nil: none is wanted, or there.
local function wanted()
    local pager = os.getenv "PAGER"
    if os.getenv "TERM" == "dumb" or pager == "" or pager == "cat" then return nil end
    return pager or is_in_path "less" and "less -RFX" or nil
end

local function is_on_terminal()
    return core.file.isatty(STDIN) and core.file.isatty(STDOUT)
end

-- Whether a text takes more rows than a terminal has besides the line of the prompt.
local function is_too_long(text, columns, rows)
    local count = 0
    for line in text:gsub("\27%[[%d;]*m", ""):gmatch "([^\n]*)\n" do
        count = count + math.max(1, (width.columns(line) + columns - 1) // columns)
        if count >= rows then return true end
    end
    return false
end

-- As git does: what is not set here is the user's.
local function environment()
    return {
        LESS = os.getenv "LESS" or "FRX",
        LESSCHARSET = os.getenv "LESSCHARSET" or "utf-8", -- we write nothing else
    }
end

-- The shell outlives a Ctrl-C that ends the pager: then nothing is interrupted but that.
local function run(pager, text)
    local words = { "sh", "-c", 'trap : INT; eval "$1"', "sh", pager, input = text, env = environment() }
    local exec = require("nsh.process").exec
    return dry.looking(function() return exec({}, words) end)
end

--- Writes a text to stdout, by the pager if it is more than the terminal shows at once. Not for tasks, which run while
-- somebody types.
--
--     show.to(pager.write)
function M.write(text)
    local columns, rows = core.file.window(STDOUT)
    local pager = columns and select(2, coroutine.running()) and is_on_terminal() and
        is_too_long(text, columns, rows) and wanted()
    io.stdout:flush()
    local status = pager and run(pager, text).status
    if not pager or NOT_RUN[status] then io.stdout:write(text) end
    if status == INTERRUPTED then io.stdout:write "\n" end -- behind the "^C"
end

return M
