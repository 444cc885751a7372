# SPDX-License-Identifier: Apache-2.0
"""A machine with running containers goes down within seconds: shims do not
delay it. On the host; it boots machines of its own.

WISP_VM_OUT: where their consoles go; build/vm-reboot.
"""
import os
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
OUT = pathlib.Path(os.environ.get("WISP_VM_OUT") or
                   HERE.parents[1] / "build" / "vm-reboot")
NO_RESULT = 125                 # the machine ended before its command did
# systemd waits for 90 s for what does not go (DefaultTimeoutStopSec). A busy
# host's emulated machine has taken 25.
SECONDS = 80
STAMP = r"^\[ *(\d+\.\d+)\] "
END = {"reboot": "reboot: Restarting system", "poweroff": "reboot: Power down"}


def go_down(how, *args):
    """The console, and how long it took by the machine's clock."""
    out = OUT / how
    p = subprocess.run(
        [HERE / "run", "--deadline", "400", "--out", out, "--",
         "/usr/bin/python3", "tests/vm/guest_reboot.py", how, *args],
        capture_output=True, text=True, timeout=600, check=False)
    console = (out / "console.log").read_text(errors="replace")
    said = f"{p.stdout}\n{p.stderr}\n{console[-3000:]}"
    assert p.returncode == NO_RESULT, said
    at = [re.search(STAMP + text, console, re.MULTILINE)
          for text in (f"wisp: {how} is asked for", END[how])]
    assert all(at), said
    return console, float(at[1][1]) - float(at[0][1])


@pytest.mark.parametrize("how", END)
def test_goes_down_within_seconds(how):
    console, seconds = go_down(how)
    assert "wisp: 3 shims of running containers" in console
    print(f"{how}: {seconds:.1f} s")
    assert "A stop job is running" not in console
    assert seconds < SECONDS, console[-3000:]
