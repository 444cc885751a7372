# SPDX-License-Identifier: Apache-2.0
"""As an ordinary user, with and without a user namespace around all of it:
what only root may do is not done, and said in the log at most."""
import os
import re
import shutil
import subprocess

import pexpect
import pytest

import daemon as daemons
import image
import poll
import proc
import versions
import world
from test_wispctl import WISPCTL

pytestmark = [
    pytest.mark.skipif(world.is_go(), reason="it is about wisp"),
    pytest.mark.skipif(not os.access(WISPCTL, os.X_OK),
                       reason=f"no {WISPCTL}")]

UID = 4242                                   # nobody else's
# What /etc knows of the user is the user's own in this mount namespace, and
# crun does not start beside a v2 hierarchy that is not used.
PRELUDE = ("mount --bind $0/passwd /etc/passwd && "
           "mount --bind $0/subid /etc/subuid && "
           "mount --bind $0/subid /etc/subgid && "
           "if mountpoint -q /sys/fs/cgroup/unified; then "
           "umount /sys/fs/cgroup/unified; fi && "
           f"exec setpriv --reuid {UID} --regid {UID} --clear-groups \"$@\"")
# Who the user is where the shim is.
PLACES = {
    "user": [],
    "namespace": ["unshare", "-Urm"],
    "ids": ["unshare", "-Urm", "--map-auto"],
    "pids": ["unshare", "-rmpf", "--mount-proc", "--kill-child"],
}
OOM = "OOM is not watched: process .* has no cgroup of its own"


class User:
    def __init__(self, folder):
        self.etc = folder / "etc"
        self.home = folder / "h"             # sockets' paths are short
        bindir = folder / "bin"
        for d in (self.etc, self.home, bindir):
            d.mkdir()
        os.chown(self.home, UID, UID)
        with open("/etc/passwd") as f:
            (self.etc / "passwd").write_text(
                f"wispuser:x:{UID}:{UID}::/tmp:/bin/sh\n" + f.read())
        (self.etc / "subid").write_text("wispuser:100000:65536\n")
        for path in (WISPCTL, world.SHIM):   # from where everyone may read
            shutil.copy(path, bindir)
        (bindir / "containerd-shim-runc-v2").symlink_to(
            "containerd-shim-wisp-v1")
        self.env = world.environ(
            PATH=f"{bindir}:/usr/sbin:/usr/bin:/sbin:/bin",
            HOME=str(self.home), XDG_RUNTIME_DIR=str(self.home),
            TMPDIR=str(self.home))

    def argv(self, place, *args):
        return ["unshare", "-m", "sh", "-c", PRELUDE, str(self.etc),
                *PLACES[place], *(str(a) for a in args)]

    def run(self, place, *args, timeout=60 * poll.SLOW, **kw):
        kw.setdefault("env", self.env)
        kw.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.argv(place, *args), capture_output=True,
                              text=True, timeout=timeout, cwd="/", **kw)

    def wispctl(self, *args):
        return ["wispctl", "run", "--rm", "--name",
                f"{world.RUN}-{world.fresh('w')}", *args]

    def left(self):
        """Files of containers and shims, but for folders that stay."""
        return [str(f) for f in self.home.rglob("*")
                if not f.is_dir() and "containerd.d" not in str(f)
                and f.name != "events.log"] + [
            str(f) for d in ("wisp/state", "wisp/bundles")
            for f in self.home.glob(d + "/*")]


@pytest.fixture
def user(tmp):
    u = User(tmp)
    yield u
    assert u.left() == []


@pytest.mark.parametrize("oci", ["runc", "crun"])
@pytest.mark.parametrize("place", PLACES)
def test_wispctl(user, place, oci):
    p = user.run(place, *user.wispctl(
        "--debug", "--events", "--runtime", oci, "--", "sh", "-c",
        "id -u; echo x >/dev/stdout; echo y >/proc/self/fd/1; "
        "echo err >/dev/stderr; hostname >/dev/null; exit 3"))
    assert (p.returncode, p.stdout) == (3, "0\nx\ny\n"), p.stderr
    assert "\nerr\n" in p.stderr
    lines = [x for x in p.stderr.splitlines()
             if re.search("level=(warning|error)", x)]
    assert len(lines) == 1 and re.search(OOM, lines[0]), p.stderr
    for event in ("create", "start", "exit", "delete"):
        assert f"/tasks/{event} " in p.stderr


@pytest.mark.parametrize("place", ["user", "ids"])
def test_terminal(user, place):
    a = user.argv(place, *user.wispctl("-it", "--", "sh"))
    t = pexpect.spawn(a[0], a[1:], timeout=30 * poll.SLOW, encoding="utf-8",
                      env=user.env, cwd="/")
    t.sendline("tty; echo o''k >/dev/stdout; exit 4")
    t.expect("/dev/pts/0\r\n")
    t.expect("ok\r\n")
    t.expect(pexpect.EOF)
    t.close()
    assert t.exitstatus == 4


@pytest.mark.parametrize("place", ["user", "ids"])
def test_no_memory_limit(user, place):
    """An error that says so, rather than a container without the limit."""
    p = user.run(place, *user.wispctl("-m", "32m", "--", "true"))
    assert p.returncode == 125
    assert "--memory needs a cgroup" in p.stderr


def test_bundle_of_runc_spec(user):
    """What `runc spec --rootless` makes."""
    bundle = user.home / "containerd.d"
    shutil.copytree(image.rootfs(), bundle / "rootfs", symlinks=True)
    world.sh("chown", "-R", f"{UID}:{UID}", bundle)
    p = user.run("user", "sh", "-c", f"cd {bundle} && runc spec --rootless")
    assert p.returncode == 0, p.stderr
    p = user.run("user", *user.wispctl(
        "--bundle", bundle, "--", "sh", "-c", "echo x; exit 6"))
    assert (p.returncode, p.stdout) == (6, "x\n"), p.stderr
    shutil.rmtree(user.home / "runc", ignore_errors=True)  # of `runc spec`


