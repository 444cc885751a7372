# SPDX-License-Identifier: Apache-2.0
"""wispctl shims and top: all shims of the host, and what containers use."""
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import termios

import pexpect
import pytest

import container
import fifo
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

GROUP = "io.containerd.runc.v2.group"


def ctl(*args, ok=0, timeout=20):
    p = subprocess.run([WISPCTL, *args], capture_output=True, text=True,
                       timeout=timeout * poll.SLOW, env=world.environ())
    assert p.returncode == ok, (p.returncode, p.stdout[-500:], p.stderr)
    assert p.stderr == "" or ok, p.stderr
    return p.stdout if not ok else p.stderr


def shims(*args):
    return json.loads(ctl("shims", "-o", "json", *args))["shims"]


def shim_of(id, *args):
    found = [s for s in shims("-n", world.RUN, *args)
             if id in [c["id"] for c in s["containers"]]]
    assert len(found) == 1, (id, found)
    return found[0]


@pytest.fixture(params=["wisp", "go"])
def each(request, raw):
    """A shim of each kind with c1, which runs; not its end, but its start is
    the same."""
    if request.param == "go":
        if not os.access(world.GO_SHIM, os.X_OK):
            pytest.skip("no Go shim")
        s = raw(binary=world.GO_SHIM)
        s.start("c1")
        s.task = s.stub(2)
    else:
        s = raw().start("c1")
    s.kind = {"wisp": "wisp", "go": "runc-v2"}[request.param]
    s.init = s.run()
    poll.until(lambda: proc.get(s.init).comm == "sleep", "it runs")
    return s


# ---- shims

def test_shim(each):
    s, = shims("-n", each.ns)
    assert s["kind"] == each.kind and s["pid"] == each.pid
    assert s["namespace"] == each.ns and s["id"] == "c1"
    assert s["containers"] == [{"id": "c1", "bundleGone": False,
                                "bundle": str(each.bundles["c1"]),
                                "pid": each.init}]
    assert s["tasks"] == 1 and s["lost"] == [] and not s["orphaned"]
    assert s["daemon"]["listens"] and s["daemon"]["pid"] == os.getpid()
    assert s["address"] == each.address
    assert abs(s["fds"] - len(proc.fds(each.pid))) <= 2
    assert s["threads"] == len(os.listdir(f"/proc/{each.pid}/task"))
    assert 0 < s["memory"]["ownKiB"] <= s["memory"]["residentKiB"]
    text = ctl("shims", "-n", each.ns)
    want = (rf"^{each.kind} +{each.ns} +c1 +1 +{each.pid} +\d+s +[\d.]+[KM] +"
            rf"\d+ +\d+ +\S+ {os.getpid()} +-$")
    assert re.search(want, text, re.M), text
    assert re.search(r"^1 shim, 1 task, PSS .* 0 orphaned$", text, re.M)


def test_filters_and_sorting(raw):
    a, b = raw().start("a1"), raw().start("b1", connect=True)
    a.run("a1")
    go = raw(binary=world.GO_SHIM)
    go.start("g1")
    go.task = go.stub(2)
    go.run("g1")
    assert [s["kind"] for s in shims("-n", a.ns)] == ["wisp", "wisp",
                                                      "runc-v2"]
    assert [s["pid"] for s in shims("-n", a.ns, "--kind", "wisp")] == [
        a.pid, b.pid]
    assert shims("-n", a.ns, "--orphans") == []
    assert shims("-n", "nosuch") == []
    assert "no such shim" in ctl("shims", "-n", "nosuch")
    for key, value in (("pss", lambda s: s["memory"]["proportionalKiB"]),
                       ("age", lambda s: s["ageMs"]),
                       ("fds", lambda s: s["fds"])):
        got = [value(s) for s in shims("-n", a.ns, "--sort", key)]
        assert got == sorted(got, reverse=True), key
    total = json.loads(ctl("shims", "-n", a.ns, "-o", "json"))["total"]
    assert total["shims"] == 3 and total["tasks"] == 2
    assert total["fds"] == sum(s["fds"] for s in shims("-n", a.ns))
    assert ctl("shims", "-n", a.ns, "-o", "ids").split() == ["a1", "b1", "g1"]


