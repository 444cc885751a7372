# SPDX-License-Identifier: Apache-2.0
"""ctr run: output, environment, exit codes, the names a shim may have."""
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

import image
import poll
import world

pytestmark = pytest.mark.both


@pytest.mark.every_daemon
def test_output(daemon):
    r = daemon.say("echo out; echo err >&2")
    assert (r.out, r.err) == ("out\n", "err\n")


def test_environment_cwd_and_arguments(daemon):
    r = daemon.say('echo "$A|$(pwd)|$1|$2"', "a  b", "*",
                   flags=("--env", "A=x y", "--cwd", "/tmp"))
    assert r.out == "x y|/tmp|a  b|*\n"


@pytest.mark.every_daemon
def test_rootfs_is_the_image_and_goes(daemon, box):
    c = box("sleep", "1000")
    rootfs = daemon.bundle(c.id) / "rootfs"
    assert c.exec("ls", "/bin/busybox").out == "/bin/busybox\n"
    assert c.exec("sh", "-c", "echo x >/mark; cat /mark").out == "x\n"
    c.stop()
    c.delete()
    poll.until(lambda: not rootfs.exists(), f"{rootfs} is gone")


@pytest.mark.every_daemon
def test_exit_codes_of_init(daemon):
    codes = [*range(0, 256, 255 // poll.times(28)), 1, 2, 125, 126, 127, 128, 129, 137, 143, 255]

    def run(n):
        return daemon.run("sh", "-c", f"exit {n}", ok=None).rc
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(run, codes)) == codes


def test_exit_codes_of_exec(daemon, box):
    c = box("sleep", "1000")

    def run(n):
        return c.exec("sh", "-c", f"exit {n}", ok=None).rc
    with ThreadPoolExecutor(3) as pool:
        codes = range(0, 256, 256 // poll.times(256))
        assert list(pool.map(run, codes)) == list(codes)


@pytest.mark.every_daemon
def test_many_at_once(daemon):
    def run(n):
        r = daemon.say(f"echo {n}; exit {n}", ok=None, timeout=90)
        return r.rc, r.out
    many = range(poll.times(20))
    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(run, many)) == [(n, f"{n}\n") for n in many]


def without_runtime(args):
    """What follows the runtime's flags in run_args()."""
    return args[args.index(image.NAME):]


@pytest.mark.every_daemon
def test_absolute_path_as_runtime(daemon, tmp):
    if daemon.runtime == "crun":
        pytest.skip("ctr has no --runc-binary for such a runtime name")
    shim = tmp / "any name"
    shim.symlink_to(world.SHIM)
    daemon.ctr("run", "--rm", "--runtime", shim,
               *without_runtime(daemon.run_args("sh", "-c", "exit 6")),
               ok=(6,))


@pytest.mark.every_daemon
def test_called_containerd_shim_runc_v2(daemon):
    daemon.ctr("run", "--rm", "--runtime", "io.containerd.runc.v2",
               *without_runtime(daemon.run_args("sh", "-c", "exit 6")),
               ok=(6,))


@pytest.mark.every_daemon
def test_runc_root_option(daemon, box):
    """`root` in the options: the runtime's state is in <root>/<namespace>."""
    root = world.base / "tmp" / world.fresh("root")
    flags = ("--null-io", "--runtime", "io.containerd.runc.v2",
             "--runc-binary", daemon.runtime, "--runc-root", root)
    c = box("sleep", "1000", flags=flags)
    assert (root / daemon.ns / c.id).is_dir()
    c.stop()
    c.delete()
    assert not (root / daemon.ns / c.id).exists()
    shutil.rmtree(root)


@pytest.mark.every_daemon
@pytest.mark.go_fails("1.6 takes containerd.runc.v1.Options only")
def test_runtime_options_in_toml(daemon, tmp):
    """What CRI passes to a runtime it does not know."""
    root = world.base / "tmp" / world.fresh("root")
    toml = tmp / "options.toml"
    toml.write_text(f'BinaryName = "{daemon.runtime}"\nRoot = "{root}"\n')
    daemon.ctr("run", "--rm", "--runtime", "io.containerd.wisp.v1",
               "--runtime-config-path", toml,
               *without_runtime(daemon.run_args("sh", "-c", "exit 6")),
               ok=(6,))
    assert (root / daemon.ns).is_dir(), "Root was not used"
    shutil.rmtree(root)


@pytest.mark.every_daemon
def test_runtime_info(daemon, tmp):
    """containerd 2 asks a runtime what it is and can do: `-info`."""
    if daemon.runtime == "crun" or daemon.containerd.number < (2, 0):
        pytest.skip("ctr 2 asks for it")
    info = json.loads(daemon.ctr("plugins", "inspect-runtime", "--runtime",
                                 "io.containerd.wisp.v1").out)
    assert info["Name"] and info["Version"]["Version"]
    assert "mount" in info["Features"]["linux"]["namespaces"]
    (tmp / "o.toml").write_text('BinaryName = "runc"\n')
    info = json.loads(daemon.ctr(
        "plugins", "inspect-runtime", "--runtime", "io.containerd.wisp.v1",
        "--runtime-config-path", tmp / "o.toml").out)
    assert info["Options"]["config_path"] == str(tmp / "o.toml")
    assert "mount" in info["Features"]["linux"]["namespaces"]
