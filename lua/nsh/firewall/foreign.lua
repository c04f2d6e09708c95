--- Firewalls of others in a namespace: chains that may drop what is forwarded.
--
-- An accept in one table does not keep another from dropping: whoever wants to be let through must be
-- accepted there.
local nft = require "nsh.firewall.nft"

local M = {}

local FAMILIES = { ip = true, ip6 = true, inet = true }

-- --- reading what nft lists ----------------------------------------------------------------------

-- Tables, as "family name" -> { family =, name =, chains = { name -> { hook =, policy =, lines } } }.
local function parse(text)
    local tables = {}
    local current, chain
    for line in text:gmatch "[^\n]+" do
        local family, name = line:match "^table (%S+) (%S+)"
        if family then
            local key = family .. " " .. name
            current = tables[key] or { family = family, name = name, chains = {} }
            tables[key] = current
        elseif line:find "^\tchain " then
            chain = { name = line:match "^\tchain (%S+)" }
            current.chains[chain.name] = chain
        elseif line:find "^\t\ttype " and chain then
            chain.type, chain.hook = line:match "type (%S+) hook (%S+)"
            chain.policy = line:match "policy (%S+);"
        elseif line == "\t}" then
            chain = nil
        elseif chain then
            chain[#chain + 1] = line:gsub('"[^"]*"', "")
        end
    end
    return tables
end

local function has_word(line, word) return line:find("%f[%w_-]" .. word .. "%f[^%w_-]") ~= nil end

-- What a rule of a kind that nft cannot tell (`xt`), or a map, does is not known.
local VERDICTS = { "drop", "reject", "queue", "xt", "vmap" }

local function line_may_drop(line)
    for _, word in ipairs(VERDICTS) do
        if has_word(line, word) then return true end
    end
    return false
end

local function may_drop(chains, chain, seen)
    if not chain or seen[chain] then return false end
    seen[chain] = true
    for _, line in ipairs(chain) do
        local target = line:match "%f[%w]jump (%S+)" or line:match "%f[%w]goto (%S+)"
        if line_may_drop(line) or may_drop(chains, chains[target], seen) then return true end
    end
    return chain.policy == "drop"
end

-- --- what there is -------------------------------------------------------------------------------

--- Tables there are in the namespace, as a set of "family name".
function M.tables(ns)
    local found = {}
    for family, name in nft.look(ns, { "list", "tables" }):gmatch "table (%S+) (%S+)" do
        found[family .. " " .. name] = true
    end
    return found
end

local function each_forward_chain(tables, own, fn)
    for _, one in pairs(tables) do
        for _, chain in pairs(one.chains) do
            if chain.hook == "forward" and chain.type == "filter" and FAMILIES[one.family] and one.name ~= own then
                fn(one, chain)
            end
        end
    end
end

local DOCKERS = "DOCKER-USER" -- the chain that Docker keeps for others' rules

local function goes_to_docker(chain)
    for _, line in ipairs(chain) do
        if line:match "%f[%w]jump (%S+)" == DOCKERS then return true end
    end
    return false
end

local function place(one, chain)
    local docker = one.chains[DOCKERS] and goes_to_docker(chain)
    return {
        family = one.family, table = one.name, chain = docker and DOCKERS or chain.name,
        iptables = one.family ~= "inet" and one.name == "filter" and chain.name == "FORWARD",
    }
end

--- Where an accept must stand, so that others let pass what is forwarded, as a list of { family =, table
-- =, chain =, iptables = whether it is one of the program iptables }. `own`: the name of the table that is
-- not another's.
function M.places(ns, own)
    local listed, places = {}, {}
    each_forward_chain(parse(nft.look(ns, { "list", "chains" })), own, function(one)
        listed[one.family .. " " .. one.name] = one
    end)
    for _, one in pairs(listed) do
        local text = nft.look(ns, { "list", "table", one.family, one.name })
        each_forward_chain(parse(text), own, function(found, chain)
            if may_drop(found.chains, chain, {}) then places[#places + 1] = place(found, chain) end
        end)
    end
    table.sort(places, function(a, b)
        return a.family .. a.table .. a.chain < b.family .. b.table .. b.chain
    end)
    return places
end

-- --- legacy iptables -----------------------------------------------------------------------------

-- The names must be read first: the program itself brings its tables into being. Prints nothing where
-- there are none, else what the chain has; "unknown" where there is no program to ask.
local LEGACY = [[
for v in '' 6; do
    grep -qx filter /proc/net/ip${v}_tables_names 2>/dev/null || continue
    ip${v}tables-legacy -w -S FORWARD 2>/dev/null || echo unknown
done]]

-- On the host, without a program for the usual case.
local function has_no_legacy()
    for _, name in ipairs{ "ip_tables_names", "ip6_tables_names" } do
        local file <close> = io.open("/proc/thread-self/net/" .. name)
        if file and file:read "a":find "%f[%w]filter%f[%W]" then return false end
    end
    return true
end

--- Whether iptables of old, of which nft knows nothing, drops what is forwarded: true, false, or "perhaps"
-- if that cannot be known.
function M.legacy_drops(ns)
    if not ns.handle and has_no_legacy() then return false end
    local said = ns:exec{ "sh", "-c", LEGACY, output = true,
        env = { PATH = (os.getenv "PATH" or "/usr/bin:/bin") .. ":/usr/sbin:/sbin" } }.out
    if said:find "%-P FORWARD DROP" or said:find "%-j DROP" or said:find "%-j REJECT" then return true end
    return said:find "unknown" and "perhaps" or false
end

return M
