#!/usr/bin/env python3
"""Of a prompt on a terminal: from start to prompt, and from a key to the screen; medians in milliseconds, nsh beside
lua5.4 -i.

    tests/bench/prompt.py [NSH [RUNS]]
"""
import os
import statistics
import sys
import tempfile
import time

NSH = sys.argv[1] if len(sys.argv) > 1 else "./nsh"
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 40
KEYS = 200
PROGRAMS = {
    "nsh": ([NSH, "-q"], b"nsh> "),
    "lua5.4 -i": (["lua5.4", "-i"], b"> "),
}


def read_until(terminal, text):
    """What is read, up to and with `text`."""
    seen = b""
    while text not in seen:
        seen += os.read(terminal, 4096)
    return seen


def start(words):
    """Without a fork, which of a program like this one takes longer than either."""
    terminal, theirs = os.openpty()
    actions = [(os.POSIX_SPAWN_DUP2, theirs, fd) for fd in range(3)]
    pid = os.posix_spawnp(words[0], words, os.environ, file_actions=actions, setsid=True)
    os.close(theirs)
    return pid, terminal


def leave(pid, terminal):
    os.write(terminal, b"\x04")
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:  # its end is closed
        pass
    os.close(terminal)
    os.waitpid(pid, 0)


def time_start(words, prompt):
    begin = time.perf_counter()
    pid, terminal = start(words)
    read_until(terminal, prompt)
    elapsed = time.perf_counter() - begin
    leave(pid, terminal)
    return 1000 * elapsed


def time_keys(words, prompt):
    """The echo of each key of a line that is never run."""
    pid, terminal = start(words)
    read_until(terminal, prompt)
    times = []
    for i in range(KEYS):
        time.sleep(0.005)  # at rest
        key = b"x" if i % 40 else b"\x15x"  # Ctrl-U: the line stays short
        begin = time.perf_counter()
        os.write(terminal, key)
        read_until(terminal, b"x")
        times.append(1000 * (time.perf_counter() - begin))
    os.write(terminal, b"\x15")
    leave(pid, terminal)
    return times


def main():
    os.environ.update(HOME=tempfile.mkdtemp(), TERM="xterm")
    starts = {name: [] for name in PROGRAMS}
    for _ in range(RUNS):  # by turns, so that both see the same machine
        for name, program in PROGRAMS.items():
            starts[name].append(time_start(*program))
    print(f"{'':12}{'start':>8}{'key':>8}{'worst key':>11}")
    for name, program in PROGRAMS.items():
        keys = time_keys(*program)
        print(f"{name:12}{statistics.median(starts[name]):8.2f}{statistics.median(keys):8.2f}{max(keys):11.2f}")
    ratio = statistics.median(starts["nsh"]) / statistics.median(starts["lua5.4 -i"])
    print(f"nsh starts in {ratio:.2f} times the time of lua5.4 -i")


main()
