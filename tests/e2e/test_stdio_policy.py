# SPDX-License-Identifier: Apache-2.0
"""The annotation io.wisp.stdio.policy: a reader stalls, a disk is full."""
import os
import subprocess
import threading
import time

import pytest

import data
import fifo
import poll
import rawshim
import ttrpc
from test_logger import logger  # noqa: F401 (a fixture)

pytestmark = pytest.mark.go_fails("knows no such annotation", run=False)
KEY = "io.wisp.stdio.policy"
LOTS = "seq 1 2800000"                  # 21 MB
NUMBERS = b"".join(b"%d\n" % n for n in range(1, 2800001))


@pytest.fixture
def out(tmp):
    """Two FIFOs that nobody has opened."""
    a, b = fifo.make(tmp, "out", "err")
    return {"stdout": str(a), "stderr": str(b)}


@pytest.fixture
def disk(tmp):
    """A file system of 1 MiB."""
    path = tmp / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path],
                   check=True)
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def start(raw, policy, script, **kw):
    notes = {KEY: policy} if policy is not None else {}
    s = raw().start("c1", ["sh", "-c", script], connect=False, **kw)
    config = s.bundles["c1"] / "config.json"
    with open(config) as f:
        text = rawshim.json.load(f)
    text["annotations"].update(notes)
    config.write_text(rawshim.json.dumps(text))
    s.connect()
    return s


@pytest.mark.parametrize("value", ["", "block", "drop", "spool=64M,then=drop"])
def test_good_values(raw, value):
    s = start(raw, value, "exit 3")
    s.run()
    assert s.wait() == 3


@pytest.mark.parametrize("value", ["Drop", "spool=1", "spool=8k,then=wait"])
def test_bad_values_refuse_create(raw, value):
    s = start(raw, value, "exit 3")
    with pytest.raises(ttrpc.TtrpcError) as e:
        s.create()
    assert e.value.code == ttrpc.INVALID_ARGUMENT
    assert f"{KEY}='{value}'" in e.value.message


# ---- drop

def test_drop(raw, out):
    """Nobody reads; the process does not notice."""
    s = start(raw, "drop", LOTS + "; exit 3")
    s.run(**out)
    assert s.wait() == 3
    reader = fifo.Reader(out["stdout"])
    got = reader.end()
    assert 60000 < len(got) < 300000 and NUMBERS.startswith(got[:60000])
    s.task.Delete(id="c1")
    text = s.log("c1")
    assert "init: stdout is being dropped: its reader is behind" in text
    lost = len(NUMBERS) - len(got)
    assert f"init: {lost} bytes of output were lost" in text
    assert text.count("\n") < 8, text


def test_drop_goes_on_with_whole_lines(raw, out):
    """One line may have been cut, but none is joined with another."""
    s = start(raw, "drop", "seq 1 1000000; echo full >&2; read x; "
              "seq 2000000 2000100; echo end")
    stdin = fifo.make(s.folder, "in")
    err = fifo.Reader(out["stderr"])
    s.run(stdin=str(stdin), **out)
    err.until(b"full\n")
    reader = fifo.Reader(out["stdout"])
    poll.until(lambda: len(reader.data) > 60000, "what the FIFO had")
    fifo.write_all(stdin, b"\n")
    assert s.wait() == 0
    lines = reader.end().split(b"\n")
    at = lines.index(b"2000001")
    assert lines[at:] == [b"%d" % n for n in range(2000001, 2000101)] + [
        b"end", b""]
    first = b"\n".join(lines[:at - 1])
    assert NUMBERS.startswith(first), first[-100:]
    assert lines[at - 1] in (b"2000000", b"") or NUMBERS.startswith(
        first + b"\n" + lines[at - 1])


def test_drop_of_an_exec(raw, out):
    s = start(raw, "drop", "sleep 1000")
    s.run()
    s.exec("c1", "e1", ["sh", "-c", "seq 1 300000 >&2; exit 4"], **out)
    assert s.wait("c1", "e1") == 4
    assert s.state() == "RUNNING"
    s.task.Delete(id="c1", exec_id="e1", timeout=30)
    assert "exec e1: stderr is being dropped" in s.log("c1")


