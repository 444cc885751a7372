# SPDX-License-Identifier: Apache-2.0
"""wispctl's commands for tasks that run: on any shim, whoever started it."""
import json
import os
import re
import shutil
import signal
import subprocess

import pexpect
import pytest

import container
import data
import image
import poll
import proc
import runtime
import world
from test_tty import EOL, SIZED
from test_wispctl import WISPCTL, argv, end

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
    if world.VM or not os.access(world.GO_SHIM, os.X_OK):
        pytest.skip("no Go shim that speaks the API's version 2")
    shim = raw(binary=world.GO_SHIM)
    shim.start("c1", ["sh", "-c", TRAP])
    shim.task = shim.stub(2)
    return shim


def on(s, command, *args, **kw):
    """wispctl COMMAND -n NAMESPACE --debug ..."""
    return ctl(command, "-n", s.ns, "--debug", *args, **kw)


# ---- kill, wait

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


# ---- exec

def sh(s, script, *options, **kw):
    return on(s, "exec", *options, "c1", "sh", "-c", script, **kw)


def bundle_files(s):
    return {f.name for f in s.bundles["c1"].iterdir() if "exec-" in f.name}


def test_exec(s):
    s.run()
    p = sh(s, "echo out; echo err >&2; exit 7", ok=7)
    assert p.stdout == "out\n" and "err\n" in p.stderr
    assert calls(p) == ["Exec", "Wait", "Start", "Delete"]
    assert sh(s, "kill -9 $$", ok=137)
    want = data.block(5 << 20)
    p = subprocess.run([WISPCTL, "exec", "-n", s.ns, "-i", "c1", "cat"],
                       input=want, capture_output=True, timeout=60)
    data.same(p.stdout, want, "what cat gave back")
    assert (p.returncode, p.stderr) == (0, b"")
    p = on(s, "exec", "-i", "c1", "cat", stdin=None, input="short")
    assert p.stdout == "short"
    assert calls(p) == ["Exec", "Wait", "Start", "CloseIO", "Delete"]
    assert sh(s, "cat; echo end").stdout == "end\n"     # without -i
    assert not bundle_files(s)
    assert s.end() == 137


def test_exec_spec(s):
    s.run()
    p = sh(s, "echo $A,$B,$PWD,$(id -u):$(id -g)", "-e", "A=x y", "-w", "/tmp",
           "--env", "B=2", "-u", "7:8")
    assert p.stdout == "x y,2,/tmp,7:8\n"
    status = sh(s, "cat /proc/self/status", "-u", "7").stdout
    assert re.search(r"^CapEff:\t0+$", status, re.M), status
    assert re.search(r"^CapEff:\t0*[1-9a-f]", sh(
        s, "cat /proc/self/status").stdout, re.M)
    assert sh(s, "echo $PATH", "-e", "PATH=/bin").stdout == "/bin\n"
    assert s.end() == 137


def test_exec_not_found_or_not_executable(s):
    s.run()
    p = on(s, "exec", "c1", "nosuch", ok=127)
    assert '"nosuch"' in p.stderr
    assert calls(p) == ["Exec", "Wait", "Start", "Kill", "Delete"]
    on(s, "exec", "c1", "/etc/passwd", ok=126)
    assert not bundle_files(s)
    assert on(s, "exec", "-x", "e7", "c1", "true").returncode == 0
    on(s, "exec", "-x", "e7", "c1", "true")             # it is gone, so again
    assert s.end() == 137


def test_exec_detached(s):
    s.run()
    p = on(s, "exec", "-d", "c1", "sh", "-c", "sleep 0.2; exit 3")
    assert calls(p) == ["Exec", "Start"]
    id = p.stdout.strip()
    assert on(s, "wait", "-x", id, "c1").stdout == "3\n"
    s.task.Delete(id="c1", exec_id=id)
    assert s.end() == 137


