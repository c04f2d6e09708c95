--- A field of a value's metatable, whatever kind of value it is, without running anybody's code; nil if there is none.
--
--     metafield(host, "__name")   --> "nsh.netns"
return function(value, event)
    local meta = debug.getmetatable(value)
    return meta and rawget(meta, event)
end