def test_without_a_policy_it_waits(raw, out):
    s = start(raw, None, "seq 1 1000000; exit 5")
    s.run(**out)
    assert s.state() == "RUNNING"
    time.sleep(1)
    assert s.state() == "RUNNING"
    assert fifo.Reader(out["stdout"]).end().endswith(b"\n1000000\n")
    assert s.wait() == 5


# ---- spool

def test_spool(raw, out):
    """The process ends, its exit is told, and then comes the reader."""
    s = start(raw, "spool=32M", LOTS + "; exit 3")
    s.run(**out)
    assert s.wait() == 3
    s.until("exit(3)")
    data.same(fifo.Reader(out["stdout"]).end(), NUMBERS, "stdout")
    assert s.task.Delete(id="c1").exit_status == 3
    text = s.log("c1")
    assert "init: stdout waits in a spool: its reader is behind" in text
    assert "lost" not in text


def test_spool_burst_and_immediate_exit(raw, out):
    """The reader is there all the time; Delete comes at once."""
    s = start(raw, "spool", LOTS)
    reader = fifo.Reader(out["stdout"])
    s.run(**out)
    assert s.wait() == 0
    s.task.Delete(id="c1", timeout=60)
    data.same(reader.end(), NUMBERS, "stdout")


def test_spool_reader_goes_and_returns(raw, out):
    s = start(raw, "spool=32M", LOTS)
    got, reader = bytearray(), fifo.Reader(out["stdout"], 1234567)
    s.run(**out)
    for n in range(7):
        reader._thread.join(20)
        got += reader.stop()
        reader = fifo.Reader(out["stdout"], 1234567 if n < 6 else None)
    got += reader.end()
    data.same(bytes(got), NUMBERS, "all that the readers got")
    assert s.wait() == 0


def test_spool_that_nobody_reads(raw, out):
    """Delete is bounded, and says what was lost."""
    s = start(raw, "spool=32M", LOTS)
    s.run(**out)
    assert s.wait() == 0
    s.task.Delete(id="c1", timeout=30)
    assert "bytes of output were lost" in s.log("c1")


def test_spool_is_bounded(raw, out):
    s = start(raw, "spool=1m", LOTS)
    s.run(**out)
    poll.until(lambda: spool_sizes(s.pid) == [1 << 20], "a full spool")
    time.sleep(0.5)
    assert s.state() == "RUNNING" and spool_sizes(s.pid) == [1 << 20]
    data.same(fifo.Reader(out["stdout"]).end(), NUMBERS, "stdout")
    assert s.wait() == 0
    assert spool_sizes(s.pid) == []


def test_spool_then_drop(raw, out):
    s = start(raw, "spool=1m,then=drop", LOTS + "; exit 3")
    s.run(**out)
    assert s.wait() == 3
    got = fifo.Reader(out["stdout"]).end()
    assert 1 << 20 < len(got) < 2 << 20
    data.same(got[:1 << 20], NUMBERS[:1 << 20], "what came first")


def spool_sizes(pid):
    """Of the shim's files without a name."""
    return [os.stat(f"/proc/{pid}/fd/{n}").st_size
            for n, name in rawshim.proc.fds(pid).items()
            if name.endswith("(deleted)") and "/b/c1/" in name]


def test_spool_of_a_terminal(raw, out):
    s = start(raw, "spool", "seq 1 300000; exit 3", terminal=True)
    s.run(terminal=True, stdout=out["stdout"])
    assert s.wait() == 3
    data.same(fifo.Reader(out["stdout"]).end(), b"".join(
        b"%d\r\n" % n for n in range(1, 300001)), "the terminal")


def test_spool_for_a_slow_logger(raw, logger):  # noqa: F811
    """The process is done long before it."""
    log = logger(slow=0.004)    # 5 s at the least, an exit waits for 2
    s = start(raw, "spool", "seq 1 200000; exit 3")
    s.run(**log.both)
    assert s.wait() == 3
    want = NUMBERS[:NUMBERS.index(b"\n200000\n") + 8]
    assert len(log.read()) < len(want)
    log.until("stdout", want)
    s.task.Delete(id="c1", timeout=40)
    assert log.read() == want


