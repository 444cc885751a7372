# SPDX-License-Identifier: Apache-2.0
"""The daemon is killed and comes back; containers do not notice."""
import contextlib
import subprocess

import pytest

import container
import data
import events
import poll
import proc
import terminal
import world

pytestmark = pytest.mark.every_daemon


@pytest.fixture
def d(own_daemon):
    return own_daemon()


@contextlib.contextmanager
def events_from_start(d):
    """Start the daemon so that no event of a shim can arrive before a
    follower listens: its events socket gets the shims' name afterwards."""
    hidden = d.dir / "t2.sock"
    d.ttrpc.unlink(missing_ok=True)
    d.start(ttrpc=hidden)
    log = events.Follower(d)
    d.ttrpc.symlink_to(hidden)
    yield log
    log.close()
    d.ttrpc.unlink()


def test_running_tasks_are_found_again(d):
    boxes = [container.detached(d, "sleep", "1000") for _ in range(3)]
    pids = {c.id: c.pid() for c in boxes}
    shims = {c.shim() for c in boxes}
    d.restart()
    assert {c.id: c.pid() for c in boxes} == pids
    assert {c.shim() for c in boxes} == shims, "a shim was replaced"
    for n, c in enumerate(boxes):
        assert c.status() == "RUNNING"
        r = c.exec("sh", "-c", f"echo again; exit {n}", ok=None)
        assert (r.rc, r.out) == (n, "again\n")
        c.stop()
        assert c.delete() == 137


@pytest.mark.go_fails("forgets it from 1.7 on: it lists no pids")
def test_paused_and_stopped_are_found_again(d):
    paused = container.detached(d, "sleep", "1000")
    d.ctr("task", "pause", paused.id)
    stopped = container.detached(d, "sh", "-c", "exit 9")
    stopped.wait_status("STOPPED")
    d.restart()
    assert paused.status() == "PAUSED"
    assert stopped.status() == "STOPPED"
    assert stopped.delete() == 9
    d.ctr("task", "resume", paused.id)
    paused.stop()
    assert paused.delete() == 137


@pytest.mark.go_fails("forgets it from 1.7 on: it lists no pids")
def test_exit_while_the_daemon_is_down(d, tmp):
    """Told exactly once, with the real status and time."""
    go = tmp / "go"
    c = container.detached(
        d, "sh", "-c", "until [ -e /t/go ]; do sleep 0.05; done; exit 33",
        flags=("--null-io", "--mount",
               f"type=bind,src={tmp},dst=/t,options=rbind:ro"))
    pid = c.pid()
    d.kill()
    go.touch()
    poll.until(lambda: not proc.alive(pid), f"init {pid} is gone")
    with events_from_start(d) as log:
        assert log.until(c, "exit(33)") == ["exit(33)"]
        assert c.status() == "STOPPED"
        assert c.delete() == 33
        assert log.until(c, "delete") == ["exit(33)", "delete"]


@pytest.mark.go_fails("publishes init's exit first (containerd#10651)")
def test_exit_of_execs_while_the_daemon_is_down(d):
    """All of them, in order, init last."""
    c = container.detached(d, "sleep", "1000")
    for e in ("e1", "e2", "e3"):
        c.exec_detached("sleep", "1000", id=e)
    shim, init = c.shim(), c.pid()
    d.kill()
    proc.kill(init)
    poll.until(lambda: not proc.children(shim), "all processes are reaped")
    with events_from_start(d) as log:
        names = log.until(c, "exit(137)", 20)
        want = [f"exit(e{n},137)" for n in (1, 2, 3)]
        assert sorted(names) == sorted(want + ["exit(137)"])
        assert names[-1] == "exit(137)"



def test_wait_across_the_restart(d):
    """`ctr task wait`-like clients of the new daemon get the status."""
    c = container.detached(d, "sleep", "1000")
    d.restart()
    attach = d.popen("task", "attach", c.id, stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE)
    poll.until(lambda: c.status() == "RUNNING", "it runs")
    c.kill("KILL")
    assert attach.wait(15) == 137


def test_output_during_the_downtime_is_kept(d, tmp):
    """No client and no daemon: what the process writes waits for both."""
    c = container.detached(
        d, "sh", "-c", "until [ -e /t/go ]; do sleep 0.05; done;"
        " seq 1 50000; sleep 0.3; exit 3", flags=(
            "--mount", f"type=bind,src={tmp},dst=/t,options=rbind:ro"))
    d.kill()
    (tmp / "go").touch()
    d.start()
    p = d.popen("task", "attach", c.id, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE)
    out, _ = p.communicate(timeout=30)
    data.same(out, b"".join(b"%d\n" % n for n in range(1, 50001)), "stdout")
    assert p.returncode == 3


def test_terminal_survives(d):
    c = container.Container(d, world.fresh())
    t = terminal.Terminal(d, *d.run_args("sh", id=c.id, flags=("-t", "-d")))
    assert t.end() == 0
    d.restart()
    t = terminal.Terminal(d, "task", "attach", c.id)
    t.send("echo $((6*7)); exit 5\r")
    t.expect("\n42\r")
    assert t.end() == 5


def test_restart_ten_times(d):
    """The connection of a dead daemon costs the shim nothing."""
    c = container.detached(d, "sleep", "1000")
    shim = c.shim()
    d.restart()
    before = len(proc.fds(shim))
    for _ in range(poll.times(10)):
        d.restart()
        assert c.status() == "RUNNING"
    poll.until(lambda: len(proc.fds(shim)) <= before,
               lambda: f"{before} fds of the shim: {proc.fds(shim)}")


@pytest.mark.go_fails("forgets it from 1.7 on: it lists no pids")
def test_delete_after_it_was_stopped_in_between(d):
    """Exit, daemon stops in peace, starts: delete gives the status."""
    c = container.detached(d, "sh", "-c", "exit 21")
    c.wait_status("STOPPED")
    d.stop()
    d.start()
    assert c.delete() == 21
    assert c.status() is None


@pytest.mark.go_fails("1.6's `delete` leaves the socket of the dead shim")
def test_shim_dies_while_the_daemon_is_down(d):
    """The daemon's start runs `delete`: nothing is left."""
    c = container.detached(d, "sleep", "1000")
    shim, init = c.shim(), c.pid()
    d.kill()
    proc.kill(shim)
    d.start()
    poll.until(lambda: not proc.alive(init), f"init {init} is dead")
    poll.until(lambda: not d.bundle(c.id).exists(), "the bundle is gone")
    assert c.status() is None
