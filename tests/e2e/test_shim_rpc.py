# SPDX-License-Identifier: Apache-2.0
"""The task service by hand: what clients rely on, and hostile input."""
import subprocess
import sys
from concurrent.futures import wait as wait_all

import pytest

import poll
import proc
import rawshim
import runtime as runtimes
import ttrpc
from ttrpc import (ALREADY_EXISTS, FAILED_PRECONDITION, INVALID_ARGUMENT,
                   NOT_FOUND, UNIMPLEMENTED)

TRAP = ["sh", "-c", "trap 'exit 5' TERM; while :; do sleep 0.05; done"]


def refused(code, call, *args, match="", **kw):
    """The call fails with that status; `match` is in the message."""
    with pytest.raises(ttrpc.TtrpcError) as e:
        call(*args, **kw)
    got = e.value
    assert got.code == code, f"status {got.code} ({got.message}), not {code}"
    assert match in got.message, got.message
    return got.message


def test_a_life_over_both_services(raw):
    for version in (2, 3):
        if version == 3 and rawshim.world.is_go():
            continue               # 1.6 serves v2 only
        s = raw()
        s.start("c1", TRAP, connect=False)
        task = s.connect(version)
        pid = s.create().pid
        assert s.state() == "CREATED"
        assert task.Start(id="c1").pid == pid
        assert s.state() == "RUNNING"
        connect = task.Connect(id="c1")
        assert (connect.shim_pid, connect.task_pid) == (s.pid, pid)
        s.exec("c1", "e1", ["sh", "-c", "exit 9"])
        assert s.wait("c1", "e1") == 9
        assert task.Delete(id="c1", exec_id="e1").exit_status == 9
        poll.until(lambda: proc.read(f"/proc/{pid}/cmdline").startswith("sh"),
                   "init runs sh")
        s.kill("c1", 9)
        assert s.wait() == 137
        gone = task.Delete(id="c1")
        assert (gone.pid, gone.exit_status) == (pid, 137)
        task.Shutdown(id="c1", now=True)
        assert s.client.closed.wait(10)


# ---- the table of codes

UNKNOWN_ID = [
    ("State", {}), ("Start", {}), ("Delete", {}), ("Pids", {}),
    ("Pause", {}), ("Resume", {}), ("Kill", {"signal": 9}), ("Wait", {}),
    ("CloseIO", {"stdin": True}), ("ResizePty", {"width": 1, "height": 1}),
    ("Exec", {"exec_id": "e1",
              "spec": rawshim.process_any(b"{}")})]


@pytest.mark.parametrize("method,more", UNKNOWN_ID,
                         ids=[m for m, _ in UNKNOWN_ID])
def test_unknown_container_is_not_found(shim, method, more):
    refused(NOT_FOUND, getattr(shim.task, method), id="ghost", **more)


UNKNOWN_EXEC = ["State", "Start", "Delete", "Kill", "Wait", "ResizePty",
                pytest.param("CloseIO", marks=pytest.mark.go_fails(
                    "says Unknown"))]


@pytest.mark.parametrize("method", UNKNOWN_EXEC)
def test_unknown_exec_is_not_found(shim, method):
    shim.run()
    more = {"Kill": {"signal": 9}, "CloseIO": {"stdin": True},
            "ResizePty": {"width": 80, "height": 24}}.get(method, {})
    refused(NOT_FOUND, getattr(shim.task, method), id="c1", exec_id="ghost",
            **more)
    assert shim.state() == "RUNNING"


def test_message_of_an_unknown_container(shim):
    refused(NOT_FOUND, shim.task.Start, id="c1",
            match="container not created")


@pytest.mark.go_fails("leaves it to runc, says Unknown")
def test_used_id_already_exists(shim):
    shim.run()
    refused(ALREADY_EXISTS, shim.create)
    assert shim.state() == "RUNNING"
    shim.exec("c1", "e1", ["sleep", "1000"])
    refused(ALREADY_EXISTS, shim.exec, "c1", "e1", ["true"])
    assert shim.state("c1", "e1") == "RUNNING"


