# SPDX-License-Identifier: Apache-2.0
"""wispctl dump and inspect: into any shim, with or without a daemon."""
import json
import os
import re
import subprocess

import pytest

import container
import fifo
import poll
import proc
import runtime
import ttrpc
import world
from test_wispctl import WISPCTL

pytestmark = [
    pytest.mark.go_fails("the tests start wisp and the Go shim themselves",
                         run=False),
    pytest.mark.skipif(not os.access(WISPCTL, os.X_OK),
                       reason=f"no {WISPCTL}")]


def ctl(*args, ok=0, timeout=20):
    p = subprocess.run([WISPCTL, *args], capture_output=True, text=True,
                       timeout=timeout, env=world.environ())
    assert p.returncode == ok, (p.returncode, p.stdout[-500:], p.stderr)
    assert p.stderr == "" or ok, p.stderr
    return p.stdout if not ok else p.stderr


def dump(s, id="c1", *args):
    return json.loads(ctl("dump", "-n", s.ns, "-o", "json", *args, id))


def inspect_of(ns, id):
    return json.loads(ctl("inspect", "-n", ns, "-o", "json", id))


def inspect(s, id="c1"):
    return inspect_of(s.ns, id)


@pytest.fixture
def go(raw):
    """Debian's Go shim with c1, not yet created."""
    if not os.access(world.GO_SHIM, os.X_OK):
        pytest.skip("no Go shim")
    s = raw(binary=world.GO_SHIM)
    s.start("c1")
    s.task = s.stub(2)
    return s


def test_dump(shim):
    pid = shim.run()
    d = dump(shim)
    assert d["pid"] == shim.pid and d["version"] and "outside" not in d
    c, = d["containers"]
    assert c["id"] == "c1" and c["init"]["pid"] == pid
    text = ctl("dump", "-n", shim.ns, "c1")
    for want in (rf"^shim +process {shim.pid}, wisp ", r"^calls +1 open",
                 rf"^children +{pid} . ", r"^container +c1, runtime ",
                 rf"^init +running, process {pid}$", r"^open +0 /dev/null$",
                 r"^events +\d+ waiting", r"^memory +own \d+ KiB"):
        assert re.search(want, text, re.M), (want, text)


def test_dump_by_signal(shim):
    shim.run()
    d = dump(shim, "c1", "-s")
    assert d["pid"] == shim.pid
    assert [c["service"] for c in d["calls"]] == []
    assert (shim.bundles["c1"] / "dump.json").exists()
    assert dump(shim, "c1", "--signal")["time"] > d["time"]


def test_inspect(raw, tmp):
    out = str(fifo.make(tmp, "out"))
    s = raw().start("c1", ["sh", "-c", "seq 1 1000; sleep 1000; :"])
    pid = s.run(stdout=out)
    exec_pid = s.exec("c1", "e1", ["sleep", "999"])
    poll.until(lambda: proc.get(exec_pid).comm == "sleep", "it runs")

    def find():
        i = inspect(s)
        return i if i["container"]["init"]["stdio"][0]["unread"] else None
    i = poll.until(find, "output")
    assert i["shim"]["pid"] == s.pid and "containers" not in i["shim"]
    assert i["container"]["bundle"] == str(s.bundles["c1"])
    assert i["spec"]["process"]["args"][0] == "sh"
    seen = {p["pid"]: p for p in i["processes"]}
    assert pid in seen and seen[pid]["name"] == "sh"
    assert [p["exec"] for p in seen.values() if "exec" in p] == ["e1"]
    o, = i["container"]["init"]["stdio"]
    assert o["uri"] == out and o["unread"] == o["out"] == 3893
    text = ctl("inspect", "-n", s.ns, "c1")
    for want in (r"^container +c1, ", r"^bundle +/", r"^runs +sh -c seq",
                 rf"stdout {out}: 3.8 KiB passed on, 3.8 KiB of 64.0 KiB unread",
                 r"^exec +e1: running, process \d+$",
                 r"sleep 999, .* \(exec e1\)$"):
        assert re.search(want, text, re.M), (want, text)


def test_runtime_hangs(raw, fake):
    s = raw(runtime=fake.path).start("c1")
    s.run()
    fake.before("pause", runtime.HANG)
    call = s.task.begin("Pause", id="c1")
    poll.until(lambda: fake.calls("pause"), "pause runs")
    poll.until(lambda: dump(s)["commands"][0]["name"] == "sleep", "it hangs")
    for command in ("dump", "inspect"):
        text = ctl(command, "-n", s.ns, "c1")
        want = (r"^commands +pause of c1, [\d.]+s of 2m00s: process \d+ S "
                r"sleep 1000, [\d.]+s old")
        assert re.search(want, text, re.M), text
    os.kill(dump(s)["commands"][0]["pid"], 9)
    with pytest.raises(ttrpc.TtrpcError):
        call.result(10)


def test_socket_is_gone(shim):
    """The shim can't be dialed any more: then by signal."""
    shim.run()
    path = ttrpc.socket_path(shim.address)
    os.rename(path, path + "-")
    try:
        assert dump(shim)["pid"] == shim.pid
        assert inspect(shim)["container"]["init"]["state"] == "running"
    finally:
        os.rename(path + "-", path)


