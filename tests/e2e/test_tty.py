# SPDX-License-Identifier: Apache-2.0
"""Terminals: size, ctrl-C, ctrl-D, exit status; and what none is like."""
import re

import pytest

import container
import terminal
from daemon import LINGER
import world

pytestmark = [pytest.mark.both, pytest.mark.every_daemon]
EOL = "\r+\n"        # ctr's own terminal adds a \r
SIZED = ('until [ "$(stty size)" = "{0} {1}" ]; do sleep 0.05; done;'
         ' echo is-$(({0}))x{1}\r')


@pytest.fixture
def tty(daemon):
    """tty("sh", ...) is `ctr run -t --rm`."""
    made = []

    def run(*cmd, argv=None, **kw):
        argv = argv or daemon.run_args(*cmd, flags=("-t", "--rm"))
        made.append(terminal.Terminal(daemon, *argv, **kw))
        return made[-1]
    yield run
    for t in made:
        t.close(force=True)


def test_all_three_are_a_terminal(tty):
    t = tty("sh", "-c", "test -t 0 && test -t 1 && test -t 2 && tty; exit 6")
    t.expect("/dev/(console|pts/0)" + EOL)
    assert t.end() == 6


def test_without_t_none_is(daemon):
    r = daemon.run("sh", "-c", "test -t 0 || test -t 1 || test -t 2", ok=None)
    assert r.rc == 1, r


def test_size_and_resize(tty):
    t = tty("sh", size=(33, 117))
    t.send(SIZED.format(33, 117))
    t.expect("is-33x117" + EOL)
    t.resize(50, 61)
    t.send(SIZED.format(50, 61))
    t.expect("is-50x61" + EOL)
    t.send("exit 9\r")
    assert t.end() == 9


def test_ctrl_c(tty):
    t = tty("sh", "-c", "trap 'echo caught; exit 5' INT; echo ready;"
            " while :; do sleep 0.05; done")
    t.expect("ready" + EOL)
    t.sendintr()
    t.expect("caught" + EOL)
    assert t.end() == 5


def test_ctrl_d_ends_cat(tty):
    t = tty("sh", "-c", "echo ready; cat; echo rest; exit 3")
    t.expect("ready" + EOL)
    t.sendline("line")
    t.expect(f"line{EOL}line" + EOL)
    t.sendeof()
    t.expect("rest" + EOL)
    assert t.end() == 3


def test_shell_session(tty):
    t = tty("sh")
    t.send("echo $((6*7))\r")
    t.expect("\n42" + EOL)
    t.send("false; exit\r")
    assert t.end() == 1


def test_output_is_complete(tty):
    """The last bytes before the exit arrive, and none is lost."""
    t = tty("sh", "-c", LINGER.format("seq 1 100000"))
    assert t.end(60) == 0
    lines = re.split(EOL, t.before)
    assert lines[-1] == "" and lines[:-1] == [
        str(n) for n in range(1, 100001)]


def test_exec_tty(daemon, tty, box):
    c = box("sleep", "1000")
    t = tty(argv=c.exec_args("sh", flags=("-t",)), size=(20, 99))
    t.send(SIZED.format(20, 99))
    t.expect("is-20x99" + EOL)
    t.send("tty\r")
    t.expect("/dev/pts/0" + EOL)
    t.send("exit 17\r")
    assert t.end() == 17


def test_leave_and_attach_again(daemon, tty, box):
    """A terminal survives its client; a new one gets the size it has."""
    id = world.fresh()
    c = box(id=id, how=container.known)
    assert tty(argv=daemon.run_args("sh", id=id, flags=("-d", "-t"))
               ).end() == 0
    for size in ((22, 70), (44, 90)):
        t = tty(argv=["task", "attach", id], size=size)
        t.send("echo pid-$$\r")
        t.expect("pid-1" + EOL)
        t.send(SIZED.format(*size))
        t.expect(f"is-{size[0]}x{size[1]}" + EOL)
        t.close(force=True)
    t = tty(argv=["task", "attach", id])
    t.send("exit 4\r")
    assert t.end() == 4             # attach deletes the task when it ends
    assert c.status() is None
