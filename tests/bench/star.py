"""What the rivals in Python share: addresses, and floor.c's lines."""
import subprocess
import time


def address(i):
    return f"10.0.{(i - 1) // 250 + 1}.{(i - 1) % 250 + 1}"


def print_since(what, start):
    print(f"{what} {time.monotonic() - start:.6f}", flush=True)


def resident_kib():
    with open("/proc/self/status") as status:
        return next(line.split()[1] for line in status if line.startswith("VmRSS"))


def wait_until_gone(patience=60):
    """As floor.c: a limit of one namespace more than our own is refused while others are left."""
    with open("/proc/sys/user/max_net_namespaces", "w") as limit:
        limit.write("2")
    deadline = time.monotonic() + patience
    while subprocess.run(["unshare", "--net", "true"], stderr=subprocess.DEVNULL).returncode:
        if time.monotonic() > deadline:
            raise SystemExit("namespaces are left")
        time.sleep(0.001)


def measure(up, down, between=lambda: None):
    start = time.monotonic()
    up()
    print_since("up", start)
    print("rss", resident_kib())
    between()
    start = time.monotonic()
    down()
    print_since("down-returns", start)
    wait_until_gone()
    print_since("down-gone", start)
