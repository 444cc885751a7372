# SPDX-License-Identifier: Apache-2.0
"""What a container has used: the kernel's numbers in containerd's messages."""
import json
import os

import pytest

import poll
import rawshim
import ttrpc
import world
from test_shim_rpc import refused
from ttrpc import NOT_FOUND

BURN = ["sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done;"
        "head -c 8m /dev/zero | tail -c 1 >/dev/null; exec sleep 1000"]
IS_V2 = (world.CGROUPS / "cgroup.controllers").exists()


def metrics(task, id="c1"):
    any = task.Stats(id=id).stats
    version = "v2" if IS_V2 else "v1"
    assert any.type_url == f"io.containerd.cgroups.{version}.Metrics"
    m = ttrpc.message(any.type_url)()
    m.ParseFromString(any.value)
    return m


def group(s, controller, id="c1"):
    return world.CGROUPS / ("" if IS_V2 else controller) / s.ns / id


def number(path):
    text = path.read_text().strip()
    return (2 ** 64 - 1 if IS_V2 else 0) if text == "max" else int(text)


def table(path):
    return {k: int(v) for k, v in (
        line.split() for line in path.read_text().splitlines())}


def paused(raw):
    """A container with limits that has used something and stands still."""
    s = raw()
    config = rawshim.spec.base(BURN, cgroup=f"/{s.ns}/c1", memory=64 << 20)
    config["linux"]["resources"]["pids"] = {"limit": 77}
    s.start("c1", text=json.dumps(config))
    pid = s.run()
    poll.until(lambda: rawshim.proc.read(
        f"/proc/{pid}/cmdline").startswith("sleep"), "init sleeps")
    s.task.Pause(id="c1")
    return s


@pytest.mark.skipif(IS_V2, reason="the host has cgroup v2")
def test_v1_says_what_the_files_say(raw):
    """A paused container's numbers stand still: they can be compared."""
    shim = paused(raw)
    m = metrics(shim.task)
    mem, cpu = group(shim, "memory"), group(shim, "cpuacct")
    assert m.cpu.usage.total == number(cpu / "cpuacct.usage") > 0
    assert list(m.cpu.usage.per_cpu) == [
        int(n) for n in (cpu / "cpuacct.usage_percpu").read_text().split()]
    ticks = table(cpu / "cpuacct.stat")
    assert m.cpu.usage.user == ticks["user"] * 10 ** 7
    assert m.cpu.usage.kernel == ticks["system"] * 10 ** 7
    assert m.cpu.throttling.periods == table(
        group(shim, "cpu") / "cpu.stat")["nr_periods"]
    assert m.memory.usage.limit == 64 << 20
    assert m.memory.usage.usage == number(mem / "memory.usage_in_bytes")
    assert m.memory.usage.max == number(mem / "memory.max_usage_in_bytes") > 0
    for name, entry in (("memsw", m.memory.swap), ("kmem", m.memory.kernel),
                        ("kmem.tcp", m.memory.kernel_tcp)):
        path = mem / f"memory.{name}.limit_in_bytes"
        if path.exists():
            assert entry.limit == number(path)
    stat = table(mem / "memory.stat")
    stat["hierarchical_swap_limit"] = stat.get("hierarchical_memsw_limit", 0)
    fields = [f.name for f in m.memory.DESCRIPTOR.fields if not f.message_type]
    assert len(fields) == 32
    for f in fields:
        assert getattr(m.memory, f) == stat[f.replace("pg_", "pg").replace("maj_", "maj")], f
    assert m.memory.total_pg_fault > 0
    assert m.memory_oom_control.oom_kill == 0
    assert (m.pids.current, m.pids.limit) == (1, 77)
    assert m.HasField("blkio") and not m.network
    shim.task.Resume(id="c1")


