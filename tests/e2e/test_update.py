# SPDX-License-Identifier: Apache-2.0
"""Update: new resources for a container that is there already."""
import json
from concurrent.futures import wait as wait_all

import pytest

import poll
import rawshim
import runtime
import ttrpc
import world
from test_shim_rpc import refused
from ttrpc import (DEADLINE_EXCEEDED, FAILED_PRECONDITION, INVALID_ARGUMENT,
                   NOT_FOUND, UNKNOWN)

RESOURCES = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"
IS_V2 = (world.CGROUPS / "cgroup.controllers").exists()
FILES = {"memory": "memory.max" if IS_V2 else "memory.limit_in_bytes",
         "pids": "pids.max"}


def resources(value, url=RESOURCES):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return rawshim.Any(type_url=url, value=data)


def update(task, value, id="c1", **kw):
    task.Update(id=id, resources=resources(value), **kw)


def limit(ns, what, id="c1"):
    top = world.CGROUPS / ("" if IS_V2 else what)
    return (top / ns / id / FILES[what]).read_text().strip()


def pids(n):
    return {"pids": {"limit": n}}


def test_update_in_each_state(shim):
    shim.create()
    update(shim.task, pids(50))
    assert limit(shim.ns, "pids") == "50"
    assert shim.state() == "CREATED"
    shim.task.Start(id="c1")
    update(shim.task, {"memory": {"limit": 64 << 20}})
    assert limit(shim.ns, "memory") == str(64 << 20)
    assert limit(shim.ns, "pids") == "50"
    shim.task.Pause(id="c1")
    update(shim.task, pids(60))
    assert limit(shim.ns, "pids") == "60"
    assert shim.state() == "PAUSED"
    shim.task.Resume(id="c1")
    assert list(shim.bundles["c1"].glob("update*")) == []
    shim.kill()
    shim.wait()
    refused(FAILED_PRECONDITION, update, shim.task, pids(5), match="stopped")
    shim.task.Delete(id="c1")
    refused(NOT_FOUND, update, shim.task, pids(5))


@pytest.mark.every_daemon
@pytest.mark.both
def test_update_of_a_container_of_containerd(daemon, box):
    """Under runc and crun; the daemon would call as we do."""
    c = box("sleep", "1000", flags=("--null-io", "--memory-limit", 32 << 20))
    address = (daemon.bundle(c.id) / "address").read_text().strip()
    client = ttrpc.Client(address, daemon.ns)
    task = ttrpc.Task(client, 2)
    update(task, {"memory": {"limit": 48 << 20}}, c.id)
    assert limit(daemon.ns, "memory", c.id) == str(48 << 20)
    update(task, pids(33), c.id)
    assert limit(daemon.ns, "pids", c.id) == "33"
    stats = ttrpc.unpack_any(task.Stats(id=c.id).stats)
    assert stats.pids.limit == 33
    client.close()


def test_unknown_container(shim):
    refused(NOT_FOUND, update, shim.task, pids(5), "ghost",
            match="container not created")


BAD = {"no JSON": b"{", "an array": b"[]", "a number": b"5", "empty": b"",
       "two": b"{}{}"}


@pytest.mark.go_fails("says Unknown, or takes it")
@pytest.mark.parametrize("what", BAD)
def test_bad_json(shim, fake, what):
    shim.runtime = fake.path
    shim.run()
    refused(INVALID_ARGUMENT, update, shim.task, BAD[what], match="resources")
    assert fake.calls("update") == []
    assert shim.state() == "RUNNING"


@pytest.mark.go_fails("does not look at the type")
@pytest.mark.parametrize("url", ["", "example.Nonsense",
                                 rawshim.PROCESS])
def test_bad_type(shim, url):
    shim.run()
    refused(INVALID_ARGUMENT, shim.task.Update, id="c1",
            resources=resources({}, url), match=url)


@pytest.mark.go_fails("panics")
def test_no_resources(shim):
    shim.run()
    refused(INVALID_ARGUMENT, shim.task.Update, id="c1", match="resources")


def test_annotations_do_no_harm(shim):
    shim.run()
    update(shim.task, pids(9), annotations={"a": "b", "c": ""})
    assert limit(shim.ns, "pids") == "9"


def test_runtime_refuses(shim, fake):
    shim.runtime = fake.path
    shim.run()
    fake.before("update", runtime.fail("no such knob"))
    refused(UNKNOWN, update, shim.task, pids(5), match="no such knob")
    assert list(shim.bundles["c1"].glob("update*")) == []
    fake.well()
    update(shim.task, pids(6))
    assert limit(shim.ns, "pids") == "6"


def test_value_that_the_kernel_refuses(shim):
    shim.run()
    with pytest.raises(ttrpc.TtrpcError, match="cpuset|cpus"):
        update(shim.task, {"cpu": {"cpus": "4000-5000"}})
    assert shim.state() == "RUNNING"


@pytest.mark.go_fails("has no deadline", run=False)
def test_runtime_hangs(raw, fake):
    """Nobody else waits; then it is killed, and the next one works."""
    s = raw(runtime=fake.path, env={
        "WISP_COMMAND_TIMEOUT_MS": str(int(1500 * poll.SLOW))})
    s.start("c1")
    s.run()
    fake.before("update", runtime.HANG)
    call = s.task.begin("Update", id="c1", resources=resources(pids(5)))
    poll.until(lambda: fake.calls("update"), "update runs")
    assert s.state(timeout=1) == "RUNNING"
    with pytest.raises(ttrpc.TtrpcError, match="timed out") as e:
        call.result(20 * poll.SLOW)
    assert e.value.code == DEADLINE_EXCEEDED
    fake.well()
    update(s.task, pids(6))
    assert limit(s.ns, "pids") == "6"


@pytest.mark.go_fails("takes them in any order")
def test_many_at_once_are_done_in_order(shim, fake):
    """One at a time, the last one wins."""
    shim.runtime = fake.path
    shim.run()
    busy = f"mkdir {fake.folder}/busy || echo two >{fake.folder}/two"
    fake.before("update", busy)
    fake.after("update", f"rmdir {fake.folder}/busy")
    calls = [shim.task.begin("Update", id="c1", resources=resources(pids(n)))
             for n in range(10, 20)]
    for c in calls:
        c.result(30)
    assert limit(shim.ns, "pids") == "19"
    assert not (fake.folder / "two").exists()


def test_task_ends_during_updates(shim, fake):
    """All calls are answered: the first as the runtime ends, the others
    with the state that forbids them. Delete does not wait for them."""
    shim.runtime = fake.path
    shim.run()
    fake.before("update", "sleep 1")
    calls = [shim.task.begin("Update", id="c1", resources=resources(pids(9)))
             for _ in range(3)]
    poll.until(lambda: fake.calls("update"), "update runs")
    shim.kill()
    shim.wait()
    shim.task.Delete(id="c1")
    done, late = wait_all(calls, 20)
    assert not late
    for c in done:
        assert isinstance(c.exception(), ttrpc.TtrpcError)
    refused(NOT_FOUND, shim.task.State, id="c1")
