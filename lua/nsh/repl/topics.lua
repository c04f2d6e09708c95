--- What help can speak of that is no function: nsh's own things.
local doc = require "nsh.repl.doc"
local names = require "nsh.repl.names"
local page = require "nsh.repl.page"

local M = {}

-- Rows: how users write it, what it is, the name of its metatable, and the module whose head tells of it. What can
-- be done with it are the public functions whose names begin with its own.
local rows = {
    { "nsh", "the library", nil, "nsh", mark = "." },
    { "nsh.netns", "namespaces by name, path and pid", nil, "nsh.namespace", mark = "." },
    { "nsh.pcap", "packets and files of tcpdump's", nil, "nsh.pcap", mark = "." },
    { "show", "what prints values for people", nil, "nsh.show", mark = "." },
    { "ns", "a network namespace", "nsh.namespace", "nsh.namespace" },
    { "lab", "a lab", "nsh.lab", "nsh.lab" },
    { "node", "a node of a lab", "nsh.node", "nsh.lab.node" },
    { "interface", "an interface that a lab declares", "nsh.interface", "nsh.lab.interface" },
    { "declaration", "what a lab declares", "nsh.declaration", "nsh.lab.declaration" },
    { "uplink", "a lab's way out", "nsh.uplink", "nsh.lab.uplink" },
    { "pool", "a pool of addresses", "nsh.pool", "nsh.lab.pool" },
    { "graph", "a picture of a network", "nsh.graph", "nsh.lab.graph" },
    { "process", "a program in a namespace", "nsh.process", "nsh.process" },
    { "capture", "a capture", "nsh.capture", "nsh.capture" },
    { "packet", "a packet", "nsh.packet", "nsh.pcap" },
    { "file", "a file that packets are written to", "nsh.pcap.writer", "nsh.pcap" },
    { "monitor", "a monitor", "nsh.monitor", "nsh.monitor" },
    { "event", "an event that a monitor tells", "nsh.event", "nsh.event" },
    { "connection", "a connection", "nsh.connection", "nsh.socket" },
    { "listener", "a socket that waits for connections", "nsh.listener", "nsh.socket" },
    { "helper", "rules of the firewall that nsh keeps", "nsh.firewall", "nsh.firewall" },
    { "task", "a task", "nsh.task", "nsh.loop" },
    { "error", "an error", "nsh.error", "nsh.errors" },
    { "peer", "the other end of a link", "nsh.peer", "nsh.peers" },
}

local by_name, by_class = {}, {}
for _, row in ipairs(rows) do
    by_name[row[1]] = row
    if row[3] then by_class[row[3]] = row end
end

local function functions(out, row)
    local list = doc.of_prefix(row[1] .. (row.mark or ":"))
    if not list[1] then return end
    out:title "What it does"
    local lines = {}
    for i, about in ipairs(list) do
        local signature = about.name:match "[^.:]+$" .. about.signature:match "%b()$"
        lines[i] = { signature, (about.summary:gsub("[:;] .*", ".")) }
    end
    out:rows(lines)
end

local function objects(out)
    out:title "Its objects, each with verbs: ns.link:list()"
    local lines = {}
    for n, object in ipairs(require("nsh.repl.complete.keys").objects()) do
        local verbs = {}
        for i, verb in ipairs(object.verbs) do verbs[i] = verb.name end
        lines[n] = { object.name, table.concat(verbs, " ") }
    end
    out:rows(lines)
end

local has_objects = { ns = true, node = true }

local function describe(row)
    local out = page.new()
    out:head(("%s: %s"):format(row[1], row[2]))
    local about = doc.module(row[4])
    if about then out:doc(about) end
    if has_objects[row[1]] then objects(out) end
    functions(out, row)
    if row[1] == "node" then out:text("What a namespace does (`help \"ns\"`) a node does as well, once it is up.") end
    return out
end

--- A page about a thing that goes by this name in documents ("ns", "lab", "process"); nil if none does.
--
--     print(topics.named "ns")
function M.named(name)
    local row = by_name[name]
    return row and describe(row)
end

--- A page about a thing of nsh's that is of the class of this name ("nsh.capture"); nil for what is none.
--
--     print(topics.of_class "nsh.namespace")
function M.of_class(class)
    local row = by_class[class]
    return row and describe(row)
end

--- A page about a module of nsh's; nil if there is none of that name.
--
--     print(topics.of_module "nsh.ping")
function M.of_module(name)
    for _, row in ipairs(rows) do
        if row[4] == name and row.mark then return describe(row) end
    end
    local about = names.is_public(name) and doc.module(name)
    if not about then return nil end
    local out = page.new()
    out:head(name)
    out:doc(about)
    return out
end

--- All names of things, for who has mistyped one.
function M.names()
    local list = {}
    for i, row in ipairs(rows) do list[i] = row[1] end
    return list
end

return M