@pytest.mark.go_fails("says Unknown of a pause of a created one")
def test_what_the_state_forbids(shim):
    shim.create()
    refused(FAILED_PRECONDITION, shim.task.Pause, id="c1")
    refused(FAILED_PRECONDITION, shim.task.Resume, id="c1")
    shim.task.Start(id="c1")
    refused(FAILED_PRECONDITION, shim.task.Start, id="c1")
    refused(FAILED_PRECONDITION, shim.task.Delete, id="c1")
    refused(FAILED_PRECONDITION, shim.task.Resume, id="c1")
    shim.exec("c1", "e1", ["sleep", "1000"])
    refused(FAILED_PRECONDITION, shim.task.Delete, id="c1", exec_id="e1")
    shim.task.Pause(id="c1")
    refused(FAILED_PRECONDITION, shim.task.Delete, id="c1")
    shim.task.Resume(id="c1")
    assert shim.state() == "RUNNING"
    shim.exec("c1", "e2", ["true"], start=False)
    shim.kill()
    assert shim.wait() == 137
    refused(FAILED_PRECONDITION, shim.exec, "c1", "e3", ["true"])
    refused(FAILED_PRECONDITION, shim.task.Start, id="c1", exec_id="e2")
    refused(FAILED_PRECONDITION, shim.task.Start, id="c1")
    refused(FAILED_PRECONDITION, shim.task.Pause, id="c1")



def test_kill_after_exit(shim):
    shim.run()
    shim.exec("c1", "e1", ["true"])
    assert shim.wait("c1", "e1") == 0
    refused(NOT_FOUND, shim.kill, exec_id="e1",
            match="process already finished")
    shim.kill()
    shim.wait()
    refused(NOT_FOUND, shim.kill, match="process already finished")


def test_kill_before_start(shim):
    """A created one can be killed; its exit is told, it can be deleted."""
    shim.create()
    shim.kill()
    assert shim.wait() == 137
    assert shim.task.Delete(id="c1").exit_status == 137


def test_delete_before_start(shim):
    """Created and never started: delete takes it away."""
    pid = shim.create().pid
    assert shim.task.Delete(id="c1", timeout=20).pid == pid
    assert not proc.alive(pid)
    refused(NOT_FOUND, shim.task.State, id="c1")



def test_unknown_method_and_service(shim):
    empty = ttrpc.message("containerd.task.v3.StateRequest")
    state = ttrpc.message("containerd.task.v3.StateResponse")
    for service, method in (("containerd.task.v2.Task", "NoSuch"),
                            ("no.such.Service", "State")):
        message = refused(UNIMPLEMENTED, shim.client.call, service, method,
                          empty(id="c1"), state)
        assert method in message or service in message


# ---- Wait, Delete, Shutdown

def test_wait_of_many_callers_before_and_after(shim):
    shim.run()
    before = [shim.task.begin("Wait", id="c1") for _ in range(100)]
    others = [ttrpc.Client(shim.address, shim.ns) for _ in range(5)]
    more = [ttrpc.Task(c, 2).begin("Wait", id="c1") for c in others]
    assert shim.state() == "RUNNING"
    shim.kill()
    done, late = wait_all([*before, *more], 15)
    assert not late, f"{len(late)} of 105 Waits unanswered"
    answers = {(f.result().exit_status, f.result().exited_at.nanos)
               for f in done}
    after = shim.task.Wait(id="c1")
    assert answers == {(137, after.exited_at.nanos)}
    assert abs(after.exited_at.seconds - poll.time.time()) < 60
    for c in others:
        c.close()


