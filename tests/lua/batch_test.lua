-- Many changes sent together: `ns:batch`.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"
local nsh = require "nsh"

nsh.sandbox()

TestBatch = {}

local function prefix(i) return ("10.%d.%d.0/24"):format(i >> 8, i & 255) end

function TestBatch:setUp()
    self.ns = nsh.netns.new()
    self.ns.link:add{ "v0", type = "veth", peer = "v1" }
    self.ns.link:set{ "v0", up = true }
    self.ns.link:set{ "v1", up = true }
end

function TestBatch:tearDown() self.ns:close() end

function TestBatch:count() return #self.ns.route:list{ dev = "v0", proto = "boot" } end

local function here() return ("batch_test.lua:%d: "):format(debug.getinfo(2, "l").currentline) end

-- fn(b) must fail with the sentence, the place before it aside.
local function refused(ns, sentence, fn)
    lu.assertEquals(tostring(support.raised(ns.batch, ns, fn)):sub(-#sentence), sentence)
end

function TestBatch:test_more_than_are_sent_at_once()
    for _, n in ipairs{ 0, 1, 999, 1000, 1001, 3500 } do
        local count = self.ns:batch(function(b)
            for i = 1, n do b.route:add{ prefix(i), dev = "v0" } end
        end)
        lu.assertEquals({ count, self:count() }, { n, n })
        if n > 0 then self.ns.route:flush{ dev = "v0", proto = "boot" } end
    end
end

function TestBatch:test_objects_and_verbs_in_their_order()
    local count = self.ns:batch(function(b)
        b.route:add{ "10.1.0.0/16", dev = "v0" }
        b.route:replace{ "10.1.0.0/16", dev = "v0", mtu = 1400 }
        b.route:append{ "10.1.0.0/16", dev = "v1" }
        b.neigh:add{ "10.0.0.9", lladdr = "02:00:00:00:00:09", dev = "v0" }
        b.route:add{ "10.2.0.0/16", dev = "v0" }
        b.route:del{ "10.2.0.0/16", dev = "v0" }
        b.rule:add{ priority = 7, table = 9 }
    end)
    lu.assertEquals(count, 7)
    lu.assertEquals(support.pluck(self.ns.route:list{ to = "10.1.0.0/16" }, "dev"), { "v0", "v1" })
    lu.assertEquals(self.ns.route:list{ to = "10.1.0.0/16", dev = "v0" }[1].mtu, 1400)
    lu.assertEquals(#self.ns.route:list{ to = "10.2.0.0/16" }, 0)
    lu.assertEquals(self.ns.neigh:get{ "10.0.0.9", dev = "v0" }.lladdr, "02:00:00:00:00:09")
    lu.assertEquals(#self.ns.rule:list{ priority = 7 }, 1)
end

-- A name may stand for another link behind a change than before it.
function TestBatch:test_what_follows_can_be_on_new_links()
    self.ns:batch(function(b)
        b.addr:add{ "10.0.0.1/24", dev = "v0" }
        b.link:set{ "v1", name = "w1" }
        b.link:add{ "v1", type = "bridge", up = true, addrgenmode = "none" }
        b.addr:add{ "10.3.0.1/24", dev = "v1" }
        b.altname:add{ "another", dev = "v1" }
        b.addr:add{ "10.4.0.1/24", dev = "another" }
    end)
    local addresses = self.ns.addr:list{ dev = "v1", family = "inet" }
    lu.assertEquals(support.pluck(addresses, "local_"), { "10.3.0.1", "10.4.0.1" })
    lu.assertEquals(#self.ns.addr:list{ dev = "w1", family = "inet" }, 0)
end

function TestBatch:test_what_the_kernel_refuses_is_told_with_its_line()
    local at
    self.ns.route:add{ "10.0.1.0/24", dev = "v0" }
    local err = support.raised(self.ns.batch, self.ns, function(b)
        b.route:add{ "10.0.2.0/24", dev = "v0" }
        at = here() b.route:add{ "10.0.1.0/24", dev = "v0" }
        b.route:add{ "10.0.3.0/24", dev = "v0" }
        b.route:add{ "10.0.1.0/24", dev = "v0" }
    end)
    lu.assertEquals(err.where:match "[^/]*$" .. ": ", at)
    lu.assertEquals({ err.code, err.op }, { "EEXIST", "add route 10.0.1.0/24" })
    lu.assertEquals(self:count(), 3) -- what was sent with it is done
end

function TestBatch:test_what_a_tail_call_says_has_a_line()
    self.ns.route:add{ "10.0.1.0/24", dev = "v0" }
    local function add(b) return b.route:add{ "10.0.1.0/24", dev = "v0" } end
    local at
    local err = support.raised(function()
        at = here() self.ns:batch(add)
    end)
    lu.assertEquals(err.where:match "[^/]*$" .. ": ", at)
    err = support.raised(self.ns.batch, self.ns, function(b)
        at = here() add(b) local _ = 1
    end)
    lu.assertEquals(err.where:match "[^/]*$" .. ": ", at)
end

function TestBatch:test_what_cannot_be_written_comes_behind_what_was_said_before()
    local at
    local err = support.raised(self.ns.batch, self.ns, function(b)
        b.route:add{ "10.0.1.0/24", dev = "v0" }
        at = here() b.route:add{ "10.0.2.0/24", devv = "v0" }
    end)
    lu.assertEquals(err.where:match "[^/]*$" .. ": ", at)
    lu.assertEquals(err.message, 'unknown key "devv"; did you mean dev')
    lu.assertEquals(self:count(), 1)
end

function TestBatch:test_an_error_of_the_function_is_its_own()
    lu.assertEquals(support.raised(self.ns.batch, self.ns, function(b)
        b.route:add{ "10.0.1.0/24", dev = "v0" }
        error("mine", 0)
    end), "mine")
    lu.assertEquals(self:count(), 1)
end

function TestBatch:test_an_error_of_the_function_goes_before_one_of_what_waits()
    self.ns.route:add{ "10.0.1.0/24", dev = "v0" }
    lu.assertEquals(support.raised(self.ns.batch, self.ns, function(b)
        b.route:add{ "10.0.1.0/24", dev = "v0" }
        error("mine", 0)
    end), "mine")
end

function TestBatch:test_each_is_traced_as_its_command()
    local ns <close> = nsh.netns.add "traced"
    local lines = support.commands(ns.batch, ns, function(b)
        b.link:set{ "lo", up = true }
        b.route:add{ "10.1.0.0/16", dev = "lo" }
        b.route:add{ "10.2.0.0/16", dev = "lo" }
    end)
    nsh.netns.del "traced"
    lu.assertEquals(lines, { "ip -n traced link set dev lo up", "ip -n traced route add 10.1.0.0/16 dev lo",
        "ip -n traced route add 10.2.0.0/16 dev lo" })
end

function TestBatch:test_what_is_told_is_sent_together_too()
    local before
    support.commands(self.ns.batch, self.ns, function(b)
        b.route:add{ "10.1.0.0/16", dev = "v0" }
        before = self:count()
    end)
    lu.assertEquals({ before, self:count() }, { 0, 1 })
end

function TestBatch:test_what_is_refused_is_told_as_a_comment()
    local ns <close> = nsh.netns.add "traced"
    ns.link:set{ "lo", up = true }
    local lines, ok = support.trace(ns.batch, ns, function(b)
        for _, to in ipairs{ "10.1.0.0/16", "10.1.0.0/16", "10.1.0.0/16", "10.2.0.0/16" } do
            b.route:add{ to, dev = "lo" }
        end
    end)
    nsh.netns.del "traced"
    local command = "ip -n traced route add 10.%d.0.0/16 dev lo"
    lu.assertFalse(ok)
    lu.assertEquals(lines, { command:format(1), "# " .. command:format(1) .. ": File exists",
        "# " .. command:format(1) .. ": refused as well", command:format(2) })
end

function TestBatch:test_wrong_use()
    local ns, kept = self.ns, nil
    refused(ns, 'route has in a batch no verb "list"; there are add, append, del, replace, set (EINVAL)',
        function(b) b.route:list() end)
    refused(ns, 'a batch has no "rout"; did you mean route (EINVAL)', function(b) b.rout:add{} end)
    refused(ns, "a colon is missing before the name of the method: b.route:add{…} (EINVAL)",
        function(b) b.route.add{ "10.0.0.0/8" } end)
    for _, what in ipairs{ 7, "x", {} } do
        lu.assertStrContains(support.raised(ns.batch, ns, what).message, "given, a function expected")
    end
    ns:batch(function(b) kept = b end)
    local err = support.raised(function() kept.route:add{ "10.0.0.0/8", dev = "v0" } end)
    lu.assertEquals(err.message, "the batch is over")
    local closed = nsh.netns.new()
    closed:close()
    lu.assertEquals(support.raised(function() closed:batch(print) end).code, "EBADF")
end

function TestBatch:test_nodes_have_it()
    local lab = nsh.lab "batched"
    local node = lab:node "b1"
    lab:up()
    lu.assertEquals(node:batch(function(b)
        b.route:add{ "10.1.0.0/16", dev = "lo" }
        b.route:add{ "10.2.0.0/16", dev = "lo" }
    end), 2)
    lu.assertEquals(#node.route:list{ dev = "lo" }, 2)
    lab:down()
end

os.exit(support.run())
