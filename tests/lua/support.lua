-- What the tests share: LuaUnit with a check for descriptors, iproute2 as the oracle, and errors.
--   local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
--   …
--   os.exit(support.run())
local lu = require "luaunit"
local cjson = require "cjson"
local nsh = require "nsh"

local here = debug.getinfo(1, "S").source:match "^@(.*/)" or ""
local M = { iproute = dofile(here .. "iproute.lua") }

local pid = assert(io.open "/proc/self/stat"):read "n"

-- --- commands ------------------------------------------------------------------------------------

--- The commands that nsh reports (`-x`) while fn(...) runs, a list; and what pcall says of it.
function M.trace(fn, ...)
    local lines = {}
    nsh.trace(function(line) lines[#lines + 1] = line end)
    local ok, err = pcall(fn, ...)
    nsh.trace(false)
    return lines, ok, err
end

--- The same of what must not fail.
function M.commands(fn, ...)
    local lines, ok, err = M.trace(fn, ...)
    if not ok then error(err, 0) end
    return lines
end

--- The same as one text.
function M.said(fn, ...) return table.concat(M.commands(fn, ...), "\n") end

--- What a shell command prints, which must succeed: in the namespace of nsh, or inside `ns`.
function M.sh(command, ns)
    if ns and ns ~= nsh.host then
        local result = ns:exec{ "sh", "-c", command, output = true }
        if result.status ~= 0 then error(command .. ": " .. result.err, 2) end
        return result.out
    end
    local pipe = assert(io.popen("exec 2>&1; " .. command))
    local text = pipe:read "a"
    if not pipe:close() then error(command .. ": " .. text, 2) end
    return text
end

--- JSON as a table: whole numbers are integers, `null` is cjson.null.
function M.decode(text)
    local function exact(value)
        if type(value) ~= "table" then
            return type(value) == "number" and math.tointeger(value) or value
        end
        for k, v in pairs(value) do value[k] = exact(v) end
        return value
    end
    return exact(cjson.decode(text))
end

--- The records in what `ip -j …` has printed; those without anything in them are left out.
function M.records(text)
    local records = {}
    for _, record in ipairs(text:find "%S" and M.decode(text) or {}) do
        if next(record) then records[#records + 1] = record end
    end
    return records
end

--- What `ip -j …` shows inside `ns`.
function M.ip(ns, format, ...) return M.records(M.sh("ip -j " .. format:format(...), ns)) end

--- A record, or a list of them, as nsh writes them as JSON: for a comparison with iproute2's.
function M.as_json(value)
    nsh.show.json(true)
    local text = nsh.show.format(value)
    nsh.show.json(false)
    return M.decode(text)
end

--- Waits until fn() is true, at most some seconds: what follows a change happens on its own.
function M.wait_for(what, fn)
    for _ = 1, 1000 do
        if fn() then return end
        nsh.sleep(0.005)
    end
    error("it never comes to this: " .. what, 2)
end

local function is_tentative(ns)
    for _, address in ipairs(ns.addr:list{ family = "inet6" }) do
        if address.tentative then return true end
    end
    return false
end

--- Waits until nothing changes any more on its own in some namespaces: links have settled, and no address
--- is tentative.
function M.wait_for_rest(spaces)
    nsh.settle(spaces)
    for _, ns in ipairs(spaces) do
        M.wait_for("no address is tentative", function() return not is_tentative(ns) end)
    end
end

--- Two namespaces of these names, with a veth pair between them, up and without addresses of their own: v0 in the
-- first, v1 in the second.
function M.pair(name, other_name)
    local ns, other = nsh.netns.add(name), nsh.netns.add(other_name)
    ns.link:add{ "v0", type = "veth", peer = { "v1", netns = other } }
    for _, one in ipairs{ { ns, "v0" }, { other, "v1" } } do
        one[1].link:set{ one[2], addrgenmode = "none" }
        one[1].link:set{ one[2], up = true }
    end
    nsh.settle()
    return ns, other
end

-- --- tables --------------------------------------------------------------------------------------

--- Calls fn for each value; returns the list of what it returns.
function M.map(list, fn)
    local result = {}
    for i, value in ipairs(list) do result[i] = fn(value) end
    return result
end

--- The values of one field of each record, sorted.
function M.pluck(list, key)
    local values = M.map(list, function(record) return record[key] end)
    table.sort(values)
    return values
end

-- --- errors --------------------------------------------------------------------------------------

--- Calls fn(...), which must raise; returns the error object (or whatever it was).
function M.raised(fn, ...)
    local ok, err = pcall(fn, ...)
    if ok then lu.fail("nothing was raised") end
    return err
end

--- fn must raise an error object of that code whose sentence, without the place before it, is `text`.
function M.refused(code, text, fn, ...)
    local err = M.raised(fn, ...)
    lu.assertEquals(type(err), "table", tostring(err))
    lu.assertEquals((tostring(err):gsub("^[%w_./-]+:%d+: ", "")), text)
    lu.assertEquals(err.code, code)
    return err
end

-- --- descriptors ---------------------------------------------------------------------------------

local MOST = 4096 -- the highest that is looked at

-- The set of open descriptors. Looking opens one as well, but that does not see itself.
local function descriptors()
    local found = {}
    for fd = 0, MOST do
        local info = io.open("/proc/self/fdinfo/" .. fd)
        if info then
            found[fd] = true
            info:close()
        end
    end
    return found
end

-- What lives as long as the program itself: the host's socket, the helper thread, the guardian.
local function warm_up()
    nsh.host.link:get "lo"
    nsh.netns.new():close()
    nsh.host:exec{ "true" }
end

local function find_leaks(before)
    collectgarbage()
    collectgarbage()
    local leaks = 0
    for fd in pairs(descriptors()) do
        if not before[fd] then
            local target = M.sh(("readlink /proc/%d/fd/%d"):format(pid, fd))
            -- Whoever has held a parameter of the host shows by a lock, until it ends, that it is alive.
            if target:find "nsh.sysctl%-" then goto next end
            io.stderr:write("# descriptor ", fd, " is left open: ", target)
            leaks = leaks + 1
        end
        ::next::
    end
    return leaks
end

-- LuaUnit's TAP names no test that is skipped.
local update_status = lu.LuaUnit.updateStatus
function lu.LuaUnit:updateStatus(result)
    if result.status == "SKIP" then
        result.msg = self.result.currentNode.testName .. ": " .. result.msg
    end
    update_status(self, result)
end

-- NSH_ONLY="x_test.lua:TestX.test_y …": of the files that it names, no other tests.
local function select_tests()
    local file = arg[0]:match "[^/]*$"
    for name, test in (os.getenv "NSH_ONLY" or ""):gmatch "([^%s:]+):(%S+)" do
        if name == file then table.insert(arg, test) end
    end
end

--- Runs the tests, and `finish` once they are over; returns an exit status: also 1 if a descriptor is left
--- open that was not before.
function M.run(finish)
    if nsh.host then warm_up() end
    local before = descriptors()
    select_tests()
    local failures = lu.LuaUnit.run()
    if finish then finish() end
    M.iproute.close()
    return (failures > 0 or find_leaks(before) > 0) and 1 or 0
end

return M
