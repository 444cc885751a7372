# SPDX-License-Identifier: Apache-2.0
"""A container that runs in the background of a test."""
import re

import image
import poll
import world


class Container:
    def __init__(self, daemon, id, popen=None):
        self.daemon, self.id, self.popen = daemon, id, popen

    def __str__(self):
        return self.id

    def exec_args(self, *cmd, flags=(), id=None):
        return ["task", "exec", "--exec-id", id or world.fresh("e"), *flags,
                self.id, *cmd]

    def exec(self, *cmd, flags=(), id=None, **kw):
        return self.daemon.ctr(*self.exec_args(*cmd, flags=flags, id=id),
                               **kw)

    def exec_detached(self, *cmd, id=None, **kw):
        """An exec nobody waits for. ctr would leave its FIFOs behind, so
        its output goes to a file; this is the file's path."""
        id = id or world.fresh("e")
        log = world.base / "t" / f"{self.id}-{id}.log"
        self.exec(*cmd, id=id, flags=("-d", "--log-uri", f"file://{log}"),
                  **kw)
        return log

    def kill(self, sig="TERM", *flags, **kw):
        return self.daemon.ctr("task", "kill", "-s", str(sig), *flags,
                               self.id, **kw)

    def wait_status(self, status, timeout=15):
        poll.until(lambda: self.status() == status,
                   lambda: f"{self.id} is {status}; it is {self.status()}",
                   timeout)

    def stop(self, sig="KILL"):
        """Kill init and wait until the daemon has it as stopped."""
        self.kill(sig)
        self.wait_status("STOPPED")

    def delete(self, **kw):
        """Delete the task; the exit code that ctr saw."""
        r = self.daemon.ctr("task", "delete", self.id, **kw)
        code = re.search(r"non-zero exit code (\d+)", r.err)
        return int(code[1]) if code else 0

    def status(self):
        return self.daemon.tasks().get(self.id, (0, None))[1]

    def pid(self):
        return self.daemon.tasks()[self.id][0]

    def shim(self):
        return self.daemon.shim_of(self.id)

    def pids(self):
        rows = self.daemon.ctr("task", "ps", self.id).out.splitlines()[1:]
        return [int(r.split()[0]) for r in rows]

    def remove(self):
        """Make it go, in whatever state it is."""
        ctr = self.daemon.ctr
        if self.status() == "PAUSED":
            ctr("task", "resume", self.id, ok=None)
        ctr("task", "delete", "-f", self.id, ok=None)
        ctr("container", "delete", self.id, ok=None)


def detached(daemon, *cmd, flags=("--null-io",), id=None, **kw):
    id = id or world.fresh()
    daemon.ctr(*daemon.run_args(*cmd, flags=("-d", *flags), id=id), **kw)
    return Container(daemon, id)


def created(daemon, *cmd, flags=(), id=None):
    """A container known to the daemon without a task."""
    id = id or world.fresh()
    daemon.ctr("container", "create", *daemon.runtime_flags, *flags,
               image.NAME, id, *cmd)
    return Container(daemon, id)


def known(daemon, id):
    """One that the test starts itself."""
    return Container(daemon, id)
