# SPDX-License-Identifier: Apache-2.0
"""wispctl's commands for tasks that run: on any shim, whoever started it."""
import json
import os
import signal
import subprocess

import pytest

import container
import poll
import proc
import world
from test_wispctl import WISPCTL

pytestmark = [
    pytest.mark.vm_adds_nothing,
    pytest.mark.go_fails("the tests start wisp and the Go shim themselves",
                         run=False),
    pytest.mark.skipif(not os.access(WISPCTL, os.X_OK),
                       reason=f"no {WISPCTL}")]

TRAP = "trap 'exit 42' USR1; trap '' TERM; while :; do sleep 0.1; done"


def ctl(*args, ok=0, timeout=30, **kw):
    """The finished process."""
    kw.setdefault("stdin", subprocess.DEVNULL)
    p = subprocess.run([WISPCTL, *map(str, args)], capture_output=True,
                       text=True, timeout=timeout * poll.SLOW,
                       env=world.environ(), **kw)
    assert ok is None or p.returncode == ok, (args, p.returncode,
                                              p.stdout[-500:], p.stderr)
    return p


def calls(p):
    """The RPCs that --debug has named, in their order."""
    return [line.split(": ")[3] for line in p.stderr.splitlines()
            if ": call " in line]


@pytest.fixture(params=["wisp", "go"])
def s(request, raw):
    """A shim of either kind with c1, not yet created."""
    if request.param == "wisp":
        return raw().start("c1", ["sh", "-c", TRAP])
    if not os.access(world.GO_SHIM, os.X_OK):
        pytest.skip("no Go shim")
    shim = raw(binary=world.GO_SHIM)
    shim.start("c1", ["sh", "-c", TRAP])
    shim.task = shim.stub(2)
    return shim


def on(s, command, *args, **kw):
    """wispctl COMMAND -n NAMESPACE --debug ..."""
    return ctl(command, "-n", s.ns, "--debug", *args, **kw)


# ---- kill, wait, pause, resume

def test_kill_and_wait(s):
    pid = s.run()
    poll.until(lambda: proc.get(pid).comm == "sh", "it runs")
    assert calls(on(s, "kill", "c1")) == ["Kill"]        # ignored
    waiting = subprocess.Popen(
        [WISPCTL, "wait", "-n", s.ns, "c1"], stdout=subprocess.PIPE, text=True)
    assert on(s, "wait", "--timeout", "200ms", "c1", ok=125).stderr.endswith(
        "it has not ended within 200 ms\n")
    assert s.state() == "RUNNING"
    assert calls(on(s, "kill", "-s", "usr1", "c1")) == ["Kill"]
    assert waiting.communicate(timeout=20)[0] == "42\n"
    assert waiting.returncode == 0
    p = on(s, "wait", "c1")                              # ended already
    assert (p.stdout, calls(p)) == ("42\n", ["Wait"])
    assert json.loads(on(s, "wait", "-o", "json", "c1").stdout) == {
        "id": "c1", "exitStatus": 42}
    assert "c1" in on(s, "kill", "c1", ok=125).stderr
    s.task.Delete(id="c1")


def test_kill_all_and_number(s):
    s.run()
    pid = s.exec("c1", "e1", ["sleep", "999"])
    assert calls(on(s, "kill", "-s", "9", "--all", "c1")) == ["Kill"]
    assert s.wait() == 137
    assert not proc.alive(pid)
    s.task.Delete(id="c1", exec_id="e1")
    s.task.Delete(id="c1")


def test_kill_and_wait_exec(s):
    s.run()
    s.exec("c1", "e1", ["sleep", "999"])
    assert calls(on(s, "kill", "-s", "SIGKILL", "-x", "e1", "c1")) == ["Kill"]
    assert on(s, "wait", "-x", "e1", "c1").stdout == "137\n"
    assert s.state() == "RUNNING"
    assert on(s, "kill", "-x", "nosuch", "c1", ok=125).stderr
    s.task.Delete(id="c1", exec_id="e1")
    assert s.end() == 137


