#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a corpus for fuzz_layer into the folder that is named."""
import gzip
import io
import sys
import tarfile
from pathlib import Path

T = tarfile
# (name, type, link or data, pax headers)
SEEDS = [
    [("d", T.DIRTYPE, ""), ("d/f", T.REGTYPE, "data"), ("l", T.SYMTYPE, "d"),
     ("l/g", T.REGTYPE, "x"), ("h", T.LNKTYPE, "d/f")],
    [("../victim/f", T.REGTYPE, "x")], [("/a", T.REGTYPE, "x")],
    [("a/../../victim/f", T.REGTYPE, "x")],
    [("s", T.SYMTYPE, "../victim"), ("s/f", T.REGTYPE, "x"),
     ("s/.wh.old", T.REGTYPE, ""), ("s/.wh..wh..opq", T.REGTYPE, "")],
    [("h", T.LNKTYPE, "../victim/old")],
    [("s", T.SYMTYPE, "../victim"), ("h", T.LNKTYPE, "s/old")],
    [("s", T.SYMTYPE, "s/s"), ("s/f", T.REGTYPE, "x")],
    [("a/b/c", T.REGTYPE, "x"), ("a/.wh.b", T.REGTYPE, ""),
     (".wh..wh..opq", T.REGTYPE, ""), (".wh.a", T.REGTYPE, "")],
    [(".wh...", T.REGTYPE, ""), (".wh.", T.REGTYPE, ""), (".", T.DIRTYPE, "")],
    [("f", T.FIFOTYPE, ""), ("c", T.CHRTYPE, ""), ("b", T.BLKTYPE, "")],
    [("x", T.REGTYPE, "x", {"SCHILY.xattr.user.a": "v",
                            "SCHILY.xattr.security.capability": "\1\0\0\2"})],
    [("p", T.REGTYPE, "12", {"path": "long/" * 60 + "end", "mtime": "1.5",
                             "uid": "4294967296"})],
    [("s", T.REGTYPE, "0\n", {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                              "GNU.sparse.name": "sp",
                              "GNU.sparse.realsize": "1000000"})],
    [("a", T.DIRTYPE, ""), ("a", T.REGTYPE, "f"), ("a/b", T.REGTYPE, "x")],
]


def layer(entries, form):
    buf = io.BytesIO()
    with tarfile.open(fileobj=buf, mode="w", format=form) as tar:
        for name, kind, text, *pax in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.pax_headers = pax[0] if pax else {}
            data = text.encode() if kind == T.REGTYPE else b""
            info.size = len(data)
            if not data:
                info.linkname = text
            tar.addfile(info, io.BytesIO(data) if data else None)
    end = buf.getvalue()
    return end[:len(end.rstrip(b"\0")) // 512 * 512 + 512 + 1024]


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for i, entries in enumerate(SEEDS):
        (out / f"{i}").write_bytes(layer(entries, T.PAX_FORMAT))
        (out / f"{i}-gnu").write_bytes(layer(entries, T.GNU_FORMAT))
    (out / "gzip").write_bytes(gzip.compress(layer(SEEDS[0], T.PAX_FORMAT)))
    (out / "none").write_bytes(b"")


if __name__ == "__main__":
    main()
