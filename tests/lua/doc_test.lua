-- Every public function has a doc comment with an example, found from the things that the documentation names.
local lu = require "luaunit"
local doc = require "nsh.repl.doc"

nsh.sandbox()

local function metafield(value, event)
    local meta = debug.getmetatable(value)
    return meta and rawget(meta, event)
end

-- The names of all that a thing has: its fields, those of its classes, those that it says it has, and `more`.
local function names_of(thing, more)
    local names = {}
    for _, name in ipairs(more or {}) do names[name] = true end
    local function collect(place)
        for key in next, place do names[key] = true end
        local index = metafield(place, "__index")
        if type(index) == "table" then collect(index) end
    end
    collect(thing)
    local declared = metafield(thing, "__complete")
    for _, name in ipairs(declared and declared(thing) or {}) do names[name] = true end
    return names
end

-- fn(name, function) for each public function of a thing: those whose names begin with "_" are Lua's own.
local function each_function(thing, more, fn)
    local found = 0
    for name in pairs(names_of(thing, more)) do
        local value = type(name) == "string" and not name:find "^_" and thing[name]
        if type(value) == "function" then
            found = found + 1
            fn(name, value)
        end
    end
    lu.assertTrue(found > 0)
end

-- What is wrong with the documentation of a function, or nil.
local function complaint(fn)
    local about = doc.of(fn)
    if not about then return "no source" end
    if not about.documented then return "no doc comment" end
    if about.summary == "" then return "no first sentence" end
    if not about.example then return "no example" end
    if about.name:find "^M[.:]" or about.name:find "^methods" then return "its name is the source's: " .. about.name end
    local ok, message = load(about.example, "example")
    return not ok and message or nil
end

local function assert_documented(what, thing, more)
    each_function(thing, more, function(name, fn)
        local wrong = complaint(fn)
        lu.assertNil(wrong, ("%s.%s: %s"):format(what, name, wrong))
    end)
end

TestDoc = {}

function TestDoc.test_the_library()
    assert_documented("nsh", nsh)
    assert_documented("nsh.netns", nsh.netns)
    assert_documented("nsh.pcap", nsh.pcap)
    assert_documented("show", show)
end

function TestDoc.test_the_manual_page_has_all_of_them()
    local page <close> = assert(io.open(os.getenv "NSH_BUILD" .. "/nsh.3"))
    local headed, count = {}, 0
    for signature in page:read "a":gmatch "%.SS ([^\n]*)" do headed[signature] = true end
    for _, about in ipairs(doc.all()) do
        lu.assertTrue(headed[about.signature], about.signature)
        count = count + 1
    end
    lu.assertTrue(count > 100)
end

function TestDoc.test_a_namespace_and_its_objects()
    assert_documented("ns", host)
    for name in pairs(require "nsh.core".netlink.objects()) do assert_documented("ns." .. name, host[name]) end
end

function TestDoc.test_a_lab_and_what_is_in_it()
    local lab <close> = nsh.lab "doc"
    local a, b = lab:node "a", lab:node "b"
    local pool = lab:pool "10.0.0.0/24"
    local link = a:connect{ addr = pool, to = b, peer = { addr = pool } }
    local route = a:route{ "10.9.0.0/16", via = "10.0.0.2" }
    lab:up()
    assert_documented("lab", lab)
    assert_documented("node", a)
    assert_documented("node.link", a.link, { "add", "list" })
    assert_documented("interface", link)
    assert_documented("declaration", route)
    assert_documented("pool", pool)
    assert_documented("graph", lab:graph())
end

function TestDoc.test_an_uplink()
    local lab <close> = nsh.lab "doc-uplink"
    local uplink = lab:uplink{ "up0", addr = "10.2.0.2/24", via = "10.2.0.1" }
    lab:up()
    assert_documented("uplink", uplink)
end

