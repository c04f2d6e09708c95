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

--- What there is in place of a name that is not there: the nearest of `names`, or nil.
function M.nearest(word, names)
    local best, least
    for _, name in ipairs(names) do
        local d = M.distance(word, name)
        if d <= #word // 3 + 1 and (not least or d < least) then best, least = name, d end
    end
    return best
end

--- How many letters must change, go or come between two words (Levenshtein).
function M.distance(a, b)
    local row = {}
    for j = 0, #b do row[j] = j end
    for i = 1, #a do
        local corner
        corner, row[0] = row[0], i
        for j = 1, #b do
            local same = a:byte(i) == b:byte(j) and corner or corner + 1
            corner, row[j] = row[j], math.min(same, row[j] + 1, row[j - 1] + 1)
        end
    end
    return row[#b]
end

return M
