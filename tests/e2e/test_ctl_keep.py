# SPDX-License-Identifier: Apache-2.0
"""wispctl create, start, run -d, attach, logs, events: containers without a
daemon that do not depend on a shell. Each under wisp and under the Go shim."""
import hashlib
import json
import os
import re
import signal
import subprocess
import termios
import time

import pexpect
import pytest

import data
import leaks
import poll
import proc
import ttrpc
import world
from test_tty import EOL, SIZED
from test_wispctl import WISPCTL

pytestmark = [pytest.mark.vm_adds_nothing,
              pytest.mark.skipif(not os.access(WISPCTL, os.X_OK),
                                 reason=f"no {WISPCTL}")]
DETACH = "\x10\x11"
BURST = 3000000                     # bytes: no pipe, socket or queue holds it


def ctl(command, *args, ok=(0,), timeout=30, text=True, **kw):
    if "input" not in kw:
        kw.setdefault("stdin", subprocess.DEVNULL)
    p = subprocess.run(argv(command, *args), capture_output=True, text=text,
                       timeout=timeout * poll.SLOW, env=world.environ(), **kw)
    assert ok is None or p.returncode in ok, (p.returncode, p.stdout[-500:],
                                              p.stderr[-500:])
    return p


def root():
    return world.base / "wispctl"


def argv(command, *args):
    return [WISPCTL, command, "--root", str(root()), *(str(a) for a in args)]


class Box:
    """A container that a keeper has."""

    def __init__(self, id, shim):
        self.id, self.shim = id, shim
        self.state = root() / "state" / id

    def make(self, *args, command="create"):
        p = ctl(command, *(["-d"] if command == "run" else []), "--shim",
                self.shim, "--name", self.id, *args)
        assert p.stdout == self.id + "\n"
        return self

    def start(self):
        ctl("start", self.id)
        return self

    def record(self):
        return json.loads((self.state / "container.json").read_text())

    def task(self):
        r = self.record()
        client = ttrpc.Client(r["address"], namespace=r["namespace"])
        return client, ttrpc.Task(client, version=r["version"])

    def rpc(self, method, **kw):
        client, task = self.task()
        try:
            return getattr(task, method)(id=self.id, **kw)
        finally:
            client.close()

    def keeper(self):
        """Its keeper's pid."""
        found = [p for p in proc.ours() if p.state != "Z"
                 and f" keep {root()} {self.id} " in p.cmd]
        pids = {p.pid for p in found}          # and not what it forks
        found = [p for p in found if p.ppid not in pids]
        assert len(found) <= 1, [str(p) for p in found]
        return found[0].pid if found else None

    def shims(self):
        return [p.pid for p in proc.ours() if p.state != "Z" and
                re.search(rf"shim\S* .*-id {self.id}\b", p.cmd)]

    def logs(self, *args, **kw):
        return ctl("logs", *args, self.id, **kw)

    def has_written(self, text):
        poll.until(lambda: text in self.logs().stdout,
                   f"{text} in the log of {self.id}")

    def ended(self):
        return self.rpc("State").status == 3

    def until_ended(self):
        poll.until(self.ended, f"{self.id} ended", timeout=30)

    def until_gone(self):
        poll.until(lambda: not self.state.exists() and not self.keeper(),
                   f"{self.id} gone", timeout=20)

    def attach(self, *args, command="attach", size=(31, 113)):
        a = argv(command, *args, self.id)
        return pexpect.spawn(a[0], a[1:], timeout=20 * poll.SLOW,
                             encoding="utf-8", dimensions=size,
                             env=world.environ())

    def remove(self):
        """As whatever deletes a task: the keeper does the rest."""
        if not self.state.exists():
            return
        for method, kw in (("Kill", {"signal": 9, "all": True}), ("Wait", {}),
                           ("Delete", {})):
            try:
                self.rpc(method, timeout=10, **kw)
            except (OSError, ttrpc.TtrpcError, ConnectionError,
                    json.JSONDecodeError, TimeoutError):
                pass
        if not self.keeper():
            ctl("logs", self.id, ok=None)      # brings it back
        self.until_gone()


SHIMS = {"wisp": lambda: world.SHIM, "go": lambda: world.GO_SHIM}


@pytest.fixture(params=SHIMS)
def shim(request):
    path = SHIMS[request.param]()
    if not os.access(path, os.X_OK):
        pytest.skip(f"no {path}")
    return path


