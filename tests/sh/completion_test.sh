#!/bin/bash
# nsh completion: what real shells offer behind "nsh". TAP.
#   tests/completion_test.sh [PATH/TO/nsh]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/prompt.sh"

mkdir "$dir/bin" "$dir/work" && ln -s "$nsh" "$dir/bin/nsh"
export PATH="$dir/bin:$PATH"
cd "$dir/work" || exit 1
touch bridge.lua bright.txt 'two words.lua' && mkdir brook

check() { # check NAME WANTED GOT
    [ "$2" = "$3" ]
    report $? "$1"
    [ "$2" = "$3" ] || printf '#   wanted: %s\n#   got:    %s\n' "$2" "$3"
}

# What bash would offer for these words, the last of which is at the cursor.
offered() {
    bash -c 'source <(nsh completion bash)
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _nsh
        printf "%s\n" "${COMPREPLY[@]}" | sort | xargs -d "\n"' bash "$@"
}

# --- what is offered ---
nsh completion bash >completion.bash && nsh completion zsh >completion.zsh
report $? "both scripts are printed"
bash -n completion.bash && zsh -n completion.zsh
report $? "and are syntactically right"
rm completion.*
check "it is for the word nsh" "complete -F _nsh nsh" "$(bash -c 'source <(nsh completion bash); complete -p nsh')"
check "commands, folders and scripts" "bridge.lua brook" "$(offered nsh br)"
check "commands" "completion" "$(offered nsh c)"
check "long options" "--draw" "$(offered nsh --d)"
all=$(nsh --help | grep -o '^ *\(-.\)\?\(, \)\?\(--[a-z]*\)\?' | tr -d ', ' | sed 's/\(-.\)--/\1\n--/' | grep -e '-[a-zA-Z]' | sort | xargs)
check "all options of --help" "$all" "$(offered nsh -)"
check "files behind an option that takes one" "bridge.lua bright.txt brook" "$(offered nsh --draw br)"
check "also behind =" "bridge.lua bright.txt brook" "$(offered nsh --draw = br)"
check "the script behind it" "bridge.lua brook" "$(offered nsh --draw = x.svg br)"
check "the script behind options with arguments" "bridge.lua brook" "$(offered nsh -Se 'x()' -l lib --run true br)"
check "behind -- no commands" "" "$(offered nsh -- l)"
check "a script's arguments are files" "bridge.lua bright.txt brook" "$(offered nsh bridge.lua br)"
check "nsh list" "-j" "$(offered nsh list "")"
check "shells" "bash zsh" "$(offered nsh completion "")"
nsh completion fish 2>err
check "another shell is refused" "2 usage: nsh completion bash|zsh" "$? $(cat err)"
rm err

# --- labs ---
cat >up.lua <<'END'
local a, b = nsh.lab "one":node "a", nil
a.lab:node("b")
a.lab:up()
print "up"
nsh.sleep(60)
END
# shellcheck disable=SC2031 # the program's own
coproc LAB { exec nsh -S up.lua 2>/dev/null; }
read -r _ <&"${LAB[0]}"
check "labs to end" "one" "$(offered nsh down "")"
check "nodes to enter" "a b host one/a one/b one/host" "$(offered nsh enter "")"
check "nodes of a lab" "one/a one/b" "$(offered nsh enter one/ | sed 's, one/host,,')"
check "then a command" "setpriv" "$(offered nsh enter a setpri)"
check "an option before it does no harm" "one" "$(offered nsh -j down o)"

# --- on a terminal ---
open_terminal 'shell$' -x 70 -y 20
line 'source <(nsh completion bash); clear'
ends_with 'shell$'
text 'nsh comp'
key Tab
text 'b'
key Tab
expect "bash completes a command and its word" 'shell$ nsh completion bash'
key C-u
text "nsh enter one/"
key Tab Tab
expect "bash lists nodes" $'one/a     one/b     one/host\nshell$ nsh enter one/'
key C-u
text 'nsh tw'
key Tab
expect "a file with a blank in its name" 'shell$ nsh two\ words.lua'
key C-u
line "PS1='zsh$ ' ZDOTDIR=$dir exec zsh -f"
ends_with 'zsh$'
line 'autoload -Uz compinit && compinit -u -D && source <(nsh completion zsh); clear'
ends_with 'zsh$'
text 'nsh comp'
key Tab
text 'b'
key Tab
expect "zsh completes a command and its word" 'zsh$ nsh completion bash'
key C-u
text 'nsh down '
key Tab
expect "zsh completes the only lab" 'zsh$ nsh down one'
key C-u
text 'nsh --keep -Se "x" br'
key Tab
text 'i'
key Tab
appears 'nsh --keep -Se "x" bridge.lua'
report $? "zsh completes a script behind options"
key C-u
text 'nsh --dr'
key Tab
expect "zsh completes an option" 'zsh$ nsh --draw='
key C-u
text "nsh enter one/"
key Tab
ends_with 'one/host'
report $? "zsh lists nodes"
key C-u

nsh down one
check "nothing is offered once it is gone" "" "$(offered nsh down "")"
echo "1..$count"
exit $failed
