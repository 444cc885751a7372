# SPDX-License-Identifier: Apache-2.0
"""Somebody else still holds stdout when a process has exited."""
import pytest

import proc
from test_pidns import HOST_PID

pytestmark = pytest.mark.both
BOUND = 25          # seconds; the shim's own bound is well below


def test_exec_leaves_one_that_holds_stdout(daemon, box):
    """The exec is over although its stdout is not; what it had written is
    all there, and the one it left lives on."""
    c = box("sleep", "1000")
    r = c.exec("sh", "-c", "sleep 1001 & echo last; exit 4", ok=None,
               timeout=BOUND)
    assert (r.rc, r.out) == (4, "last\n")
    assert "sleep 1001" in c.exec("ps").out


def test_init_leaves_one_in_its_pid_namespace(daemon):
    """The kernel kills it with init."""
    r = daemon.say("setsid sleep 1001 & echo last; exit 4", ok=None,
                   timeout=BOUND)
    assert (r.rc, r.out) == (4, "last\n")


def test_init_leaves_one_in_the_hosts_pid_namespace(daemon):
    """The shim kills it."""
    r = daemon.say("setsid sleep 1001 & echo last; exit 4", ok=None,
                   timeout=BOUND, flags=HOST_PID[1:])
    assert (r.rc, r.out) == (4, "last\n")


def test_somebody_outside_holds_stdout(daemon, box):
    """A process that is in no cgroup of the container has the write end:
    delete does not wait for it."""
    c = box("sleep", "1000", flags=())
    holder = proc.holding(f"/proc/{c.pid()}/fd/1")
    try:
        c.kill("KILL")
        c.wait_status("STOPPED")
        assert c.delete(timeout=BOUND) == 137
        assert holder.poll() is None
    finally:
        holder.kill()
        holder.wait()