def test_exec_in_no_running_container(s):
    s.create()
    p = sh(s, ":", ok=None)
    if p.returncode:                                    # runc allows it
        assert p.returncode == 125 and p.stderr
    s.task.Start(id="c1")
    s.task.Kill(id="c1", signal=9)
    s.wait()
    assert sh(s, ":", ok=125).stderr
    assert not bundle_files(s)
    s.task.Delete(id="c1")


@pytest.fixture
def tty():
    """wispctl on a pseudo terminal."""
    made = []

    def spawn(*args, size=(31, 113)):
        made.append(pexpect.spawn(
            WISPCTL, [str(a) for a in args], timeout=20 * poll.SLOW,
            encoding="utf-8", dimensions=size, env=world.environ()))
        return made[-1]
    yield spawn
    for t in made:
        t.close(force=True)


def test_exec_terminal(s, tty):
    s.run()
    t = tty("exec", "-n", s.ns, "-it", "c1", "sh")
    t.send(SIZED.format(31, 113))
    t.expect("is-31x113" + EOL)
    t.setwinsize(50, 61)
    t.send(SIZED.format(50, 61))
    t.expect("is-50x61" + EOL)
    t.send("trap 'echo caught' INT; echo $((6*7)) $TERM\r")
    t.expect("42 [a-z]+" + EOL)
    t.sendintr()
    t.expect("caught")
    t.send("exit 9\r")
    assert end(t) == 9
    assert not bundle_files(s)
    assert s.end() == 137


def test_exec_terminal_is_given_back_as_it_was(s, tmp):
    s.run()
    before, after = tmp / "before", tmp / "after"
    cmd = f"{WISPCTL} exec -n {s.ns} -it c1 sh -c"
    for inner in (f"{cmd} 'exit 3'; [ $? = 3 ] && touch {tmp}/ok1",
                  f"{cmd} 'kill -9 $$'; [ $? = 137 ] && touch {tmp}/ok2",
                  f"{cmd} 'touch /tmp/x; exec sleep 100' & p=$!; sleep 0.7;"
                  f" kill $p; wait $p; [ $? = 143 ] && touch {tmp}/ok3"):
        t = pexpect.spawn("bash", ["-mc", f"stty -a >{before}; {inner};"
                                   f" stty -a >{after}"], timeout=20,
                          env=world.environ())
        t.expect(pexpect.EOF)
        t.close()
        assert before.read_text() == after.read_text()
    assert {f.name for f in tmp.glob("ok?")} >= {"ok1", "ok2"}
    assert s.end() == 137


def test_exec_ctrl_d(s, tty):
    s.run()
    t = tty("exec", "-n", s.ns, "-it", "c1", "sh", "-c", "echo ready; cat; exit 3")
    t.expect("ready" + EOL)
    t.sendeof()
    assert end(t) == 3
    assert s.end() == 137


def test_exec_is_signalled(s):
    s.run()
    p = subprocess.Popen(
        [WISPCTL, "exec", "-n", s.ns, "c1", "sh", "-c",
         "trap 'exit 21' TERM; echo ready; while :; do sleep 0.1; done"],
        stdout=subprocess.PIPE, text=True)
    assert p.stdout.readline() == "ready\n"
    p.terminate()
    assert p.wait(20) == 21
    p.stdout.close()
    assert s.end() == 137


def test_exec_reader_is_gone(s):
    s.run()
    p = subprocess.run(f"{{ {WISPCTL} exec -n {s.ns} c1 yes; echo $? >&2; }} |"
                       " head -n1", shell=True, capture_output=True, text=True,
                       timeout=30 * poll.SLOW)
    assert (p.stdout, p.stderr) == ("y\n", "141\n")
    assert s.end() == 137


