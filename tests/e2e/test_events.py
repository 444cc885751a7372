# SPDX-License-Identifier: Apache-2.0
"""The order of a container's events, as the daemon's clients see it."""
from concurrent.futures import ThreadPoolExecutor

import pytest

import poll
import world

pytestmark = pytest.mark.both


@pytest.mark.every_daemon
def test_a_life(daemon, box, follow):
    c = box("sh", "-c", "trap 'exit 3' TERM; echo >/ready; "
            "while :; do sleep 0.05; done")
    c.exec("sh", "-c", "until [ -e /ready ]; do sleep 0.05; done; exit 5",
           id="e1", ok=None)
    c.stop("TERM")
    c.delete()
    assert follow.until(c, "delete") == [
        "create", "start", "exec-added(e1)", "exec-started(e1)",
        "exit(e1,5)", "exit(3)", "delete"]


@pytest.mark.every_daemon
def test_fields(daemon, box, follow):
    """What the events say about pid, bundle, stdio and status."""
    c = box("sh", "-c", "sleep 1000")
    pid = c.pid()
    c.stop()
    c.delete()
    follow.until(c, "delete")
    create, start, exit, delete = (e.data for e in follow.of(c))
    assert create["pid"] == start["pid"] == exit["pid"] == pid
    assert delete["pid"] == pid and delete["exit_status"] == 137
    assert create["bundle"] == str(daemon.bundle(c.id))
    assert create["rootfs"][0]["type"] == "overlay"
    assert exit["exit_status"] == 137 and exit["id"] == c.id
    assert exit["exited_at"] == delete["exited_at"]
    when = exit["exited_at"]         # ctr 2 prints the fields as they are
    if isinstance(when, dict):
        assert when["seconds"] > 1700000000
    else:
        assert when.startswith("20")


@pytest.mark.every_daemon
def test_failed_exec(daemon, box, follow):
    """Added, never started, no exit with a made-up status of 0."""
    c = box("sleep", "1000")
    c.exec("/no/such/thing", id="bad", ok=(1,))
    c.stop()
    names = follow.until(c, "exit(137)")
    assert "exec-started(bad)" not in names
    assert "exit(bad,0)" not in names
    assert [n for n in names if "bad" not in n] == [
        "create", "start", "exit(137)"]


@pytest.mark.every_daemon
def test_failed_create(daemon, follow):
    """No event at all of a container that never was one."""
    id = world.fresh()
    daemon.run("/no/such/thing", id=id, ok=(1,))
    ok = world.fresh()
    daemon.run("true", id=ok)
    follow.until(ok, "delete")
    assert follow.names(id) == []


@pytest.mark.every_daemon
def test_true_60_times(daemon, follow):
    """start before exit, however quickly init dies; each exactly once."""
    ids = [world.fresh() for _ in range(poll.times(60))]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda id: daemon.run("true", id=id), ids))
    for id in ids:
        assert follow.until(id, "delete") == [
            "create", "start", "exit(0)", "delete"], id


def test_true_in_exec_60_times(daemon, box, follow):
    c = box("sleep", "1000")
    ids = [world.fresh("e") for _ in range(poll.times(60))]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda e: c.exec("true", id=e), ids))
    for e in ids:
        follow.until(c, f"exit({e},0)")
        mine = [n for n in follow.names(c) if n.split("(")[-1].rstrip(
            ")").split(",")[0] == e]
        assert mine == [f"exec-added({e})", f"exec-started({e})",
                        f"exit({e},0)"]
