# SPDX-License-Identifier: Apache-2.0
"""What one pytest run owns: a name, a folder, a mount namespace.

Several runs may go on at once on one machine. Each enters a mount namespace
of its own with an empty /run/containerd (a tmpfs), so sockets, FIFOs and
runtime state of another run are not even visible; its folder is a tmpfs too
and is gone with the last process that holds the namespace. What cannot be
hidden (processes, cgroups) carries the run's name.
"""
import ctypes
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUN = "we2e-" + os.urandom(4).hex()        # also the containerd namespace
GO_SHIM = "/usr/bin/containerd-shim-runc-v2"
SHIM = TESTED = os.path.abspath(os.environ.get("WISP_SHIM") or
                                ROOT / "build" / "containerd-shim-wisp-v1")
RUN_DIR = pathlib.Path("/run/containerd")
CGROUPS = pathlib.Path("/sys/fs/cgroup")
V2 = (CGROUPS / "cgroup.controllers").exists()      # and nothing else
VM = "WISP_VM" in os.environ                # tests/vm/run says so
CLONE_NEWNS = 0x20000

base = None                                # pathlib.Path, once entered
_warden = None                             # ends the run
_ids = itertools.count(1)


def environ(**more):
    """The environment for daemons and shims."""
    return {**os.environ, "TMPDIR": str(base / "tmp"), **more}


def fresh(prefix="c"):
    """An id no other container of this run has."""
    return f"{prefix}{next(_ids)}"


def is_go():
    """Is the shim under test the Go one? It says so in its version."""
    try:
        out = subprocess.run([SHIM, "-v"], capture_output=True, timeout=10)
    except OSError:
        return False
    return b"Go version" in out.stdout


def enter():
    """Move this process (and all it will start) into the run's own world.
    The shim is copied there: a build in the meantime changes nothing."""
    global base, SHIM, _warden
    RUN_DIR.mkdir(mode=0o711, parents=True, exist_ok=True)
    tmp = tempfile.gettempdir()
    base = pathlib.Path(tempfile.mkdtemp(
        prefix="we2e-", dir=tmp if len(tmp) < 30 else "/tmp"))
    base.chmod(0o755)
    # What a shell in the background ignores, containers would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNS)")
    sh("mount", "--make-rprivate", "/")
    for where in (RUN_DIR, base):
        sh("mount", "-t", "tmpfs", "-o", "mode=755", RUN, where)
    (base / "tmp").mkdir(mode=0o1777)      # TMPDIR of daemons and shims
    (base / "t").mkdir()                   # what tests write
    if os.access(TESTED, os.X_OK):
        (base / "shim").mkdir()
        SHIM = str(base / "shim" / os.path.basename(TESTED))
        shutil.copy(TESTED, SHIM)
    os.environ["WISP_E2E_RUN"] = RUN       # marks every process of the run
    _warden = subprocess.Popen(
        [sys.executable, pathlib.Path(__file__).with_name("warden.py"), RUN,
         base], stdin=subprocess.PIPE, start_new_session=True)


def leave():
    """Remove what the world cannot take with it; see warden.py."""
    _warden.stdin.close()
    _warden.wait(60)


def cgroup_tops():
    """The run's namespaces in each hierarchy."""
    return sorted(CGROUPS.glob(f"{'' if V2 else '*/'}{RUN}*"))


def cgroup(controller, *path):
    """A group's folder; `controller` is where v1 would have it."""
    return (CGROUPS if V2 else CGROUPS / controller).joinpath(*path)


def cgroups():
    """The cgroups of its containers; wispctl's are in namespace wisp."""
    found = set(CGROUPS.glob(f"{'' if V2 else '*/'}wisp/{RUN}*"))
    for top in (*found, *cgroup_tops()):
        found |= {d for d in top.rglob("*") if d.is_dir()}
    return found


def sh(*argv, check=True, timeout=60, **kw):
    kw.setdefault("capture_output", True)
    return subprocess.run([str(a) for a in argv], check=check,
                          timeout=timeout, **kw)


def rmdir(path):
    try:
        path.rmdir()
    except OSError:
        pass
