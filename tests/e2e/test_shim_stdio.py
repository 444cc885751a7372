# SPDX-License-Identifier: Apache-2.0
"""stdio by hand: FIFOs, files, terminals, readers that come and go."""
import os
import threading

import pytest

import data
import fifo
import poll
import proc
import ttrpc

MIB = 1 << 20
BOUND = 25


class Ends:
    """Three FIFOs; `out` and `err` are read from the beginning."""

    def __init__(self, folder, names=("in", "out", "err")):
        self.paths = dict(zip(("stdin", "stdout", "stderr"), map(
            str, fifo.make(folder, *names))))
        self.stdin = self.paths["stdin"]
        self.out = fifo.Reader(self.paths["stdout"])
        self.err = fifo.Reader(self.paths["stderr"])


@pytest.fixture
def pipes(tmp):
    """Three FIFOs that nobody has opened."""
    return dict(zip(("stdin", "stdout", "stderr"), map(str, fifo.make(
        tmp, "in", "out", "err"))))


@pytest.fixture
def ends(tmp):
    """Three FIFOs with a client at them, as daemons' clients are."""
    e = Ends(tmp)
    yield e
    e.out.stop()
    e.err.stop()


def command(raw, *args, **kw):
    return raw().start("c1", ["sh", "-c", *args], **kw)


def test_three_fifos(raw, ends):
    s = command(raw, "cat; echo err >&2; exit 3")
    s.create(**ends.paths)
    state = s.task.State(id="c1")
    assert {k: getattr(state, k) for k in ends.paths} == ends.paths
    assert not state.terminal
    s.task.Start(id="c1")
    fifo.write_all(ends.stdin, b"hello\n")
    ends.out.until(b"hello\n")
    s.task.CloseIO(id="c1", stdin=True)
    assert s.wait() == 3
    assert (ends.out.end(), ends.err.end()) == (b"hello\n", b"err\n")


@pytest.mark.go_fails("waits in open() (containerd#2551)", run=False)
def test_create_does_not_wait_for_the_other_ends(raw, pipes):
    """Opening a FIFO without a peer never blocks an RPC."""
    s = command(raw, "echo out; echo err >&2; exit 2")
    s.create(timeout=10, **pipes)
    s.task.Start(id="c1", timeout=10)
    assert s.wait() == 2
    out, err = fifo.Reader(pipes["stdout"]), fifo.Reader(pipes["stderr"])
    assert (out.end(), err.end()) == (b"out\n", b"err\n")


@pytest.mark.go_fails("waits in open() (containerd#2551)", run=False)
def test_nobody_ever_reads(raw, pipes):
    """Delete is bounded although the output has nowhere to go."""
    s = command(raw, "yes | head -c 60000; exit 2")
    s.run(**pipes)
    assert s.wait() == 2
    assert s.task.Delete(id="c1", timeout=BOUND).exit_status == 2


def test_reader_goes_and_returns(raw, pipes):
    """10 MiB, a reader that crashes seven times: nothing is lost."""
    s = command(raw, "seq 1 1400000; exit 4")
    got, reader = bytearray(), fifo.Reader(pipes["stdout"], 1234567)
    fifo.Reader(pipes["stderr"])
    s.create(**pipes)
    s.task.Start(id="c1")
    for n in range(7):
        reader._thread.join(20)
        got += reader.stop()
        reader = fifo.Reader(pipes["stdout"], 1234567 if n < 6 else None)
    got += reader.end()
    want = b"".join(b"%d\n" % n for n in range(1, 1400001))
    assert len(want) > 10 * MIB - MIB
    data.same(bytes(got), want, "stdout")
    assert s.wait() == 4


@pytest.mark.go_fails("waits in open() (containerd#2551)", run=False)
def test_reader_is_absent_for_a_while(raw, pipes):
    """The process blocks, nothing else does; then it goes on."""
    s = command(raw, "head -c 10485760 /dev/zero; exit 5")
    s.run(**pipes)
    s.exec("c1", "e1", ["sh", "-c", "exit 7"])
    assert s.wait("c1", "e1") == 7
    assert s.state(timeout=5) == "RUNNING"
    out = fifo.Reader(pipes["stdout"])
    assert len(out.end()) == 10 * MIB
    assert s.wait() == 5


def test_what_was_written_before_closeio_arrives(raw, ends):
    """CloseIO while the process is slow to read: all of it, then EOF."""
    s = command(raw, "sleep 0.3; wc -c")
    s.run(**ends.paths)
    writer = threading.Thread(target=fifo.write_all, args=(
        ends.stdin, b"x" * 300000))
    writer.start()
    writer.join(20)
    s.task.CloseIO(id="c1", stdin=True)
    assert ends.out.end().strip() == b"300000"
    assert s.wait() == 0


def test_closing_the_fifo_alone_does_not_end_stdin(raw, ends):
    s = command(raw, "cat; echo eof")
    s.run(**ends.paths)
    for n in range(5):             # five clients, each hangs up
        fifo.write_all(ends.stdin, b"%d\n" % n)
        ends.out.until(b"%d\n" % n)
    assert b"eof" not in ends.out.data and s.state() == "RUNNING"
    s.task.CloseIO(id="c1", stdin=True)
    assert ends.out.end() == b"0\n1\n2\n3\n4\neof\n"