function TestDoc.test_what_runs()
    local process <close> = host:spawn{ "sleep", "60" }
    assert_documented("process", process)
    host.link:set{ "lo", up = true }
    local monitor <close> = host:monitor "link"
    assert_documented("monitor", monitor)
    local capture <close> = host:capture "lo"
    assert_documented("capture", capture)
    local listener <close> = host:listen{ unix = "@doc-test" }
    assert_documented("listener", listener)
    local connection <close> = host:connect{ unix = "@doc-test" }
    assert_documented("connection", connection)
    local task = nsh.go(function() end)
    assert_documented("task", task)
    local file <close> = nsh.pcap.create(os.tmpname())
    assert_documented("file", file)
    os.remove(file.path)
end

function TestDoc.test_what_may_be_expected()
    for _, module in ipairs{ "place", "listing", "names", "wire", "call", "value" } do
        assert_documented("nsh.expect", require("nsh.lesson." .. module))
    end
end

function TestDoc.test_a_complaint_is_made_where_something_is_missing()
    local function bare() return 1 end
    lu.assertEquals(complaint(bare), "no doc comment")
    --- Says nothing else.
    local function told() return bare() end
    lu.assertEquals(complaint(told), "no example")
    --- Says more.
    --
    --     this is no Lua
    local function shown() return bare() end
    lu.assertStrContains(complaint(shown), "syntax error")
    lu.assertEquals(complaint(print), "no source")
end

TestComments = {}

function TestComments.test_what_a_comment_tells()
    local about = doc.of(host.ping)
    lu.assertEquals(about.name, "ns:ping")
    lu.assertEquals(about.params, { "addresses", "opts" })
    lu.assertEquals(about.signature, "ns:ping(addresses, opts)")
    lu.assertStrContains(about.where, "nsh.ping:")
    lu.assertStrMatches(about.summary, "^Sends echo requests .* meanwhile%.$")
    lu.assertStrContains(about.example, 'print(host:ping "10.0.0.2")\nfor _, r')
    local keys = {}
    for _, block in ipairs(about) do
        if block.kind == "item" then keys[#keys + 1] = block.text:match "^`(.-)`: " end
    end
    lu.assertEquals(keys, { "count", "interval", "timeout", "size", "ttl", "source", "forget" })
end

function TestComments.test_errors_go_to_the_end_of_their_paragraph()
    local about = doc.of(nsh.netns.add)
    lu.assertEquals(about.errors, "EEXIST; EINVAL for a name that cannot be one.")
    lu.assertEquals(about[1].text, "Creates a namespace with a name, as `ip netns add` does: it lives until " ..
        "`nsh.netns.del`, or as long as the sandbox. Returns it.")
end

function TestComments.test_what_only_refuses_is_no_argument()
    lu.assertEquals(doc.of(host.spawn).signature, "ns:spawn(args)")
    lu.assertEquals(doc.of(nsh.go).signature, "nsh.go(fn, ...)")
end

function TestComments.test_functions_by_name()
    lu.assertEquals(doc.find("nsh.netns.add").where, doc.of(nsh.netns.add).where)
    lu.assertNil(doc.find "ns:launch")
    local names = {}
    for i, about in ipairs(doc.of_prefix "task:") do names[i] = about.name end
    lu.assertEquals(names, { "task:done", "task:wait" })
end

function TestComments.test_the_source_is_shown_whole()
    local text = doc.source(nsh.sleep)
    lu.assertStrMatches(text, "^%-%-%- Sleeps for .-\nfunction M%.sleep%(seconds%)\n.*\nend$")
end

function TestComments.test_functions_of_a_file_and_of_a_text()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write("--- Adds one.\n--\n--     plus(1)\nfunction plus(n)\n    return n + 1\nend\nreturn plus\n")
    file:close()
    local about = doc.of(assert(dofile(path)))
    lu.assertEquals({ about.documented, about.summary, about.example }, { true, "Adds one.", "plus(1)" })
    os.remove(path)
    local f, g, h = load("local function f(a, b) return a, b end\nlocal g = function(...) end\n" ..
        "return f, g, (function(x) end)")()
    lu.assertEquals(doc.of(f).signature, "f(a, b)")
    lu.assertEquals(doc.of(g).signature, "g(...)")
    lu.assertEquals(doc.of(h).signature, "function(x)")
end

os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run())
