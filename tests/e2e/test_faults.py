# SPDX-License-Identifier: Apache-2.0
"""A runtime that is slow, hangs, fails or writes garbage (fake_runc.sh),
and a shim that gets signals at bad moments."""
import re
import signal
import subprocess
import time
from concurrent.futures import wait as wait_all

import pytest

import container
import poll
import proc
import runtime
import ttrpc
import world

TIMEOUT = {"WISP_COMMAND_TIMEOUT_MS": str(int(1500 * poll.SLOW))}


@pytest.fixture
def s(raw, fake):
    """A started shim whose runtime is the fake one."""
    return raw(runtime=fake.path).start("c1")


def answers(s, id="c1"):
    """State, Pids and Connect answer promptly, whatever else hangs."""
    for method in ("State", "Pids", "Connect"):
        try:
            getattr(s.task, method)(id=id, timeout=3)
        except ttrpc.TtrpcError:
            pass                   # an answer too


# ---- slow

@pytest.mark.go_fails("one lock for all (containerd#13848)")
def test_others_answer_while_create_hangs(s, fake):
    s.bundle("c2")
    s.run("c1")
    fake.before("create", "sleep 4")
    began = time.monotonic()
    slow = s.task.begin("Create", **s.create_args("c2"))
    s.ids.append("c2")
    poll.until(lambda: fake.calls("create c2"), "create of c2 runs")
    assert s.state("c1", timeout=2) == "RUNNING"
    answers(s, "c2")
    s.exec("c1", "e1", ["true"])
    assert s.wait("c1", "e1", timeout=2) == 0
    assert not slow.done() or time.monotonic() - began > 3.9
    slow.result(20)
    fake.well()
    s.task.Start(id="c2")


@pytest.mark.go_fails("one lock for all (containerd#13848)")
@pytest.mark.parametrize("sub,call", [
    ("start", lambda s: s.task.begin("Start", id="c1")),
    ("pause", lambda s: s.task.begin("Pause", id="c1")),
    ("exec", lambda s: s.task.begin("Start", id="c1", exec_id="e1"))])
def test_state_answers_while_the_runtime_hangs(s, fake, sub, call):
    if sub == "start":
        s.create()
    else:
        s.run()
    if sub == "exec":
        s.exec("c1", "e1", ["true"], start=False)
    fake.before(sub, "sleep 3")
    slow = call(s)
    poll.until(lambda: fake.calls(sub), f"runc {sub} runs")
    answers(s)
    assert not slow.done()
    slow.result(20)



@pytest.mark.go_fails("mixes them up (containerd#10603)")
def test_exec_exit_before_inits_with_a_slow_exec(raw, fake, tmp):
    """Init is killed while `runc exec` has the process but has not said
    so: start before exit, the exec's exit before init's."""
    s = raw(runtime=fake.path).start("c1")
    s.run()
    fake.after("exec", "sleep 1.5")
    s.exec("c1", "e1", ["sleep", "1000"], start=False)
    slow = s.task.begin("Start", id="c1", exec_id="e1")
    poll.until(lambda: len(s.task.Pids(id="c1").processes) == 2,
               "the exec's process is there")
    s.kill()
    assert s.wait() == 137
    names = s.until("exit(137)")
    try:
        slow.result(20)
    except ttrpc.TtrpcError:
        # It may be refused; then nobody must hear of it.
        assert names == ["create", "start", "exec-added(e1)", "exit(137)"]
    else:
        assert names == ["create", "start", "exec-added(e1)",
                         "exec-started(e1)", "exit(e1,137)", "exit(137)"]



@pytest.mark.go_fails("publishes init's exit first (containerd#10651)")
def test_40_execs_while_init_is_killed(raw, fake):
    """Whatever is started is heard to end, and before init."""
    s = raw(runtime=fake.path).start("c1")
    s.run()
    for n in range(40):
        s.exec("c1", f"e{n}", ["sleep", "1000"], start=False)
    starts = [s.task.begin("Start", id="c1", exec_id=f"e{n}")
              for n in range(40)]
    poll.until(lambda: sum(f.done() for f in starts) > 5, "some run")
    s.kill()
    assert s.wait() == 137
    names = s.until("exit(137)", timeout=30)
    wait_all(starts, 20)
    started = {n[13:-1] for n in names if n.startswith("exec-started(")}
    exited = {n[5:].split(",")[0] for n in names if n.startswith("exit(e")}
    assert started == exited and len(started) > 5
    assert names[-1] == "exit(137)", names[-5:]
    for e in started:
        assert names.index(f"exec-started({e})") < names.index(
            next(n for n in names if n.startswith(f"exit({e},")))



