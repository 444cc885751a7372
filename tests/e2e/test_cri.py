# SPDX-License-Identifier: Apache-2.0
"""Under Kubernetes' CRI: pods of several containers, one shim for each pod.

containerd is configured by docs/examples/containerd-1.toml, or -2.toml, as it
stands; the client says what a kubelet says (see cri.py).
"""
import os
import re
import time

import pytest

import cri
import daemon
import poll
import proc
import streams
import test_inspect
import world

LIMIT = 16 << 20
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)$")
RUNTIMECLASS = cri.EXAMPLES / "runtimeclass.yaml"


pytestmark = pytest.mark.every_daemon


@pytest.fixture(scope="module")
def kubelet(containerd):
    d = cri.CriDaemon(containerd=containerd).prepare()
    yield d
    d.stop()


def remove_all(d):
    for p in d.cri.ListPodSandbox().items:
        d.cri.StopPodSandbox(pod_sandbox_id=p.id)
        d.cri.RemovePodSandbox(pod_sandbox_id=p.id)


@pytest.fixture
def pod(kubelet, no_leaks):
    """pod() runs a pod; all are removed after the test, without a trace."""
    if kubelet.dirty:
        kubelet.restart()
        kubelet.dirty = False
    yield lambda **kw: cri.Pod(kubelet, **kw)
    remove_all(kubelet)
    assert not kubelet.leftovers()
    assert poll.settles(lambda: not kubelet.shims()), kubelet.shims()


def pids(pod):
    """Container id (or pod id) -> its init."""
    return {id: pid for id, (pid, _) in pod.d.tasks().items()
            if id == pod.id or id in [c.id for c in pod.containers]}


# ---- the plugin


def test_version_and_status(kubelet):
    v = kubelet.cri.Version(version="v1")
    assert (v.runtime_name, v.runtime_api_version) == ("containerd", "v1")
    assert v.runtime_version.removeprefix("v").startswith(
        kubelet.containerd.version), v.runtime_version
    conditions = {c.type: c for c in kubelet.cri.Status().status.conditions}
    assert conditions["RuntimeReady"].status
    assert not conditions["NetworkReady"].status, "no CNI, on purpose"


def test_the_runtimeclass_names_the_handler(kubelet):
    """The two examples are a pair."""
    handler = re.findall(r"^handler: (\S+)$", RUNTIMECLASS.read_text(), re.M)
    assert handler == [cri.HANDLER]
    assert (f".containerd.runtimes.{handler[0]}]"
            in kubelet.example.read_text())


# ---- a pod


def test_pod_of_two(pod, kubelet):
    p = pod()
    assert p.status().state == cri.READY
    assert p.status().runtime_handler == cri.HANDLER
    a, b = (p.create("sleep", "1000") for _ in range(2))
    assert p.list() == {a.id: cri.CREATED, b.id: cri.CREATED}
    a.start()
    assert p.list() == {a.id: cri.RUNNING, b.id: cri.CREATED}
    b.start()
    s = b.status()
    assert s.state == cri.RUNNING
    assert 0 < s.created_at <= s.started_at and not s.finished_at
    (listed,) = kubelet.cri.ListPodSandbox().items
    assert (listed.id, listed.state) == (p.id, cri.READY)

    a.stop()
    assert a.exited().exit_code == 137
    assert p.list() == {a.id: cri.EXITED, b.id: cri.RUNNING}
    a.remove()
    assert p.list() == {b.id: cri.RUNNING}

    p.stop()                            # ends what still runs
    assert p.status().state == cri.NOTREADY
    assert b.exited().exit_code == 137
    p.stop()                            # again: no error
    p.remove()
    kubelet.cri.RemovePodSandbox(pod_sandbox_id=p.id)
    assert not kubelet.cri.ListPodSandbox().items
    assert not kubelet.tasks()


