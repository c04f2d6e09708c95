--- The picture that `nsh --draw FILE` makes of what a script has built.
local graph = require "nsh.lab.graph"
local picture = require "nsh.lab.picture"

local M = {}

local file -- where it goes
local labs = {} -- in their order; they may be out of the script's hands at its end

--- Notes a lab that is begun.
function M.note(lab) labs[#labs + 1] = lab end

-- The labs, or without any the host and all namespaces that have a name.
local function look()
    if #labs <= 1 then return graph.graph(labs[1]) end
    local pictures = {}
    for i, lab in ipairs(labs) do pictures[i] = picture.of_lab(lab) end
    return graph.new(picture.merge(pictures))
end

--- Draws it: into the file, or for "-" as text to stdout.
function M.draw()
    local drawn = look()
    if file == "-" then io.stdout:write(drawn:text(), "\n") else drawn:save(file) end
end

-- A script may end itself; so does a plan.
local function draw_at_exit()
    local exit = os.exit
    os.exit = function(code, ...) -- luacheck: ignore 122
        if code == nil or code == true or code == 0 then M.draw() end
        exit(code, ...)
    end
end

--- Before the script runs: what is wrong with the name of the file, or nil.
function M.prepare(path)
    local can, endings = graph.can_save(path)
    if path ~= "-" and not can then return ("--draw %s: %s, or be -"):format(path, endings) end
    file = path
    draw_at_exit()
end

return M
