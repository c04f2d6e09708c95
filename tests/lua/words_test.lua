-- What somebody reads who wrote a name that nsh does not have, or one that is too long. (What is wrong
-- with a value: errors_test.lua.)
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"

nsh.sandbox()

local host = nsh.host

-- The sentence that fn(...) is refused with, without the place before it.
local function sentence(fn, ...)
    local err = support.raised(fn, ...)
    lu.assertEquals(type(err), "table", tostring(err))
    return (tostring(err):gsub("^[%w_./-]+:%d+: ", "")), err
end

-- --- keys ----------------------------------------------------------------------------------------

TestKeys = {}

local function assert_key(key, object, verb, args)
    local text, err = sentence(host[object][verb], host[object], args)
    lu.assertEquals(err.key, key)
    lu.assertStrContains(text, ": " .. key .. ": ")
end

function TestKeys.test_the_one_that_was_written()
    for _, key in ipairs{ "state", "nud" } do
        assert_key(key, "neigh", "add", { "10.0.0.1", dev = "lo", [key] = "fresh" })
    end
    for _, key in ipairs{ "txqlen", "txqueuelen" } do
        assert_key(key, "link", "set", { "lo", [key] = "many" })
        assert_key(key, "link", "set", { "lo", [key] = {} })
        assert_key("peer " .. key, "link", "add", { "x0", type = "veth", peer = { "x1", [key] = -1 } })
    end
    for _, key in ipairs{ "gateway", "via" } do
        assert_key(key, "route", "add", { "10.2.0.0/16", [key] = "router" })
    end
    assert_key("to", "route", "add", { "nowhere", dev = "lo" })
end

function TestKeys.test_the_one_that_was_written_when_the_kernel_refuses_it()
    for _, key in ipairs{ "inet6_addr_gen_mode", "addrgenmode" } do
        assert_key(key, "link", "add", { "x0", type = "bridge", [key] = "stable_secret" })
    end
end

function TestKeys.test_of_a_kind_that_nsh_does_not_know()
    for kind, key in pairs{ nosuch = "id", other = "priority", third = "third", team_slave = "queue_id" } do
        lu.assertEquals(sentence(host.link.add, host.link, { "x0", type = kind, [key] = 42 }),
            ('cannot add link x0 in host: unknown key "%s": nsh does not know the attributes of %s yet (EINVAL)')
            :format(key, kind))
    end
    lu.assertStrContains(sentence(host.link.add, host.link, { "x0", type = "nosuch", mtuu = 42 }),
        'unknown key "mtuu"; did you mean mtu')
    lu.assertStrContains(sentence(host.link.add, host.link, { "x0", linkinfo = { info_kind = "nosuch",
        info_data = { id = 1 } } }), "nsh does not know the attributes of this kind of link yet")
end

-- --- objects and verbs ---------------------------------------------------------------------------

TestNames = {}

function TestNames.test_verbs()
    for wrong, right in pairs{ ls = "list", lst = "list", delete = "del", remove = "del",
        destroy = "del", change = "set", create = "add", addd = "add", lists = "list", relace = "replace" } do
        lu.assertEquals(sentence(function() host.link[wrong](host.link, {}) end),
            ('link has no verb "%s"; did you mean %s (EINVAL)'):format(wrong, right))
    end
    lu.assertEquals(sentence(function() host.link:frobnicate() end),
        'link has no verb "frobnicate"; there are add, set, replace, del, get, list, show (EINVAL)')
    lu.assertEquals(sentence(function() host.nsid:delete "x" end),
        'nsid has no verb "delete"; there are add, get, list, show (EINVAL)')
end

function TestNames.test_objects()
    for wrong, right in pairs{ links = "link", lnk = "link", address = "addr", neighbour = "neigh",
        routes = "route", pign = "ping", run = "exec" } do
        lu.assertEquals(sentence(function() return host[wrong]:list() end),
            ('a namespace has no "%s"; did you mean %s (EINVAL)'):format(wrong, right))
    end
    lu.assertEquals(sentence(function() return host.zzzzzz end), 'a namespace has no "zzzzzz"; there are ' ..
        "addr, altname, batch, capture, class, close, connect, dnat, exec, fdb, filter, forward, http, link, " ..
        "listen, listening, masquerade, mdb, monitor, neigh, nexthop, nft, nsid, peer, ping, qdisc, route, rule, " ..
        "shell, show, snat, spawn, sysctl, vlan, wg (EINVAL)")
