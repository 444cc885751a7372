# SPDX-License-Identifier: Apache-2.0
"""Seccomp, explained: what a profile denies is named, and answered as the
profile says; and wispctl's part in it."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading

import pytest

import poll
import proc
import rawshim
import spec
import ttrpc
import world
from daemon import NO_UNIFIED
from test_dump import container, dump
from test_rootless import user               # noqa: F401 (a fixture)
from test_wispctl import WISPCTL, argv

pytestmark = [
    pytest.mark.vm_adds_nothing,
    pytest.mark.skipif(world.is_go(), reason="it explains nothing"),
    pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")]
HERE = pathlib.Path(__file__).parent
ANNOTATION = {"io.wisp.seccomp.explain": "true"}
ARCHS = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
ENOSYS, EPERM = 38, 1
LOOPS = 1000000 if "WISP_E2E_ALL" in os.environ else 20000
NR = {n: int(v) for n, v in re.findall(
    r"#define __NR_(\w+) (\d+)",
    pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").read_text())}


def rule(names, action="ALLOW", errno=None, args=()):
    r = {"names": names.split(), "action": f"SCMP_ACT_{action}"}
    if errno is not None:
        r["errnoRet"] = errno
    if args:
        r["args"] = [{"index": i, "op": f"SCMP_CMP_{op}", "value": v,
                      "valueTwo": w} for i, op, v, w in args]
    return r


def profile(*rules, default="ALLOW", errno=None):
    p = {"defaultAction": f"SCMP_ACT_{default}", "architectures": ARCHS,
         "syscalls": list(rules)}
    if errno is not None:
        p["defaultErrnoRet"] = errno
    return p


def all_but(names, *more, **kw):
    """Nothing is allowed that is not named, as profiles in use have it."""
    left = [n for n in NR if n not in names.split()]
    return profile(rule(" ".join(left)), *more, default="ERRNO", **kw)


BY_RULE = profile(rule("mount umount2", "ERRNO", ENOSYS),
                  rule("sethostname", "ERRNO"))
BY_DEFAULT = all_but("mount sethostname futex_waitv", errno=EPERM)
PERSONALITIES = [rule("personality", args=[(0, "EQ", v, 0)])
                 for v in (0, 8, 0x20000, 0x20008, 0xffffffff)]
BY_CONDITION = all_but(
    "mount personality clone setpriority prctl umask", *PERSONALITIES,
    rule("clone", args=[(0, "MASKED_EQ", 0x7e020000, 0)]),
    rule("setpriority", args=[(0, "EQ", 0, 0), (1, "GE", 5, 0)]),
    rule("prctl", args=[(0, "NE", 4, 0)]),
    rule("umask", args=[(0, "LE", 0o77, 0)]))
EITHER_WAY = profile(
    rule("umask", "ERRNO", 5, [(0, "GT", 0o77, 0)]),
    rule("umask", "ERRNO", 6, [(0, "EQ", 0o22, 0)]),
    rule("mount", "ERRNO", 7),
    rule("sethostname", "KILL_PROCESS"))


@pytest.fixture(scope="module")
def probe():
    """The path of the program, in the image's files."""
    path = world.base / "probe"
    subprocess.run(["cc", "-O1", "-D_GNU_SOURCE", "-static", "-o", path,
                    HERE / "seccomp_probe.c"], check=True, timeout=120)
    return path


@pytest.fixture(scope="module", autouse=True)
def beside(whole_run):
    """The run's copy of the shim needs a wispctl beside it."""
    shutil.copy(WISPCTL, pathlib.Path(world.SHIM).with_name("wispctl"))


@pytest.fixture(params=["runc", "crun"])
def oci(request, tmp):
    if request.param == "runc":
        return "runc"
    path = tmp / "crun"
    path.write_text(f"#!/bin/sh\nexec unshare -m sh -c '{NO_UNIFIED}' "
                    "sh crun \"$@\"\n")
    path.chmod(0o755)
    return str(path)


