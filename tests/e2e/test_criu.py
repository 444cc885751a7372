# SPDX-License-Identifier: Apache-2.0
"""Checkpoint and restore with the real CRIU, where the kernel lets it work."""
import functools
import json
import pathlib
import re
import shutil
import subprocess
import time

import pytest

import fifo
import poll
import rawshim
import ttrpc
import world
from test_checkpoint import checkpoint
from test_shim_rpc import refused
from ttrpc import UNKNOWN

COUNT = ["sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done"]


@functools.cache
def why_not():
    if not shutil.which("criu"):
        return "no criu here"
    r = subprocess.run(["criu", "check"], capture_output=True, text=True)
    return "" if r.returncode == 0 else f"criu check: {r.stderr[-200:]}"


@functools.cache
def crun_can():
    return "+CRIU" in subprocess.run(["crun", "--version"],
                                     capture_output=True, text=True).stdout


@pytest.fixture(autouse=True)
def needs_criu():
    if why_not():
        pytest.skip(why_not())


@pytest.fixture(params=["runc", "crun"])
def s(request, raw):
    if request.param == "crun" and not crun_can():
        pytest.skip("this crun is built without CRIU")
    return raw(runtime=shutil.which(request.param))


@pytest.fixture
def image(tmp):
    return tmp / "image"


def begin(s, tmp, args, id="c1", change=None, **kw):
    """A started shim and container; its output."""
    out = fifo.make(tmp, f"{id}.out")
    reader = fifo.Reader(out)
    s.start(id, args, **kw)
    if change:
        edit(s, id, change)
    s.run(id, stdout=str(out), stderr=str(out),
          **({"terminal": True, "stdin": str(stdin(tmp, id))}
             if kw.get("terminal") else {}))
    return reader


def stdin(tmp, id):
    path = tmp / f"{id}.in"
    return path if path.exists() else fifo.make(tmp, path.name)


def again(s, tmp, image, args, id="c2", start=True, change=None, **kw):
    """The same container, from its image."""
    out = fifo.make(tmp, f"{id}.out")
    reader = fifo.Reader(out)
    s.bundle(id, args, **kw)
    if change:
        edit(s, id, change)
    s.create(id, checkpoint=str(image), stdout=str(out), stderr=str(out),
             **({"terminal": True, "stdin": str(stdin(tmp, id))}
                if kw.get("terminal") else {}))
    if start:
        s.task.Start(id=id, timeout=120)
    return reader


def numbers(data):
    return [int(n) for n in re.findall(rb"^(\d+)\r?$", data, re.M)]


def test_it_goes_on_where_it_was(s, tmp, image):
    out = begin(s, tmp, COUNT)
    out.until(b"5\n")
    checkpoint(s, image, exit=True, timeout=120)
    assert s.wait() == 137
    assert s.until("exit(137)")[-2:] == ["checkpointed", "exit(137)"]
    s.task.Delete(id="c1")
    before = numbers(out.end())
    assert before == list(range(len(before)))
    time.sleep(1)
    back = again(s, tmp, image, COUNT)
    poll.until(lambda: len(numbers(back.data)) > 5, "it counts on", 60)
    after = numbers(bytes(back.data))
    assert before[-1] <= after[0] <= before[-1] + 1
    assert after == list(range(after[0], after[0] + len(after)))
    assert s.state("c2") == "RUNNING"
    pid = s.task.State(id="c2").pid
    assert pid in [p.pid for p in s.task.Pids(id="c2").processes]
    s.exec("c2", "e1", ["sh", "-c", "exit 7"])
    assert s.wait("c2", "e1") == 7
    s.task.Stats(id="c2")
    s.task.Pause(id="c2")
    s.task.Resume(id="c2")
    assert s.end("c2") == 137


def test_it_keeps_running(s, tmp, image):
    out = begin(s, tmp, COUNT)
    out.until(b"3\n")
    checkpoint(s, image, timeout=120)
    n = len(out.data)
    poll.until(lambda: len(out.data) > n + 10, "it goes on", 60)
    assert s.state() == "RUNNING"
    got = numbers(bytes(out.data))
    assert got == list(range(len(got)))
    assert s.end() == 137


def test_paused(s, tmp, image):
    out = begin(s, tmp, COUNT)
    out.until(b"3\n")
    s.task.Pause(id="c1")
    try:
        checkpoint(s, image, timeout=120)
    except ttrpc.TtrpcError as e:
        assert "criu" in e.message.lower(), e.message
    assert s.state() == "PAUSED"
    s.task.Resume(id="c1")
    n = len(out.data)
    poll.until(lambda: len(out.data) > n, "it goes on", 60)