def test_exec_shim_is_killed(shim):
    pid = shim.run()
    p = subprocess.Popen([WISPCTL, "exec", "-n", shim.ns, "c1", "sh", "-c",
                          "echo ready; sleep 99"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    assert p.stdout.readline() == "ready\n"
    os.kill(shim.pid, signal.SIGKILL)
    assert "the shim is gone" in p.communicate(timeout=20)[1]
    assert p.returncode == 125
    assert not bundle_files(shim)
    assert shim.client.closed.wait(20)      # so that close() runs `delete`
    proc.kill(pid)


# ---- ps

def test_ps_processes(s):
    pid = s.run()
    on(s, "exec", "-d", "-x", "e1", "-u", "12345", "c1", "sleep", "999")
    poll.until(lambda: len(s.task.Pids(id="c1").processes) >= 3, "both run")
    p = on(s, "ps", "-o", "json", "c1")
    assert calls(p) == ["Pids"]
    seen = {x["pid"]: x for x in json.loads(p.stdout)}
    assert seen[pid]["command"].startswith("sh -c trap")
    assert seen[pid]["uid"] == 0 and seen[pid]["ageMs"] >= 0
    e1, = (x for x in seen.values() if x["command"] == "sleep 999")
    assert e1["uid"] == 12345 and e1["user"] == "12345"
    lines = on(s, "ps", "c1").stdout.splitlines()
    assert lines[0].split()[:3] == ["PID", "USER", "AGE"]
    assert any(re.match(rf" *{pid} +root +\d+s .*sh -c trap", x)
               for x in lines), lines
    assert "EXEC" in lines[0] and any(
        re.search(r"12345 +\d+s +e1 +sleep 999", x) for x in lines), lines
    s.task.Kill(id="c1", exec_id="e1", signal=9)
    s.wait("c1", "e1")
    s.task.Delete(id="c1", exec_id="e1")
    assert s.end() == 137


# ---- delete

def test_delete_of_a_daemon(s):
    """The test is the daemon here."""
    s.run()
    p = on(s, "delete", "c1", ok=125)
    assert "it is a daemon's" in p.stderr and not calls(p)
    assert s.state() == "RUNNING"
    p = on(s, "delete", "--force", "c1")
    assert "surprised" in p.stderr
    assert calls(p) == ["State", "Kill", "Wait", "Delete", "Shutdown"]
    poll.until(lambda: not proc.alive(s.pid), "the shim has left")


# ---- our own containers

@pytest.fixture(params=["wisp", "go"])
def own(request):
    """`wispctl run` in the foreground of another shell: id, Popen."""
    root = str(world.base / "wispctl")
    a = argv("--", "sh", "-c", TRAP, rm=True,
             shim=world.GO_SHIM if request.param == "go" else None)
    id = a[a.index("--name") + 1]
    p = subprocess.Popen(a, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         stdin=subprocess.DEVNULL, text=True,
                         env=world.environ())
    state = world.base / "wispctl" / "state" / id

    def mine(command, *args, **kw):
        return ctl(command, "--root", root, "--debug", *args, **kw)

    def runs():
        return (state / "container.json").exists() and "running" in mine(
            "ps", "-o", "json", ok=None).stdout
    poll.until(runs, "it runs")
    yield id, p, mine
    if p.poll() is None:
        p.kill()
        p.wait()
    if not poll.settles(lambda: not state.exists(), 20):
        mine("delete", "-f", id, ok=None)
    p.stdout.close()
    p.stderr.close()


def test_own_ps_exec_stats(own):
    id, p, mine = own
    q = mine("ps", "-o", "json")
    assert calls(q) == ["State"]
    c, = json.loads(q.stdout)
    assert (c["id"], c["status"]) == (id, "running")
    assert c["command"].startswith("sh -c trap") and c["ageMs"] >= 0
    head, row = mine("ps").stdout.splitlines()
    assert head.split() == ["ID", "STATUS", "PID", "AGE", "COMMAND"]
    assert row.split()[:3] == [id, "running", str(c["pid"])]
    assert mine("exec", id, "echo", "hi").stdout == "hi\n"
    assert str(c["pid"]) in mine("ps", id).stdout
    q = mine("stats", "-o", "json")
    assert [c["id"] for c in json.loads(q.stdout)["containers"]] == [id]
    mine("pause", id)
    assert json.loads(mine("ps", "-o", "json").stdout)[0]["status"] == "paused"
    mine("resume", id)
    mine("kill", "-s", "USR1", id)
    assert p.wait(20) == 42
    assert json.loads(mine("ps", "-o", "json").stdout) == []


def test_own_delete(own):
    id, p, mine = own
    assert "--force" in mine("delete", id, ok=125).stderr
    q = mine("delete", "-f", id)
    # run does the rest: its shim may have gone before the Wait
    assert calls(q) in (["State", "Kill", "Wait"], ["State", "Kill"])
    assert p.wait(20) == 137
    assert "no shim on this host" in mine("delete", id, ok=125).stderr


def test_own_delete_shim_is_gone(own):
    id, p, mine = own
    shim = [x.pid for x in proc.ours() if id in x.cmd.split()
            and "containerd-shim" in x.cmd.split()[0]]
    p.send_signal(signal.SIGSTOP)                    # who runs it is busy
    for pid in shim:
        os.kill(pid, signal.SIGKILL)
    assert mine("ps", ok=0).stdout.count("no shim") == 1
    assert "wispctl delete" in mine("pause", id, ok=125).stderr
    p.send_signal(signal.SIGCONT)
    assert p.wait(30) == 125


@pytest.fixture(params=["wisp", "go"])
def kept(request):
    """`wispctl run -d`: id, its commands."""
    root = str(world.base / "wispctl")
    shim = world.GO_SHIM if request.param == "go" else world.SHIM
    id = f"{world.RUN}-{world.fresh('d')}"

    def mine(command, *args, **kw):
        return ctl(command, "--root", root, "--debug", *args, **kw)
    ctl("run", "-d", "--root", root, "--shim", shim, "--name", id, "--", "sh",
        "-c", TRAP)
    yield id, mine
    mine("delete", "-f", id, ok=None)


def test_detached(kept):
    id, mine = kept
    c, = json.loads(mine("ps", "-o", "json").stdout)
    assert (c["id"], c["status"]) == (id, "running")
    assert mine("exec", id, "echo", "hi").stdout == "hi\n"
    assert "kill it first" in mine("delete", id, ok=125).stderr
    mine("kill", "-s", "9", id)
    assert mine("wait", id).stdout == "137\n"
    c, = json.loads(mine("ps", "-o", "json").stdout)
    assert (c["status"], c["exitStatus"]) == ("stopped", 137)
    assert "stopped (137)" in mine("ps").stdout
    assert mine("wait", id).stdout == "137\n"      # again, and at once
    assert calls(mine("delete", id)) == ["Delete"]
    for folder in "state", "bundles":
        assert not (world.base / "wispctl" / folder / id).exists()


def test_detached_by_force(kept):
    id, mine = kept
    mine("pause", id)
    assert calls(mine("delete", "-f", id)) == [
        "State", "Kill", "Resume", "Wait", "Delete"]
    assert json.loads(mine("ps", "-o", "json").stdout) == []


def test_what_run_has_kept_is_deleted():
    a = argv("--", "true", rm=False)
    id, root = a[a.index("--name") + 1], a[a.index("--root") + 1]
    subprocess.run(a, check=True, timeout=30, env=world.environ())
    bundle = world.base / "wispctl" / "bundles" / id
    rootfs = json.loads((bundle / "config.json").read_text())["root"]["path"]
    assert os.path.exists(rootfs)
    ctl("delete", "--root", root, id)
    assert not bundle.exists() and not os.path.exists(rootfs)
    ctl("delete", "--root", root, id, ok=125)


def test_own_left_over(own):
    """Whoever ran it is gone, and the guard, too; the shim is not."""
    id, p, mine = own
    guard, = (x.pid for x in proc.ours()
              if x.cmd.split()[1:2] == ["guard"] and id in x.cmd)
    pid = json.loads(mine("ps", "-o", "json").stdout)[0]["pid"]
    os.kill(guard, signal.SIGKILL)
    p.kill()
    p.wait()
    poll.until(lambda: not proc.alive(guard), "the guard has gone")
    assert "it runs" in mine("delete", id, ok=125).stderr
    assert proc.alive(pid)
    assert mine("exec", id, "echo", "still").stdout == "still\n"
    mine("delete", "-f", id)
    assert not proc.alive(pid)
    assert not (world.base / "wispctl" / "state" / id).exists()


# ---- checkpoint

CRIU_LOG = ("(00.000001) Version: 4.2\n"
            "(00.000002) Error (criu/tty.c:1): it has a terminal\n"
            "(00.000003) Error (criu/cr-dump.c:2): Dumping FAILED.\n")


def test_checkpoint_without_criu(s, tmp):
    s.run()
    if not shutil.which("criu"):
        p = on(s, "checkpoint", "--path", tmp / "image", "c1", ok=125)
        assert calls(p) == ["Checkpoint"]
        assert "apt-get install criu" in p.stderr and "criu" in p.stderr
    assert s.state() == "RUNNING"
    assert s.end() == 137


def test_checkpoint_by_a_fake_runtime(raw, fake, tmp):
    s = raw(runtime=fake.path).start("c1")
    s.run()
    fake.before("checkpoint", f"cat >\"$work/dump.log\" <<'E'\n{CRIU_LOG}E\n" +
                runtime.fail("criu failed: type NOTIFY errno 0 (log dump.log)"))
    p = on(s, "checkpoint", "--path", tmp / "image", "c1", ok=125)
    assert "it has a terminal" in p.stderr and "`criu check`" in p.stderr
    fake.before("checkpoint", "exit 0")
    on(s, "checkpoint", "--path", "image", "--work", tmp / "work", "--parent",
       tmp / "image", "--leave-running", "--tcp-established", "--ext-unix-sk",
       "--shell-job", "--file-locks", "c1", cwd=tmp)
    words = fake.calls("checkpoint")[-1]
    for want in ("--leave-running", "--tcp-established", "--ext-unix-sk",
                 "--shell-job", "--file-locks", f"{tmp}/image", f"{tmp}/work"):
        assert want in words, words
    assert s.state() == "RUNNING"
    assert s.end() == 137


@pytest.mark.parametrize("args, want", [
    ([], "which checkpoint?"), (["--name", "x"], "which checkpoint?"),
    (["--path", "/nosuch/image"], "/nosuch/image")])
def test_restore_fails(args, want):
    root = str(world.base / "wispctl")
    p = ctl("restore", *args, *(["--root", root] if args[:1] == ["--path"]
                                else []), ok=125)
    assert want in p.stderr


@pytest.mark.parametrize("kind", ["wisp", "go"])
def test_restore_without_an_image(kind, tmp):
    """The runtime's word is passed on, and nothing is left."""
    shim = world.GO_SHIM if kind == "go" else world.SHIM
    (tmp / "image").mkdir()
    p = ctl("restore", "--path", tmp / "image", "--shim", shim, "--rm",
            "--name", f"{world.RUN}-{world.fresh('r')}", "--root",
            world.base / "wispctl", ok=125)
    assert "restore" in p.stderr or "criu" in p.stderr.lower(), p.stderr


# ---- errors

@pytest.mark.parametrize("args", [
    ["exec"], ["exec", "a"], ["exec", "-w", "x", "a", "b"],
    ["exec", "-d", "-t", "a", "b"], ["exec", "-u", "root", "a", "b"],
    ["exec", "-u", "1:", "a", "b"], ["exec", "-it", "a", "b"],
    ["exec", "-x", "../x", "a", "b"],
    ["delete"], ["ps", "a", "b"], ["ps", "-o", "xml"], ["stats", "--nosuch"],
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


COMMANDS = ["exec", "delete", "stats", "ps", "kill", "wait", "pause", "resume", "update", "checkpoint"]


@pytest.mark.parametrize("command", [*COMMANDS, "restore"])
def test_help(command):
    text = ctl(command, "--help").stdout
    assert "Examples:" in text and f"wispctl {command}" in text
    assert max(map(len, text.splitlines())) <= 80
    assert f"  {command} " in ctl("--help").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_no_such_container(command):
    p = ctl(command, *(["--path", "/x"] if command == "checkpoint" else []),
            *(["-m", "9m"] if command == "update" else []), "nosuch",
            *(["true"] if command == "exec" else []), ok=125)
    assert "no shim on this host has" in p.stderr and "'nosuch'" in p.stderr


def test_beginning_of_an_id(raw):
    """Enough for one that was made up, but a name is a name."""
    hexadecimal = "5b7e0d" + os.urandom(13).hex()
    s = raw().start("web-prod")
    other = raw().start(hexadecimal)
    other.run(hexadecimal)
    assert on(s, "ps", hexadecimal[:8]).stdout
    p = on(s, "kill", "web", ok=125)
    assert "'web-prod'" in p.stderr and not calls(p)


def test_shim_does_not_answer(shim):
    shim.run()
    os.kill(shim.pid, signal.SIGSTOP)
    try:
        p = on(shim, "pause", "--timeout", "0.3", "c1", ok=125)
        assert "no answer" in p.stderr
    finally:
        os.kill(shim.pid, signal.SIGCONT)


# ---- a daemon's containers

@pytest.mark.every_daemon
def test_of_a_daemon(daemon, box, tty):
    b = box("sleep", "1000")
    ns = world.RUN
    assert ctl("exec", "-n", ns, b.id, "sh", "-c", "echo $HOSTNAME; exit 4",
               ok=4).stdout
    t = tty("exec", "-n", ns, "-it", b.id, "sh", "-c", SIZED.format(31, 113))
    t.expect("is-31x113" + EOL)
    assert end(t) == 0
    ctl("pause", "-n", ns, b.id)
    assert b.status() == "PAUSED"
    ctl("resume", "-n", ns, b.id)
    assert ctl("stats", "-n", ns, b.id).stdout.count(b.id) == 1
    assert "sleep 1000" in ctl("ps", "-n", ns, b.id).stdout
    ctl("kill", "-n", ns, "-s", "KILL", b.id)
    assert ctl("wait", "-n", ns, b.id).stdout == "137\n"
    b.wait_status("STOPPED")
    assert not {f for f in daemon.bundle(b.id).iterdir() if "exec-" in f.name}


def test_go_shim_of_a_daemon(daemon):
    if not os.access(world.GO_SHIM, os.X_OK):
        pytest.skip("no Go shim")
    id, ns = world.fresh(), world.RUN
    daemon.ctr("run", "-d", "--null-io", "--runtime", world.GO_SHIM,
               image.NAME, id, "sleep", "1000")
    try:
        p = ctl("exec", "-n", ns, "--debug", id, "sh", "-c", "exit 4", ok=4)
        assert calls(p) == ["Exec", "Wait", "Start", "Delete"]
        ctl("pause", "-n", ns, id)
        assert daemon.tasks()[id][1] == "PAUSED"
        ctl("resume", "-n", ns, id)
        ctl("kill", "-n", ns, "-s", "KILL", id)
        assert ctl("wait", "-n", ns, id).stdout == "137\n"
    finally:
        container.known(daemon, id).remove()


def test_daemon_is_gone(own_daemon):
    """Its container goes on, and is ours to see to."""
    d = own_daemon()
    box = container.detached(d, "sleep", "1000")
    ns = world.RUN
    d.kill()
    assert ctl("exec", "-n", ns, box.id, "echo", "hi").stdout == "hi\n"
    ctl("kill", "-n", ns, "-s", "KILL", box.id)
    assert ctl("wait", "-n", ns, box.id).stdout == "137\n"
    d.start()
    box.wait_status("STOPPED")