def test_pod(raw):
    """A shim with two containers, of which the first goes first."""
    s = raw().start("c1", annotations={GROUP: "pod1"})
    s.run()
    c2 = s.bundle("c2", ["sleep", "22"], annotations={GROUP: "pod1"})
    (c2 / "address").write_text(s.address)        # as the daemon does
    pid = s.run("c2")
    one, = shims("-n", s.ns)
    assert [c["id"] for c in one["containers"]] == ["c1", "c2"]
    assert one["tasks"] == 2 and one["group"] == "pod1"
    assert "c1,c2" in ctl("shims", "-n", s.ns)
    s.end("c1")
    one, = shims("-n", s.ns)
    assert one["tasks"] == 1
    shutil.rmtree(s.bundles["c1"])
    one, = shims("-n", s.ns)
    assert [c["bundleGone"] for c in one["containers"]] == [True, False]
    assert one["containers"][1]["pid"] == pid and not one["orphaned"]
    assert one["group"] == "pod1" and one["address"] == s.address
    assert ctl("shims", "-n", s.ns, "-o", "ids").split() == ["c2"]
    i = json.loads(ctl("inspect", "-n", s.ns, "-o", "json", "c2"))
    assert i["container"]["init"]["pid"] == pid


def test_bundle_is_gone(raw):
    s = raw().start("c1")
    shutil.rmtree(s.bundles["c1"])
    one, = shims("-n", s.ns, "--orphans")
    assert one["lost"] == ["bundle"] and one["tasks"] == 0
    assert ctl("shims", "-n", s.ns, "-o", "ids") == ""
    assert re.search(r" bundle$", ctl("shims", "-n", s.ns), re.M)


def test_daemon_is_killed(own_daemon):
    d = own_daemon()
    box = container.detached(d, "sleep", "1000")
    s = shim_of(box.id)
    assert s["daemon"]["name"] == "containerd" and s["daemon"]["listens"]
    assert s["daemon"]["pid"] == d.process.pid
    assert s["containers"][0]["pid"] == box.pid() and not s["orphaned"]
    d.kill()
    s = shim_of(box.id, "--orphans")
    assert s["lost"] == ["daemon"] and not s["daemon"]["listens"]
    assert s["tasks"] == 1
    d.start()
    assert not shim_of(box.id)["orphaned"]
    box.stop()


def test_other_mount_namespace(tmp):
    """A shim of a kind that we do not know, with files that only it sees."""
    b = tmp / "b"
    b.mkdir()
    p = subprocess.Popen(
        ["unshare", "-m", "bash", "-c",
         f"mount -t tmpfs none {b} && mkdir {b}/x1 {b}/x2 && cd {b}/x1 && "
         f"echo unix:///odd.sock | tee address >../x2/address && "
         f"exec -a /opt/containerd-shim-odd-v9 /usr/bin/python3 -c "
         f"'import time; time.sleep(1000)' -namespace {world.RUN} --id=x1 "
         f"-address /nosuch.sock"], cwd="/")
    try:
        poll.until(lambda: shims("-n", world.RUN, "--kind", "odd-v9"),
                   "it is there")
        s = shim_of("x2", "--kind", "odd-v9")
        assert s["pid"] == p.pid and s["tasks"] == 2
        assert [c["bundle"] for c in s["containers"]] == [f"{b}/x1",
                                                          f"{b}/x2"]
        assert s["lost"] == ["daemon"]
        assert s["daemon"] == {"address": "/nosuch.sock", "listens": False}
    finally:
        p.kill()
        p.wait()


