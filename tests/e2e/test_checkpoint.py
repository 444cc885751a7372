# SPDX-License-Identifier: Apache-2.0
"""Checkpoint and restore as the shim sees them: what it tells the OCI runtime,
what it makes of the answer. The runtime here is a fake one, which makes no
image; test_criu.py has the real thing."""
import json
import os
import signal

import pytest

import fifo
import poll
import rawshim
import runtime
import ttrpc
from test_shim_rpc import refused
from ttrpc import FAILED_PRECONDITION, INVALID_ARGUMENT, NOT_FOUND, UNKNOWN

NAME = "containerd.runc.v1.CheckpointOptions"
CriuOptions = ttrpc.message(NAME)

DUMP = 'test -d "$image" && test -d "$work" || exit 9; : >"$image/core.img"'
ENDS = 'runc --root "$root" kill "$id" KILL; sleep 0.3'
LOG = ("(00.000001) Version: 4.2\n"
       "(00.000002) Error (criu/tty.c:1): it has a terminal\n"
       "(00.000003) Error (criu/cr-dump.c:2): Dumping FAILED.\n")
# A restored container of which nobody knows that it was never saved.
RESTORE = ('runc --root "$root" create --bundle "$bundle"'
           ' --pid-file "$pid_file"'
           ' ${console:+--console-socket "$console"} "$id"'
           ' && runc --root "$root" start "$id"; exit')


def fails(log, name):
    return (f"cat >\"$work/{name}\" <<'E'\n{log}E\n" +
            runtime.fail(f"criu failed: type NOTIFY errno 0 (log {name})"))


def options(**kw):
    return rawshim.any_of(NAME, CriuOptions(**kw))


@pytest.fixture
def s(raw, fake):
    """A shim whose runtime makes checkpoints out of nothing."""
    fake.before("checkpoint", DUMP + "; exit 0")
    fake.before("restore", RESTORE)
    return raw(runtime=fake.path).start("c1")


@pytest.fixture
def image(tmp):
    return tmp / "image"


def checkpoint(s, image, id="c1", timeout=30, **kw):
    s.task.Checkpoint(id=id, path=str(image), options=options(**kw),
                      timeout=timeout)


def argument(call, name):
    """The value of a flag in a call, or whether it is there."""
    words = call.split()
    return words[words.index(name) + 1] if name in words else None


def test_leaves_it_running(s, fake, image):
    pid = s.run()
    checkpoint(s, image)
    assert s.state() == "RUNNING"
    s.until("checkpointed")
    [call] = fake.calls("checkpoint")
    assert argument(call, "--image-path") == str(image)
    assert "--leave-running" in call
    for flag in ("--tcp-established", "--ext-unix-sk", "--file-locks",
                 "--shell-job", "--parent-path", "--empty-ns",
                 "--manage-cgroups-mode"):
        assert flag not in call
    assert image.stat().st_mode & 0o777 == 0o700
    assert not (s.bundles["c1"] / "criu-work").exists()
    assert s.task.State(id="c1").pid == pid
    assert s.end() == 137


def test_options_go_to_the_runtime_and_into_the_image(s, fake, image, tmp):
    s.run()
    (tmp / "work").mkdir()
    (tmp / "old").mkdir()
    checkpoint(s, image, open_tcp=True, external_unix_sockets=True,
               terminal=True, file_locks=True, empty_namespaces=["network"],
               cgroups_mode="strict", work_path=str(tmp / "work"),
               parent_path=str(tmp / "old"))
    [call] = fake.calls("checkpoint")
    for flag in ("--tcp-established", "--ext-unix-sk", "--file-locks",
                 "--shell-job", "--leave-running"):
        assert flag in call
    assert argument(call, "--empty-ns") == "network"
    assert argument(call, "--manage-cgroups-mode") == "strict"
    assert argument(call, "--work-path") == str(tmp / "work")
    parent = argument(call, "--parent-path")
    assert not parent.startswith("/")
    assert (image / parent).resolve() == (tmp / "old").resolve()
    assert json.loads((image / "criu-options.json").read_text()) == {
        "open_tcp": True, "external_unix_sockets": True, "file_locks": True,
        "terminal": True, "cgroups_mode": "strict",
        "empty_namespaces": ["network"]}
    assert (tmp / "work").is_dir()      # not ours: it stays
    s.bundle("c2")
    s.create("c2", checkpoint=str(image))
    s.task.Start(id="c2")
    [call] = fake.calls("restore")
    assert "--tcp-established" in call and "--shell-job" in call
    assert argument(call, "--empty-ns") == "network"


@pytest.mark.go_fails("does not tell of a checkpoint")
def test_ends_it_and_tells_of_that_last(s, fake, image):
    fake.before("checkpoint", f"{DUMP}; {ENDS}; exit 0")
    s.run()
    checkpoint(s, image, exit=True)
    assert s.wait() == 137
    assert "--leave-running" not in fake.calls("checkpoint")[0]
    assert s.until("exit(137)")[-2:] == ["checkpointed", "exit(137)"]
    s.task.Delete(id="c1")


