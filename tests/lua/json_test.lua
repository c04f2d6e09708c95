-- core.json.encode: what it writes, and what it refuses and where.
local lu = require "luaunit"
local json = require "nsh.core".json

TestJson = {}

local function check(value, expected, options)
    lu.assertEquals(json.encode(value, options), expected)
end

local function check_refused(value, message)
    local text, err = json.encode(value)
    lu.assertNil(text)
    lu.assertEquals(err.code, "EINVAL")
    lu.assertStrContains(err.message, message)
end

function TestJson.testScalars()
    check(nil, "null")
    check(true, "true")
    check("x", '"x"')
end

function TestJson.testIntegersAreExact()
    check(math.maxinteger, "9223372036854775807")
    check(math.mininteger, "-9223372036854775808")
end

function TestJson.testFloatsAreTheShortestThatReadBack()
    check(0.1, "0.1")
    check(1 / 3, "0.3333333333333333")
    check(5e-324, "5e-324")
    check(100.0, "100.0")
    check(-0.0, "-0.0")
    check(1e300, "1e+300")
end

function TestJson.testFloatsDoNotFollowTheLocale()
    local before = os.setlocale(nil, "numeric")
    for _, name in ipairs { "de_DE.UTF-8", "fr_FR.UTF-8" } do
        if os.setlocale(name, "numeric") then check(1.5, "1.5") end
    end
    os.setlocale(before, "numeric")
end

function TestJson.testFloatsThatJsonDoesNotHave()
    check_refused(0 / 0, "value is not a finite number")
    check_refused({ rate = 1 / 0 }, "value.rate is not a finite number")
end

function TestJson.testEscapes()
    check('"\\/', [["\"\\/"]])
    check("\0\1\b\t\n\f\r\31\127", [["\u0000\u0001\b\t\n\f\r\u001f]] .. '\127"')
end

function TestJson.testUtf8PassesAndTheRestIsReplaced()
    check("é€😀", '"é€😀"')
    check("a\xffb", '"a\u{fffd}b"')
    check("\xc0\x80", '"\u{fffd}\u{fffd}"') -- an overlong NUL
    check("\xed\xa0\x80", '"\u{fffd}\u{fffd}\u{fffd}"') -- a surrogate
    check("\xe2\x82", '"\u{fffd}\u{fffd}"') -- cut off
end

function TestJson.testListsAndObjects()
    check({ 1, 2, "x" }, '[1,2,"x"]')
    check({}, "{}")
    check({ b = 1, a = { c = false } }, '{"a":{"c":false},"b":1}')
    check({ [1] = 1, [3] = 3 }, '{"1":1,"3":3}')
    check({ 1, 2, x = 3 }, '{"1":1,"2":2,"x":3}')
end

function TestJson.testMarkedLists()
    check(json.list(), "[]")
    check({ flags = json.list {} }, '{"flags":[]}')
    check(json.list { 1 }, "[1]")
    check_refused(json.list { x = 1 }, "value is a list with holes or names in it")
end

function TestJson.testReservedWordsLoseTheirUnderscore()
    check({ local_ = 1, end_ = 2, other_ = 3, _ = 4 }, '{"_":4,"end":2,"local":1,"other_":3}')
    check_refused({ ["end"] = 1, end_ = 2 }, "two keys that are one")
end

function TestJson.testRefusalsNameThePlace()
    check_refused({ links = { 1, { fn = print } } }, "value.links[2].fn is a function")
    check_refused({ [1.5] = 1 }, "value has a key that is neither")
    check_refused({ io.stdout }, "value[1] is a userdata")
end

function TestJson.testCyclesAndDepth()
    local ring = {}
    ring.x = { ring }
    check_refused(ring, "value.x[1] contains itself")
    local shared = { 1 }
    check({ shared, shared }, "[[1],[1]]")
    local deep = {}
    for _ = 1, 99 do deep = { deep } end
    check(deep, ("["):rep(99) .. "{}" .. ("]"):rep(99))
    check_refused({ deep }, "is nested too deeply")
end

function TestJson.testIndent()
    check({ a = { 1, {} } }, '{\n  "a": [\n    1,\n    {}\n  ]\n}', { indent = 2 })
end

function TestJson.testLargeTextsKeepEveryByte()
    local words, expected = {}, {}
    for i = 1, 20000 do words[i], expected[i] = "word" .. i, '"word' .. i .. '"' end
    check(words, "[" .. table.concat(expected, ",") .. "]")
end

os.exit(dofile((arg[0]:gsub("[^/]*$", "support.lua"))).run())
