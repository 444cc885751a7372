# SPDX-License-Identifier: Apache-2.0
"""wispctl run: containers without a daemon, by any shim."""
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess

import pexpect
import pytest

import data
import image
import leaks
import poll
import proc
import spec
import world
from daemon import NO_UNIFIED
from test_tty import EOL, SIZED

WISPCTL = os.environ.get("WISPCTL") or str(world.ROOT / "build" / "wispctl")
pytestmark = pytest.mark.skipif(not os.access(WISPCTL, os.X_OK),
                                reason=f"no {WISPCTL}")


def argv(*args, shim=None, rm=True):
    """The command line; args begin with options, then `--`, the command."""
    return [WISPCTL, "run", "--root", str(world.base / "wispctl"), "--name",
            f"{world.RUN}-{world.fresh('w')}", "--shim", shim or world.SHIM,
            *(["--rm"] if rm else []), *(str(a) for a in args)]


def run(*args, ok=(0,), input=None, text=True, timeout=30, rm=True, **kw):
    stdin = {"stdin": subprocess.DEVNULL} if input is None else {
        "input": input}
    p = subprocess.run(argv(*args, rm=rm, **kw), capture_output=True,
                       text=text, timeout=timeout * poll.SLOW, env=world.environ(),
                       **stdin)
    assert ok is None or p.returncode in ok, (p.returncode, p.stdout[-500:],
                                              p.stderr[-500:])
    return p


def sh(script, *options, **kw):
    return run(*options, "--", "sh", "-c", script, **kw)


def test_output():
    p = sh("echo out; echo err >&2")
    assert (p.stdout, p.stderr) == ("out\n", "err\n")


@pytest.mark.parametrize("code", [0, 1, 7, 125, 128, 137, 255])
def test_exit_status(code):
    sh(f"exit {code}", ok=(code,))


def test_command_not_found_or_not_executable():
    p = run("--", "/no/such/thing", ok=(127,))
    assert "/no/such/thing" in p.stderr
    run("--", "/etc/passwd", ok=(126,))


def test_stdin():
    want = data.block(20 << 20)
    p = run("-i", "--", "cat", input=want, text=False, timeout=60)
    data.same(p.stdout, want, "what cat gave back")


def test_stdin_is_null_without_i():
    p = run("--", "sh", "-c", "cat; echo end", input="never seen")
    assert p.stdout == "end\n"


def test_8_mib_and_exit_20_times():
    want = hashlib.sha256(b"\0" * (8 << 20)).digest()
    for _ in range(20):
        p = run("--", "dd", "if=/dev/zero", "bs=1M", "count=8", text=False)
        assert len(p.stdout) == 8 << 20
        assert hashlib.sha256(p.stdout).digest() == want


def test_environment_and_cwd():
    os.environ["FROM_OUTSIDE"] = "a b"
    p = sh("echo $A,$FROM_OUTSIDE,$PWD", "--env", "A=1", "-e",
           "FROM_OUTSIDE", "--cwd", "/tmp")
    assert p.stdout == "1,a b,/tmp\n"


def test_mount(tmp):
    (tmp / "file").write_text("seen\n")
    p = sh("cat /x/file; touch /x/new 2>&1", "--mount",
           f"type=bind,src={tmp},dst=/x,options=ro", ok=(1,))
    assert p.stdout.startswith("seen\n") and "Read-only" in p.stdout
    assert not (tmp / "new").exists()


def test_rootfs():
    p = run("--rootfs", image.rootfs(), "--", "cat", "/etc/passwd")
    assert p.stdout == image.PASSWD


def test_bundle(tmp):
    bundle = tmp / "bundle"
    shutil.copytree(image.rootfs(), bundle / "rootfs", symlinks=True)
    (bundle / "config.json").write_text(json.dumps(spec.base(
        ["sh", "-c", "echo from the bundle; exit 4"],
        cgroup=f"/{world.RUN}/{world.fresh()}")))
    p = run("--bundle", bundle, ok=(4,))
    assert p.stdout == "from the bundle\n"
    assert sorted(f.name for f in bundle.iterdir()) == [
        "config.json", "rootfs"]


