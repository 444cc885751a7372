# SPDX-License-Identifier: Apache-2.0
"""The shim's command line: start in three dialects, groups, delete, -v, and
one-line errors that say what is wrong."""
import json
import os
import re
import shutil

import pytest

import poll
import proc
import rawshim
import ttrpc
import world

GROUPS = ["io.containerd.runc.v2.group", "io.kubernetes.cri.sandbox-id"]
ADDRESS = re.compile(r"unix:///run/containerd/s/[0-9a-f]{64}")
Params = ttrpc.message("containerd.runtime.bootstrap.v1.BootstrapParams")
Result = ttrpc.message("containerd.runtime.bootstrap.v1.BootstrapResult")
DeleteResponse = ttrpc.message("containerd.task.v3.DeleteResponse")


@pytest.fixture
def s(raw):
    """A shim with a bundle c1, not started."""
    s = raw()
    s.bundle("c1")
    return s


def connected(s, address, *ids):
    """Connect, so that the shim is ended after the test."""
    s.address, s.ids = address, list(ids) or ["c1"]
    s.connect()
    return s


# ---- start, in the caller's dialect

def test_start_as_1_6_does(s):
    """No MAX_SHIM_VERSION: the bare address."""
    p = s.start_raw("c1")
    out = p.stdout.decode()
    assert p.returncode == 0, p.stderr
    assert ADDRESS.fullmatch(out.strip()), out
    assert (s.bundles["c1"] / "address").read_text() == out.strip()
    connected(s, out.strip()).run()
    assert s.end() == 137


@pytest.mark.go_fails("1.6 is from before this dialect")
@pytest.mark.parametrize("input", [
    b"", rawshim.runc_options(binary_name="runc").SerializeToString()],
    ids=["nothing", "options"])
def test_start_as_1_7_to_2_2_do(s, input):
    """MAX_SHIM_VERSION=2: JSON; stdin is empty or an Any."""
    p = s.start_raw("c1", input, env={"MAX_SHIM_VERSION": "2"})
    assert p.returncode == 0, p.stderr
    answer = json.loads(p.stdout)
    assert answer == {"version": 2, "address": answer["address"],
                      "protocol": "ttrpc"}
    assert ADDRESS.fullmatch(answer["address"])
    connected(s, answer["address"]).run()
    assert s.end() == 137


@pytest.mark.go_fails("1.6 is from before this dialect")
def test_start_as_2_3_does(s):
    """BootstrapParams on stdin: a BootstrapResult."""
    params = Params(
        instance_id="c1", namespace=s.ns, containerd_version="2.3.0",
        containerd_ttrpc_address=s.env.pop("TTRPC_ADDRESS"),
        containerd_grpc_address=str(s.daemon_address),
        containerd_binary="/usr/bin/containerd")
    p = s.start_raw("c1", params.SerializeToString(),
                    env={"MAX_SHIM_VERSION": "2"})
    assert p.returncode == 0, p.stderr
    answer = Result.FromString(p.stdout)
    assert (answer.version, answer.protocol) == (3, "ttrpc")
    assert ADDRESS.fullmatch(answer.address)
    connected(s, answer.address).run()
    assert s.end() == 137
    s.until("exit(137)")       # to the events address of the params


@pytest.mark.go_fails("1.6 is from before this dialect")
def test_socket_dir_of_the_params(s, tmp):
    params = Params(instance_id="c1", namespace=s.ns,
                    socket_dir=str(tmp / "sockets"))
    p = s.start_raw("c1", params.SerializeToString(),
                    env={"MAX_SHIM_VERSION": "2"})
    assert p.returncode == 0, p.stderr
    address = Result.FromString(p.stdout).address
    assert address.startswith(f"unix://{tmp}/sockets/")
    connected(s, address)


def test_options_on_stdin_of_1_6(s):
    any = rawshim.runc_options(binary_name="runc")
    p = s.start_raw("c1", any.SerializeToString())
    assert p.returncode == 0, p.stderr
    connected(s, p.stdout.decode().strip())


