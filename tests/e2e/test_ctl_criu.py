# SPDX-License-Identifier: Apache-2.0
"""wispctl checkpoint and restore with the real CRIU."""
import os
import shutil
import time

import pytest

import image as images
import poll
import world
from test_criu import COUNT, crun_can, numbers, why_not
from test_ctl_tasks import ctl
from test_wispctl import WISPCTL

pytestmark = [
    pytest.mark.vm,
    pytest.mark.go_fails("the tests start wisp themselves", run=False),
    pytest.mark.skipif(not os.access(WISPCTL, os.X_OK),
                       reason=f"no {WISPCTL}")]


@pytest.fixture(autouse=True)
def needs_criu():
    if why_not():
        pytest.skip(why_not())


@pytest.fixture(params=["runc", "crun"])
def mine(request):
    """wispctl's commands for containers under one runtime; make() names one
    that is deleted after the test."""
    if request.param == "crun" and not crun_can():
        pytest.skip("this crun is built without CRIU")
    root = ["--root", world.base / "wispctl"]
    made = []

    def run(command, *args, **kw):
        return ctl(command, *root, *args, **kw)

    def make(command, *args, **kw):
        id = f"{world.RUN}-{world.fresh('r')}"
        made.append(id)
        p = ctl(command, *args, *root, "-d", "--shim", world.SHIM,
                "--runtime", shutil.which(request.param), "--rootfs",
                images.rootfs(), "--name", id, "--", *COUNT, **kw)
        assert p.stdout.strip() == id
        return id
    run.make = make
    run.runtime = request.param
    yield run
    for id in made:
        run("delete", "-f", id, ok=None)


def counted(mine, id):
    return numbers(mine("logs", id).stdout.encode())


def test_checkpoint_and_restore(mine, tmp):
    if mine.runtime == "crun":
        pytest.skip("crun 1.28 masks folders by a bind mount that it does not "
                    "name to CRIU when it restores: \"No mapping for ...\"; "
                    "test_criu has containers without such folders")
    first = mine.make("run")
    poll.until(lambda: len(counted(mine, first)) > 5, "it counts", 60)
    mine("checkpoint", "--path", tmp / "image", first, timeout=120)
    assert mine("wait", first).stdout == "137\n"
    before = counted(mine, first)
    assert before == list(range(len(before)))
    mine("delete", first)
    time.sleep(1)
    again = mine.make("restore", "--path", tmp / "image", timeout=120)
    poll.until(lambda: len(counted(mine, again)) > 5, "it counts on", 60)
    after = counted(mine, again)
    assert before[-1] <= after[0] <= before[-1] + 1
    assert after == list(range(after[0], after[0] + len(after)))
    assert mine("exec", again, "echo", "here").stdout == "here\n"
    mine("kill", "-s", "KILL", again)
    assert mine("wait", again).stdout == "137\n"


def test_leave_running(mine, tmp):
    id = mine.make("run")
    poll.until(lambda: len(counted(mine, id)) > 3, "it counts", 60)
    mine("checkpoint", "--path", tmp / "1", "--leave-running", id, timeout=120)
    n = len(counted(mine, id))
    poll.until(lambda: len(counted(mine, id)) > n + 3, "it goes on", 60)
    assert "running" in mine("ps").stdout