@pytest.mark.skipif(not IS_V2, reason="the host has cgroup v1")
def test_v2_says_what_the_files_say(raw):
    shim = paused(raw)
    m = metrics(shim.task)
    top = group(shim, "")
    stat = table(top / "cpu.stat")
    for f in ("usage_usec", "user_usec", "system_usec", "nr_periods"):
        assert getattr(m.cpu, f) == stat.get(f, 0)
    stat = table(top / "memory.stat")
    for f in m.memory.DESCRIPTOR.fields:
        if f.name in stat:
            assert getattr(m.memory, f.name) == stat[f.name], f.name
    assert m.memory.usage == number(top / "memory.current") > 0
    assert m.memory.usage_limit == 64 << 20
    assert m.memory_events.oom_kill == 0
    assert (m.pids.current, m.pids.limit) == (1, 77)
    assert m.HasField("rdma") and not m.network
    shim.task.Resume(id="c1")


def test_created_and_stopped(shim):
    """From Create until Delete there is an answer, as the Go shim has it."""
    shim.create()
    assert metrics(shim.task).pids.current >= 1
    shim.task.Start(id="c1")
    shim.kill()
    shim.wait()
    m = metrics(shim.task)
    assert m.pids.current == 0
    assert m.HasField("cpu")
    shim.task.Delete(id="c1")
    refused(NOT_FOUND, shim.task.Stats, id="c1",
            match="container not created")


def test_unknown_container(shim):
    refused(NOT_FOUND, shim.task.Stats, id="ghost",
            match="container not created")


@pytest.mark.skipif(IS_V2, reason="the host has cgroup v2")
def test_group_that_is_gone(shim):
    """Less is told, but it is no error."""
    shim.run()
    for d in world.CGROUPS.glob(f"*/{shim.ns}/c1"):
        for pid in (d / "cgroup.procs").read_text().split():
            (d.parent / "cgroup.procs").write_text(pid)
        d.rmdir()
    m = metrics(shim.task)
    assert m.HasField("cpu") and not m.HasField("memory")
    assert m.pids.current == 0
    assert shim.end() == 137


def test_many_callers_at_once(shim):
    shim.run()
    others = [ttrpc.Client(shim.address, shim.ns) for _ in range(8)]
    calls = [ttrpc.Task(c, 2).begin("Stats", id="c1")
             for c in others for _ in range(50)]
    assert {type(c.result(20)).__name__ for c in calls} == {"StatsResponse"}
    for c in others:
        c.close()


def test_the_numbers_move(shim):
    """An answer is of now, not kept from a while ago."""
    shim.run()

    def becomes(n):          # runc's own threads are there for a moment
        poll.until(lambda: metrics(shim.task).pids.current == n,
                   lambda: f"{n} pids: {metrics(shim.task).pids}", 5)
    becomes(1)
    shim.exec("c1", "e1", ["sleep", "1000"])
    becomes(2)
    shim.kill(exec_id="e1")
    shim.wait("c1", "e1")
    becomes(1)


@pytest.mark.every_daemon
@pytest.mark.both
def test_ctr_task_metrics(daemon, box):
    c = box("sleep", "1000", flags=("--null-io", "--memory-limit", 32 << 20))
    out = json.loads(daemon.ctr(
        "task", "metrics", "--format", "json", c.id).out)
    if IS_V2:
        assert out["memory"]["usage_limit"] == 32 << 20
        assert out["pids"]["current"] == 1
    else:
        assert out["memory"]["usage"]["limit"] == 32 << 20
        assert out["pids"]["current"] == 1
        assert out["cpu"]["usage"]["total"] > 0
    text = daemon.ctr("task", "metrics", c.id).out
    assert "memory" in text and c.id in text


def test_memory_stays_flat(shim):
    """Neither an answer nor a descriptor is kept."""
    shim.run()
    for _ in range(20):
        metrics(shim.task)
    before = private(shim.pid), len(rawshim.proc.fds(shim.pid))
    for _ in range(500):
        shim.task.Stats(id="c1")
    after = private(shim.pid), len(rawshim.proc.fds(shim.pid))
    assert after[1] == before[1]
    if "ASAN_OPTIONS" not in os.environ:   # it keeps what is freed
        assert after[0] <= before[0] + 8, f"{before} -> {after} KiB"


def private(pid):
    """KiB."""
    return sum(int(line.split()[1]) for line in rawshim.proc.read(
        f"/proc/{pid}/smaps_rollup").splitlines() if "Private" in line)