@pytest.mark.parametrize("dash", ["-", "--"])
@pytest.mark.parametrize("glue", [" ", "="])
def test_flags_in_every_spelling(s, dash, glue):
    argv = s.argv("c1", None, dash=dash)
    if glue == "=":
        argv = argv[:1] + [f"{k}={v}" for k, v in zip(
            argv[1::2], argv[2::2])]
    p = s.call(argv + [f"{dash}debug", "start"], s.bundles["c1"])
    assert p.returncode == 0, p.stderr
    connected(s, p.stdout.decode().strip())


def test_version(s):
    for flag in ("-v", "--v", "-version", "--version"):
        p = s.call([world.SHIM, flag], "/")
        if world.is_go() and "version" in flag:
            continue               # 1.6 knows -v only
        assert p.returncode == 0 and re.search(
            rb"\d+\.\d+", p.stdout), p
        assert p.stderr == b""


@pytest.mark.go_fails("1.6 is from before it")
def test_info(s):
    """RuntimeInfo, of the runtime that the options on stdin name."""
    options = rawshim.runc_options(binary_name="runc")
    for input in (b"", options.SerializeToString()):
        p = s.call([world.SHIM, "-info"], s.folder, input)
        assert p.returncode == 0, p.stderr
        info = ttrpc.message("containerd.types.RuntimeInfo").FromString(
            p.stdout)
        assert info.name.endswith("wisp.v1")
        assert info.version.version


def test_linked_as_another_name(raw, tmp):
    link = tmp / "containerd-shim-runc-v2"
    link.symlink_to(world.SHIM)
    s = raw(binary=link).start("c1", ["sh", "-c", "exit 3"])
    s.run()
    assert s.wait() == 3


def test_copied_under_another_name(raw, tmp):
    """argv[0] is not what finds the program."""
    copy = tmp / "x"
    shutil.copy(world.SHIM, copy)
    s = raw(binary=copy).start("c1", ["sh", "-c", "exit 4"])
    s.run()
    assert s.wait() == 4


def test_the_long_lived_process(s):
    """It left its parent's session, files and folder alone."""
    p = s.start_raw("c1")          # its stdout and stderr reached EOF
    connected(s, p.stdout.decode().strip())
    fds = proc.fds(s.pid)
    assert all(fds.get(n, "/dev/null") == "/dev/null" or
               fds[n].endswith("/log") for n in (0, 1, 2)), fds
    assert os.getpgid(s.pid) == s.pid
    assert os.readlink(f"/proc/{s.pid}/cwd") == str(s.bundles["c1"])
    if not world.is_go():
        assert proc.status(s.pid, "Threads") == "1"


@pytest.mark.go_fails("keeps inherited fds, as any Go program")
def test_start_passes_no_fd_on(s):
    """What the caller left open is not held for years."""
    held = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(held, True)
    try:
        p = s.call(s.argv("c1", "start"), s.bundles["c1"], close_fds=False)
    finally:
        os.close(held)
    connected(s, p.stdout.decode().strip())
    assert "/etc/passwd" not in proc.fds(s.pid).values()


def test_oom_score(s):
    """Its own is not below its parent's (+1 where the kernel allows)."""
    connected(s, s.start_raw("c1").stdout.decode().strip())
    mine = int(proc.read("/proc/self/oom_score_adj"))
    assert int(proc.read(f"/proc/{s.pid}/oom_score_adj")) in (
        mine, mine + 1)


# ---- groups and sockets

@pytest.mark.parametrize("annotation", GROUPS)
def test_one_shim_for_a_group(s, annotation):
    notes = {annotation: "pod1"}
    a, b = (s.bundle(id, annotations=notes) and s.start_raw(id)
            for id in ("a", "b"))
    assert a.stdout and a.stdout == b.stdout, (a, b)
    address = a.stdout.decode().strip()
    connected(s, address, "a", "b")
    assert (s.bundles["b"] / "address").read_text() == address
    s.run("a")
    s.run("b")
    assert s.state("a") == s.state("b") == "RUNNING"
    assert s.end("a") == 137
    assert s.state("b") == "RUNNING"


