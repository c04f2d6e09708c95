--- Names in a lab: what an interface can be called, and the MAC that follows from its name.
local M = {}

-- IFNAMSIZ is 16, with the zero byte at the end (linux/if.h).
local LONGEST = 15

-- FNV-1a, 64 bits (draft-eastlake-fnv), and a last step of MurmurHash3, without which names that differ
-- in their end only would differ in few bits. The same text gives the same number everywhere.
local function hash(text)
    local h = 0xcbf29ce484222325
    for i = 1, #text do h = (h ~ text:byte(i)) * 0x100000001b3 end
    h = (h ~ h >> 33) * 0xff51afd7ed558ccd
    return h ~ h >> 33
end

--- What the kernel gets for an interface's name: the name itself, or of one longer than 15 bytes the
-- beginning and a hash of the whole, the same each time.
--
--     name.shorten "leaf-12-to-spine-3"        --> "leaf-12-t-32f1a"
function M.shorten(name)
    if #name <= LONGEST then return name end
    return ("%s-%05x"):format(name:sub(1, LONGEST - 6), hash(name) & 0xfffff)
end

--- A MAC for an interface, so that captures of a lab are the same each time: locally administered and
-- unicast (IEEE 802: bits 1 and 0 of the first byte), the rest a hash of the names.
function M.mac(lab, node, interface)
    local h = hash(lab .. "/" .. node .. "/" .. interface)
    return ("02:%02x:%02x:%02x:%02x:%02x"):format(h >> 56, h >> 48 & 255, h >> 40 & 255, h >> 32 & 255,
        h >> 24 & 255)
end

return M
