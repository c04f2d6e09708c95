--- Reading and writing descriptors that do not block: pipes of programs, and connections.
--
-- What is read waits in a buffer until somebody takes it, what is written until it fits. Nothing here
-- waits: the caller says how.
local errors = require "nsh.errors"

local M = {}

local CHUNK = 65536

--- The buffer of a descriptor to read from. Fields: fd, ended, and err (what ended it, nil at its end).
function M.reader(fd)
    return { fd = fd, text = "", at = 1, more = {}, ended = false }
end

--- The buffer of a descriptor to write to; `last`, which the caller sets: nothing follows.
function M.writer(fd)
    return { fd = fd, text = "", at = 1 }
end

-- --- reading -------------------------------------------------------------------------------------

--- Reads what is there; returns whether there may be more.
function M.fill(stream)
    local bytes, err = stream.fd:read(CHUNK)
    if not bytes and err.code == "EAGAIN" then return false end
    if not bytes or bytes == "" then
        stream.ended, stream.err = true, err
        return false
    end
    stream.more[#stream.more + 1] = bytes
    return true
end

-- What was read and not yet taken, as one string from `stream.at` on.
local function buffered(stream)
    if stream.more[1] then
        stream.text = stream.text:sub(stream.at) .. table.concat(stream.more)
        stream.at, stream.more = 1, {}
    end
    return stream.text
end

local function take(stream, size)
    local piece = buffered(stream):sub(stream.at, stream.at + size - 1)
    stream.at = stream.at + #piece
    return piece
end

--- Takes all that was read.
function M.rest(stream)
    return take(stream, #buffered(stream))
end

--- Reads and takes all that is there now; nil without a stream.
function M.drain(stream)
    if not stream then return nil end
    while not stream.ended and M.fill(stream) do end
    return M.rest(stream)
end

local function take_line(stream, keep_end)
    local stop = buffered(stream):find("\n", stream.at, true)
    if not stop then return nil end
    local line = take(stream, stop - stream.at + 1)
    return keep_end and line or line:sub(1, -2)
end

-- Each returns its piece, or nil while there is not enough; a number is a count of bytes.
local readers = {
    a = function() return nil end,
    l = function(stream) return take_line(stream, false) end,
    L = function(stream) return take_line(stream, true) end,
}

local function reader_for(what)
    if math.type(what) == "integer" and what >= 0 then
        return function(stream)
            return #buffered(stream) - stream.at + 1 >= math.max(what, 1) and take(stream, what) or nil
        end
    end
    return readers[what]
end

--- As Lua's file:read: `what` is "l" (default), "L", "a" or a number of bytes. `wait()` returns once there
-- may be more, or false if it gives up. Returns a string, nil at the end; or nil and an error object.
function M.read(stream, what, wait)
    what = what or "l"
    local reader = reader_for(what)
    if not reader then
        return nil, errors.new("EINVAL", ('what to read is "l", "L", "a" or a number of bytes, not "%s"'):format(what))
    end
    local piece = reader(stream)
    while not piece and not stream.ended do
        if wait() == false then return nil, errors.new("ETIMEDOUT", "nothing came in time") end
        piece = reader(stream)
    end
    piece = piece or M.rest(stream)
    if piece ~= "" or what == 0 and not stream.ended then return piece end
    if stream.err then return nil, stream.err end
    return what == "a" and "" or nil
end

-- --- writing -------------------------------------------------------------------------------------

--- Adds what is to be written.
function M.add(stream, text)
    stream.text, stream.at = stream.text:sub(stream.at) .. text, 1
end

function M.is_flushed(stream)
    return stream.at > #stream.text
end

--- Writes what fits; returns the error object of what cannot be written.
function M.flush(stream)
    local written, err = stream.fd:write(stream.text:sub(stream.at, stream.at + CHUNK - 1))
    if written then
        stream.at = stream.at + written
    elseif err.code ~= "EAGAIN" then
        return err
    end
end

return M
