-- luacheck: what tests/lint expects of the Lua files.
std = "lua54"
read_globals = { "nsh", "host", "show" } -- there under the program nsh
max_line_length = 120
self = false -- a method may need nothing of its object

files["tests/lua"] = {
    allow_defined_top = true, -- LuaUnit runs the globals called Test…
}
