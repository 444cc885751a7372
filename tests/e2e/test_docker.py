# SPDX-License-Identifier: Apache-2.0
"""Under Docker: the real dockerd, with docs/examples/daemon.json."""
import os
import signal
import subprocess

import pexpect
import pytest

import docker
import poll
import proc
import test_inspect
import versions
import world

LIMIT = 16 << 20
TRAP = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.1; done"


@pytest.fixture(scope="module")
def _dockerd():
    if docker.missing():
        why = f"no {' and no '.join(docker.missing())}: {versions.HELP}"
        (pytest.fail if os.environ.get("WISP_DAEMONS") else pytest.skip)(why)
    d = docker.Dockerd().prepare()
    yield d
    d.stop()


@pytest.fixture
def d(_dockerd, no_leaks):
    """The shared dockerd; all containers are removed after the test."""
    if _dockerd.dirty or _dockerd.process.poll() is not None:
        _dockerd.restart()
        _dockerd.dirty = False
    yield _dockerd
    _dockerd.remove_all()


@pytest.fixture
def own(no_leaks):
    """A dockerd that the test may kill."""
    d = docker.Dockerd().prepare()
    yield d
    d.remove_all()
    d.stop()


@pytest.fixture
def box(d):
    """box("sleep", "100") runs a container in the background."""
    return lambda *cmd, **kw: docker.Container(d, *cmd, **kw)


class Terminal(pexpect.spawn):
    """docker on a pseudo terminal of the test's own."""

    def __init__(self, d, *args):
        argv = d.argv(*args)
        super().__init__(argv[0], argv[1:], timeout=30 * poll.SLOW,
                         dimensions=(33, 117), encoding="utf-8", env=d.env)

    def end(self):
        self.expect(pexpect.EOF)
        self.wait()
        self.close()
        return self.exitstatus


# ---- run

def test_the_example_is_in_use(d):
    r = d.docker("info", "--format", "{{range $k, $v := .Runtimes}}{{$k}} "
                 "{{end}}|{{.CgroupDriver}}|{{.LiveRestoreEnabled}}")
    names, driver, live = r.out.strip().split("|")
    assert {"wisp", "wisp-options"} <= set(names.split())
    assert (driver, live) == ("cgroupfs", "true")


def test_served_by_this_shim(d, box):
    c = box("sleep", "1000")
    (shim,) = d.shims()
    assert proc.get(c.state()["Pid"]).ppid == shim.pid
    assert c.inspect()["HostConfig"]["Runtime"] == "wisp"


def test_output_and_exit_codes(d):
    r = d.run("sh", "-c", "echo out; echo err >&2; exit 3", ok=(3,))
    assert (r.out, r.err) == ("out\n", "err\n")
    for code in (0, 1, 125, 255):
        assert d.run("sh", "-c", f"exit {code}", ok=None).rc == code


def test_by_the_name_that_needs_no_configuration(d):
    r = d.run("echo", "hello", flags=("--runtime", "io.containerd.wisp.v1"))
    assert r.out == "hello\n"


@pytest.mark.go_fails("knows no runtimeoptions.v1.Options", run=False)
def test_options(d, tmp):
    """ConfigPath is all that dockerd passes on; the file is the example."""
    assert d.run("echo", "hello", flags=("--runtime", "wisp-options")
                 ).out == "hello\n"
    path = d.dir / "wisp.toml"
    text = path.read_text()
    seen, runtime = tmp / "seen", tmp / "my-runc"
    runtime.write_text(f'#!/bin/sh\necho "$@" >>{seen}\nexec runc "$@"\n')
    runtime.chmod(0o755)
    try:
        for was, now in (('"runc"', f'"{runtime}"'),
                         ('"/run/containerd/runc"', f'"{tmp}/root"')):
            assert path.read_text().count(was) == 1
            path.write_text(path.read_text().replace(was, now))
        d.run("true", flags=("--runtime", "wisp-options"))
    finally:
        path.write_text(text)
    assert f"--root {tmp}/root/{world.RUN} " in seen.read_text()