def test_shim_is_stopped(shim):
    """It answers neither call nor signal: what can be seen from outside."""
    pid = shim.run()
    poll.until(lambda: proc.get(pid).comm == "sleep", "it runs")
    os.kill(shim.pid, 19)
    try:
        d = dump(shim)
        assert d["outside"] and "no answer" in d["error"]
        assert d["pid"] == shim.pid and d["program"] == "wisp-shim"
        assert [c["command"] for c in d["children"]] == ["sleep 1000"]
        assert "it does not answer: no answer" in ctl(
            "dump", "-n", shim.ns, "c1", timeout=30)
    finally:
        os.kill(shim.pid, 18)


def test_beside(shim):
    """A container that shares the shim of another."""
    shim.run()
    c2 = shim.bundle("c2", ["sleep", "22"])
    (c2 / "address").write_text(shim.address)     # as the daemon does
    shim.run("c2")
    assert inspect(shim, "c2")["container"]["bundle"] == str(c2)
    assert inspect(shim, "c2")["spec"]["process"]["args"] == ["sleep", "22"]
    assert len(dump(shim, "c2")["containers"]) == 2
    assert dump(shim, "c2", "-s")["pid"] == shim.pid
    assert ctl("dump", "-n", shim.ns, "c", ok=125).count("c1") == 1
    assert "may be any of" in ctl("dump", "-n", shim.ns, "c", ok=125)


def test_which(raw):
    s = raw().start("web-abcdef")
    s.run("web-abcdef")
    assert dump(s, "web-")["pid"] == s.pid
    t = raw(ns="we2e-other").start("web-abcdef", cgroup=f"/{world.RUN}/o")
    t.run("web-abcdef")
    assert dump(t, "web-abcdef")["pid"] == t.pid
    said = ctl("dump", "web-abcdef", ok=125)
    assert f"{s.ns}/web-abcdef" in said and "we2e-other/web-abcdef" in said
    assert "no shim on this host has" in ctl("inspect", "nosuch", ok=125)
    assert "is no container's id" in ctl("inspect", "../x", ok=125)


@pytest.mark.parametrize("args", [
    ["dump"], ["dump", "a", "b"], ["dump", "-o", "xml", "a"],
    ["inspect", "-s", "a"], ["inspect", "--nosuch", "a"]])
def test_wrong_arguments(args):
    assert f"wispctl {args[0]} --help" in ctl(*args, ok=125)


def test_help():
    for command in ("dump", "inspect"):
        text = ctl(command, "--help")
        assert "Examples:" in text and f"wispctl {command}" in text
        assert f"  {command} " in ctl("--help")


def test_no_escape_sequences(raw):
    """A container's command line does nothing to the terminal."""
    s = raw().start("c1", ["sh", "-c",
                           "sleep 1000; : \x1b]0;t\x07 \xc2\x9b \xff"])
    pid = s.run()
    poll.until(lambda: proc.get(pid).comm == "sh", "it runs")
    for command in ("dump", "inspect"):
        text = ctl(command, "-n", s.ns, "c1")
        assert not set(text) & set(map(chr, (*range(10), *range(11, 32), 127,
                                             *range(128, 160)))), text
        assert "?]0;t?" in text
    inspect(s)


# ---- other shims, and daemons

def test_go_shim(go, tmp):
    paths = dict(zip(("stdin", "stdout", "stderr"), map(str, fifo.make(
        tmp, "in", "out", "err"))))
    out, err = fifo.Reader(paths["stdout"], 0), fifo.Reader(paths["stderr"])
    keep = os.open(paths["stdout"], os.O_RDONLY | os.O_NONBLOCK)
    stdin = os.open(paths["stdin"], os.O_RDWR | os.O_NONBLOCK)
    try:
        pid = go.run(**paths)
        d = dump(go)
        assert d["outside"] and "error" not in d and d["pid"] == go.pid
        assert d["memory"]["ownKiB"] > 0 and len(d["open"]) > 5
        assert [c["pid"] for c in d["children"]] == [pid]
        c, = d["containers"]
        assert c["init"]["state"] == "running" and c["init"]["pid"] == pid
        assert [o["uri"] for o in c["init"]["stdio"]] == list(paths.values())
        i = inspect(go)
        assert [p["pid"] for p in i["processes"]] == [pid]
        text = ctl("inspect", "-n", go.ns, "c1")
        assert "it has no dump of its own" in text
        assert re.search(rf"^init +running, process {pid}$", text, re.M)
        assert "SIGUSR1" in ctl("dump", "-s", "-n", go.ns, "c1", ok=125)
        assert proc.alive(go.pid)
        go.end()
    finally:
        os.close(keep)
        os.close(stdin)
        out.stop()
        err.stop()


def test_daemon_is_killed(own_daemon):
    d = own_daemon()
    box = container.detached(d, "sleep", "1000")
    pid, shim = box.pid(), box.shim()
    ns = world.RUN
    assert json.loads(ctl("dump", "-n", ns, "-o", "json", box.id))[
        "pid"] == shim
    d.kill()
    i = json.loads(ctl("inspect", "-n", ns, "-o", "json", box.id))
    assert i["shim"]["pid"] == shim
    assert i["container"]["init"]["pid"] == pid
    assert i["container"]["init"]["state"] == "running"
    assert f"process {pid}" in ctl("dump", "-n", ns, "-s", box.id)
    d.start()
    box.stop()
