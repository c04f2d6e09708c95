-- The configuration of LDoc, which makes pages of the doc comments, with the names by which users call things.
--   nsh -E bindings/ldoc.lua > build/docs/config.ld; ldoc -c build/docs/config.ld .
local doc = require "nsh.repl.doc"
local names = require "nsh.repl.names"

local function path_of(module)
    local path = "lua/" .. module:gsub("%.", "/")
    local file <close> = io.open(path .. ".lua")
    return path .. (file and ".lua" or "/init.lua")
end

print [[
project = "nsh"
title = "nsh: a shell for Linux network namespaces"
package = "nsh"
dir = "."
format = "markdown"
no_space_before_args = true]]
print "local signatures = {"
for _, about in ipairs(doc.all()) do
    local module, line = about.where:match "^(.*):(%d+)$"
    print(("  [%q] = %q,"):format(path_of(module) .. ":" .. line, about.signature))
end
print [[
}
custom_display_name_handler = function(item, default)
  local place = item.type == "function" and item.file.filename:match "lua/nsh.*" .. ":" .. item.lineno
  return signatures[place] or default(item)
end
file = {]]
for _, module in ipairs(names.modules) do print(("  %q,"):format("../../" .. path_of(module))) end
print "}"
