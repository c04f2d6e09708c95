local nsh = {}

return nsh
