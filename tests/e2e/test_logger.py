# SPDX-License-Identifier: Apache-2.0
"""binary:// and binary-v2://: the output goes to a program."""
import json
import pathlib
import threading
import time
import urllib.parse

import pytest

import container
import data
import fifo
import poll
import proc
import runtime
import ttrpc

PROGRAM = pathlib.Path(__file__).with_name("logger.py")
NUMBERS = b"".join(b"%d\n" % n for n in range(1, 1000001))


class Logger:
    """A logger's URI, and what it has left in its folder."""

    def __init__(self, folder, scheme="binary", program=PROGRAM, **args):
        folder.mkdir()
        self.folder = folder
        query = urllib.parse.urlencode({"dir": folder, **args})
        self.uri = f"{scheme}://{program}?{query}"
        self.both = {"stdout": self.uri, "stderr": self.uri}

    def read(self, name="stdout"):
        path = self.folder / name
        return path.read_bytes() if path.exists() else b""

    def until(self, name, want):
        poll.until(lambda: self.read(name) == want,
                   lambda: f"{name}: {self.read(name)[:200]!r}")

    @property
    def about(self):
        poll.until((self.folder / "about").exists, "the logger runs")
        return json.loads(self.read("about"))

    @property
    def pid(self):
        return self.about["pid"]

    def gone(self):
        return not proc.alive(self.pid)


@pytest.fixture
def logger(tmp):
    made = []

    def make(**kw):
        made.append(Logger(tmp / f"log{len(made)}", **kw))
        return made[-1]
    return make


def command(raw, text, **kw):
    return raw().start("c1", ["sh", "-c", text], **kw)


def delete(s, bound=30, **kw):
    began = time.monotonic()
    s.task.Delete(id="c1", timeout=bound, **kw)
    return time.monotonic() - began


def test_one_logger_gets_both(raw, logger):
    log = logger(b="x y&%", a="")
    s = command(raw, "echo out; echo err >&2; exit 3")
    s.create(**log.both)
    state = s.task.State(id="c1")
    assert (state.stdout, state.stderr) == (log.uri, log.uri)
    about = log.about
    s.task.Start(id="c1")
    assert s.wait() == 3
    assert delete(s) < 1.5
    assert log.gone()
    assert (log.read(), log.read("stderr")) == (b"out\n", b"err\n")
    assert about["argv"] == [str(PROGRAM), "dir", str(log.folder), "b",
                             "x y&%", "a", ""]
    env = {k: v for k, v in about["env"].items() if k != "LC_CTYPE"}
    assert env == {"CONTAINER_ID": "c1", "CONTAINER_NAMESPACE": s.ns}
    fds = about["fds"]
    assert [fds[n] for n in "012"] == ["/dev/null"] * 3
    assert len({fds[n] for n in "345"}) == 3
    assert all(fds[n].startswith("pipe:") for n in "345")


@pytest.mark.go_fails("looks at stdout's path only")
def test_two_loggers(raw, logger):
    one, two = logger(), logger()
    s = command(raw, "echo out; echo err >&2")
    s.run(stdout=one.uri, stderr=two.uri)
    assert s.wait() == 0
    delete(s)
    assert (one.read(), one.read("stderr")) == (b"out\n", b"")
    assert (two.read(), two.read("stderr")) == (b"", b"err\n")


def test_million_numbers(raw, logger):
    log = logger()
    s = command(raw, "seq 1 1000000; echo end >&2")
    s.run(**log.both)
    assert s.wait(timeout=60) == 0
    delete(s)
    data.same(log.read(), NUMBERS, "stdout")
    assert log.read("stderr") == b"end\n"


@pytest.mark.go_fails("sends SIGTERM while there is something to read")
def test_slow_logger_gets_it_all(raw, logger):
    """It does not catch SIGTERM, and is still reading at Delete."""
    log = logger(slow="0.05")
    s = command(raw, "seq 1 20000")
    s.run(**log.both)
    assert s.wait() == 0
    assert len(log.read()) < 100000
    delete(s)
    data.same(log.read(), NUMBERS[:len(log.read())], "stdout")
    assert log.read().endswith(b"\n20000\n")


@pytest.mark.go_fails("SIGPIPE", run=False)
def test_logger_is_killed(raw, logger):
    """The process goes on; what is lost is counted."""
    log = logger()
    s = command(raw, "echo first; while [ ! -e /proc/self/x ]; do "
                "seq 1 20000; seq 1 20000 >&2; sleep 0.01; done")
    s.run(**log.both)
    poll.until(lambda: log.read().startswith(b"first\n"), "first line")
    proc.kill(log.pid)
    poll.until(log.gone, "the logger is gone")
    time.sleep(1)
    assert s.state() == "RUNNING"
    s.exec("c1", "e1", ["sh", "-c", "exit 7"])
    assert s.wait("c1", "e1") == 7
    s.kill()
    assert s.wait() == 137
    assert delete(s) < 3
    text = s.log("c1")
    assert "ended with status 137" in text and "bytes of output were" in text


