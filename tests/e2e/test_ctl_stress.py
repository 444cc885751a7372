# SPDX-License-Identifier: Apache-2.0
"""wispctl stress: what leaks is found and named, and nothing else is."""
import json
import os
import re
import signal
import subprocess
import xml.etree.ElementTree as ET

import pexpect
import pytest

import poll
import world
from test_wispctl import WISPCTL

PLANT = str(world.ROOT / "build" / "plant" / "containerd-shim-wisp-v1")
SCENARIOS = ["create-delete", "exec-storm", "failing-starts", "output-bursts",
             "oom", "daemon-loss", "shim-kill"]
needs_plant = pytest.mark.skipif(not os.access(PLANT, os.X_OK),
                                 reason="no leaking shim: make plant")
pytestmark = [
    pytest.mark.vm_adds_nothing,
    pytest.mark.go_fails("the tests start wisp and the Go shim themselves",
                         run=False),
    pytest.mark.skipif(not os.access(WISPCTL, os.X_OK),
                       reason=f"no {WISPCTL}")]


@pytest.fixture
def root(tmp):
    """Everything of a run is in here; nothing is left in the end."""
    path = tmp / "r"
    path.mkdir()
    yield path
    assert list(path.iterdir()) == []


def argv(root, *args, shim=world.SHIM):
    return [WISPCTL, "stress", "--root", str(root), "--shim", str(shim),
            *(str(a) for a in args)]


def stress(root, *args, ok=(0,), env=None, **kw):
    p = subprocess.run(argv(root, *args, **kw), capture_output=True, text=True,
                       stdin=subprocess.DEVNULL, timeout=120 * poll.SLOW,
                       env=dict(world.environ(), **(env or {})))
    assert p.returncode in ok, (p.returncode, p.stdout[-3000:], p.stderr)
    return p


def measure(root, *args, **kw):
    """What came of the (first) shim, as JSON."""
    out = json.loads(stress(root, "-o", "json", *args, **kw).stdout)
    return out["shims"][0]


def test_wisp_is_clean(root, tmp):
    chart = tmp / "c.svg"
    p = stress(root, "-n", 2, "--rounds", 2, "-o", "json", "--chart", chart)
    out = json.loads(p.stdout)
    assert out["atOnce"] == 2 and out["scenarios"] == SCENARIOS
    s, = out["shims"]
    assert s["verdict"] == "clean" and not s["interrupted"]
    assert s["leaks"] == [] and s["wrong"] == []
    assert s["shim"] == world.SHIM and s["runtime"].endswith("/runc")
    assert s["pss"]["verdict"] == "tooFewRounds"
    # 1 to stay; 3 of create-delete and so on, 3 rounds with the warm-up
    assert s["containers"] == 1 + 3 * (3 + 1 + 4 + 3 + 3 + 3 + 2)
    assert s["execs"] == 3 * (2 * 2 + 2)
    assert len(s["rounds"]) == 2
    for r in (s["before"], *s["rounds"]):
        assert r["pssKiB"] >= r["privateKiB"] * 0.9 > 100
        assert r["fds"] == sum(r[k] for k in r if re.match("fd[A-Z]", k)) > 5
        assert (r["threads"], r["children"], r["zombies"]) == (1, 1, 0)
        assert (r["processes"], r["sockets"], r["mounts"]) == (2, 1, 0)
        assert r["cgroups"] >= 1 and r["files"] >= 3
    assert "\r" not in p.stderr and "round 0" in p.stderr
    svg = "{http://www.w3.org/2000/svg}"
    lines = [e for e in ET.parse(chart).getroot().iter(svg + "polyline")
             if e.find(svg + "title") is not None]
    assert [len(e.get("points").split()) for e in lines] == [2, 2]


@needs_plant
@pytest.mark.parametrize("kind, found, example", [
    ("fd", {"fdFiles"}, "-> /dev/null"),
    ("child", {"children"}, "sleep 1000000"),
    ("zombie", {"zombies"}, "process "),
    ("mount", {"mounts", "files"}, "/planted-"),
    ("cgroup", {"cgroups"}, "-planted"),
    ("inotify", {"inotifyWatches"}, "inotify wd:"),
    ("socket", {"sockets", "fdSockets", "files"}, "/planted-"),
    ("file", {"files"}, "/planted-")])
def test_planted(root, kind, found, example):
    s = measure(root, "-n", 1, "--rounds", 2, "--settle", "300ms",
                "create-delete", shim=PLANT, env={"WISP_PLANT": kind}, ok=(1,))
    leaks = {leak["class"]: leak for leak in s["leaks"]}
    assert set(leaks) == found
    assert s["verdict"] == "leaks" and s["wrong"] == []
    assert any(example in e for leak in leaks.values()
               for e in leak["examples"])
    for name, leak in leaks.items():
        on_host = name in ("mounts", "cgroups", "sockets", "files")
        # on the host a shim with a container of its own leaves some, too
        assert leak["perRound"] == (2 if kind == "cgroup" else 1)
        assert leak["sinceRound"] == (0 if on_host else 1)
        assert not leak["atEnd"]


@needs_plant
@pytest.mark.parametrize("kind, found", [("memory", ["memory"]), ("", [])])
def test_planted_memory(root, kind, found):
    s = measure(root, "-n", 1, "--rounds", 12, "--settle", "300ms",
                "create-delete", shim=PLANT, env={"WISP_PLANT": kind},
                ok=(len(found),))
    assert [leak["class"] for leak in s["leaks"]] == found
    assert s["pss"]["verdict"] == ("grows" if found else "flat")
    for leak in s["leaks"]:
        assert 60 < leak["perRound"] < 80


