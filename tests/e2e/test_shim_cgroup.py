# SPDX-License-Identifier: Apache-2.0
"""Where the shim itself runs: Options.shim_cgroup, SCHED_CORE."""
import ctypes
import os

import pytest

import leaks
import poll
import proc
import rawshim
import ttrpc
import world


@pytest.fixture
def group():
    """A cgroup in every hierarchy: its path in them. Asked for before a shim
    is, so that it outlives it."""
    path = f"/{world.RUN}/shim"
    tops = [d for d in world.CGROUPS.iterdir()
            if d.is_dir() and not d.is_symlink()
            and (d / "cgroup.procs").exists() and d.name != "unified"]
    if (world.CGROUPS / "cgroup.procs").exists():
        tops = [world.CGROUPS]
    made = []
    for top in tops:
        folder = top / path[1:]
        os.makedirs(folder, exist_ok=True)
        made.append(folder)
        if (folder / "cpuset.cpus").exists() and top.name == "cpuset":
            for d in (folder.parent, folder):
                for name in ("cpuset.cpus", "cpuset.mems"):
                    (d / name).write_text((top / name).read_text())
    yield path
    for folder in made:
        for d in (folder, folder.parent):
            poll.settles(lambda: leaks.rmdir(d), 5)


def groups(pid):
    """Of all v1 hierarchies, or of the unified one."""
    rows = [line.split(":", 2) for line in
            proc.read(f"/proc/{pid}/cgroup").splitlines()]
    v1 = [r[2] for r in rows if r[1]]
    return v1 or [r[2] for r in rows]


def options(group):
    return rawshim.runc_options(shim_cgroup=group)


@pytest.mark.parametrize("dash", ["with", "without"])
def test_at_start(group, raw, dash):
    s = raw()
    s.bundle("c1", ["sleep", "1000"])
    s.ids.append("c1")
    p = s.start_raw("c1", options(group if dash == "with" else group[1:])
                    .SerializeToString())
    assert p.returncode == 0, p.stderr
    s.address = p.stdout.decode().strip()
    s.connect()
    assert set(groups(s.pid)) == {group}
    s.run()
    init = s.task.State(id="c1").pid
    assert group not in groups(init)
    assert s.end() == 137


@pytest.mark.go_fails("only at start")
def test_at_create(group, raw):
    s = raw().start("c1")
    assert group not in groups(s.pid)
    s.run(options=options(group))
    assert set(groups(s.pid)) == {group}
    assert "shim_cgroup" not in s.log("c1")
    assert s.end() == 137


@pytest.mark.go_fails("does not start then")
def test_missing_group_is_a_warning(raw):
    s = raw().start("c1")
    s.run(options=options("/no/such/group"))
    log = s.log("c1")
    assert "shim_cgroup" in log and "/no/such/group" in log
    assert s.end() == 137


@pytest.mark.go_fails("only at start")
def test_climbing_is_refused(raw):
    s = raw().start("c1")
    with pytest.raises(ttrpc.TtrpcError, match="shim_cgroup.*'..'"):
        s.create(options=options("/a/../../b"))


def core_cookie(pid):
    """prctl(2), PR_SCHED_CORE_GET; None: no core scheduling here."""
    libc = ctypes.CDLL(None, use_errno=True)
    cookie = ctypes.c_ulong()
    r = libc.prctl(62, 0, pid, 0, ctypes.byref(cookie))
    return cookie.value if r == 0 else None


def test_sched_core(raw):
    s = raw(env={"SCHED_CORE": "1"}).start("c1")
    pid = s.run()
    cookie = core_cookie(s.pid)
    if cookie is None:
        assert "SCHED_CORE" in s.log("c1")
    else:
        assert cookie and core_cookie(pid) == cookie
        assert core_cookie(os.getpid()) != cookie
    assert s.end() == 137
