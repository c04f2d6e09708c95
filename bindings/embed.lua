-- Writes every Lua module as C: its bytecode, to run, and its source, for help; and other files as they are.
--   lua5.4 embed.lua ROOT module.lua… FILE…  > embedded.c
local root = table.remove(arg, 1)

local function bytes(text)
    local column = 0
    return (text:gsub(".", function(c)
        column = column + 1
        return c:byte() .. (column % 25 == 0 and ",\n" or ",")
    end))
end

local function module_name(path)
    return (path:sub(#root + 2):gsub("%.lua$", ""):gsub("/", "."):gsub("%.init$", ""))
end

print('#include "embedded.h"\n')
local rows = {}
for i, path in ipairs(arg) do
    local is_module = path:find "%.lua$"
    local name = is_module and module_name(path) or path:match "[^/]+$"
    local file = assert(io.open(path))
    local source = file:read "a"
    file:close()
    local code = is_module and string.dump(assert(load(source, "=[" .. name .. "]", "t"))) or "\0"
    print(("static const unsigned char code%d[] = {%s};"):format(i, bytes(code)))
    print(("static const char source%d[] = {%s 0};"):format(i, bytes(source)))
    local size = is_module and ("sizeof code%d"):format(i) or "0"
    rows[i] = ('    { "%s", code%d, %s, source%d },'):format(name, i, size, i)
end
print(("\nconst struct embedded embedded[] = {\n%s\n    { 0 },\n};"):format(table.concat(rows, "\n")))
