-- What is typed at the prompt as something to call: expressions, semicolons, locals that stay, and errors' excerpts.
local lu = require "luaunit"
local chunk = require "nsh.repl.chunk"
local excerpt = require "nsh.excerpt"
local journal = require "nsh.repl.journal"
local locals = require "nsh.repl.locals"
local trace = require "nsh.trace"

-- Compiles and calls texts one after the other; returns what the last one gives.
local function run(...)
    local results
    for _, text in ipairs{ ... } do
        local found = assert(chunk.compile(text, "=test"))
        results = table.pack(found.fn())
    end
    return table.unpack(results, 1, results.n)
end

local function lost(text)
    local found = assert(chunk.compile(text, "=test"))
    found.fn()
    return found.lost, found.outcome.missed
end

TestChunk = {}

function TestChunk.test_an_expression_or_statements()
    lu.assertEquals({ run "1, 2" }, { 1, 2 })
    lu.assertEquals({ run "x = 5" }, {})
    lu.assertEquals(run "return 7", 7)
    lu.assertEquals({ run "" }, {})
    lu.assertEquals({ run "-- nothing" }, {})
end

function TestChunk.test_a_semicolon_at_the_end()
    local cases = {
        ["1"] = false, ["1;"] = true, ["1 ; ; "] = true, ["1; -- why"] = true, ["1 -- why;"] = false,
        ['";"'] = false, ["[[;]]"] = false, ["return 1;"] = true, [";"] = true, ["1 --[[;]]"] = false,
    }
    for text, silent in pairs(cases) do
        lu.assertEquals(chunk.compile(text, "=test").silent, silent, text)
    end
    lu.assertEquals(run "40 + 2;", 42)
end

function TestChunk.test_of_two_errors_the_one_that_is_farther_on()
    lu.assertEquals(select(2, chunk.compile("1 +* 2", "=t")), "t:1: unexpected symbol near '*'")
    lu.assertEquals(select(2, chunk.compile("x = = 2", "=t")), "t:1: unexpected symbol near '='")
    lu.assertEquals(select(2, chunk.compile("foo bar", "=t")), "t:1: syntax error near 'bar'")
    lu.assertEquals(select(2, chunk.compile("f(1,\n 2 3)", "=t")),
        "t:2: ')' expected (to close '(' at line 1) near '3'")
end

TestLocals = {}

function TestLocals.test_are_there_later()
    lu.assertEquals(run("local a1 = 1", "a1"), 1)
    lu.assertEquals(run("local a2, b2 = 1, { 2 }; return 0", "b2[1] + a2"), 3)
    lu.assertEquals(run("local a3", "a3 = 3", "a3"), 3)
    lu.assertNil(rawget(_G, "a3"))
    lu.assertEquals({ locals.get "a3" }, { true, 3 })
    lu.assertEquals({ rawget(locals.scope(), "a3"), locals.scope().print }, { 3, print })
    lu.assertEquals(run("local function f4(n) return n < 2 and 1 or n * f4(n - 1) end", "f4(5)"), 120)
end

function TestLocals.test_closures_share_them()
    lu.assertEquals(run("local n1 = 0", "function up1() n1 = n1 + 1 return n1 end", "up1()", "n1 = n1 + 10", "up1()"),
        12)
    lu.assertEquals(run("local m1 = 1", "function get1() return m1 end", "local m1 = 2", "get1() * 10 + m1"), 12)
    lu.assertEquals(run("local k1 = 1", "local k1 = k1 + 1", "k1"), 2)
    lu.assertEquals(run("local v1 = 1", "v1 = 5 local w1 = v1 * 2", "v1 + w1"), 15)
end

function TestLocals.test_constants_stay_constant()
    lu.assertEquals(run("local c1 <const>, c2 <const> = 6, {}", "function c3() return c1 end", "c1 + c3()"), 12)
    local _, message = chunk.compile("c1 = 2", "=t")
    lu.assertEquals(message, "t:1: attempt to assign to const variable 'c1'")
    lu.assertEquals(run("local c1 = 1", "c1 = 2", "c1"), 2)
end

function TestLocals.test_what_cannot_stay_is_told()
    lu.assertEquals(lost "local z1 <close> = nil", "z1")
    lu.assertEquals(lost "local _ENV = { }", "_ENV")
    lu.assertEquals(lost "local z2 = 1 if z2 then goto done end local z3 = 2 ::done::", "z2, z3")
    lu.assertEquals(lost "do local z4 = 1 end for z5 = 1, 2 do local z6 end", "")
    lu.assertEquals(lost "function z7() local z8 return z8 end", "")
    lu.assertFalse(locals.get "z1" or locals.get "z2" or locals.get "z4" or locals.get "z5" or locals.get "z8")
end

function TestLocals.test_a_chunk_that_returns_early_leaves_none()
    lu.assertEquals({ lost "local e1, e2 = 1 if e1 then return end" }, { "", "e1, e2" })
    lu.assertEquals({ lost "local e3 = 1 if not e3 then return end" }, { "" })
    lu.assertFalse(locals.get "e1" or locals.get "e2")
    lu.assertTrue((locals.get "e3"))
end

function TestLocals.test_lines_keep_their_numbers()
    run "local l1 = 1"
    local ok, message = pcall(chunk.compile("l1 = l1 + 1\n\nerror 'here'", "=test").fn)
    lu.assertFalse(ok)
    lu.assertEquals(message, "test:3: here")