@pytest.mark.go_fails("knows no such annotation")
def test_stdio_policy_of_a_pod(pod):
    """The pod's annotation is its containers'; wispctl finds both in the one
    shim that they have."""
    p = pod(annotations={"io.wisp.stdio.policy": "spool=1m,then=drop"})
    c = p.run("sh", "-c", "seq 1 1000; sleep 1000")
    poll.until(lambda: len(c.log()) == 1000, "its output")
    shims = set()
    for id in (p.id, c.id):
        i = test_inspect.inspect_of(cri.NAMESPACE, id)
        assert i["container"]["id"] == id
        assert i["container"]["policy"] == "spool=1048576,then=drop"
        shims.add(i["shim"]["pid"])
    assert len(shims) == 1
    out, = (s for s in i["container"]["init"]["stdio"] if s["fd"] == 1)
    assert (out["out"], out["unread"], out["lost"]) == (3893, 0, 0)


def test_one_shim_for_each_pod(pod, kubelet):
    """The daemon names the group (the sandbox) in every bundle."""
    p, q = pod(), pod()
    for x in (p, p, q):
        x.run("sleep", "1000")
    tasks, shims = [pids(x) for x in (p, q)], kubelet.shims()
    assert [len(t) for t in tasks] == [3, 2]
    parents = [{proc.get(pid).ppid for pid in t.values()} for t in tasks]
    assert [len(x) for x in parents] == [1, 1], parents
    assert parents[0] != parents[1]
    assert parents[0] | parents[1] == {s.pid for s in shims}, shims
    for x in (p, q):
        (shim,) = [s for s in shims if x.id in s.cmd.split()]
    p.remove()
    poll.until(lambda: len(kubelet.shims()) == 1, "the pod's shim leaves")
    assert q.containers[0].exec("true").exit_code == 0


def test_containers_of_a_pod_come_and_go(pod, kubelet):
    """The pod stays; a crashing container is made again and again."""
    p = pod()
    stays = p.run("sleep", "1000")
    (before,) = kubelet.shims()
    fds = len(proc.fds(before.pid))
    for n in range(5):
        c = p.run("sh", "-c", f"echo {n}; exit {n}")
        assert c.exited().exit_code == n
        assert c.out() == f"{n}\n"
        c.remove()
    (after,) = kubelet.shims()
    assert after.pid == before.pid
    assert poll.settles(lambda: len(proc.fds(after.pid)) <= fds), \
        proc.fds(after.pid)
    assert stays.status().state == cri.RUNNING


def test_shared_pid_namespace(pod):
    """shareProcessNamespace: the pod's own process is pid 1 of all, and
    what a container leaves there ends with it."""
    p = pod(pid=0)
    a = p.run("sh", "-c", "sleep 1000 & sleep 1001")
    b = p.run("sleep", "1002")
    assert {"sleep 1000", "sleep 1001", "sleep 1002"} <= set(ps(b))
    assert b.exec("head", "-c", "5", "/proc/1/cmdline").stdout == b"sleep"
    a.stop()
    assert a.exited().exit_code == 137
    assert not {"sleep 1000", "sleep 1001"} & set(ps(b))
    assert "sleep 1002" in ps(b)


# ---- exec


def test_exec_sync(pod):
    c = pod().run("sleep", "1000")
    r = c.exec("sh", "-c", "echo out; echo err >&2; exit 3")
    assert (r.stdout, r.stderr, r.exit_code) == (b"out\n", b"err\n", 3)
    r = c.exec("head", "-c", "3000000", "/dev/zero")
    assert (len(r.stdout), r.stderr, r.exit_code) == (3000000, b"", 0)
    assert c.exec("sh", "-c", "kill -9 $$").exit_code == 137


def test_exec_sync_of_nothing(pod):
    """A command that does not exist is an error that names it."""
    c = pod().run("sleep", "1000")
    with pytest.raises(cri.grpc().RpcError) as e:
        c.exec("no-such-command")
    assert "no-such-command" in e.value.details()
    assert c.exec("true").exit_code == 0


def test_exec_sync_times_out(pod):
    """In time, and the process is gone, also one that ignores TERM."""
    c = pod().run("sleep", "1000")
    start = time.monotonic()
    with pytest.raises(cri.grpc().RpcError) as e:
        c.exec("sh", "-c", "trap '' TERM; exec sleep 1003", timeout=1)
    assert e.value.code() == cri.grpc().StatusCode.DEADLINE_EXCEEDED
    assert 0.9 < time.monotonic() - start < 10
    assert "sleep 1003" not in ps(c)
    assert c.status().state == cri.RUNNING


# ---- streams