def test_wrong_results_are_told(root, tmp):
    """A runtime that starts nothing but the container that stays."""
    runc = tmp / "runc"
    runc.write_text("""#!/bin/sh
case " $* " in
*" start "*-0" ") ;;
*" start "*) echo "no start today" >&2; exit 1 ;;
esac
exec runc "$@"
""")
    runc.chmod(0o755)
    s = measure(root, "-n", 1, "--rounds", 1, "--runtime", runc,
                "create-delete", ok=(1,))
    w, = s["wrong"]
    assert (w["scenario"], w["what"]) == ("create-delete", "Start fails")
    assert "no start today" in w["example"]
    assert (w["count"], w["firstRound"]) == (4, 0)  # the warm-up is round 0
    assert s["verdict"] == "wrong" and s["leaks"] == []


@pytest.fixture
def go():
    if not os.access(world.GO_SHIM, os.X_OK):
        pytest.skip("no Go shim")
    return world.GO_SHIM


def test_go(root, go):
    s = measure(root, "-n", 1, "--rounds", 1, shim=go, ok=(0, 1))
    assert len(s["rounds"]) == 1 and s["rounds"][0]["threads"] > 1
    assert s["rounds"][0]["children"] == 1
    # containerd#12405: an OOM that is told late, or not at all
    assert {w["scenario"] for w in s["wrong"]} <= {"oom"}


def test_beside(root, go):
    p = stress(root, "-n", 1, "--rounds", 1, "--beside", go, "create-delete")
    head, names = p.stdout.splitlines()[:2]
    assert head.split() == ["containerd-shim-wisp-v1",
                            "containerd-shim-runc-v2"]
    assert names.split() == 2 * ["before", "after", "per", "round"]
    for title in ("PSS, KiB", "fds: pipes", "zombies", "cgroups"):
        row, = (r for r in p.stdout.splitlines() if r.startswith(title + " "))
        assert len(row[len(title):].split()) == 6
    assert p.stdout.count("no leak found") == 2
    assert "\033" not in p.stdout


def begin(root, *args):
    """Runs on; its bundles' folder, once the first round has begun."""
    p = subprocess.Popen(argv(root, "--rounds", 1000, *args), text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         stdin=subprocess.DEVNULL, env=world.environ())
    return p, lambda: [x.name for x in root.glob("stress-*/b/*")]


def has_begun(containers):
    """That many containers have been made so far."""
    return lambda root: any(int(b.name.split("-")[-1]) >= containers
                            for b in root.glob("stress-*/b/*"))


def is_deaf(root):
    return any(root.glob("stress-*/b/*-3")) and not any(
        root.glob("stress-*/events"))


@pytest.mark.parametrize("scenario, moment, sig", [
    ("create-delete", has_begun(9), signal.SIGINT),
    ("exec-storm", has_begun(2), signal.SIGTERM),
    ("daemon-loss", is_deaf, signal.SIGINT),
    ("shim-kill", has_begun(4), signal.SIGHUP)])
def test_interrupt(root, scenario, moment, sig):
    p, _ = begin(root, "-n", 3, scenario)
    poll.until(lambda: moment(root), "it works", every=0.002)
    p.send_signal(sig)
    out, err = p.communicate(timeout=60)
    assert p.returncode == 125, (out, err)
    assert err.splitlines()[-1].startswith("wispctl: stress: interrupted")


def test_killed(root):
    """The next run removes what a killed one has left."""
    p, bundles = begin(root, "-n", 2, "exec-storm")
    poll.until(lambda: len(bundles()) > 1, "it works")
    p.kill()
    p.communicate(timeout=60)
    left, = root.iterdir()
    stress(root, "-n", 1, "--rounds", 1, "create-delete")
    assert list(root.iterdir()) == [left], "it may be in use"
    os.utime(left, (0, 0))
    stress(root, "-n", 1, "--rounds", 1, "create-delete")


def test_the_shim_dies(root):
    p, bundles = begin(root, "-n", 1, "exec-storm")
    poll.until(lambda: len(bundles()) > 1, "it works")
    tag = bundles()[0].rsplit("-", 1)[0]
    pids = subprocess.run(["pgrep", "-f", "--", f"-id {tag}-0( |$)"],
                          capture_output=True, text=True).stdout.split()
    for pid in pids:
        os.kill(int(pid), signal.SIGKILL)
    out, err = p.communicate(timeout=90)
    assert p.returncode == 1, (out, err)
    assert "the shim has died" in out


def test_progress_on_a_terminal(root):
    args = argv(root, "-n", 1, "--rounds", 1, "create-delete")
    c = pexpect.spawn(args[0], args[1:], timeout=60, encoding="utf-8",
                      env=dict(world.environ(), TERM="xterm"))
    c.expect(r"\r\x1b\[K\[[#.]+\] +\d+%  round 1")
    c.expect("no leak found")
    c.expect(pexpect.EOF)
    c.close()
    assert c.exitstatus == 0


@pytest.mark.parametrize("args, why", [
    (["nosuch"], "no scenario 'nosuch'"),
    (["-n", "0"], "no number from 1"),
    (["--time", "soon"], "'soon' is no time"),
    (["--rounds"], "no value for '--rounds'"),
    (["--frequently"], "unknown option '--frequently'"),
    (["-o", "xml"], "text or json"),
    (["--runtime", "nosuch"], "nosuch"),
    (["--chart", "/nonexistent/c.svg"], "write the chart '/nonexistent"),
    (["--root", "/tmp/" + 80 * "x"], "too long")])
def test_usage(root, args, why):
    assert why in stress(root, *args, ok=(125,)).stderr


def test_help():
    text = subprocess.run([WISPCTL, "stress", "--help"], capture_output=True,
                          text=True, check=True).stdout
    for name in SCENARIOS:
        assert f"  {name} " in text
    assert "Examples:" in text and "Exit status:" in text
