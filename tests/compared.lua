-- Says how many fields were compared with iproute2, and of which of the objects and kinds that nsh knows: what test
-- files print, "# 7 fields compared with tc, of fq tbf", and, of an object, the name of the file.
--   nsh -E tests/compared.lua [--all] WHERE FILE…        WHERE: for the headline; files with TAP, as tests/run keeps
--       them. --all: fails if something that nsh knows was not compared
local objects = require "nsh.core".netlink.schema()

local want_all = arg[1] == "--all" and table.remove(arg, 1) ~= nil
local fields, covered, is_whole = 0, {}, true

local function read(path)
    local own = path:match "([^/]*)_test%.lua$"
    for line in io.lines(path) do
        local count, of = line:match "^#.-(%d+) fields compared(.*)"
        count = tonumber(count) or 0
        fields = fields + count
        if count > 0 and own then covered[own] = true end
        for name in (count > 0 and of:match ", of (.*)" or ""):gmatch "%S+" do covered[name] = true end
    end
end

for i = 2, #arg do read(arg[i]) end

-- `list`: of what has a name; `has`: whether it is to be compared.
local function tell(what, list, has)
    local count, all, missing = 0, 0, {}
    for _, one in ipairs(list) do
        if has(one) then
            all = all + 1
            count = count + (covered[one.name] and 1 or 0)
            missing[#missing + 1] = not covered[one.name] and one.name or nil
        end
    end
    is_whole = is_whole and not missing[1]
    print(("#   %s: %d of %d%s"):format(what, count, all, missing[1] and "; not " .. table.concat(missing, ", ") or ""))
end

if fields > 0 then
    local function any() return true end
    print(("# %d fields compared with iproute2 %s"):format(fields, arg[1]))
    tell("objects", objects, any)
    tell("kinds of link", objects.link.table.kinds, any)
    tell("kinds of qdisc", objects.qdisc.table.kinds, any)
end
os.exit((is_whole and fields > 0 or not want_all) and 0 or 1)
