# SPDX-License-Identifier: Apache-2.0
"""Nothing may be left after a test that was not there before it.

before = leaks.snapshot(); ...; left = leaks.since(before)
names every process, zombie, mount, cgroup, bundle, socket, FIFO, other file
and shim fd that came and stayed; leaks.remove(left) takes them away so that
the next test starts clean.
"""
import os
import pathlib
import shutil
import stat
import subprocess

import daemon
import poll
import proc
import world

SETTLE = float(os.environ.get("WISP_E2E_SETTLE", 5))    # seconds
TASKS = "io.containerd.runtime.v2.task"
# Folders that containerd and the runtimes make once and keep.
KEPT = {world.RUN_DIR / p for p in ("s", "fifo", "runc", TASKS)}


class Snapshot:
    def __init__(self):
        self.processes = {(p.pid, p.start): p for p in proc.ours()}
        self.mounts = mounts()
        self.cgroups = world.cgroups()
        self.files = files()
        self.fds = {k: proc.fds(k[0]) for k, p in self.processes.items()
                    if "containerd-shim" in p.cmd and p.state != "Z"}


def snapshot():
    return Snapshot()


def mounts():
    """(pid whose namespace it is in, mount point) under the run's folders."""
    spaces = {"self": "/proc/self/mountinfo"}
    for d in daemon.running:
        spaces[d.process.pid] = f"/proc/{d.process.pid}/mountinfo"
    tops = (str(world.base) + "/", str(world.RUN_DIR) + "/")
    return {(who, line.split()[4]) for who, path in spaces.items()
            for line in proc.read(path).splitlines()
            if line.split()[4].startswith(tops)}


def files():
    """Everything in /run/containerd but the folders that stay, and every
    bundle and work folder of the run's daemons."""
    found = set()
    for folder, dirs, names in os.walk(world.RUN_DIR):
        here = pathlib.Path(folder)
        found |= {here / n for n in (*names, *dirs)}
    found -= KEPT | set((world.RUN_DIR / "runc").glob("*"))
    # crun 1.28 makes it once in its state folder.
    found -= set((world.RUN_DIR / "runc").glob("*/.empty-directory"))
    for tasks in world.base.glob(f"d*/*/{TASKS}"):
        found |= set(tasks.glob("*/*"))
    found |= set((world.base / "tmp").iterdir())
    found |= set(world.base.glob("wispctl/*/*"))
    return found


class Left:
    """What came since a snapshot and is still there."""

    def __init__(self, before):
        now = Snapshot()
        own = {p.pid for p in _popens()}
        self.processes = [p for k, p in now.processes.items()
                          if k not in before.processes and p.pid not in own]
        self.mounts = now.mounts - before.mounts
        self.cgroups = now.cgroups - before.cgroups
        self.files = now.files - before.files
        self.fds = {}
        for key, old in before.fds.items():
            new = now.fds.get(key)
            if new and len(new) > len(old):
                self.fds[now.processes[key]] = {
                    n: what for n, what in new.items() if n not in old}

    def __bool__(self):
        return any((self.processes, self.mounts, self.cgroups, self.files,
                    self.fds))

    def __str__(self):
        out = [("zombie " if p.state == "Z" else "") + str(p)
               for p in self.processes]
        out += [f"mount {m} (seen by {who})" for who, m in sorted(
            self.mounts, key=str)]
        out += [f"cgroup {c}" for c in sorted(self.cgroups)]
        out += [f"{kind(f)} {f}" for f in sorted(self.files)]
        out += [f"fd {n} -> {what} in {p}" for p, new in self.fds.items()
                for n, what in new.items()]
        return "\n".join("  " + line for line in out)


def _popens():
    """The daemons are not leaks; the test session ends them itself."""
    return [d.process for d in daemon.running]


def kind(path):
    try:
        mode = path.lstat().st_mode
    except OSError:
        return "file"
    for test, name in ((stat.S_ISSOCK, "socket"), (stat.S_ISFIFO, "fifo"),
                       (stat.S_ISDIR, "folder"), (stat.S_ISLNK, "link")):
        if test(mode):
            return name
    return "file"


def since(before, timeout=SETTLE):
    """What is left once things had time to settle; falsy when nothing."""
    last = [None]

    def clean():
        last[0] = Left(before)
        return not last[0]
    poll.settles(clean, timeout, 0.05)
    return last[0]


def remove(left):
    for p in left.processes:
        proc.kill(p.pid)
    poll.settles(lambda: not any(proc.alive(p.pid, p.start)
                                 for p in left.processes), 5)
    for who, point in sorted(left.mounts, key=str, reverse=True):
        ns = [] if who == "self" else ["nsenter", "-t", str(who), "-m"]
        subprocess.run([*ns, "umount", "-l", point], capture_output=True)
    for c in sorted(left.cgroups, reverse=True):
        poll.settles(lambda: rmdir(c), 2)
    for f in sorted(left.files, reverse=True):
        if f.is_dir() and not f.is_symlink():
            shutil.rmtree(f, ignore_errors=True)
        else:
            f.unlink(missing_ok=True)


def rmdir(path):
    try:
        path.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True