def test_closeio_before_start(raw, ends):
    """Legal in every state, and remembered."""
    s = command(raw, "cat; exit 6")
    s.create(**ends.paths)
    s.task.CloseIO(id="c1", stdin=True)
    s.task.Start(id="c1")
    assert s.wait() == 6
    s.task.CloseIO(id="c1", stdin=True)        # after the exit: harmless


@pytest.mark.go_fails("forgets it", run=False)
def test_closeio_before_start_of_an_exec(shim, ends):
    shim.run()
    shim.exec("c1", "e1", ["sh", "-c", "cat; echo end"], start=False,
              **ends.paths)
    fifo_fd = os.open(ends.stdin, os.O_RDWR | os.O_NONBLOCK)
    os.write(fifo_fd, b"early\n")
    shim.task.CloseIO(id="c1", exec_id="e1", stdin=True)
    shim.task.Start(id="c1", exec_id="e1")
    assert shim.wait("c1", "e1") == 0
    assert ends.out.end() == b"early\nend\n"
    os.close(fifo_fd)


def test_closeio_without_stdin(shim):
    """Nothing to close: no error, no harm."""
    shim.run()
    shim.task.CloseIO(id="c1", stdin=True)
    shim.task.CloseIO(id="c1", stdin=False)
    assert shim.state() == "RUNNING"


def test_closeio_ends_no_output(raw, ends):
    s = command(raw, "cat >/dev/null; seq 1 200000")
    s.run(**ends.paths)
    s.task.CloseIO(id="c1", stdin=True)
    data.same(ends.out.end(), b"".join(b"%d\n" % n for n in range(1, 200001)),
              "stdout")


def test_piped_cat_40_times(shim, tmp):
    """The exec loop of containerd#2659: EOF arrives each time."""
    shim.run()
    for n in range(40):
        e = Ends(tmp, (f"i{n}", f"o{n}", f"e{n}"))
        shim.exec("c1", f"e{n}", ["cat"], **e.paths)
        fifo.write_all(e.stdin, b"x" * 20000)
        shim.task.CloseIO(id="c1", exec_id=f"e{n}", stdin=True)
        assert e.out.end() == b"x" * 20000
        assert shim.wait("c1", f"e{n}") == 0
        shim.task.Delete(id="c1", exec_id=f"e{n}")


# ---- null, files, and what is neither

def test_empty_paths_are_dev_null(raw):
    s = command(raw, "readlink /proc/self/fd/1; test -z \"$(cat)\" && "
                "echo x && echo y >&2; exit 3")
    s.run()
    assert s.wait() == 3


@pytest.mark.go_fails("1.6 takes all three paths or none")
def test_no_stdin_is_eof(raw, pipes):
    s = command(raw, "cat; echo end")
    out = fifo.Reader(pipes["stdout"])
    s.run(stdout=pipes["stdout"])
    assert out.end() == b"end\n"


@pytest.mark.go_fails("dies: 1.6 has no stdin to go with a file")
def test_file(raw, tmp):
    """Appended, parents made, both streams in one file."""
    log = tmp / "a b" / "c" / "log"
    s = command(raw, "echo out; echo err >&2")
    uri = "file://" + str(log).replace(" ", "%20")
    s.run(stdout=uri, stderr=uri)
    assert s.wait() == 0
    s.task.Delete(id="c1")
    assert sorted(log.read_text().split()) == ["err", "out"]
    log2 = tmp / "two"
    log2.write_text("before\n")
    s.bundle("c2", ["sh", "-c", "echo after"])
    s.run("c2", stdout=f"file://{log2}")
    assert s.wait("c2") == 0
    s.task.Delete(id="c2")
    assert log2.read_text() == "before\nafter\n"


@pytest.mark.go_fails("dies: 1.6 has no stdin to go with a file")
def test_10_mib_into_a_file(raw, tmp):
    s = command(raw, "seq 1 1400000")
    s.run(stdout=f"file://{tmp}/log")
    assert s.wait() == 0
    s.task.Delete(id="c1")
    data.same((tmp / "log").read_bytes(), b"".join(
        b"%d\n" % n for n in range(1, 1400001)), "the file")


@pytest.mark.go_fails("leaves what `create` had made")
def test_a_fifo_that_is_not_there(shim, tmp):
    with pytest.raises(ttrpc.TtrpcError) as e:
        shim.create(stdout=f"{tmp}/absent")
    assert f"{tmp}/absent" in e.value.message


# ---- who holds the write end

def test_grandchild_outside_holds_stdout(raw, ends):
    """Delete's drain is bounded; what was written is there."""
    s = command(raw, "echo last; sleep 1000")
    pid = s.run(**ends.paths)
    ends.out.until(b"last\n")
    holder = proc.holding(f"/proc/{pid}/fd/1")
    try:
        s.kill()
        assert s.wait() == 137
        assert s.task.Delete(id="c1", timeout=BOUND).exit_status == 137
        assert holder.poll() is None
        assert ends.out.end() == b"last\n"
    finally:
        holder.kill()
        holder.wait()


