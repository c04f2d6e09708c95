--- Claims: what a script says of its network, checked at once, or several side by side.
local colour = require "nsh.colour"
local errors = require "nsh.errors"
local given = require "nsh.lesson.given"
local loop = require "nsh.loop"

local M = { held = 0 }

local is_open = true -- above is a claim, or what came before the lesson: an empty line sets off what follows

local INDENT = 6 -- columns, those of "FAIL  "

local blocks = setmetatable({}, { __mode = "k" }) -- coroutine -> the claims of its `together`

-- What a line of a claim says besides, behind it or, if it has lines of its own, below.
local function beside(detail)
    if not detail then return "" end
    detail = detail:gsub("%s+$", "")
    if not detail:find "\n" then return "  " .. colour("faint", detail) end
    return "\n" .. (" "):rep(INDENT) .. detail:gsub("\n", "\n" .. (" "):rep(INDENT))
end

local function report(claim)
    local mark = claim.holds and colour("good", "ok") .. "    " or colour("bad", "FAIL") .. "  "
    print(mark .. claim.sentence .. beside(claim.detail))
    is_open = true
    if claim.holds then M.held = M.held + 1 end
end

local function test(claim, fn)
    claim.holds, claim.detail = fn()
    return claim
end

-- A detail of many lines has been printed, and is no part of the error.
local function refuse(claim, more)
    local detail = claim.detail and not claim.detail:find "\n." and ": " .. claim.detail or ""
    local err = errors.new(nil, ("not so: %s%s%s"):format(claim.sentence, detail, more or ""))
    err.where = claim.where
    errors.raise(err)
end

--- What is printed next is no claim: an empty line sets it off from those before it.
function M.begin_paragraph()
    if is_open then print() end
    is_open = false
end

--- Checks a claim and prints a line about it; one that does not hold is an error that names the script's
-- line. Inside `together` it is only begun. `sentence`: what is claimed; `fn()`: returns whether it holds,
-- and a detail in words, or nil.
--
--     claim.check("app3 has no routes", function() return #app3.route:list() == 0 end)
function M.check(sentence, fn)
    local claim = { sentence = sentence, where = errors.where() }
    local block = blocks[coroutine.running()]
    if block then
        claim.task = loop.go(test, claim, fn)
        block[#block + 1] = claim
        return
    end
    report(test(claim, fn))
    if not claim.holds then refuse(claim) end
end

-- Runs fn with its claims collected.
local function collect(fn)
    local co, block = coroutine.running(), {}
    local outer = blocks[co]
    blocks[co] = block
    local ok, err = pcall(fn)
    blocks[co] = outer
    if not ok then error(err, 0) end
    return block
end

--- Checks what the calls of `expect` and `check` in fn() claim side by side: it takes as long as the
-- slowest of them, not the sum. All are reported, in their order, before the first that does not hold
-- is an error.
--
--     nsh.together(function()
--       nsh.expect(host):does_not_reach "10.0.2.1"
--       nsh.expect(app1):reaches(app2)
--     end)
function M.together(fn)
    given.check(type(fn) == "function", "what is checked together is in a function", "nsh.together(function() … end)")
    local failed, count = nil, 0
    for _, claim in ipairs(collect(fn)) do
        claim.task:wait()
        report(claim)
        if not claim.holds then failed, count = failed or claim, count + 1 end
    end
    if failed then refuse(failed, count > 1 and (" (and %d more)"):format(count - 1)) end
end

return M
