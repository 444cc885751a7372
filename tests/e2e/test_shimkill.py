# SPDX-License-Identifier: Apache-2.0
"""The shim is killed: the daemon cleans up through its `delete`."""
import pytest

import poll
import proc
from test_pidns import HOST_PID, members

pytestmark = [pytest.mark.both, pytest.mark.every_daemon,
              pytest.mark.go_fails("1.6's `delete` leaves the socket of the "
                                   "dead shim")]


def killed(daemon, c, *pids):
    """Kill the shim and wait for all traces of the task to vanish."""
    shim = c.shim()
    assert shim, f"no shim of {c}"
    proc.kill(shim)
    for pid in pids:
        poll.until(lambda: not proc.alive(pid),
                   lambda: f"dead with its shim: {proc.get(pid)}")
    poll.until(lambda: not daemon.bundle(c.id).exists(),
               f"no bundle {daemon.bundle(c.id)}")
    poll.until(lambda: c.status() is None, f"no task {c}")


def test_its_container_dies(daemon, box, follow):
    c = box("sh", "-c", "setsid sleep 1000 & setsid sleep 1001 & wait")
    poll.until(lambda: len(c.pids()) == 3, "three processes")
    c.exec_detached("sleep", "1002", id="e")
    killed(daemon, c, *c.pids())
    follow.until(c, "exit(137)")
    follow.until(c, "delete")


def test_its_container_in_the_hosts_pid_namespace_dies(daemon, box):
    c = box("sh", "-c", "setsid sleep 1000 & setsid sleep 1001 & wait",
            flags=HOST_PID)
    poll.until(lambda: len(c.pids()) == 3, "three processes")
    killed(daemon, c, *members(daemon, c))


def test_a_paused_one_dies(daemon, box):
    c = box("sleep", "1000")
    daemon.ctr("task", "pause", c.id)
    killed(daemon, c, c.pid())


def test_a_stopped_one_goes(daemon, box):
    c = box("sh", "-c", "exit 4")
    c.wait_status("STOPPED")
    killed(daemon, c)


def test_neighbours_live(daemon, box):
    other = box("sleep", "1000")
    c = box("sleep", "1000")
    killed(daemon, c, c.pid())
    assert other.exec("echo", "alive").out == "alive\n"


def test_the_id_can_be_used_again(daemon, box):
    c = box("sleep", "1000")
    killed(daemon, c, c.pid())
    daemon.ctr("task", "start", "-d", "--null-io", c.id)
    assert c.exec("echo", "again").out == "again\n"
