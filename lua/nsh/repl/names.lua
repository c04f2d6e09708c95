--- What users call nsh's functions: not `methods:ping`, as the source has it, but `ns:ping`.
local M = {}

--- The modules that have public functions.
M.modules = {
    "nsh", "nsh.namespace", "nsh.object", "nsh.batch", "nsh.ping", "nsh.process", "nsh.shell", "nsh.capture",
    "nsh.monitor", "nsh.socket", "nsh.listening", "nsh.http", "nsh.page", "nsh.peers", "nsh.sysctl", "nsh.firewall",
    "nsh.lab", "nsh.lab.node", "nsh.lab.interface", "nsh.lab.declaration", "nsh.lab.pool", "nsh.lab.shapes",
    "nsh.lab.uplink", "nsh.lab.pingall", "nsh.lab.graph", "nsh.lab.show", "nsh.loop", "nsh.settle", "nsh.pcap",
    "nsh.event", "nsh.show", "nsh.lesson", "nsh.lesson.claim", "nsh.lesson.expect", "nsh.lesson.place",
    "nsh.lesson.listing", "nsh.lesson.names", "nsh.lesson.wire", "nsh.lesson.call", "nsh.lesson.value",
}

local is_public = {}
for _, module in ipairs(M.modules) do is_public[module] = true end

--- Whether a module has public functions.
function M.is_public(module) return is_public[module] or false end

-- Of a module: what stands before the name of a function, for the table that has it; or all of the name, for one
-- that is none of a table.
local exceptions = {
    ["nsh"] = { nsh = "nsh.", lazy = "nsh." },
    ["nsh.namespace"] = { M = "nsh.netns.", methods = "ns:" },
    ["nsh.object"] = { verbs = "ns.OBJECT:", wg = "ns.wg:", open_socket = "ns.OBJECT:open" },
    ["nsh.lab"] = { new = "nsh.lab" },
    ["nsh.lab.pingall"] = { ["M.pingall"] = "pingall" },
    ["nsh.lab.graph"] = { ["M.graph"] = "nsh.graph" },
    ["nsh.loop"] = { ["M.go"] = "nsh.go", ["M.sleep"] = "nsh.sleep" },
    ["nsh.settle"] = { M = "nsh.settle.", ["M.settle"] = "nsh.settle" },
    ["nsh.firewall"] = { Helper = "helper:" },
    ["nsh.pcap"] = { M = "nsh.pcap.", Writer = "file:" },
    ["nsh.show"] = { M = "show.", ["M.show"] = "show" },
    ["nsh.lesson"] = { M = "nsh." },
    ["nsh.lesson.claim"] = { ["M.together"] = "nsh.together" },
    ["nsh.lesson.expect"] = { expect = "nsh.expect" },
    ["nsh.lesson.place"] = { M = "nsh.expect(place):" },
    ["nsh.lesson.listing"] = { M = "nsh.expect(object):" },
    ["nsh.lesson.names"] = { M = "nsh.expect(nsh.netns):" },
    ["nsh.lesson.wire"] = { M = "nsh.expect(capture):" },
    ["nsh.lesson.call"] = { M = "nsh.expect(fn):" },
    ["nsh.lesson.value"] = { M = "nsh.expect(value):" },
}

--- Functions that only pass a call on to another one: by the module, the upvalue that has that one or its name,
-- and what stands before the name.
M.forwards = {
    ["nsh.lab.node"] = { key = "ns:", verb = "ns.OBJECT:" },
    ["nsh.lesson.expect"] = { claim = "" },
}

-- What a function of a module gets first, if it is a method of something else.
local receivers = { ns = true, lab = true }

local function prefix(module, owner, params)
    local first = params[1]
    if owner == "M" then return receivers[first] and first .. ":" or module .. "." end
    if owner == "methods" then return module:match "[^.]+$" .. ":" end
    return owner:lower() .. ":"
end

--- The name of a function, and the arguments that are written behind it. `owner`: the table that has it in its
-- module's source, nil for one that is local; `params`: what the function gets, `self` as well.
--
--     names.of("nsh.ping", "M", "ping", { "ns", "addresses", "opts" })   --> "ns:ping", { "addresses", "opts" }
function M.of(module, owner, name, params)
    local own = exceptions[module] or {}
    local full = own[owner and owner .. "." .. name or name]
        or (owner and (own[owner] or prefix(module, owner, params)) or "") .. name
    if not full:find(":", 1, true) then return full, params end
    return full, table.move(params, 2, #params, 1, {})
end

return M
