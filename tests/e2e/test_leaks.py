# SPDX-License-Identifier: Apache-2.0
"""The leak check itself: it must be able to fail, by name, and clean up."""
import os
import socket
import subprocess

import leaks
import world


def left_by(make, *named):
    """make() leaves something: it is found, named, and removed."""
    before = leaks.snapshot()
    assert not leaks.since(before, 0)
    undo = make()
    left = leaks.since(before, 0.2)
    for name in named:
        assert name in str(left), f"{name!r} not in:\n{left}"
    leaks.remove(left)
    if undo:
        undo()
    assert not leaks.since(before), str(leaks.since(before))


def test_process():
    def make():
        p = subprocess.Popen(["sleep", "987"], start_new_session=True)
        return p.wait
    left_by(make, "process", "sleep 987")


def test_orphan_without_our_environment():
    """Found by its cgroup alone, as a container's process."""
    top = world.cgroup("pids", world.RUN + "-leak")
    top.mkdir()
    (top / "sub").mkdir()
    pid = int(subprocess.run(
        ["sh", "-c", "env -i setsid sleep 986 >/dev/null 2>&1 & echo $!"],
        capture_output=True, text=True, check=True).stdout)
    before = leaks.snapshot()
    (top / "sub" / "cgroup.procs").write_text(str(pid))
    left = leaks.since(before, 0.2)
    assert "sleep 986" in str(left)
    os.kill(pid, 9)
    assert not leaks.since(before)
    (top / "sub").rmdir()
    top.rmdir()


def test_zombie():
    def make():
        p = subprocess.Popen(["true"])
        os.waitid(os.P_PID, p.pid, os.WEXITED | os.WNOWAIT)
        return p.wait
    before = leaks.snapshot()
    undo = make()
    assert "zombie process" in str(leaks.since(before, 0.2))
    undo()
    assert not leaks.since(before)


def test_mount(tmp):
    left_by(lambda: world.sh("mount", "-t", "tmpfs", "x", tmp) and None,
            f"mount {tmp}")


def test_mount_in_a_daemons_namespace(own_daemon):
    d = own_daemon("crun")
    where = d.dir / "m"
    where.mkdir()
    left_by(lambda: world.sh("nsenter", "-t", d.process.pid, "-m", "mount",
                             "-t", "tmpfs", "x", where) and None,
            f"mount {where}")


def test_cgroup():
    top = world.cgroup("memory", world.RUN)
    (top / "x").mkdir(parents=True)
    before = leaks.snapshot()
    (top / "x" / "y").mkdir()
    left = leaks.since(before, 0.2)
    assert f"cgroup {top}/x/y" in str(left)
    leaks.remove(left)
    assert not leaks.since(before)
    (top / "x").rmdir()


def test_socket():
    path = world.RUN_DIR / "s" / "leak"

    def make():
        path.parent.mkdir(exist_ok=True)
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(path))
    left_by(make, f"socket {path}")


def test_fifo_and_file():
    def make():
        os.mkfifo(world.RUN_DIR / "fifo-leak")
        (world.base / "tmp" / "file-leak").write_text("")
    left_by(make, "fifo /run/containerd/fifo-leak", "file-leak")


def test_bundle(daemon):
    def make():
        (daemon.bundle("ghost")).mkdir(parents=True)
    left_by(make, "ghost")


def test_fd_of_a_shim(shim):
    """A connection that the shim does not know it should close."""
    before = leaks.snapshot()
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(shim.address.removeprefix("unix://"))
        assert "socket:" in str(leaks.since(before, 0.5))
    assert not leaks.since(before)


def test_running_container(daemon, box):
    before = leaks.snapshot()
    c = box("sleep", "985")
    text = str(leaks.since(before, 0.2))
    for word in ("sleep 985", "-id " + c.id, "cgroup", "mount", "socket",
                 "state.json"):
        assert word in text, f"{word} not in:\n{text}"
    c.remove()
    assert not leaks.since(before)