def test_caller_of_wait_goes_away(shim):
    """Nobody is disturbed when a waiting client hangs up."""
    shim.run()
    gone = ttrpc.Client(shim.address, shim.ns)
    for _ in range(20):
        ttrpc.Task(gone, 2).begin("Wait", id="c1")
    assert shim.state() == "RUNNING"
    gone.close()
    assert shim.end() == 137


@pytest.mark.go_fails("has forgotten the task (containerd#7496)")
def test_delete_twice(shim):
    """The same answer again, until Shutdown."""
    shim.run()
    shim.exec("c1", "e1", ["sh", "-c", "exit 3"])
    shim.wait("c1", "e1")
    one, two = (shim.task.Delete(id="c1", exec_id="e1") for _ in "12")
    assert one == two and one.exit_status == 3
    shim.kill()
    shim.wait()
    one, two = (shim.task.Delete(id="c1") for _ in "12")
    assert one == two and one.exit_status == 137
    assert shim.names("c1").count("delete") <= 1


@pytest.mark.go_fails("has forgotten the task (containerd#7496)")
def test_two_deletes_at_once(shim):
    shim.run()
    shim.kill()
    shim.wait()
    calls = [shim.task.begin("Delete", id="c1") for _ in range(10)]
    done, late = wait_all(calls, 20)
    assert not late
    assert {f.result().exit_status for f in done} == {137}
    shim.until("delete")
    assert shim.names("c1").count("delete") == 1


def test_delete_of_an_exec_leaves_the_task(shim):
    shim.run()
    shim.exec("c1", "e1", ["true"])
    shim.wait("c1", "e1")
    shim.task.Delete(id="c1", exec_id="e1")
    refused(NOT_FOUND, shim.task.State, id="c1", exec_id="ghost")
    assert shim.state() == "RUNNING"
    shim.exec("c1", "e1", ["sh", "-c", "exit 2"])      # the id is free again
    assert shim.wait("c1", "e1") == 2


def test_shutdown_with_a_container_is_a_no_op(shim):
    shim.run()
    shim.task.Shutdown(id="c1", now=False)
    assert shim.state() == "RUNNING"
    assert shim.end() == 137
    shim.task.Shutdown(id="c1", now=False)
    assert shim.client.closed.wait(10), "an empty shim leaves"
    poll.until(lambda: not proc.alive(shim.pid), "the process is gone")


def test_id_can_be_created_again(shim):
    for code in (1, 2, 3):
        shim.run()
        assert shim.end() == 137


# ---- Pids, Kill

def test_pids(shim):
    init = shim.run()
    execs = {shim.exec("c1", f"e{n}", ["sleep", "1000"]): f"e{n}"
             for n in range(3)}
    rows = {p.pid: p for p in shim.task.Pids(id="c1").processes}
    assert set(rows) == {init, *execs}
    for pid, exec_id in execs.items():
        details = ttrpc.unpack_any(rows[pid].info)
        assert details.exec_id == exec_id
    assert not rows[init].info.value


def test_pids_of_a_created_one(shim):
    pid = shim.create().pid
    assert pid in [p.pid for p in shim.task.Pids(id="c1").processes]


@pytest.mark.go_fails("lists nobody: containerd then deletes the task")
def test_pids_of_a_stopped_one(shim):
    """A daemon that starts anew takes no pids for a task that never was."""
    pid = shim.run()
    shim.kill("c1", 9)
    assert shim.wait() == 137
    assert [p.pid for p in shim.task.Pids(id="c1").processes] == [pid]


def test_kill_all(shim, raw):
    s = raw().start("c1", ["sh", "-c", "sleep 1000 & sleep 1001 & wait"])
    s.run()
    poll.until(lambda: len(s.task.Pids(id="c1").processes) == 3, "three")
    s.exec("c1", "e1", ["sleep", "1002"])
    s.kill("c1", 9, all=True)
    assert s.wait("c1", "e1") == 137
    assert s.wait() == 137


