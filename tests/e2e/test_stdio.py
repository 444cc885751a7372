# SPDX-License-Identifier: Apache-2.0
"""stdin, stdout, stderr of processes without a terminal."""
import hashlib
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import data
import fifo
import poll

MIB = 1 << 20


@pytest.mark.every_daemon
@pytest.mark.both
def test_20_mib_both_ways(daemon):
    want = data.block(20 * MIB)
    r = daemon.say("cat", input=want, text=False, timeout=60)
    data.same(r.out, want, "what cat gave back")
    assert r.err == b""


@pytest.mark.every_daemon
@pytest.mark.both
def test_20_mib_both_ways_by_exec(daemon, box):
    want = data.block(20 * MIB, 2)
    r = box("sleep", "1000").exec("cat", input=want, text=False, timeout=60)
    data.same(r.out, want, "what cat gave back")


def test_stdin_arrives_whole(daemon):
    """The container's own checksum, in case both ways hide a fault."""
    want = data.block(20 * MIB, 3)
    r = daemon.say("sha256sum", input=want, text=False, timeout=60)
    assert r.out.split()[0].decode() == hashlib.sha256(want).hexdigest()


def test_stderr_apart_from_stdout(daemon):
    """5 MiB on each at the same time, and neither sees the other's."""
    r = daemon.say("yes out | head -c 5242880 & "
                   "yes err | head -c 5242880 >&2 & wait", timeout=60,
                   text=False)
    data.same(r.out, (b"out\n" * (5 * MIB // 4 + 1))[:5 * MIB], "stdout")
    data.same(r.err, (b"err\n" * (5 * MIB // 4 + 1))[:5 * MIB], "stderr")


def count(argv):
    """Bytes on a command's stdout, and its exit code."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as p:
        size = 0
        while chunk := os.read(p.stdout.fileno(), MIB):
            size += len(chunk)
    return size, p.returncode


def test_burst_and_exit_of_exec_90_times(daemon, box):
    c = box("sleep", "1000")
    burst = ("dd", "if=/dev/zero", "bs=1M", "count=8")
    with ThreadPoolExecutor(3) as pool:
        got = list(pool.map(lambda n: count(daemon.argv(
            *c.exec_args(*burst))), range(poll.times(90))))
    assert set(got) == {(8 * MIB, 0)}


@pytest.mark.every_daemon
@pytest.mark.both
@pytest.mark.go_fails("tells the exit while ctr still reads; see LINGER")
def test_burst_and_exit_of_init_30_times_by_ctr(daemon):
    """The exit is told when its output has been read: a client that stops
    reading then, as ctr 1.6 does, has it all."""
    burst = ("dd", "if=/dev/zero", "bs=1M", "count=8")
    with ThreadPoolExecutor(3) as pool:
        got = list(pool.map(lambda n: count(daemon.argv(*daemon.run_args(
            *burst, flags=("--rm",)))), range(poll.times(30))))
    assert set(got) == {(8 * MIB, 0)}


@pytest.mark.both
def test_burst_and_exit_of_init_10_times(daemon, box, tmp):
    """Read by the test: ctr would not read on to the end (daemon.py)."""
    (tmp / "fifos").mkdir()
    flags = ("--fifo-dir", tmp / "fifos", "--mount",
             f"type=bind,src={tmp},dst=/t,options=rbind:ro")
    boxes = [box("sh", "-c", "until [ -e /t/go ]; do sleep 0.05; done; exec "
                 "dd if=/dev/zero bs=1M count=8", flags=flags)
             for _ in range(poll.times(10))]
    outs, errs = ([fifo.Reader(next(tmp.glob(f"fifos/*/{c}-std{name}")))
                   for c in boxes] for name in ("out", "err"))
    (tmp / "go").touch()
    assert [len(out.end()) for out in outs] == [8 * MIB] * 10
    assert [e.end().splitlines()[0] for e in errs] == [
        b"8+0 records in"] * 10
    for c in boxes:
        c.wait_status("STOPPED")
        assert c.delete() == 0


@pytest.mark.every_daemon
@pytest.mark.both
def test_cat_ends_when_stdin_is_closed(daemon, box):
    """CloseIO, not the FIFO's last writer, ends the container's stdin."""
    c = box("sleep", "1000")
    p = daemon.popen(*c.exec_args("cat"), stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE)
    p.stdin.write(b"x\n")
    p.stdin.flush()
    assert p.stdout.readline() == b"x\n"
    assert p.poll() is None
    p.stdin.close()
    assert p.wait(15) == 0


def test_nobody_reads_stdin(daemon):
    """A process that ignores its input may end; nothing hangs."""
    r = daemon.say("exec 0<&-; echo done; exit 3", ok=None,
                   input=data.block(4 * MIB), text=False, timeout=30)
    assert (r.rc, r.out) == (3, b"done\n")


def test_a_process_closes_its_stdout(daemon):
    """A stream that ends early does not end the other one."""
    r = daemon.say("exec >&-; echo later >&2; exit 4", ok=None)
    assert (r.rc, r.out, r.err) == (4, "", "later\n")


class Attached:
    """`ctr task attach` with pipes."""

    def __init__(self, c):
        self.p = c.daemon.popen("task", "attach", c.id,
                                stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)

    def send(self, line):
        self.p.stdin.write(line.encode() + b"\n")
        self.p.stdin.flush()

    def line(self, timeout=15):
        got = []
        t = threading.Thread(
            target=lambda: got.append(self.p.stdout.readline()), daemon=True)
        t.start()
        t.join(timeout)
        assert got, f"no line within {timeout} s"
        return got[0].decode().rstrip("\n")

    def vanish(self):
        self.p.kill()
        self.p.wait()


@pytest.mark.every_daemon
def test_detach_and_attach_again(daemon, box):
    """Clients come and go; the process sees one endless stdin."""
    c = box("sh", "-c", "while read l; do echo got-$l;"
            " [ $l = end ] && sleep 0.3 && exit 8; done", flags=())
    for n in range(4):
        a = Attached(c)
        a.send(f"{n}")
        assert a.line() == f"got-{n}"
        a.vanish()
        assert c.status() == "RUNNING"
    a = Attached(c)
    a.send("end")
    assert a.line() == "got-end"
    assert a.p.wait(15) == 8


def test_output_waits_for_a_reader(daemon, box):
    """With no client the process blocks; nothing is thrown away."""
    c = box("sh", "-c", "until [ -e /go ]; do sleep 0.05; done; "
            "seq 1 100000; sleep 0.3; exit 6", flags=())
    c.exec("touch", "/go")         # `ctr run -d` no longer reads along
    p = daemon.popen("task", "attach", c.id, stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE)
    out, _ = p.communicate(timeout=30)
    data.same(out, b"".join(b"%d\n" % n for n in range(1, 100001)), "stdout")
    assert p.returncode == 6


@pytest.mark.every_daemon
def test_null_io(daemon, box):
    """Empty stdio paths are /dev/null."""
    c = box("sh", "-c", "cat; echo nowhere; echo nowhere >&2; exit 2",
            flags=("--null-io",))
    c.wait_status("STOPPED")
    assert c.delete() == 2


@pytest.mark.every_daemon
def test_log_uri_file(daemon, tmp):
    """ctr run --log-uri file:///...: both streams in one file."""
    log = tmp / "deep" / "er" / "log"
    daemon.run("sh", "-c", "echo out; echo err >&2",
               flags=("--log-uri", f"file://{log}"))
    assert sorted(log.read_text().split()) == ["err", "out"]
