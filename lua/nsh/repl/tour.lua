--- What `help()` shows: nsh on one page.
local page = require "nsh.repl.page"

local parts = {
    { "An ip command with braces", [[
host.link:list()                                   -- ip link
host.link:add{ "br0", type = "bridge", up = true } -- ip link add name br0 up type bridge
ns1 = nsh.netns.add "ns1"                          -- ip netns add ns1
ns1.addr:add{ "10.0.0.1/24", dev = "lo" }          -- ip -n ns1 addr add 10.0.0.1/24 dev lo
ns1:exec "ip addr"                                 -- ip netns exec ns1 ip addr]] },
    { "Does it work?", [[
host:ping "10.0.0.2"
c = host:capture{ "br0", filter = "icmp or arp" }  -- c:list() are its packets so far
ns1:spawn{ "python3", "-m", "http.server", "8080", listen = 8080 }
host:show(); print(nsh.graph())                    -- on a page, as a picture]] },
    { "A lab: declared, then built in one go", [[
lab = nsh.lab "net"
a, b = lab:node "a", lab:node "b"
a:connect{ "eth0", addr = "10.0.0.1/24", to = b, peer = { "eth0", addr = "10.0.0.2/24" } }
lab:up():pingall()
lab:down()]] },
    { "More of help", [[
host.ping?                what a function takes, returns, refuses, and an example: help(host.ping)
host.ping??               its source
help "link"               an object and its attributes; so addr, route, neigh, qdisc, filter, …
help "vxlan"              a kind of link; so qdiscs (netem, htb, …), filters (flower, …), actions (police, …)
help "ns"                 a namespace; so lab, node, process, capture, monitor, graph, error, …
?                         the key, behind a name or inside a call's brackets: help on it, above the line]] },
}

--- The page.
--
--     print(tour())
return function()
    local out = page.new()
    out:head "nsh: a shell for Linux network namespaces"
    for _, part in ipairs(parts) do
        out:title(part[1])
        out:code(part[2])
    end
    out:text "Tab completes; `.help` lists the prompt's own words; `man nsh` and README.md tell all. Ctrl-D leaves."
    return out
end
