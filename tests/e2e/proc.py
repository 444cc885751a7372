# SPDX-License-Identifier: Apache-2.0
"""The process table, and which part of it this run is to blame for."""
import os
import signal
import subprocess
from dataclasses import dataclass

import world


@dataclass(frozen=True)
class Proc:
    pid: int
    start: int          # clock ticks since boot: with pid, an identity
    ppid: int
    comm: str
    state: str
    cmd: str
    cgroup: str

    def __str__(self):
        return (f"process {self.pid} ({self.comm}, state {self.state}, "
                f"parent {self.ppid}) {self.cmd[:400]}")


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read().decode(errors="replace")
    except OSError:
        return ""


def get(pid):
    """One process, or None when it is gone. Zombies count."""
    stat = read(f"/proc/{pid}/stat")
    if not stat:
        return None
    comm, rest = stat[stat.index("(") + 1:].rsplit(")", 1)
    f = rest.split()
    return Proc(int(pid), int(f[19]), int(f[1]), comm, f[0],
                read(f"/proc/{pid}/cmdline").replace("\0", " ").strip(),
                read(f"/proc/{pid}/cgroup"))


def table():
    procs = (get(p) for p in os.listdir("/proc") if p.isdigit())
    return {p.pid: p for p in procs if p}


def ours():
    """Every process of this run but pytest itself: by environment, command
    line, cgroup, or a parent that is ours."""
    procs = table()
    mark = f"WISP_E2E_RUN={world.RUN}"
    me = os.getpid()
    mine = {p.pid for p in procs.values()
            if world.RUN in p.cgroup or world.RUN in p.cmd
            or str(world.base) in p.cmd or p.ppid == me
            or mark in read(f"/proc/{p.pid}/environ")}
    mine.discard(me)
    grew = True
    while grew:
        more = {p.pid for p in procs.values() if p.ppid in mine} - mine
        mine |= more
        grew = bool(more)
    return [procs[pid] for pid in sorted(mine)]


def children(pid):
    return [p for p in table().values() if p.ppid == pid]


def alive(pid, start=None):
    p = get(pid)
    return bool(p) and p.state not in "ZX" and start in (None, p.start)


def kill(pid, sig=signal.SIGKILL):
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        pass


def fds(pid):
    """fd number -> what it is; empty when the process is gone."""
    out = {}
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return out
    for n in names:
        try:
            out[int(n)] = os.readlink(f"/proc/{pid}/fd/{n}")
        except OSError:
            pass
    return out


def status(pid, field):
    """A field of /proc/PID/status, as text."""
    for line in read(f"/proc/{pid}/status").splitlines():
        if line.startswith(field + ":"):
            return line.split(":", 1)[1].strip()
    return None


def holding(path):
    """A process outside of everything that has `path` open for writing."""
    with open(path, "wb", buffering=0) as f:
        return subprocess.Popen(["sleep", "1000"], stdout=f,
                                start_new_session=True)


def listener(path):
    """The process that listens at a unix socket path."""
    inodes = {f"socket:[{line.split()[6]}]"
              for line in read("/proc/net/unix").splitlines()
              if line.endswith(" " + path)}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if inodes & set(fds(pid).values()):
            return int(pid)
    return None
