# What the tests share that type on a real terminal and read its screen, by tmux. Sourced. A failed report shows
# the screen.
# shellcheck shell=bash
set -u

# A terminal that is closed sends SIGCONT too, which takes away the stop that LeakSanitizer waits for.
export ASAN_OPTIONS=detect_leaks=0
unset TMUX

term() { tmux -L nsh -f /dev/null "$@" 2>/dev/null; }

# Without the empty lines at its end.
screen() { term capture-pane -p | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'; }

text() { term send-keys -l "${1/%;/\\;}"; } # to tmux a semicolon at the end ends its command
key() { term send-keys "$@"; }
line() { text "$1" && key Enter; }

# on_screen TEXT REST: waits until TEXT is on the screen (lines divided by newlines), and behind it what matches
# REST, at most 20 s.
# shellcheck disable=SC2053 # a pattern
on_screen() {
    local end
    for ((end = SECONDS + 20; SECONDS < end; )); do
        [[ "$(screen)" == *"$1"$2 ]] && return
        sleep 0.05
    done
    return 1
}

appears() { on_screen "$1" '*'; }
ends_with() { on_screen "$1" ''; }