def test_exec_streams(pod):
    c = pod().run("sleep", "1000")
    s = c.exec_stream("sh", "-c", "echo up; read a; echo got $a; echo no >&2;"
                                  " exit 5")
    s.until(b"up\n")
    s.send(b"it\n")
    assert s.end() == 5
    assert (s.got[streams.STDOUT], s.got[streams.STDERR]) == (
        b"up\ngot it\n", b"no\n")
    s = c.exec_stream("head", "-c", "3000000", "/dev/zero")
    assert s.end() == 0
    assert s.got[streams.STDOUT] == bytes(3000000)


def test_exec_on_a_terminal(pod):
    c = pod().run("sleep", "1000")
    s = c.exec_stream("sh", tty=True)
    s.resize(117, 33)
    s.until(b"# ")
    poll.until(lambda: _size(s) == b"33 117", "the size")
    s.resize(99, 44)
    poll.until(lambda: _size(s) == b"44 99", "the new size")
    s.send(b"sleep 1005\r")
    poll.until(lambda: "sleep 1005" in ps(c), "it sleeps")
    s.send(b"\x03")
    poll.until(lambda: "sleep 1005" not in ps(c), "ctrl-C ends it")
    s.send(b"exit 6\r")
    assert s.end() == 6


def ps(c):
    return c.exec("ps", "-o", "args").stdout.decode().splitlines()


def _size(s):
    before = len(s.got[streams.STDOUT])
    s.send(b"stty size; echo =$((6*7))\r")
    poll.until(lambda: b"=42" in s.got[streams.STDOUT][before:], "an answer")
    return re.findall(rb"\n(\d+ \d+)\r", s.got[streams.STDOUT][before:])[0]


def test_attach(pod):
    """Clients come and go; the container sees one stdin."""
    c = pod().run("sh", "-c", "while read l; do echo got-$l; [ $l = end ] &&"
                              " exit 8; done", stdin=True)
    for n in range(3):
        s = c.attach()
        s.send(b"%d\n" % n)
        s.until(b"got-%d\n" % n)
        s.close()
        assert c.status().state == cri.RUNNING
    s = c.attach()
    s.send(b"end\n")
    assert c.exited().exit_code == 8
    s.close()
    assert c.out() == "got-0\ngot-1\ngot-2\ngot-end\n"


def test_attach_to_a_terminal(pod):
    c = pod().run("sh", stdin=True, tty=True)
    s = c.attach()
    s.resize(117, 33)
    s.send(b"\r")
    s.until(b"# ")
    poll.until(lambda: _size(s) == b"33 117", "the size")
    s.close()
    s = c.attach()
    s.send(b"exit 4\r")
    assert c.exited().exit_code == 4
    s.close()


def test_stdin_once(pod):
    """The container's stdin ends with the first client's."""
    c = pod().run("sh", "-c", "cat; echo end", stdin=True, stdin_once=True)
    s = c.attach()
    s.send(b"x" * 100000 + b"\n")
    s.until(b"x\n")
    s.close()
    assert c.exited().exit_code == 0
    assert c.out() == "x" * 100000 + "\nend\n"


# ---- resources


def test_stats(pod, kubelet):
    c = pod().run("sh", "-c", "while [ ! -e /tmp/idle ]; do :; done;"
                              " exec sleep 1000")

    def stats():
        return kubelet.cri.ContainerStats(container_id=c.id).stats
    first = stats()
    poll.until(lambda: stats().cpu.usage_core_nano_seconds.value >
               first.cpu.usage_core_nano_seconds.value, "CPU time goes on")
    memory = stats().memory
    assert memory.usage_bytes.value > 0
    assert 0 < memory.working_set_bytes.value <= memory.usage_bytes.value
    c.exec("touch", "/tmp/idle")


def test_update(pod, kubelet):
    c = pod().run("sleep", "1000", memory=2 * LIMIT)
    kubelet.cri.UpdateContainerResources(container_id=c.id, linux={
        "memory_limit_in_bytes": LIMIT})
    limits = {p.read_text().strip() for g in world.cgroups()
              if g.name == c.id for p in g.iterdir()
              if p.name in ("memory.limit_in_bytes", "memory.max")}
    assert limits == {str(LIMIT)}
    assert c.exec("tail", "/dev/zero").exit_code == 137


# ---- logs