@pytest.fixture
def box(no_leaks, shim):
    """box("-i", "--", "cat") creates one; gone after the test."""
    made = []

    def make(*args, command="create", shim=shim):
        made.append(Box(f"{world.RUN}-{world.fresh('k')}", shim))
        return made[-1].make(*args, command=command)
    yield make
    for b in made:
        b.remove()


def end(t):
    t.expect(pexpect.EOF)
    t.wait()
    t.close()
    return t.exitstatus


def sh(script):
    return "--", "sh", "-c", script


# ---- create, start, logs

def test_create_start_logs(box):
    b = box(*sh("echo out; echo err >&2; exit 3"))
    assert b.rpc("State").status == 1          # created, and no more
    assert b.logs().stdout == ""
    b.start().until_ended()
    assert b.rpc("State").exit_status == 3
    p = b.logs("-f")                           # ends at once: it has ended
    assert (p.stdout, p.stderr) == ("out\n", "err\n")
    assert b.id in ctl("start", b.id, ok=(125,)).stderr
    b.remove()
    assert b.id in ctl("logs", b.id, ok=(125,)).stderr


def test_run_d_and_a_second_shell(box):
    b = box("-i", *sh("echo one; read x; echo got $x; exit 4"), command="run")
    b.has_written("one\n")
    p = ctl("attach", b.id, input="two\n", ok=(4,))
    assert "got two\n" in p.stdout
    assert b.logs().stdout == "one\ngot two\n"


def test_rm(box):
    b = box("--rm", *sh("echo x"))
    assert ctl("start", "-a", b.id).stdout == "x\n"
    b.until_gone()


def test_delete(box):
    """By another command: who follows hears of it, and nothing is left."""
    b = box(*sh("echo x; sleep 1000"), command="run")
    p = subprocess.Popen(argv("logs", "-f", b.id), stdout=subprocess.PIPE,
                         text=True, env=world.environ())
    assert p.stdout.readline() == "x\n"
    ctl("delete", b.id, ok=(125,))             # it runs
    ctl("delete", "-f", b.id)
    assert not b.state.exists()
    assert p.communicate(timeout=20) == ("", None) and p.returncode == 0
    b = box("--", "true")                      # never started
    ctl("delete", b.id)
    assert not b.state.exists()


def test_what_was_written_is_what_is_shown(box):
    """To the byte, live and from the log: binary, and without an end."""
    want = bytes(range(256)) * 8 + "grüße\n\n ".encode() + b"\xe2\x82"
    b = box("-i", "--", "cat")
    p = ctl("start", "-a", b.id, input=want, text=False)
    data.same(p.stdout, want, "attached")
    data.same(b.logs(text=False).stdout, want, "the log")
    for line in b.logs("-o", "json").stdout.splitlines():
        assert set(json.loads(line)) >= {"log", "stream", "time"}


def test_tail_timestamps_since(box):
    b = box(*sh("seq 1 100"), command="run")
    b.until_ended()
    b.logs("-f")
    assert b.logs("-n", "2").stdout == "99\n100\n"
    assert b.logs("--tail", "0").stdout == ""
    lines = b.logs("-t").stdout.splitlines()
    assert len(lines) == 100
    assert all(re.match(r"20\d\d-\d\d-\d\dT[\d:.]+Z \d+$", x) for x in lines)
    assert b.logs("--since", "1h").stdout.count("\n") == 100
    time.sleep(1.1)
    assert b.logs("--since", "1s").stdout == ""


def test_follow_ends_with_the_container(box):
    b = box("-i", *sh("echo one; read x; echo two"), command="run")
    p = subprocess.Popen(argv("logs", "-f", b.id), stdout=subprocess.PIPE,
                         text=True, env=world.environ())
    assert p.stdout.readline() == "one\n"
    ctl("attach", b.id, input="\n")
    assert p.communicate(timeout=20) == ("two\n", None)
    assert p.returncode == 0


def test_rotation(box):
    """At most two files; the last lines are there, in order."""
    n = 300000                                 # 25 MB of log
    b = box("--", "seq", n)
    p = ctl("start", "-a", b.id, timeout=60)
    want = "".join(f"{i}\n" for i in range(1, n + 1))
    assert p.stdout == want
    logs = sorted(f.name for f in b.state.glob("log*"))
    assert logs == ["log", "log.1"]
    assert sum((b.state / f).stat().st_size for f in logs) < 21 << 20
    kept = b.logs().stdout
    assert want.endswith(kept) and len(kept) > len(want) / 3


