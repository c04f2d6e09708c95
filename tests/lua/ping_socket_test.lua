-- The other tests of ns:ping, once more, where raw sockets are not permitted but ping sockets are.
local lu = require "luaunit"

local here = arg[0]:match "^(.*/)" or "./"
local wrapper = "NSH_TEST_PING=ping unshare -Urnm setpriv --bounding-set -net_raw --inh-caps -net_raw"

local function assert_passes(file)
    local pipe = assert(io.popen(("%s %s %s%s 2>&1"):format(wrapper, arg[-1], here, file)))
    local text = pipe:read "a"
    lu.assertTrue(pipe:close(), text)
end

TestPingSockets = {}

function TestPingSockets.test_what_answers()
    assert_passes "ping_test.lua"
end

function TestPingSockets.test_what_does_not()
    assert_passes "ping_lost_test.lua"
end

os.exit(lu.LuaUnit.run())
