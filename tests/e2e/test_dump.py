# SPDX-License-Identifier: Apache-2.0
"""What a shim tells of itself: by RPC, by SIGUSR1; whatever else hangs."""
import json
import os
import signal

import pytest

import fifo
import poll
import proc
import runtime
import ttrpc
from test_logger import logger  # noqa: F401 (a fixture)
from test_stdio_policy import dirty, start

pytestmark = pytest.mark.go_fails("has no dump", run=False)


def dump(s):
    """A connection of its own, as a tool's."""
    with ttrpc.Client(s.address, s.ns) as c:
        stub = ttrpc.Stub(c, "wisp.v1.Shim")
        return json.loads(stub.Dump(timeout=5).json)


def by_signal(s, path):
    poll.until(lambda: not path.exists(), "nothing yet")
    os.kill(s.pid, signal.SIGUSR1)
    poll.until(path.exists, f"{path}")
    assert path.stat().st_mode & 0o777 == 0o600
    return json.loads(path.read_text())


def container(d, id="c1"):
    return next(c for c in d["containers"] if c["id"] == id)


def test_idle(shim):
    pid = shim.run()
    poll.until(lambda: proc.get(pid).comm == "sleep", "it runs")
    d = dump(shim)
    assert d["pid"] == shim.pid and d["id"] == "c1"
    assert d["namespace"] == shim.ns and d["address"] == shim.address
    assert d["cwd"] == str(shim.bundles["c1"])
    assert d["memory"]["ownKiB"] > 0 and d["uptimeMs"] > 0
    assert set(proc.fds(shim.pid)) <= {f["fd"] for f in d["open"]}
    assert d["connections"] == 2 and d["commands"] == []
    assert [(c["service"], c["method"]) for c in d["calls"]] == [
        ("wisp.v1.Shim", "Dump")]
    assert [(c["pid"], c["name"], c["command"]) for c in d["children"]] == [
        (pid, "sleep", "sleep 1000")]
    c = container(d)
    assert c["bundle"] == str(shim.bundles["c1"]) and c["policy"] == "block"
    assert c["init"]["state"] == "running" and c["init"]["pid"] == pid
    assert c["init"]["stdio"] == [] and c["execs"] == []
    shim.until("start")
    poll.until(lambda: dump(shim)["events"]["waiting"] == 0, "no events")
    assert not d["truncated"]


def test_execs_and_exits(shim):
    shim.run()
    shim.exec("c1", "e1", ["sh", "-c", "exit 7"])
    shim.exec("c1", "e2", ["sleep", "99"])
    shim.exec("c1", "e3", ["true"], start=False)
    assert shim.wait("c1", "e1") == 7
    waits = shim.task.begin("Wait", id="c1", exec_id="e2")
    poll.until(lambda: any(c["method"] == "Wait" for c in dump(shim)["calls"]),
               "an open Wait")
    execs = {e["id"]: e for e in container(dump(shim))["execs"]}
    assert execs["e1"]["state"] == "stopped" and execs["e1"]["status"] == 7
    assert execs["e1"]["exitedAt"].endswith("Z") and execs["e1"]["told"]
    assert execs["e2"]["state"] == "running" and execs["e2"]["waiters"] == 1
    assert execs["e3"]["state"] == "created" and execs["e3"]["pid"] == 0
    shim.task.Kill(id="c1", exec_id="e2", signal=9)
    waits.result(10)


def test_a_runtime_that_hangs(raw, fake):
    s = raw(runtime=fake.path).start("c1")
    s.run()
    fake.before("pause", runtime.HANG)
    call = s.task.begin("Pause", id="c1")
    poll.until(lambda: fake.calls("pause"), "pause runs")
    c, = poll.until(lambda: [c for c in dump(s)["commands"]
                             if c.get("name") == "sleep"], "a command")
    assert (c["container"], c["verb"]) == ("c1", "pause")
    assert c["ageMs"] >= 0 and c["limitMs"] == 120000 and not c["killed"]
    assert c["command"] == "sleep 1000" and c["state"] == "S"
    assert "nanosleep" in c["waitsIn"] or c["waitsIn"] == ""
    assert proc.alive(c["pid"])
    d = by_signal(s, s.bundles["c1"] / "dump.json")
    assert [c["pid"]] == [x["pid"] for x in d["commands"]]
    assert container(d)["init"]["state"] == "pausing"
    assert [x["method"] for x in d["calls"]] == ["Pause"]
    os.kill(c["pid"], signal.SIGKILL)
    with pytest.raises(ttrpc.TtrpcError):
        call.result(10)
    assert dump(s)["commands"] == []


