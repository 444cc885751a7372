# SPDX-License-Identifier: Apache-2.0
"""kill: names, numbers, traps, 128+n, one process or all."""
from concurrent.futures import ThreadPoolExecutor

import pytest

import poll

pytestmark = [pytest.mark.both, pytest.mark.every_daemon]
TRAP = ("trap 'exit {code}' {sig}; echo $$ >/ready;"
        " while :; do sleep 0.05; done")


def ready(c):
    poll.until(lambda: c.exec("test", "-s", "/ready", ok=None).rc == 0,
               f"{c} has set its trap")


@pytest.mark.parametrize("sig,trap", [
    ("TERM", "TERM"), ("SIGUSR1", "USR1"), ("12", "USR2"), ("HUP", "HUP")])
def test_trap_in_init(daemon, box, sig, trap):
    c = box("sh", "-c", TRAP.format(code=42, sig=trap))
    ready(c)
    c.kill(sig)
    c.wait_status("STOPPED")
    assert c.delete() == 42


@pytest.mark.parametrize("sig", ["KILL", "9"])
def test_kill_init(daemon, box, sig):
    c = box("sleep", "1000")
    c.kill(sig)
    c.wait_status("STOPPED")
    assert c.delete() == 137


def test_init_without_handler_in_its_pid_namespace_lives(daemon, box):
    """The kernel shields it; the shim must not escalate by itself."""
    c = box("sleep", "1000")
    c.kill("TERM")
    assert c.exec("true").rc == 0
    assert c.status() == "RUNNING"


def test_every_deadly_signal_is_128_plus_n(daemon, box):
    c = box("sleep", "1000")
    # CHLD CONT stops URG WINCH; busybox sh ignores QUIT.
    harmless = {17, 18, 19, 20, 21, 22, 23, 28, 3}
    signals = sorted(set(range(1, 32)) - harmless)

    def die(n):
        return c.exec("sh", "-c", f"kill -{n} $$; sleep 9", ok=None).rc
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(die, signals)) == [128 + n for n in signals]


def test_kill_one_exec(daemon, box):
    """An exec id reaches that process and no other."""
    c = box("sleep", "1000")
    one, two = (daemon.popen(*c.exec_args("sleep", "1000", id=e))
                for e in ("one", "two"))
    poll.until(lambda: len(c.pids()) == 3, "two execs run")
    c.kill("TERM", "--exec-id", "one")
    assert one.wait(15) == 143
    assert two.poll() is None and c.status() == "RUNNING"
    c.kill("KILL", "--exec-id", "two")
    assert two.wait(15) == 137


def test_kill_all(daemon, box):
    """--all reaches every process; init ignores this one."""
    c = box("sh", "-c", "trap '' TERM; sh -c 'trap - TERM; sleep 1000' & "
            "setsid sh -c 'trap - TERM; exec sleep 1001' & "
            "echo >/ready; while :; do wait; sleep 0.1; done")
    ready(c)
    # Ignored signals stay ignored in sh's children, so add one by exec.
    run = daemon.popen(*c.exec_args("sleep", "1002"))
    poll.until(lambda: "1002" in c.exec("ps").out, "the exec runs")
    c.kill("TERM", "--all")
    assert run.wait(15) == 143
    assert c.status() == "RUNNING"
    c.kill("KILL", "--all")
    c.wait_status("STOPPED")
    assert c.delete() == 137


def test_kill_after_exit_is_not_found(daemon, box):
    c = box("true")
    c.wait_status("STOPPED")
    r = c.kill("TERM", ok=(1,))
    assert "process already finished" in r.err


def test_kill_with_a_signal_that_is_none(daemon, box):
    c = box("sleep", "1000")
    assert c.kill("NOSUCH", ok=(1,)).err
    assert c.kill("250", ok=None).rc == 1
    assert c.status() == "RUNNING"