def test_logger_stops_reading(raw, logger):
    """The process blocks; Delete is bounded."""
    log = logger(stop=1000)
    s = command(raw, "seq 1 100000; exit 4")
    s.run(**log.both)
    poll.until(lambda: len(log.read()) == 1000, "1000 bytes")
    assert s.state() == "RUNNING"
    s.kill()
    assert s.wait() == 137
    assert 9 < delete(s, 40) < 16
    assert log.gone()


def test_sigterm_then_sigkill(raw, logger):
    """A logger that nothing but SIGKILL ends; nobody else waits for it."""
    log = logger(term="ignore", eof="stay")
    s = command(raw, "echo x")
    s.run(**log.both)
    assert s.wait() == 0
    d = s.stub()
    t = threading.Thread(target=lambda: d.Delete(id="c1", timeout=30))
    began = time.monotonic()
    t.start()
    time.sleep(0.3)
    now = time.monotonic()
    s.task.Connect(id="c1", timeout=2)
    assert time.monotonic() - now < 0.5
    t.join()
    assert 13 < time.monotonic() - began < 17
    assert log.read("term") == b"SIGTERM" and log.gone()


def test_sigterm(raw, logger):
    log = logger(term="note", eof="stay")
    s = command(raw, "echo x")
    s.run(**log.both)
    assert s.wait() == 0
    assert delete(s) < 4
    assert log.read("term") == b"SIGTERM" and log.gone()


# ---- readiness

def refused_create(s, **kw):
    """The message; the shim has no more open than before."""
    with pytest.raises(ttrpc.TtrpcError):
        s.task.State(id="c1")           # it has our connection by now
    before = len(proc.fds(s.pid))
    with pytest.raises(ttrpc.TtrpcError) as e:
        s.create(timeout=40, **kw)
    with pytest.raises(ttrpc.TtrpcError):
        s.task.State(id="c1")
    poll.until(lambda: len(proc.fds(s.pid)) <= before,
               lambda: f"{before} fds: {proc.fds(s.pid)}")
    return str(e.value)


def test_create_waits_until_it_is_ready(raw, logger):
    log = logger(ready="late")
    s = command(raw, "echo x")
    began = time.monotonic()
    s.create(**log.both)
    assert time.monotonic() - began > 0.9
    s.task.Start(id="c1")
    assert s.wait() == 0
    delete(s)
    assert log.read() == b"x\n"


@pytest.mark.go_fails("1.6 has no binary-v2")
def test_v2_byte(raw, logger):
    log = logger(scheme="binary-v2", ready="byte")
    s = command(raw, "echo x")
    s.run(**log.both)
    assert s.wait() == 0
    delete(s)
    assert log.read() == b"x\n"


@pytest.mark.go_fails("1.6 has no binary-v2")
@pytest.mark.parametrize("ready", ["exit", "close"])
def test_v2_without_its_byte(raw, logger, ready):
    log = logger(scheme="binary-v2", ready=ready)
    s = command(raw, "echo x")
    text = refused_create(s, **log.both)
    assert str(PROGRAM) in text and "without a byte" in text
    assert log.gone()


@pytest.mark.go_fails("waits for ever", run=False)
def test_never_ready(raw, logger):
    log = logger(ready="no")
    s = command(raw, "echo x")
    began = time.monotonic()
    text = refused_create(s, **log.both)
    assert 9 < time.monotonic() - began < 14
    assert str(PROGRAM) in text and "not ready in time" in text
    assert log.gone()


@pytest.mark.go_fails("Delete waits", run=False)
def test_delete_while_it_is_not_ready(raw, logger):
    log = logger(ready="no")
    s = command(raw, "echo x")
    seen = []
    t = threading.Thread(target=lambda: seen.append(
        refused_create(s, **log.both)))
    t.start()
    assert log.pid
    began = time.monotonic()
    delete(s)
    t.join()
    assert time.monotonic() - began < 3
    assert "canceled" in seen[0] and log.gone()


def test_missing(raw, logger):
    log = logger(program="/no/such/logger")
    s = command(raw, "echo x")
    text = refused_create(s, **log.both)
    assert "/no/such/logger" in text


@pytest.mark.go_fails("drops them")
def test_bad_uri(raw):
    s = command(raw, "echo x")
    for uri, what in (("binary:///bin/cat?a=%zz", "escape"),
                      ("binary://bin/cat", "absolute")):
        assert what in refused_create(s, stdout=uri)
    assert "stdin" in refused_create(s, stdin="binary:///bin/cat")


def test_runtime_fails_after_the_logger_is_ready(raw, logger, fake):
    log = logger()
    s = raw(runtime=fake.path).start("c1", ["true"])
    fake.before("create", runtime.fail("no way"))
    assert "no way" in refused_create(s, **log.both)
    assert log.gone()


def test_never_started(raw, logger):
    log = logger()
    s = command(raw, "echo x")
    s.create(**log.both)
    assert delete(s) < 3
    assert log.gone() and log.read() == b""


# ---- terminals, execs

