# SPDX-License-Identifier: Apache-2.0
"""A private dockerd with a containerd of its own, and the docker client.

d = Dockerd().prepare()         # configured by docs/examples/daemon.json
d.run("true", flags=("--memory=16m",))

No bridge and no packet filter: containers are in the host's network, or in
none. All folders are below the run's own, also what dockerd makes in /run.
"""
import functools
import json
import os
import signal
import subprocess
import tarfile

import daemon
import image
import poll
import proc
import versions
import world
from daemon import CtrError, Result, _tail

EXAMPLE = world.ROOT / "docs" / "examples" / "daemon.json"
OPTIONS = world.ROOT / "docs" / "examples" / "wisp.toml"
OPTIONS_PATH = "/etc/containerd/wisp.toml"      # as the first names the second
NAME = "wisp-test:1"


def missing():
    """The programs that are neither in PATH nor in the cache."""
    return [n for n in ("dockerd", "docker", "docker-init")
            if not versions.tool(n)]


@functools.lru_cache(maxsize=None)
def archive():
    """The image of image.py under a name that has no registry in it."""
    path = world.base / "docker.tar"
    with tarfile.open(image.archive()) as old, tarfile.open(path, "w") as new:
        for m in old:
            data = old.extractfile(m).read()
            if m.name == "manifest.json":
                (manifest,) = json.loads(data)
                manifest["RepoTags"] = [NAME]
                data = json.dumps([manifest]).encode()
            image._file(new, m.name, data)
    return path


