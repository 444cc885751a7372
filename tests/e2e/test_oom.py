# SPDX-License-Identifier: Apache-2.0
"""Out of memory: told, on the right container, before the exit it causes."""
from concurrent.futures import ThreadPoolExecutor

import pytest

import container
import poll

pytestmark = pytest.mark.both
LIMIT = ("--memory-limit", 16 << 20)
# tail keeps all of it; init (sh) must not be the kernel's choice.
EAT = "(echo 1000 >/proc/self/oom_score_adj; exec tail /dev/zero)"
EARLY = ("may send the event after the exit, or not at all "
         "(containerd#12405)")


@pytest.mark.every_daemon
@pytest.mark.go_fails(EARLY)
def test_oom_of_init(daemon, box, follow):
    c = box("tail", "/dev/zero", flags=("--null-io", *LIMIT))
    names = follow.until(c, "exit(137)")
    assert names.index("oom") < names.index("exit(137)")
    c.wait_status("STOPPED")
    assert c.delete() == 137


def test_oom_of_a_child_15_times(daemon, box, follow):
    """The kernel wakes the watcher before it counts the kill."""
    for _ in range(poll.times(15)):
        c = box("sh", "-c", f"{EAT}; sleep 1000",
                flags=("--null-io", *LIMIT))
        follow.until(c, "oom")
        c.stop()


def test_oom_of_a_child(daemon, box, follow):
    """Init survives and goes on; the daemon still hears of it."""
    c = box("sh", "-c", f"{EAT}; sleep 1000", flags=("--null-io", *LIMIT))
    follow.until(c, "oom")
    assert c.status() == "RUNNING"
    names = follow.names(c)
    assert names[:3] == ["create", "start", "oom"]
    assert set(names[3:]) <= {"oom"}, "one or more, nothing else"


@pytest.mark.every_daemon
@pytest.mark.go_fails(EARLY)
def test_oom_of_an_exec(daemon, box, follow):
    c = box("sleep", "1000", flags=("--null-io", *LIMIT))
    assert c.exec("tail", "/dev/zero", id="e", ok=None).rc == 137
    names = follow.until(c, "exit(e,137)")
    assert names.index("oom") < names.index("exit(e,137)")


def test_only_the_right_one_of_two(daemon, box, follow):
    fat = box("tail", "/dev/zero", flags=("--null-io", *LIMIT))
    thin = box("sleep", "1000", flags=("--null-io", *LIMIT))
    follow.until(fat, "oom")
    follow.until(fat, "exit(137)")
    assert "oom" not in follow.names(thin)
    assert thin.status() == "RUNNING"


def test_none_without_one(daemon, box, follow):
    """A limit, a SIGKILL and a deleted cgroup are no OOM."""
    c = box("sleep", "1000", flags=("--null-io", *LIMIT))
    c.stop()
    c.delete()
    assert follow.until(c, "delete") == [
        "create", "start", "exit(137)", "delete"]


@pytest.mark.every_daemon
@pytest.mark.go_fails(EARLY)
def test_immediate_oom_30_times(daemon, box, follow):
    boxes = [box(how=container.known) for _ in range(poll.times(30))]

    def run(c):
        daemon.ctr(*daemon.run_args("tail", "/dev/zero", id=c.id, flags=(
            "-d", "--null-io", *LIMIT)), timeout=60)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, boxes))
    for c in boxes:
        assert follow.until(c, "exit(137)") == [
            "create", "start", "oom", "exit(137)"], c
