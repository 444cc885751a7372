# SPDX-License-Identifier: Apache-2.0
"""Containers with a user namespace of their own: their stdio is theirs."""
import pytest

import rawshim
from daemon import NO_UNIFIED
from test_shim_stdio import ends             # noqa: F401 (a fixture)

ROOT = (100000, 200000)                      # root of the container, outside
# Programs do this to write to their own stdout by name; who does not own the
# pipe is refused.
REOPEN = ("set -e; echo one >/dev/stdout; echo two >/proc/self/fd/1; "
          "echo three >/dev/stderr; echo four >>/proc/$$/fd/1; "
          "if read x </proc/self/fd/0; then echo $x; fi; exit 5")


@pytest.fixture(params=["runc", "crun"])
def oci(request, tmp):
    """A runtime's name; crun does not start beside an unused v2 hierarchy."""
    if request.param == "runc":
        return "runc"
    path = tmp / "crun"
    path.write_text(f"#!/bin/sh\nexec unshare -m sh -c '{NO_UNIFIED}' "
                    "sh crun \"$@\"\n")
    path.chmod(0o755)
    return str(path)


def options(oci, **kw):
    return rawshim.runc_options(binary_name=oci, **kw)


@pytest.mark.go_fails("gives the pipes to IoUid only")
@pytest.mark.parametrize("uid", [0, 1000])
def test_stdout_by_name(raw, ends, oci, uid):    # noqa: F811
    """Nobody has told who is to own the pipes."""
    s = raw().start("c1", ["sh", "-c", REOPEN], userns=ROOT, uid=uid)
    s.create(options=options(oci), stdout=ends.paths["stdout"],
             stderr=ends.paths["stderr"])
    s.task.Start(id="c1")
    assert s.wait() == 5, bytes(ends.err.data)
    assert ends.out.end() == b"one\ntwo\nfour\n"
    assert ends.err.end() == b"three\n"
    s.task.Delete(id="c1")


@pytest.mark.parametrize("userns", [None, ROOT])
def test_stdout_by_name_with_io_uid(raw, ends, oci, userns):  # noqa: F811
    """As a client says that knows who it is."""
    uid, gid = (userns or (0, 0))[0] + 1000, (userns or (0, 0))[1] + 1000
    s = raw().start("c1", ["sh", "-c", REOPEN], userns=userns, uid=1000)
    s.create(options=options(oci, io_uid=uid, io_gid=gid),
             stdout=ends.paths["stdout"], stderr=ends.paths["stderr"])
    s.task.Start(id="c1")
    assert s.wait() == 5, bytes(ends.err.data)
    assert ends.out.end() == b"one\ntwo\nfour\n"
    s.task.Delete(id="c1")


@pytest.mark.go_fails("gives the pipes to IoUid only")
@pytest.mark.parametrize("uid", [0, 1000])
def test_exec(raw, ends, oci, uid):              # noqa: F811
    s = raw().start("c1", userns=ROOT)
    s.run(options=options(oci))
    s.exec("c1", "e", ["sh", "-c", REOPEN], uid=uid,
           stdout=ends.paths["stdout"], stderr=ends.paths["stderr"])
    assert s.wait("c1", "e") == 5, bytes(ends.err.data)
    assert ends.out.end() == b"one\ntwo\nfour\n"
    s.task.Delete(id="c1", exec_id="e")
    s.end()


@pytest.mark.parametrize("uid", [0, 1000])
def test_terminal(raw, ends, oci, uid):          # noqa: F811
    """A terminal is made in the container and belongs to its process."""
    s = raw().start("c1", ["sh", "-c", "tty; test -w /dev/tty && "
                           "stat -c %u $(tty); " + REOPEN],
                    userns=ROOT, uid=uid, terminal=True)
    s.create(options=options(oci), terminal=True,
             stdin=ends.stdin, stdout=ends.paths["stdout"])
    s.task.Start(id="c1")
    ends.out.until(b"four")
    with open(ends.stdin, "wb") as f:
        f.write(b"typed\n")
    assert s.wait() == 5, bytes(ends.out.data)
    out = ends.out.end().replace(b"\r", b"").split(b"\n")
    assert out[1] == str(uid).encode()
    assert out[2:6] == [b"one", b"two", b"three", b"four"]
    assert out.count(b"typed") == 2              # echoed, and read
    s.task.Delete(id="c1")
