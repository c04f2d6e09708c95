-- Where completion sees the cursor, in text that ends anywhere.
local lu = require "luaunit"
local context = require "nsh.repl.complete.context"
local lex = require "nsh.repl.complete.lex"
local locals = require "nsh.repl.complete.locals"

-- "name x", "operator =", …; the last one with "…" if it does not end.
local function words(text)
    local list = {}
    for i, token in ipairs(lex.tokens(text)) do
        list[i] = ("%s %s%s"):format(token.kind, token.text or token.value or "", token.open and "…" or "")
    end
    return list
end

-- A path as text: lab:find(app3).link
local function path_text(path)
    local parts = {}
    for i, step in ipairs(path or { { name = "?" } }) do
        parts[i] = step.call and ("(%s)"):format(step.argument == nil and "…" or step.argument) or step.name or
            step.value and ("%q"):format(step.value) or
            type(step.key) == "string" and (step.method and ":" or ".") .. step.key or ("[%s]"):format(step.key)
    end
    return table.concat(parts)
end

local function given_text(given)
    local keys = {}
    for key, value in pairs(given) do
        keys[#keys + 1] = ("%s=%s"):format(key, type(value) == "table" and path_text(value) or value)
    end
    table.sort(keys)
    return table.concat(keys, ",")
end

-- What context.find says, in a line: what, word and where it belongs.
local function place(text)
    local c = context.find(text)
    if not c then return nil end
    lu.assertEquals(c.word, text:sub(c.start))
    local parts = { c.what, (c.quote or "") .. c.word }
    if c.owner then parts[#parts + 1] = path_text(c.owner) end
    if c.call then parts[#parts + 1] = ("%s #%d"):format(path_text(c.call.path), c.call.argument) end
    for _, one in ipairs(c.tables or {}) do
        parts[#parts + 1] = ("%s{%s}"):format(one.key and one.key .. "=" or "", given_text(one.given))
    end
    parts[#parts + 1] = c.key and "key " .. c.key or c.position and "at " .. c.position or nil
    return table.concat(parts, " ")
end

TestLex = {}

function TestLex.test_tokens()
    lu.assertEquals(words 'local x = 0x1F .. "a\\"b" -- c',
        { "keyword local", "name x", "operator =", "number 31", "operator ..", 'string a\\"b', "comment …" })
    lu.assertEquals(words "a.b[1e3] == [==[x]]]==] --[[ y ]] z",
        { "name a", "operator .", "name b", "operator [", "number 1000.0", "operator ]", "operator ==",
            "string x]]", "name z" })
    lu.assertEquals(words "f(...)::l::",
        { "name f", "operator (", "operator ...", "operator )", "operator ::", "name l", "operator ::" })
end

function TestLex.test_text_that_does_not_end()
    lu.assertEquals(words '"ab', { "string ab…" })
    lu.assertEquals(words "'a\\'", { "string a\\'…" })
    lu.assertEquals(words "[=[ab]]", { "string ab]]…" })
    lu.assertEquals(words "x --[[ y", { "name x", "comment …" })
    lu.assertEquals(words '"ab\nx', { "string ab", "name x" }) -- at the end of the line at the latest
    lu.assertEquals(words '"ab\\', { "string ab\\…" })
    lu.assertEquals(words "", {})
end

TestContext = {}

function TestContext.test_expressions()
    lu.assertEquals(place "", "expression ")
    lu.assertEquals(place "x = re", "expression re")
    lu.assertEquals(place "f(a + b", "expression b")
    lu.assertEquals(place "a..b", "expression b")
    lu.assertEquals(place "if x then\n  y = z", "expression z")
    lu.assertNil(place "x = 1 -- wo")
    lu.assertNil(place "x = 12")
end

function TestContext.test_fields()
    lu.assertEquals(place "a.b.c", "field c a.b")
    lu.assertEquals(place "a . b : c", "method c a.b")
    lu.assertEquals(place "f(x, a['b c'][-1].", "field  a.b c[-1]")
    lu.assertEquals(place 'lab:find "app3".li', "field li lab:find(app3)")
    lu.assertEquals(place 'lab:find("app3"):', "method  lab:find(app3)")
    lu.assertEquals(place '("x"):re', 'method re "x"')
    lu.assertEquals(place "f(x)(y).z", "field z f(…)(…)")
    lu.assertEquals(place "a[i].b", "field b")
    lu.assertEquals(place "(a or b).c", "field c")
end

function TestContext.test_indices()
    lu.assertEquals(place 'a.b["x y', 'index "x y a.b')
    lu.assertEquals(place "a[", "index  a")
    lu.assertEquals(place "a[b", "index b a")
    lu.assertEquals(place "a[1 + ", "expression ")
end

function TestContext.test_keys_of_a_call()
    lu.assertEquals(place "host.link:add{ ", "item  host.link:add #1 {} at 1")
    lu.assertEquals(place "host.link:add({ ", "item  host.link:add #1 {} at 1")
    lu.assertEquals(place 'host.link:add{ "x", type = "vxlan", id = 5, l',
        "item l host.link:add #1 {1=x,id=5,type=vxlan} at 2")
    lu.assertEquals(place 'f(a, { up = true, mac = mac(), n = -1, ["x"] = b.c; ',
        "item  f #2 {mac=mac(…),n=-1,up=true,x=b.c} at 1")
    lu.assertEquals(place "x = { a", "item a at 1")
    lu.assertEquals(place "{ f { x = 1 }, ", "item  at 2")
end

function TestContext.test_nested_tables()
    lu.assertEquals(place 'l:add{ "a", type = "veth", peer = { "b", netns = ns1, m',
        "item m l:add #1 {1=a,type=veth} peer={1=b,netns=ns1} at 2")
    lu.assertEquals(place 'r:add{ "d", nexthops = { { via = "1" }, { v',
        "item v r:add #1 {1=d} nexthops={1=true} 2={} at 1")
    lu.assertEquals(place 'f{ g{ x', "item x g #1 {} at 1")
    lu.assertEquals(place 'f{ 1 + { x', "item x at 1")
end

function TestContext.test_values()
    lu.assertEquals(place 'l:set{ "x", master = ', "value  l:set #1 {1=x} key master")
    lu.assertEquals(place 'l:set{ "x", master = "b', 'value "b l:set #1 {1=x} key master')
    lu.assertEquals(place 'l:set{ ["master"] = "b', 'value "b l:set #1 {} key master')
    lu.assertEquals(place 'l:set{ "cl', 'item "cl l:set #1 {} at 1')
    lu.assertEquals(place 'l:set{ mtu = 1 + x', "expression x")
    lu.assertEquals(place 'l:set{ x = "a" .. "b', 'expression "b')
end

function TestContext.test_arguments()
    lu.assertEquals(place 'f("a', 'argument "a f #1')
    lu.assertEquals(place 'f(1, g(2, 3), "a', 'argument "a f #3')
    lu.assertEquals(place 'ns.link:del "ve', 'argument "ve ns.link:del #1')
    lu.assertEquals(place "ns.link:del [[ve", "argument [[ve ns.link:del #1")
    lu.assertEquals(place "f(", "argument  f #1")
    lu.assertEquals(place '("a', 'expression "a')
    lu.assertEquals(place '"a', 'expression "a')
end

function TestContext.test_earlier_lines_count()
    lu.assertEquals(place 'for i = 1, 2 do\n  app:connect{ "a",\n    to = "b', 'value "b app:connect #1 {1=a} key to')
    lu.assertEquals(place 'f(function()\n  host.link:set{ "v', 'item "v host.link:set #1 {} at 1')
    lu.assertEquals(place "x = [[\n'\n]] a", "expression a")
end

function TestContext.test_brackets_that_do_not_match_do_no_harm()
    lu.assertEquals(place "f{ ) ] x", "expression x")
    lu.assertEquals(place "} ) x", "expression x")
    lu.assertEquals(place ").x", "field x")
end

function TestContext.test_local_names()
    local function known(text)
        local list = {}
        for name, path in pairs(locals.of(lex.tokens(text))) do
            list[#list + 1] = path == true and name or name .. "=" .. path_text(path)
        end
        table.sort(list)
        return table.concat(list, " ")
    end
    lu.assertEquals(known "local a <const>, b = 1, 2; local l = host.link; local function f(p, ...) for k, v in x do",
        "a b f k l=host.link p v")
    lu.assertEquals(known "local x = a.b + 1 local y = f() local z = a['b'] local w = a or b", "w x y z=a.b")
    lu.assertEquals(known "g(function(q) local", "q")
end

os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run())