def test_pause_and_resume(s):
    s.run()
    assert calls(on(s, "pause", "c1")) == ["Pause"]
    assert s.state() == "PAUSED"
    assert "pause 'c1': " in on(s, "pause", "c1", ok=125).stderr
    assert calls(on(s, "resume", "c1")) == ["Resume"]
    assert s.state() == "RUNNING"
    assert s.end() == 137


# ---- update

def limit(controller, name, s, v2name):
    path = world.cgroup(controller, s.ns, "c1")
    return (path / (v2name if world.V2 else name)).read_text().split()


def test_update(s, tmp):
    s.run()
    p = on(s, "update", "-m", "64m", "--pids", "77", "--cpus", "0.5", "c1")
    assert calls(p) == ["Update"]
    assert limit("memory", "memory.limit_in_bytes", s, "memory.max") == [
        str(64 << 20)]
    assert limit("pids", "pids.max", s, "pids.max") == ["77"]
    assert limit("cpu", "cpu.cfs_quota_us", s, "cpu.max")[0] == "50000"
    on(s, "update", "--cpu-quota", "20000", "--cpu-period", "100000",
       "--cpu-shares", "300", "c1")
    assert limit("cpu", "cpu.cfs_quota_us", s, "cpu.max")[0] == "20000"
    (tmp / "r.json").write_text('{"pids": {"limit": 55}}')
    on(s, "update", "--resources", tmp / "r.json", "c1")
    assert limit("pids", "pids.max", s, "pids.max") == ["55"]
    (tmp / "r.json").write_text('{"pids": ')
    assert "line 1" in on(s, "update", "--resources", tmp / "r.json", "c1",
                          ok=125).stderr
    assert s.end() == 137


# ---- errors

@pytest.mark.parametrize("args", [
    ["kill"], ["kill", "-s", "NOSUCH", "a"], ["kill", "-s", "65", "a"],
    ["kill", "-a", "-x", "e", "a"], ["wait"], ["wait", "--timeout", "x", "a"],
    ["pause"], ["resume", "--nosuch", "a"], ["update", "a"],
    ["update", "-m", "x", "a"], ["update", "--pids", "0", "a"],
    ["update", "--cpus", "1", "--cpu-quota", "5000", "a"],
    ["checkpoint", "a"], ["checkpoint", "--path", "/x", "a", "b"]])
def test_wrong_arguments(args):
    p = ctl(*args, ok=125)
    assert p.stderr.startswith("wispctl: ") and p.stdout == ""
    assert p.stderr.count("\n") == 1


COMMANDS = ["kill", "wait", "pause", "resume", "update", "checkpoint"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    text = ctl(command, "--help").stdout
    assert "Examples:" in text and f"wispctl {command}" in text
    assert max(map(len, text.splitlines())) <= 80
    assert f"  {command} " in ctl("--help").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_no_such_container(command):
    p = ctl(command, *(["--path", "/x"] if command == "checkpoint" else []),
            *(["-m", "9m"] if command == "update" else []), "nosuch", ok=125)
    assert "no shim on this host has" in p.stderr and "'nosuch'" in p.stderr


def test_shim_does_not_answer(shim):
    shim.run()
    os.kill(shim.pid, signal.SIGSTOP)
    try:
        p = on(shim, "pause", "--timeout", "0.3", "c1", ok=125)
        assert "no answer" in p.stderr
    finally:
        os.kill(shim.pid, signal.SIGCONT)


# ---- a daemon's containers

def test_of_a_daemon(daemon, box):
    b = box("sleep", "1000")
    ns = world.RUN
    ctl("pause", "-n", ns, b.id)
    assert b.status() == "PAUSED"
    ctl("resume", "-n", ns, b.id)
    ctl("kill", "-n", ns, "-s", "KILL", b.id)
    assert ctl("wait", "-n", ns, b.id).stdout == "137\n"
    b.wait_status("STOPPED")