@pytest.mark.parametrize("signal", [0, 65, 1000, 0xffffffff])
def test_kill_with_no_signal(shim, signal):
    shim.run()
    try:
        shim.kill("c1", signal)
    except ttrpc.TtrpcError as e:
        assert e.code in (INVALID_ARGUMENT, ttrpc.UNKNOWN), e
    assert shim.state() == "RUNNING"


def test_exit_by_trap(raw):
    s = raw().start("c1", ["sh", "-c", "trap 'exit 5' TERM; echo >/tmp/r;"
                           " while :; do sleep 0.05; done"])
    s.run()
    s.exec("c1", "e1", ["sh", "-c", "until [ -e /tmp/r ]; do sleep 0.1; "
                        "done"])
    s.wait("c1", "e1")
    s.kill("c1", 15)
    assert s.wait() == 5


# ---- exec

def test_exec_that_does_not_start(shim):
    """The runtime's reason; the exec can be deleted and used again."""
    shim.run()
    with pytest.raises(ttrpc.TtrpcError) as e:
        shim.exec("c1", "e1", ["/no/such/thing"])
    assert "/no/such/thing" in e.value.message
    assert "OCI runtime exec failed" in e.value.message
    shim.task.Delete(id="c1", exec_id="e1")
    shim.exec("c1", "e1", ["true"])
    assert shim.wait("c1", "e1") == 0
    assert shim.state() == "RUNNING"


def test_delete_of_an_exec_never_started(shim):
    shim.run()
    shim.exec("c1", "e1", ["true"], start=False)
    assert shim.state("c1", "e1") == "CREATED"
    shim.task.Delete(id="c1", exec_id="e1")
    shim.exec("c1", "e1", ["true"])
    assert shim.wait("c1", "e1") == 0


BAD_PROCESS = {
    "garbage": b"\x00\xff not json",
    "cut off": b'{"args": ["true"',
    "a list": b"[]",
    "nothing": b"",
}


@pytest.mark.go_fails("takes some as an empty process, Unknown for the rest")
@pytest.mark.parametrize("spec", BAD_PROCESS.values(), ids=BAD_PROCESS)
def test_exec_with_bad_json(shim, spec):
    shim.run()
    with pytest.raises(ttrpc.TtrpcError) as e:
        shim.task.Exec(id="c1", exec_id="e1", spec=rawshim.process_any(spec))
        shim.task.Start(id="c1", exec_id="e1")
    assert e.value.code == INVALID_ARGUMENT, e.value
    shim.exec("c1", "e2", ["true"])
    assert shim.wait("c1", "e2") == 0


@pytest.mark.go_fails("does not look at the type")
def test_exec_with_another_type(shim):
    shim.run()
    refused(INVALID_ARGUMENT, shim.task.Exec, id="c1", exec_id="e1",
            spec=rawshim.process_any(b"{}", url="example.com/Nonsense"),
            match="example.com/Nonsense")


# ---- ids, paths, options

BAD_IDS = ["", "../x", "a/b", ".", "..", "-a", "a-", "a..b", "a b", "ä",
           "a\n", "a" * 77]
GOOD_IDS = ["a", "0", "a.b-c_d", "A9", "a" * 76]


@pytest.mark.go_fails("leaves ids to the daemon")
@pytest.mark.parametrize("id", BAD_IDS)
def test_bad_container_id(shim, id):
    args = {**shim.create_args("c1"), "id": id}
    refused(INVALID_ARGUMENT, shim.task.Create, **args)


@pytest.mark.go_fails("leaves ids to the daemon")
@pytest.mark.parametrize("id", [i for i in BAD_IDS if i])
def test_bad_exec_id(shim, id):
    shim.run()
    refused(INVALID_ARGUMENT, shim.exec, "c1", id, ["true"])
    assert shim.state() == "RUNNING"


def test_good_ids(shim):
    shim.run()
    for id in GOOD_IDS:
        shim.exec("c1", id, ["true"])
        assert shim.wait("c1", id) == 0
        shim.task.Delete(id="c1", exec_id=id)


