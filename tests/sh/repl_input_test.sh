#!/usr/bin/env bash
# What is typed at the prompt: chunks of many lines, history, paste, the user's inputrc. TAP.
#   tests/sh/repl_input_test.sh [PATH/TO/nsh]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/prompt.sh"

history=$HOME/.local/state/nsh/history

# Starts nsh on a new terminal.
prompt() {
    open_terminal 'shell$' -x 60 -y 20
    line "clear; $nsh -q -S"
    ends_with $'nsh>' || give_up "no prompt"
}

# --- many lines ---
prompt
line 'for i = 1, 2 do'
line 'print(i)'
expect "Enter goes on in the next line while a chunk is not whole" $'nsh> for i = 1, 2 do\nprint(i)'
key Up Up End
text ' -- y'
key Home
text 'x = 1; '
key Down End Enter
text 'end'
expect "Up and Down go to its other lines, which can be changed" $'nsh> x = 1; for i = 1, 2 do -- y\nprint(i)\nend'
key C-c
line 'for i = 1, 2 do'
text 'print(i)'
key Up End
key M-Enter
text 'i = i + 10'
key Down
key Enter
text 'end'
key Enter
expect "a line goes between two others" $'i = i + 10\nprint(i)\nend\n11\n12\nnsh>'
key Up
expect "Up brings back the whole entry" $'12\nnsh> for i = 1, 2 do\ni = i + 10\nprint(i)\nend'
key Up Up End BSpace BSpace
text '20'
key Enter
expect "whose lines can be changed, and run as they are now" $'i = i + 20\nprint(i)\nend\n21\n22\nnsh>'
text '"ä€😀x"'
key M-Enter
text '.. "1234567"'
key Up
text '!'
expect "a column is one of characters" $'nsh> "ä€😀x"!\n.. "1234567"'
key C-c

# --- Up ---
line 'apple = 1'
line 'banana = 2'
line 'apple = 3'
line 'cherry = 4'
text 'app'
key Up
expect "Up finds what begins as what is typed" $'nsh> apple = 3'
key Up
expect "and what began so before" $'nsh> apple = 1'
key Down Down
expect "Down comes back to what was typed" $'nsh> app'
text 'le'
key Up
text '0'
key Enter
line 'apple'
expect "what was found can be changed" $'nsh> apple = 30\nnsh> apple\n30\nnsh>'
text 'nothing begins so'
key Up
expect "where nothing does, the line stays" 'nsh> nothing begins so'
key C-c

# --- paste ---
term set-buffer $'function f()\n\treturn "pasted"\nend\n'
term paste-buffer -p
expect "a pasted block is one chunk" $'nsh> function f()\n        return "pasted"\nend'
key Enter
line 'f()'
expect "and runs as one" $'nsh> f()\npasted\nnsh>'
key Up Up
expect "which history has whole" $'nsh> function f()\n        return "pasted"\nend'
key C-c
term set-buffer $'t = [[a\n\n#1 x\nb]]\n'
term paste-buffer -p
key Enter
ends_with $'b]]\nnsh>' || give_up "a pasted text does not run"

# --- history ---
key C-d
ends_with 'shell$' || give_up "nsh does not leave"
[ "$(stat -c %a "$history")" = 600 ]
report $? "the file of history is the user's alone"
[ "$(grep -c '^#[0-9]\{10\}$' "$history")" = "$(grep -c '^#' "$history")" ] && grep -q '^#[0-9]' "$history"
report $? "it says when each entry was typed"
prompt
key Up
expect "the next session has entries of many lines whole" $'nsh> t = [[a\n\n#1 x\nb]]'
key C-c
text "fun"
key Up
expect "each of them" $'nsh> function f()\n        return "pasted"\nend'
key C-c C-d

# --- inputrc ---
cat >"$HOME/.inputrc" <<'END'
$if nsh
"\e[A": "6 * 7"
"\eOA": "6 * 7"
"\C-t": nsh-up
$else
"\C-t": "other"
$endif
END
prompt
key Up
key Enter
expect "the user's inputrc binds keys of nsh's, under \$if nsh" $'nsh> 6 * 7\n42\nnsh>'
text 'fun'
key C-t
expect "and knows its functions by name" $'nsh> function f()\n        return "pasted"\nend'
key C-c C-d
echo 'set editing-mode vi' >"$HOME/.inputrc"
prompt
line 'do'
text 'x = 8 end'
key Enter
line 'x'
expect "vi's mode has chunks of many lines as well" $'nsh> do\nx = 8 end\nnsh> x\n8\nnsh>'
key C-d

# --- no terminal ---
out=$(printf 'x = ' | "$nsh" 2>&1)
[ $? = 1 ] && [[ $out == *"near <eof>"* ]]
report $? "an unfinished script from a pipe is an error"
[ "$(echo 'print(1)' | "$nsh" 2>&1)" = 1 ]
report $? "and one that is whole prints what it prints"
out=$(printf 'for i = 1, 2 do\nprint(i)\nend\nx = ' | "$nsh" -i -q 2>&1)
[[ $out == *$'\n1\n2\n'* && $out == *"near <eof>"* ]]
report $? "-i reads chunks of many lines from a pipe too"

echo "1..$count"
exit $failed