def test_another_user(shim, tmp):
    """Who may not look tells nothing that he does not know."""
    shim.run()
    exe = tmp / "wispctl"
    shutil.copy(WISPCTL, exe)

    def nobody(*args):
        return subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534",
             "--clear-groups", str(exe), "shims", "-n", shim.ns, *args],
            capture_output=True, text=True, timeout=20, check=True).stdout
    one, = json.loads(nobody("-o", "json"))["shims"]
    assert one["pid"] == shim.pid and one["id"] == "c1"
    assert not {"tasks", "memory", "fds", "lost", "orphaned"} & set(one)
    assert "listens" not in one["daemon"]
    assert re.search(rf"^wisp +{shim.ns} +c1 +- +{shim.pid} ", nobody(), re.M)
    assert "another user's" in nobody()
    assert nobody("--orphans") == "no such shim runs on this host\n"


def test_many(raw):
    """Every one of them once, and none that is about to be a program."""
    made = [raw().start(f"m{i:02}") for i in range(12)]
    got = shims("-n", made[0].ns)
    assert [s["id"] for s in got] == [f"m{i:02}" for i in range(12)]
    assert [s["pid"] for s in got] == [s.pid for s in made]
    text = ctl("shims", "-n", made[0].ns)
    assert text.count("\n") == 14 and "12 shims, 0 tasks" in text


def test_width(each):
    p = pexpect.spawn(WISPCTL, ["shims", "-n", each.ns], dimensions=(24, 80),
                      encoding="utf-8", env=world.environ())
    p.expect(pexpect.EOF)
    p.wait()
    lines = p.before.splitlines()
    p.close()
    assert len(lines) == 3 and max(map(len, lines)) <= 80, lines
    assert ".." in lines[1] and str(each.pid) in lines[1]


@pytest.mark.parametrize("args", [
    ["shims", "x"], ["shims", "--sort", "size"], ["shims", "-o", "xml"],
    ["shims", "--nosuch"], ["top", "-n", "0"], ["top", "-n", "-1"],
    ["top", "-d", "0.01"], ["top", "-s", "x"], ["top", "-o", "ids"]])
def test_wrong_arguments(args):
    assert f"wispctl {args[0]} --help" in ctl(*args, ok=125)


def test_help():
    for command in ("shims", "top"):
        text = ctl(command, "--help")
        assert "Examples:" in text and f"wispctl {command}" in text
        assert max(map(len, text.splitlines())) <= 80
    text = ctl("--help")
    assert text.index("Life cycle:") < text.index("Looking:")
    assert text.index("Looking:") < text.index("  shims ")


# ---- top

def rounds(*args, **kw):
    return [json.loads(line)["tasks"] for line in
            ctl("top", "-o", "json", *args, **kw).splitlines()]


def test_top(each):
    busy = "e1"
    each.exec("c1", busy, ["sh", "-c", "while :; do :; done"])
    one, two = rounds("-n", "2", "-d", "0.5", "--namespace", each.ns)
    a, b = one[0], two[0]
    assert (a["id"], a["namespace"], a["pid"], a["shimPid"]) == (
        "c1", each.ns, each.init, each.pid)
    assert b["cpu"]["usageNs"] > a["cpu"]["usageNs"]
    assert b["cpu"]["percent"] > 1
    assert b["pids"]["current"] == 2
    assert b["memory"]["usage"] >= b["memory"]["workingSet"] > 0
    text = ctl("top", "-n", "1", "-d", "0.1", "--namespace", each.ns)
    assert re.search(r"^\d\d:\d\d:\d\d  1 task, cpu [\d.]+%, memory \S+, 2 pids"
                     r", by cpu$", text, re.M), text
    assert re.search(rf"^c1 +{each.ns} +{each.init} +[\d.]+ +[\d.]+[KM] +\S+ +"
                     rf"\S+ +\S+ +2$", text, re.M), text


