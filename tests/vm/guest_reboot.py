# SPDX-License-Identifier: Apache-2.0
"""In the machine, for test_reboot.py: containers run, then it reboots.

guest_reboot.py poweroff|reboot [nothing]: `nothing` makes no containers.
"""
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
import image
import poll
import world

DIR = pathlib.Path("/run/reboot")
SHIM = DIR / "containerd-shim-wisp-v1"
ENDS_ON_TERM = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.2; done"]
CONFIG = f"""version = 2
root = "{DIR}/root"
state = "{DIR}/state"
[grpc]
address = "{DIR}/c.sock"
[ttrpc]
address = "{DIR}/t.sock"
"""


def run(*argv, **kw):
    return subprocess.run([str(a) for a in argv], check=True, timeout=300,
                          text=True, capture_output=True, **kw).stdout


def ctr(*args):
    return run("ctr", "-a", DIR / "c.sock", "-n", "reboot", *args)


def daemon():
    """As Debian's containerd.service has it: stopping it spares shims."""
    DIR.mkdir()
    shutil.copy(world.TESTED, DIR)
    world.base = DIR
    (DIR / "config.toml").write_text(CONFIG)
    run("systemd-run", "--unit=reboot-containerd", "-p", "KillMode=process",
        "-p", "Delegate=yes", "-p", "OOMScoreAdjust=-999", "containerd",
        "-c", DIR / "config.toml")
    poll.until((DIR / "c.sock").exists, "containerd listens", 60)
    ctr("image", "import", image.archive())


def container(id, *flags):
    ctr("run", "-d", "--null-io", "--runtime", SHIM, *flags, image.NAME, id,
        *ENDS_ON_TERM)


def tell(text):
    with open("/dev/kmsg", "w") as f:
        f.write(f"<0>wisp: {text}\n")


def main(how, what="containers"):
    if what == "containers":
        daemon()
        for n in range(3):
            container(f"c{n}")
        ctr("task", "exec", "-d", "--exec-id", "e1", "c0", *ENDS_ON_TERM)
        tasks = ctr("task", "ls")
        assert tasks.count("RUNNING") == 3, tasks
        shims = run("pgrep", "-fc", SHIM).strip()
        tell(f"{shims} shims of running containers")
    tell(f"{how} is asked for")
    run("systemctl", "--no-block", how)
    subprocess.run(["sleep", "600"], check=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
