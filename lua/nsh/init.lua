--- nsh: Linux network namespaces, as the `ip` command with braces.
--
--     local nsh = require "nsh"
--     local ns1 = nsh.netns.add "ns1"
--     nsh.host.link:add{ "veth0", type = "veth", peer = { "veth1", netns = ns1 } }
local nsh = { version = "0.1.0" }

-- What is loaded when it is first used: start-up costs nothing that a script does not ask for.
local lazy = {
    netns = function() return require "nsh.namespace" end,
    host = function() return nsh.netns.current() end,
    go = function() return require("nsh.loop").go end,
    sleep = function() return require("nsh.loop").sleep end,
    lab = function() return require("nsh.lab").new end,
    pcap = function() return require "nsh.pcap" end,
    settle = function() return require("nsh.settle").settle end,
    show = function() return require "nsh.show" end,
    graph = function() return require("nsh.lab.graph").graph end,
}

--- The path of the nsh that runs this, for programs that are to run it too; nil in a stock lua5.4.
--
--     host:exec{ nsh.program, "enter", "app3", "ip", "-br", "addr" }
function lazy.program()
    local open = package.preload["nsh.core.program"]
    return open and open()
end

for _, word in ipairs{ "step", "look", "expect", "check", "skip", "together", "done" } do
    lazy[word] = function() return require("nsh.lesson")[word] end
end

setmetatable(nsh, {
    __index = function(_, key)
        local load = lazy[key]
        nsh[key] = load and load()
        return rawget(nsh, key)
    end,
    __complete = function()
        local names = {}
        for name in pairs(lazy) do names[#names + 1] = name end
        return names
    end,
    __look = function(_, key) return lazy[key] and lazy[key]() end,
})

--- Moves this process into a sandbox: new user, network and mount namespaces, whose own root plays
-- the host. Nothing that is done there reaches the real host, and all of it is gone with the process.
-- The first thing a script does, before it uses a namespace or starts a program; does nothing in a
-- sandbox (`nsh -S`, or any `nsh` of an ordinary user). Errors: EPERM and others, with the cure.
--
--     nsh.sandbox()
function nsh.sandbox()
    local ok, err = require("nsh.core").sandbox.enter()
    if not ok then require("nsh.errors").raise(err, "enter a sandbox") end
end

--- Tells about a function, a thing of nsh's (a namespace, a node, a record, …), or what goes by a name: "link",
-- "vxlan", "netem", "lab", "ns:ping". Without an argument, about nsh on one page. At the prompt it is `help(x)`, or
-- `x?`; `x??` shows the source of a function. Nobody's code is run. Errors: EINVAL: there is nothing of that name.
--
--     nsh.help(host.ping)
--     nsh.help "vxlan"
function nsh.help(...)
    require("nsh.repl.help").help(...)
end

--- Reports every change from now on as the command that does the same, as `nsh -x` does: to stderr, or
-- line by line to a function; `nsh.trace(false)` ends it.
--
--     nsh.trace(true)
function nsh.trace(to)
    require("nsh.trace").to(to)
end

return nsh
