--- A lab as a table: a row for each interface.
local picture = require "nsh.lab.picture"

local M = {}

--- What is at the other ends: "node/interface" -> list of such texts.
--
--     local peers = require("nsh.lab.show").peers(picture.of_lab(lab))
function M.peers(drawn)
    local peers = {}
    local function add(near, far)
        local key = table.concat(near, "/")
        peers[key] = peers[key] or {}
        table.insert(peers[key], table.concat(far, "/"))
    end
    for _, edge in ipairs(drawn.edges) do
        add(edge.a, edge.b)
        add(edge.b, edge.a)
    end
    return peers
end

-- So that `show` knows the columns.
local Record = { __record = "interface" }

--- The interfaces of a picture as records: node, ifname, kind, master, operstate (as `ip` has it; nil for
-- what is only declared), addresses (list), peers (list of "node/interface"). A node without any is a
-- record with its name.
function M.records(drawn)
    local records, peers = {}, M.peers(drawn)
    for _, node in ipairs(drawn.nodes) do
        for _, interface in ipairs(node.interfaces) do
            records[#records + 1] = setmetatable({
                node = node.name, ifname = interface.name, kind = interface.label or interface.kind,
                master = interface.master, operstate = interface.state, addresses = interface.addresses,
                peers = peers[node.name .. "/" .. interface.name],
            }, Record)
        end
        if not node.interfaces[1] then records[#records + 1] = setmetatable({ node = node.name }, Record) end
    end
    return records
end

--- Prints a lab as a table: each node's interfaces with their addresses, what they are connected with, and
-- once it is up their state. Of the host those that the lab declares.
--
--     lab:show()
function M.show(lab)
    require("nsh.show").show(M.records(picture.of_lab(lab)))
end

return M