def create_with(shim, **kw):
    return shim.task.Create(timeout=10, **{**shim.create_args("c1"), **kw})


@pytest.mark.go_fails("takes any path")
@pytest.mark.parametrize("bundle", ["", "relative/path", "b/c1",
                                    "/no/such/bundle"])
def test_bad_bundle(shim, bundle):
    with pytest.raises(ttrpc.TtrpcError) as e:
        create_with(shim, bundle=bundle)
    assert e.value.code in (INVALID_ARGUMENT, NOT_FOUND), e.value
    assert bundle.strip("/").split("/")[0] in e.value.message


@pytest.mark.go_fails("1.6 knows no target and mounts over the rootfs")
def test_mount_target_that_leaves_the_rootfs(shim):
    """Mount.target is below rootfs, whatever it says."""
    out = shim.folder / "outside"
    out.mkdir()
    rootfs = shim.create_args("c1")["rootfs"]
    rootfs.append(rawshim.Mount(
        type="bind", source="/etc", options=["rbind", "ro"],
        target="../" * 20 + str(out).lstrip("/")))
    try:
        create_with(shim, rootfs=rootfs)
    except ttrpc.TtrpcError as e:
        assert e.code == INVALID_ARGUMENT, e
    assert list(out.iterdir()) == [], "mounted outside of the rootfs"


@pytest.mark.go_fails("says Unknown")
def test_unknown_options(shim):
    refused(INVALID_ARGUMENT, create_with, shim, match="example.Nonsense",
            options=rawshim.Any(type_url="example.Nonsense", value=b"x"))


@pytest.mark.go_fails("says Unknown")
def test_garbage_in_known_options(shim):
    refused(INVALID_ARGUMENT, create_with, shim, options=rawshim.Any(
        type_url="containerd.runc.v1.Options", value=b"\xff\xff\xff"))


@pytest.mark.parametrize("prefix", ["", pytest.param(
    "type.googleapis.com/", marks=pytest.mark.go_fails(
        "1.6 knows it without the prefix only"))])
def test_options_with_and_without_prefix(shim, fake, prefix):
    opts = ttrpc.message("containerd.runc.v1.Options")(
        binary_name=str(fake.path))
    create_with(shim, options=rawshim.any_of(
        "containerd.runc.v1.Options", opts, prefix))
    assert fake.calls("create c1"), "binary_name was not used"


@pytest.mark.go_fails("1.6 takes containerd.runc.v1.Options only")
@pytest.mark.parametrize("how", ["config_path", "config_body"])
def test_runtimeoptions(shim, fake, how):
    toml = f'# comment\nBinaryName = "{fake.path}"\nSystemdCgroup = false\n'
    path = shim.folder / "o.toml"
    path.write_text(toml)
    name = "runtimeoptions.v1.Options"
    opts = ttrpc.message(name)(**(
        {"config_path": str(path)} if how == "config_path"
        else {"config_body": toml.encode()}))
    create_with(shim, options=rawshim.any_of(name, opts))
    assert fake.calls("create c1"), "BinaryName was not used"


@pytest.mark.go_fails("has to be told")
@pytest.mark.parametrize("path, systemd", [
    ("system.slice:docker:x", True), ("/a.slice/b", False)])
def test_cgroup_path_of_systemds_form(raw, fake, path, systemd):
    """Docker passes no options to a runtime that it is not told of."""
    fake.before("create", runtimes.fail("so far"))
    s = raw(runtime=fake.path).start(cgroup=path)
    with pytest.raises(ttrpc.TtrpcError, match="so far"):
        s.create()
    calls = fake.calls("create") + fake.calls("delete")
    assert len(calls) > 1
    assert {"--systemd-cgroup" in c.split() for c in calls} == {systemd}


