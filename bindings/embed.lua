-- Writes every Lua module as C: its bytecode, to run, and its source, for help.
--   lua5.4 embed.lua ROOT module.lua…  > embedded.c
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
    local name = module_name(path)
    local file = assert(io.open(path))
    local source = file:read "a"
    file:close()
    local code = string.dump(assert(load(source, "=[" .. name .. "]", "t")))
    print(("static const unsigned char code%d[] = {%s};"):format(i, bytes(code)))
    print(("static const char source%d[] = {%s 0};"):format(i, bytes(source)))
    rows[i] = ('    { "%s", code%d, sizeof code%d, source%d },'):format(name, i, i, i)
end
print(("\nconst struct embedded embedded[] = {\n%s\n    { 0 },\n};"):format(table.concat(rows, "\n")))
