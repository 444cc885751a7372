# SPDX-License-Identifier: Apache-2.0
"""A private containerd: own root, state, sockets; it finds the shim under
test as io.containerd.wisp.v1 (and as io.containerd.runc.v2, for ctr takes
--runc-binary with that name only)."""
import itertools
import json
import os
import re
import signal
import subprocess

import image
import poll
import proc
import versions
import world

CRI = "io.containerd.grpc.v1.cri"
# Not part of these tests, and some own folders or sockets of the machine.
DISABLED = {1: [CRI, "io.containerd.nri.v1.nri"],
            2: [CRI, "io.containerd.cri.v1.runtime",
                "io.containerd.cri.v1.images", "io.containerd.nri.v1.nri"]}
# crun 1.8 refuses a v1 layout that has a v2 hierarchy beside it.
NO_UNIFIED = ("u=/sys/fs/cgroup/unified; [ ! -d $u ] ||"
              " { umount $u && mount -t tmpfs none $u; } && exec \"$@\"")
# ctr 1.6 closes its end of stdout when it hears of init's exit, without
# reading on to the end (seen by strace, whatever the shim). So what init says
# at its end is sure to be shown only if it lives a moment longer.
LINGER = "( {} ); code=$?; sleep 0.3; exit $code"
_numbers = itertools.count(1)
running = []                     # every daemon that is up now


class CtrError(AssertionError):
    """ctr ended as the test did not expect."""