end

function TestNames.test_what_only_looks_is_not_refused()
    local ns <close> = nsh.netns.new()
    for _, value in ipairs{ host, ns, host.link, ns.addr } do
        lu.assertNil(value[1])
        lu.assertNil(rawget(value, "nope"))
        lu.assertEquals(type(tostring(value)), "string")
        lu.assertEquals(type(nsh.show.format(value)), "string")
        lu.assertEquals(type(nsh.show.format{ value, { value } }), "string")
        lu.assertNotNil(next(value))
    end
    lu.assertNil(host.handle)
    lu.assertNil(ns.published)
    local function complete(...)
        return support.map(require "nsh.repl.complete".complete(...), function(one) return one.text end)
    end
    lu.assertEquals(complete("h.link:", { h = host }), { "add", "del", "get", "list", "replace", "set", "show" })
    lu.assertItemsEquals(complete("h.n", { h = host }), { "name", "neigh", "netlink", "nexthop", "nft", "nsid" })
    lu.assertEquals(complete("h.nope.", { h = host }), {})
end

function TestNames.test_a_namespace_where_a_table_of_arguments_belongs()
    lu.assertStrContains(sentence(host.link.add, host.link, host), "cannot add link")
    lu.assertStrContains(sentence(host.link.set, host.link, { host }), "cannot set link host")
    lu.assertStrContains(sentence(host.link.list, host.link, host.link), "cannot list link")
end

-- --- long words ----------------------------------------------------------------------------------

TestLong = {}

-- No word is longer than this, and all of it is UTF-8.
local function assert_short(text)
    lu.assertNotNil(utf8.len(text), text)
    for word in text:gmatch "%S+" do lu.assertTrue(utf8.len(word) <= 70, word) end
    lu.assertStrContains(text, "…")
end

function TestLong.test_every_word_of_a_caller()
    local long, euros = ("n"):rep(300), ("€"):rep(100)
    for _, word in ipairs{ long, euros, "a" .. euros, "ab" .. euros } do
        for _, args in ipairs{ { word, up = true }, { "lo", [word] = 1 }, { "lo", mtu = word },
            { "lo", master = word }, { "lo", address = word }, { "lo", up = word },
            { "lo", group = word }, { "lo", name = word }, { "lo", alias = word .. word .. word } } do
            assert_short(sentence(host.link.set, host.link, args))
        end
        assert_short(sentence(host.addr.add, host.addr, { word, dev = "lo" }))
        assert_short(sentence(host.link.add, host.link, { "x0", type = word }))
        assert_short(sentence(host.link.add, host.link, { "x0", type = word, id = 1 }))
        assert_short(sentence(host.ping, host, word))
        assert_short(sentence(host.sysctl, host, word))
        assert_short(sentence(nsh.netns.open, word))
        assert_short(sentence(nsh.netns.del, word))
        assert_short(sentence(function() return host[word] end))
        assert_short(sentence(function() return host.link[word] end))
    end
end

function TestLong.test_a_word_that_fits_is_whole()
    for _, word in ipairs{ ("n"):rep(60), ("€"):rep(20), "x" } do
        lu.assertStrContains(sentence(host.link.set, host.link, { "lo", master = word }), '"' .. word .. '"')
    end
end

-- --- what is said once ---------------------------------------------------------------------------

function TestNames.test_no_sentence_says_it_twice()
    for _, what in ipairs{ 1, "/proc/1/ns/net", "nope", "/dev/null", 999999999 } do
        local ok, err = pcall(nsh.netns.open, what)
        if not ok then
            local _, count = tostring(err):gsub("cannot open", "")
            lu.assertEquals(count, 1)
        end
    end
end

os.exit(support.run())