class Box:
    """A shim whose container c1 has a profile; its /tmp is a folder here."""

    def __init__(self, raw, probe, folder, prof, command, oci="runc",
                 annotations=ANNOTATION, caps=(), **kw):
        self.folder = folder / world.fresh("d")
        self.folder.mkdir()
        config = spec.base(["sh", "-c", command], annotations=annotations,
                           cgroup=f"/{world.RUN}/{world.fresh()}")
        if prof is not None:
            config["linux"]["seccomp"] = prof
        config["process"]["capabilities"] = {
            k: [*v, *caps]
            for k, v in config["process"]["capabilities"].items()}
        shutil.copy(probe, self.folder / "probe")
        config["mounts"].append({
            "destination": "/tmp", "source": str(self.folder),
            "type": "bind", "options": ["bind"]})
        self.config = json.dumps(config)
        self.shim = raw(**kw).start("c1", text=self.config)
        self.bundle = self.shim.bundles["c1"]
        self.oci = str(oci)

    def create(self):
        self.shim.create(
            "c1", options=rawshim.runc_options(binary_name=self.oci),
            stdout=f"file://{self.folder}/out",
            stderr=f"file://{self.folder}/out")
        return self

    def start(self):
        self.create().shim.task.Start(id="c1")
        return self

    def end(self, timeout=60):
        """Waits, deletes; status and output."""
        status = self.shim.wait("c1", timeout=timeout)
        self.shim.task.Delete(id="c1")
        return status, self.out()

    def out(self):
        return proc.read(self.folder / "out")

    def lines(self):
        return [json.loads(line) for line in proc.read(
            self.bundle / "seccomp.log").splitlines()]

    def denials(self):
        """Totals by call, process, errno."""
        return {(d["syscall"], d["comm"], d["errno"]): d["total"]
                for d in self.lines() if "syscall" in d}

    def seccomp(self):
        """What the shim's dump has on it, or None."""
        return container(dump(self.shim)).get("seccomp")


@pytest.fixture
def box(raw, probe, tmp):
    def make(*args, **kw):
        return Box(raw, probe, tmp, *args, **kw)
    return make


MOUNT = "mount -t tmpfs none /mnt"


@pytest.mark.parametrize("prof, errno, why", [
    (BY_RULE, ENOSYS, "syscalls[0] of the profile says SCMP_ACT_ERRNO(ENOSYS)"),
    (BY_DEFAULT, EPERM,
     "not in the profile, whose default is SCMP_ACT_ERRNO(EPERM)"),
    (profile(rule("mount", "ERRNO", 5, [(3, "MASKED_EQ", 1 << 15, 1 << 15)])),
     5, "syscalls[0] of the profile says SCMP_ACT_ERRNO(EIO)")],
    ids=["rule", "default", "condition"])
def test_named(box, oci, prof, errno, why):
    """By whom, with what, what the profile said; in the log and the file."""
    b = box(prof, f"{MOUNT}; {MOUNT}; exit 3", oci).start()
    assert b.shim.wait("c1") == 3
    first = b.lines()[0]
    assert (first["syscall"], first["arch"], first["nr"]) == (
        "mount", "x86_64", NR["mount"])
    assert first["call"] == 'mount("none", "/mnt", "tmpfs", 0x8000, NULL)'
    assert first["args"][3:5] == ["0x8000", "0x0"]
    assert (first["comm"], first["errno"], first["profile"]) == (
        "mount", errno, why)
    assert first["pid"] > 1 and first["count"] == 1
    b.shim.task.Delete(id="c1")
    assert b.denials() == {("mount", "mount", errno): 2}
    log = b.shim.log("c1")
    assert 'denied: mount(' in log and why in log
    assert log.count("denied:") == 2 and "2 in all" in log


def test_the_bundle_is_as_it_was(box):
    b = box(BY_RULE, "sleep 100").start()
    assert "SCMP_ACT_NOTIFY" in (b.bundle / "config.json").read_text()
    assert (b.bundle / "config.original.json").read_text() == b.config
    sockets = [p for p in (world.RUN_DIR / "s").iterdir()]
    assert len(sockets) == 2                 # the shim's own, and this
    b.shim.end("c1")
    assert (b.bundle / "config.json").read_text() == b.config
    left = {f.name for f in b.bundle.iterdir()}
    assert not {f for f in left if f.startswith("seccomp-explain.")} - {
        "seccomp-explain.notes"}
    assert "config.original.json" not in left