def test_many_at_once(box, shim):
    boxes = [Box(f"{world.RUN}-{world.fresh('k')}", shim) for _ in range(8)]
    try:
        ps = [subprocess.Popen(
            argv("run", "-d", "--shim", shim, "--name", b.id,
                 *sh(f"echo {b.id}; exit 5")), stdout=subprocess.PIPE,
            env=world.environ(), text=True) for b in boxes]
        for b, p in zip(boxes, ps):
            assert p.communicate(timeout=60 * poll.SLOW)[0] == b.id + "\n"
        for b in boxes:
            assert b.logs("-f").stdout == b.id + "\n"
            assert b.rpc("State").exit_status == 5
    finally:
        for b in boxes:
            b.remove()


@pytest.mark.parametrize("args,code,want", [
    (["--", "/no/such"], 127, "/no/such"), (["--", "/etc/passwd"], 126, ""),
    (["--rootfs", "/no/such"], 125, "/no/such"),
    (["--checkpoint", "/no/such"], 125, "/no/such"),
    (["--events"], 125, "wispctl events")])
def test_what_cannot_be(shim, args, code, want):
    before = set((root() / "state").glob("*"))
    p = ctl("run", "-d", "--shim", shim, "--name",
            f"{world.RUN}-{world.fresh('k')}", *args, ok=(code,))
    assert want in p.stderr and p.stdout == ""
    assert set((root() / "state").glob("*")) == before


def test_names(box):
    b = box("--", "true")
    p = ctl("create", "--name", b.id, "--", "true", ok=(125,))
    assert "taken" in p.stderr
    for command in "start", "attach", "logs":
        p = ctl(command, "nobody", ok=(125,))
        assert "nobody" in p.stderr


def test_help():
    for command in "create", "start", "attach", "logs", "events":
        p = ctl(command, "--help")
        assert "Examples:" in p.stdout and not p.stderr
        assert "--help" in ctl(command, "--no-such", ok=(125,)).stderr


# ---- attach, through a real terminal

def test_attach_detach_attach(box):
    b = box("-it", "--", "sh")
    t = b.attach("-a", command="start")
    t.send(SIZED.format(31, 113))
    t.expect("is-31x113" + EOL)
    t.send("x=$((6*7))\r" + DETACH)
    t.expect("goes on")
    assert end(t) == 0
    t = b.attach(size=(24, 90))
    t.send(SIZED.format(24, 90))
    t.expect("is-24x90" + EOL)
    t.setwinsize(50, 61)
    t.send(SIZED.format(50, 61))
    t.expect("is-50x61" + EOL)
    t.send("trap 'echo caught' INT; echo $x\r")
    t.expect("42" + EOL)
    t.sendintr()
    t.expect("caught")
    t.send("exit 9\r")
    assert end(t) == 9
    t = b.attach()                             # too late
    assert end(t) == 9


def test_two_are_attached(box):
    b = box("-it", "--", "cat", command="run")
    one, two = b.attach(), b.attach()
    for t in one, two:
        poll.until(lambda: t.sendline("hello") and True, "typed")
        t.expect("hello")
    one.send("seen-by-both\r")
    for t in one, two:
        t.expect("seen-by-both")
        t.send(DETACH)
        assert end(t) == 0


def test_detach_keys(box):
    b = box("-it", "--", "cat", command="run")
    t = b.attach("--detach-keys", "ctrl-a,d")
    t.send("x\x01x\x10\x11\r")                 # not those: passed on
    t.expect(r"x\^Ax\^P\^Q|x\^Ax\^P")
    t.send("\x01d")
    assert end(t) == 0
    p = ctl("attach", "--detach-keys", "ctrl-", b.id, ok=(125,))
    assert "ctrl-" in p.stderr


