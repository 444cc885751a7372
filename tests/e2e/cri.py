# SPDX-License-Identifier: Apache-2.0
"""Kubernetes' CRI: a containerd that serves it, and a client.

d = CriDaemon().prepare()       # its handler: as in docs/examples/
pod = Pod(d)                    # RunPodSandbox, in the host's network
a = pod.run("sh", "-c", "...")  # CreateContainer, StartContainer
a.exec("true").exit_code        # ExecSync
pod.remove()                    # StopPodSandbox, RemovePodSandbox
d.cri.Version(version="v1")     # any call of cri.proto

What a kubelet does and containerd does not (the pod's cgroup, log folders)
is done here.
"""
import io
import json
import os
import subprocess
import tarfile
from collections import namedtuple

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

import daemon
import image
import poll
import proc
import streams
import world

EXAMPLES = world.ROOT / "docs" / "examples"
HANDLER = "wisp"
NAMESPACE = "k8s.io"            # CRI's, whatever the client
PAUSE = "docker.io/local/pause:latest"
CREATED, RUNNING, EXITED, UNKNOWN = range(4)
READY, NOTREADY = range(2)
NODE = 2
COMMON = """
[grpc]
address = "{d.socket}"
[ttrpc]
address = "{d.ttrpc}"
[debug]
level = "{level}"
"""
# By containerd's major version; the CRI part is under other names in each.
CONFIG = {1: COMMON + """
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
disable_apparmor = true
restrict_oom_score_adj = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{d.dir}/cni"
conf_dir = "{d.dir}/cni"
""", 2: COMMON + """
[plugins."io.containerd.grpc.v1.cri"]
stream_server_address = "127.0.0.1"
stream_server_port = "0"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{pause}"
[plugins."io.containerd.cri.v1.runtime"]
disable_apparmor = true
restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{d.dir}/cni"]
conf_dir = "{d.dir}/cni"
"""}
NRI = "io.containerd.nri.v1.nri"        # its socket is the machine's own

LogLine = namedtuple("LogLine", "time stream tag text")


def grpc():
    """The module; the test fails, and says why, where there is none."""
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    try:
        import grpc as module
        return module
    except ImportError as e:
        why = str(e)
    pytest.fail(f"{why}: a CRI client needs Debian's python3-grpcio "
                "(make deps, or apt-get install python3-grpcio)",
                pytrace=False)


def load():
    """Method name -> (path on the wire, request and response class)."""
    here = world.ROOT / "tests" / "e2e"
    out = subprocess.run(
        ["protoc", f"-I{here}", "--descriptor_set_out=/dev/stdout",
         "cri.proto"], check=True, capture_output=True).stdout
    (file,) = descriptor_pb2.FileDescriptorSet.FromString(out).file
    classes = message_factory.GetMessages([file])
    pool = descriptor_pool.DescriptorPool()
    services = pool.AddSerializedFile(file.SerializeToString())
    return {m.name: (f"/{s.full_name}/{m.name}",
                     classes[m.input_type.full_name],
                     classes[m.output_type.full_name])
            for s in services.services_by_name.values() for m in s.methods}


class Client:
    """A method per call: client.Version(version="v1") -> VersionResponse.
    Raises grpc.RpcError."""

    TIMEOUT_S = 60

    def __init__(self, path):
        self.methods = load()
        self.channel = grpc().insecure_channel(f"unix:{path}", options=[
            ("grpc.default_authority", "localhost"),
            ("grpc.enable_http_proxy", 0)])

    def __getattr__(self, name):
        if name not in self.methods:
            raise AttributeError(name)
        path, request, response = self.methods[name]

        def call(client_timeout=self.TIMEOUT_S, **fields):
            rpc = self.channel.unary_unary(
                path, request_serializer=request.SerializeToString,
                response_deserializer=response.FromString)
            return rpc(request(**fields), timeout=client_timeout,
                       wait_for_ready=True)
        return call

    def close(self):
        self.channel.close()


def pause_archive():
    """An image whose process does nothing: the pod's own container."""
    path = world.base / "pause.tar"
    with tarfile.open(image.archive()) as old, tarfile.open(path, "w") as new:
        files = {m.name: old.extractfile(m).read() for m in old}
        config = json.loads(files["config.json"])
        config["config"]["Cmd"] = ["sleep", "1000000"]
        (manifest,) = json.loads(files["manifest.json"])
        manifest["RepoTags"] = [PAUSE.removeprefix("docker.io/")]
        files["config.json"] = json.dumps(config).encode()
        files["manifest.json"] = json.dumps([manifest]).encode()
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            new.addfile(info, io.BytesIO(data))
    return path