@pytest.mark.go_fails("waits in open() (containerd#2551)", run=False)
def test_exit_is_told_before_the_drain_ends(raw, pipes):
    """TaskExit and Wait never wait for stdio."""
    s = command(raw, "head -c 65536 /dev/zero; echo done >&2; sleep 1000")
    err = fifo.Reader(pipes["stderr"])
    s.run(**pipes)
    err.until(b"done")
    s.kill()
    assert s.wait(timeout=5) == 137
    s.until("exit(137)", timeout=5)
    assert len(fifo.Reader(pipes["stdout"]).end()) == 65536


# ---- terminals

@pytest.fixture
def tty(raw, pipes):
    """A shell on a terminal: (shim, reader of its output)."""
    s = raw().start("c1", ["sh"], terminal=True)
    out = fifo.Reader(pipes["stdout"])
    s.run(terminal=True, stdin=pipes["stdin"], stdout=pipes["stdout"])
    return s, out


def test_terminal(tty, pipes):
    s, out = tty
    state = s.task.State(id="c1")
    assert state.terminal and state.stderr == ""
    s.task.ResizePty(id="c1", width=123, height=45)
    fifo.write_all(pipes["stdin"], b"stty size; exit 7\n")
    out.until(b"45 123\r\n")
    assert s.wait() == 7
    s.task.ResizePty(id="c1", width=80, height=24)     # harmless
    assert b"45 123" in out.end()


@pytest.mark.go_fails("says nothing")
def test_resize_without_a_terminal(shim):
    shim.run()
    with pytest.raises(ttrpc.TtrpcError):
        shim.task.ResizePty(id="c1", width=80, height=24)
    shim.exec("c1", "e1", ["sleep", "1000"])
    with pytest.raises(ttrpc.TtrpcError):
        shim.task.ResizePty(id="c1", exec_id="e1", width=80, height=24)


def test_exec_terminal(shim, pipes):
    shim.run()
    out = fifo.Reader(pipes["stdout"])
    shim.exec("c1", "e1", ["sh"], terminal=True, stdin=pipes["stdin"],
              stdout=pipes["stdout"])
    shim.task.ResizePty(id="c1", exec_id="e1", width=91, height=19)
    fifo.write_all(pipes["stdin"], b"stty size; tty; exit 8\n")
    out.until(b"19 91\r\n")
    assert shim.wait("c1", "e1") == 8
    assert b"/dev/pts/" in out.end()


def test_terminal_output_is_complete(raw, pipes):
    s = raw().start("c1", ["seq", "1", "100000"], terminal=True)
    out = fifo.Reader(pipes["stdout"])
    s.run(terminal=True, stdin=pipes["stdin"], stdout=pipes["stdout"])
    assert s.wait() == 0
    data.same(out.end(), b"".join(b"%d\r\n" % n for n in range(1, 100001)),
              "the terminal")


def test_terminal_reader_goes_and_returns(raw, pipes):
    s = raw().start("c1", ["seq", "1", "300000"], terminal=True)
    reader, got = fifo.Reader(pipes["stdout"], 500000), bytearray()
    s.create(terminal=True, stdin=pipes["stdin"], stdout=pipes["stdout"])
    s.task.Start(id="c1")
    for n in range(3):
        reader._thread.join(20)
        got += reader.stop()
        reader = fifo.Reader(pipes["stdout"], 500000 if n < 2 else None)
    got += reader.end()
    data.same(bytes(got), b"".join(
        b"%d\r\n" % n for n in range(1, 300001)), "the terminal")


def test_hangup_of_a_terminal_with_leftovers(tty, pipes):
    """Someone in the container keeps the pty open: still bounded."""
    s, out = tty
    fifo.write_all(pipes["stdin"],
                   b"(trap '' HUP; sleep 1000) & exit 2\n")
    assert s.wait() == 2
    assert s.task.Delete(id="c1", timeout=BOUND).exit_status == 2


@pytest.mark.go_fails("1.6 opens the empty path")
def test_terminal_without_paths(raw):
    """A pty nobody listens to."""
    s = raw().start("c1", ["sh", "-c", "seq 1 20000; exit 3"], terminal=True)
    s.run(terminal=True)
    assert s.wait() == 3


# ---- nothing is kept open

def test_fds_after_many_execs(shim, tmp):
    shim.run()

    def once(n):
        e = Ends(tmp, (f"i{n}", f"o{n}", f"e{n}"))
        shim.exec("c1", f"e{n}", ["echo", "x"], **e.paths)
        assert e.out.end() == b"x\n"
        assert shim.wait("c1", f"e{n}") == 0
        shim.task.Delete(id="c1", exec_id=f"e{n}")
    once(0)
    before = len(proc.fds(shim.pid))
    for n in range(1, 60):
        once(n)
    poll.until(lambda: len(proc.fds(shim.pid)) <= before,
               lambda: f"{before} fds: {proc.fds(shim.pid)}")
    assert [p for p in proc.children(shim.pid) if p.comm != "sleep"] == []
