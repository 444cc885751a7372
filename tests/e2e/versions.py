# SPDX-License-Identifier: Apache-2.0
"""The containerds that there are: the one in PATH, and those that
tests/daemons.sh has fetched.

WISP_CONTAINERD: the one that all tests run under: a version (1.7) or a path;
unset: PATH's.
WISP_DAEMONS: the versions that tests marked every_daemon run under besides,
as "1.7,2"; unset: all that were fetched, none if WISP_CONTAINERD is set.
"""
import functools
import os
import pathlib
import re
import shutil
import subprocess
from dataclasses import dataclass

import pytest

import world

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or
                     pathlib.Path.home() / ".cache") / "wisp" / "daemons"
FOLDERS = ("1.7", "2")           # of CACHE; see tests/daemons.sh
HELP = "tests/daemons.sh fetches newer ones"


@dataclass(frozen=True)
class Containerd:
    path: str
    version: str                 # 1.6.20

    @property
    def number(self):
        """(1, 6)"""
        return tuple(int(n) for n in self.version.split(".")[:2])

    @property
    def label(self):
        """1.6"""
        return "%d.%d" % self.number

    @property
    def ctr(self):
        """The client of the same version."""
        beside = pathlib.Path(self.path).with_name("ctr")
        return str(beside) if beside.exists() else shutil.which("ctr")

    @property
    def go_shim(self):
        """The reference shim of the same version, or None."""
        beside = pathlib.Path(self.path).with_name("containerd-shim-runc-v2")
        return str(beside) if beside.exists() else None


def at(path):
    """The containerd at a path; None if there is none."""
    if not path or not os.access(path, os.X_OK):
        return None
    out = subprocess.run([path, "--version"], capture_output=True, text=True,
                         timeout=30).stdout
    version = re.search(r" v?(\d+\.\d+\.\d+)", out)
    if not version:
        pytest.exit(f"{path} --version says {out!r}: no containerd?", 2)
    return Containerd(path, version[1])


@functools.lru_cache(maxsize=None)
def known():
    """All of them, PATH's first."""
    paths = [shutil.which("containerd"),
             *(str(CACHE / f / "usr/bin/containerd") for f in FOLDERS)]
    return [c for c in map(at, paths) if c]


def find(version):
    """The first known one of that version, or version's beginning."""
    for c in known():
        if (c.version + ".").startswith(version.removeprefix("v") + "."):
            return c
    pytest.exit(f"no containerd {version} among "
                f"{[c.version for c in known()]}: {HELP}", 2)


@functools.lru_cache(maxsize=None)
def main():
    """The one that all tests run under; None if there is none at all."""
    wanted = os.environ.get("WISP_CONTAINERD")
    if not wanted:
        return known()[0] if known() else None
    if "/" not in wanted:
        return find(wanted)
    return at(wanted) or pytest.exit(f"no containerd at {wanted}", 2)


@functools.lru_cache(maxsize=None)
def others():
    """Those that tests marked every_daemon run under, too."""
    wanted = os.environ.get("WISP_DAEMONS")
    if wanted is not None:
        found = [find(v) for v in wanted.split(",") if v]
    else:
        found = [] if os.environ.get("WISP_CONTAINERD") else known()
    unique = {c.version: c for c in found}
    unique.pop(main() and main().version, None)
    return list(unique.values())


@functools.lru_cache(maxsize=None)
def crun_runs_under(containerd):
    """crun up to 1.8 takes no config.json as containerd 1.7 writes it, with
    an ociVersion above 1.0."""
    out = world.sh("crun", "--version").stdout.decode()
    crun = tuple(int(n) for n in re.search(
        r"version (\d+)\.(\d+)", out).groups())
    return containerd.number <= (1, 6) or crun > (1, 8)


def tool(name):
    """A program that a test needs: in PATH (sbin too), or fetched; or
    None."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return shutil.which(name, path=path) or next(
        (str(p) for f in reversed(FOLDERS) for d in ("bin", "sbin")
         if os.access(p := CACHE / f / "usr" / d / name, os.X_OK)), None)