class CriDaemon(daemon.Daemon):
    """containerd with its CRI plugin, configured as the example has it."""

    def __init__(self, edit=lambda text: text, containerd=None):
        super().__init__(prefix="dcri", containerd=containerd)
        self.ns = NAMESPACE
        self.cri = None
        self.edit = edit

    @property
    def example(self):
        return EXAMPLES / f"containerd-{self.containerd.number[0]}.toml"

    def configure(self, ttrpc):
        example = self.edit(self.example.read_text())
        if world.is_go():       # it knows no options but its own
            example = example.replace("io.containerd.wisp.v1",
                                      "io.containerd.runc.v2")
        # One file: `imports` would have the CRI section from one of two.
        (self.dir / "config.toml").write_text(
            f'root = "{self.dir}/root"\nstate = "{self.state}"\n'
            f'disabled_plugins = ["{NRI}"]\n' + example
            + CONFIG[self.containerd.number[0]].format(
                d=self, pause=PAUSE,
                level=os.environ.get("WISP_E2E_LOG", "info")))

    def start(self, ttrpc=None):
        super().start(ttrpc)
        self.cri = Client(self.socket)
        poll.until(self._serves,
                   lambda: f"the CRI plugin answers\n{self.log_tail()}", 30)
        return self

    def _serves(self):
        rpc = grpc()
        try:
            return self.cri.Version(version="v1", client_timeout=5)
        except rpc.RpcError as e:
            # It is registered some time before it is initialized.
            if e.code() not in (rpc.StatusCode.UNKNOWN,
                                rpc.StatusCode.UNAVAILABLE):
                raise AssertionError(f"{e}\n{self.log_tail()}") from None

    def prepare(self):
        grpc()
        super().prepare()
        self.ctr("image", "import", pause_archive(), timeout=60)
        for name in (image.NAME, PAUSE):        # CRI hears of it by an event
            poll.until(lambda: self.cri.ImageStatus(
                image={"image": name}).HasField("image"), f"image {name}")
        return self

    def kill(self, *args):
        if self.cri:
            self.cri.close()
            self.cri = None
        super().kill(*args)

    def shims(self):
        """Every process that serves this daemon's containers."""
        return [p for p in proc.ours() if p.state != "Z"
                and "shim" in p.cmd.split(" ", 1)[0]
                and str(self.socket) in p.cmd]

    def leftovers(self):
        """What CRI and containerd keep for pods and containers."""
        dirs = [d / f for d in (self.state / daemon.CRI,
                                self.dir / "root" / daemon.CRI)
                for f in ("containers", "sandboxes")]
        found = [str(p) for d in dirs if d.exists() for p in d.iterdir()]
        active = [line for line in
                  self.ctr("snapshot", "ls").out.splitlines()[1:]
                  if line.split()[-1] != "Committed"]
        return found + self.containers() + active


class Pod:
    """One sandbox. `handler`: the RuntimeClass's."""

    def __init__(self, d, handler=HANDLER, pid=None, annotations=None):
        self.d = d
        name = world.fresh("pod")
        self.logs = d.dir / "logs" / name
        self.logs.mkdir(parents=True)
        self.options = {"network": NODE}
        if pid is not None:
            self.options["pid"] = pid
        self.config = {
            "metadata": {"name": name, "uid": f"{name}-uid",
                         "namespace": "default", "attempt": 0},
            "log_directory": str(self.logs), "labels": {"app": name},
            "annotations": annotations or {},
            "linux": {"cgroup_parent": f"/{world.RUN}",
                      "security_context": {
                          "namespace_options": self.options}}}
        self.containers = []
        self.id = d.cri.RunPodSandbox(
            config=self.config, runtime_handler=handler).pod_sandbox_id

    def create(self, *cmd, memory=0, **more):
        c = Container(self, cmd, memory, more)
        self.containers.append(c)
        return c

    def run(self, *cmd, **kw):
        return self.create(*cmd, **kw).start()

    def status(self):
        return self.d.cri.PodSandboxStatus(pod_sandbox_id=self.id).status

    def list(self):
        """Container id -> state."""
        return {c.id: c.state for c in self.d.cri.ListContainers(
            filter={"pod_sandbox_id": self.id}).containers}

    def stop(self):
        self.d.cri.StopPodSandbox(pod_sandbox_id=self.id)

    def remove(self):
        """Both calls may be repeated."""
        self.stop()
        self.d.cri.RemovePodSandbox(pod_sandbox_id=self.id)


class Container:
    def __init__(self, pod, cmd, memory, more):
        self.pod, self.cri = pod, pod.d.cri
        name = world.fresh()
        config = {"metadata": {"name": name},
                  "image": {"image": image.NAME}, "command": cmd,
                  "log_path": f"{name}.log",
                  "linux": {
                      "resources": {"memory_limit_in_bytes": memory},
                      "security_context": {
                          "namespace_options": pod.options}}, **more}
        self.tty = more.get("tty", False)
        self.log_path = pod.logs / config["log_path"]
        self.id = self.cri.CreateContainer(
            pod_sandbox_id=pod.id, config=config,
            sandbox_config=pod.config).container_id

    def _call(self, method, **fields):
        return getattr(self.pod.d.cri, method)(container_id=self.id, **fields)

    def start(self):
        self._call("StartContainer")
        return self

    def stop(self, timeout=0):
        self._call("StopContainer", timeout=timeout)

    def remove(self):
        self._call("RemoveContainer")

    def status(self):
        return self._call("ContainerStatus").status

    def exec(self, *cmd, timeout=30):
        return self._call("ExecSync", cmd=cmd, timeout=timeout)

    def exec_stream(self, *cmd, tty=False):
        """Exec: stdin and the output through the streaming server."""
        return streams.Stream(self._call(
            "Exec", cmd=cmd, tty=tty, stdin=True, stdout=True,
            stderr=not tty).url)

    def attach(self):
        return streams.Stream(self._call(
            "Attach", tty=self.tty, stdin=True, stdout=True,
            stderr=not self.tty).url)

    def exited(self, timeout=30):
        """Its status once it has ended."""
        def end():
            s = self.status()
            return s if s.state == EXITED else None
        return poll.until(end, lambda: f"end of {self.status()}\n"
                          f"{self.pod.d.log_tail()}", timeout)

    def log(self):
        """The lines the daemon wrote from what came through the FIFOs."""
        text = proc.read(self.log_path)
        assert not text or text.endswith("\n"), "a torn line"
        return [LogLine(*line.split(" ", 3)) for line in text.splitlines()]

    def out(self, stream="stdout"):
        """What it wrote, put together again."""
        return "".join(line.text + ("\n" if line.tag == "F" else "")
                       for line in self.log() if line.stream == stream)