@pytest.mark.go_fails("1.6 does not")
def test_terminal(raw, logger, tmp):
    log = logger()
    stdin = fifo.make(tmp, "in")
    s = raw().start("c1", ["sh"], terminal=True)
    s.run(terminal=True, stdin=str(stdin), stdout=log.uri)
    s.task.ResizePty(id="c1", width=91, height=19)
    fifo.write_all(stdin, b"stty size; exit 7\n")
    assert s.wait() == 7
    delete(s)
    assert b"19 91\r\n" in log.read() and log.read("stderr") == b""


def test_terminal_outlives_its_logger(raw, logger, tmp):
    log = logger()
    stdin = fifo.make(tmp, "in")
    s = raw().start("c1", ["sh"], terminal=True)
    s.run(terminal=True, stdin=str(stdin), stdout=log.uri)
    proc.kill(log.pid)
    fifo.write_all(stdin, b"seq 1 50000; exit 6\n")
    assert s.wait() == 6


def test_exec(shim, logger):
    log = logger(ready="late")
    shim.run()
    shim.exec("c1", "e1", ["sh", "-c", "echo o; echo e >&2; exit 5"],
              **log.both)
    assert shim.wait("c1", "e1") == 5
    shim.task.Delete(id="c1", exec_id="e1", timeout=20)
    assert (log.read(), log.read("stderr")) == (b"o\n", b"e\n")
    assert log.gone() and shim.state() == "RUNNING"


def test_exec_logger_missing_then_there(shim, logger, tmp):
    """Start fails, and can be tried again."""
    program = tmp / "later"
    log = logger(program=program)
    shim.run()
    shim.exec("c1", "e1", ["echo", "x"], start=False, **log.both)
    with pytest.raises(ttrpc.TtrpcError, match="later"):
        shim.task.Start(id="c1", exec_id="e1")
    program.symlink_to(PROGRAM)
    shim.task.Start(id="c1", exec_id="e1")
    assert shim.wait("c1", "e1") == 0
    shim.task.Delete(id="c1", exec_id="e1")
    assert log.read() == b"x\n"


def test_exec_of_no_program(shim, logger):
    """The runtime refuses when the logger is ready already."""
    log = logger()
    shim.run()
    shim.exec("c1", "e1", ["/no/such"], start=False, **log.both)
    with pytest.raises(ttrpc.TtrpcError, match="no such file"):
        shim.task.Start(id="c1", exec_id="e1", timeout=20)
    assert log.gone()
    shim.task.Delete(id="c1", exec_id="e1")


@pytest.mark.go_fails("waits for ever", run=False)
def test_init_ends_while_an_exec_waits(shim, logger):
    """init's exit does not wait for a logger's deadline."""
    log = logger(ready="no")
    shim.run()
    shim.exec("c1", "e1", ["true"], start=False, **log.both)
    seen = []

    def start():
        try:
            shim.task.Start(id="c1", exec_id="e1", timeout=20)
        except ttrpc.TtrpcError as e:
            seen.append(str(e))
    t = threading.Thread(target=start)
    t.start()
    assert log.pid
    shim.kill()
    began = time.monotonic()
    assert shim.wait(timeout=5) == 137
    t.join()
    assert time.monotonic() - began < 3 and "canceled" in seen[0]
    assert log.gone()


def test_many_execs_leave_nothing(shim, logger):
    shim.run()

    def once(n):
        log = logger()
        shim.exec("c1", f"e{n}", ["echo", str(n)], **log.both)
        assert shim.wait("c1", f"e{n}") == 0
        shim.task.Delete(id="c1", exec_id=f"e{n}", timeout=20)
        assert log.read() == b"%d\n" % n
    once(0)
    before = len(proc.fds(shim.pid))
    for n in range(1, 10):
        once(n)
    poll.until(lambda: len(proc.fds(shim.pid)) <= before,
               lambda: f"{before} fds: {proc.fds(shim.pid)}")


@pytest.mark.go_fails("the logger ends with it or not")
def test_shim_is_killed(raw, logger):
    """What was written arrives; no logger is left."""
    log = logger(slow="0.02")
    s = command(raw, "seq 1 5000; sleep 1000")
    s.run(**log.both)
    pid = log.pid
    time.sleep(0.3)
    proc.kill(s.pid)
    poll.until(lambda: not proc.alive(pid), "the logger ends")
    assert log.read() == NUMBERS[:len(log.read())]
    assert log.read().endswith(b"\n5000\n")


# ---- a real daemon

def test_ctr(daemon, logger):
    log = logger()
    c = container.detached(daemon, "sh", "-c",
                           "echo out; echo err >&2; exit 3",
                           flags=("--log-uri", log.uri))
    try:
        c.wait_status("STOPPED")
        log.until("stdout", b"out\n")
        log.until("stderr", b"err\n")
        env = log.about["env"]
        assert env["CONTAINER_ID"] == c.id
        assert c.delete() == 3
        assert log.gone()
    finally:
        c.remove()


def test_ctr_million(daemon, logger):
    log = logger()
    daemon.ctr(*daemon.run_args("seq", "1", "1000000",
                                flags=("--log-uri", log.uri)), timeout=60)
    data.same(log.read(), NUMBERS, "stdout")
