--- Pools of addresses, so that nobody counts by hand.
local core = require "nsh.core"
local errors = require "nsh.errors"

local Pool = { __name = "nsh.pool" }
Pool.__index = Pool

-- A prefix is `head`, the bytes that no pool of it changes, and a number of at most 62 bits: the rest of
-- IPv6's 128 is more than a lab will count through.
local COUNTED = 8

-- `width`: bytes of the counted part; `bits`: how many of its bits the pool counts through.
local function new(head, width, base, bits, length)
    return setmetatable({ head = head, width = width, base = base, bits = bits, length = length, taken = 0 }, Pool)
end

local function refuse(op, message, code)
    errors.raise(errors.new(code or "EINVAL", message), op)
end

local function text_of(pool, number)
    return core.address.format(pool.head .. (">I" .. pool.width):pack(number))
end

local function is_inet6(pool) return pool.head ~= "" end

--- A pool of the addresses in a prefix.
--
--     local pool = lab:pool "10.0.0.0/24"
--     print(pool:next())                --> 10.0.0.1/24
local function from(prefix)
    local op = "make a pool of " .. tostring(prefix)
    if type(prefix) ~= "string" then refuse(op, 'a prefix such as "10.0.0.0/24" expected') end
    local bytes, length = core.address.parse(prefix)
    if not bytes then errors.raise(length, op) end
    local bits = #bytes * 8 - length
    if bits == 0 then refuse(op, "a prefix of one address has none to give") end
    local width = math.min(#bytes, COUNTED)
    bits = math.min(bits, COUNTED * 8 - 2)
    local number = (">I" .. width):unpack(bytes, #bytes - width + 1)
    return new(bytes:sub(1, #bytes - width), width, number & ~((1 << bits) - 1), bits, length)
end

function Pool:__tostring()
    return ("%s/%d"):format(text_of(self, self.base), self.length)
end

-- The first is the network's own address and IPv4's last its broadcast address; a prefix of two has
-- neither (RFC 3021, RFC 6164).
local function limits(pool)
    local size = 1 << pool.bits
    if pool.bits == 1 then return 0, size - 1 end
    return 1, size - (is_inet6(pool) and 1 or 2)
end

--- The next address, with the length of the prefix. Errors: ENOSPC: there are no more.
--
--     app:connect{ "eth0", addr = pool:next(), to = switch }
function Pool:next()
    local first, last = limits(self)
    local number = math.max(self.taken, first)
    if number > last then refuse("take an address", ("%s has no more of them"):format(self), "ENOSPC") end
    self.taken = number + 1
    return ("%s/%d"):format(text_of(self, self.base + number), self.length)
end

--- The next prefix of that length, as a pool of its own. Errors: EINVAL, ENOSPC: there are no more.
--
--     local pair = pool:subnet(30)
--     a:connect{ addr = pair, to = b, peer = { addr = pair } }
function Pool:subnet(length)
    local bits = (#self.head + self.width) * 8 - (math.tointeger(length) or 0)
    if bits < 1 or bits >= self.bits then
        refuse("take a prefix", ("its length is more than %d and leaves room for two"):format(self.length))
    end
    local size = 1 << bits
    local number = (self.taken + size - 1) // size * size
    if number >= 1 << self.bits then
        refuse("take a prefix", ("%s has no more of length %d"):format(self, length), "ENOSPC")
    end
    self.taken = number + size
    return new(self.head, self.width, self.base + number, bits, length)
end

--- The length of a prefix that has just two addresses for the ends of a link.
--
--     local pair = pool:subnet(pool:pair_length())
function Pool:pair_length() return is_inet6(self) and 126 or 30 end

return { new = from }