def test_true_200_times(raw):
    """start before exit, and each once, however quickly init dies."""
    s = raw().start("c1", ["true"])
    want = ["create", "start", "exit(0)", "delete"]
    for n in range(poll.times(200)):
        id = f"t{n}"
        s.bundle(id, ["/bin/true"])
        s.run(id)
        assert s.wait(id) == 0
        assert s.task.Delete(id=id).exit_status == 0
    s.until("delete", f"t{n}", 30)
    for n in range(poll.times(200)):
        assert s.names(f"t{n}") == want


def test_init_dies_before_start_has_returned(s, fake):
    """The runtime is slow to say that it has started it."""
    s.bundle("c2", ["sh", "-c", "exit 9"])
    s.create("c2")
    fake.after("start", "sleep 1")
    pid = s.task.Start(id="c2").pid
    assert pid > 0
    assert s.wait("c2") == 9
    assert s.until("exit(9)", "c2") == ["create", "start", "exit(9)"]


# ---- hangs

HANGS = {
    "create": lambda s: s.create("c1"),
    "start": lambda s: s.run("c1"),
    "exec": lambda s: s.run("c1") and s.exec("c1", "e1", ["true"]),
    "pause": lambda s: s.run("c1") and s.task.Pause(id="c1"),
}


@pytest.mark.go_fails("waits for ever (containerd#5453)", run=False)
@pytest.mark.parametrize("sub", HANGS)
def test_hanging_runtime_is_killed(raw, fake, sub):
    """Past its deadline; the error names its pid and age."""
    s = raw(runtime=fake.path, env=TIMEOUT).start("c1")
    fake.before(sub, f"echo $$ >{fake.folder}/pid; {runtime.HANG}")
    with pytest.raises(ttrpc.TtrpcError) as e:
        HANGS[sub](s)
    pid = int((fake.folder / "pid").read_text())
    said = e.value.message
    assert re.search(rf"\b{pid}\b", said), said
    assert re.search(r"\b[12][.0-9]* ?m?s|\b[12]\d{3} ?ms", said), said
    poll.until(lambda: proc.get(pid) is None, f"runc {pid} is dead")
    fake.well()
    answers(s)
    s.bundle("c2")
    s.run("c2")                    # the shim still works


@pytest.mark.go_fails("waits for ever", run=False)
def test_hanging_delete_of_the_runtime(raw, fake):
    """Delete ends; the next one may succeed; nothing is left."""
    s = raw(runtime=fake.path, env=TIMEOUT).start("c1")
    s.run()
    s.kill()
    s.wait()
    fake.before("delete", runtime.HANG)
    try:
        s.task.Delete(id="c1", timeout=20)
    except ttrpc.TtrpcError:
        pass
    fake.well()
    assert s.task.Delete(id="c1").exit_status == 137


@pytest.mark.go_fails("waits for ever", run=False)
def test_hanging_kill_of_the_runtime(raw, fake):
    """A kill by pidfd needs no runtime; a kill by it is bounded."""
    s = raw(runtime=fake.path, env=TIMEOUT).start("c1")
    s.run()
    fake.before("kill", runtime.HANG)
    try:
        s.kill()
    except ttrpc.TtrpcError:
        fake.well()
        s.kill()
    assert s.wait() == 137


# ---- fails

@pytest.mark.parametrize("sub,word", [("create", "create"), ("start", "start"),
                                      ("exec", "exec")])
def test_the_runtimes_reason_is_quoted(s, fake, sub, word):
    fake.before(sub, runtime.fail("the moon is full"))
    with pytest.raises(ttrpc.TtrpcError) as e:
        HANGS[sub](s)
    assert f"OCI runtime {word} failed: the moon is full" in e.value.message