# ---- where the socket is

START = ("cd {b} && WISP_GRACE_MS=100 containerd-shim-wisp-v1 -namespace n "
         "-id c -address {b}/d.sock start")


def socket_of(user, place, **env):
    bundle = user.home / "containerd.d"
    bundle.mkdir(exist_ok=True)
    (bundle / "config.json").write_text("{}")
    os.chown(bundle, UID, UID)
    full = {k: v for k, v in {**user.env, **env}.items() if v is not None}
    return user.run(place, "sh", "-c", START.format(b=bundle), env=full)


@pytest.mark.parametrize("place", ["user", "ids"])
def test_socket_below_xdg_runtime_dir(user, place):
    p = socket_of(user, place)
    assert p.stdout.startswith(f"unix://{user.home}/containerd/s/"), p.stderr
    assert poll.settles(lambda: user.left() == [], 10)


@pytest.mark.parametrize("place, xdg", [
    ("user", None), ("namespace", None), ("user", "/tmp/" + 30 * "x")])
def test_socket_below_tmp(user, place, xdg):
    """Nobody said where, or where no socket's path fits: a folder of the
    user's own."""
    shown = UID if place == "user" else 0
    folder = f"/tmp/containerd-s-{shown}"
    try:
        p = socket_of(user, place, XDG_RUNTIME_DIR=xdg)
        assert p.stdout.startswith(f"unix://{folder}/"), p.stderr
        st = os.stat(folder)
        assert (st.st_uid, st.st_mode & 0o7777) == (UID, 0o700)
        assert poll.settles(lambda: os.listdir(folder) == [], 10)
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("how", ["somebody else's", "a link"])
def test_socket_not_below_a_folder_of_others(user, how):
    folder = f"/tmp/containerd-s-{UID}"
    if how == "a link":
        os.symlink(user.home, folder)
        os.lchown(folder, UID, UID)
    else:
        os.mkdir(folder, 0o777)
        os.chmod(folder, 0o777)
    try:
        p = socket_of(user, "user", XDG_RUNTIME_DIR=None)
        assert p.returncode == 1 and folder in p.stderr, p.stderr
    finally:
        os.unlink(folder) if how == "a link" else os.rmdir(folder)


# ---- a daemon, too

class RootlessDaemon(daemons.Daemon):
    """containerd as root of a user namespace, and ctr beside it."""

    def __init__(self, user, runtime):
        # PATH's: root's cache is closed to the user.
        super().__init__(runtime, containerd=versions.known()[0])
        self.user = user
        self.dir = user.home / "containerd.d"
        self.dir.mkdir()
        os.chown(self.dir, UID, UID)
        self.state = self.dir / "state"
        self.socket = self.dir / "c.sock"
        self.ttrpc = self.dir / "t.sock"

    def start(self):
        self.configure(self.ttrpc)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.user.argv("ids", self.containerd.path, "-c",
                               self.dir / "config.toml"),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/",
                env=self.user.env, start_new_session=True)
        daemons.running.append(self)
        poll.until(self._answers,
                   lambda: f"containerd answers\n{self.log_tail()}", 30)
        return self

    def argv(self, *args):
        return ["nsenter", "-t", str(self.process.pid), "-U", "-m",
                *super().argv(*args)]

    def run_args(self, *cmd, flags=(), id=None):
        return super().run_args(*cmd, id=id, flags=(
            "--fifo-dir", str(self.dir / "fifo"), "--cgroup", "",
            "--cpu-shares", "0", *flags))


@pytest.fixture(params=["runc", "crun"])
def rootless(request, user, no_leaks):
    d = RootlessDaemon(user, request.param)
    try:
        yield d.prepare()
    finally:
        d.stop()
        world.sh("umount", "-R", d.dir, check=False)


def test_containerd(rootless, user):
    d = rootless
    p = d.say("id -u; echo x >/dev/stdout; echo y >&2; exit 3", ok=(3,))
    assert (p.out, p.err.splitlines()[-1:]) == ("0\nx\n", ["y"])
    d.ctr(*d.run_args("sleep", "1000", flags=("-d", "--null-io"), id="c"))
    p = d.ctr("task", "exec", "--exec-id", "e", "--fifo-dir",
              str(d.dir / "fifo"), "c", "sh", "-c", "echo in; exit 5",
              ok=(5,))
    d.ctr("task", "kill", "-s", "KILL", "c")
    poll.until(lambda: d.tasks()["c"][1] == "STOPPED", "it ends", 10)
    d.ctr("task", "rm", "c", ok=(0, 137))
    d.ctr("container", "rm", "c")
    text = proc.read(d.log)
    assert len(re.findall(OOM, text)) == 2, text[-2000:]
    assert not re.search("level=error", text), text[-2000:]


def test_shim_of_a_rootless_daemon_is_killed(rootless):
    """`delete` cleans up with the same rights."""
    d = rootless
    d.ctr(*d.run_args("sleep", "1000", flags=("-d", "--null-io"), id="c"))
    pid = d.tasks()["c"][0]
    proc.kill(proc.get(pid).ppid)
    poll.until(lambda: not proc.alive(pid), "it dies, too", 20)
    poll.until(lambda: not list(d.state.rglob("rootfs")), "it is gone", 20)
    assert d.tasks() == {}
    d.ctr("container", "rm", "c")
