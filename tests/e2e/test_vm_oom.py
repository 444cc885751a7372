# SPDX-License-Identifier: Apache-2.0
"""OOM on cgroup v2, where it is read from memory.events."""
import os

import pytest

import poll
import proc
import ttrpc
import world

pytestmark = [pytest.mark.vm, pytest.mark.skipif(
    not world.V2, reason="the host has cgroup v1")]
OOMS = int(os.environ.get("WISP_E2E_OOMS", 100))       # 1000: all of them
EAT = ["tail", "/dev/zero"]
IDLE = ["sleep", "1000"]
KINDS = ["runc", "crun"]
MIB = 1 << 20
# What `create` needs itself, within the container's limit.
LIMIT = {"runc": 24 * MIB, "crun": 8 * MIB}


@pytest.fixture
def by(raw):
    """by(kind): a shim whose containers that runtime makes."""
    return lambda kind: raw(runtime=f"/usr/bin/{kind}").start("c1")


@pytest.mark.timeout(600 + 6 * OOMS)    # the emulator takes 1 to 3 s for each
def test_instant_ooms(by):
    """Each is told, exactly once, between the start and the exit."""
    shim = by("crun")
    for n in range(OOMS):
        id = f"x{n}"
        shim.bundle(id, EAT, memory=LIMIT["crun"])
        shim.run(id)
        assert shim.wait(id) == 137
        shim.task.Delete(id=id)
    shim.until("delete", id)
    told = {n: shim.names(f"x{n}") for n in range(OOMS)}
    assert {n: got for n, got in told.items() if got != [
        "create", "start", "oom", "exit(137)", "delete"]} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_ooms_at_once(by, kind):
    """Many at the same time, of one shim."""
    shim = by(kind)
    ids = [f"x{n}" for n in range(20)]
    for id in ids:
        shim.bundle(id, EAT, memory=LIMIT[kind])
        shim.create(id)
    calls = [shim.task.begin("Start", id=id) for id in ids]
    for id, call in zip(ids, calls):
        call.result(60 * poll.SLOW)
        assert shim.wait(id) == 137
        shim.task.Delete(id=id)
        assert shim.until("delete", id) == [
            "create", "start", "oom", "exit(137)", "delete"]


@pytest.mark.parametrize("kind", KINDS)
def test_group_deleted_without_oom(by, kind):
    """Neither at the end of a life, nor under a living container."""
    shim = by(kind)
    for n in range(10):
        shim.bundle(f"x{n}", IDLE, memory=32 * MIB)
        shim.run(f"x{n}")
        assert shim.end(f"x{n}") == 137
        assert shim.until("delete", f"x{n}") == [
            "create", "start", "exit(137)", "delete"]
    shim.bundle("gone", IDLE, memory=32 * MIB)
    pid = shim.run("gone")
    group = world.cgroup("memory", shim.ns, "gone")
    (world.CGROUPS / "cgroup.procs").write_text(str(pid))
    poll.until(lambda: not proc.read(group / "cgroup.procs"), "it is empty")
    group.rmdir()
    assert shim.state("gone") == "RUNNING"
    shim.kill("gone")
    assert shim.wait("gone") == 137
    assert shim.until("exit(137)", "gone") == [
        "create", "start", "exit(137)"]


def pod(shim, **limits):
    """Containers a and b of one pod, a as the one that eats. Their group
    has the limit of `pod`, themselves those of a and b."""
    notes = {"io.kubernetes.cri.sandbox-id": "pod1"}
    top = world.cgroup("memory", shim.ns, "pod")
    top.mkdir(parents=True)
    for d in (top.parent.parent, top.parent, top):
        (d / "cgroup.subtree_control").write_text("+memory +pids")
    if "pod" in limits:
        (top / "memory.max").write_text(str(limits["pod"]))
    for id, what in (("b", IDLE), ("a", EAT)):
        shim.bundle(id, what, annotations=notes, memory=limits.get(id),
                    cgroup=f"/{shim.ns}/pod/{id}")
        shim.run(id)
    return top


@pytest.mark.parametrize("limits", [
    {"a": 24 * MIB, "b": 24 * MIB}, {"pod": 48 * MIB}],
    ids=["its own limit", "the pod's limit"])
@pytest.mark.parametrize("kind", KINDS)
def test_two_of_one_pod(by, kind, limits):
    """One OOMs, and only that one is told."""
    shim = by(kind)
    top = pod(shim, **limits)
    assert shim.wait("a") == 137
    assert shim.until("exit(137)", "a") == [
        "create", "start", "oom", "exit(137)"]
    assert shim.state("b") == "RUNNING"
    assert shim.names("b") == ["create", "start"]
    assert shim.end("b") == 137
    shim.task.Delete(id="a")
    assert shim.until("delete", "b") == [
        "create", "start", "exit(137)", "delete"]
    poll.until(lambda: not any(d.is_dir() for d in top.iterdir()),
               "the groups of a and b are gone")
    top.rmdir()


@pytest.mark.parametrize("kind", KINDS)
def test_counted_by_stats(by, kind):
    """What memory.events counted is in Stats, too: the same source."""
    shim = by(kind)
    script = ("(echo 1000 >/proc/self/oom_score_adj; exec tail /dev/zero);"
              " exec sleep 1000")
    shim.bundle("x", ["sh", "-c", script], memory=16 * MIB)
    shim.run("x")
    shim.until("oom", "x")
    stats = ttrpc.unpack_any(shim.task.Stats(id="x").stats)
    assert stats.memory_events.oom_kill >= 1
    assert stats.memory.usage_limit == 16 * MIB
    assert shim.end("x") == 137