def test_groups_and_namespaces_are_apart(s, raw):
    s.bundle("a", annotations={GROUPS[0]: "g1"})
    s.bundle("b", annotations={GROUPS[0]: "g2"})
    one, two = (s.start_raw(id).stdout.decode().strip() for id in "ab")
    other = raw(ns=world.RUN + "-2")
    other.daemon_address = s.daemon_address
    other.bundle("a", annotations={GROUPS[0]: "g1"})
    three = other.start_raw("a").stdout.decode().strip()
    assert len({one, two, three}) == 3
    for address in (one, two):
        connected(s, address).task.Shutdown(id="", now=True)
        assert s.client.closed.wait(10)
    connected(other, three)


def test_stale_socket_is_replaced(s):
    """A dead predecessor's socket does not stop its successor."""
    address = s.start_raw("c1").stdout.decode().strip()
    connected(s, address)
    proc.kill(s.pid)
    assert s.client.closed.wait(5)
    s.client.close()
    assert os.path.exists(ttrpc.socket_path(address))
    p = s.start_raw("c1")
    assert p.returncode == 0, p.stderr
    connected(s, p.stdout.decode().strip()).run()
    assert s.end() == 137


@pytest.mark.go_fails("1.6 prints the address of the live one")
def test_live_socket_without_a_group(s):
    """Somebody serves this id already: an error, not a second owner."""
    connected(s, s.start_raw("c1").stdout.decode().strip())
    s.run()
    p = s.start_raw("c1")
    assert p.returncode != 0 and p.stdout == b"", p
    assert one_line(p)
    assert s.state() == "RUNNING"


def test_stale_socket_of_a_group(s):
    notes = {GROUPS[0]: "g"}
    s.bundle("a", annotations=notes)
    connected(s, s.start_raw("a").stdout.decode().strip(), "a")
    proc.kill(s.pid)
    assert s.client.closed.wait(5)
    s.client.close()
    s.bundle("b", annotations=notes)
    p = s.start_raw("b")
    assert p.returncode == 0, p.stderr
    connected(s, p.stdout.decode().strip(), "b").run("b")
    assert s.end("b") == 137


def test_shutdown_removes_the_socket(s):
    connected(s, s.start_raw("c1").stdout.decode().strip())
    s.task.Shutdown(id="c1", now=False)
    assert s.client.closed.wait(10)
    poll.until(lambda: not os.path.exists(ttrpc.socket_path(s.address)),
               "the socket is gone")


# ---- delete

@pytest.mark.go_fails("1.6 leaves the socket of the dead shim")
@pytest.mark.parametrize("when", ["started", "created", "paused"])
def test_delete_with_the_shim_dead(s, when):
    """Everything goes; stdout is a DeleteResponse and nothing else."""
    connected(s, s.start_raw("c1").stdout.decode().strip())
    pid = s.create().pid
    if when != "created":
        s.task.Start(id="c1")
    if when == "paused":
        s.task.Pause(id="c1")
    proc.kill(s.pid)
    assert s.client.closed.wait(5)
    s.ids.clear()
    p = s.delete("c1")
    assert p.returncode == 0, p.stderr
    answer = DeleteResponse.FromString(p.stdout)
    assert (answer.pid, answer.exit_status) == (pid, 137)
    assert answer.SerializeToString() == p.stdout, p.stdout
    assert not proc.alive(pid)
    mounted = proc.read("/proc/self/mountinfo")
    assert str(s.bundles["c1"]) not in mounted
    assert not os.path.exists(ttrpc.socket_path(s.address))


@pytest.mark.go_fails("1.6 makes up 137 and leaves the socket")
def test_delete_reports_how_init_ended(s):
    """The status is kept in the bundle before it is told (and so survives
    the shim)."""
    s.bundle("c2", ["sh", "-c", "exit 7"])
    connected(s, s.start_raw("c2").stdout.decode().strip(), "c2")
    pid = s.run("c2")
    at = s.task.Wait(id="c2").exited_at
    proc.kill(s.pid)
    assert s.client.closed.wait(5)
    s.ids.clear()
    answer = DeleteResponse.FromString(s.delete("c2").stdout)
    assert (answer.pid, answer.exit_status) == (pid, 7)
    assert answer.exited_at == at