def test_top_sorts(raw):
    for id, args in (("idle", ["sleep", "1000"]),
                     ("busy", ["sh", "-c", "while :; do :; done"])):
        s = raw().start(id, args, memory=64 << 20)
        s.run(id)
    tasks, = rounds("-n", "1", "-d", "0.5", "--namespace", s.ns)
    assert [t["id"] for t in tasks] == ["busy", "idle"]
    assert tasks[0]["memory"]["limit"] == 64 << 20
    tasks, = rounds("-n", "1", "-d", "0.1", "-s", "name", "id", "bu",
                    "--namespace", s.ns)
    assert [t["id"] for t in tasks] == ["busy", "idle"]
    tasks, = rounds("-n", "1", "-d", "0.1", "idle", "--namespace", s.ns)
    assert [t["id"] for t in tasks] == ["idle"]
    assert "has a task 'nosuch'" in ctl("top", "-n", "1", "nosuch", ok=125)


def test_top_ends_with_the_task(each):
    p = subprocess.Popen([WISPCTL, "top", "-d", "0.1", "-o", "json",
                          "--namespace", each.ns], stdout=subprocess.PIPE,
                         text=True, env=world.environ())
    try:
        assert json.loads(p.stdout.readline())["tasks"][0]["id"] == "c1"
        each.end()
        for line in p.stdout:
            if json.loads(line)["tasks"] == []:
                break
        else:
            pytest.fail("it is shown after its end")
    finally:
        p.terminate()
        p.wait()
        p.stdout.close()
    assert p.returncode == -signal.SIGTERM


def test_top_asks_once(tmp):
    """A shim that leaves no pid is asked for it, once, and may hang."""
    b = tmp / "b" / "x1"
    b.mkdir(parents=True)
    (b / "address").write_text(f"unix://{tmp}/odd.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp / "odd.sock"))
    listener.listen()
    p = subprocess.Popen(
        ["containerd-shim-odd-v9", "-c", "import time; time.sleep(1000)",
         "-namespace", world.RUN, "-id", "x1"], cwd=b,
        executable="/usr/bin/python3")
    try:
        poll.until(lambda: shims("-n", world.RUN, "--kind", "odd-v9"),
                   "it is there")
        got = rounds("-n", "3", "-d", "0.1", "--namespace", world.RUN, "x1")
        assert [[t["id"] for t in r] for r in got] == [["x1"]] * 3
        assert "pid" not in got[0][0]
        listener.settimeout(0.2)
        listener.accept()[0].close()
        with pytest.raises(TimeoutError):
            listener.accept()
    finally:
        p.kill()
        p.wait()
        listener.close()


class Screen(pexpect.spawn):
    def __init__(self, *args, size=(10, 70)):
        super().__init__("sh", ["-c", 'read x; exec "$@"', "sh", WISPCTL,
                                "top", *args], dimensions=size,
                         timeout=20 * poll.SLOW, encoding="utf-8",
                         env=world.environ())
        self.before_top = self.mode()
        self.sendline()

    def mode(self):
        return termios.tcgetattr(self.child_fd)

    def ends(self):
        """Its status, after the terminal is as it was."""
        self.expect(re.escape("\x1b[?25h\x1b[?1049l"))
        assert self.mode() == self.before_top
        self.expect(pexpect.EOF)
        self.wait()
        self.close()
        return self.exitstatus, self.signalstatus


def test_top_on_a_terminal(shim):
    shim.run()
    p = Screen("-d", "0.2", "--namespace", shim.ns)
    p.expect(re.escape("\x1b[?1049h\x1b[?25l"))
    p.expect("by cpu.*CONTAINER")
    assert not p.mode()[3] & (termios.ECHO | termios.ICANON)
    for key, name in (("m", "memory"), ("p", "pids"), ("i", "io"),
                      ("c", "cpu")):
        p.send(key)
        p.expect(f"by {name}")
    p.expect(r"\x1b\[H(.*?)\x1b\[J")
    lines = p.match[1].replace("\x1b[K", "").splitlines()
    assert max(map(len, lines)) <= 70 and len(lines) == 3, lines
    assert lines[2].startswith("c1 ")
    p.setwinsize(10, 40)
    p.expect(r"\x1b\[H(?=[^\n]{1,45}\n)")
    p.send("q")
    assert p.ends() == (0, None)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT,
                                 signal.SIGHUP])
