-- The configuration of LDoc that makes pages of the doc comments, under the names by which help knows them.
--   nsh -E tests/docs.lua DIRECTORY > config.ld
local doc = require "nsh.repl.doc"
local names = require "nsh.repl.names"

local function path_of(module)
    local path = "lua/" .. module:gsub("%.", "/")
    local file = io.open(path .. ".lua")
    if file then file:close() end
    return path .. (file and ".lua" or "/init.lua")
end

print [[
project = "nsh"
title = "nsh: a scriptable shell for Linux network namespaces"
dir = "."
format = "markdown"
no_space_before_args = true
no_return_or_parms = true
local signatures = {]]
for _, about in ipairs(doc.all()) do print(("  [%q] = %q,"):format(about.where, about.signature)) end
print [[
}
custom_display_name_handler = function(item, default)
  local place = item.module and item.module.name .. ":" .. (item.lineno or 0)
  return signatures[place] or default(item)
end
file = {]]
for _, module in ipairs(names.modules) do print(("  %q,"):format("../../" .. path_of(module))) end
print "}"