end

function TestLocals.test_as_many_as_lua_allows()
    local names = {}
    for i = 1, 198 do names[i] = "many" .. i end
    local list = table.concat(names, ", ")
    run("local " .. list .. " = 1")
    lu.assertEquals(run "many1", 1)
    lu.assertEquals(select("#", run("(function(...) return ... end)(many1, many2)")), 2)
    lu.assertEquals(lost("local over1 = 1 local " .. list), "") -- 199
end

function TestLocals.test_a_chunk_that_fails_leaves_none()
    lu.assertFalse(pcall(run, "local q1 = 1 error 'x'"))
    lu.assertFalse((locals.get "q1"))
end

TestJournal = {}

function TestJournal.test_keeps_so_many_commands_of_all()
    local first, second = journal.add "first", journal.add "second"
    for _, entry in ipairs { first, second } do
        journal.watch(entry)
        for i = 1, 60000 do trace.say("command %d", i) end
        journal.watch(nil)
    end
    lu.assertEquals({ #first.commands, #second.commands }, { 60000, 40000 })
    lu.assertEquals({ first.has_more, second.has_more }, { nil, true })
end

TestExcerpt = {}

local function shows(source, number, message, expected, options)
    lu.assertEquals(excerpt.of(source, number, message, options), expected)
end

function TestExcerpt.test_the_word_that_the_compiler_stumbled_over()
    shows("x = (1 = 1)", 1, "')' expected near '='", "  1 | x = (1 = 1)\n    |        ^")
    shows("a = 1\nb = end\n", 2, "unexpected symbol near 'end'", "  2 | b = end\n    |     ^~~")
    shows("x = 'abc\n", 1, "unfinished string near ''abc'", "  1 | x = 'abc\n    |     ^~~~")
    shows("#!/x\nx = = 1", 2, "unexpected symbol near '='", "  2 | x = = 1\n    |     ^")
end

function TestExcerpt.test_what_ends_too_early()
    shows("x =", 1, "unexpected symbol near <eof>", "  1 | x =\n    |    ^")
    shows("\nif x then\n  y()\n\n", 5, "'end' expected (to close 'if' at line 2) near <eof>",
        "  2 | if x then\n    | ^~")
    shows("x =\n\n", 3, "unexpected symbol near <eof>", "  1 | x =\n    |    ^")
end

function TestExcerpt.test_the_name_in_the_message()
    shows("a.b.c = 1", 1, "attempt to index a nil value (field 'b')", "  1 | a.b.c = 1\n    |   ^")
    shows('f{ "lo", mtuu = 1 }', 1, 'unknown key "mtuu"; did you mean mtu', '  1 | f{ "lo", mtuu = 1 }\n' ..
        "    |          ^~~~")
    shows("f{\n  a = 1,\n  mtuu = 1,\n}\ng{ mtuu = 1 }", 1, 'unknown key "mtuu"', "  3 |   mtuu = 1,\n    |   ^~~~")
    shows('f{ "x", mtu = "y" }', 1, "wrong", '  1 | f{ "x", mtu = "y" }\n    |         ^~~', { err = { key = "mtu" } })
    shows('host.link:add{ "x0" }', 1, "File exists", '  1 | host.link:add{ "x0" }\n    |                ^~~~',
        { err = { op = "add link x0" } })
end

function TestExcerpt.test_the_whole_line_where_there_are_several_or_none()
    shows("  a.b = a.b.c", 1, "attempt to index a nil value (field 'b')", "  1 |   a.b = a.b.c\n    |   ^~~~~~~~~~~")
    shows("a.b = a.b.c", 1, "attempt to index a nil value (field 'b')", nil, { only_place = true })
    shows("a = 1", 7, "x", nil)
    shows("\n", 1, "x", nil)
end

function TestExcerpt.test_wide_long_and_odd_characters()
    shows("x = '東京' + nope.y", 1, "(global 'nope')", "  1 | x = '東京' + nope.y\n    |              ^~~~")
    shows("\tnope.y\27[31m", 1, "(global 'nope')", "  1 |  nope.y\\x1B[31m\n    |  ^~~~")
    local text = excerpt.of(("a"):rep(500) .. " = nope.y .. " .. ("b"):rep(500), 1, "(global 'nope')")
    local line, mark = text:match "^([^\n]*)\n([^\n]*)$"
    lu.assertTrue(#line < 150)
    local first, last = mark:find "%^~+"
    lu.assertEquals(line:gsub("…", "."):sub(first, last), "nope")
end

function TestExcerpt.test_of_a_script()
    local name = os.tmpname()
    local file <close> = assert(io.open(name, "w"))
    file:write "x = 1\nnope.y = 2\n"
    file:flush()
    lu.assertEquals(excerpt.of_script(name .. ":2: attempt to index a nil value (global 'nope')"),
        "  2 | nope.y = 2\n    | ^~~~")
    lu.assertNil(excerpt.of_script(name .. ":2: boom"))
    lu.assertNil(excerpt.of_script(name .. ":9: boom (global 'nope')"))
    os.remove(name)
    lu.assertNil(excerpt.of_script(name .. ":2: attempt to index a nil value (global 'nope')"))
    lu.assertNil(excerpt.of_script "no place")
end

os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run())