def test_terminal(s, tmp, image):
    shell = ["sh"]
    out = begin(s, tmp, shell, terminal=True)
    fifo.write_all(tmp / "c1.in", b"A=kept; echo $A-1\n")
    out.until(b"kept-1\r\n")
    checkpoint(s, image, exit=True, timeout=120)
    assert s.wait() == 137
    s.task.Delete(id="c1")
    back = again(s, tmp, image, shell, terminal=True)
    s.task.ResizePty(id="c2", width=91, height=19)
    fifo.write_all(tmp / "c2.in", b"echo $A-2; stty size; exit 5\n")
    back.until(b"kept-2\r\n", 60)
    back.until(b"19 91\r\n", 60)
    assert s.wait("c2") == 5
    s.task.Delete(id="c2")


# busybox has none: this machine's, with what it needs, below /tmp.
FLOCK = ["/tmp/usr/lib64/ld-linux-x86-64.so.2", "--library-path",
         "/tmp/usr/lib/x86_64-linux-gnu", "/tmp/usr/bin/flock"]
LOCK = [*FLOCK, "/tmp/lock", "sh", "-c", "echo locked; while :; do sleep 1; done"]


def edit(s, id, change):
    path = s.bundles[id] / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def with_flock(config):
    config["mounts"].append({"destination": "/tmp/usr", "type": "bind",
                             "source": "/usr", "options": ["rbind", "ro"]})


def test_file_locks(s, tmp, image):
    out = begin(s, tmp, LOCK, change=with_flock)
    out.until(b"locked")
    text = refused(UNKNOWN, checkpoint, s, image, timeout=120)
    assert "lock" in text.lower(), text
    kept = s.bundles["c1"] / "criu-dump.log"
    assert str(kept) in text and "Error (" in kept.read_text()
    shutil.rmtree(image)
    checkpoint(s, image, exit=True, file_locks=True, timeout=120)
    s.wait()
    s.task.Delete(id="c1")
    again(s, tmp, image, LOCK, change=with_flock)
    s.exec("c2", "e1", [*FLOCK, "-n", "/tmp/lock", "true"])
    assert s.wait("c2", "e1") == 1       # somebody has it


# In a loop, as busybox' sleep and nc end when a call of theirs is interrupted.
FOREVER = "while :; do sleep 1; done"
TCP = ["sh", "-c", f"nc -l -p 7777 -e sh -c '{FOREVER}' & sleep 0.5;"
       f" nc 127.0.0.1 7777 -e sh -c '{FOREVER}' &"
       " until netstat -tn | grep -q EST; do sleep 0.1; done;"
       f" echo connected; {FOREVER}"]


@pytest.fixture
def network(tmp):
    """A network namespace as a network plugin leaves it: the runtimes restore
    no network of their own making."""
    name = f"wisp-{tmp.name}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)

    def change(config):
        for ns in config["linux"]["namespaces"]:
            if ns["type"] == "network":
                ns["path"] = f"/run/netns/{name}"
    yield change
    subprocess.run(["ip", "netns", "del", name], check=True)


def test_open_tcp(s, tmp, image, network):
    begin(s, tmp, TCP, change=network).until(b"connected", 60)
    text = refused(UNKNOWN, checkpoint, s, image, timeout=120)
    assert "tcp" in text.lower(), text
    shutil.rmtree(image)
    checkpoint(s, image, exit=True, open_tcp=True, timeout=120)
    s.wait()
    s.task.Delete(id="c1")
    again(s, tmp, image, TCP, change=network)
    time.sleep(2)
    s.exec("c2", "e1", ["sh", "-c", "netstat -tn | grep -q EST"])
    assert s.wait("c2", "e1") == 0
    assert s.state("c2") == "RUNNING"


def with_net_admin(config):
    for caps in config["process"]["capabilities"].values():
        if "CAP_NET_ADMIN" not in caps:
            caps.append("CAP_NET_ADMIN")


