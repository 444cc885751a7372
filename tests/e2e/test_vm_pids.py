# SPDX-License-Identifier: Apache-2.0
"""A pid that is used again is somebody else's."""
import os
import pathlib
import subprocess

import pytest

import poll
import proc
import world
from test_shim_rpc import refused
from ttrpc import NOT_FOUND

pytestmark = pytest.mark.vm
PID_MAX = pathlib.Path("/proc/sys/kernel/pid_max")
SMALL = 600                     # and 300 of them are only used once


@pytest.fixture(autouse=True)
def few_pids(no_leaks):
    """Asked for before a shim is, so that it outlives it."""
    old = PID_MAX.read_text()
    # Whatever is alive with a larger one keeps it.
    PID_MAX.write_text(str(SMALL))
    yield
    PID_MAX.write_text(old)


@pytest.fixture
def stranger():
    """stranger(pid): a process of nobody's business that has this pid."""
    made = []

    def take(pid):
        for _ in range(20 * SMALL):
            p = subprocess.Popen(["sleep", "1000"], start_new_session=True,
                                 env={})
            if p.pid == pid:
                made.append(p)
                return p
            p.kill()
            p.wait()
        raise AssertionError(f"pid {pid} did not come again")
    yield take
    for p in made:
        p.kill()
        p.wait()


@pytest.fixture
def crun(raw):
    return raw(runtime="/usr/bin/crun").start("c1")


def test_kill_of_an_exec_that_is_gone(crun, stranger):
    shim = crun
    shim.run()
    pid = shim.exec("c1", "e1", ["true"])
    assert shim.wait("c1", "e1") == 0
    other = stranger(pid)
    refused(NOT_FOUND, shim.kill, "c1", 9, exec_id="e1")
    shim.task.Delete(id="c1", exec_id="e1")
    assert other.poll() is None
    assert shim.end() == 137
    assert other.poll() is None


def test_kill_and_delete_of_an_init_that_is_gone(crun, stranger):
    shim = crun
    pid = shim.run()
    shim.kill()
    assert shim.wait() == 137
    other = stranger(pid)
    refused(NOT_FOUND, shim.kill, "c1", 9)
    refused(NOT_FOUND, shim.kill, "c1", 9, all=True)
    assert shim.task.Delete(id="c1").pid == pid
    assert other.poll() is None


@pytest.mark.parametrize("kind", ["runc", "crun"])
def test_delete_without_a_shim(raw, stranger, kind):
    """init.pid and the runtime's state name a stranger."""
    shim = raw(runtime=f"/usr/bin/{kind}").start("c1")
    pid = shim.run()
    proc.kill(shim.pid)
    assert shim.client.closed.wait(10 * poll.SLOW)
    proc.kill(pid)
    poll.until(lambda: not proc.get(pid), "init is reaped")
    other = stranger(pid)
    p = shim.delete("c1")
    assert p.returncode == 0, p.stderr
    assert other.poll() is None


def test_exits_are_told_of_the_right_process(crun):
    """Pids come round among the execs: each has its own exit status."""
    shim = crun
    shim.run()
    pids = []
    for n in range(50):
        pid = shim.exec("c1", f"e{n}", ["sh", "-c", f"exit {n % 200}"])
        pids.append(pid)
        assert shim.wait("c1", f"e{n}") == n % 200
        assert shim.task.Delete(id="c1", exec_id=f"e{n}").pid == pid
        for _ in range(20):
            os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    shim.until(f"exit(e{n},{n % 200})")
    exits = [e for e in shim.names() if e.startswith("exit(")]
    assert exits == [f"exit(e{i},{i % 200})" for i in range(n + 1)]
    assert any(b < a for a, b in zip(pids, pids[1:])), "pids did not wrap"
    assert shim.end() == 137