def test_stdin(d):
    data = os.urandom(3 << 20)
    r = d.run("sh", "-c", "cat; exit 4", flags=("-i",), input=data,
              text=False, ok=(4,))
    assert r.out == data


def test_no_network(d):
    """A network namespace of its own, that dockerd sets up from outside."""
    r = d.run("ls", "/sys/class/net", flags=("--network=none",))
    assert r.out.split() == ["lo"]


def test_init(d, box):
    """--init: docker-init is pid 1 and reaps."""
    c = box("sleep", "1000", flags=("--init",))
    ps = c.exec("ps", "-o", "pid,args").out
    assert "docker-init" in ps and "sleep 1000" in ps


def test_command_that_does_not_exist(d):
    r = d.run("no-such-command", ok=(127,))
    assert "no-such-command" in r.err


def test_terminal(d):
    t = Terminal(d, "run", "--rm", "-it", *d.flags(), docker.NAME, "sh")
    t.expect("/ # ")
    t.send("stty size; tty\r")
    t.expect("33 117\r")
    t.expect("/dev/pts/0\r")
    t.setwinsize(44, 99)
    poll.until(lambda: _size(t) == "44 99", "the new size")
    t.send("sleep 1000\r")
    t.expect("sleep 1000\r")
    t.send("\x03")
    t.expect("/ # ")
    t.send("exit 3\r")
    assert t.end() == 3


def _size(t):
    t.send("stty size\r")
    t.expect(r"(\d+ \d+)\r")
    return t.match[1]


def test_detach_and_attach(d):
    t = Terminal(d, "run", "-it", "--name", "detach", *d.flags(), docker.NAME,
                 "sh")
    t.expect("/ # ")
    t.send("\x10\x11")                  # ctrl-P ctrl-Q
    assert t.end() == 0
    t = Terminal(d, "attach", "detach")
    t.send("echo $((6 * 7)); exit 5\r")
    t.expect("\n42\r")
    assert t.end() == 5


def test_20_at_once(d):
    ps = [d.popen("run", "--rm", *d.flags(), docker.NAME, "sh", "-c",
                  f"echo {n}; exit {n}", stdout=subprocess.PIPE, text=True)
          for n in range(20)]
    assert [(p.communicate(timeout=100 * poll.SLOW)[0], p.returncode)
            for p in ps] == [(f"{n}\n", n) for n in range(20)]


# ---- logs

def test_logs_to_the_last_line(box):
    for _ in range(5):
        c = box("seq", "1", "20000")
        c.until("exited")
        assert c.logs() == "".join(f"{n}\n" for n in range(1, 20001))


def test_logs_follow(d, box):
    c = box("sh", "-c", "while [ ! -e /go ]; do sleep 0.1; done; echo last")
    p = d.popen("logs", "-f", c.id, stdout=subprocess.PIPE, text=True)
    c.exec("touch", "/go")
    assert p.communicate(timeout=30 * poll.SLOW)[0] == "last\n"


def test_stdio_policy(box):
    """Handed over by docker, followed, and shown from outside."""
    c = box("sh", "-c", "seq 1 20000; sleep 1000",
            flags=("--annotation", "io.wisp.stdio.policy=spool=2m"))
    c.until_log("\n20000\n")
    i = test_inspect.inspect_of(world.RUN, c.id[:12])
    assert i["container"]["id"] == c.id
    assert i["container"]["policy"] == "spool=2097152,then=block"
    assert i["processes"][0]["pid"] == c.state()["Pid"]


# ---- exec