def test_memory_limit():
    p = sh("head -c 64m /dev/zero | tail | wc -c", "--memory", "16m",
           "--events")
    assert "oom" in p.stderr.lower(), p.stderr


def test_events_as_text():
    p = sh("exit 3", "--events", ok=(3,))
    at = [p.stderr.find(f"/tasks/{t}") for t in (
        "create", "start", "exit", "delete")]
    assert -1 not in at and at == sorted(at), p.stderr


def test_events_as_json():
    p = sh("exit 3", "--events", "-o", "json", ok=(3,))
    events = [json.loads(line) for line in p.stderr.splitlines()
              if line.startswith("{")]
    assert [e["topic"] for e in events] == [
        f"/tasks/{t}" for t in ("create", "start", "exit", "delete")]


@pytest.mark.parametrize("dialect", ["1.6", "1.7", "2.3"])
def test_dialects(dialect):
    if world.is_go() and dialect == "2.3":
        pytest.skip("1.6's shim is from before it")
    if world.is_go() and dialect == "1.7":
        pytest.skip("1.6's shim answers with the bare address")
    sh("exit 5", "--dialect", dialect, ok=(5,))


@pytest.mark.parametrize("oci", ["runc", "crun"])
def test_runtimes(oci):
    args = argv("--runtime", oci, "--", "sh", "-c", "echo x; exit 6")
    if oci == "crun":              # see daemon.py
        args = ["unshare", "-m", "sh", "-c", NO_UNIFIED, "sh", *args]
    p = subprocess.run(args, capture_output=True, text=True, timeout=30,
                       stdin=subprocess.DEVNULL)
    assert (p.returncode, p.stdout) == (6, "x\n"), p.stderr


def test_debians_shim():
    p = sh("echo x; exit 6", ok=(6,), shim=world.GO_SHIM)
    assert p.stdout == "x\n"


# ---- terminals and signals

def test_the_reader_goes():
    """As SIGPIPE would: the shim does not wait for what nobody takes."""
    ours = argv("--debug", "--", "yes")
    p = subprocess.run(
        ["bash", "-c", '"$@" | head -1; echo ${PIPESTATUS[0]} >&2', "-",
         *ours], capture_output=True, text=True, timeout=60 * poll.SLOW,
        stdin=subprocess.DEVNULL, env=world.environ())
    assert p.stdout == "y\n"
    assert p.stderr.splitlines()[-1] == "141"
    assert "not read" not in p.stderr


@pytest.fixture
def tty():
    made = []

    def spawn(*args, size=(31, 113)):
        a = argv(*args)
        made.append(pexpect.spawn(a[0], a[1:], timeout=20, encoding="utf-8",
                                  dimensions=size, env=world.environ()))
        return made[-1]
    yield spawn
    for t in made:
        t.close(force=True)


def end(t):
    t.expect(pexpect.EOF)
    t.wait()
    return t.exitstatus


def test_terminal(tty):
    t = tty("-it", "--", "sh")
    t.send(SIZED.format(31, 113))
    t.expect("is-31x113" + EOL)
    t.setwinsize(50, 61)
    t.send(SIZED.format(50, 61))
    t.expect("is-50x61" + EOL)
    t.send("trap 'echo caught' INT; echo $((6*7))\r")
    t.expect("42" + EOL)
    t.sendintr()
    t.expect("caught")
    t.send("exit 9\r")
    assert end(t) == 9


def test_ctrl_d(tty):
    t = tty("-it", "--", "sh", "-c", "echo ready; cat; exit 3")
    t.expect("ready" + EOL)
    t.sendeof()
    assert end(t) == 3


def test_terminal_is_given_back_as_it_was(tmp):
    """Its modes after a run, and after one that was killed by a signal."""
    before, after = tmp / "before", tmp / "after"
    for inner in (" ".join(argv("-it", "--", "true")),
                  f"sh -c '{' '.join(argv('-it', '--', 'sleep', '100'))} &"
                  " p=$!; sleep 0.7; kill $p; wait'"):
        t = pexpect.spawn("sh", ["-c", f"stty -a >{before}; {inner};"
                                 f" stty -a >{after}"], timeout=20)
        t.expect(pexpect.EOF)
        t.close()
        assert before.read_text() == after.read_text()


