-- What help says, of values and of words; and that nobody's code is run for it.
local lu = require "luaunit"

nsh.sandbox()

local help = require "nsh.repl.help"
local library = require "nsh.repl.library"
local question = require "nsh.repl.question"

local function text_of(value) return tostring(help.about(value)) end
local function named(name) return tostring(help.named(name)) end

-- The lines of a page, without the blanks at their ends.
local function has_lines(text, ...)
    for _, wanted in ipairs{ ... } do
        lu.assertStrContains("\n" .. text .. "\n", "\n" .. wanted)
    end
end

local function printed(fn, ...)
    local show = require "nsh.show"
    local said = {}
    show.to(function(text) said[#said + 1] = text end)
    local ok, err = pcall(fn, ...)
    show.to(nil)
    return table.concat(said), ok, err
end

TestHelp = {}

function TestHelp.test_a_function()
    local text = text_of(host.exec)
    has_lines(text, "ns:exec(args) ", "  timeout  seconds; then it is killed, and the error is ETIMEDOUT",
        "Errors\n  as of",
        'Example\n  local r = app1:exec{ "ping"')
end

function TestHelp.test_it_is_as_wide_as_the_terminal()
    for line in text_of(host.ping):gmatch "[^\n]+" do lu.assertTrue(utf8.len(line) <= 80, line) end
end

function TestHelp.test_what_a_comment_refers_to_follows()
    local lab <close> = nsh.lab "help"
    local node = lab:node "a"
    lab:up()
    has_lines(text_of(node.ping), "node:ping(target, opts)", "ns:ping(addresses, opts)")
end

function TestHelp.test_what_a_node_passes_on_is_explained()
    local lab <close> = nsh.lab "help"
    local node = lab:node "b"
    lab:up()
    has_lines(text_of(node.spawn), "ns:spawn(args)")
end

function TestHelp.test_keys_are_as_lua_writes_them()
    local attributes = require "nsh.repl.attributes"
    has_lines(named "gre", "  encap_dport      number: in records `dport`", "  local_ ")
    has_lines(named "wg", '  private_key  text: its own, as of genkey(); "": none\n')
    for _, name in ipairs(attributes.names()) do
        lu.assertNil(tostring(attributes.named(name)):match "\n  %w+%-%S+  [^\n]*", name)
    end
end

function TestHelp.test_things()
    local lab <close> = nsh.lab "help"
    local node = lab:node "c"
    has_lines(text_of(host), "ns: a network namespace", "  route    add set replace append del get list flush",
        "  ping(addresses, opts)  Sends echo requests")
    has_lines(text_of(lab), "lab: a lab", "  up() ")
    has_lines(text_of(node), "node: a node of a lab", "  connect(spec) ")
    has_lines(text_of(node.link), "link: ns.link:list(), ns.link:VERB{ … }, as `ip link`")
    has_lines(text_of(node:bridge "b0"), "interface: ", "  set(fields) ")
    has_lines(text_of(node:addr{ "10.0.0.1/8", dev = "b0" }), "declaration: ", "  remove() ")
    has_lines(text_of(lab:pool "10.0.0.0/8"), "pool: ", "  subnet(length)")
    lab:up()
    has_lines(text_of(nsh.netns), "nsh.netns: ", "  add(name) ")
    has_lines(text_of(nsh), "nsh: the library", "  go(fn, ...) ")
    has_lines(text_of(nsh.go(function() end)), "task: a task", "  wait(timeout) ")
    has_lines(text_of(select(2, pcall(host.link.del, host.link, "nothing"))), "error: ")
end

function TestHelp.test_objects_and_records()
    has_lines(text_of(host.link), "  set{ dev, … } ", "  txqueuelen  ")
    local lo = host.link:get "lo"
    has_lines(text_of(lo), "a record of link", "  ifname  ")
    has_lines(text_of(host.link:list()), "a list of 1 record of link")
end

function TestHelp.test_kinds()
    has_lines(named "vxlan", 'vxlan, a kind of link: ns.link:add{ "NAME", type = "vxlan", … }',
        "  id              number: VNI: the number of the virtual network; 0 to 16777215",
        "  df              word: the bit: don't fragment; unset, set, inherit", "  dstport  ")
    has_lines(named "netem", "netem, a kind of qdisc: ", '  delay           a time such as "50ms"')
    has_lines(named "htb", "htb, a kind of qdisc: ", "htb, a kind of class: ")
    has_lines(named "flower", "flower, a kind of filter: ")
    has_lines(named "police", "police, an action of filters: ", '  rate            a rate such as "10mbit"')
    has_lines(named "bridge_slave", 'Attributes of its ports (type = "bridge_slave")')
    has_lines(named "vxlan", "  remcsumtx       boolean: remote checksum offload; in records `remcsum_tx`")
    has_lines(named "police", "  index           number: read only")
end

-- Each object and each kind that the schema has, so that none breaks the page.
function TestHelp.test_all_names_have_a_page()
    local names = require "nsh.repl.attributes".names()
    lu.assertTrue(#names > 50)
    for _, name in ipairs(names) do lu.assertStrContains(named(name), name) end
    for _, name in ipairs(require "nsh.repl.topics".names()) do
        lu.assertStrContains(named(name), "\n\n", false, name .. " is told nothing of")
    end
end

function TestHelp.test_other_values()
    has_lines(text_of(nil), "nil: there is nothing of that name")
    has_lines(text_of(1), "an integer")
    has_lines(text_of(1.5), "a float")
    has_lines(text_of "x", "a string")
    has_lines(text_of{ 1, 2, x = 3 }, "a table: 3 keys")
    has_lines(text_of(string.rep), "string.rep(s, n, sep) ")
    has_lines(text_of(require "nsh.core".netns.add), "a function of C")
end

function TestHelp.test_nobodys_code_is_run()
    local function forbidden() error "a user's code was called" end
    local guarded = setmetatable({}, { __index = forbidden, __pairs = forbidden, __len = forbidden,
        __tostring = forbidden, __call = forbidden, __name = "user's", __eq = forbidden })
    has_lines(text_of(guarded), "a table: 0 keys")
    has_lines(text_of(setmetatable({}, { __metatable = false })), "a table: 0 keys")
    has_lines(text_of(setmetatable({}, { __name = 7, __record = {} })), "a table: 0 keys")
end

function TestHelp.test_help_prints()
    has_lines(printed(nsh.help), "nsh: a shell for Linux network namespaces")
    has_lines(printed(nsh.help, host), "ns: a network namespace")
    has_lines(printed(nsh.help, "ns:ping"), "ns:ping(")
    has_lines(printed(nsh.help, "ping"), "ns:ping(", "node:ping(")
    has_lines(printed(nsh.help, nil), "nil: ")
    local _, ok, err = printed(nsh.help, "vxlna")
    lu.assertEquals({ ok, err.code, err.message }, { false, "EINVAL",
        'there is no help on "vxlna"; did you mean vxlan' })
end

function TestHelp.test_every_function_of_luas_own_is_known()
    for name, place in pairs{ string = string, table = table, math = math, os = os, io = io, utf8 = utf8,
        coroutine = coroutine } do
        for key, value in pairs(place) do
            if type(value) == "function" then
                lu.assertStrContains(library.of(value) or "", name .. ".", false, name .. "." .. key)
            end
        end
    end
    for _, value in ipairs{ print, pcall, select, require, ipairs, setmetatable } do
        lu.assertNotNil(library.of(value))
    end
end

TestSignature = {}

local function is_hinted(text, signature) lu.assertEquals(question.signature(text), signature, text) end

function TestSignature.test_the_innermost_call_counts()
    local _ = host.link
    is_hinted("host:ping(", "ns:ping(addresses, opts)")
    is_hinted('host:ping("10.0.0.1", { count = ', "ns:ping(addresses, opts)")
    is_hinted('host:ping "10.', "ns:ping(addresses, opts)")
    is_hinted("host:exec{ ", "ns:exec(args)")
    is_hinted('print(string.rep("a", ', "string.rep(s, n, sep)")
    is_hinted('print(string.rep("a", 2)', "print(...)")
    is_hinted('host.link:add{ "x", ', "ns.link:add(args)")
    is_hinted("for i = 1, 2 do\n host:ping(", "ns:ping(addresses, opts)")
end

function TestSignature.test_the_locals_of_the_prompt_are_known()
    require("nsh.repl.chunk").compile("local kept_sleep, kept_ns = nsh.sleep, host", "=test").fn()
    is_hinted("kept_sleep(", "nsh.sleep(seconds)")
    is_hinted("kept_ns:ping(", "ns:ping(addresses, opts)")
    has_lines((printed(question.ask, "kept_sleep", "?")), "nsh.sleep(seconds)")
    has_lines((printed(question.ask, "kept_sleep", "??")), "function M.sleep(seconds)")
end

function TestSignature.test_elsewhere_there_is_none()
    for _, text in ipairs{ "", "host", "host:ping", 'host:ping("x")', "unknown(", "(", "{ ", "function f(",
        "-- host:ping(", "x = { [print" } do
        is_hinted(text, nil)
    end
end

function TestSignature.test_it_fits_behind_the_line()
    lu.assertEquals({ question.hint("host:ping(", 5, 80) }, { "ns:ping(addresses, opts)", 24 })
    lu.assertEquals({ question.hint("host:ping(", 5, 40) }, { "ns:ping(addresse…", 17 })
    lu.assertNil(question.hint("host:ping(", 5, 30))
    lu.assertNil(question.hint("host:ping(", 5, 15)) -- the cursor is in the first column of the next row
    lu.assertEquals(select(2, question.hint("do\nhost:ping(", 5, 40)), 22)
    lu.assertNil(question.hint("host:ping(\t", 5, 80))
end

os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run())