@pytest.mark.parametrize("script", ["exit 3", "echo no log >&2; exit 3"])
def test_runtime_fails_without_a_word(s, fake, script):
    fake.before("create", script)
    with pytest.raises(ttrpc.TtrpcError) as e:
        s.create()
    assert "OCI runtime create failed" in e.value.message
    assert re.search(r"\b3\b|no log", e.value.message)


@pytest.mark.go_fails("takes any last line, or none")
def test_garbage_in_the_log(s, fake):
    """The last line that says error, among noise of any size."""
    fake.before("create", "head -c 300000 /dev/urandom >>\"$log\"; echo >>"
                "\"$log\"; " + runtime.fail("the real reason"))
    with pytest.raises(ttrpc.TtrpcError, match="the real reason"):
        s.create()
    fake.well()
    s.run()


def test_a_warning_after_the_error(s, fake):
    fake.before("create", 'echo \'{"level":"error","msg":"this one"}\' >>'
                '"$log"; echo \'{"level":"warning","msg":"not this"}\' >>'
                '"$log"; exit 1')
    with pytest.raises(ttrpc.TtrpcError, match="this one"):
        s.create()



@pytest.mark.go_fails("leaves the container behind, or believes it")
@pytest.mark.parametrize("text", ["", "garbage", "-1", "99999999999999999999",
                                  "0", "1"])
def test_garbage_in_the_pid_file(s, fake, text):
    """`create` succeeds and writes no pid (or that of another): an error,
    no process of somebody else is touched, nothing is left."""
    fake.after("create", f"printf '%s' '{text}' >\"$pid_file\"")
    with pytest.raises(ttrpc.TtrpcError):
        s.create()
    with pytest.raises(ttrpc.TtrpcError):
        s.task.State(id="c1")
    fake.well()
    s.run()
    assert s.state() == "RUNNING"



def test_killed_runtime(s, fake):
    """By a signal, as the OOM killer would."""
    fake.before("create", "kill -9 $$")
    with pytest.raises(ttrpc.TtrpcError) as e:
        s.create()
    assert "OCI runtime create failed" in e.value.message
    fake.well()
    s.run()


def test_start_fails_and_can_be_deleted(s, fake):
    s.create()
    fake.before("start", runtime.fail("no"))
    with pytest.raises(ttrpc.TtrpcError):
        s.task.Start(id="c1")
    fake.well()
    s.kill()
    s.wait()
    s.task.Delete(id="c1")


def test_delete_fails_once(s, fake):
    """What `runc delete` could not do is tried again."""
    s.run()
    s.kill()
    s.wait()
    fake.before("delete", runtime.fail("busy"))
    try:
        s.task.Delete(id="c1")
    except ttrpc.TtrpcError as e:
        assert "busy" in e.message
        fake.well()
        s.task.Delete(id="c1")



@pytest.mark.go_fails("leaves what `create` had made")
def test_many_failing_creates(s, fake):
    """100 of them, each another way: fds, mounts and files as before."""
    s.run()
    before = len(proc.fds(s.pid))
    ways = [("before", runtime.fail("no")), ("before", "kill -9 $$"),
            ("after", runtime.fail("late")), ("before", "exit 1")]
    for n in range(100):
        s.bundle(f"x{n}")
        getattr(fake, ways[n % 4][0])("create", ways[n % 4][1])
        with pytest.raises(ttrpc.TtrpcError):
            s.task.Create(**s.create_args(f"x{n}"))
        fake.well()
    poll.until(lambda: len(proc.fds(s.pid)) <= before,
               lambda: f"{before} fds: {proc.fds(s.pid)}")
    mounts = [m for m in proc.read("/proc/self/mountinfo").splitlines()
              if str(s.folder) in m]
    assert len(mounts) == 1, mounts
    assert s.state() == "RUNNING"



# ---- the shim and signals

def test_sigterm_of_an_empty_shim(shim):
    """It leaves at once, with its socket."""
    proc.kill(shim.pid, signal.SIGTERM)
    poll.until(lambda: not proc.alive(shim.pid), "gone within 1 s or so", 5)