def test_log_of_10000_lines(pod):
    c = pod().run("sh", "-c", daemon.LINGER.format("seq 1 10000"))
    assert c.exited().exit_code == 0
    lines = c.log()
    assert [line.text for line in lines] == [
        str(n) for n in range(1, 10001)]
    assert {(line.stream, line.tag) for line in lines} == {("stdout", "F")}
    assert all(STAMP.match(line.time) for line in lines)


@pytest.mark.go_fails("ends first; 1.6.20 then stops reading (containerd#8643)")
def test_log_to_the_last_byte(pod):
    """Also of a container that ends as soon as it has written."""
    p = pod()
    for _ in range(12):
        c = p.run("seq", "1", "10000")
        assert c.exited().exit_code == 0
        assert len(c.log()) == 10000
        c.remove()


def test_log_of_both_streams(pod):
    """A long line comes in parts (P) and an end (F); so does one without a
    line feed."""
    c = pod().run("sh", "-c", daemon.LINGER.format(
        "echo a; echo b >&2; head -c 40000 /dev/zero | tr '\\0' x; echo;"
        " printf tail >&2"))
    assert c.exited().exit_code == 0
    assert c.out() == "a\n" + 40000 * "x" + "\n"
    assert c.out("stderr").rstrip("\n") == "b\ntail"
    tags = [line.tag for line in c.log() if line.stream == "stdout"]
    assert tags == ["F", "P", "P", "F"]


# ---- ends


def test_exit_codes_and_reasons(pod):
    p = pod()
    ended = {n: p.run("sh", "-c", f"exit {n}") for n in (0, 3)}
    for code, reason in ((0, "Completed"), (3, "Error")):
        s = ended[code].exited()
        assert (s.exit_code, s.reason) == (code, reason)


def test_stop(pod):
    """TERM first; KILL when the grace period has passed."""
    p = pod()
    polite = p.run("sh", "-c", "trap 'echo bye; exit 7' TERM; echo up;"
                               " while :; do sleep 0.1; done")
    deaf = p.run("sh", "-c", "trap '' TERM; echo up;"
                             " while :; do sleep 0.1; done")
    for c in (polite, deaf):
        poll.until(lambda: c.out() == "up\n", "its first line in the log")
    start = time.monotonic()
    polite.stop(timeout=60)
    assert time.monotonic() - start < 30
    s = polite.status()
    assert (s.state, s.exit_code, s.reason) == (cri.EXITED, 7, "Error")
    assert polite.out() == "up\nbye\n"

    start = time.monotonic()
    deaf.stop(timeout=1)
    assert time.monotonic() - start > 0.9
    s = deaf.status()
    assert (s.state, s.exit_code, s.reason) == (cri.EXITED, 137, "Error")
    deaf.stop(timeout=1)                # again: no error


def test_command_that_does_not_exist(pod):
    """Create or Start says so; the pod goes on."""
    p = pod()
    c = p.create("no-such-command")
    with pytest.raises(cri.grpc().RpcError) as e:
        c.start()
    assert "no-such-command" in e.value.details()
    s = c.status()
    assert (s.state, s.reason) == (cri.EXITED, "StartError")
    assert s.exit_code == 128
    c.remove()
    assert p.run("true").exited().exit_code == 0


# ---- out of memory


@pytest.mark.go_fails("may tell of it after the exit, or not at all "
                      "(containerd#12405)")
def test_oom_of_one_of_two(pod):
    p = pod()
    thin = p.run("sleep", "1000", memory=LIMIT)
    fat = p.run("tail", "/dev/zero", memory=LIMIT)
    s = fat.exited()
    assert (s.exit_code, s.reason) == (137, "OOMKilled")
    assert thin.status().state == cri.RUNNING
    thin.stop()
    s = thin.exited()
    assert (s.exit_code, s.reason) == (137, "Error"), "killed, not by OOM"


# ---- the daemon, the shim