class Daemon:
    def __init__(self, runtime="runc", env=None, name=None, prefix="d",
                 containerd=None):
        self.runtime = runtime
        self.containerd = containerd or versions.main()
        self.dir = world.base / f"{prefix}{next(_numbers)}"
        self.state = self.dir / "state"
        self.socket = self.dir / "c.sock"
        self.log = self.dir / "log"
        self.ttrpc = self.dir / "t.sock"
        self.ns = world.RUN
        self.env = dict(env or {})
        self.process = None
        self.popens = []
        self.dirty = False
        bindir = self.dir / "bin"
        bindir.mkdir(parents=True)
        for link in (name or "containerd-shim-wisp-v1",
                     "containerd-shim-runc-v2"):
            (bindir / link).symlink_to(world.SHIM)
        self.path = f"{bindir}:/usr/sbin:/usr/bin:/sbin:/bin"
        if runtime == "crun":
            self.runtime_flags = ["--runtime", "io.containerd.runc.v2",
                                  "--runc-binary", "crun"]
        else:
            self.runtime_flags = ["--runtime", "io.containerd.wisp.v1"]

    # ---- the daemon itself

    def start(self, ttrpc=None):
        """Start and wait until it answers. `ttrpc`: another socket path for
        its events service, so that shims cannot reach it for now."""
        self.configure(ttrpc or self.ttrpc)
        argv = [self.containerd.path, "-c", str(self.dir / "config.toml")]
        if self.runtime == "crun":
            argv = ["unshare", "-m", "sh", "-c", NO_UNIFIED, "sh", *argv]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                cwd=self.dir, start_new_session=True,
                env=world.environ(**{**self.env, "PATH": self.path}))
        running.append(self)
        poll.until(self._answers,
                   lambda: f"containerd answers\n{self.log_tail()}", 30)
        return self

    def configure(self, ttrpc):
        level = os.environ.get("WISP_E2E_LOG", "info")
        major = self.containerd.number[0]
        (self.dir / "config.toml").write_text(
            f'version = {major + 1}\nroot = "{self.dir}/root"\n'
            f'state = "{self.state}"\n'
            f'disabled_plugins = {json.dumps(DISABLED[major])}\n'
            f'[grpc]\naddress = "{self.socket}"\n'
            f'[ttrpc]\naddress = "{ttrpc}"\n'
            f'[debug]\nlevel = "{level}"\n')

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(
                f"containerd exited {self.process.returncode}\n"
                f"{self.log_tail()}")
        return self.socket.exists() and self.ctr(
            "version", ok=None, timeout=10).rc == 0

    def prepare(self):
        """Start and import the image; once per daemon."""
        self.start()
        self.ctr("image", "import", image.archive(), timeout=60)
        return self

    def kill(self, sig=signal.SIGKILL):
        """End the daemon; its shims and containers stay."""
        if self.process:
            self.process.send_signal(sig)
            self.process.wait(30 * poll.SLOW)
            self.process = None
            running.remove(self)

    def stop(self):
        self.end_clients()
        self.kill(signal.SIGTERM)

    def restart(self, ttrpc=None):
        self.kill()
        return self.start(ttrpc)

    def log_tail(self, lines=25):
        text = proc.read(self.log).splitlines()
        return "containerd's log ends:\n" + "\n".join(
            line[:400] for line in text[-lines:])

    # ---- ctr

    def argv(self, *args):
        return [self.containerd.ctr, "-a", str(self.socket), "-n", self.ns,
                *(str(a) for a in args)]

    def ctr(self, *args, ok=(0,), timeout=30, input=None, text=True):
        """Run ctr; `ok` lists accepted exit codes, None accepts all."""
        argv = self.argv(*args)
        if isinstance(input, str) and not text:
            input = input.encode()
        stdin = {"stdin": subprocess.DEVNULL} if input is None else {
            "input": input}
        try:
            p = subprocess.run(argv, capture_output=True, text=text,
                               timeout=timeout * poll.SLOW, **stdin)
        except subprocess.TimeoutExpired as e:
            raise CtrError(f"ctr {' '.join(argv[5:])}: no end within "
                           f"{timeout} s\nstdout: {_tail(e.stdout)}\n"
                           f"stderr: {_tail(e.stderr)}\n{self.log_tail()}"
                           ) from None
        if ok is not None and p.returncode not in ok:
            raise CtrError(f"ctr {' '.join(argv[5:])}: exit {p.returncode}, "
                           f"expected {ok}\nstdout: {_tail(p.stdout)}\n"
                           f"stderr: {_tail(p.stderr)}\n{self.log_tail(8)}")
        return Result(p.returncode, p.stdout, p.stderr)

    def popen(self, *args, **kw):
        """ctr in the background; killed at the end of the test."""
        p = subprocess.Popen(self.argv(*args), **kw)
        self.popens.append(p)
        return p

    def end_clients(self):
        for p in self.popens:
            if p.poll() is None:
                p.kill()
            p.wait()
            for f in (p.stdin, p.stdout, p.stderr):
                if f:
                    try:
                        f.close()
                    except OSError:
                        pass
        self.popens.clear()

    def run_args(self, *cmd, flags=(), id=None):
        return ["run", *self.runtime_flags, *flags, image.NAME,
                id or world.fresh(), *cmd]

    def run(self, *cmd, flags=(), id=None, **kw):
        """ctr run --rm, in the foreground."""
        return self.ctr(*self.run_args(*cmd, flags=("--rm", *flags), id=id),
                        **kw)

    def say(self, script, *args, **kw):
        """Like run(), of a shell script whose output matters."""
        return self.run("sh", "-c", LINGER.format(script), "sh", *args, **kw)

    # ---- what it knows

    def tasks(self):
        """id -> (pid, status) as `ctr task ls` shows them."""
        rows = self.ctr("task", "ls").out.splitlines()[1:]
        return {r.split()[0]: (int(r.split()[1]), r.split()[2])
                for r in rows}

    def containers(self):
        return self.ctr("container", "ls", "-q").out.split()

    def bundle(self, id):
        return self.state / "io.containerd.runtime.v2.task" / self.ns / id

    def shim_of(self, id):
        """The shim that serves container id: whoever has its `id` on the
        command line, else (grouped) the parent of its init."""
        for p in proc.ours():
            words = p.cmd.split()
            if str(self.socket) in words and p.state != "Z" and re.search(
                    rf" --?id[ =]{re.escape(id)}( |$)", " " + p.cmd):
                return p.pid
        task = self.tasks().get(id)
        return proc.get(task[0]).ppid if task else None


class Result:
    """What a ctr command left: exit code, stdout, stderr."""

    def __init__(self, rc, out, err):
        self.rc, self.out, self.err = rc, out, err

    def __repr__(self):
        return f"exit {self.rc}, out {self.out!r}, err {self.err!r}"


def _tail(data, n=1500):
    if isinstance(data, bytes):
        data = data[-n:].decode(errors="replace")
    return (data or "")[-n:]
