# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the e2e suite. See README.md in this folder."""
import os

import pytest

import container
import daemon as daemons
import events
import leaks
import rawshim
import runtime as runtimes
import versions
import world

# Of the shim by itself, with a runtime made to misbehave, or run under the same
# daemon on the host: another kernel makes no difference,
# so `make vm-check` leaves them out (VM_ALL=1 not).
VM_ADDS_NOTHING = {
    "test_checkpoint", "test_dump", "test_events", "test_faults",
    "test_grandchild", "test_inspect", "test_leaks", "test_logger",
    "test_mounts", "test_restart", "test_rootless", "test_shim_cli",
    "test_shim_events", "test_shim_rpc", "test_shim_stdio", "test_shimkill",
    "test_signals", "test_stdio", "test_stdio_policy", "test_ttrpc_py",
    "test_upgrade", "test_userns", "test_wispctl"}
# The sanitizers look at wisp; these look at bash, at the Go shim, or for long.
ASAN_ADDS_NOTHING = {"test_ctl_complete", "test_ctl_stress"}
# What the OCI runtime has little to do with runs there under one of them.
VM_ONE_RUNTIME = {"test_tty"}


def pytest_configure(config):
    for line in ("both: runs under runc and under crun",
                 "every_daemon: runs under each version of containerd",
                 "go_fails(reason, run=True): a known fault of the Go shim",
                 "vm: needs the machine of tests/vm/ to itself",
                 "vm_adds_nothing: left out there, see VM_ADDS_NOTHING",
                 "asan_adds_nothing: left out there, see ASAN_ADDS_NOTHING",
                 "settle(seconds): how long leftovers may take to vanish"):
        config.addinivalue_line("markers", line)
    if not config.option.collectonly and os.geteuid() == 0:
        world.enter()


def pytest_unconfigure():
    if world.base:
        world.leave()


def pytest_report_header():
    main, others = versions.main(), versions.others()
    return [f"shim: {world.TESTED}, run: {world.RUN}, in: {world.base}",
            f"containerd: {main and main.version}, every_daemon: "
            f"{', '.join(c.version for c in others) or 'no other'}"]


class AtOnce:
    """In the virtual machine a failure is shown when it happens: the machine
    may be killed before the end."""

    def __init__(self, reporter):
        self.reporter = reporter

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.reporter.write_line("\n" + report.longreprtext)


def pytest_sessionstart(session):
    plugins = session.config.pluginmanager
    if world.VM:
        plugins.register(AtOnce(plugins.get_plugin("terminalreporter")))


def pytest_generate_tests(metafunc):
    """Under which containerd and which OCI runtime. The newer daemons are
    there for what differs between daemons: one runtime is enough."""
    mark = metafunc.definition.get_closest_marker
    runs = [(versions.main(), "runc", "runc")]
    if mark("both") and versions.crun_runs_under(versions.main()):
        runs.append((versions.main(), "crun", "crun"))
    if mark("every_daemon"):
        runs += [(c, "runc", f"{c.label}-runc") for c in versions.others()]
    names = [n for n in ("containerd", "runtime") if n in metafunc.fixturenames]
    if names:
        metafunc.parametrize(
            names, [[{"containerd": c, "runtime": r}[n] for n in names]
                    for c, r, _ in runs],
            ids=[id for _, _, id in runs], scope="session")


def pytest_collection_modifyitems(items):
    go = world.is_go()
    for item in items:
        mark = item.get_closest_marker("go_fails")
        params = item.callspec.params if hasattr(item, "callspec") else {}
        if item.path.stem in VM_ADDS_NOTHING or (
                item.path.stem in VM_ONE_RUNTIME
                and params.get("runtime") == "crun"):
            item.add_marker("vm_adds_nothing")
        if item.path.stem in ASAN_ADDS_NOTHING or "go" in params.values():
            item.add_marker("asan_adds_nothing")
        if item.get_closest_marker("vm") and not world.VM:
            item.add_marker(pytest.mark.skip(
                reason="for the virtual machine: make vm-check"))
        if go and mark:
            item.add_marker(pytest.mark.xfail(
                reason="Go shim: " + mark.args[0], strict=False,
                run=mark.kwargs.get("run", True)))


