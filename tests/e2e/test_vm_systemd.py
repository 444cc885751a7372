# SPDX-License-Identifier: Apache-2.0
"""The systemd cgroup driver, with a real systemd: a container is a scope."""
import pytest

import container
import image
import poll
import proc
import rawshim
import systemd
import ttrpc
import world
from test_update import update

pytestmark = pytest.mark.vm
KINDS = ["runc", "crun"]
SLICE = "wisptest.slice"
MIB = 1 << 20


def scope(id):
    return f"{world.RUN}-{id}.scope"


def folder(id):
    return world.CGROUPS / SLICE / scope(id)


def stop_slice():
    """What a failed test left does not hold it."""
    world.sh("systemctl", "kill", "--signal=KILL", SLICE, check=False)
    world.sh("systemctl", "--no-block", "stop", SLICE, check=False)


class Driver:
    """A shim, and how its containers are made."""

    def __init__(self, shim, runtime):
        self.shim = shim
        self.options = rawshim.runc_options(
            binary_name=f"/usr/bin/{runtime}", systemd_cgroup=True)

    def run(self, id, *cmd, **kw):
        self.shim.bundle(id, cmd or ("sleep", "1000"),
                         cgroup=f"{SLICE}:{world.RUN}:{id}", **kw)
        self.shim.create(id, options=self.options)
        return self.shim.task.Start(id=id).pid


@pytest.fixture(params=KINDS)
def driver(raw, request):
    yield Driver(raw().start("c1"), request.param)
    stop_slice()


def gone(id):
    poll.until(lambda: not systemd.known(scope(id)),
               lambda: f"{scope(id)} is gone; " + str(systemd.show(
                   scope(id), "LoadState", "ActiveState", "SubState")))
    assert not folder(id).exists()


def test_a_life(driver):
    shim = driver.shim
    pid = driver.run("a", memory=64 * MIB)
    group = proc.get(pid).cgroup.strip()
    # crun keeps the container in a group of its own below the scope.
    assert group.removesuffix("/container") == f"0::/{SLICE}/{scope('a')}"
    assert systemd.show(scope("a"), "ActiveState", "MemoryMax") == {
        "ActiveState": "active", "MemoryMax": str(64 * MIB)}
    shim.exec("a", "e1", ["sh", "-c", "exit 4"])
    assert shim.wait("a", "e1") == 4
    shim.task.Delete(id="a", exec_id="e1")
    shim.task.Pause(id="a")
    assert shim.state("a") == "PAUSED"
    shim.task.Resume(id="a")
    assert pid in [p.pid for p in shim.task.Pids(id="a").processes]
    assert shim.end("a") == 137
    gone("a")


def test_update_reaches_systemd(driver):
    """The unit and the group's file agree: a reload changes nothing."""
    driver.run("a", memory=64 * MIB)
    update(driver.shim.task, {"memory": {"limit": 48 * MIB}}, "a")
    assert systemd.show(scope("a"), "MemoryMax") == str(48 * MIB)
    world.sh("systemctl", "daemon-reload")
    assert (folder("a") / "memory.max").read_text() == f"{48 * MIB}\n"
    assert driver.shim.end("a") == 137
    gone("a")


def test_stats_and_oom(driver):
    shim = driver.shim
    driver.run("idle", memory=32 * MIB)
    driver.run("fat", "tail", "/dev/zero", memory=16 * MIB)
    assert shim.wait("fat") == 137
    assert shim.until("exit(137)", "fat") == [
        "create", "start", "oom", "exit(137)"]
    assert shim.names("idle") == ["create", "start"]
    stats = ttrpc.unpack_any(shim.task.Stats(id="idle").stats)
    assert stats.memory.usage_limit == 32 * MIB
    assert stats.pids.current == 1
    shim.task.Delete(id="fat")
    assert shim.end("idle") == 137
    gone("fat")
    gone("idle")


def test_leftovers_without_a_pid_namespace(driver):
    """What init leaves in the scope is killed with it."""
    driver.run("a", "sh", "-c", "setsid sleep 1000 & setsid sleep 1001 & "
               "sleep 0.2; exit 3", without=["pid"])
    assert driver.shim.wait("a") == 3
    driver.shim.task.Delete(id="a")
    gone("a")


def test_scope_stopped_by_systemd(driver):
    """An operator's `systemctl stop` is an exit like any other."""
    driver.run("a", "sh", "-c", "trap 'exit 6' TERM; "
               "while :; do sleep 0.05; done")
    world.sh("systemctl", "stop", scope("a"), timeout=120)
    assert driver.shim.wait("a") in (6, 137)
    driver.shim.task.Delete(id="a")
    gone("a")


def test_shim_killed(driver):
    """`delete` cleans up after it, the scope too."""
    shim = driver.shim
    pid = driver.run("a")
    proc.kill(shim.pid)
    assert shim.client.closed.wait(10 * poll.SLOW)
    assert shim.delete("a").returncode == 0
    poll.until(lambda: not proc.alive(pid), "init is gone")
    gone("a")


def test_with_containerd(daemon, box):
    """SystemdCgroup as an option that a client gives."""
    id = world.fresh()
    c = box(id=id, how=container.known)
    daemon.ctr("run", "-d", "--null-io", "--runtime", "io.containerd.runc.v2",
               "--runc-systemd-cgroup", "--cgroup",
               f"{SLICE}:{world.RUN}:{id}", image.NAME, id, "sleep", "1000")
    assert scope(id) in proc.get(c.pid()).cgroup
    assert systemd.show(scope(id), "ActiveState") == "active"
    c.stop()
    assert c.delete() == 137
    gone(id)
    stop_slice()
