#!/usr/bin/python3 -B
"""The star of floor.c with Mininet: hosts around a LinuxBridge, no controller; and its pingAll.
star_mininet.py N [pingall]"""
import itertools
import os
import resource
import sys
import time

from mininet.log import setLogLevel
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge

import star

LONGEST = 20 if os.environ.get("QUICK") else 300  # seconds of pingAll

count = int(sys.argv[1])
net = None
setLogLevel("error")

# Mininet's own preparation raises limits of the whole machine (kernel.pty.max, fs.file-max). Of
# these it needs only the process's descriptors here.
Mininet.inited = True
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def up():
    global net
    net = Mininet(switch=LinuxBridge, controller=None, ipBase="10.0.0.0/16")
    bridge = net.addSwitch("br0")
    for i in range(1, count + 1):
        leaf = net.addHost(f"n{i}", ip=f"{star.address(i)}/16", defaultRoute="via 10.0.0.1")
        net.addLink(leaf, bridge)
    net.start()
    bridge.cmd("ip addr add 10.0.0.1/16 dev br0")


def ping_all():
    """As its pingAll, pair by pair, so that it can be stopped."""
    start, pairs, lost = time.monotonic(), 0, 0.0
    for one, other in itertools.combinations(net.hosts, 2):
        if time.monotonic() - start > LONGEST:
            break
        lost += net.ping([one, other], timeout="1") / 100 * 2
        pairs += 2
    star.print_since("pingall", start)
    print(f"pairs {pairs}")
    print(f"loss {lost / pairs * 100:.2f}")


def down():
    net.stop()


star.measure(up, down, ping_all if sys.argv[2:] == ["pingall"] else lambda: None)