@pytest.fixture(scope="session", autouse=True)
def whole_run():
    """The machine is as it was: checked once more when all is stopped."""
    if world.base is None:
        pytest.exit("the e2e suite needs root: it makes containers", 2)
    if not os.access(world.SHIM, os.X_OK):
        pytest.exit(f"no shim at {world.TESTED}: run `make`, or set WISP_SHIM",
                    2)
    before = leaks.snapshot()
    yield
    left = leaks.since(before)
    if left:
        names = str(left)
        leaks.remove(left)
        pytest.fail(f"left at the end of the run:\n{names}", pytrace=False)


@pytest.fixture(scope="session")
def _daemons():
    made = {}
    yield made
    for d in made.values():
        d.stop()


@pytest.fixture(scope="session")
def _daemon(_daemons, containerd, runtime):
    """Before the leak check in time, so that it is not counted."""
    key = containerd, runtime
    if key not in _daemons:
        _daemons[key] = daemons.Daemon(
            runtime, containerd=containerd).prepare()
    return _daemons[key]


@pytest.fixture(autouse=True)
def no_leaks(request, whole_run):
    """After each test: nothing more than before it."""
    before = leaks.snapshot()
    yield
    for d in list(daemons.running):
        d.end_clients()
    mark = request.node.get_closest_marker("settle")
    left = leaks.since(before, mark.args[0] if mark else leaks.SETTLE)
    if left:
        names = str(left)
        leaks.remove(left)
        for d in daemons.running:
            d.dirty = True
        pytest.fail(f"the test left behind:\n{names}", pytrace=False)


@pytest.fixture
def tmp():
    """A folder for the test, short enough for sockets, gone with the run."""
    path = world.base / "t" / world.fresh("t")
    path.mkdir()
    return path


@pytest.fixture
def daemon(_daemon, no_leaks):
    """The shared containerd of this runtime."""
    if _daemon.dirty or _daemon.process.poll() is not None:
        _daemon.restart()
        _daemon.dirty = False
    yield _daemon


@pytest.fixture
def own_daemon(containerd, no_leaks):
    """Makes containerds that the test may kill; gone after it."""
    made = []

    def make(*args, **kw):
        kw.setdefault("containerd", containerd)
        d = daemons.Daemon(*args, **kw)
        made.append(d)
        return d.prepare()
    yield make
    for d in made:
        if d.process is None:
            d.start()
        for id in d.containers():
            container.Container(d, id).remove()
        d.stop()


@pytest.fixture
def box(daemon):
    """box("sleep", "100") runs a container in the background; it is
    removed after the test in whatever state it is."""
    made = []

    def make(*cmd, how=container.detached, **kw):
        id = kw.pop("id", None) or world.fresh()
        made.append(container.Container(daemon, id))
        made[-1] = how(daemon, *cmd, id=id, **kw)
        return made[-1]
    yield make
    for c in reversed(made):
        c.remove()


@pytest.fixture
def follow(daemon):
    """The daemon's events from now on."""
    log = events.Follower(daemon)
    yield log
    log.close()


@pytest.fixture
def raw(no_leaks, tmp):
    """raw(...) makes a RawShim; all are ended after the test."""
    made = []

    def make(**kw):
        folder = tmp / world.fresh("s")
        folder.mkdir()
        made.append(rawshim.RawShim(folder, **kw))
        return made[-1]
    yield make
    for s in reversed(made):
        s.close()


@pytest.fixture
def shim(raw):
    """One shim that was started for container c1, connected."""
    return raw().start("c1")


@pytest.fixture
def fake(tmp):
    """A runtime that can be told to misbehave."""
    folder = tmp / "rt"
    folder.mkdir()
    return runtimes.FakeRunc(folder)