# Calls that do no harm, whatever the answer. What is behind a filter answers,
# too: with addresses nobody has, EFAULT, with descriptors, EBADF.
QUESTIONS = [(n, a, b) for n, values in {
    "mount": [(0, 0)], "sethostname": [(0, 0)], "futex_waitv": [(0, 1)],
    "umask": [(v, 0) for v in (0, 0o22, 0o77, 0o100, 0o777)],
    "personality": [(v, 0) for v in (
        0, 1, 8, 9, 0x20000, 0x20008, 0x1ffff, 0x20001, 0xfffffffe,
        0xffffffff, 0x100000000, 0x100000008, 1 << 63)],
    "setpriority": [(0, v) for v in (0, 0)] + [(3, 0), (9, 0)],
    "prctl": [(v, 0) for v in (3, 4, 5, 0xffffffff, 1 << 40)],
    "openat2": [(0, 0)], "landlock_create_ruleset": [(0, 0)],
    "getppid": [(0, 0)], "kexec_load": [(0, 0)], "set_mempolicy_home_node": [
        (0, 0)], "cachestat": [(0, 0)]}.items() if n in NR
    for a, b in values]


@pytest.mark.parametrize("prof", [
    BY_RULE, BY_DEFAULT, BY_CONDITION, EITHER_WAY, all_but("umask", errno=95)],
    ids=["rule", "default", "condition", "either", "other_errno"])
def test_answers_are_the_profiles(box, oci, prof):
    """With and without: not one differs."""
    seen = []
    for annotations in ({}, ANNOTATION):
        b = box(prof, "/tmp/probe ask </tmp/q", oci, annotations=annotations)
        (b.folder / "q").write_text("".join(
            f"{NR[n]} {x} {y} 0\n" for n, x, y in QUESTIONS
            if n != "sethostname"))
        seen.append(b.start().end())
    assert seen[0] == seen[1]
    assert "EPERM" in seen[1][1] or "ENOSYS" in seen[1][1]


def test_values_that_count_are_told(box):
    b = box(BY_CONDITION, "for i in 1 9 1; do echo "
            f"{NR['personality']} $i 0 0 | /tmp/probe ask; done").start()
    b.end()
    got = {(d["call"], d["total"]) for d in b.lines()}
    assert got == {("personality(0x1)", 1), ("personality(0x1)", 2),
                   ("personality(0x9)", 1)}


def test_what_kills_still_kills(box, oci):
    b = box(EITHER_WAY, "exec /tmp/probe kill", oci).start()
    assert b.end()[0] == 128 + 31
    assert "left to the kernel" in b.shim.log("c1")


def test_execs(box, oci):
    """They have the same filter; nothing is left of it when they end."""
    b = box(BY_DEFAULT, "sleep 1000", oci).start()
    # crun's `start` does not wait for the container to have it
    poll.until(lambda: b.seccomp()["filters"] == 1, "init's filter")
    before = len(proc.fds(b.shim.pid))
    for n in range(5):
        b.shim.exec("c1", f"e{n}", ["sh", "-c", f"{MOUNT}; exit 4"])
        assert b.shim.wait("c1", f"e{n}") == 4
        b.shim.task.Delete(id="c1", exec_id=f"e{n}")
    poll.until(lambda: b.seccomp()["filters"] == 1,
               lambda: f"no filter but init's: {b.seccomp()}")
    assert b.seccomp()["denied"] == 5
    # the log that it has opened meanwhile; the dump's connection goes
    poll.until(lambda: len(proc.fds(b.shim.pid)) <= before + 1,
               lambda: f"{before} descriptors: {proc.fds(b.shim.pid)}")
    b.shim.end("c1")
    assert b.denials() == {("mount", "mount", EPERM): 5}


def test_a_storm(box):
    """Each is answered, few are told; the shim answers others meanwhile."""
    b = box(BY_DEFAULT, f"/tmp/probe loop {LOOPS}").start()
    poll.until(lambda: b.seccomp()["denied"] > 100, "it has begun")
    for _ in range(20):
        b.shim.state("c1", timeout=5)
    status, out = b.end(timeout=600)
    assert (status, out) == (0, f"wrong 0 of {LOOPS}\n")
    assert b.denials() == {("mount", "probe", EPERM): LOOPS}
    told = [d["count"] for d in b.lines()]
    assert told[0] == 1 and sum(told) == LOOPS
    # seldom enough: at once, after 1 s, 2 s, 4 s, ...
    assert len(told) < 100 and b.shim.log("c1").count("denied:") == len(told)


def test_many_names(box):
    """A process that renames itself has no way to fill the disk."""
    n = 3000
    b = box(BY_DEFAULT, f"/tmp/probe names {n}").start()
    assert b.end(timeout=120)[1] == f"wrong 0 of {n}\n"
    lines = b.lines()
    unnamed = sum(d.get("unnamed", 0) for d in lines)
    assert unnamed > 0
    assert unnamed + sum(d.get("count", 0) for d in lines) == n
    assert (b.bundle / "seccomp.log").stat().st_size < 400000
    assert lines[0]["comm"] == "???0"


