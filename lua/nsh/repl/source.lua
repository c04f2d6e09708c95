--- Where functions and modules are written down: the modules' own sources, which are built in, and the files that
-- Lua has loaded.
local M = {}

-- Of the program; a stock lua5.4 has the modules as files.
local open = package.preload["nsh.core.source"]
local built_in = open and open()

local function read_file(path)
    local file <close> = path and io.open(path)
    return file and file:read "a"
end

local function to_lines(text)
    local lines = {}
    for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
    return lines
end

local cache = {} -- modules do not change while they run; files may

--- The lines of a module's source; nil if it cannot be read.
--
--     print(source.module("nsh.ping")[1])
function M.module(name)
    if not cache[name] then
        local text = built_in and built_in(name) or not built_in and read_file(package.searchpath(name, package.path))
        cache[name] = text and to_lines(text)
    end
    return cache[name]
end

local function module_of(path)
    local name = path:match "([^/]+/.*)%.lua$" and path:match "/(nsh/.*)%.lua$" or path:match "/(nsh)/init%.lua$"
    return name and (name:gsub("/init$", ""):gsub("/", "."))
end

-- The text of a chunk that was typed at the prompt.
local function typed(name)
    local journal = package.loaded["nsh.repl.journal"]
    return journal and journal.source(name:match "^=(.*)")
end

--- The lines in which a function of Lua stands, the numbers of its first and last one, and the module that it is
-- of, or else its file; nil if they cannot be read.
--
--     local lines, first, last = source.of(nsh.go)
function M.of(fn)
    local info = debug.getinfo(fn, "S")
    local module, path = info.source:match "^=%[(nsh[%w_.]*)%]$", info.source:match "^@(.*)"
    local lines
    if module then
        lines = M.module(module)
    elseif path then
        local text = read_file(path)
        lines, module = text and to_lines(text), module_of(path)
    else
        local text = typed(info.source) or info.source:sub(1, 1) ~= "=" and info.source
        lines = text and to_lines(text)
    end
    if not lines or not lines[info.lastlinedefined] then return nil end
    return lines, info.linedefined, info.lastlinedefined, module or path or info.short_src
end

return M
