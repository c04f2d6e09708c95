--- Runs the program nft in a namespace; what it refuses becomes an error object.
local dry = require "nsh.dry"
local errors = require "nsh.errors"
local trace = require "nsh.trace"

local M = {}

-- The words of strerror(3) behind which nft hides the kernel's code.
local CODES = {
    ["No such file or directory"] = "ENOENT", ["File exists"] = "EEXIST", ["Device or resource busy"] = "EBUSY",
    ["Operation not permitted"] = "EPERM", ["Permission denied"] = "EACCES", ["Operation not supported"] = "EOPNOTSUPP",
}

-- Where Debian has it; the path of an ordinary user lacks that.
local function path() return (os.getenv "PATH" or "/usr/bin:/bin") .. ":/usr/sbin:/sbin" end

local function nth_line(text, number)
    for line in (text .. "\n"):gmatch "(.-)\n" do
        number = number - 1
        if number == 0 then return line end
    end
end

local function trimmed(text) return (text:gsub("^%s+", ""):gsub("%s+$", "")) end

-- What is wrong there: nft underlines it.
local function token(line, first, last)
    local word = line:sub(first, last)
    return word:find "%S" and #word <= 40 and word ~= trimmed(line) and (', at "%s"'):format(word) or ""
end

local function code_of(words)
    for text, code in pairs(CODES) do
        if words:find(text, 1, true) then return code end
    end
    return "EINVAL"
end

--- Says in an error of M.refusal which line of the text it is: its number there, unless another is given.
function M.tell_line(err, number)
    if err.line then err.message = ("%s in line %d: %s"):format(err.words, number or err.line, err.rule) end
    return err
end

--- The error object for what nft has said of `text`. Only its first error: the others follow from that.
-- Fields if it names a line: `line`, its number; `rule`, what it says; `words`, what is wrong there.
function M.refusal(said, text)
    local number, first, last, words = said:match "/dev/stdin:(%d+):(%d+)%-(%d+): Error: ([^\n]*)"
    words = words or trimmed(said:match "Error: ([^\n]*)" or said)
    local err = errors.new(code_of(words), words)
    if number then
        local line = nth_line(text, tonumber(number)) or ""
        err.line, err.rule = tonumber(number), trimmed(line)
        err.words = words .. token(line, tonumber(first), tonumber(last))
    end
    return M.tell_line(err)
end

--- Runs nft with arguments, and `input` as its standard input. Returns what it prints; or nil and an error
-- object of M.refusal. Raises an error if it cannot be started.
function M.run(ns, args, input)
    local ok, result = pcall(ns.exec, ns,
        { "nft", input = input or "", output = true, env = { PATH = path() }, table.unpack(args) })
    if not ok then
        if type(result) == "table" and result.code == "ENOENT" then result.hint = "install the package nftables" end
        error(result, 0)
    end
    if result.status == 0 then return result.out end
    return nil, M.refusal(result.err, input or "")
end

--- The same for what only looks, also under `nsh -n`: returns what it prints, "" for what is not there.
function M.look(ns, args)
    local out, err = dry.looking(function() return M.run(ns, args) end)
    if not out and err.code ~= "ENOENT" then error(err, 0) end
    return out or ""
end

-- A word that no line of the text is.
local function delimiter(text)
    local word = "EOF"
    while ("\n" .. text .. "\n"):find("\n" .. word .. "\n", 1, true) do word = word .. "F" end
    return word
end

--- The command that gives a text to nft in a namespace of that name; nil: in the one of nsh.
function M.command(label, text)
    local prefix = label and "ip netns exec " .. trace.quote(label) .. " " or ""
    text = text:gsub("%s+$", "")
    local word = delimiter(text)
    return ("%snft -f - <<'%s'\n%s\n%s"):format(prefix, word, text, word)
end

--- Gives a text to nft, in one transaction, and reports it. Returns what it prints, with further arguments
-- such as "-e"; or nil and an error.
function M.apply(ns, text, ...)
    local out, err = M.run(ns, { "-f", "-", ... }, text)
    trace.change(err and err.message, "%s", M.command(ns.label, text))
    return out, err
end

return M
