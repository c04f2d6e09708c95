-- WireGuard: keys, devices and their peers, with `wg show dump` as the oracle; and a tunnel.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local oracle = dofile((arg[0]:gsub("[^/]*$", "oracle.lua")))
local core = require "nsh.core"
local lu = require "luaunit"
local nsh = require "nsh"

nsh.sandbox()

local KEY = "aG4LgFffNnrI8ghDhjcgt9PJkPtah9iCLFNutwS0uF0=" -- of nobody
local OTHER = "kK1oD4HRSSjVN5cRcwDkLFr4kLRN9k13fJjfaceyVGA="
local compared = 0

-- --- without a kernel that has it ----------------------------------------------------------------

TestWireguardWords = {}

local function pubkey(key) return (support.sh(("echo '%s' | wg pubkey"):format(key)):gsub("\n", "")) end

function TestWireguardWords.test_new_keys_are_keys_and_differ()
    local seen = {}
    for _ = 1, 20 do
        for _, key in ipairs{ nsh.host.wg:genkey(), nsh.host.wg:genpsk() } do
            lu.assertEquals(#pubkey(key), 44)
            lu.assertNil(seen[key])
            seen[key] = true
        end
    end
end

-- RFC 7748: three bits are clear and one is set. The first byte is the first digit and a part of the second.
function TestWireguardWords.test_private_keys_are_clamped()
    local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    local function value(key, i) return digits:find(key:sub(i, i), 1, true) - 1 end
    for _ = 1, 20 do
        local key = nsh.host.wg:genkey()
        lu.assertEquals((value(key, 1) << 2 | value(key, 2) >> 4) & 7, 0)
        local last = (value(key, 42) << 6 | value(key, 43)) >> 2 & 255
        lu.assertEquals(last & 192, 64)
    end
end

local wrong = {
    { { private_key = "abc" }, "EINVAL", "private_key", "it is not a key: 44 characters of base64" },
    { { private_key = KEY:gsub("=", "A") }, "EINVAL", "private_key", "it is not a key: 44 characters of base64" },
    { { private_key = KEY:gsub("0=", "1=") }, "EINVAL", "private_key", "it is not a key: 44 characters of base64" },
    { { private_key = KEY:gsub("^a", "_") }, "EINVAL", "private_key", "it is not a key: 44 characters of base64" },
    { { private_key = 7 }, "EINVAL", "private_key", "7 given, a key expected" },
    { { listen_port = 65536 }, "ERANGE", "listen_port", "65536 is out of range: 0 to 65535" },
    { { listen_port = "any" }, "EINVAL", "listen_port", '"any" given, an integer expected' },
    { { fwmark = "of" }, "EINVAL", "fwmark", '"of" given, an integer or "off" expected' },
    { { fwmark = 1 << 32 }, "ERANGE", "fwmark", "4294967296 is out of range: 0 to 4294967295" },
    { { listenport = 1 }, "EINVAL", "", 'unknown key "listenport"; did you mean listen_port, listen-port' },
    { { peers = "all" }, "EINVAL", "peers", "a list of tables expected" },
    { { peers = { {} } }, "EINVAL", "peers[1] public_key", "missing" },
    { { peers = { { "abc" } } }, "EINVAL", "peers[1] public_key", "it is not a key: 44 characters of base64" },
    { { peers = { { "" } } }, "EINVAL", "peers[1] public_key", "it is not a key: 44 characters of base64" },
    { { peers = { KEY, { KEY, endpoint = "10.0.0.1" } } }, "EINVAL", "peers[2] endpoint",
        '"10.0.0.1" given, an address and a port such as "10.0.0.1:51820" or "[fd00::1]:51820" expected' },
    { { peers = { { KEY, endpoint = "fd00::1:51820" } } }, "EINVAL", "peers[1] endpoint",
        '"fd00::1:51820" given, an address and a port such as "10.0.0.1:51820" or "[fd00::1]:51820" expected' },
    { { peers = { { KEY, endpoint = "10.0.0.1:0" } } }, "EINVAL", "peers[1] endpoint",
        '"10.0.0.1:0" given, an address and a port such as "10.0.0.1:51820" or "[fd00::1]:51820" expected' },
    { { peers = { { KEY, endpoint = "10.0.0.1:65536" } } }, "EINVAL", "peers[1] endpoint",
        '"10.0.0.1:65536" given, an address and a port such as "10.0.0.1:51820" or "[fd00::1]:51820" expected' },
    { { peers = { { KEY, endpoint = "[10.0.0.1]:1" } } }, "EINVAL", "peers[1] endpoint",
        '"[10.0.0.1]:1" given, an address and a port such as "10.0.0.1:51820" or "[fd00::1]:51820" expected' },
    { { peers = { { KEY, endpoint = "[fe80::1]:51820" } } }, "EINVAL", "peers[1] endpoint",
        '"fe80::1" is link-local: name the interface, as in fe80::1%eth0' },
    { { peers = { { KEY, endpoint = "[fd00::1%lo]:51820" } } }, "EINVAL", "peers[1] endpoint",
        '"fd00::1": only a link-local address takes an interface' },
    { { peers = { { KEY, endpoint = "there:51820" } } }, "EINVAL", "peers[1] endpoint",
        '"there" is not an IPv4 address' },
    { { peers = { { KEY, endpoint = 51820 } } }, "EINVAL", "peers[1] endpoint",
        '51820 given, an address and a port such as "10.0.0.1:51820" or "[fd00::1]:51820" expected' },
    { { peers = { { KEY, allowed_ips = "10.0.0.0/33" } } }, "EINVAL", "peers[1] allowed_ips",
        '"10.0.0.0/33": the prefix length of an IPv4 address is 0 to 32' },
    { { peers = { { KEY, allowed_ips = { "10.0.0.0/8", 7 } } } }, "EINVAL", "peers[1] allowed_ips",
        '7 given, a prefix such as "10.0.0.0/24" expected' },
    { { peers = { { KEY, persistent_keepalive = 65536 } } }, "ERANGE", "peers[1] persistent_keepalive",
        "65536 is out of range: 0 to 65535" },
    { { peers = { { KEY, remove = "yes please" } } }, "EINVAL", "peers[1] remove",
        '"yes please" given, true or false expected' },
    { { peers = { { KEY, endpiont = 1 } } }, "EINVAL", "peers[1]", 'unknown key "endpiont"; did you mean endpoint' },
}

function TestWireguardWords.test_wrong_values()
    for _, case in ipairs(wrong) do
        local args = { "wg0" }
        for key, value in pairs(case[1]) do args[key] = value end
        local command, err = core.netlink.command(nil, "wg", "set", args)
        lu.assertNil(command)
        lu.assertEquals({ err.code, err.key or "", err.message }, { table.unpack(case, 2) })
    end
end

function TestWireguardWords.test_a_command_gives_secrets_as_files()
    local args = { "wg0", private_key = OTHER, peers = { { KEY, preshared_key = "", remove = false } } }
    lu.assertEquals(core.netlink.command("a b", "wg", "set", args), ("ip netns exec 'a b' wg set wg0 private-key " ..
        "<(echo %s) peer %s preshared-key /dev/null"):format(OTHER, KEY))
    lu.assertEquals(core.netlink.command("/proc/1/ns/net", "wg", "set", { "wg0", fwmark = "off" }),
        "nsenter --net=/proc/1/ns/net wg set wg0 fwmark 0")
end

-- --- with it -------------------------------------------------------------------------------------

local WAYS = { "by-nsh", "by-wg", "by-command", "by-record" }
local spaces = {}

local function has_it()
    local ns <close> = nsh.netns.new()
    return pcall(ns.link.add, ns.link, { "wg0", type = "wireguard" })
end

local known
local function require_it()
    if known == nil then known = has_it() end
    lu.skipIf(not known, "this kernel has no WireGuard")
end

local function set_up()
    require_it()
    for _, way in ipairs(WAYS) do
        spaces[way] = nsh.netns.add(way)
        spaces[way].link:add{ "v0", type = "veth", peer = "v1" }
        spaces[way].link:add{ "wg0", type = "wireguard" }
    end
end

local function tear_down()
    for way, ns in pairs(spaces) do
        ns:close()
        nsh.netns.del(way)
        spaces[way] = nil
    end
end

-- What `wg show dump` prints, as records.
local function parse(text)
    local function fields(line)
        local list = {}
        for field in line:gmatch "[^\t]+" do
            list[#list + 1] = field ~= "(none)" and field ~= "off" and field
        end
        return list
    end
    local function number(field) return math.tointeger(tonumber(field)) end
    local function unless_zero(field) return number(field) ~= 0 and number(field) or nil end
    local record
    for line in text:gmatch "[^\n]+" do
        local at = fields(line)
        if not record then
            record = { ifname = "wg0", private_key = at[1] or nil, listen_port = number(at[3]), fwmark = at[4] or nil,
                public_key = at[2] or nil, peers = {} }
        else
            local ips = {}
            for ip in (at[4] or ""):gmatch "[^,]+" do ips[#ips + 1] = ip end
            table.insert(record.peers, { public_key = at[1], preshared_key = at[2] or nil, endpoint = at[3] or nil,
                allowed_ips = ips, latest_handshake = unless_zero(at[5]), transfer_rx = number(at[6]),
                transfer_tx = number(at[7]), persistent_keepalive = at[8] and number(at[8]) or nil })
        end
    end
    return record
end

local function theirs(ns)
    return parse(support.sh(("ip netns exec %s wg show wg0 dump"):format(ns.name)))
end

local function compare(ns)
    local own, shown = support.as_json(ns.wg:get "wg0"), theirs(ns)
    lu.assertEquals(own, shown)
    for _, record in ipairs{ own, table.unpack(own.peers) } do
        for _ in pairs(record) do compared = compared + 1 end
    end
    return own
end

-- Runs what was printed, with the namespace of another way in it; the shell must know <(…).
local function run_command(text)
    support.sh(("bash -ec %q"):format((text:gsub("by%-nsh", "by-command"))))
end

local PSK = "GJ0HF0qt8hPoee1cmXUMv/T5fnoDD1pyBJ8KEshua6w="

local cases = {
    { { "wg0", private_key = KEY, listen_port = 51820 }, "private-key <(echo " .. KEY .. ") listen-port 51820" },
    { { "wg0", fwmark = 0xca6c }, "fwmark 0xca6c" },
    { { dev = "wg0", peer = { OTHER, endpoint = "10.0.0.1:51820", allowed_ips = { "10.9.0.0/24", "fd09::/64" },
        ["persistent-keepalive"] = 25 } },
        "peer " .. OTHER .. " endpoint 10.0.0.1:51820 allowed-ips 10.9.0.0/24,fd09::/64 persistent-keepalive 25" },
    { { "wg0", peers = { { OTHER, preshared_key = PSK, allowed_ips = "10.9.0.7" },
        { public_key = PSK, endpoint = "[fd00::7]:1" } } }, "peer " .. OTHER .. " preshared-key <(echo " .. PSK ..
        ") allowed-ips 10.9.0.7/32 peer " .. PSK .. " endpoint [fd00::7]:1" },
    { { "wg0", peer = { PSK, endpoint = "[fe80::7%v0]:65535", allowed_ips = {} } },
        "peer " .. PSK .. " endpoint [fe80::7%v0]:65535" },
    { { "wg0", fwmark = "off", peer = { OTHER, preshared_key = "", persistent_keepalive = "off" } },
        "fwmark off peer " .. OTHER .. " preshared-key /dev/null persistent-keepalive off" },
    { { "wg0", peer = { { OTHER, remove = true } } }, "peer " .. OTHER .. " remove" },
    { { "wg0", private_key = "", listen_port = 7 }, "private-key /dev/null listen-port 7" },
}

TestWireguard = { setUp = set_up, tearDown = tear_down }

-- One after the other, each on what the one before has left.
function TestWireguard.test_the_four_ways()
    local seen = {}
    for _, case in ipairs(cases) do
        local printed = support.said(function() spaces["by-nsh"].wg:set(case[1]) end)
        support.sh(("bash -ec %q"):format("ip netns exec by-wg wg set wg0 " .. case[2]))
        run_command(printed)
        spaces["by-record"].link:del "wg0"
        spaces["by-record"].link:add{ "wg0", type = "wireguard" }
        spaces["by-record"].wg:set(spaces["by-nsh"].wg:get "wg0")
        local first = compare(spaces["by-nsh"])
        for _, way in ipairs(WAYS) do
            local record = compare(spaces[way])
            lu.assertEquals(record, first, way .. ": " .. printed)
        end
        for _, record in ipairs{ first, table.unpack(first.peers) } do
            local values = {}
            for key, value in pairs(record) do values[key] = type(value) == "table" and #value or tostring(value) end
            seen[#seen + 1] = values
        end
    end
    lu.assertEquals(oracle.unvaried(seen, { ifname = true, peers = true, transfer_rx = true, transfer_tx = true }), {})
end

function TestWireguard.test_replace_removes_the_others()
    local wg = spaces["by-nsh"].wg
    wg:set{ "wg0", peers = { KEY, OTHER, PSK } }
    local printed = support.said(wg.replace, wg,
        { "wg0", listen_port = 5, peers = { { OTHER, allowed_ips = "10.0.0.0/8" } } })
    lu.assertEquals(#wg:get("wg0").peers, 1)
    lu.assertEquals(wg:get("wg0").peers[1].allowed_ips, { "10.0.0.0/8" })
    run_command "ip netns exec by-nsh wg set wg0 peer aG4LgFffNnrI8ghDhjcgt9PJkPtah9iCLFNutwS0uF0="
    run_command(printed)
    lu.assertEquals(theirs(spaces["by-command"]), theirs(spaces["by-nsh"]))
    wg:replace "wg0"
    lu.assertEquals(wg:get("wg0").peers, {})
end

-- The kernel tells them in several messages, and a peer with more addresses than room in parts.
function TestWireguard.test_many_peers_with_many_addresses()
    local wg, peers = spaces["by-nsh"].wg, {}
    for i = 1, 300 do
        local ips = { ("10.1.%d.%d/32"):format(i // 256, i % 256), ("fd01::%x/128"):format(i) }
        peers[i] = { wg:genpsk(), allowed_ips = ips }
    end
    local ips = {}
    for i = 1, 400 do ips[i] = ("10.2.%d.%d/32"):format(i // 256, i % 256) end
    peers[7].allowed_ips = ips
    wg:set{ "wg0", peers = peers }
    local record = compare(spaces["by-nsh"])
    lu.assertEquals(#record.peers, 300)
    local found = 0
    for _, peer in ipairs(record.peers) do
        found = found + (peer.public_key == peers[7][1] and #peer.allowed_ips or 0)
    end
    lu.assertEquals(found, 400)
    spaces["by-record"].wg:replace(record)
    lu.assertEquals(#spaces["by-record"].wg:get("wg0").peers, 300)
end

function TestWireguard.test_lists()
    local ns = spaces["by-nsh"]
    ns.link:add{ "wg1", type = "wireguard" }
    ns.wg:set{ "wg1", private_key = KEY, listen_port = 1 }
    lu.assertEquals(support.pluck(ns.wg:list(), "ifname"), { "wg0", "wg1" })
    lu.assertEquals(ns.wg:list("wg1")[1].listen_port, 1)
    lu.assertEquals(#ns.wg:list{ dev = "wg1" }, 1)
    lu.assertStrContains(nsh.show.format(ns.wg:list()), "PUBLIC KEY")
    lu.assertEquals(ns.wg:list("wg1")[1].peers, {})
end

function TestWireguard.test_what_is_no_such_device()
    local ns = spaces["by-nsh"]
    for verb, args in pairs{ set = { "wg9", listen_port = 1 }, get = "wg9" } do
        local sentence = 'cannot %s wg wg9 in by-nsh: dev: there is no interface "wg9" (ENODEV)'
        support.refused("ENODEV", sentence:format(verb), ns.wg[verb], ns.wg, args)
    end
    lu.assertEquals(support.raised(ns.wg.get, ns.wg, "v0").code, "EOPNOTSUPP")
    lu.assertEquals(support.raised(ns.wg.set, ns.wg, { "v0", listen_port = 1 }).code, "EOPNOTSUPP")
    lu.assertEquals(support.raised(ns.wg.set, ns.wg, { listen_port = 1 }).message, "dev: missing")
    lu.assertEquals(support.raised(ns.wg.list, ns.wg, { "wg0", listen_port = 1 }).code, "EINVAL")
end

-- Two namespaces, joined by a wire, and a network that only the tunnel has.
function TestWireguard.test_a_ping_through_a_tunnel()
    local ends = { support.pair("here", "there") }
    for i, ns in ipairs(ends) do
        ns.addr:add{ ("10.0.0.%d/24"):format(i), dev = "v" .. i - 1 }
        ns.link:add{ "wg0", type = "wireguard" }
        ns.wg:set{ "wg0", private_key = ns.wg:genkey(), listen_port = 51820 }
        ns.addr:add{ ("10.9.0.%d/24"):format(i), dev = "wg0" }
    end
    local secret = ends[1].wg:genpsk()
    for i, ns in ipairs(ends) do
        local other = ends[3 - i]
        ns.wg:set{ "wg0", peer = { other.wg:get("wg0").public_key, preshared_key = secret,
            endpoint = ("10.0.0.%d:51820"):format(3 - i), allowed_ips = ("10.9.0.%d/32"):format(3 - i) } }
        ns.link:set{ "wg0", up = true }
    end
    nsh.settle(ends)
    lu.assertEquals(ends[1]:ping("10.9.0.2", { count = 2 }).ok, true)
    local peer = ends[2].wg:get("wg0").peers[1]
    lu.assertEquals(peer.latest_handshake > 0 and peer.transfer_rx > 0 and peer.transfer_tx > 0, true)
    lu.assertEquals(peer.endpoint, "10.0.0.1:51820")
    lu.assertEquals(parse(support.sh "ip netns exec there wg show wg0 dump").peers[1].latest_handshake,
        peer.latest_handshake)
    ends[1].wg:set{ "wg0", peer = { ends[2].wg:get("wg0").public_key, allowed_ips = "10.9.0.77" } }
    lu.assertEquals(ends[1]:ping("10.9.0.2", { count = 1, timeout = 0.5 }).ok, false)
    for i, name in ipairs{ "here", "there" } do
        ends[i]:close()
        nsh.netns.del(name)
    end
end

local status = support.run()
print(("# %d fields compared with wg, of wg wireguard"):format(compared))
os.exit(status)
