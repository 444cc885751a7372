# SPDX-License-Identifier: Apache-2.0
"""A shim driven by hand: no daemon, the test plays its part.

    s = RawShim(folder)            # an EventServer, no process yet
    s.start("c1", ["sleep", "9"])  # bundle, `shim start`, connected
    s.run("c1")                    # Create and Start
    s.task.Kill(id="c1", signal=9)
    s.wait("c1") == 137
"""
import json
import os
import subprocess

import image
import poll
import proc
import spec
import ttrpc
import world

OPTIONS = "containerd.runc.v1.Options"
PROCESS = "types.containerd.io/opencontainers/runtime-spec/1/Process"
Any = ttrpc.message("google.protobuf.Any")
Mount = ttrpc.message("containerd.types.Mount")
EVENTS = {"/tasks/exec-added": "exec-added", "/tasks/start": "start",
          "/tasks/exec-started": "exec-started", "/tasks/exit": "exit"}


class RawShim:
    def __init__(self, folder, ns=None, events=True, binary=None, env=None,
                 runtime=None):
        self.folder = folder
        self.ns = ns or world.RUN
        self.binary = str(binary or world.SHIM)
        self.runtime = runtime
        self.env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(env or {})}
        self.daemon_address = folder / "c.sock"
        self.events = None
        if events:
            self.events = ttrpc.EventServer(str(folder / "t.sock")).start()
            self.env.setdefault("TTRPC_ADDRESS", str(folder / "t.sock"))
        self.address = self.client = self.task = None
        self.pids, self.ids, self.logs, self.bundles = set(), [], {}, {}

    # ---- the command line

    def argv(self, id, command=None, *flags, dash="-"):
        argv = [self.binary, f"{dash}namespace", self.ns, f"{dash}id", id,
                f"{dash}address", str(self.daemon_address),
                f"{dash}publish-binary", "/usr/bin/containerd", *flags]
        return argv + ([command] if command else [])

    def bundle(self, id, args=("sleep", "1000"), text=None, **kw):
        """A bundle folder; its config.json from spec.base(args, **kw)."""
        path = self.folder / "b" / id
        (path / "rootfs").mkdir(parents=True)
        kw.setdefault("cgroup", f"/{self.ns}/{id}")
        (path / "config.json").write_text(
            json.dumps(spec.base(list(args), **kw)) if text is None
            else text)
        os.mkfifo(path / "log")
        # Our end: the shim's log never blocks, and log() can show it.
        self.logs[id] = os.open(path / "log", os.O_RDWR | os.O_NONBLOCK)
        self.bundles[id] = path
        return path

    def call(self, argv, cwd, input=b"", timeout=20, env=None, **kw):
        """Run the shim binary to the end of its stdout and stderr. On a
        timeout somebody still holds them."""
        full = {**world.environ(), **self.env, **(env or {})}
        full = {k: v for k, v in full.items() if v is not None}
        return subprocess.run(argv, cwd=cwd, input=input,
                              timeout=timeout * poll.SLOW,
                              capture_output=True, env=full, **kw)

    def start_raw(self, id, input=b"", env=None, flags=()):
        """`shim start` in the bundle of id: the finished process."""
        return self.call(self.argv(id, "start", *flags), self.bundles[id],
                         input, env=env)

    def start(self, id="c1", args=("sleep", "1000"), connect=True, **kw):
        """Bundle, start, connect."""
        self.bundle(id, args, **kw)
        p = self.start_raw(id)
        assert p.returncode == 0, f"start: {p.stderr.decode()}"
        self.address = p.stdout.decode().strip()
        self.ids.append(id)
        if connect:
            self.connect()
        return self

    def delete(self, id, **kw):
        """`shim delete`, as a daemon calls it after a shim died."""
        return self.call(self.argv(
            id, "delete", "-bundle", str(self.bundles[id])),
            self.bundles[id], **kw)

    # ---- RPC

    def connect(self, version=None):
        self.client = ttrpc.Client(self.address, self.ns)
        self.task = self.stub(version)
        self.pid = proc.listener(ttrpc.socket_path(self.address))
        self.pids.add(self.pid)
        return self.task

    def stub(self, version=None):
        return ttrpc.Task(self.client,
                          version or (2 if world.is_go() else 3))

    def create_args(self, id, rootfs=None, options=None, **kw):
        if rootfs is None:
            rootfs = [Mount(type="bind", source=str(image.rootfs()),
                            options=["rbind", "ro"])]
        if options is None and self.runtime:
            options = runc_options(binary_name=str(self.runtime))
        if options is not None:
            kw["options"] = options
        return dict(id=id, bundle=str(self.bundles[id]), rootfs=rootfs, **kw)

    def create(self, id="c1", timeout=30, **kw):
        if id not in self.ids:
            self.ids.append(id)
        return self.task.Create(timeout=timeout,
                                **self.create_args(id, **kw))

    def run(self, id="c1", **kw):
        """Create and Start; the pid."""
        self.create(id, **kw)
        return self.task.Start(id=id).pid

    def exec(self, id, exec_id, args, start=True, terminal=False, stdin="",
             stdout="", stderr="", **kw):
        self.task.Exec(id=id, exec_id=exec_id, terminal=terminal,
                       stdin=str(stdin), stdout=str(stdout),
                       stderr=str(stderr), spec=process_any(
                           spec.process(args, terminal=terminal, **kw)))
        if start:
            return self.task.Start(id=id, exec_id=exec_id).pid

    def wait(self, id="c1", exec_id="", timeout=20):
        return self.task.Wait(id=id, exec_id=exec_id,
                              timeout=timeout).exit_status

    def state(self, id="c1", exec_id="", **kw):
        """RUNNING, STOPPED, ..."""
        r = self.task.State(id=id, exec_id=exec_id, **kw)
        return STATUS[r.status]

    def kill(self, id="c1", sig=9, **kw):
        self.task.Kill(id=id, signal=sig, **kw)

    def end(self, id="c1"):
        """Kill, wait, delete; the exit status."""
        self.kill(id)
        self.wait(id)
        return self.task.Delete(id=id).exit_status

    # ---- what happened

    def names(self, id=None, source="events"):
        """Acknowledged events in short form, as events.Event does."""
        out = []
        for e in list(getattr(self.events, source)):
            m = e.message
            if id and m.container_id != id:
                continue
            name = EVENTS.get(e.topic, e.topic.rsplit("/", 1)[1])
            exec_id = getattr(m, "exec_id", "") or getattr(m, "id", "")
            args = [exec_id] if exec_id not in ("", m.container_id) else []
            if name == "exit":
                args.append(str(m.exit_status))
            out.append(name + (f"({','.join(args)})" if args else ""))
        return out

    def until(self, name, id=None, timeout=15):
        poll.until(lambda: name in self.names(id),
                   lambda: f"event {name}; seen: {self.names(id)}; "
                   f"tried: {self.names(id, 'attempts')}", timeout)
        return self.names(id)

    def log(self, id):
        """What the shim has logged so far."""
        out = b""
        try:
            while part := os.read(self.logs[id], 65536):
                out += part
        except BlockingIOError:
            pass
        return out.decode(errors="replace")

    # ---- the end

    def close(self):
        """Take all containers and the shim away, however they are."""
        try:
            for id in self.ids if self.client else ():
                self._remove(id)
            if self.client and not self.client.closed.is_set():
                self._quiet("Shutdown", id="", now=True)
                poll.settles(self.client.closed.is_set, 5)
        finally:
            if self.client:
                self.client.close()
            if self.events:
                self.events.resume()
                self.events.stop()
            for fd in self.logs.values():
                os.close(fd)

    def _remove(self, id):
        if self.client.closed.is_set():
            for pid in self.pids - {None}:
                proc.kill(pid)
            self.delete(id)
            return
        self._quiet("Resume", id=id)
        self._quiet("Kill", id=id, signal=9, all=True)
        if self._quiet("Wait", id=id):
            self._quiet("Delete", id=id)
        else:
            self._quiet("Delete", id=id)       # created, never started

    def _quiet(self, method, **kw):
        try:
            return getattr(self.task, method)(timeout=5, **kw) or True
        except (ttrpc.TtrpcError, OSError, TimeoutError):
            return None


STATUS = ["UNKNOWN", "CREATED", "RUNNING", "STOPPED", "PAUSED", "PAUSING"]


def runc_options(**kw):
    return any_of(OPTIONS, ttrpc.message(OPTIONS)(**kw))


def any_of(name, msg, prefix=""):
    return Any(type_url=prefix + name, value=msg.SerializeToString())


def process_any(value, url=PROCESS):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Any(type_url=url, value=data)
