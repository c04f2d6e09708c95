--- Lua's own functions, of which there is no source to show: their signatures, and what they do.
local M = {}

local text = [[
assert(v, message)               raises message unless v is true
collectgarbage(opt, arg)         the garbage collector: "collect", "count", "stop", "restart", …
dofile(filename)                 runs a file of Lua
error(message, level)            raises an error; level: whose place it names (1)
getmetatable(object)             its metatable, or the field __metatable of that
ipairs(t)                        for i, v in ipairs(t): the items of a list
load(chunk, chunkname, mode, env)  a text of Lua as a function, or nil and what is wrong with it
loadfile(filename, mode, env)    a file of Lua as a function
next(table, index)               the key behind that one, and its value
pairs(t)                         for k, v in pairs(t): all keys of a table, in any order
pcall(f, ...)                    calls f(...): true and its results, or false and the error
print(...)                       prints values as tostring has them
rawequal(v1, v2)                 whether they are the same, without __eq
rawget(table, index)             the value of a key, without __index
rawlen(v)                        the length of a table or text, without __len
rawset(table, index, value)      sets a key, without __newindex
require(modname)                 loads a module, once
select(n, ...)                   the arguments from the n-th on; "#": how many there are
setmetatable(table, metatable)   gives a table that metatable, and returns it
tonumber(e, base)                a text as a number, nil if it is none; base: 2 to 36
tostring(v)                      a value as text
type(v)                          "nil", "number", "string", "boolean", "table", "function", "thread", "userdata"
warn(...)                        prints a warning, if they are on
xpcall(f, msgh, ...)             as pcall; msgh(error) is called where it was raised
string.byte(s, i, j)             the numbers of the bytes from i to j
string.char(...)                 a text of these bytes
string.dump(function, strip)     a function as bytecode
string.find(s, pattern, init, plain)  where a pattern is first found: begin, end, captures; plain: as it is
string.format(formatstring, ...) as printf: %d %s %q %x %5.2f
string.gmatch(s, pattern, init)  for word in s:gmatch "%a+": each place where it is found
string.gsub(s, pattern, repl, n) replaces what is found: by a text, a table's value, or a function's
string.len(s)                    how many bytes
string.lower(s)                  in small letters
string.match(s, pattern, init)   what a pattern finds: its captures
string.pack(fmt, v1, ...)        values as bytes
string.packsize(fmt)             how many bytes that takes
string.rep(s, n, sep)            n times s, with sep between
string.reverse(s)                its bytes backwards
string.sub(s, i, j)              from byte i to j; from the end if negative
string.unpack(fmt, s, pos)       the values that string.pack has packed
string.upper(s)                  in capitals
table.concat(list, sep, i, j)    the items as one text, with sep between
table.insert(list, pos, value)   inserts at pos, or without it at the end
table.move(a1, f, e, t, a2)      copies the items f to e to t of a2 (a1)
table.pack(...)                  a table of the arguments, n: how many
table.remove(list, pos)          takes the item at pos (the last) out, and returns it
table.sort(list, comp)           sorts in place; comp(a, b): whether a goes first
table.unpack(list, i, j)         the items as values
math.abs(x)                      without the sign
math.acos(x)                     arc cosine, in radians
math.asin(x)                     arc sine, in radians
math.atan(y, x)                  arc tangent of y/x, in radians
math.ceil(x)                     the next integer above
math.cos(x)                      cosine of radians
math.deg(x)                      radians as degrees
math.exp(x)                      e to the power of x
math.floor(x)                    the next integer below
math.fmod(x, y)                  the rest of x by y, with the sign of x
math.log(x, base)                the logarithm (natural)
math.max(x, ...)                 the largest
math.min(x, ...)                 the smallest
math.modf(x)                     its integer part and the rest
math.rad(x)                      degrees as radians
math.random(m, n)                an integer from m to n (1 to m); without both, a number from 0 to 1
math.randomseed(x, y)            where random numbers begin
math.sin(x)                      sine of radians
math.sqrt(x)                     square root
math.tan(x)                      tangent of radians
math.tointeger(x)                as an integer, nil if it is none
math.type(x)                     "integer", "float", or nil
math.cosh(x)                     hyperbolic cosine (of older versions of Lua, as are the next six)
math.sinh(x)                     hyperbolic sine
math.tanh(x)                     hyperbolic tangent
math.pow(x, y)                   x to the power of y: x ^ y
math.log10(x)                    the logarithm to base 10
math.frexp(x)                    m and e of x = m * 2 ^ e
math.ldexp(m, e)                 m * 2 ^ e
math.ult(m, n)                   whether m is below n, both without sign
os.clock()                       seconds of processor time
os.date(format, time)            a time as text, or a table: "*t"
os.difftime(t2, t1)              seconds between two times
os.execute(command)              runs a line in the shell, outside of any namespace's mounts
os.exit(code, close)             ends nsh
os.getenv(varname)               a variable of the environment
os.remove(filename)              deletes a file
os.rename(oldname, newname)      renames a file
os.setlocale(locale, category)   sets the locale
os.time(table)                   the time, in seconds since the epoch
os.tmpname()                     a name for a temporary file
io.close(file)                   closes a file (standard output)
io.flush()                       writes what is still held back
io.input(file)                   the file that io.read reads
io.lines(filename, ...)          for line in io.lines(filename)
io.open(filename, mode)          a file, or nil and an error; mode "r", "w", "a", "r+"
io.output(file)                  the file that io.write writes
io.popen(prog, mode)             a program's output as a file
io.read(...)                     a line ("l"), all ("a"), a number ("n"), or so many bytes
io.tmpfile()                     a temporary file
io.type(obj)                     "file", "closed file", or nil
io.write(...)                    writes texts and numbers
utf8.char(...)                   a text of these code points
utf8.codepoint(s, i, j, lax)     the code points from byte i to j
utf8.codes(s, lax)               for place, code in utf8.codes(s)
utf8.len(s, i, j, lax)           how many characters; nil and the byte where it is no UTF-8
utf8.offset(s, n, i)             the byte where the n-th character begins
coroutine.close(co)              ends a suspended coroutine
coroutine.create(f)              a coroutine that will run f
coroutine.isyieldable(co)        whether it can yield
coroutine.resume(co, ...)        goes on with it: true and what it yields, or false and the error
coroutine.running()              the one that runs, and whether it is the main one
coroutine.status(co)             "running", "suspended", "normal", "dead"
coroutine.wrap(f)                a coroutine as a function that goes on with it
coroutine.yield(...)             suspends the one that runs
]]

local rows

local function load_rows()
    rows = {}
    for line in text:gmatch "[^\n]+" do
        local signature, about = line:match "^(%S-%(.-%))%s+(.+)$"
        rows[signature:match "^[^(]+"] = { signature, about }
    end
end

local libraries = { "string", "table", "math", "os", "io", "utf8", "coroutine" }

-- Of the names that a function has, the one that is told of.
local function row_of(fn, place, prefix)
    for name, value in next, place or {} do
        local row = rawequal(value, fn) and rows[prefix .. name]
        if row then return row end
    end
end

local function find(fn)
    local row = row_of(fn, package.loaded._G, "")
    for _, library in ipairs(libraries) do
        row = row or row_of(fn, package.loaded[library], library .. ".")
    end
    return row
end

--- The signature of a function of Lua's own, and what it does; nil for another.
--
--     print(library.of(string.rep))     --> string.rep(s, n, sep)   n times s, with sep between
function M.of(fn)
    if not rows then load_rows() end
    local row = find(fn)
    if row then return row[1], row[2] end
end

return M
