# SPDX-License-Identifier: Apache-2.0
"""Creates that fail: the runtime's reason, and nothing left (the leak check
of every test sees to the latter)."""
import json
import re

import pytest

import image
import poll
import spec
import world

pytestmark = pytest.mark.both


def fails(daemon, *cmd, flags=(), want):
    r = daemon.run(*cmd, flags=flags, ok=(1,))
    assert re.search(want, r.err), f"{want!r} not in: {r.err}"
    assert r.out == ""
    assert daemon.tasks() == {}, "a task is left"
    return r.err


@pytest.mark.every_daemon
def test_bad_command(daemon):
    err = fails(daemon, "/no/such/thing", want="/no/such/thing")
    assert "OCI runtime create failed" in err
    assert re.search("no such file|not found", err)


def test_command_that_is_a_folder(daemon):
    fails(daemon, "/bin", want="OCI runtime create failed: .*(/bin|exec)")


def test_bad_mount(daemon):
    fails(daemon, "true", want="/no/such/source", flags=(
        "--mount", "type=bind,src=/no/such/source,dst=/x,options=rbind"))


def test_bad_cwd(daemon):
    fails(daemon, "true", flags=("--cwd", "/etc/passwd"),
          want="OCI runtime (create|start) failed")


def config(daemon, tmp, conf):
    """ctr run --config with this text; the error."""
    path = tmp / "config.json"
    path.write_text(conf if isinstance(conf, str) else json.dumps(conf))
    r = daemon.ctr("run", "--rm", *daemon.runtime_flags, "--null-io",
                   "--config", path, world.fresh(), ok=(1,))
    assert daemon.tasks() == {}, "a task is left"
    return r.err


def test_bad_rootfs(daemon, tmp):
    conf = spec.base(["true"], rootfs="/no/such/rootfs",
                     cgroup=f"/{daemon.ns}/{world.fresh()}")
    said = config(daemon, tmp, conf)
    # crun 1.28 no longer says which one.
    assert "/no/such/rootfs" in said or (
        daemon.runtime == "crun" and "No such file or directory" in said)


def test_config_the_runtime_refuses(daemon, tmp):
    conf = spec.base(["true"], rootfs=str(image.rootfs()),
                     cgroup=f"/{daemon.ns}/{world.fresh()}")
    conf["linux"]["namespaces"].append({"type": "nonsense"})
    assert "OCI runtime create failed" in config(daemon, tmp, conf)


@pytest.mark.every_daemon
def test_no_runtime_binary(daemon):
    flags = ("--runtime", "io.containerd.runc.v2",
             "--runc-binary", "no-such-runtime")
    fails(daemon, "true", flags=flags, want="no-such-runtime")


def test_20_failures_and_a_success(daemon):
    for _ in range(poll.times(20)):
        fails(daemon, "/no/such/thing", want="no such file|not found")
    assert daemon.say("echo fine").out == "fine\n"


@pytest.mark.every_daemon
def test_the_id_can_be_used_again(daemon, box):
    id = world.fresh()
    daemon.run("/no/such/thing", id=id, ok=(1,))
    assert daemon.say("echo fine", id=id).out == "fine\n"