@contextlib.contextmanager
def background(*args):
    """wispctl as a Popen; killed at the end if it has not ended."""
    p = subprocess.Popen(argv(*args), stdout=subprocess.PIPE,
                         stdin=subprocess.DEVNULL, text=True,
                         env=world.environ())
    try:
        yield p
    finally:
        p.kill()
        p.wait()
        p.stdout.close()


@pytest.mark.parametrize("sig", ["TERM", "INT", "HUP", "USR1", "QUIT"])
def test_signals_are_forwarded(sig):
    with background("--", "sh", "-c", f"trap 'exit 5' {sig}; echo ready; "
                    "while :; do sleep 0.05; done") as p:
        assert p.stdout.readline() == "ready\n"
        p.send_signal(getattr(signal, "SIG" + sig))
        assert p.wait(20) == 5


def test_wispctl_is_killed():
    """Nothing of its container stays, without anybody's help."""
    before = leaks.snapshot()
    with background("--", "sh", "-c", "echo ready; sleep 1000") as p:
        assert p.stdout.readline() == "ready\n"
        p.kill()
    left = leaks.since(before, 15)
    assert not left, f"left:\n{left}"


def test_shim_is_killed():
    with background("--", "sh", "-c", "echo ready; sleep 1000") as p:
        assert p.stdout.readline() == "ready\n"
        shims = [q for q in proc.ours() if f"-id {world.RUN}" in q.cmd
                 and "-namespace" in q.cmd and q.pid != p.pid]
        assert shims
        for q in shims:
            proc.kill(q.pid)
        assert p.wait(30) != 0


# ---- what is left, and what is wrong

def test_without_rm_the_files_stay():
    root = world.base / "wispctl"
    before = leaks.files()
    sh("echo x", rm=False)
    new = leaks.files() - before
    assert new, "nothing is kept"
    for path in new:
        shutil.rmtree(path, ignore_errors=True)
    assert root.is_dir()


@pytest.mark.parametrize("args,want", [
    (["--no-such"], "no-such"), (["--memory", "much"], "much"),
    (["--mount", "type=bind"], "mount"), (["--rootfs"], "rootfs"),
    (["--dialect", "9"], "9"), (["--env"], "env")],
    ids=lambda a: " ".join(a) if isinstance(a, list) else "")
def test_wrong_usage(args, want):
    p = run(*args, ok=(125,))
    assert want in p.stderr and len(p.stderr.splitlines()) <= 3, p.stderr


@pytest.mark.parametrize("args,want", [
    (["--rootfs", "/no/such"], "/no/such"),
    (["--bundle", "/no/such"], "/no/such"),
    (["--runtime", "no-such-runtime"], "no-such-runtime"),
    (["--mount", "type=bind,src=/no/such,dst=/x"], "/no/such")])
def test_what_cannot_be(args, want):
    p = run(*args, "--", "true", ok=(125,))
    assert want in p.stderr, p.stderr
    assert p.stdout == ""


def test_no_such_shim():
    p = run("--", "true", ok=(125,), shim="/no/such/shim")
    assert "/no/such/shim" in p.stderr


def test_help():
    p = subprocess.run([WISPCTL, "run", "--help"], capture_output=True,
                       text=True, timeout=10)
    assert p.returncode == 0 and p.stdout and not p.stderr
    for option in re.findall(r"--[a-z]+", "--rm --tty --interactive --runtime"
                             " --rootfs --bundle --env --cwd --mount"
                             " --memory --shim"):
        assert option in p.stdout


def test_ten_at_once():
    with contextlib.ExitStack() as stack:
        ps = [stack.enter_context(background(
            "--", "sh", "-c", f"sleep 0.2; echo {n}; exit {n}"))
            for n in range(10)]
        for n, p in enumerate(ps):
            assert p.stdout.read() == f"{n}\n"
            assert p.wait(30) == n
    poll.until(lambda: not [q for q in proc.ours() if "wispctl" in q.cmd],
               "all ended")