@pytest.mark.parametrize("how", ["detach", "TERM", "KILL", "exit"])
def test_the_terminal_is_given_back(box, tmp, how):
    b = box("-it", *sh("echo ready; read x"), command="run")
    before, after = tmp / "before", tmp / "after"
    line = " ".join(argv("attach", b.id))
    t = pexpect.spawn("sh", ["-c", f"stty -a >{before}; {line}; sleep 0.5;"
                             f" stty -a >{after}"],
                      timeout=20, env=world.environ())
    pids = []

    def raw():
        pids[:] = [p.pid for p in proc.ours() if p.comm == "wispctl"
                   and f"attach --root {root()} " in p.cmd]
        return pids and not termios.tcgetattr(t.child_fd)[3] & termios.ICANON
    poll.until(raw, "the terminal raw")
    if how == "detach":
        t.send(DETACH)
    elif how == "exit":
        t.send("\r")
    else:
        os.kill(pids[0], getattr(signal, "SIG" + how))
    t.expect(pexpect.EOF)
    t.close()
    assert before.read_text() == after.read_text()


def test_without_a_terminal(box):
    """A signal detaches, the end of stdin is passed on."""
    b = box("-i", "--", "cat", command="run")
    p = subprocess.Popen(argv("attach", b.id), stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, env=world.environ())
    p.stdin.write(b"one\n")
    p.stdin.flush()
    assert p.stdout.readline() == b"one\n"
    p.send_signal(signal.SIGINT)
    assert p.wait(20) == 128 + signal.SIGINT
    p.communicate()
    assert not b.ended()
    assert ctl("attach", b.id, input="two\n").stdout == "two\n"
    assert b.logs().stdout == "one\ntwo\n"


def test_only_look(box):
    b = box("-i", "--", "cat", command="run")
    p = subprocess.Popen(argv("attach", "--no-stdin", b.id),
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         env=world.environ(), text=True)
    poll.until(lambda: "GONE" if p.poll() is not None else
               len(sockets(b)) > 1, "attached")
    ctl("attach", b.id, input="x\n")
    assert p.communicate(timeout=20)[0] == "x\n"


def sockets(b):
    """The keeper's."""
    return [x for x in proc.fds(b.keeper()).values() if "socket" in str(x)]


def test_slow_client(box):
    """It is sent away; container and log do not wait for it."""
    b = box("-i", *sh(f"read x; head -c {BURST} /dev/zero | tr '\\0' x; "
                      "echo; echo end"), command="run")
    p = subprocess.Popen(argv("attach", b.id), stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env=world.environ(), text=True)
    p.stdin.write("go\n")
    p.stdin.flush()
    b.until_ended()                            # although nobody reads p
    out = b.logs("-f").stdout
    assert len(out) == BURST + len("\nend\n") and out.endswith("\nend\n")
    out, err = p.communicate(timeout=30)
    assert p.returncode == 125 and "wispctl logs" in err
    assert 0 < len(out) < BURST


# ---- what dies

def test_keeper_is_killed(box):
    """Nothing that was written is lost, however often."""
    n = 3000
    b = box("--", "sh", "-c", f"for i in $(seq {n}); do echo line-$i; "
            "[ $((i % 300)) != 0 ] || sleep 0.2; done; sleep 0.5; exit 6",
            command="run")
    follower = subprocess.Popen(argv("logs", "-f", b.id), text=True,
                                stdout=subprocess.PIPE, env=world.environ())
    for _ in range(4):
        os.kill(poll.until(b.keeper, "a keeper"), signal.SIGKILL)
        time.sleep(0.3)
        b.logs("-n", "1")                      # brings it back
        assert b.keeper()
    out = follower.communicate(timeout=60)[0]
    assert set(out.split()) == {f"line-{i}" for i in range(1, n + 1)}
    assert set(b.logs().stdout.split()) == set(out.split())
    assert b.rpc("State").exit_status == 6
    topics = [e["topic"] for e in events(b)]
    assert topics == ["/tasks/create", "/tasks/start", "/tasks/exit"]


def test_keeper_is_killed_and_the_container_goes_on(box):
    b = box("-it", "--", "sh", command="run")
    t = b.attach()
    t.send("x=$((6*7))\r")
    t.expect("x=")
    os.kill(b.keeper(), signal.SIGKILL)
    assert end(t) == 125
    # another container's sweep of what was left over lets it be
    other = box("--rm", *sh("echo x"))
    assert ctl("start", "-a", other.id).stdout == "x\n"
    assert b.shims()
    t = b.attach()
    t.send("echo $x.\r")
    t.expect("42[.]" + EOL)
    t.send("exit 7\r")
    assert end(t) == 7