@pytest.mark.go_fails("1.6 leaves the socket of the dead shim")
def test_delete_twice(s):
    connected(s, s.start_raw("c1").stdout.decode().strip())
    s.run()
    proc.kill(s.pid)
    s.client.closed.wait(5)
    s.ids.clear()
    for _ in range(2):
        p = s.delete("c1")
        assert p.returncode == 0, p.stderr
        DeleteResponse.FromString(p.stdout)


@pytest.mark.go_fails("runs the runtime once more")
def test_delete_after_the_task_was_deleted(s, fake):
    """As containerd from 1.7 on does each time: there is nothing to do."""
    s.runtime = fake.path
    connected(s, s.start_raw("c1").stdout.decode().strip())
    pid = s.run()
    assert s.end() == 137
    assert len(fake.calls("delete")) == 1
    p = s.delete("c1")
    assert (p.returncode, p.stderr) == (0, b"")
    answer = DeleteResponse.FromString(p.stdout)
    assert (answer.pid, answer.exit_status) == (pid, 137)
    assert len(fake.calls("delete")) == 1
    again = s.run()                     # in the same bundle
    proc.kill(s.pid)
    assert s.client.closed.wait(5)
    s.ids.clear()
    assert s.delete("c1").returncode == 0
    assert not proc.alive(again)
    assert len(fake.calls("delete")) == 2


@pytest.mark.go_fails("1.6 wants the bundle's `runtime` file")
def test_delete_of_what_never_was(s):
    """A start that failed: nothing is there, and that is fine."""
    p = s.delete("c1")
    assert p.returncode == 0, p.stderr
    assert DeleteResponse.FromString(p.stdout).exit_status == 137


@pytest.mark.go_fails("1.6 wants the bundle's `runtime` file")
def test_delete_of_one_of_a_group(s):
    """The other container's shim is alive and stays so."""
    notes = {GROUPS[0]: "g"}
    for id in "ab":
        s.bundle(id, annotations=notes)
        out = s.start_raw(id).stdout
    connected(s, out.decode().strip(), "a")
    s.run("a")
    p = s.delete("b")
    assert p.returncode == 0, p.stderr
    assert s.state("a") == "RUNNING"
    assert ttrpc.Client(s.address, s.ns).close() is None


# ---- errors: one line for a person, nothing left

def one_line(p):
    text = p.stderr.decode().strip()
    assert text and "\n" not in text, f"stderr is not one line: {text!r}"
    return text


ONE_LINE = "names neither the file nor the place"


def start_fails(s, id="c1", **kw):
    p = s.start_raw(id, **kw)
    assert p.returncode != 0, f"start succeeded: {p.stdout}"
    assert p.stdout == b"", p.stdout
    assert not os.path.exists(s.bundles[id] / "address")
    return one_line(p)


@pytest.mark.go_fails(ONE_LINE)
def test_no_config(s):
    (s.bundles["c1"] / "config.json").unlink()
    text = start_fails(s)
    assert "config.json" in text and str(s.bundles["c1"]) in text


@pytest.mark.go_fails(ONE_LINE)
@pytest.mark.parametrize("text,where", [
    ('{\n  "ociVersion": "1.0.2",\n  "process": {"args": [}\n}\n',
     r"\b3\b.*\b2[2345]\b"),
    ('{"a"', r"\b1\b.*\b[3456]\b"), ("", "config.json")],
    ids=["line 3", "cut off", "empty"])
def test_broken_json(s, text, where):
    """Line and column of the fault."""
    (s.bundles["c1"] / "config.json").write_text(text)
    said = start_fails(s)
    assert "config.json" in said
    assert re.search(where, said), said


@pytest.mark.go_fails(ONE_LINE)
def test_garbage_of_1_mib(s):
    (s.bundles["c1"] / "config.json").write_bytes(
        b"\xfe" + os.urandom(1 << 20))
    assert "config.json" in start_fails(s)


