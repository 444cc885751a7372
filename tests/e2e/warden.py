# SPDX-License-Identifier: Apache-2.0
"""Ends a run: kills what it started and removes what it made.

A process of its own, for pytest may be killed: it waits until pytest closes
its stdin, by intent or by dying.
"""
import os
import pathlib
import sys
import time

import proc
import world


def sweep():
    """Kill until nothing is left: daemons start shims when shims die."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        left = [p for p in proc.ours() if p.state not in "ZX"]
        if not left:
            return
        for p in left:
            proc.kill(p.pid)
        time.sleep(0.05)


def main(run, base):
    world.RUN, world.base = run, pathlib.Path(base)
    sys.stdin.buffer.read()
    sweep()
    for d in (*sorted(world.cgroups(), reverse=True), *world.cgroup_tops()):
        world.rmdir(d)
    world.sh("umount", "-l", base, check=False)
    world.rmdir(world.base)


if __name__ == "__main__":
    os.chdir("/")
    main(*sys.argv[1:])