def test_paused_stays_paused(s, image):
    s.run()
    s.task.Pause(id="c1")
    checkpoint(s, image)
    assert s.state() == "PAUSED"
    s.task.Resume(id="c1")
    assert s.state() == "RUNNING"


def test_in_other_states(s, image):
    s.create()
    refused(FAILED_PRECONDITION, checkpoint, s, image, match="created")
    s.task.Start(id="c1")
    s.kill()
    s.wait()
    refused(FAILED_PRECONDITION, checkpoint, s, image, match="stopped")
    s.task.Delete(id="c1")
    refused(NOT_FOUND, checkpoint, s, image)
    assert not image.exists()


@pytest.mark.go_fails("all this goes on to the runtime")
@pytest.mark.parametrize("bad,match", [
    ({"path": ""}, "no path"),
    ({"path": "relative"}, "must be absolute"),
    ({"path": "/none/at/all"}, "/none/at/all"),
    ({"work_path": "w"}, "must be absolute"),
    ({"parent_path": "/none/at/all"}, "no such folder"),
    ({"cgroups_mode": "--x"}, "'--x'"),
    ({"empty_namespaces": ["--x"]}, "'--x'")])
def test_bad_requests(s, fake, image, bad, match):
    s.run()
    path = bad.pop("path", str(image))
    refused(INVALID_ARGUMENT, s.task.Checkpoint, id="c1", path=path,
            options=options(**bad), match=match)
    assert fake.calls("checkpoint") == []
    assert s.state() == "RUNNING"
    assert not (s.bundles["c1"] / "criu-work").exists()


def test_options_of_another_type(s, image):
    s.run()
    refused(INVALID_ARGUMENT if not rawshim.world.is_go() else UNKNOWN,
            s.task.Checkpoint, id="c1", path=str(image),
            options=rawshim.runc_options(root="/x"))


@pytest.mark.go_fails("quotes nothing")
def test_a_failure_is_explained(s, fake, image):
    s.run()
    fake.before("checkpoint", fails(LOG, "dump.log"))
    text = refused(UNKNOWN, checkpoint, s, image, match="criu failed")
    assert "(criu/tty.c:1): it has a terminal" in text
    kept = s.bundles["c1"] / "criu-dump.log"
    assert str(kept) in text and kept.read_text() == LOG
    assert not (s.bundles["c1"] / "criu-work").exists()
    assert s.state() == "RUNNING"
    assert "it has a terminal" in s.log("c1")
    fake.before("checkpoint", DUMP + "; exit 0")
    checkpoint(s, image)                  # it can be tried again
    assert s.names("c1").count("checkpointed") <= 1


@pytest.mark.go_fails("allows all of it")
def test_what_is_not_to_be_done_meanwhile(s, fake, image):
    s.run()
    fake.before("checkpoint", DUMP + "; sleep 2; exit 0")
    slow = s.task.begin("Checkpoint", id="c1", path=str(image))
    poll.until(lambda: fake.calls("checkpoint"), "the checkpoint runs")
    for call in ("Pause", "Resume", "Delete"):
        refused(FAILED_PRECONDITION, getattr(s.task, call), id="c1",
                match="checkpointing")
    refused(FAILED_PRECONDITION, checkpoint, s, image, match="checkpointing")
    assert s.state() == "RUNNING"
    slow.result(20)
    s.task.Pause(id="c1")


@pytest.mark.go_fails("does not tell of a checkpoint")
def test_kill_meanwhile(s, fake, image):
    s.run()
    fake.before("checkpoint", DUMP + "; sleep 2; exit 1")
    slow = s.task.begin("Checkpoint", id="c1", path=str(image))
    poll.until(lambda: fake.calls("checkpoint"), "the checkpoint runs")
    s.kill()
    with pytest.raises(ttrpc.TtrpcError):
        slow.result(20)
    assert s.wait() == 137
    s.task.Delete(id="c1")
    assert "checkpointed" not in s.names("c1")


# ---- restore

@pytest.fixture
def saved(image):
    """The folder of an image that was made elsewhere."""
    image.mkdir()
    return image


def test_restore(s, fake, saved):
    made = s.create(checkpoint=str(saved))
    assert made.pid == 0                  # there is no process before Start
    assert s.state() == "CREATED"
    assert fake.calls() == []
    pid = s.task.Start(id="c1").pid
    assert pid > 0 and s.task.State(id="c1").pid == pid
    assert s.state() == "RUNNING"
    [call] = fake.calls("restore")
    assert argument(call, "--image-path") == str(saved)
    assert "--detach" in call
    s.exec("c1", "e1", ["sh", "-c", "exit 4"])
    assert s.wait("c1", "e1") == 4
    assert [p.pid for p in s.task.Pids(id="c1").processes] == [pid]
    assert s.end() == 137
    assert not (s.bundles["c1"] / "criu-work").exists()
    s.until("delete")
    event = next(e.message for e in s.events.events
                 if e.topic == "/tasks/create")
    assert (event.checkpoint, event.pid) == (str(saved), 0)


