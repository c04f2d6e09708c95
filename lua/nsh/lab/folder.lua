--- Directories below /run that labs share: the guardian takes those away that are empty.
local core = require "nsh.core"
local guardian = core.guardian

local M = {}

-- A directory may be taken away again so often by labs that end: few end at the same time.
local ATTEMPTS = 1000

local function make_all(paths)
    for _, path in ipairs(paths) do
        local ok, err = core.file.mkdir(path)
        if not ok then return nil, err end
    end
    return true
end

--- Makes /run/WORD/WORD…, told to the guardian under the number of a layer beforehand; it removes the last one first.
-- Another lab that ends meanwhile takes away what is empty yet. Returns the path, or nil and an error.
function M.make(layer, words)
    local path, paths = "/run", {}
    for i, word in ipairs(words) do
        path = path .. "/" .. word
        paths[i] = path
        local ok, err = guardian.undo_unlink(layer, path)
        if not ok then return nil, err end
    end
    local ok, err
    for _ = 1, ATTEMPTS do
        ok, err = make_all(paths)
        if ok then return path end
        if err.code ~= "ENOENT" then break end
    end
    return nil, err
end

return M