def test_hostile_addresses(box):
    b = box(BY_DEFAULT, "/tmp/probe hole").start()
    assert b.end()[1] == f"-1 {EPERM}\n"
    assert b.lines()[0]["call"] == (
        "mount(0x8, 0xfffffffffffff000, 0x1, 0x0, NULL)")


def test_memory_that_is_never_there(box):
    """To read it would take for ever: the shim does not wait for that."""
    b = box(BY_DEFAULT, "/tmp/probe stuck; /tmp/probe stuck",
            caps=["CAP_SYS_PTRACE"]).start()
    status, out = b.end()
    if "no userfaultfd" in out:
        pytest.skip(out)
    assert out == 2 * f"-1 {EPERM}\n"
    assert re.fullmatch(r"mount\((0x[0-9a-f]{5,}), 0x[0-9a-f]+, \1, 0x0, NULL\)",
                        b.lines()[0]["call"])
    poll.until(lambda: not proc.children(b.shim.pid), "no child of the shim")


def test_the_shim_is_killed(box):
    """Nobody hangs: the kernel answers. And `delete` cleans up."""
    b = box(BY_DEFAULT, "/tmp/probe wait /tmp/said").start()

    def said():
        return proc.read(b.folder / "said").split()
    poll.until(lambda: len(said()) > 5, "it is denied")
    assert set(said()) == {str(EPERM)}
    os.kill(b.shim.pid, 9)
    poll.until(lambda: str(ENOSYS) in said(), "the kernel's answer")
    n = len(said())
    poll.until(lambda: len(said()) > n + 5, "it goes on")
    assert b.shim.client.closed.wait(10)
    b.shim.delete("c1")
    assert (b.bundle / "config.json").read_text() == b.config
    assert not (b.bundle / "config.original.json").exists()
    assert not list((world.RUN_DIR / "s").iterdir())


def test_a_slow_shim(box):
    """Who waits for an answer can be killed all the same."""
    b = box(BY_DEFAULT, "/tmp/probe wait /tmp/said").start()
    poll.until(lambda: (b.folder / "said").exists(), "it is denied")
    init = proc.get(b.shim.task.State(id="c1").pid)
    os.kill(b.shim.pid, 19)
    try:
        os.kill(init.pid, 9)
        poll.until(lambda: not proc.alive(init.pid, init.start), "it is gone")
    finally:
        os.kill(b.shim.pid, 18)
    assert b.end()[0] == 137


@pytest.mark.parametrize("prof, said", [
    (None, "config.json has no linux.seccomp"),
    (profile(), "denies nothing by an errno"),
    (profile(rule("mount", "KILL")), "denies nothing by an errno")],
    ids=["none", "no_rules", "kill"])
def test_nothing_to_explain(box, oci, prof, said):
    b = box(prof, "echo fine", oci).start()
    assert b.seccomp() is None
    assert b.end() == (0, "fine\n")
    assert said in b.shim.log("c1")
    assert (b.bundle / "config.json").read_text() == b.config


def test_a_listener_of_its_own(box, tmp):
    prof = {**BY_RULE, "listenerPath": str(tmp / "x.sock")}
    b = box(prof, "echo fine").start()
    assert b.end() == (0, "fine\n")
    assert "a listener of its own" in b.shim.log("c1")


def test_without_the_annotation(box):
    b = box(BY_RULE, MOUNT, annotations={"io.wisp.seccomp.explain": "false"})
    assert b.start().end()[0] == 255
    assert not b.lines() and "seccomp" not in b.shim.log("c1")


def test_write_is_not_explained(box, oci):
    """runc refuses that; there is a line, and the profile holds."""
    b = box(profile(rule("write mount", "ERRNO", 5, [(0, "EQ", 99, 0)])),
            f"echo {NR['write']} 99 0 0 | /tmp/probe ask", oci).start()
    assert b.end()[1] == f"{NR['write']} 99 EIO\n"
    assert "not explained: write" in b.shim.log("c1")


def test_a_bad_annotation(box):
    """The shim does not even start."""
    with pytest.raises(AssertionError, match='must be "true" or "false"'):
        box(BY_RULE, "true", annotations={"io.wisp.seccomp.explain": "yes"})