@pytest.mark.go_fails("says Unknown, or hangs", run=False)
@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_unknown_scheme(shim, stream):
    refused(INVALID_ARGUMENT, create_with, shim, match="gopher",
            **{stream: "gopher://x/y"})
    refused(NOT_FOUND, shim.task.State, id="c1")


@pytest.mark.go_fails("takes it relative to its cwd")
def test_relative_stdio_path(shim):
    refused(INVALID_ARGUMENT, create_with, shim, stdout="some/fifo")


def test_config_that_vanished(shim):
    (shim.bundles["c1"] / "config.json").unlink()
    with pytest.raises(ttrpc.TtrpcError, match="config.json"):
        shim.create()
    refused(NOT_FOUND, shim.task.State, id="c1")


def test_config_of_1_mib(raw):
    s = raw().start("c1", ["sh", "-c", "exit 6"], annotations={
        f"note.{n}": "x" * 1000 for n in range(1000)})
    s.run()
    assert s.wait() == 6


def test_message_over_4_mib(shim):
    """Refused on its stream; the connection and the shim live on."""
    with pytest.raises(ttrpc.TtrpcError) as e:
        shim.task.Exec(id="c1", exec_id="e1", timeout=20,
                       spec=rawshim.process_any(b" " * (5 << 20)))
    assert e.value.code == ttrpc.RESOURCE_EXHAUSTED
    shim.run()
    assert shim.state() == "RUNNING"


def test_garbage_closes_that_connection_only(shim):
    shim.run()
    for junk in (b"GET / HTTP/1.0\r\n\r\n" + b"x" * 100, b"\xff" * 64,
                 b"\0" * 64):
        with ttrpc.RawConnection(shim.address) as peer:
            peer.send_raw(junk)
        assert shim.state() == "RUNNING"


# ---- groups of containers in one shim

def test_several_containers(shim):
    shim.run()
    for id in ("c2", "c3"):
        shim.bundle(id, ["sleep", "1000"])
        shim.run(id)
    shim.exec("c2", "e1", ["sleep", "1000"])
    refused(NOT_FOUND, shim.task.State, id="c3", exec_id="e1")
    assert shim.end("c2") == 137
    refused(NOT_FOUND, shim.kill, "c2")
    assert shim.state("c1") == shim.state("c3") == "RUNNING"
    assert shim.end("c3") == 137
    names = shim.until("delete", "c3")
    assert names == ["create", "start", "exit(137)", "delete"]


# ---- peers

CONNECT = """
import os, socket, sys
os.chdir(sys.argv[1]); os.setgid(65534); os.setuid(65534)
s = socket.socket(socket.AF_UNIX); s.settimeout(10)
try:
    s.connect(sys.argv[2])
    s.sendall(bytes.fromhex(sys.argv[3]))
    print("answered" if s.recv(1) else "closed")
except (PermissionError, ConnectionError) as e:
    print(type(e).__name__)
"""


@pytest.mark.go_fails("its folder has another mode, and it asks for no uid")
@pytest.mark.parametrize("modes", ["as made", "wide open"])
def test_peer_of_another_uid_is_refused(shim, modes):
    """By the socket's modes; and were they wide open, by its uid."""
    path = rawshim.world.pathlib.Path(ttrpc.socket_path(shim.address))
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    if modes == "wide open":
        path.chmod(0o666)
        path.parent.chmod(0o711)
    request = ttrpc.message("ttrpc.Request")(
        service="containerd.task.v2.Task", method="State").SerializeToString()
    frame = ttrpc.HEADER.pack(len(request), 1, 1, 0) + request
    said = subprocess.run(
        [sys.executable, "-c", CONNECT, path.parent, path.name, frame.hex()],
        capture_output=True, text=True, timeout=20).stdout.strip()
    path.parent.chmod(0o700)
    assert said in (("PermissionError",) if modes == "as made" else (
        "closed", "ConnectionResetError", "BrokenPipeError")), said
    shim.run()
    assert shim.state() == "RUNNING"