@pytest.mark.go_fails("leaves its container alone at once")
@pytest.mark.parametrize("sig", ["SIGTERM", "SIGINT"])
def test_told_to_end_with_a_container(shim, sig):
    """The container is not harmed. The shim may leave when it has ended:
    then it has told so, and `delete` knows how it was."""
    pid = shim.run()
    proc.kill(shim.pid, getattr(signal, sig))
    assert not poll.settles(lambda: not proc.alive(pid), 1), "init died"
    assert shim.state() == "RUNNING"
    shim.kill()
    shim.until("exit(137)")
    if poll.settles(shim.client.closed.is_set, 3):
        answer = ttrpc.message("containerd.task.v3.DeleteResponse"
                               ).FromString(shim.delete("c1").stdout)
        shim.ids.clear()
    else:
        answer = shim.task.Delete(id="c1")
    assert (answer.pid, answer.exit_status) == (pid, 137)


@pytest.mark.go_fails("dies of some")
@pytest.mark.parametrize("sig", ["SIGHUP", "SIGPIPE", "SIGCHLD"])
def test_other_signals(shim, sig):
    shim.run()
    proc.kill(shim.pid, getattr(signal, sig))
    assert shim.state() == "RUNNING"
    assert shim.end() == 137



@pytest.mark.go_fails("1.6's `delete` leaves the socket")
def test_shim_killed_while_the_runtime_creates(raw, fake):
    """The runtime dies with its shim; `delete` clears the rest."""
    s = raw(runtime=fake.path).start("c1")
    fake.before("create", f"echo $$ >{fake.folder}/pid; {runtime.HANG}")
    s.task.begin("Create", **s.create_args("c1"))
    poll.until(lambda: fake.calls("create"), "create hangs")
    poll.until(lambda: proc.read(fake.folder / "pid"), "its pid is known")
    pid = int((fake.folder / "pid").read_text())
    fake.well()
    proc.kill(s.pid)
    assert s.client.closed.wait(5)
    poll.until(lambda: not proc.alive(pid), f"runc {pid} died with the shim")
    p = s.delete("c1")
    assert p.returncode == 0, p.stderr
    s.ids.clear()



# ---- the daemon killed at bad moments

@pytest.mark.go_fails("stays without a task (containerd#12344)", run=False)
@pytest.mark.parametrize("sub", ["create", "start"])
def test_daemon_killed_while_the_runtime_works(own_daemon, fake, sub):
    """It comes back, and the half-made task is whole or gone; whole, it
    can be removed."""
    d = own_daemon()
    c = container.Container(d, world.fresh())
    fake.before(sub, f"touch {fake.folder}/there; sleep 1")
    d.popen("run", "-d", "--null-io", "--runtime", "io.containerd.runc.v2",
            "--runc-binary", fake.path, container.image.NAME, c.id,
            "sleep", "1000", stderr=subprocess.DEVNULL)
    poll.until((fake.folder / "there").exists, f"runc {sub} runs")
    d.kill()
    d.start()
    poll.until(lambda: c.status() in ("CREATED", "RUNNING")
               or not d.bundle(c.id).exists(),
               lambda: f"{c} is there or gone; it is {c.status()}", 20)
    c.remove()


@pytest.mark.go_fails("such a shim stays for ever (containerd#12344)",
                      run=False)
def test_daemon_killed_in_create_and_never_back(own_daemon, fake):
    """No daemon, no task: the shim that was on its way leaves."""
    d = own_daemon(env={"WISP_GRACE_MS": "1000"})
    id = world.fresh()
    fake.before("create", f"touch {fake.folder}/there; sleep 1; exit 1")
    d.popen("run", "-d", "--null-io", "--runtime", "io.containerd.runc.v2",
            "--runc-binary", fake.path, container.image.NAME, id, "true",
            stderr=subprocess.DEVNULL)
    poll.until((fake.folder / "there").exists, "runc create runs")
    shim = d.shim_of(id)
    d.kill()
    poll.until(lambda: not proc.alive(shim), f"shim {shim} has left", 30)


# ---- out of memory while the runtime is still at it

def test_oom_before_start_has_returned(raw, fake):
    """However long `runc start` takes to end: start, oom, exit."""
    fake.after("start", "sleep 1")
    s = raw(runtime=fake.path).start(
        "c1", ["tail", "/dev/zero"], memory=16 << 20)
    s.run("c1")
    assert s.until("exit(137)") == ["create", "start", "oom", "exit(137)"]