def test_tcp_without_its_network(s, tmp, image):
    """Its own network is made anew, and empty: it fails, and says why."""
    if "crun" in s.runtime:
        pytest.skip("crun has CRIU save the network, too")
    args = [*TCP[:2], "ip link set lo up; " + TCP[2]]
    begin(s, tmp, args, change=with_net_admin).until(b"connected", 60)
    checkpoint(s, image, exit=True, open_tcp=True, timeout=120)
    s.wait()
    s.task.Delete(id="c1")
    again(s, tmp, image, args, change=with_net_admin, start=False)
    refused(UNKNOWN, s.task.Start, id="c2", timeout=120, match="Error (")
    log = (s.bundles["c2"] / "criu-restore.log").read_text()
    assert "Network is unreachable" in log
    s.task.Delete(id="c2")


def test_incremental(s, tmp, image):
    """Only what CRIU calls a pre-dump can be a parent, and no request asks
    for one: it is made by hand."""
    out = begin(s, tmp, COUNT)
    out.until(b"3\n")
    subprocess.run([s.runtime, "--root", f"/run/containerd/runc/{s.ns}",
                    "checkpoint", "--pre-dump", "--image-path",
                    str(tmp / "first"), "c1"], check=True, timeout=120)
    checkpoint(s, image, exit=True, parent_path=str(tmp / "first"),
               timeout=120)
    assert (image / "parent").resolve() == (tmp / "first").resolve()
    s.wait()
    s.task.Delete(id="c1")
    (tmp / "first").rename(tmp / "moved")
    back = fifo.Reader(fifo.make(tmp, "c2.out"))
    s.bundle("c2", COUNT)
    s.create("c2", checkpoint=str(image), stdout=str(tmp / "c2.out"),
             parent_checkpoint=str(tmp / "moved"))
    s.task.Start(id="c2", timeout=120)
    poll.until(lambda: len(numbers(back.data)) > 2, "it counts on", 60)


@pytest.mark.parametrize("harm", ["truncate", "remove"])
def test_a_corrupt_image(s, tmp, image, harm):
    begin(s, tmp, COUNT).until(b"3\n")
    checkpoint(s, image, exit=True, timeout=120)
    s.wait()
    s.task.Delete(id="c1")
    [core, *_] = sorted(image.glob("core-*.img"))
    if harm == "remove":
        core.unlink()
    else:
        core.write_bytes(core.read_bytes()[:10])
    again(s, tmp, image, COUNT, start=False)
    text = refused(UNKNOWN, s.task.Start, id="c2", timeout=120)
    assert "Error (" in text and "criu-restore.log" in text, text
    assert "Error (" in (s.bundles["c2"] / "criu-restore.log").read_text()
    s.task.Delete(id="c2")
    assert "exit" not in "".join(s.names("c2"))


def test_many_times(s, tmp):
    """Out and in again, and nothing grows."""
    begin(s, tmp, COUNT).until(b"3\n")
    last = "c1"
    for n in range(3):
        checkpoint(s, tmp / f"image{n}", id=last, exit=True, timeout=120)
        s.wait(last)
        s.task.Delete(id=last)
        last = f"c{n + 2}"
        out = again(s, tmp, tmp / f"image{n}", COUNT, id=last)
        poll.until(lambda: len(numbers(out.data)) > 2, "it counts on", 60)
    assert s.end(last) == 137


def test_through_the_daemon(daemon, box, tmp):
    """ctr saves a container in an image of its own, and makes it anew."""
    c = box("sh", "-c", "echo $$ >/state; i=0; while :; do i=$((i+1));"
            " echo $i >/state; sleep 0.1; done", id="saved1")
    poll.until(lambda: daemon.ctr("task", "ls").out.count("RUNNING"),
               "it runs", 60)
    ref = "localhost/saved:1"
    daemon.ctr("containers", "checkpoint", "--task", "--rw", "--image",
               "saved1", ref, timeout=180)
    c.remove()
    daemon.ctr("containers", "restore", "--live", "--rw", "saved2", ref,
               timeout=180)
    assert "RUNNING" in daemon.ctr("task", "ls").out
    daemon.ctr("task", "exec", "--exec-id", "e1", "saved2", "cat", "/state")
    daemon.ctr("task", "kill", "-s", "KILL", "saved2")
    poll.until(lambda: "STOPPED" in daemon.ctr("task", "ls").out,
               "it has ended", 60)
    daemon.ctr("task", "rm", "saved2", ok=None)
    daemon.ctr("containers", "rm", "saved2")
    daemon.ctr("images", "rm", ref)
    # a restore's folder is containerd's to remove, and it does not
    for folder in (world.base / "tmp").glob("ctrd-checkpoint*"):
        shutil.rmtree(folder)