@pytest.mark.go_fails("finds out at Create")
def test_no_runtime_binary(s):
    text = start_fails(s, env={"PATH": str(s.folder)})
    assert "runc" in text and "PATH" in text, text


def test_socket_dir_not_writable(s):
    """root writes anywhere, so a file stands where the folder should."""
    folder = world.RUN_DIR / "s"
    away = world.RUN_DIR / "s.away"
    had = folder.exists()
    if had:
        folder.rename(away)
    folder.write_text("")
    try:
        assert "/run/containerd/s" in start_fails(s)
    finally:
        folder.unlink()
        if had:
            away.rename(folder)


@pytest.mark.go_fails("leaves ids to the daemon")
@pytest.mark.parametrize("id", ["../x", "a/b", "", "-x", "a" * 77])
def test_bad_id(s, id):
    p = s.call(s.argv(id, "start"), s.bundles["c1"])
    assert p.returncode != 0 and p.stdout == b"", p
    text = one_line(p)
    assert "id" in text and (not id or id[:20] in text), text


@pytest.mark.parametrize("ns", ["../x", "a b", "", "n" * 77])
def test_bad_namespace(s, ns):
    s.ns = ns
    text = start_fails(s)
    assert "namespace" in text, text
    s.ns = world.RUN


def test_namespace_of_76_characters(raw):
    s = raw(ns=world.RUN + "-" + "n" * (75 - len(world.RUN)))
    s.start("a" * 76, ["sh", "-c", "exit 3"], cgroup=f"/{world.RUN}/deep")
    s.run("a" * 76)
    assert s.wait("a" * 76) == 3


@pytest.mark.parametrize("argv", [[], ["frobnicate"], ["-nonsense"],
                                  ["-id"], ["start", "extra"]],
                         ids=lambda a: " ".join(a) or "nothing")
def test_wrong_usage(s, argv):
    p = s.call([world.SHIM, *argv], s.bundles["c1"], timeout=10)
    assert p.returncode != 0 and p.stdout == b"", p
    text = p.stderr.decode()
    assert text and len(text.splitlines()) <= 25, text


def test_endless_stdin(s):
    """start reads 10 MiB and no more."""
    p = s.start_raw("c1", b"\0" * (11 << 20))
    assert p.returncode != 0, p
    one_line(p)


@pytest.mark.go_fails("hangs (containerd#4509)", run=False)
def test_log_without_a_reader(raw):
    """The FIFO `log` full, or not there: nothing waits for it."""
    s = raw()
    s.bundle("c1")
    path = s.bundles["c1"] / "log"
    fill = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        while True:
            os.write(fill, b"x" * 65536)
    except BlockingIOError:
        pass
    p = s.start_raw("c1", flags=("-debug",))
    connected(s, p.stdout.decode().strip())
    s.run()
    for n in range(20):
        s.exec("c1", f"e{n}", ["true"])
        assert s.wait("c1", f"e{n}") == 0
    assert s.end() == 137
    os.close(fill)


@pytest.mark.go_fails("does not serve then")
def test_no_log_at_all(s):
    (s.bundles["c1"] / "log").unlink()
    p = s.start_raw("c1")
    assert p.returncode == 0, p.stderr
    connected(s, p.stdout.decode().strip()).run()
    assert s.end() == 137


def test_log_lines(raw):
    s = raw()
    s.bundle("c1")
    connected(s, s.start_raw("c1", flags=("-debug",)).stdout.decode()
              .strip()).run()
    assert s.end() == 137
    lines = s.log("c1").splitlines()
    assert lines, "nothing logged with -debug"
    for line in lines:
        assert re.fullmatch(
            r'time="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(Z|[+-]\d\d:\d\d)"'
            r' level=(debug|info|warning|error) msg=("([^"\\]|\\.)*"|\S+)'
            r'( \S+=("([^"\\]|\\.)*"|\S*))*', line), line


@pytest.mark.skipif(world.TESTED != str(
    world.ROOT / "build" / "containerd-shim-wisp-v1"), reason="another build")
def test_it_stays_small():
    """A host holds it in memory once, an image of a small device forever."""
    assert os.stat(world.SHIM).st_size < 1_500_000
