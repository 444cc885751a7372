# SPDX-License-Identifier: Apache-2.0
"""Events with a daemon that stalls, refuses, dies and returns."""
import os
import re

import pytest

import poll
import proc
import rawshim
import ttrpc

LIFE = ["create", "start", "exit(137)", "delete"]


def life(s, id="c1"):
    s.run(id)
    assert s.end(id) == 137


def test_order(shim):
    shim.run()
    shim.exec("c1", "e1", ["sh", "-c", "exit 3"])
    shim.wait("c1", "e1")
    shim.until("exit(e1,3)")
    shim.task.Pause(id="c1")
    shim.task.Resume(id="c1")
    shim.end()
    assert shim.until("delete") == [
        "create", "start", "exec-added(e1)", "exec-started(e1)",
        "exit(e1,3)", "paused", "resumed", "exit(137)", "delete"]


def test_envelope_and_fields(shim):
    life(shim)
    shim.until("delete")
    for e in shim.events.events:
        assert e.envelope.namespace == shim.ns
        assert abs(e.envelope.timestamp.seconds - poll.time.time()) < 60
        assert e.message.container_id == "c1"
    create, _, exit, delete = (e.message for e in shim.events.events)
    assert create.bundle == str(shim.bundles["c1"])
    assert exit.id == "c1" and exit.exited_at == delete.exited_at
    assert create.pid == exit.pid == delete.pid


def test_stalled_daemon(shim):
    """It does not answer: the shim goes on, the events wait in order."""
    shim.events.mode = "stall"
    shim.run()
    for n in range(10):
        shim.exec("c1", f"e{n}", ["sh", "-c", f"exit {n}"])
        assert shim.wait("c1", f"e{n}") == n
    shim.kill()
    assert shim.wait() == 137
    assert shim.state(timeout=5) == "STOPPED"
    shim.events.resume()
    names = shim.until("exit(137)", timeout=30)
    exits = [n for n in names if n.startswith("exit")]
    assert len(exits) == len(set(exits)) == 11, names
    assert names.index("exit(137)") == len(names) - 1
    shim.task.Delete(id="c1")
    assert shim.until("delete").count("exit(137)") == 1


@pytest.mark.go_fails("loses the order when it tries again")
@pytest.mark.parametrize("unlink", [True, False],
                         ids=["socket gone", "socket dead"])
def test_restarted_daemon(shim, unlink):
    """Away for a while: exactly one exit, everything in order."""
    shim.run()
    shim.until("start")
    shim.events.stop(unlink=unlink)
    shim.exec("c1", "e1", ["sh", "-c", "exit 4"])
    assert shim.wait("c1", "e1") == 4
    assert shim.end() == 137
    shim.events.start()
    assert shim.until("delete", timeout=30) == [
        "create", "start", "exec-added(e1)", "exec-started(e1)",
        "exit(e1,4)", "exit(137)", "delete"]
    poll.settles(lambda: False, 0.5)           # a late double would show
    assert shim.names().count("exit(137)") == 1


@pytest.mark.go_fails("gives up on some")
@pytest.mark.parametrize("mode", ["close", "refuse"])
def test_daemon_that_fails_for_a_while(shim, mode):
    """It hangs up, or says Unavailable: tried again, none lost."""
    shim.events.mode = mode
    shim.run()
    shim.kill()
    assert shim.wait() == 137
    poll.until(lambda: shim.events.attempts, "it is tried")
    shim.events.resume()
    assert shim.until("exit(137)", timeout=30) == [
        "create", "start", "exit(137)"]


def test_daemon_that_restarts_all_the_time(shim):
    """Twenty restarts under a stream of execs: each exit once, in order."""
    shim.run()
    for n in range(20):
        shim.events.stop()
        shim.exec("c1", f"e{n}", ["sh", "-c", f"exit {n}"])
        shim.events.start()
        assert shim.wait("c1", f"e{n}") == n
    shim.end()
    names = shim.until("delete", timeout=60)
    exits = [n for n in names if n.startswith("exit")]
    assert exits == [f"exit(e{n},{n})" for n in range(20)] + ["exit(137)"]


@pytest.mark.go_fails("blocks when its queue is full", run=False)
def test_300_exits_while_the_daemon_stalls(shim):
    """Guarantee 1: every exit is recorded and none is dropped."""
    shim.run()
    shim.events.mode = "stall"
    for n in range(300):
        shim.exec("c1", f"e{n}", ["true"])
    for n in range(300):
        assert shim.wait("c1", f"e{n}") == 0
    shim.events.resume()
    poll.until(lambda: len([n for n in shim.names() if n.startswith(
        "exit(")]) >= 300, lambda: f"300 exits; {len(shim.names())} events",
        40)
    exits = [n for n in shim.names() if n.startswith("exit(")]
    assert len(exits) == len(set(exits)) == 300
    order = {n: i for i, n in enumerate(shim.names())}
    for n in range(300):
        assert order[f"exec-added(e{n})"] < order[
            f"exec-started(e{n})"] < order[f"exit(e{n},0)"]