class Dockerd:
    """`runtime`: a name of the example, or what containerd takes for one."""

    def __init__(self, runtime="wisp", flags=()):
        self.containerd = daemon.Daemon(
            containerd=versions.others()[-1] if versions.others() and
            versions.main().number < (1, 7) else versions.main())
        self.dir = self.containerd.dir
        self.runtime, self.more = runtime, flags
        self.socket = self.dir / "docker.sock"
        self.exec_root = self.dir / "run"
        self.log = self.dir / "dockerd.log"
        self.process, self.dirty, self.popens = None, False, []
        # `docker` looks for plugins and credentials at home.
        (self.dir / "home").mkdir()
        self.env = world.environ(HOME=str(self.dir / "home"),
                                 DOCKER_HOST=f"unix://{self.socket}",
                                 PATH=self.containerd.path)
        text = EXAMPLE.read_text().replace(OPTIONS_PATH, str(
            self.dir / "wisp.toml"))
        if world.is_go():
            text = text.replace("io.containerd.wisp.v1",
                                "io.containerd.runc.v2")
        (self.dir / "daemon.json").write_text(text)
        (self.dir / "wisp.toml").write_text(OPTIONS.read_text())

    # ---- the daemons

    def start(self):
        """Start dockerd; its containerd must run."""
        argv = [versions.tool("dockerd"),
                "--config-file", self.dir / "daemon.json",
                "--host", f"unix://{self.socket}",
                "--data-root", self.dir / "data",
                "--exec-root", self.exec_root,
                "--pidfile", self.dir / "pid",
                "--containerd", self.containerd.socket,
                "--containerd-namespace", world.RUN,
                "--containerd-plugins-namespace", f"{world.RUN}-plugins",
                "--cgroup-parent", f"/{world.RUN}",
                "--bridge=none", "--iptables=false", "--ip6tables=false",
                "--userland-proxy=false", "--storage-driver=overlay2",
                "--live-restore", "--init-path", versions.tool("docker-init"),
                *(["--debug"] if os.environ.get("WISP_E2E_LOG") == "debug"
                  else []), *self.more]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(a) for a in argv], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, cwd=self.dir, env=self.env,
                start_new_session=True)
        daemon.running.append(self)
        poll.until(self._answers,
                   lambda: f"dockerd answers\n{self.log_tail()}", 60)
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"dockerd exited {self.process.returncode}\n"
                                 f"{self.log_tail()}")
        return self.socket.exists() and self.docker(
            "version", ok=None, timeout=20).rc == 0

    def prepare(self):
        self.containerd.start()
        self.start()
        self.docker("load", "-i", archive(), timeout=60)
        self.run("true")        # the first one has it make what it then keeps
        return self

    def remove_all(self):
        for id in self.containers():
            self.docker("rm", "-f", id, ok=None)
        assert not self.containers()
        for left in (self.leftovers, self.shims):
            assert poll.settles(lambda: not left()), left()

    def kill(self, sig=signal.SIGKILL):
        """End dockerd; live-restore has its containers stay."""
        if self.process:
            self.process.send_signal(sig)
            self.process.wait(60 * poll.SLOW)
            self.process = None
            daemon.running.remove(self)

    def restart(self, sig=signal.SIGKILL):
        self.kill(sig)
        return self.start()

    def stop(self):
        self.end_clients()
        self.kill(signal.SIGTERM)
        self.containerd.stop()
        # One that was killed leaves its own mounts to the next, which
        # mounts the same again.
        for line in reversed(proc.read("/proc/self/mountinfo").splitlines()):
            point = line.split()[4]
            if point in (f"{self.dir}/data",
                         f"{self.exec_root}/netns/default"):
                world.sh("umount", "-l", point)

    def log_tail(self, lines=15):
        text = proc.read(self.log).splitlines()
        return ("dockerd's log ends:\n" + "\n".join(
            line[:400] for line in text[-lines:]) + "\n"
            + self.containerd.log_tail(8))

    # ---- docker

    def flags(self, *more):
        """Of docker run and create."""
        network = [] if "--network=none" in more else ["--network=host"]
        runtime = [] if "--runtime" in more else ["--runtime", self.runtime]
        return ["--pull=never", *network, *runtime, *more]

    def argv(self, *args):
        return [versions.tool("docker"), *(str(a) for a in args)]

    def docker(self, *args, ok=(0,), timeout=60, input=None, text=True):
        """Run docker; `ok` lists accepted exit codes, None accepts all."""
        argv = self.argv(*args)
        stdin = {"stdin": subprocess.DEVNULL} if input is None else {
            "input": input}
        try:
            p = subprocess.run(argv, capture_output=True,
                               timeout=timeout * poll.SLOW, text=text,
                               env=self.env, **stdin)
        except subprocess.TimeoutExpired as e:
            raise CtrError(f"docker {' '.join(argv[1:])}: no end within "
                           f"{timeout} s\nstdout: {_tail(e.stdout)}\n"
                           f"stderr: {_tail(e.stderr)}\n{self.log_tail()}"
                           ) from None
        if ok is not None and p.returncode not in ok:
            raise CtrError(f"docker {' '.join(argv[1:])}: exit "
                           f"{p.returncode}, expected {ok}\n"
                           f"stdout: {_tail(p.stdout)}\n"
                           f"stderr: {_tail(p.stderr)}\n{self.log_tail()}")
        return Result(p.returncode, p.stdout, p.stderr)

    def popen(self, *args, **kw):
        """docker in the background; killed at the end of the test."""
        p = subprocess.Popen(self.argv(*args), env=self.env, **kw)
        self.popens.append(p)
        return p

    end_clients = daemon.Daemon.end_clients

    def run(self, *cmd, flags=(), **kw):
        """docker run --rm, in the foreground."""
        return self.docker("run", "--rm", *self.flags(*flags), NAME, *cmd,
                           **kw)

    # ---- what there is

    def containers(self):
        return self.docker("ps", "-aq", "--no-trunc").out.split()

    def shims(self):
        """Every process that serves its containers."""
        return [p for p in proc.ours() if p.state != "Z"
                and "shim" in p.cmd.split(" ", 1)[0]
                and str(self.containerd.socket) in p.cmd]

    def leftovers(self):
        """What dockerd keeps for containers, in its own folders."""
        found = []
        for folder in (self.exec_root / "containerd",
                       self.exec_root / "netns",
                       self.dir / "data" / "containers"):
            if folder.is_dir():
                found += [str(p) for p in folder.iterdir()
                          if p.name not in ("daemon", "default")]
        return found


class Container:
    """One that runs in the background."""

    def __init__(self, d, *cmd, flags=(), start=True):
        self.d = d
        self.id = d.docker("run" if start else "create",
                           *(["-d"] if start else []), *d.flags(*flags),
                           NAME, *cmd).out.strip()

    def __str__(self):
        return self.id

    def do(self, verb, *flags, **kw):
        """docker VERB FLAGS ID"""
        return self.d.docker(verb, *flags, self.id, **kw)

    def exec(self, *cmd, flags=(), **kw):
        return self.d.docker("exec", *flags, self.id, *cmd, **kw)

    def inspect(self):
        (found,) = json.loads(self.do("inspect").out)
        return found

    def state(self):
        return self.inspect()["State"]

    def status(self):
        return self.state()["Status"]

    def until(self, status, timeout=30):
        """Wait for a status; the whole State."""
        poll.until(lambda: self.status() == status,
                   lambda: f"{status}: {self.state()}\n{self.d.log_tail()}",
                   timeout)
        return self.state()

    def logs(self):
        return self.do("logs").out

    def until_log(self, text, timeout=30):
        poll.until(lambda: text in self.logs(),
                   lambda: f"{text!r} in the log: {self.logs()!r}", timeout)