@pytest.mark.go_fails("forgets it from 1.7 on: it lists no pids")
def test_daemon_restart(pod, kubelet):
    """Pods outlive the daemon, and what ended meanwhile is known after."""
    p = pod()
    stays = p.run("sleep", "1000")
    ends = p.run("sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.05; done;"
                             " exit 9")
    (shim,) = kubelet.shims()
    init = pids(p)[ends.id]
    go = f"/proc/{init}/root/tmp/go"
    kubelet.kill()
    open(go, "w").close()
    poll.until(lambda: not proc.alive(init), "its end")
    kubelet.start()
    assert ends.exited().exit_code == 9
    assert stays.status().state == cri.RUNNING
    assert p.status().state == cri.READY
    assert stays.exec("echo", "still").stdout == b"still\n"
    more = p.run("sleep", "1000")
    assert [s.pid for s in kubelet.shims()] == [shim.pid], \
        "the group's shim is found again"
    assert proc.get(pids(p)[more.id]).ppid == shim.pid


@pytest.mark.go_fails("leaves the group's socket")
@pytest.mark.settle(15)         # the host's init may be slow to reap
def test_shim_killed(pod, kubelet):
    """The whole pod is lost; it is told, and can be removed."""
    p = pod()
    a, b = (p.run("sleep", "1000") for _ in range(2))
    inits = pids(p).values()
    (shim,) = kubelet.shims()
    os.kill(shim.pid, 9)
    for c in (a, b):
        assert c.exited().exit_code != 0
    poll.until(lambda: not any(proc.alive(pid) for pid in inits),
               "the end of its processes")
    poll.until(lambda: p.status().state == cri.NOTREADY, "the pod's end")
    poll.until(lambda: not kubelet.shims(), "the end of `delete`")


# ---- options


@pytest.mark.go_fails("knows no runtimeoptions.v1.Options", run=False)
def test_options_and_default_runtime(containerd, no_leaks, tmp):
    """The lines that the example has as comments. 1.6 passes ConfigPath on,
    so that is how BinaryName comes to the shim; the type may be a path."""
    seen = tmp / "seen"
    runtime = tmp / "my-runc"
    runtime.write_text(f'#!/bin/sh\necho "$@" >>{seen}\nexec runc "$@"\n')
    runtime.chmod(0o755)
    options = tmp / "wisp.toml"
    options.write_text(f'BinaryName = "{runtime}"\nRoot = "{tmp}/root"\n')

    def edit(text):
        for was, now in (
                ('# [plugins."io', '[plugins."io'),
                ('#   default_runtime_name', 'default_runtime_name'),
                ('# ConfigPath = "/etc/containerd/wisp.toml"',
                 f'ConfigPath = "{options}"'),
                ('"io.containerd.wisp.v1"', f'"{world.SHIM}"')):
            assert text.count(was) == 1, was
            text = text.replace(was, now)
        return text
    d = cri.CriDaemon(edit, containerd=containerd).prepare()
    try:
        c = cri.Pod(d, handler="").run("sh", "-c", "echo hello")
        assert c.exited().exit_code == 0
        assert c.out() == "hello\n"
        (shim,) = d.shims()
        assert shim.cmd.startswith(world.SHIM)
        remove_all(d)
        assert not d.leftovers()
    finally:
        remove_all(d)
        d.stop()
    calls = seen.read_text()
    assert calls.count(" create ") == 2 and f"--root {tmp}/root/k8s" in calls


@pytest.mark.go_fails("is not the one of this path", run=False)
def test_runtime_path(containerd, no_leaks):
    """The other way that the example for 2.x has: its features are told."""
    if containerd.number < (2, 0):
        pytest.skip("nothing is asked for features before 2.0")

    def edit(text):
        wisp = 'runtime_type = "io.containerd.wisp.v1"\n'
        path = '# runtime_path = "/usr/local/bin/containerd-shim-wisp-v1"'
        for was, now in ((wisp, ""),
                         ('# runtime_type = "io.containerd.runc.v2"',
                          'runtime_type = "io.containerd.runc.v2"'),
                         (path, f'runtime_path = "{world.SHIM}"')):
            assert text.count(was) == 1, was
            text = text.replace(was, now)
        return text
    d = cri.CriDaemon(edit, containerd=containerd).prepare()
    try:
        (handler,) = [h for h in d.cri.Status().runtime_handlers
                      if h.name == cri.HANDLER]
        assert handler.HasField("features")
        c = cri.Pod(d).run("sh", "-c", "echo hello")
        assert c.exited().exit_code == 0
        assert c.out() == "hello\n"
        (shim,) = d.shims()
        assert shim.cmd.startswith(world.SHIM)
    finally:
        remove_all(d)
        d.stop()
