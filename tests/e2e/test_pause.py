# SPDX-License-Identifier: Apache-2.0
"""pause and resume."""
import pytest

import world

pytestmark = [pytest.mark.both, pytest.mark.every_daemon]


def frozen(daemon, c):
    group = world.cgroup("freezer", daemon.ns, c.id)
    if not world.V2:
        return (group / "freezer.state").read_text().strip()
    events = dict(line.split() for line in
                  (group / "cgroup.events").read_text().splitlines())
    return {"0": "THAWED", "1": "FROZEN"}[events["frozen"]]


def test_pause_and_resume(daemon, box, follow):
    c = box("sleep", "1000")
    daemon.ctr("task", "pause", c.id)
    assert (c.status(), frozen(daemon, c)) == ("PAUSED", "FROZEN")
    daemon.ctr("task", "resume", c.id)
    assert (c.status(), frozen(daemon, c)) == ("RUNNING", "THAWED")
    assert c.exec("echo", "alive").out == "alive\n"
    follow.until(c, "resumed")
    names = follow.names(c)
    assert names.index("start") < names.index("paused") < names.index(
        "resumed")


def test_kill_while_paused(daemon, box):
    """The signal is delivered at the latest when it is resumed."""
    c = box("sleep", "1000")
    daemon.ctr("task", "pause", c.id)
    c.kill("KILL")
    daemon.ctr("task", "resume", c.id, ok=None)
    c.wait_status("STOPPED")
    assert c.delete() == 137


def test_pause_twice_and_resume_of_a_running_one(daemon, box):
    c = box("sleep", "1000")
    daemon.ctr("task", "resume", c.id, ok=(1,))
    assert c.status() == "RUNNING"
    daemon.ctr("task", "pause", c.id)
    daemon.ctr("task", "pause", c.id, ok=None)
    assert c.status() == "PAUSED"
    daemon.ctr("task", "resume", c.id)
    assert c.status() == "RUNNING"


def test_a_paused_task_is_not_deleted(daemon, box):
    c = box("sleep", "1000")
    daemon.ctr("task", "pause", c.id)
    daemon.ctr("task", "delete", c.id, ok=(1,))
    assert c.status() == "PAUSED"
    daemon.ctr("task", "resume", c.id)


def test_pause_after_exit(daemon, box):
    c = box("true")
    c.wait_status("STOPPED")
    assert daemon.ctr("task", "pause", c.id, ok=(1,)).err
    assert c.status() == "STOPPED"
