--- What somebody may have meant who wrote a name that does not exist.
local errors = require "nsh.errors"

local M = {}

-- Edits between two words (Levenshtein).
local function distance(a, b)
    local row = {}
    for j = 0, #b do row[j] = j end
    for i = 1, #a do
        local diagonal = row[0]
        row[0] = i
        for j = 1, #b do
            local change = diagonal + (a:byte(i) == b:byte(j) and 0 or 1)
            diagonal = row[j]
            row[j] = math.min(change, row[j] + 1, row[j - 1] + 1)
        end
    end
    return row[#b]
end

-- nil if it is too far for words of that length. One may be the beginning of the other.
local function edits_between(word, name)
    local shorter = math.min(#word, #name)
    if shorter >= 2 and word:sub(1, shorter) == name:sub(1, shorter) then return 1 end
    if #word > 40 then return nil end
    local edits = distance(word, name)
    return edits <= 1 + shorter // 3 and edits or nil
end

--- What there is in place of a name that is not there: the nearest of `names`, or nil.
--
--     suggest.nearest("lnk", { "addr", "link" })   --> "link"
function M.nearest(word, names)
    local best, least
    for _, name in ipairs(names) do
        local edits = edits_between(word, name)
        if edits and edits < (least or math.huge) then best, least = name, edits end
    end
    return best
end

local function contains(names, wanted)
    for _, name in ipairs(names) do
        if name == wanted then return true end
    end
    return false
end

--- Raises EINVAL: `what` has no such thing as `word`. `names`: what there is; `synonyms`: the names that
-- other words stand for.
--
--     suggest.refuse("link has no verb", "show", { "add", "list" }, { show = "list" })
function M.refuse(what, word, names, synonyms)
    local meant = synonyms[word]
    if not contains(names, meant) then meant = M.nearest(word, names) end
    local rest = meant and "did you mean " .. meant or "there are " .. table.concat(names, ", ")
    local err = errors.new("EINVAL", ('%s "%s"; %s'):format(what, errors.short(word), rest))
    err.key = word
    errors.raise(err)
end

return M
