-- The README's tables of objects, verbs and kinds are what the schema says.
local support = dofile((arg[0]:gsub("[^/]*$", "support.lua")))
local lu = require "luaunit"
local directory = arg[0]:gsub("[^/]*$", "") .. "../"
local vocabulary = dofile(directory .. "vocabulary.lua")

TestVocabulary = {}

function TestVocabulary.test_the_readme_is_not_stale()
    local file <close> = assert(io.open(directory .. "../README.md"))
    lu.assertEquals(vocabulary.find(file:read "a"), vocabulary.text(), "run ./nsh -E tests/vocabulary.lua README.md")
end

function TestVocabulary.test_what_it_lists_is_there()
    local text = vocabulary.text()
    for name, verbs in pairs(require "nsh.core".netlink.objects()) do
        lu.assertStrContains(text, ("| `%s`"):format(name))
        for _, verb in ipairs(verbs) do lu.assertEquals(type(nsh.host[name][verb]), "function") end
        lu.assertStrContains(text, "`" .. table.concat(verbs, " ") .. "`")
    end
    lu.assertStrContains(text, "bond_slave bridge_slave")
end

os.exit(support.run())