def test_exec(d, box):
    c = box("sleep", "1000")
    r = c.exec("sh", "-c", "echo out; echo err >&2; exit 9", ok=(9,))
    assert (r.out, r.err) == ("out\n", "err\n")
    data = os.urandom(1 << 20)
    assert c.exec("cat", flags=("-i",), input=data, text=False).out == data
    r = c.exec("no-such-command", ok=(126, 127))
    assert "no-such-command" in r.out + r.err
    r = c.exec("id", "-u", flags=("-u", "1000", "-w", "/tmp"))
    assert r.out == "1000\n"
    assert "sleep 1000" in c.do("top").out


def test_exec_terminal(d, box):
    c = box("sleep", "1000")
    t = Terminal(d, "exec", "-it", c.id, "sh")
    t.expect("/ # ")
    t.send("stty size; exit 6\r")
    t.expect("33 117\r")
    assert t.end() == 6
    assert c.status() == "running"


def test_healthcheck(box):
    c = box("sleep", "1000", flags=(
        "--health-cmd", "test -e /well", "--health-interval=200ms",
        "--health-retries=1"))
    health = lambda: c.state()["Health"]["Status"]      # noqa: E731
    poll.until(lambda: health() == "unhealthy", lambda: c.state(), 30)
    c.exec("touch", "/well")
    poll.until(lambda: health() == "healthy", lambda: c.state(), 30)


# ---- its end

def test_stop(d, box):
    polite, deaf = (box("sh", "-c", s) for s in (
        TRAP, "trap '' TERM; echo up; while :; do sleep 0.1; done"))
    for c in (polite, deaf):
        c.until_log("up\n")
    d.docker("stop", "-t", "60", polite.id)
    assert polite.state()["ExitCode"] == 7
    assert polite.logs() == "up\nbye\n"
    d.docker("stop", "-t", "1", deaf.id)
    assert deaf.state()["ExitCode"] == 137
    polite.do("start")
    assert polite.until("running")["Pid"] > 0
    polite.do("restart", "-t", "60")
    polite.until("running")


def test_kill(d, box):
    c = box("sh", "-c", "trap 'echo usr1' USR1; echo up;"
                        " while :; do sleep 0.1; done")
    c.until_log("up\n")
    c.do("kill", "-s", "USR1")
    c.until_log("usr1\n")
    waiting = d.popen("wait", c.id, stdout=subprocess.PIPE, text=True)
    c.do("kill")
    assert waiting.communicate(timeout=30 * poll.SLOW)[0] == "137\n"
    s = c.state()
    assert (s["Status"], s["ExitCode"], s["OOMKilled"]) == (
        "exited", 137, False)


def test_restart_policy(box):
    c = box("sh", "-c", "echo x; exit 3", flags=("--restart=on-failure:3",))
    poll.until(lambda: c.inspect()["RestartCount"] == 3,
               lambda: str(c.inspect()["RestartCount"]), 60)
    assert c.until("exited")["ExitCode"] == 3
    assert c.logs() == "x\n" * 4


def test_restart_always(box):
    c = box("sleep", "1000", flags=("--restart=always",))
    pid = c.state()["Pid"]
    proc.kill(pid)
    poll.until(lambda: c.state()["Pid"] not in (0, pid), "a new process", 30)
    c.until("running")


def test_pause(d, box):
    c = box("sh", "-c", "while :; do echo x; sleep 0.05; done")
    c.until_log("x\n")
    c.do("pause")
    assert c.status() == "paused"
    c.exec("true", ok=(1,))
    c.do("unpause")
    assert c.status() == "running"
    before = len(c.logs())
    poll.until(lambda: len(c.logs()) > before, "more output")


@pytest.mark.settle(15)         # the host's init may be slow to reap
def test_shim_is_killed(d, box):
    c, other = box("sleep", "1000"), box("sleep", "1000")
    pid = c.state()["Pid"]
    proc.kill(proc.get(pid).ppid)
    assert c.until("exited")["ExitCode"] == 137
    poll.until(lambda: not proc.alive(pid), "its process is dead")
    assert other.status() == "running"
    c.do("start")
    c.until("running")


