# SPDX-License-Identifier: Apache-2.0
"""ctr task exec: many, failing, users, after exit."""
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

import leaks
import poll
import proc

pytestmark = pytest.mark.both


@pytest.mark.every_daemon
def test_50_at_once(daemon, box):
    c = box("sleep", "1000")
    shim = c.shim()
    before = len(proc.fds(shim))

    def run(n):
        r = c.exec("sh", "-c", f"echo out-{n}; echo err-{n} >&2; exit {n}",
                   ok=None, timeout=90)
        return r.rc, r.out, r.err
    many = range(poll.times(50))
    with ThreadPoolExecutor(50) as pool:
        got = list(pool.map(run, many))
    assert got == [(n, f"out-{n}\n", f"err-{n}\n") for n in many]
    poll.until(lambda: len(proc.fds(shim)) <= before,
               lambda: f"the shim's fds are back at {before}: "
               f"{proc.fds(shim)}")
    assert len(c.pids()) == 1


@pytest.mark.every_daemon
def test_command_not_found(daemon, box):
    c = box("sleep", "1000")
    r = c.exec("/no/such/thing", id="bad", ok=(1,))
    assert "/no/such/thing" in r.err
    assert re.search("no such file|not found", r.err), r.err
    assert c.exec("echo", "fine", id="bad").out == "fine\n"


def test_20_failing_execs_cost_nothing(daemon, box):
    c = box("sleep", "1000")
    shim = c.shim()
    c.exec("/no/such/thing", ok=(1,))
    fds, files = len(proc.fds(shim)), leaks.files()
    bundle = sorted(p.name for p in daemon.bundle(c.id).iterdir())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: c.exec("/no/such/thing", ok=(1,)),
                      range(poll.times(20))))
    poll.until(lambda: len(proc.fds(shim)) <= fds,
               lambda: f"the shim's fds are back at {fds}: {proc.fds(shim)}")
    assert leaks.files() - files == set()
    assert sorted(p.name for p in daemon.bundle(c.id).iterdir()) == bundle


def test_cwd_and_user(daemon, box):
    c = box("sleep", "1000")
    r = c.exec("sh", "-c", "pwd; id -u", flags=(
        "--cwd", "/tmp", "--user", "1000"))
    assert r.out == "/tmp\n1000\n"


@pytest.mark.every_daemon
def test_used_exec_id(daemon, box):
    c = box("sleep", "1000")
    first = daemon.popen(*c.exec_args("sleep", "1000", id="same"))
    poll.until(lambda: len(c.pids()) == 2, "the first exec runs")
    r = c.exec("true", id="same", ok=(1,))
    assert re.search("already exists|exists already", r.err)
    assert first.poll() is None and len(c.pids()) == 2
    c.kill("KILL", "--exec-id", "same")
    assert first.wait(15) == 137


@pytest.mark.every_daemon
def test_exec_after_init_exited(daemon, box):
    c = box("true")
    c.wait_status("STOPPED")
    r = c.exec("true", ok=(1,))
    assert re.search("stopped|not running|not found", r.err), r.err


@pytest.mark.every_daemon
def test_init_takes_its_execs_along(daemon, box):
    c = box("sleep", "1000")
    runs = [daemon.popen(*c.exec_args("sleep", "1000")) for _ in range(5)]
    poll.until(lambda: len(c.pids()) == 6, "five execs run")
    c.kill("KILL")
    assert [r.wait(15) for r in runs] == [137] * 5
    c.wait_status("STOPPED")
    assert c.delete() == 137


@pytest.mark.every_daemon
def test_detached_exec(daemon, box):
    c = box("sleep", "1000")
    log = c.exec_detached("sh", "-c", "echo out; exec sleep 1001", id="back")
    assert len(c.pids()) == 2
    poll.until(lambda: log.exists() and log.read_text() == "out\n",
               f"output in {log}")
    c.kill("KILL", "--exec-id", "back")
    poll.until(lambda: len(c.pids()) == 1, "the exec is gone")
    daemon.ctr("task", "delete", "--exec-id", "back", c.id, ok=(137,))


def test_execs_join_the_containers_cgroup(daemon, box):
    c = box("sleep", "1000")
    c.exec_detached("sleep", "1000")
    init, other = (proc.get(p).cgroup for p in c.pids())
    assert init == other
    assert f":/{daemon.ns}/{c.id}\n" in init
