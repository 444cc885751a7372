#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a corpus for fuzz_image into the folder that is named."""
import gzip
import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

ZEROS = "sha256:" + "0" * 64
CONFIG = {"os": "linux", "rootfs": {"diff_ids": [ZEROS]},
          "config": {"Cmd": ["a", "b"], "Entrypoint": ["c"], "User": "u:1",
                     "Env": ["A=1", "B", "=x", "A=2"], "WorkingDir": "w",
                     "StopSignal": "SIGTERM"}}
DOCKER = [{"Config": "c", "RepoTags": ["x:1"], "Layers": ["l"]}]


def archive(files):
    buf = io.BytesIO()
    with tarfile.open(fileobj=buf, mode="w",
                      format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            if isinstance(data, str):
                info.type, info.linkname, data = tarfile.SYMTYPE, data, b""
            elif not isinstance(data, bytes):
                data = json.dumps(data).encode()
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buf.getvalue().rstrip(b"\0") + bytes(1536)


def blob(files, value):
    data = json.dumps(value).encode()
    digest = hashlib.sha256(data).hexdigest()
    files[f"blobs/sha256/{digest}"] = data
    return {"digest": "sha256:" + digest, "size": len(data),
            "platform": {"os": "linux"},
            "annotations": {"org.opencontainers.image.ref.name": "x:1"}}


def layout(nested):
    files = {}
    config = blob(files, CONFIG)
    desc = blob(files, {"config": config, "layers": [
        {"digest": ZEROS, "size": 1, "mediaType": "x.tar+gzip"}]})
    if nested:
        desc = blob(files, {"manifests": [desc]})
    return archive({**files, "index.json": {"manifests": [desc]}})


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    docker = archive({"manifest.json": DOCKER, "c": CONFIG, "l": b"x"})
    seeds = [
        docker, gzip.compress(docker), layout(False), layout(True), b"",
        archive({"manifest.json": DOCKER, "c": "./d", "d": CONFIG, "l": "m",
                 "m": "l"}),
        archive({"manifest.json": DOCKER * 2, "c": [], "l": b""}),
        archive({"index.json": b"[[[[[[[[[[", "manifest.json": b"{}"}),
    ]
    for i, data in enumerate(seeds):
        (out / f"{i}").write_bytes(data)


if __name__ == "__main__":
    main()