def test_top_is_ended_by(sig):
    p = Screen()
    p.expect("CONTAINER")
    p.kill(sig)
    assert p.ends() == ((0, None) if sig == signal.SIGINT else (None, sig))


def test_top_is_stopped(shim):
    p = Screen("-d", "0.2")
    p.expect("CONTAINER")
    p.send("\x1a")
    p.expect(re.escape("\x1b[?25h\x1b[?1049l"))
    poll.until(lambda: proc.get(p.pid).state == "T", "it is stopped")
    assert p.mode() == p.before_top
    p.kill(signal.SIGCONT)
    p.expect(re.escape("\x1b[?1049h\x1b[?25l"))
    p.expect("CONTAINER")
    p.send("q")
    assert p.ends() == (0, None)


def test_top_has_more_than_fits(raw):
    for i in range(6):
        s = raw().start(f"m{i}")
        s.run(f"m{i}")
    p = Screen("-s", "name", "--namespace", s.ns, size=(6, 70))
    p.expect(r"\x1b\[H(.*?)\x1b\[J")
    lines = p.match[1].splitlines()
    assert "6 tasks" in lines[0] and len(lines) == 5
    p.send("q")
    assert p.ends() == (0, None)


# ---- inspect: what test_inspect.py does not have

def inspect(s, id="c1"):
    return json.loads(ctl("inspect", "-n", s.ns, "-o", "json", id))


def test_inspect_fds(each, tmp):
    text = ctl("inspect", "-n", each.ns, "c1")
    n = len(proc.fds(each.init))
    assert re.search(rf"^init has +{n} open: .*\d ", text, re.M), text
    assert re.search(r"^shim has +\d+ open: .* \d sockets", text, re.M), text
    i = inspect(each)
    assert len(i["initOpen"]) == n
    text = ctl("inspect", "--fds", "-n", each.ns, "c1")
    assert re.search(r"^init has +0 ", text, re.M), text
    assert re.search(r"^ +\d+ (socket|pipe):\[", text, re.M), text
    assert len(re.findall(r"^(?: {11}|\w+ has +) *\d+ \S", text, re.M)) >= (
        len(i["initOpen"]) + len(i["shim"]["open"]) - 2)


def test_inspect_limits(raw):
    s = raw()
    s.bundle("c1", memory=64 << 20)
    path = s.bundles["c1"] / "config.json"
    spec = json.loads(path.read_text())
    spec["linux"]["resources"] |= {
        "cpu": {"quota": 150000, "period": 100000, "shares": 512},
        "pids": {"limit": 77}}
    path.write_text(json.dumps(spec))
    p = s.start_raw("c1")
    assert p.returncode == 0
    s.address = p.stdout.decode().strip()
    s.connect()
    text = ctl("inspect", "-n", s.ns, "c1")
    assert re.search(r"^limits +memory 64.0 MiB, 1.50 CPUs, CPU shares 512, 77 "
                     r"pids$", text, re.M), text
    assert re.search(r"^security +no new privileges, 8 capabilities$", text,
                     re.M), text
    assert inspect(s)["spec"] == spec


def test_inspect_shows_how_full(each, tmp):
    """Output that nobody reads, of either shim: a FIFO is full."""
    out, err = fifo.make(tmp, "out", "err")
    c2 = each.bundle("c2", ["sh", "-c", "yes | head -c 200000; sleep 1000"])
    (c2 / "address").write_text(each.address)
    keep = [os.open(p, os.O_RDWR | os.O_NONBLOCK) for p in (out, err)]
    try:
        each.run("c2", stdout=str(out), stderr=str(err))
        poll.until(lambda: re.search(
            r" stdout .* \d\d\.\d KiB of 64.0 KiB unread", ctl(
                "inspect", "-n", each.ns, "c2")),
            lambda: ctl("inspect", "-f", "-n", each.ns, "c2"))
        left = 200000
        while left:
            select.select(keep[:1], [], [])
            left -= len(os.read(keep[0], 65536))
        each.end("c2")
    finally:
        for fd in keep:
            os.close(fd)