# ---- resources

def test_stats(d, box):
    c = box("sh", "-c", "sleep 1000 & sleep 1001 & wait")
    poll.until(lambda: "sleep 1001" in c.do("top").out, "all three")
    r = c.do("stats", "--no-stream", "--format",
             "{{.PIDs}}|{{.MemUsage}}|{{.CPUPerc}}")
    pids, memory, cpu = r.out.strip().split("|")
    assert pids == "3"
    assert not memory.startswith("0B /"), memory
    assert cpu.endswith("%")


def test_update(d, box):
    c = box("sleep", "1000", flags=("--memory", 64 << 20,
                                    "--memory-swap", 64 << 20))
    c.do("update", "--memory", 32 << 20, "--memory-swap", 32 << 20,
         "--pids-limit", 77)
    files = {p.name: p.read_text().strip() for g in world.cgroups()
             if g.name == c.id for p in g.iterdir()
             if p.name in ("memory.limit_in_bytes", "memory.max", "pids.max")}
    assert files.pop("pids.max") == "77"
    assert set(files.values()) == {str(32 << 20)}


def test_oom(box):
    c = box("tail", "/dev/zero", flags=("--memory", LIMIT,
                                        "--memory-swap", LIMIT))
    s = c.until("exited")
    assert (s["ExitCode"], s["OOMKilled"]) == (137, True)


# ---- the daemon goes and comes

WAIT = "while [ ! -e /tmp/go ]; do sleep 0.05; done; "


def let_go(pid):
    """Let the container go on that waits; no daemon is needed."""
    open(f"/proc/{pid}/root/tmp/go", "w").close()


@pytest.mark.go_fails("loses what a container that ended had to say")
@pytest.mark.parametrize("sig", ["SIGKILL", "SIGTERM"])
def test_live_restore(own, sig):
    """Containers outlive dockerd; what they write and how they end in the
    meantime is known after."""
    stays = docker.Container(own, "sh", "-c",
                             WAIT + "seq 1 60000; exec sleep 1000")
    ends = docker.Container(own, "sh", "-c", WAIT + "seq 1 3000; exit 9")
    pids = [c.state()["Pid"] for c in (stays, ends)]
    shim = proc.get(pids[0]).ppid
    own.kill(getattr(signal, sig))
    for pid in pids:
        let_go(pid)
    # The little that it writes finds room: it may end while nobody reads.
    poll.until(lambda: not proc.alive(pids[1]), "its end", 30)
    own.start()
    assert ends.until("exited")["ExitCode"] == 9
    assert stays.state()["Pid"] == pids[0]
    assert [s.pid for s in own.shims()] == [shim]
    assert stays.exec("echo", "again").out == "again\n"
    for c, last in ((stays, 60000), (ends, 3000)):
        c.until_log(f"\n{last}\n")
        assert c.logs() == "".join(f"{n}\n" for n in range(1, last + 1))
    stays.do("stop", "-t", "0")
    assert stays.state()["ExitCode"] == 137


def test_containerd_is_killed(own):
    """dockerd goes on with the next one. It asks for no exits that it has
    missed, so those of this test come when it listens again."""
    stays = docker.Container(own, "sleep", "1000")
    ends = docker.Container(own, "sh", "-c", WAIT + "exit 9")
    pid = ends.state()["Pid"]
    own.containerd.restart()

    def listens():
        own.docker("rm", "-f", "probe", ok=None)
        r = own.docker("run", "-d", "--name", "probe", *own.flags(),
                       docker.NAME, "true", ok=None)
        return r.rc == 0 and poll.settles(lambda: own.docker(
            "inspect", "-f", "{{.State.Status}}", "probe").out.strip()
            == "exited", 3)
    poll.until(listens, lambda: own.log_tail(), 60)
    assert stays.exec("echo", "still").out == "still\n"
    let_go(pid)
    assert ends.until("exited")["ExitCode"] == 9
