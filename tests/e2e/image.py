# SPDX-License-Identifier: Apache-2.0
"""One image made of busybox-static, as an archive and as a folder."""
import functools
import hashlib
import io
import json
import subprocess
import tarfile

import world

NAME = "docker.io/local/busybox:latest"
BUSYBOX = "/bin/busybox"
FOLDERS = {"bin": 0o755, "dev": 0o755, "etc": 0o755, "proc": 0o755,
           "root": 0o755, "run": 0o755, "sys": 0o755, "tmp": 0o1777}
PASSWD = "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n"


def _file(tar, name, data, mode=0o644):
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    tar.addfile(info, io.BytesIO(data))


@functools.lru_cache(maxsize=None)
def layer():
    """The root file system as tar bytes."""
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True,
                             text=True, check=True).stdout.split()
    buf = io.BytesIO()
    with tarfile.open(fileobj=buf, mode="w") as tar:
        for name, mode in FOLDERS.items():
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, mode
            tar.addfile(info)
        with open(BUSYBOX, "rb") as f:
            _file(tar, "bin/busybox", f.read(), 0o755)
        _file(tar, "etc/passwd", PASSWD.encode())
        for applet in set(applets) - {"busybox"}:
            info = tarfile.TarInfo(f"bin/{applet}")
            info.type, info.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(info)
    return buf.getvalue()


@functools.lru_cache(maxsize=None)
def archive():
    """Path of a docker archive for `ctr image import`."""
    config = {"architecture": "amd64", "os": "linux",
              "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
              "rootfs": {"type": "layers", "diff_ids": [
                  "sha256:" + hashlib.sha256(layer()).hexdigest()]}}
    manifest = [{"Config": "config.json", "Layers": ["layer.tar"],
                 "RepoTags": [NAME.removeprefix("docker.io/")]}]
    path = world.base / "image.tar"
    with tarfile.open(path, "w") as tar:
        _file(tar, "config.json", json.dumps(config).encode())
        _file(tar, "layer.tar", layer())
        _file(tar, "manifest.json", json.dumps(manifest).encode())
    return path


@functools.lru_cache(maxsize=None)
def rootfs():
    """Path of the same files in a folder, for shims driven by hand."""
    path = world.base / "rootfs"
    with tarfile.open(fileobj=io.BytesIO(layer())) as tar:
        tar.extractall(path)
    return path
