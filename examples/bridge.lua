#!/usr/bin/env nsh
-- Two containers on a Linux bridge, and the host beside them.
--
--      host ──────── br0 (172.16.0.1/16)
--                    ├── hlink3 ═══ clink3  app3  172.16.0.30/16
--                    └── hlink4 ═══ clink4  app4  172.16.0.40/16
--
-- A container's network is a namespace, and a veth pair is the cable into it. A cable between two
-- containers is easy; for more of them the host needs a switch: a bridge, with one end of each cable in it.
-- How do frames find their way then, and what must be added before the host itself can join in?
--
--   nsh -S examples/bridge.lua          builds and checks it, in a sandbox
--   nsh -S -x examples/bridge.lua       and prints the ip commands that do the same

nsh.sandbox()

local function step(text) print("\n## " .. text .. "\n") end

-- Says what was expected, and stops the script if it is not so.
local function check(holds, text)
    print((holds and "ok    " or "FAIL  ") .. text)
    if not holds then error("not so: " .. text, 0) end
end

local function reaches(from, address, text)
    local reply = from:ping(address, { count = 2, interval = 0.05, timeout = 1 })
    check(reply.ok, ("%s: %s"):format(text, reply))
end

local function fails(from, address, text)
    local reply = from:ping(address, { timeout = 0.3 })
    check(reply.received == 0, ("%s: %s"):format(text, reply))
end

-- The host's own way out, as the document's host has it: a cable into the outside world.
local outside = nsh.netns.new()
host.link:add{ "enp0s1", type = "veth", up = true, peer = { "gateway", netns = outside } }
host.addr:add{ "192.168.64.3/24", dev = "enp0s1" }
outside.link:set{ "gateway", up = true }
check(table.concat(host.link:get("enp0s1").flags, " "):find "LOWER_UP", "the host's way out has a carrier")

step "Two containers, each with a cable to the host"

local apps = {}
for _, i in ipairs{ 3, 4 } do
    local app = nsh.netns.add("app" .. i)
    local hlink, clink = "hlink" .. i, "clink" .. i
    host.link:add{ hlink, type = "veth", up = true, peer = { clink, netns = app } }
    app.link:set{ "lo", up = true }
    app.link:set{ clink, up = true }
    app.addr:add{ "172.16.0." .. i .. "0/16", dev = clink }
    apps[i] = app
end
local app3, app4 = apps[3], apps[4]

show(app3.addr:list{ dev = "clink3" })
reaches(app3, "172.16.0.30", "app3 reaches itself, through its lo")
reaches(app4, "172.16.0.40", "and so does app4")
check(#host.route:list{ "172.16.0.0/16" } == 0, "the host has no route to 172.16.0.0/16")
fails(app3, "172.16.0.40", "app3 does not reach app4: nothing joins the cables")

step "A bridge joins them"

host.link:add{ "br0", type = "bridge", up = true }
host.link:set{ "hlink3", master = "br0" }
host.link:set{ "hlink4", master = "br0" }
app3.neigh:flush{ dev = "clink3" } -- the failed attempt is forgotten

reaches(app3, "172.16.0.40", "app3 reaches app4")
reaches(app4, "172.16.0.30", "app4 reaches app3")
show(host.link:list{ master = "br0" })
show(app3.neigh:list())

local function mac(ns, name) return ns.link:get(name).address end
local function neighbour(ns, address) return ns.neigh:list{ address }[1].lladdr end
check(neighbour(app3, "172.16.0.40") == mac(app4, "clink4"), "app3 knows app4 by clink4's MAC")
check(neighbour(app4, "172.16.0.30") == mac(app3, "clink3"), "app4 knows app3 by clink3's MAC")
check(#host.addr:list{ dev = "hlink3", family = "inet" } == 0, "hlink3 itself has no IPv4 address")

step "An address on the bridge lets the host in"

fails(host, "172.16.0.30", "the host does not reach app3: it has no route")
host.addr:add{ "172.16.0.1/16", dev = "br0" }
show(host.route:list())
reaches(host, "172.16.0.30", "now the host reaches app3")
reaches(host, "172.16.0.40", "and app4")
reaches(app3, "172.16.0.1", "app3 reaches the host's address on the bridge")
reaches(app4, "172.16.0.1", "and so does app4")

step "A default route takes the containers to the host's other addresses"

fails(app3, "192.168.64.3", "app3 does not reach the host's own address")
app3.route:add{ "default", via = "172.16.0.1" }
app4.route:add{ "default", via = "172.16.0.1" }
show(app3.route:list())
reaches(app3, "192.168.64.3", "now app3 reaches it")
reaches(app4, "192.168.64.3", "and so does app4")

print "\nEverything is as the document says."