def test_a_bad_profile(box):
    b = box(profile(rule("mount", "DENY")), "true")
    with pytest.raises(ttrpc.TtrpcError, match=r"syscalls\[0\].*SCMP_ACT_DENY"):
        b.create()
    assert (b.bundle / "config.json").read_text() == b.config


def alone(tmp, script=None):
    """A shim with nothing beside it, or with another wispctl."""
    folder = tmp / "bin"
    folder.mkdir()
    shutil.copy(world.SHIM, folder / "shim")
    if script:
        (folder / "wispctl").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "wispctl").chmod(0o755)
    return folder / "shim"


def test_no_wispctl(box, tmp):
    b = box(BY_RULE, "true", binary=alone(tmp))
    with pytest.raises(ttrpc.TtrpcError, match="wispctl is needed"):
        b.create()
    assert (b.bundle / "config.json").read_text() == b.config


def test_prepare_fails_or_hangs(box, tmp):
    b = box(BY_RULE, "true", binary=alone(
        tmp, "[ -e $0.once ] && exec sleep 1000; >$0.once; exit 3"))
    with pytest.raises(ttrpc.TtrpcError, match="ended with status 3"):
        b.create()
    failed = []

    def create():
        with pytest.raises(ttrpc.TtrpcError, match="canceled") as e:
            b.create()
        failed.append(e)
    t = threading.Thread(target=create)
    t.start()
    poll.until(lambda: [p for p in proc.children(b.shim.pid)
                        if "sleep" in p.cmd], "it hangs")
    b.shim.task.Delete(id="c1")
    t.join(20)
    assert failed and not proc.children(b.shim.pid)


@pytest.mark.both
def test_containerds_own_profile(daemon):
    """Many rules, by capabilities, some with conditions."""
    daemon.say(f"{MOUNT}; echo {NR['personality']} 1 0 0; hostname x",
               flags=("--seccomp", "--annotation",
                      "io.wisp.seccomp.explain=true"), ok=None)
    log = proc.read(daemon.log)
    assert 'denied: mount(' in log
    assert "not in the profile, whose default is SCMP_ACT_ERRNO(EPERM)" in log
    assert "denied: sethostname(" in log
    # later ones have a condition on socket(2), see seccomp_rewrite.h
    assert set(re.findall(r'not explained: ([^\\"]*)', log)) <= {"socket"}


# ---- wispctl

def ctl(*args, ok=(0,), **kw):
    p = subprocess.run([WISPCTL, *map(str, args)], capture_output=True,
                       text=True, timeout=60 * poll.SLOW,
                       env=world.environ(), stdin=subprocess.DEVNULL, **kw)
    assert p.returncode in ok, (p.returncode, p.stdout, p.stderr)
    return p


def run(prof, command, *options, tmp, ok=(0,), rm=True):
    (tmp / "profile.json").write_text(json.dumps(prof))
    args = argv("--seccomp", tmp / "profile.json", "--explain-seccomp",
                *options, "--", "sh", "-c", command, rm=rm)
    return ctl(*args[1:], ok=ok), args[args.index("--name") + 1]


def test_run_shows_denials(tmp):
    p, _ = run(BY_RULE, f"{MOUNT}; {MOUNT}; hostname x; exit 6", tmp=tmp,
               ok=(6,))
    assert re.search(r'^wispctl: denied: mount\("none", "/mnt", "tmpfs", 0x8000,'
                     r" NULL\) by mount \(pid \d+\): ENOSYS; syscalls\[0\]",
                     p.stderr, re.M), p.stderr
    assert "mount by mount, 1 more (2 in all)" in p.stderr
    assert "sethostname" in p.stderr and ": EPERM;" in p.stderr


def test_run_shows_denials_as_json(tmp):
    p, _ = run(BY_RULE, MOUNT, "-o", "json", tmp=tmp, ok=(255,))
    d, = [json.loads(line) for line in p.stderr.splitlines()
          if line.startswith("{")]
    assert (d["syscall"], d["errno"], d["total"]) == ("mount", ENOSYS, 1)


def test_run_says_what_is_missing(tmp):
    p = ctl(*argv("--explain-seccomp", "--", "true")[1:], ok=(125,))
    assert "--seccomp FILE" in p.stderr
    p, _ = run(profile(rule("mount", "NO")), "true", tmp=tmp, ok=(125,))
    assert "SCMP_ACT_NO" in p.stderr and "profile.json" in p.stderr


