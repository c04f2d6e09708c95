-- What Tab offers, and that finding it runs nobody's code.
local lu = require "luaunit"
local find = require "nsh.repl.complete".complete

local function complete(text, env)
    local words = {}
    for i, match in ipairs((find(text, env))) do words[i] = match.word end
    return words
end

local function forbidden() error "a user's code was called" end

local guarded = setmetatable({ visible = 1 }, {
    __index = forbidden, __pairs = forbidden, __len = forbidden, __newindex = forbidden,
    __call = forbidden, __tostring = forbidden, __eq = forbidden,
})

local base = { inherited = function() end, number = 1 }
local env = {
    alpha = 1, alphabet = { zeta = 1, eta = { theta = 1 } }, guarded = guarded, text = "x",
    object = setmetatable({ own = function() end, callable = setmetatable({}, { __call = forbidden }) },
        { __index = base }),
    list = { { first = 1 }, ["a name"] = { second = 1 }, ["end"] = 1, [1.5] = 1 },
    promised = setmetatable({}, {
        __index = forbidden,
        __complete = function(self) return { "later", "latest", "not a name", 7, rawlen(self) } end,
    }),
    broken = setmetatable({ field = 1 }, { __complete = function() error "boom" end }),
    odd = setmetatable({ field = 1 }, { __complete = function() return "nothing" end }),
}
env._G = env

local function offers(text, ...)
    lu.assertEquals(complete(text, env), { ... })
end

TestComplete = {}

function TestComplete.test_globals_and_keywords()
    offers("al", "alpha", "alphabet")
    offers("x = re", "repeat", "return")
    offers("f(gu", "guarded")
    offers("a..al", "alpha", "alphabet")
    offers "nothing_such"
    lu.assertTableContains(complete("", env), "while")
end

function TestComplete.test_fields()
    offers("alphabet.", "eta", "zeta")
    offers("f(alphabet.z", "zeta")
    offers("alphabet.eta.", "theta")
    offers("alphabet . eta . t", "theta")
    offers "alphabet.eta.theta."
    offers "alphabet.nil_field.x"
    offers "alpha.x"
end

function TestComplete.test_inherited_fields()
    offers("object.", "callable", "inherited", "number", "own")
    offers("object.n", "number")
end

function TestComplete.test_only_what_can_be_called_after_a_colon()
    offers("object:", "callable", "inherited", "own")
    offers("promised:la", "later", "latest")
end

function TestComplete.test_methods_of_strings()
    offers("text:rev", "reverse")
    offers "text:nothing"
end

function TestComplete.test_constant_indices()
    offers("list[1].", "first")
    offers("list[ 1 ].f", "first")
    offers("list['a name'].", "second")
    offers('list["a name"].', "second")
    offers "list[2]."
    offers "list[i]."
end

function TestComplete.test_what_is_no_name_is_not_offered()
    offers "list."
end

function TestComplete.test_no_code_is_called()
    offers("guarded.", "visible")
    offers "guarded:"
    offers "guarded.unknown."
end

function TestComplete.test_declared_names()
    offers("promised.", "later", "latest")
    offers("broken.", "field")
    offers("odd.", "field")
end

function TestComplete.test_calls_are_not_followed()
    offers "f().a"
    offers "alphabet()."
end

function TestComplete.test_nothing_in_strings_and_comments()
    offers '"al'
    offers "'alphabet."
    offers "-- al"
    offers "x = 1 -- al"
    offers('"done" .. al', "alpha", "alphabet")
    offers([["it's \" quoted" .. al]], "alpha", "alphabet")
    offers([['--' .. al]], "alpha", "alphabet")
end

function TestComplete.test_a_ring_of_classes_ends()
    local a, b = { one = 1 }, { two = 2 }
    setmetatable(a, { __index = b })
    setmetatable(b, { __index = a })
    lu.assertEquals(complete("a.", { a = a }), { "one", "two" })
    lu.assertEquals(complete("a.missing.", { a = a }), {})
end

function TestComplete.test_a_protected_metatable_is_looked_through()
    local o = setmetatable({}, { __index = { hidden = 1 }, __metatable = false })
    lu.assertEquals(complete("o.", { o = o }), { "hidden" })
end

os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run())