def test_a_create_that_hangs(raw, fake):
    s = raw(runtime=fake.path).start("c1")
    fake.before("create", runtime.HANG)
    call = s.task.begin("Create", **s.create_args("c1"))
    poll.until(lambda: [c["verb"] for c in dump(s)["commands"]] == ["create"],
               "a command")
    assert container(dump(s))["init"]["state"] == "creating"
    os.kill(dump(s)["commands"][0]["pid"], signal.SIGKILL)
    with pytest.raises(ttrpc.TtrpcError):
        call.result(10)


def test_daemon_is_dead(raw):
    """Nobody is connected and nobody takes events."""
    s = raw(env={"TTRPC_ADDRESS": "/run/no/such/socket"}).start("c1")
    s.run()
    s.client.close()
    path = s.bundles["c1"] / "dump.json"

    def hung_up():
        """It may not have noticed yet."""
        path.unlink(missing_ok=True)
        d = by_signal(s, path)
        return d["connections"] == 0 and d
    d = poll.until(hung_up, "no connection")
    assert d["calls"] == []
    assert d["events"]["waiting"] >= 2 and d["events"]["topic"]
    assert d["events"]["failure"] == "the daemon does not listen"
    assert not d["events"]["connected"]
    path.unlink()
    os.mkfifo(path)              # whatever is there instead is replaced
    os.kill(s.pid, signal.SIGUSR1)
    poll.until(path.is_file, "a file")
    path.unlink()
    (s.folder / "victim").write_text("x")
    path.symlink_to(s.folder / "victim")
    os.kill(s.pid, signal.SIGUSR1)
    poll.until(lambda: not path.is_symlink(), "a file")
    assert (s.folder / "victim").read_text() == "x"
    assert f"a dump is in '{path}'" in s.log("c1")
    s.connect()


def test_bundle_is_gone(shim):
    """The next container's will do; with none it is said."""
    shim.run()
    shim.bundle("c2")
    shim.run("c2")
    shim.end("c1")
    for p in shim.bundles["c1"].iterdir():
        p.unlink() if not p.is_dir() else p.rmdir()
    shim.bundles["c1"].rmdir()
    d = by_signal(shim, shim.bundles["c2"] / "dump.json")
    assert d["cwd"] is None and [c["id"] for c in d["containers"]] == ["c2"]
    shim.end("c2")
    shim.log("c2")
    os.kill(shim.pid, signal.SIGUSR1)
    poll.until(lambda: "no dump can be written" in shim.log("c1"), "a line")


def test_stdio(raw, tmp):
    out, err = map(str, fifo.make(tmp, "out", "err"))
    s = start(raw, "spool=1m,then=drop", "echo x >&2; seq 1 1000000; sleep 9")
    s.run(stdout=out, stderr=err)
    poll.until(lambda: container(dump(s))["init"]["stdio"][0]["in"] ==
               6888896, "it is done")
    c = container(dump(s))
    assert c["init"]["stdio"][0]["flow"] == "drops"
    assert c["policy"] == "spool=1048576,then=drop"
    o, e = c["init"]["stdio"]
    assert (o["fd"], o["uri"], e["fd"], e["uri"]) == (1, out, 2, err)
    assert o["spooled"] == 1 << 20 and o["unread"] == 65536
    assert o["out"] == 65536 and o["stalls"] == 1
    assert o["in"] == o["out"] + o["lost"] + o["spooled"]
    assert (e["in"], e["out"], e["unread"], e["lost"]) == (2, 2, 2, 0)
    assert e["flow"] == "free"
    reader = fifo.Reader(out)
    poll.until(lambda: len(reader.data) == (1 << 20) + 65536, "what was kept")
    o = container(dump(s))["init"]["stdio"][0]
    assert o["spooled"] == o["unread"] == 0 and o["flow"] == "free"
    assert o["stalledMs"] > 0
    s.kill()
    s.wait()
    reader.end()


def test_loggers(raw, logger):  # noqa: F811
    log = logger()
    s = raw().start("c1")
    s.run(**log.both)
    d, = container(dump(s))["init"]["loggers"]
    assert d == {"path": log.about["argv"][0], "pid": log.pid, "ready": True}
    s.kill()
    s.wait()


def test_it_costs_nothing_afterwards(shim):
    shim.run()
    dump(shim)
    idle = set(proc.fds(shim.pid))
    before = dirty(shim.pid)
    for _ in range(50):
        dump(shim)
    for _ in range(5):
        by_signal(shim, shim.bundles["c1"] / "dump.json")
        (shim.bundles["c1"] / "dump.json").unlink()
    poll.until(lambda: set(proc.fds(shim.pid)) <= idle,
               lambda: proc.fds(shim.pid))
    if "ASAN_OPTIONS" not in os.environ:
        assert dirty(shim.pid) <= before + 8
