# SPDX-License-Identifier: Apache-2.0
"""wispctl's commands that speak of cgroups: update, stats, pause."""
import json
import os

import pytest

import world
from test_ctl_tasks import calls, end, on, s, tty    # noqa: F401
from test_wispctl import WISPCTL

pytestmark = [
    pytest.mark.go_fails("the tests start wisp and the Go shim themselves",
                         run=False),
    pytest.mark.skipif(not os.access(WISPCTL, os.X_OK),
                       reason=f"no {WISPCTL}")]


# ---- pause, resume

def test_pause_and_resume(s):
    s.run()
    assert calls(on(s, "pause", "c1")) == ["Pause"]
    assert s.state() == "PAUSED"
    assert "pause 'c1': " in on(s, "pause", "c1", ok=125).stderr
    assert calls(on(s, "resume", "c1")) == ["Resume"]
    assert s.state() == "RUNNING"
    assert s.end() == 137


def test_delete_paused_and_exec(s):
    s.run()
    s.exec("c1", "e1", ["sleep", "999"])
    assert "wispctl kill -x e1 c1" in on(
        s, "delete", "-x", "e1", "c1", ok=125).stderr
    on(s, "kill", "-s", "9", "-x", "e1", "c1")
    on(s, "wait", "-x", "e1", "c1")
    assert calls(on(s, "delete", "-x", "e1", "c1")) == ["Delete"]
    s.task.Pause(id="c1")
    p = on(s, "delete", "-f", "c1")
    assert calls(p) == [
        "State", "Kill", "Resume", "Wait", "Delete", "Shutdown"]


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


# ---- stats

def stats(s, *args, **kw):
    return json.loads(on(s, "stats", "-o", "json", *args, **kw).stdout)


def test_stats(s):
    s.run()
    s.exec("c1", "e1", ["sh", "-c", "while :; do :; done"])
    on(s, "update", "-m", "64m", "--pids", "50", "c1")
    p = on(s, "stats", "-o", "json", "c1")
    assert calls(p) == ["Stats", "Stats"]           # a share needs two
    d = json.loads(p.stdout)
    assert d["time"].endswith("Z")
    c, = d["containers"]
    assert (c["id"], c["namespace"]) == ("c1", s.ns)
    assert c["cgroupVersion"] == (2 if world.V2 else 1)
    assert 1 < c["cpu"]["percent"] < 150 * os.cpu_count()
    assert c["cpu"]["usageNs"] > 0
    assert 0 < c["memory"]["usage"] <= c["memory"]["max"]
    assert c["memory"]["limit"] == 64 << 20
    assert c["pids"]["current"] >= 2 and c["pids"]["limit"] == 50
    assert c["oomKills"] == 0 and c["io"]["readBytes"] >= 0
    head, row = on(s, "stats", "--no-stream", "c1").stdout.splitlines()
    assert head.split() == ["ID", "CPU%", "MEMORY", "LIMIT", "MEM%", "PIDS",
                            "READ", "WRITTEN", "OOM"]
    cells = row.split()
    assert cells[0] == "c1" and float(cells[1]) > 1 and cells[3] == "64M"
    assert cells[5].endswith("/50")
    p = on(s, "stats", "-o", "json", "c1", "nosuch", ok=125)
    good, bad = json.loads(p.stdout)["containers"]
    assert good["id"] == "c1" and "no shim" in bad["error"]
    assert s.end() == 137


def test_stats_on_a_terminal(s, tty):
    s.run()
    t = tty("stats", "-n", s.ns, "c1")
    t.expect("CPU%")
    t.expect("c1 +[0-9.]+ ")                        # its second round
    t.send("q")
    assert end(t) == 0
    t = tty("stats", "-n", s.ns, "c1")
    t.expect("c1 ")
    s.task.Kill(id="c1", signal=9)
    s.wait()
    s.task.Delete(id="c1")
    t.expect("stats 'c1': ")                        # it ends by itself
    assert end(t) == 125


def test_stats_oom(s):
    s.run()
    on(s, "update", "-m", "16m", "c1")
    on(s, "exec", "c1", "tail", "/dev/zero", ok=137)
    assert stats(s, "c1")["containers"][0]["oomKills"] >= 1
    assert on(s, "stats", "c1").stdout.splitlines()[1].split()[-1] != "0"
    assert s.end() == 137
