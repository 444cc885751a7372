# SPDX-License-Identifier: Apache-2.0
"""The daemon is replaced by a newer one; containers do not notice.

Same root, state and sockets; each step ends one containerd and starts the
next version.
"""
import signal
import subprocess

import pytest

import container
import cri
import data
import events
import poll
import proc
import terminal
import versions
import world
from test_restart import events_from_start

ALL = sorted({c.number: c for c in (*versions.others(), versions.main())
              if c}.values(), key=lambda c: c.number)
# One version after the other, and the first to the last at once.
PATHS = [p for p in (ALL, ALL[::len(ALL) - 1] if len(ALL) > 2 else [])
         if len(p) > 1]
WAIT = "until [ -e /t/go ]; do sleep 0.05; done; "
pytestmark = pytest.mark.skipif(not PATHS, reason="only one containerd here")


@pytest.fixture(params=PATHS, ids=["-".join(c.label for c in p)
                                   for p in PATHS])
def path(request):
    """The versions, one after the other."""
    return request.param


@pytest.fixture(params=["SIGTERM", "SIGKILL"])
def end(request):
    """How each daemon ends."""
    return getattr(signal, request.param)


def mount(folder):
    return ("--mount", f"type=bind,src={folder},dst=/t,options=rbind:ro")


def test_tasks(own_daemon, path, end, tmp):
    d = own_daemon(containerd=path[0])
    runs, paused, waited = (container.detached(d, "sleep", "1000")
                            for _ in range(3))
    runs.exec_detached("sleep", "1000", id="old")
    d.ctr("task", "pause", paused.id)
    stopped = container.detached(d, "sh", "-c", "exit 9")
    stopped.wait_status("STOPPED")
    tty = container.Container(d, world.fresh())
    assert terminal.Terminal(d, *d.run_args(
        "sh", id=tty.id, flags=("-t", "-d"))).end() == 0
    live = [runs, paused, waited, tty]

    for n, version in enumerate(path[1:]):
        folder = tmp / version.label
        folder.mkdir()
        ends, writes = (container.detached(d, "sh", "-c", WAIT + what,
                                           flags=(*mount(folder), *flags))
                        for what, flags in (
                            ("exit 33", ("--null-io",)),
                            ("seq 1 30000; sleep 0.3; exit 3", ())))
        pids = {c.id: c.pid() for c in live}
        shims = {c.id: c.shim() for c in live}
        pid = ends.pid()
        d.kill(end)
        (folder / "go").touch()
        poll.until(lambda: not proc.alive(pid), "its end")

        d.containerd = version
        with events_from_start(d) as log:
            assert log.until(ends, "exit(33)") == ["exit(33)"]
            assert ends.status() == "STOPPED"
            assert ends.delete() == 33
            assert log.until(ends, "delete") == ["exit(33)", "delete"]
            assert version.version in d.ctr("version").out
            assert {c.id: c.pid() for c in live} == pids
            assert {c.id: c.shim() for c in live} == shims
            r = runs.exec("sh", "-c", "echo again; exit 7", ok=(7,), id="new")
            assert r.out == "again\n"
            names = log.until(runs, "exit(new,7)")
            assert names == ["exec-added(new)", "exec-started(new)",
                             "exit(new,7)"]
        assert paused.status() == "PAUSED"
        assert stopped.status() == "STOPPED"
        p = d.popen("task", "attach", writes.id, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE)
        out, _ = p.communicate(timeout=30 * poll.SLOW)
        data.same(out, b"".join(b"%d\n" % i for i in range(1, 30001)),
                  "written while there was no daemon")
        assert p.returncode == 3
        # What this one makes, the next one finds, too; and not by the
        # other name of its socket, which a shim would remember.
        d.restart()
        live.append(container.detached(d, "sleep", "1000"))

    t = terminal.Terminal(d, "task", "attach", tty.id)
    t.send("echo $((6*7)); exit 5\r")
    t.expect("\n42\r")
    assert t.end() == 5
    assert stopped.delete() == 9
    d.ctr("task", "resume", paused.id)
    waits = d.popen("task", "attach", waited.id, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE)
    poll.until(lambda: waited.status() == "RUNNING", "it runs")
    proc.kill(waited.pid())
    assert waits.wait(15 * poll.SLOW) == 137        # ctr has deleted it, too
    log = events.Follower(d)
    for c in [c for c in live if c not in (tty, waited)]:
        c.stop()
        assert c.delete() == 137
        log.until(c, "delete")
    assert log.names(runs) == ["exit(old,137)", "exit(137)", "delete"]
    log.close()
    assert not d.tasks()


def test_shim_dies_in_between(own_daemon, path):
    """The next version runs `delete` for what the first one started."""
    d = own_daemon(containerd=path[0])
    c = container.detached(d, "sleep", "1000")
    shim, init = c.shim(), c.pid()
    d.kill()
    proc.kill(shim)
    d.containerd = path[1]
    d.start()
    poll.until(lambda: not proc.alive(init), f"init {init} is dead")
    poll.until(lambda: not d.bundle(c.id).exists(), "the bundle is gone")
    assert c.status() is None


@pytest.fixture
def kubelet(path, no_leaks):
    d = cri.CriDaemon(containerd=path[0]).prepare()
    yield d
    if d.process is None:
        d.start()
    for p in d.cri.ListPodSandbox().items:
        d.cri.StopPodSandbox(pod_sandbox_id=p.id)
        d.cri.RemovePodSandbox(pod_sandbox_id=p.id)
    assert not d.leftovers()
    assert poll.settles(lambda: not d.shims()), d.shims()
    d.stop()


def test_pods(kubelet, path, end):
    """A pod goes on, takes more containers, all in the shim it has; then it
    can be removed."""
    p = cri.Pod(kubelet)
    stays = p.run("sleep", "1000")
    (shim,) = kubelet.shims()
    for n, version in enumerate(path[1:]):
        ends = p.run("sh", "-c", "until [ -e /tmp/go ]; do sleep 0.05; done;"
                                 " echo bye; exit 9")
        pid = kubelet.tasks()[ends.id][0]
        go = f"/proc/{pid}/root/tmp/go"
        kubelet.kill(end)
        open(go, "w").close()
        poll.until(lambda: not proc.alive(pid), "its end")
        kubelet.containerd = version
        kubelet.start()
        assert ends.exited().exit_code == 9
        assert kubelet.cri.Version(version="v1").runtime_version.removeprefix(
            "v").startswith(version.version)
        assert (p.status().state, stays.status().state) == (
            cri.READY, cri.RUNNING)
        assert stays.exec("echo", "again").stdout == b"again\n"
        more = p.run("sleep", "1000")
        assert more.exec("echo", "new").stdout == b"new\n"
        assert proc.get(kubelet.tasks()[more.id][0]).ppid == shim.pid
        assert [s.pid for s in kubelet.shims()] == [shim.pid]
        q = cri.Pod(kubelet)
        assert q.run("sh", "-c", "exit 4").exited().exit_code == 4
        q.remove()
        ends.remove()
        more.stop()
        assert more.exited().exit_code == 137
    stays.stop()
    assert stays.exited().exit_code == 137
    p.remove()
    poll.until(lambda: not kubelet.shims(), "the pod's shim leaves")
