# What the tests share that see labs from elsewhere: nsh list, nsh enter, nsh down. Sourced; prints TAP. They set
# `mode`, which begins the name of each test, and `sandbox`, the option that nsh gets.
# shellcheck source-path=SCRIPTDIR shell=bash disable=SC2034 # used by whoever sources it
. "$(dirname "${BASH_SOURCE[0]}")/terminal.sh"

nsh=$(realpath "${NSH:-./nsh}")
dir=$(mktemp -d)
cd "$dir" || exit 1
export HOME=$dir LC_ALL=C.UTF-8 TMUX_TMPDIR=$dir PATH=/usr/sbin:/usr/bin:/sbin:/bin nsh
count=0
failed=0
mode=
status=
trap 'term kill-server; rm -rf "$dir"' EXIT

report() { # report STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $mode: $2"
    else
        failed=1
        echo "not ok $count - $mode: $2"
        sed 's/^/# out: /' out
        sed 's/^/# err: /' err
        echo "# status: $status"
    fi
}

run() { # run ARGS…: output in the files out and err, the exit status in $status
    timeout -k 1 30 "$nsh" "$@" >out 2>err </dev/null
    status=$?
}

expect() { # expect NAME STATUS STDOUT STDERR: of the last run, exactly
    [ "$status" = "$2" ] && [ "$(cat out)" = "$3" ] && [ "$(cat err)" = "$4" ]
    report $? "$1"
}

await() { # await COMMAND…: until it succeeds, at most 10 s
    for _ in {1..200}; do
        "$@" && return
        sleep 0.05
    done
    return 1
}

seen() { # seen NAME TEXT: the screen ends with it, or will
    : >out
    ends_with "$2"
    local result=$?
    screen >err
    report $result "$1"
}

open_terminal() { # open_terminal COLUMNS: of 20 lines, with a shell
    PS1='shell$ ' term new-session -d -x "$1" -y 20 bash --norc --noprofile
    ends_with 'shell$' || { echo "Bail out! no terminal"; exit 1; }
}

is_cooked() { # the shell's terminal is as usual
    line 'clear; stty -a | grep -o "[-a-z]*\(icanon\|echo\|icrnl\) " | xargs'
    seen "and the terminal is as before" $'icrnl icanon echo\nshell$'
}

# What may be left: processes of ours, names, labs.
state() {
    local process name
    for process in /proc/[0-9]*; do
        case ${process#/proc/} in 1 | "$$") continue ;; esac
        read -r name 2>/dev/null <"$process/comm" && echo "process ${process#/proc/} $name"
    done
    ls /run/netns 2>/dev/null
    "$nsh" list
}

# shellcheck disable=SC2317 # by await
is_clean() {
    state >after
    cmp -s before after
}

nothing_left() { # nothing_left NAME
    await is_clean
    local result=$?
    [ $result = 0 ] || diff before after >err
    report $result "$1"
}