@pytest.fixture
def runc(tmp):
    """A runc that hangs where it is told to, in a process below it."""
    path = tmp / "runc"
    path.write_text(f"""#!/bin/sh
for word; do
	case $word in
	kill) [ ! -e {tmp}/hang ] || sleep 1234; break ;;
	esac
done
exec /usr/sbin/runc "$@"
""")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("kind", ["wisp", "go"])
def test_inspect_of_a_hung_runtime(kind, raw, runc, tmp):
    """A command that is under way, its age, and what it waits for."""
    s = raw(runtime=runc, binary=world.GO_SHIM if kind == "go" else None)
    s.start("c1")
    if kind == "go":
        s.task = s.stub(2)
    init = s.run()
    (tmp / "hang").touch()
    call = s.task.begin("Kill", id="c1", signal=9, all=True)
    poll.until(lambda: any(p.cmd == "sleep 1234" for p in proc.ours()),
               "it hangs")
    i = inspect(s)
    command, = i["shim"]["commands"]
    assert command["verb"] == "kill" and command["container"] == "c1"
    assert command["ageMs"] >= 0 and proc.alive(command["pid"])
    below, = command["below"]
    assert below["command"] == "sleep 1234" and below["waitsIn"]
    assert [p["pid"] for p in i["processes"]] == [init]
    text = ctl("inspect", "-n", s.ns, "c1")
    assert re.search(r"^commands +kill of c1, [\d.]+s(?: of 2m00s)?: process "
                     rf"{command['pid']} S ", text, re.M), text
    assert re.search(rf"^ +below it {below['pid']} S sleep 1234, ", text,
                     re.M), text
    (tmp / "hang").unlink()
    os.kill(below["pid"], 9)
    call.result(10)


@pytest.mark.parametrize("kind", ["wisp", "go"])
def test_inspect_of_a_shim_that_hangs(kind, raw):
    """It answers nobody: what the bundle and the cgroup tell."""
    s = raw(binary=world.GO_SHIM if kind == "go" else None)
    s.start("c1")
    if kind == "go":
        s.task = s.stub(2)
    init = s.run()
    os.kill(s.pid, signal.SIGSTOP)
    try:
        i = inspect(s)
        assert i["container"]["init"]["pid"] == init
        assert [p["pid"] for p in i["processes"]] == [init]
        assert "no answer" in i["shim"]["error"] and i["initOpen"]
        assert shims("-n", s.ns)[0]["pid"] == s.pid
        assert rounds("-n", "1", "-d", "0.1", "--namespace", s.ns)[0][0][
            "pid"] == init
    finally:
        os.kill(s.pid, signal.SIGCONT)


def test_inspect_of_a_daemons_go_shim(own_daemon):
    """The daemon dead."""
    d = own_daemon()
    link = d.dir / "bin" / "containerd-shim-runc-v2"
    link.unlink()
    link.symlink_to(world.GO_SHIM)
    d.runtime_flags = ["--runtime", "io.containerd.runc.v2"]
    box = container.detached(d, "sleep", "1000")
    pid = box.pid()
    d.kill()
    s = shim_of(box.id)
    assert s["kind"] == "runc-v2" and s["lost"] == ["daemon"]
    i = json.loads(ctl("inspect", "-n", world.RUN, "-o", "json", box.id))
    assert i["shim"]["pid"] == s["pid"]
    assert i["container"]["init"]["state"] == "running"
    assert [p["pid"] for p in i["processes"]] == [pid]
    assert i["spec"]["process"]["args"] == ["sleep", "1000"]
    assert rounds("-n", "1", "-d", "0.1", "--namespace", world.RUN,
                  box.id)[0][0]["pid"] == pid
    d.start()
    box.stop()