def test_shim_is_killed(box):
    before = leaks.snapshot()
    b = box(*sh("echo ready; sleep 1000"), command="run")
    p = subprocess.Popen(argv("logs", "-f", b.id), stdout=subprocess.PIPE,
                         text=True, env=world.environ())
    a = subprocess.Popen(argv("attach", b.id), stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         text=True, env=world.environ())
    assert p.stdout.readline() == "ready\n"
    poll.until(lambda: len(sockets(b)) > 3, "attached")
    for pid in b.shims():
        os.kill(pid, signal.SIGKILL)
    assert "shim is gone" in a.communicate(timeout=30)[1]
    assert a.returncode == 125
    p.communicate(timeout=20)
    b.until_gone()
    assert [e["topic"] for e in events(b)][-2:] == ["/tasks/exit",
                                                    "/tasks/delete"]
    left = leaks.since(before)
    assert not left, f"left:\n{left}"


def test_both_are_killed(box):
    """The next wispctl cleans up."""
    b = box("--", "sleep", "1000", command="run")
    os.kill(b.keeper(), signal.SIGKILL)
    for pid in b.shims():
        os.kill(pid, signal.SIGKILL)
    assert "gone" in b.logs(ok=(125,)).stderr
    b.until_gone()


def test_creator_is_killed(shim):
    """Nothing half made stays, or it is all there. (Killed between the first
    folder and its record, the folders are left for the next wispctl.)"""
    def settled():
        files = [f.name for f in b.state.iterdir()] if b.state.exists() else []
        if "container.json" not in files:
            return set(files) <= {"runtime"}
        try:
            return b.record()["detached"]
        except (OSError, ValueError):
            return False

    for wait in 0.0, 0.02, 0.05, 0.1:
        b = Box(f"{world.RUN}-{world.fresh('k')}", shim)
        p = subprocess.Popen(
            argv("create", "--shim", shim, "--name", b.id, "--", "true"),
            stdout=subprocess.DEVNULL, env=world.environ())
        time.sleep(wait)
        p.kill()
        p.wait()
        poll.until(settled, lambda: str(list(b.state.iterdir())), timeout=20)
        if (b.state / "container.json").exists():
            b.remove()
        for folder in b.state / "runtime", b.state, root() / "bundles" / b.id:
            world.rmdir(folder)


# ---- events

def events(b, *args):
    out = ctl("events", "--no-follow", "-o", "json", *args, b.id).stdout
    return [json.loads(line) for line in out.splitlines()]


def test_events(box):
    ctl("events", "--no-follow")               # there may be none yet
    p = subprocess.Popen(argv("events", "-o", "json"), text=True,
                         stdout=subprocess.PIPE, env=world.environ())
    poll.until(lambda: "inotify" in str(proc.fds(p.pid)), "it follows")
    b = box("--rm", *sh("exit 3"))
    ctl("start", "-a", b.id, ok=(3,))
    b.until_gone()
    fg = f"{world.RUN}-{world.fresh('w')}"     # one in the foreground, too
    ctl("run", "--rm", "--shim", b.shim, "--name", fg, *sh("exit 0"))
    seen = {b.id: [], fg: []}
    for line in p.stdout:
        e = json.loads(line)
        if e["id"] in seen:
            seen[e["id"]].append(e["topic"])
        if e["topic"] == "/tasks/delete" and e["id"] == fg:
            break
    p.kill()
    p.communicate()
    want = [f"/tasks/{x}" for x in ("create", "start", "exit", "delete")]
    assert seen == {b.id: want, fg: want}
    known = events(b)
    assert [e["topic"] for e in known] == want
    assert known[2]["status"] == 3
    text = ctl("events", "--no-follow", b.id).stdout.splitlines()
    assert len(text) == 4 and "/tasks/exit" in text[2]
    assert "status=3" in text[2] and "\033" not in text[2]
    assert events(b, "--since", "1h") == known
    assert events(b, "--since", known[2]["time"]) == known[2:]


def test_keeper_is_small(box):
    b = box("-i", "--", "cat", command="run")
    rollup = proc.read(f"/proc/{b.keeper()}/smaps_rollup")
    dirty = int(re.search(r"Private_Dirty:\s+(\d+)", rollup)[1])
    assert dirty < 400 or "asan" in WISPCTL, rollup
    assert len(proc.fds(b.keeper())) < 32


def test_checksum_of_much(box):
    want = data.block(4 << 20)
    b = box("-i", "--", "sha256sum")
    p = ctl("start", "-a", b.id, input=want, text=False, timeout=60)
    assert p.stdout.split()[0].decode() == hashlib.sha256(want).hexdigest()
