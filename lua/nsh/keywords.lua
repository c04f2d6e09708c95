--- The words that Lua reserves, as a set: no name, and no key without brackets.
--
--     keywords["end"]   --> true
local keywords = {}

for word in ([[
    and break do else elseif end false for function goto if in local nil not or repeat return then true until while
]]):gmatch "%a+" do
    keywords[word] = true
end

return keywords