def test_failed_create_and_exec(shim):
    shim.bundle("c2", ["/no/such/thing"])
    with pytest.raises(ttrpc.TtrpcError):
        shim.run("c2")
    shim.ids.remove("c2")
    shim.run()
    with pytest.raises(ttrpc.TtrpcError):
        shim.exec("c1", "e1", ["/no/such/thing"])
    shim.end()
    names = shim.until("delete", "c1")
    assert shim.names("c2") == []
    assert "exec-started(e1)" not in names
    assert [n for n in names if "e1" not in n] == LIFE


@pytest.mark.go_fails("such a shim stays for ever", run=False)
def test_empty_shim_without_a_daemon_leaves(raw):
    """Nobody will ever call again: it goes by itself after a while."""
    s = raw(env={"WISP_GRACE_MS": "1000"})
    s.start("c1")
    s.client.close()
    s.events.stop()
    poll.until(lambda: not proc.alive(s.pid), "the empty shim has left", 30)


def test_empty_shim_without_a_daemon_leaves_not_with_a_task(raw):
    s = raw(env={"WISP_GRACE_MS": "300"})
    s.start("c1").run()
    s.client.close()
    s.events.stop()
    assert not poll.settles(lambda: not proc.alive(s.pid), 3), "it left"
    s.events.start()
    s.connect()
    assert s.end() == 137


# ---- no TTRPC_ADDRESS: the daemon's binary publishes

PUBLISH = """#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
echo "$@" >>{0}/args
n=$(wc -l <{0}/args)
cat >{0}/event.$n
if [ -e {0}/fail ]; then rm {0}/fail; exit 1; fi
echo $n >>{0}/done
"""


class Publisher:
    """A script in place of containerd: `publish --topic ... --namespace`."""

    def __init__(self, folder):
        self.folder, self.path = folder, folder / "publisher"
        self.path.write_text(PUBLISH.format(folder))
        self.path.chmod(0o755)

    def topics(self):
        args = proc.read(self.folder / "args").splitlines()
        return [re.search(r"--?topic[ =](\S+)", a)[1] for a in args]

    def args(self):
        return proc.read(self.folder / "args").splitlines()

    def event(self, n):
        any = rawshim.Any.FromString(
            (self.folder / f"event.{n}").read_bytes())
        return ttrpc.unpack_any(any)


@pytest.fixture
def published(raw, tmp):
    """(shim without TTRPC_ADDRESS, its publisher)."""
    script = Publisher(tmp)
    s = raw(events=False, env={"TTRPC_ADDRESS": None})
    argv = s.argv
    s.argv = lambda *a, **kw: [str(script.path) if w == "/usr/bin/containerd"
                               else w for w in argv(*a, **kw)]
    return s, script


@pytest.mark.go_fails("1.6 has no such fallback", run=False)
def test_publish_binary(published):
    s, script = published
    s.start("c1")
    life(s)
    want = [f"/tasks/{t}" for t in ("create", "start", "exit", "delete")]
    poll.until(lambda: script.topics() == want,
               lambda: f"{want}; published: {script.args()}")
    for a in script.args():
        assert f"--address {s.daemon_address}" in a, a
        assert "publish" in a.split() and f"--namespace {s.ns}" in a, a
    poll.until(lambda: len(proc.read(
        script.folder / "done").split()) == 4, "all four ended")
    assert script.event(3).exit_status == 137
    assert script.event(4).container_id == "c1"


@pytest.mark.go_fails("1.6 has no such fallback", run=False)
def test_publish_binary_that_fails_once(published):
    """The event is tried again; order is kept."""
    s, script = published
    (script.folder / "fail").touch()
    s.start("c1")
    life(s)
    want = [f"/tasks/{t}" for t in (
        "create", "create", "start", "exit", "delete")]
    poll.until(lambda: script.topics() == want,
               lambda: f"{want}; published: {script.args()}", 30)


@pytest.mark.go_fails("1.6 has no such fallback", run=False)
def test_publish_binary_that_is_not_there(published):
    """No events, but a task that works."""
    s, script = published
    script.path.unlink()
    s.start("c1")
    life(s)
    assert not os.path.exists(script.folder / "args")
