--- The language of lessons: a script that shows a network and says what must be so. For the tests of a
-- lab as well.
--
--     nsh.step "A bridge joins them"
--     host:bridge "br0"
--     lab:up()
--     nsh.look(host.link, { master = "br0" })
--     nsh.expect(app3):reaches(app4)
--     nsh.expect(host.route):has_no{ "172.16.0.0/16" }
--     nsh.done()
local claim = require "nsh.lesson.claim"
local colour = require "nsh.colour"
local core = require "nsh.core"
local errors = require "nsh.errors"
local given = require "nsh.lesson.given"
local subject = require "nsh.lesson.subject"

local M = { expect = require "nsh.lesson.expect", together = claim.together }

--- Begins a step of the lesson: prints its title.
--
--     nsh.step "Two containers, each with a cable to the host"
function M.step(title)
    given.text(title, "a step has a title", 'nsh.step "A bridge joins them"')
    claim.begin_paragraph()
    print(colour("head", "## " .. title) .. "\n")
end

--- Claims that `holds` is true: prints `text`, and raises an error that names the script's line if it is
-- not. For what `nsh.expect` has no words for.
--
--     nsh.check(#app3.addr:list{ family = "inet" } == 1, "app3 has one IPv4 address")
function M.check(holds, text)
    given.text(text, "what is claimed is a text", 'nsh.check(n == 1, "there is one")')
    claim.check(text, function() return holds and true or false end)
end

--- Says that a part of the lesson is left out, because this kernel lacks what it is about.
--
--     nsh.skip "this kernel has no br_netfilter"
function M.skip(text)
    given.text(text, "say what is missing", 'nsh.skip "this kernel has no br_netfilter"')
    print("skip  " .. text)
end

-- What a reader looks at when he looks at a thing.
local function view(thing, filter)
    if subject.object(thing) or subject.is_capture(thing) then return thing:list(filter) end
    if subject.is_lab(thing) then return thing:graph():text() end
    return thing
end

-- The command that a reader would type; nil for what no single one shows.
local function command_for(thing, filter)
    if subject.is_capture(thing) then return thing:command(filter) end
    local object = subject.object(thing)
    return object and core.netlink.command(object.label, object.name, "list", filter or {})
end

--- Shows what a reader would look at: the records of an object of a namespace, below the command that shows
-- the same, with the fields that must match; the packets of a capture so far, with a filter of tcpdump's;
-- a lab's picture; or all that `show` knows. Errors: EINVAL: there is nothing to look at.
--
--     nsh.look(host.link, { master = "br0" })
--     nsh.look(wire, "icmp")
--     nsh.look(lab)
function M.look(thing, filter)
    given.check(thing ~= nil, "there is nothing to look at", "nsh.look(host.link)")
    claim.begin_paragraph()
    local command = command_for(thing, filter)
    if command then print(colour("faint", "$ " .. command)) end
    require("nsh.show").show(view(thing, filter))
    print()
end

--- Ends a lesson whose claims all hold: says how many there were, and what was learnt. Errors: nothing
-- was claimed.
--
--     nsh.done "A bridge needs no address of its own to forward."
function M.done(text)
    given.check(text == nil or type(text) == "string", "what was learnt is a text", 'nsh.done "A cable has two ends."')
    if claim.held == 0 then errors.raise(errors.new("EINVAL", "nothing was claimed"), "end the lesson") end
    local count = claim.held == 1 and "One check holds." or ("All %d checks hold."):format(claim.held)
    claim.begin_paragraph()
    print((text and text .. "\n" or "") .. count)
end

return M