def test_memory_is_flat(raw, out):
    """20 MiB in a spool are not in the shim."""
    s = start(raw, "spool=32M", f"read x; {LOTS}; read x; {LOTS}; read x")
    stdin = fifo.make(s.folder, "in")
    s.run(stdin=str(stdin), **out)

    def now():
        return dirty(s.pid), len(rawshim.proc.fds(s.pid))

    def filled():
        return sum(spool_sizes(s.pid)) > 20 << 20
    idle = now()
    fifo.write_all(stdin, b"\n")
    poll.until(filled, "a spool", 60)
    before = now()
    reader = fifo.Reader(out["stdout"])
    poll.until(lambda: not spool_sizes(s.pid), "it is empty", 60)
    reader.stop()
    assert now()[1] == idle[1]
    fifo.write_all(stdin, b"\n")
    poll.until(filled, "a spool again", 60)
    after = now()
    reader = fifo.Reader(out["stdout"])
    reader.until(b"\n2800000\n", 60)
    s.end()
    reader.end()
    assert after[1] == before[1] == idle[1] + 1
    if "ASAN_OPTIONS" not in os.environ:
        # its program is on a tmpfs: pages of code that it has not run
        # before count, too
        assert after[0] <= before[0] + 128, f"{before} -> {after} KiB"
        assert after[0] <= idle[0] + 256, f"{idle} -> {after} KiB"


def dirty(pid):
    """KiB that are the process's own, and not its program's."""
    return sum(int(line.split()[1]) for line in rawshim.proc.read(
        f"/proc/{pid}/smaps_rollup").splitlines() if "Private_Dirty" in line)


# ---- a full disk

def test_full_disk_waits(raw, disk):
    """Nothing is lost: it goes on when there is room."""
    log = disk / "log"
    s = start(raw, None, "seq 1 300000; exit 3")
    s.run(stdout=f"file://{log}")
    poll.until(lambda: "stdout waits, and the process will, too: the disk "
               "is full" in s.log("c1"), "a line in the log")
    assert s.state() == "RUNNING"
    first = log.read_bytes()
    os.truncate(log, 0)
    got = [first]

    def rest():
        """Takes away what there is, as a log's rotation would."""
        part = log.read_bytes()
        os.truncate(log, 0)
        got.append(part)
        return s.state() != "RUNNING"
    poll.until(rest, "the end", 30, every=0.3)
    assert s.wait() == 3
    s.task.Delete(id="c1")
    got.append(log.read_bytes())
    want = NUMBERS[:NUMBERS.index(b"\n300000\n") + 8]
    assert len(b"".join(got)) <= len(want) and first == want[:len(first)]
    assert "lost" not in s.log("c1")


def test_full_disk_drops(raw, disk):
    log = disk / "log"
    s = start(raw, "drop", "seq 1 300000; exit 3")
    s.run(stdout=f"file://{log}")
    assert s.wait() == 3
    s.task.Delete(id="c1")
    got = log.read_bytes()
    assert len(got) == 1 << 20 and NUMBERS.startswith(got)
    want = NUMBERS.index(b"\n300000\n") + 8
    assert f"{want - len(got)} bytes of output were lost" in s.log("c1")


def test_full_disk_spools(raw, disk):
    """Another disk has what this one can't take."""
    log = disk / "log"
    s = start(raw, "spool", "seq 1 200000; exit 3")
    s.run(stdout=f"file://{log}")
    assert s.wait() == 3
    want = NUMBERS[:NUMBERS.index(b"\n200000\n") + 8]
    first = log.read_bytes()
    data.same(first, want[:1 << 20], "the full disk")
    os.truncate(log, 0)
    poll.until(lambda: log.stat().st_size == len(want) - len(first),
               lambda: f"the rest: {log.stat().st_size}")
    assert log.read_bytes() == want[len(first):]
    s.task.Delete(id="c1")


def test_full_disk_for_ever(raw, disk):
    """Delete is bounded, and says what was lost."""
    s = start(raw, None, "seq 1 300000")
    s.run(stdout=f"file://{disk}/log")
    poll.until(lambda: "the disk is full" in s.log("c1"), "a line")
    s.kill()
    assert s.wait() == 137
    t = threading.Thread(target=s.task.Delete,
                         kwargs={"id": "c1", "timeout": 30})
    t.start()
    t.join(30)
    assert not t.is_alive()
    assert "bytes of output were lost" in s.log("c1")
