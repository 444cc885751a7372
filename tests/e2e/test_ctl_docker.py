# SPDX-License-Identifier: Apache-2.0
"""wispctl's commands on a container of Docker's."""
import os

import pytest

import world
from test_ctl_tasks import EOL, SIZED, ctl, end, tty            # noqa: F401
from test_docker import _dockerd, box, d                        # noqa: F401
from test_wispctl import WISPCTL

pytestmark = [
    pytest.mark.vm_adds_nothing,
    pytest.mark.skipif(not os.access(WISPCTL, os.X_OK),
                       reason=f"no {WISPCTL}")]


def test_docker(box, tty):
    c = box("sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done",
            flags=("-e", "OF=docker"))
    id = str(c.inspect()["Id"])
    on = ["-n", world.RUN]
    assert ctl("exec", *on, id[:12], "sh", "-c", "echo $OF; exit 4",
               ok=4).stdout == "docker\n"
    t = tty("exec", *on, "-it", id, "sh", "-c", SIZED.format(31, 113))
    t.expect("is-31x113" + EOL)
    assert end(t) == 0
    assert "while :" in ctl("ps", *on, id).stdout
    assert id[:12] in ctl("stats", *on, id).stdout
    ctl("pause", *on, id)
    c.until("paused")
    ctl("resume", *on, id)
    c.until("running")
    assert "it is a daemon's" in ctl("delete", *on, id, ok=125).stderr
    ctl("kill", *on, id)
    c.until("exited")
    assert c.inspect()["State"]["ExitCode"] == 7
