# SPDX-License-Identifier: Apache-2.0
"""Containers without a pid namespace of their own: what is left in them
when init exits is killed, then exec exits, then init's exit is told."""
import json
import os

import pytest

import container
import image
import poll
import proc
import spec
import world

pytestmark = pytest.mark.both
HOST_PID = ("--null-io", "--with-ns", f"pid:/proc/{os.getpid()}/ns/pid")
LEAVE = ("setsid sh -c 'trap \"\" HUP TERM; sleep 1000' & setsid sleep 1001 &"
         " setsid sleep 1002 & sleep 0.2; exit 3")


def members(daemon, id):
    """Processes in the container's cgroup."""
    path = world.cgroup("pids", daemon.ns, str(id), "cgroup.procs")
    return [int(p) for p in proc.read(path).split()]


def test_leftovers_are_killed(daemon, box):
    c = box("sh", "-c", LEAVE, flags=HOST_PID)
    c.wait_status("STOPPED")
    poll.until(lambda: not members(daemon, c),
               lambda: "empty cgroup; in it: " + "; ".join(
                   str(proc.get(p)) for p in members(daemon, c)))
    assert c.delete() == 3


def test_leftovers_of_a_config_without_the_namespace(daemon, tmp, box):
    """The same with a spec that has no pid namespace at all."""
    id = world.fresh()
    conf = spec.base(args=["sh", "-c", LEAVE], rootfs=str(image.rootfs()),
                     cgroup=f"/{daemon.ns}/{id}", without=["pid"])
    path = tmp / "config.json"
    path.write_text(json.dumps(conf))

    c = box(id=id, how=container.known)
    daemon.ctr("run", *daemon.runtime_flags, "-d", "--null-io",
               "--config", path, id)
    c.wait_status("STOPPED")
    poll.until(lambda: not members(daemon, c), "the cgroup is empty")
    assert c.delete() == 3


@pytest.mark.every_daemon
@pytest.mark.go_fails("publishes init's exit first (containerd#10651)")
def test_exec_exits_come_before_inits(daemon, box, follow):
    c = box("sleep", "1000", flags=HOST_PID)
    for e in ("e1", "e2", "e3"):
        c.exec_detached("sleep", "1000", id=e)
    poll.until(lambda: len(c.pids()) == 4, "three execs run")
    c.kill("KILL")
    names = follow.until(c, "exit(137)")
    exits = [n for n in names if n.startswith("exit")]
    assert sorted(exits[:-1]) == [f"exit(e{n},137)" for n in (1, 2, 3)]
    assert exits[-1] == "exit(137)"


def test_term_kills_init_here(daemon, box):
    """Not pid 1 of a namespace, so the default action applies."""
    c = box("sleep", "1000", flags=HOST_PID)
    c.kill("TERM")
    c.wait_status("STOPPED")
    assert c.delete() == 143


def test_kill_all(daemon, box):
    c = box("sh", "-c", "setsid sleep 1000 & setsid sleep 1001 & wait",
            flags=HOST_PID)
    poll.until(lambda: len(members(daemon, c)) == 3, "three processes")
    c.kill("KILL", "--all")
    c.wait_status("STOPPED")
    assert members(daemon, c) == []
    assert c.delete() == 137


def test_only_its_own_processes(daemon, box):
    """Killing one container's leftovers spares its neighbour."""
    other = box("sleep", "1000", flags=HOST_PID)
    c = box("sh", "-c", LEAVE, flags=HOST_PID)
    c.wait_status("STOPPED")
    poll.until(lambda: not members(daemon, c), "the cgroup is empty")
    assert other.status() == "RUNNING"
