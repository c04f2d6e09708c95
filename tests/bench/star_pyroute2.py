#!/usr/bin/python3 -B
"""The star of floor.c with pyroute2, each end of a link made in place: through NetNS objects as its
documentation has it (each is a process of its own), or faster with sockets opened inside.
star_pyroute2.py N [pushns]"""
import contextlib
import sys

from pyroute2 import IPRoute, NetNS, netns

import star

count = int(sys.argv[1])
pushns = sys.argv[2:] == ["pushns"]


@contextlib.contextmanager
def inside(name):
    netns.pushns(name)
    try:
        with IPRoute() as leaf:
            yield leaf
    finally:
        netns.popns()


def add_bridge(host):
    host.link("add", ifname="br0", kind="bridge")
    bridge = host.link_lookup(ifname="br0")[0]
    host.addr("add", index=bridge, address="10.0.0.1", prefixlen=16)
    return bridge


def add_leaf(host, bridge, i):
    netns.create(f"n{i}")
    host.link("add", ifname=f"h{i}", kind="veth", state="up", master=bridge,
              peer={"ifname": "eth0", "net_ns_fd": f"n{i}"})
    with (inside if pushns else NetNS)(f"n{i}") as leaf:
        eth0 = leaf.link_lookup(ifname="eth0")[0]
        leaf.link("set", index=1, state="up")
        leaf.link("set", index=eth0, state="up")
        leaf.addr("add", index=eth0, address=star.address(i), prefixlen=16)
        leaf.route("add", dst="default", gateway="10.0.0.1")


def up():
    with IPRoute() as host:
        bridge = add_bridge(host)
        for i in range(1, count + 1):
            add_leaf(host, bridge, i)
        host.link("set", index=bridge, state="up")


def down():
    with IPRoute() as host:
        bridge = host.link_lookup(ifname="br0")[0]
        host.link("set", index=bridge, state="down")
        host.link("del", index=bridge)
    for i in range(1, count + 1):
        netns.remove(f"n{i}")


star.measure(up, down)