def test_restore_by_the_option(s, fake, saved, tmp):
    work = tmp / "work"
    s.create(options=rawshim.runc_options(
        binary_name=str(s.runtime), criu_image_path=str(saved),
        criu_work_path=str(work)))
    s.task.Start(id="c1")
    assert argument(fake.calls("restore")[0], "--work-path") == str(work)
    assert work.is_dir()


def test_restored_output_and_exit(s, saved, tmp):
    out = fifo.make(tmp, "out")
    reader = fifo.Reader(out)
    s.bundle("c2", ["sh", "-c", "echo back; exit 6"])
    s.create("c2", checkpoint=str(saved), stdout=str(out))
    s.task.Start(id="c2")
    assert s.wait("c2") == 6
    assert reader.end() == b"back\n"
    s.task.Delete(id="c2")


def test_restored_terminal(raw, fake, saved, tmp):
    fake.before("restore", RESTORE)
    s = raw(runtime=fake.path).start(
        "c1", ["sh", "-c", "stty size; test -t 0 && echo tty; exit 3"],
        terminal=True)
    out = fifo.make(tmp, "out")
    reader = fifo.Reader(out)
    s.create(checkpoint=str(saved), terminal=True, stdout=str(out))
    s.task.Start(id="c1")
    assert s.wait() == 3
    assert b"tty" in reader.end()


def test_before_the_start(s, saved):
    """A container that has no process yet."""
    s.create(checkpoint=str(saved))
    refused(FAILED_PRECONDITION, s.kill, match="not started")
    refused(FAILED_PRECONDITION, s.task.Kill, id="c1", signal=9, all=True,
            match="not started")
    refused(FAILED_PRECONDITION, s.exec, "c1", "e1", ["true"],
            match="not restored")
    assert list(s.task.Pids(id="c1").processes) == []
    s.task.Delete(id="c1")
    refused(NOT_FOUND, s.state)


@pytest.mark.go_fails("can't be deleted (containerd#7357)", run=False)
def test_a_failed_restore_can_be_deleted(s, fake, saved):
    fake.before("restore", fails(LOG, "restore.log"))
    s.create(checkpoint=str(saved))
    text = refused(UNKNOWN, s.task.Start, id="c1", match="criu failed")
    assert "it has a terminal" in text
    assert "criu-restore.log" in text
    assert (s.bundles["c1"] / "criu-restore.log").read_text() == LOG
    assert not (s.bundles["c1"] / "criu-work").exists()
    assert s.state() == "CREATED"
    refused(FAILED_PRECONDITION, s.task.Start, id="c1", match="anew")
    s.task.Delete(id="c1")
    refused(NOT_FOUND, s.state)
    assert "exit" not in "".join(s.names("c1"))


@pytest.mark.go_fails("leaves it running", run=False)
@pytest.mark.parametrize("how", [
    RESTORE.replace("; exit", "; exit 1"),      # made it, but says otherwise
    'exit 0',                                   # made nothing, no pid
    'echo 1 >"$pid_file"; exit 0'])             # not a process of ours
def test_a_runtime_that_lies(s, fake, saved, how):
    fake.before("restore", how)
    s.create(checkpoint=str(saved))
    with pytest.raises(ttrpc.TtrpcError):
        s.task.Start(id="c1", timeout=20)
    s.task.Delete(id="c1")
    refused(NOT_FOUND, s.state)


@pytest.mark.go_fails("all this goes on to the runtime")
def test_bad_images(s, saved, tmp):
    for path, match in (("relative", "absolute"), ("/none", "/none"),
                        ("/etc/passwd", "/etc/passwd")):
        refused(INVALID_ARGUMENT, s.create, checkpoint=path, match=match)
    refused(INVALID_ARGUMENT, s.create, parent_checkpoint="/tmp",
            match="no checkpoint")
    refused(INVALID_ARGUMENT, s.create, checkpoint=str(saved),
            parent_checkpoint="/none", match="/none")
    (saved / "criu-options.json").write_text('{"cgroups_mode": "--x"}')
    s.create(checkpoint=str(saved))
    refused(INVALID_ARGUMENT, s.task.Start, id="c1", match="--x")
    s.task.Delete(id="c1")


@pytest.mark.go_fails("the runtime does not know the flag")
def test_parent_is_linked(s, saved, tmp):
    (tmp / "old").mkdir()
    (saved / "parent").symlink_to("../nowhere")
    s.create(checkpoint=str(saved), parent_checkpoint=str(tmp / "old"))
    assert (saved / "parent").resolve() == (tmp / "old").resolve()
    s.task.Start(id="c1")


def test_the_shim_dies_before_the_start(s, saved):
    s.create(checkpoint=str(saved))
    os.kill(s.pid, signal.SIGKILL)
    poll.until(s.client.closed.is_set, "the connection ends")
    r = s.delete("c1")
    assert r.returncode == 0, r.stderr
