# SPDX-License-Identifier: Apache-2.0
"""Images made by hand, so that every byte of them can be wrong.

Layer() collects tar entries; write_oci() and write_docker() put layers and a
configuration into a folder or an archive.
"""
import bz2
import functools
import gzip
import hashlib
import io
import json
import lzma
import os
import tarfile

import image

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine)
TYPE = "application/vnd.oci.image."


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def zstd(data):
    """A frame of blocks that are stored as they are (RFC 8878, 3.1.1)."""
    out = [b"\x28\xb5\x2f\xfd", b"\x00\x38"]
    for at in range(0, max(len(data), 1), 65536):
        block = data[at:at + 65536]
        last = at + 65536 >= len(data)
        out += [(last | len(block) << 3).to_bytes(3, "little"), block]
    return b"".join(out)


PACK = {"": lambda d: d, "gzip": lambda d: gzip.compress(d, 1), "zstd": zstd,
        "xz": lambda d: lzma.compress(d, preset=0), "bzip2": bz2.compress}


@functools.lru_cache(maxsize=4)
def packed(pack, data):
    """The busybox layer is most of every image."""
    return PACK[pack](data)


class Layer:
    def __init__(self):
        self.buf = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buf, mode="w",
                                format=tarfile.PAX_FORMAT)

    def add(self, name, data=None, type=None, mode=0o644, pax=None, **fields):
        """A file with data, else what type says. fields are TarInfo's."""
        info = tarfile.TarInfo(name)
        info.mode = mode
        info.type = type or tarfile.REGTYPE
        info.pax_headers = pax or {}
        for k, v in fields.items():
            setattr(info, k, v)
        if isinstance(data, str):
            data = data.encode()
        info.size = len(data or b"")
        self.tar.addfile(info, io.BytesIO(data) if data else None)
        return self

    def dir(self, name, mode=0o755, **kw):
        return self.add(name, type=tarfile.DIRTYPE, mode=mode, **kw)

    def symlink(self, name, to, **kw):
        return self.add(name, type=tarfile.SYMTYPE, linkname=to, mode=0o777,
                        **kw)

    def link(self, name, to, **kw):
        return self.add(name, type=tarfile.LNKTYPE, linkname=to, **kw)

    def bytes(self):
        self.tar.close()
        return self.buf.getvalue()


def plain(layer):
    return layer.bytes() if isinstance(layer, Layer) else layer


class Image:
    """The files of an OCI layout; add() each image, then write."""

    def __init__(self):
        self.blobs, self.manifests = {}, []

    def blob(self, data, **more):
        self.blobs[digest(data)] = data
        return {"digest": digest(data), "size": len(data), **more}

    def make(self, *layers, config=None, pack="gzip", base=True, arch=ARCH,
             os="linux", bad=None, platform=True):
        """The descriptor of a manifest. bad(config, manifest) spoils it."""
        layers = ([image.layer()] if base else []) + [plain(x) for x in layers]
        conf = {"os": os, "architecture": arch, "config": config or {},
                "rootfs": {"type": "layers",
                           "diff_ids": [digest(x) for x in layers]}}
        manifest = {"schemaVersion": 2, "layers": [
            self.blob(packed(pack, x), mediaType=TYPE + "layer.v1.tar"
                      + (f"+{pack}" if pack else "")) for x in layers]}
        if bad:
            bad(conf, manifest)
        manifest["config"] = self.blob(json.dumps(conf).encode(),
                                       mediaType=TYPE + "config.v1+json")
        return self.blob(
            json.dumps(manifest).encode(),
            mediaType=TYPE + "manifest.v1+json",
            **({"platform": {"os": os, "architecture": arch}}
               if platform else {}))

    def add(self, *layers, name=None, **kw):
        desc = self.make(*layers, **kw)
        if name:
            desc["annotations"] = {"org.opencontainers.image.ref.name": name}
        self.manifests.append(desc)
        return self

    def index(self, *descs):
        """The descriptor of an index of these."""
        return self.blob(json.dumps({"schemaVersion": 2, "manifests": descs})
                         .encode(), mediaType=TYPE + "index.v1+json")

    def files(self):
        index = {"schemaVersion": 2, "manifests": self.manifests}
        return {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
                **{f"blobs/sha256/{d[7:]}": x for d, x in self.blobs.items()},
                "index.json": json.dumps(index).encode()}

    def write(self, path, form="folder"):
        if form == "folder":
            return write_folder(path, self.files())
        return write_archive(path, self.files(), form.removeprefix("tar"))


def write_folder(path, files):
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def write_archive(path, files, pack=""):
    """files may have (b"", target) for a symbolic link."""
    out = Layer()
    for name, data in files.items():
        if isinstance(data, tuple):
            out.symlink(name, data[1])
        else:
            out.add("./" + name, data)
    path.write_bytes(PACK[pack.strip(".")](out.bytes()))
    return path


def docker_files(*layers, config=None, tags=("local/x:1",), by_digest=True):
    """As docker 24 has it: configuration by digest, layers in folders."""
    layers = [image.layer()] + [plain(x) for x in layers]
    conf = json.dumps({
        "os": "linux", "architecture": ARCH, "config": config or {},
        "rootfs": {"diff_ids": [digest(x) for x in layers]}}).encode()
    name = digest(conf)[7:] + ".json" if by_digest else "config.json"
    names = [f"{i}/layer.tar" for i in range(len(layers))]
    return {**dict(zip(names, layers)), name: conf,
            "manifest.json": json.dumps([{
                "Config": name, "RepoTags": list(tags),
                "Layers": names}]).encode()}