def test_another_shim(tmp):
    p, _ = run(BY_RULE, "true", "--shim", world.GO_SHIM, tmp=tmp, ok=(125,))
    assert "this shim does not explain seccomp" in p.stderr
    p = ctl(*argv("--seccomp", tmp / "profile.json", "--", "sh", "-c", MOUNT,
                  shim=world.GO_SHIM)[1:], ok=(255,))
    assert "Function not implemented" in p.stderr


def test_a_profile_in_dockers_form(tmp):
    prof = {"defaultAction": "SCMP_ACT_ALLOW",
            "archMap": [{"architecture": "SCMP_ARCH_X86_64",
                         "subArchitectures": ["SCMP_ARCH_X86"]}],
            "syscalls": [
                rule("sethostname", "ERRNO", 95),
                {**rule("mount", "ERRNO", 5),
                 "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
                {**rule("umask", "ERRNO", 5),
                 "includes": {"caps": ["CAP_SYS_ADMIN"]}},
                {**rule("chroot", "ERRNO", 5),
                 "includes": {"arches": ["s390x"]}}]}
    p, _ = run(prof, f"{MOUNT}; umask 022; chroot / true; hostname x",
               tmp=tmp, ok=(1,))
    assert set(re.findall(r"denied: (\w+)\(.*\): (\w+);", p.stderr)) == {
        ("mount", "EIO"), ("sethostname", "EOPNOTSUPP")}


@pytest.mark.parametrize("oci", ["runc", "crun"])
@pytest.mark.parametrize("place", ["user", "pids"])
def test_without_root(user, place, oci):     # noqa: F811
    (user.etc / "p.json").write_text(json.dumps(BY_RULE))
    p = user.run(place, *user.wispctl(
        "--runtime", oci, "--seccomp", user.etc / "p.json",
        "--explain-seccomp", "--", "sh", "-c", f"{MOUNT}; exit 6"))
    assert p.returncode == 6, p.stderr
    assert re.search(r'denied: mount\("none", "/mnt", .* by mount \(pid \d+\): '
                     "ENOSYS", p.stderr), p.stderr


def suggest(*args, **kw):
    return ctl("seccomp", "suggest", "--root", world.base / "wispctl", *args,
               **kw)


@pytest.mark.parametrize("prof", [
    all_but("chmod fchmodat umask", rule("umask", args=[(0, "LE", 0o22, 0)])),
    profile(rule("chmod fchmodat", "ERRNO", 5),
            rule("umask", "ERRNO", 5, [(0, "GT", 0o22, 0)]))],
    ids=["default", "rule"])
def test_suggest(tmp, prof):
    """What it suggests is enough, and allows no more than was denied."""
    work = "chmod 700 /tmp && umask 077; umask"
    p, name = run(prof, work, tmp=tmp, rm=False, ok=(0, 1))
    assert "denied: chmod" in p.stderr
    bundle = world.base / "wispctl" / "bundles" / name
    try:
        text = suggest(name).stdout
        assert "chmod(" in text and "To allow that" in text
        s = json.loads(suggest("-o", "json", name).stdout)
        assert {d["syscall"] for d in s["denied"]} == {"chmod"}
        by_file = suggest("--profile", tmp / "profile.json",
                          bundle / "seccomp.log").stdout
        assert by_file == text
    finally:
        shutil.rmtree(bundle)
    p, name = run(s["profile"], "chmod 700 /tmp && umask 077; umask 055; true",
                  tmp=tmp)
    assert "denied: chmod" not in p.stderr and "umask(077)" in p.stderr


def test_suggest_cautions(box):
    b = box(BY_DEFAULT, f"{MOUNT}; sleep 100").start()
    poll.until(b.lines, "a denial")
    assert re.search("^seccomp +1 call denied, 1 kind of them, 1 filter$", ctl(
        "inspect", "-n", b.shim.ns, "c1").stdout, re.M)
    text = suggest("-n", b.shim.ns, "c1").stdout
    assert '{"names":["mount"],"action":"SCMP_ACT_ALLOW"}' in text
    assert "a way out of the container" in text
    b.shim.end("c1")


def test_suggest_without_denials(box):
    b = box(BY_DEFAULT, "sleep 100").start()
    assert suggest("-n", b.shim.ns, "c1").stdout == "Nothing has been denied.\n"
    b.shim.end("c1")
    p = suggest("nosuch", ok=(125,))
    assert "nosuch" in p.stderr
