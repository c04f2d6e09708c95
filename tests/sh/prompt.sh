# What the tests share that are typed at a prompt, in a home of their own. Sourced; prints TAP.
# shellcheck source-path=SCRIPTDIR shell=bash disable=SC2034 # used by whoever sources it
. "$(dirname "${BASH_SOURCE[0]}")/terminal.sh"

nsh=$(realpath "${1:-${NSH:-./nsh}}")
dir=$(mktemp -d)
export HOME=$dir/home TMUX_TMPDIR=$dir LC_ALL=C.UTF-8 TERM=screen HISTFILE=
unset XDG_STATE_HOME INPUTRC ENV
mkdir "$HOME"
count=0
failed=0
session=0
trap 'term kill-server; rm -rf "$dir"' EXIT

if ! command -v tmux >/dev/null; then
    echo "1..0 # SKIP no tmux"
    exit 0
fi

report() { # report STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        screen | sed 's/^/#   /'
        failed=1
    fi
}

give_up() {
    echo "Bail out! $1"
    screen | sed 's/^/#   /'
    exit 1
}

expect() { # expect NAME TEXT
    ends_with "$2"
    report $? "$1"
}

# open_terminal PROMPT OPTION…: a shell with this prompt on a new terminal
open_terminal() {
    session=$((session + 1))
    PS1="$1 " term new-session -d -s "$session" "${@:2}" bash --norc --noprofile
    term kill-session -a -t "$session"
    ends_with "$1" || give_up "no shell"
}
