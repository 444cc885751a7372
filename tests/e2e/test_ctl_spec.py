# SPDX-License-Identifier: Apache-2.0
"""wispctl spec and spec check."""
import copy
import json
import os
import shutil
import subprocess

import pexpect
import pytest

import image
import poll
import spec
import world
from daemon import NO_UNIFIED

WISPCTL = os.environ.get("WISPCTL") or str(world.ROOT / "build" / "wispctl")
pytestmark = [pytest.mark.vm_adds_nothing,
              pytest.mark.skipif(not os.access(WISPCTL, os.X_OK),
                                 reason=f"no {WISPCTL}")]
GUID = "5175d334-c371-4806-b3ba-71fd53c9258d"
VOLUME = "\\\\?\\Volume{" + GUID + "}"
LAYERS = ("--layer", "C:\\l2", "--layer", "C:\\l1", "--scratch", "C:\\s")


def ctl(*args, ok=(0,), **kw):
    p = subprocess.run([WISPCTL, *(str(a) for a in args)], timeout=30 *
                       poll.SLOW, capture_output=True, env=world.environ(),
                       text=kw.pop("text", True), **kw)
    assert p.returncode in ok, (p.returncode, p.stdout[-900:], p.stderr[-500:])
    return p


def make(*args, **kw):
    return json.loads(ctl("spec", *args, **kw).stdout)


def refused(*args):
    """What is said to options that cannot be."""
    p = ctl("spec", *args, ok=(125,))
    assert not p.stdout and p.stderr.startswith("wispctl: ")
    return p.stderr


def check(what, *args, ok=(0, 1), **kw):
    p = ctl("spec", "check", "-o", "json", *args, what, ok=ok, **kw)
    got = json.loads(p.stdout)
    assert p.returncode == (1 if got["errors"] else 0)
    return got


def errors(got):
    return [f["path"] for f in got["findings"] if f["level"] == "error"]


@pytest.fixture
def bundle(tmp):
    shutil.copytree(image.rootfs(), tmp / "b" / "rootfs", symlinks=True)
    return tmp / "b"


def put(bundle, config):
    (bundle / "config.json").write_text(json.dumps(config, indent=2))


# ---- Linux: made here, run by shims

def run(bundle, shim, oci, *args, ok=(0,)):
    argv = [WISPCTL, "run", "--rm", "--root", str(world.base / "ctlspec"),
            "--name", f"{world.RUN}-{world.fresh('s')}", "--shim", shim,
            "--runtime", oci, "--bundle", str(bundle), *args]
    if oci == "crun" and not world.V2:
        argv = ["unshare", "-m", "sh", "-c", NO_UNIFIED, "sh", *argv]
    p = subprocess.run(argv, capture_output=True, text=True,
                       stdin=subprocess.DEVNULL, timeout=40 * poll.SLOW,
                       env=world.environ())
    assert p.returncode in ok, (p.returncode, p.stdout[-500:], p.stderr[-900:])
    return p.stdout


def cgroup():
    return ("--cgroup", f"/{world.RUN}/{world.fresh('s')}")


both_shims = pytest.mark.parametrize("shim", ["wisp", "go"])
runtimes = pytest.mark.parametrize("oci", ["runc", "crun"])


def shim_of(name):
    if name == "go" and not os.access(world.GO_SHIM, os.X_OK):
        pytest.skip("no shim of Go's here")
    return world.GO_SHIM if name == "go" else world.SHIM


SCRIPT = """
id -u; id -g; id -G
hostname
pwd
echo $A
grep -E '^(CapBnd|NoNewPrivs)' /proc/self/status
touch /x 2>/dev/null && echo written
cat /proc/sys/net/ipv4/ip_unprivileged_port_start
stat -c %t,%T /dev/mine
ls /sys/class/net
cat /mnt/file
"""


@both_shims
@runtimes
def test_what_is_made_runs(bundle, tmp, shim, oci):
    (tmp / "file").write_text("mounted\n")
    p = ctl("spec", *cgroup(), "-m", "64m", "--cpus", "0.5", "--cpu-shares",
            "512", "--cpuset", "0", "--pids", "50", "-u", "1000:100:7:8",
            "--hostname", "hal", "-w", "/tmp", "-e", "A=a b", "--cap-drop",
            "ALL", "--cap-add", "kill", "--read-only", "--sysctl",
            "net.ipv4.ip_unprivileged_port_start=80", "--device",
            "/dev/zero:/dev/mine:r", "--annotation", "a.b=c=d", "--mount",
            f"type=bind,src={tmp},dst=/mnt,ro", "--", "sh", "-c", SCRIPT)
    (bundle / "config.json").write_text(p.stdout)
    assert check(bundle)["findings"] == []
    made = json.loads(p.stdout)
    assert made["annotations"] == {"a.b": "c=d"}
    res = made["linux"]["resources"]
    assert res["cpu"] == {"quota": 50000, "period": 100000, "shares": 512,
                          "cpus": "0"}
    assert res["memory"] == {"limit": 64 << 20} and res["pids"] == {"limit": 50}
    out = run(bundle, shim_of(shim), oci).splitlines()
    assert out == ["1000", "100", "100 7 8", "hal", "/tmp", "a b",
                   "CapBnd:\t0000000000000020", "NoNewPrivs:\t1", "80", "1,5",
                   "lo", "mounted"]


@both_shims
def test_defaults_run(bundle, shim):
    (bundle / "config.json").write_text(ctl("spec", *cgroup(), "--", "id",
                                            "-u").stdout)
    assert check(bundle)["findings"] == []
    assert run(bundle, shim_of(shim), "runc") == "0\n"


@runtimes
def test_user_namespace(bundle, oci):
    (bundle / "config.json").write_text(ctl(
        "spec", *cgroup(), "--userns", "0:100000:1000", "--userns",
        "1000:200000:64536", "--", "cat", "/proc/self/uid_map").stdout)
    for d in (bundle, bundle / "rootfs", *(bundle / "rootfs").iterdir()):
        os.chown(d, 100000, 100000)
    assert check(bundle)["findings"] == []
    out = run(bundle, world.SHIM, oci).split()
    assert out == ["0", "100000", "1000", "1000", "200000", "64536"]


@runtimes
def test_host_network_and_privileges(bundle, oci):
    (bundle / "config.json").write_text(ctl(
        "spec", *cgroup(), "--network", "host", "--no-new-privileges=false",
        "--", "sh", "-c", "readlink /proc/self/ns/net; grep NoNew "
        "/proc/self/status").stdout)
    net, *rest = run(bundle, world.SHIM, oci).splitlines()
    assert net == os.readlink("/proc/self/ns/net")
    assert rest == ["NoNewPrivs:\t0"]


@runtimes
def test_seccomp(bundle, tmp, oci):
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO",
         "errnoRet": 28, "args": []}]}
    (tmp / "p.json").write_text(json.dumps(profile))
    p = ctl("spec", *cgroup(), "--seccomp", tmp / "p.json", "--", "sh", "-c",
            "mkdir /tmp/a 2>&1; echo $?")
    (bundle / "config.json").write_text(p.stdout)
    assert json.loads(p.stdout)["linux"]["seccomp"] == profile
    assert "No space left" in run(bundle, world.SHIM, oci)
    assert "no defaultAction" in refused("--seccomp", write(tmp, "{}"))


@runtimes
def test_seccomp_in_dockers_form(bundle, tmp, oci):
    """Rules for those who have a capability, or have not."""
    def rule(name, **more):
        return {"names": [name], "action": "SCMP_ACT_ERRNO", "errnoRet": 28,
                **more}
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "archMap": [
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}],
        "syscalls": [rule("mkdir", includes={"caps": ["CAP_KILL"]}),
                     rule("rmdir", includes={"caps": ["CAP_SYS_ADMIN"]}),
                     rule("symlink", excludes={"caps": ["CAP_KILL"]})]}
    text = ctl("spec", *cgroup(), "--seccomp", write(tmp, json.dumps(profile)),
               "--", "sh", "-c", "mkdir /tmp/a 2>&1; rmdir /tmp/b 2>&1; "
               "ln -s a /tmp/c && echo linked").stdout
    (bundle / "config.json").write_text(text)
    made = json.loads(text)["linux"]["seccomp"]
    assert [r["names"] for r in made["syscalls"]] == [["mkdir"]]
    assert check(bundle)["findings"] == []
    out = run(bundle, world.SHIM, oci).splitlines()
    assert "No space left" in out[0] and "No such file" in out[1]
    assert out[2] == "linked"
    assert "--seccomp" in refused("--seccomp", write(
        tmp, '{"defaultAction": "x", "archMap": []}'))


def write(tmp, text, name="f.json"):
    mode = "wb" if isinstance(text, bytes) else "w"
    with open(tmp / name, mode) as f:
        f.write(text)
    return tmp / name


def test_runc_spec_has_no_errors(bundle):
    subprocess.run(["runc", "spec", "--bundle", bundle], check=True)
    assert errors(check(bundle)) == []


@pytest.mark.parametrize("args, said", [
    (["--cpus", "x"], "such as 1.5"), (["--cpus", "0"], "such as 1.5"),
    (["--cpus", "1.2.3"], "such as 1.5"), (["--memory", "x"], "512k"),
    (["--cpu-shares", "1"], "from 2 to 262144"),
    (["--pids", "0"], "above 0"), (["--user", "root"], "use numbers"),
    (["--cap-add", "FOO"], "no such capability"),
    (["--sysctl", "a"], "NAME=VALUE"), (["--userns", "0:1"], "CONTAINER:HOST"),
    (["--device", "/dev/nope"], "No such file"),
    (["--device", "/etc"], "no device"), (["--network", "x"], "host or none"),
    (["--cwd", "x"], "absolute"), (["--no-new-privileges=x"], "true"),
    (["--layer", "x"], "--os windows"), (["--os", "beos"], "linux or windows"),
    (["--nope"], "not understood"), (["--seccomp", "/nope"], "/nope"),
    (["--rootfs", "/nope"], "/nope"),
    (["--", b"\xff"], "not UTF-8")])
def test_refused_options(args, said):
    p = subprocess.run([WISPCTL, "spec", *args], capture_output=True,
                       text=True)
    assert p.returncode == 125 and not p.stdout and said in p.stderr, p


# ---- check: what we call an error, runc refuses (as root here, as the
# figures of ARCHITECTURE.md are: 1.1.5)

DEL = "(left out)"
NS = [{"type": t} for t in ("pid", "ipc", "uts", "mount", "network")]
MOUNT = {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs"}
BROKEN = {
    "process.cwd": [("process.cwd", "tmp"), ("process.cwd", DEL)],
    "process.args": [("process.args", []), ("process.args", DEL),
                     ("process.args", "sh")],
    "process.env[1]": [("process.env", ["PATH=/bin", "FOO"])],
    "process.user.uid": [("process.user.uid", -1), ("process.user.uid", 1.5)],
    "process.terminal": [("process.terminal", "no")],
    "process.capabilities.effective[0]": [
        ("process.capabilities", {"effective": ["CAP_KILL"]})],
    "process.rlimits[0].type": [("process.rlimits", [
        {"type": "RLIMIT_FOO", "soft": 1, "hard": 1}])],
    "process.rlimits[0].soft": [("process.rlimits", [
        {"type": "RLIMIT_NOFILE", "soft": 65, "hard": 64}])],
    "process.oomScoreAdj": [("process.oomScoreAdj", 1001)],
    "root": [("root", DEL)],
    "root.path": [("root.path", "nope")],
    "annotations.a": [("annotations.a", 1)],
    "mounts[0].source": [("mounts", [{
        "destination": "/mnt", "source": "/nope", "options": ["bind"]}])],
    "mounts[0].type": [("mounts", [{"destination": "/mnt"}]), ("mounts", [{
        "destination": "/mnt", "source": "/", "type": "bind"}])],
    "mounts[0].options[0]": [("mounts", [{**MOUNT, "options": ["nosiud"]}])],
    "linux.namespaces[5]": [("linux.namespaces", [*NS, {"type": "pid"}]),
                            ("linux.namespaces", [*NS, {"type": "user"}])],
    "linux.namespaces[5].type": [
        ("linux.namespaces", [*NS, {"type": "foo"}])],
    "linux.namespaces[4].path": [
        ("linux.namespaces", [*NS[:4], {"type": "network", "path": "x"}]),
        ("linux.namespaces", [*NS[:4], {"type": "network", "path": "/x"}])],
    "hostname": [("linux.namespaces", [*NS[:2], *NS[3:]])],
    'linux.sysctl["vm.swappiness"]': [
        ("linux.sysctl", {"vm.swappiness": "1"})],
    "linux.rootfsPropagation": [("linux.rootfsPropagation", "salve")],
    "linux.devices[0].type": [("linux.devices", [
        {"path": "/dev/x", "type": "x", "major": 1, "minor": 3}])],
    "linux.resources.devices[0].type": [("linux.resources.devices", [
        {"allow": True, "type": "z", "access": "r"}])],
    "linux.seccomp.defaultAction": [
        ("linux.seccomp", {"defaultAction": "SCMP_ACT_DENY"})],
    "linux.seccomp.architectures[0]": [("linux.seccomp", {
        "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["X86"]})],
    "hooks.createRuntime[0].path": [
        ("hooks", {"createRuntime": [{"path": "/nope"}]})],
}
BROKEN_V1 = {
    "linux.resources.memory.swap": [("linux.resources.memory", {
        "limit": 64 << 20, "swap": 32 << 20})],
    "linux.resources.cpu.period": [("linux.resources.cpu", {
        "quota": 1000, "period": 10})],
    "linux.resources.cpu.cpus": [("linux.resources.cpu", {"cpus": "3-1"}),
                                 ("linux.resources.cpu", {"cpus": "0-999"})],
    "linux.resources.cpu.shares": [("linux.resources.cpu", {"shares": 1})],
}
if not world.V2:
    BROKEN.update(BROKEN_V1)


def change(config, path, value):
    *way, last = path.split(".")
    for key in way:
        config = config.setdefault(key, {})
    if value == DEL:
        del config[last]
    else:
        config[last] = value


@pytest.fixture(scope="module")
def stage():
    """A bundle that is good but for the config.json."""
    d = world.base / "stage"
    shutil.copytree(image.rootfs(), d / "rootfs", symlinks=True)
    yield d
    shutil.rmtree(d)


def runc_run(bundle):
    name = f"{world.RUN}-{world.fresh('r')}"
    root = world.base / "runc-root"
    try:
        return subprocess.run(
            ["runc", "--root", root, "run", "--bundle", bundle, name],
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=30 * poll.SLOW)
    finally:
        subprocess.run(["runc", "--root", root, "delete", "-f", name],
                       capture_output=True, timeout=30 * poll.SLOW)


def good():
    config = spec.base(["sh", "-c", ":"],
                       cgroup=f"/{world.RUN}/{world.fresh('r')}")
    return config


def test_what_is_sound_runs(stage):
    put(stage, good())
    assert check(stage)["findings"] == []
    p = runc_run(stage)
    assert p.returncode == 0, p.stderr


@pytest.mark.parametrize("path", BROKEN)
def test_runc_refuses_what_is_called_an_error(stage, path):
    for where, value in BROKEN[path]:
        config = good()
        change(config, where, copy.deepcopy(value))
        put(stage, config)
        assert path in errors(check(stage)), (where, value)
        p = runc_run(stage)
        assert p.returncode != 0, (where, value)


def test_all_that_is_wrong_is_told_at_once(tmp):
    config = good()
    for path in BROKEN:
        change(config, *BROKEN[path][0])
    put(tmp, config)
    assert len(errors(check(tmp))) > 15


# ---- check: how it is told

def test_text(bundle):
    text = json.dumps({**good(), "procces": 1}, indent=2).replace(
        '"cwd": "/"', '"cwd": "tmp"')
    (bundle / "config.json").write_text(text)
    line = 1 + next(i for i, l in enumerate(text.splitlines())
                    if '"cwd"' in l)
    column = text.splitlines()[line - 1].index('"tmp"') + 1
    p = subprocess.run([WISPCTL, "spec", "check", "config.json"], cwd=bundle,
                       capture_output=True, text=True)
    assert p.returncode == 1 and not p.stderr
    out = p.stdout.splitlines()
    assert out[0] == (f"config.json:{line}:{column}: error: process.cwd 'tmp' "
                      "must be an absolute path")
    assert out[1] == '    hint: write "/tmp"'
    assert out[2].endswith("warning: procces is not known: runtimes ignore it")
    assert out[3] == "    hint: did you mean 'process'?"
    assert out[4] == "config.json: 1 error, 1 warning"
    p = ctl("spec", "check", bundle, ok=(1,))
    assert p.stdout.startswith(f"{bundle}/config.json:{line}:")


@pytest.mark.parametrize("env, colours", [
    ({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False),
    ({"TERM": "dumb"}, False)])
def test_colours_on_a_terminal(tmp, env, colours):
    clean = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    c = pexpect.spawn(WISPCTL, ["spec", "check", str(write(tmp, "{}"))],
                      env={**clean, **env}, timeout=20 * poll.SLOW)
    out = c.read()
    c.close()
    assert c.exitstatus == 1 and b"is missing" in out
    assert (b"\x1b[1;31merror" in out) == (b"\x1b" in out) == colours


def test_warnings_are_no_failure(bundle):
    put(bundle, {**good(), "ociVersion": "1.1.0"})
    p = ctl("spec", "check", bundle)
    assert "0 errors, 1 warning" in p.stdout and "crun" in p.stdout


def test_nothing_wrong(bundle):
    put(bundle, good())
    assert ctl("spec", "check", bundle).stdout.endswith("nothing is wrong\n")


def test_syntax(tmp):
    p = ctl("spec", "check", write(tmp, '{\n  "a": [1,\n  2,,\n}'), ok=(1,))
    out = p.stdout.splitlines()
    assert ":3:5: error: this is not JSON" in out[0]
    assert out[1] == "      2,," and out[2].index("^") == 8


def test_stdin_and_elsewhere(tmp):
    config = good()
    config["root"]["path"] = "/nope"
    put(tmp, config)
    assert errors(check(tmp)) == ["root.path"]
    assert errors(check(tmp, "--elsewhere")) == []
    assert errors(check("-", input=json.dumps(config))) == []


def test_program_is_looked_for_as_the_container_would(bundle):
    config = good()

    def warned(name, **env):
        config["process"]["args"] = [name]
        put(bundle, config)
        return [f["message"] for f in check(bundle)["findings"]]
    assert warned("sh") == [] and warned("/bin/sh") == []
    assert "not in the rootfs" in warned("nosuch")[0]
    assert "not in the rootfs" in warned("/usr/bin/python3")[0]
    assert "cannot be executed" in warned("/etc/passwd")[0]
    assert "cannot be executed" in warned("/etc")[0]
    (bundle / "rootfs/bin/out").symlink_to("/usr/bin/env")
    assert "not in the rootfs" in warned("out")[0]   # not the host's
    (bundle / "rootfs/bin/in").symlink_to("/../../bin/sh")
    assert warned("in") == []
    assert warned("/tmp/x") == []      # a tmpfs is mounted there


HOSTILE = [
    ("empty", "", "premature EOF"),
    ("array", "[]", "a configuration is a JSON object"),
    ("bytes", b'{"a": "\xff"}', "UTF8"),
    ("deep", '{"process":' + "[" * 5000, "nested deeper"),
    ("values", "[" + "1," * 300000 + "1]", "more than 250000"),
    ("nul", b'{"a": 1}\x00', "not JSON"),
    ("escape", '{"\x1b[31mprocess": 1}', "not JSON"),
    ("escaped", '{"\\u001b[31mprocess": 1}', "?[31mprocess"),
    ("twice", '{"process": {}, "process": {}}', "a second time")]


@pytest.mark.parametrize("text, said", [h[1:] for h in HOSTILE],
                         ids=[h[0] for h in HOSTILE])
def test_hostile(tmp, text, said):
    p = ctl("spec", "check", write(tmp, text), ok=(1,), text=False)
    assert said.encode() in p.stdout and b"\x1b" not in p.stdout


def test_cannot_be_checked(tmp):
    big = tmp / "big.json"
    big.touch()
    os.truncate(big, (16 << 20) + 1)
    for what in (tmp / "nope", tmp, big, "/dev/zero"):
        assert ctl("spec", "check", what, ok=(125,)).stderr
    ctl("spec", "check", ok=(125,))
    ctl("spec", "check", "a", "b", ok=(125,))
    ctl("spec", "check", "-o", "xml", "a", ok=(125,))
    with open("/dev/full", "w") as full:
        p = subprocess.run([WISPCTL, "spec"], stdout=full,
                           stderr=subprocess.PIPE, text=True)
    assert p.returncode == 125 and "No space left" in p.stderr


def test_help():
    for args in (["spec", "--help"], ["spec", "check", "--help"]):
        out = ctl(*args).stdout
        assert "Examples:" in out and "Exit status" in out


# ---- Windows

def windows(*args):
    made = make("--os", "windows", *LAYERS, *args)
    got = check("-", input=json.dumps(made))
    assert got["errors"] == 0, got
    return made


def test_windows_least():
    assert windows("--", "cmd") == {
        "ociVersion": "1.0.2",
        "process": {"terminal": False, "commandLine": "cmd", "cwd": "C:\\"},
        "windows": {"layerFolders": ["C:\\l2", "C:\\l1", "C:\\s"],
                    "ignoreFlushesDuringBoot": True}}


def test_windows_all():
    assert windows(
        "-t", "--console-size", "30x100", "-e", "A=b c", "-u",
        "ContainerUser", "--hostname", "win", "-w", "D:\\app", "-m", "512m",
        "--cpus", "1.5", "--host-cpus", "4", "--iops", "100", "--bps", "1m",
        "--sandbox-size", "20g", "--credential-spec", 'raw://{"a": "b"}',
        "--device", f"class/{GUID}", "--device", "vpci-instance-id://PCI\\VEN",
        "--endpoint", GUID, "--dns-search", "a.com", "--dns-search", "b.com",
        "--unqualified-dns", "--network", "container:other", "--rootfs",
        VOLUME, "--annotation", "x=y", "--mount",
        "src=C:\\data,dst=D:\\data,ro", "--mount",
        "src=\\\\.\\pipe\\a,dst=\\\\.\\pipe\\b",
        "--", "C:\\Program Files\\x.exe", "a b", "", 'c"d\\', "e\\") == {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": True, "consoleSize": {"height": 30, "width": 100},
            "user": {"username": "ContainerUser"},
            "commandLine": '"C:\\Program Files\\x.exe" "a b" "" c\\"d\\ e\\',
            "env": ["A=b c"], "cwd": "D:\\app"},
        "root": {"path": VOLUME + "\\"},
        "hostname": "win",
        "mounts": [
            {"destination": "D:\\data", "source": "C:\\data",
             "options": ["ro"]},
            {"destination": "\\\\.\\pipe\\b", "source": "\\\\.\\pipe\\a"}],
        "annotations": {"x": "y"},
        "windows": {
            "layerFolders": ["C:\\l2", "C:\\l1", "C:\\s"],
            "devices": [{"id": GUID, "idType": "class"},
                        {"id": "PCI\\VEN", "idType": "vpci-instance-id"}],
            "resources": {"memory": {"limit": 512 << 20},
                          "cpu": {"maximum": 3750},
                          "storage": {"iops": 100, "bps": 1 << 20,
                                      "sandboxSize": 20 << 30}},
            "network": {"endpointList": [GUID],
                        "allowUnqualifiedDNSQuery": True,
                        "DNSSearchList": ["a.com", "b.com"],
                        "networkSharedContainerName": "other"},
            "credentialSpec": '{"a": "b"}',
            "ignoreFlushesDuringBoot": True}}


def test_windows_hyperv_and_host_process():
    made = windows("--isolation", "hyperv", "--utility-vm", "C:\\vm",
                   "--cpus", "1.5", "--host-cpus", "4", "--network-namespace",
                   GUID)
    assert made["windows"]["hyperv"] == {"utilityVMPath": "C:\\vm"}
    assert made["windows"]["resources"] == {"cpu": {"count": 2}}
    assert made["windows"]["network"] == {"networkNamespace": GUID}
    assert "root" not in made
    made = windows("--host-process", "--inherit-user", "-w",
                   "%CONTAINER_SANDBOX_MOUNT_POINT%\\x")
    assert made["annotations"] == {
        "microsoft.com/hostprocess-container": "true",
        "microsoft.com/hostprocess-inherit-user": "true"}


@pytest.mark.parametrize("args, want", [
    ("--cpus 2 --host-cpus 4", {"maximum": 5000}),
    ("--cpus 4 --host-cpus 4", {"maximum": 10000}),
    ("--cpus 0.0001 --host-cpus 64", {"maximum": 1}),
    ("--cpus 0.333 --host-cpus 1", {"maximum": 3330}),
    ("--cpus 0.1 --host-cpus 8 --isolation hyperv", {"count": 1}),
    ("--cpus 3 --host-cpus 8 --isolation hyperv", {"count": 3}),
    ("--cpu-count 2", {"count": 2}), ("--cpu-shares 500", {"shares": 500}),
    ("--cpu-maximum 10000", {"maximum": 10000}),
    ("--cpu-count 2 --cpu-shares 5 --cpu-maximum 6", {"count": 2}),
    ("--cpu-shares 5 --cpu-maximum 6", {"shares": 5}),
    ("--cpu-count 1 --cpu-maximum 6", {"count": 1})])
def test_windows_cpus(args, want):
    args = args.split()
    assert windows(*args)["windows"]["resources"] == {"cpu": want}
    said = ctl("spec", "--os", "windows", *LAYERS, *args).stderr
    assert ("dropped" in said) == (len(args) > 2 and "--cpus" not in args)


def test_windows_command_line():
    line = 'cmd /c "a b" & \\"x'
    assert windows("--command-line", line)["process"]["commandLine"] == line
    assert "exclude each other" in refused(
        "--os", "windows", *LAYERS, "--command-line", "a", "--", "b")


@pytest.mark.parametrize("args, said", [
    (["--cpus", "5", "--host-cpus", "4"], "more CPUs than the host's 4"),
    (["--cpus", "1", "--cpu-count", "1"], "--cpus excludes"),
    (["--cpu-shares", "10001"], "from 1 to 10000"),
    (["--cpu-maximum", "10001"], "from 1 to 10000"),
    (["--isolation", "x"], "process or hyperv"),
    (["--isolation", "hyperv", "--rootfs", VOLUME], "no root"),
    (["--isolation", "hyperv", "--host-process"], "cannot be isolated"),
    (["--rootfs", "C:\\x"], "use a volume"),
    (["--utility-vm", "C:\\x"], "Hyper-V"),
    (["--inherit-user"], "only a host process"),
    (["--read-only"], "--read-only is for --os linux"),
    (["--cwd", "app"], "absolute path"),
    (["--console-size", "1x1"], "with -t"),
    (["-t", "--console-size", "80"], "HEIGHTxWIDTH"),
    (["--device", "class/x"], "no GUID"), (["--device", "x"], "class/GUID"),
    (["--network", "host"], "container:NAME"),
    (["--network-namespace", "x", "--endpoint", "y"], "excludes all other"),
    (["--mount", "src=/a,dst=C:\\b"], "src=PATH is missing or not absolute"),
    (["--mount", "type=bind,src=C:\\a,dst=C:\\b"], "no types"),
    (["--", 'a"b'], "quote"),
    (["--credential-spec", "registry://x"], "the registry is on"),
    (["--credential-spec", "x"], "file://NAME or raw://JSON"),
    (["--credential-spec", "raw://x"], "not JSON"),
    (["--credential-spec", "raw://[1]"], "no JSON object"),
    (["--credential-spec", "file://x"], "needs --credential-spec-dir")])
def test_windows_refused(args, said):
    assert said in refused("--os", "windows", *LAYERS, *args)


def test_windows_lines_have_an_end():
    assert "Windows takes" in refused("--os", "windows", *LAYERS, "--", "x",
                                      "a" * 40000)


def test_windows_layers_are_needed():
    assert "--scratch is missing" in refused("--os", "windows", "--layer", "x")
    assert "--layer is missing" in refused("--os", "windows", "--scratch", "x")


def test_credential_specs_stay_in_their_folder(tmp):
    folder = tmp / "specs"
    (folder / "sub").mkdir(parents=True)
    (tmp / "specs-other").mkdir()
    secret = '{"secret": 1}'
    write(tmp, secret, "secret.json")
    write(tmp / "specs-other", secret, "s.json")
    write(folder, '{"a": 1}\n', "a.json")
    write(folder / "sub", '{"b": 1}', "b.json")
    write(folder, "no json", "bad.json")
    (folder / "in.json").symlink_to("sub/b.json")
    (folder / "out.json").symlink_to("../secret.json")
    (folder / "abs.json").symlink_to(tmp / "secret.json")
    (folder / "beside").symlink_to(tmp / "specs-other")

    def of(name):
        return ("--credential-spec", name, "--credential-spec-dir", folder)
    for name, want in (("a.json", '{"a": 1}\n'), ("in.json", '{"b": 1}'),
                       ("sub/b.json", '{"b": 1}'),
                       ("sub\\b.json", '{"b": 1}')):
        for scheme in ("file://", "FILE://"):
            made = windows(*of(scheme + name))
            assert made["windows"]["credentialSpec"] == want
    for name in ("../secret.json", "sub/../../secret.json", "..\\secret.json",
                 "sub\\..\\..\\secret.json", "out.json", "abs.json",
                 "beside/s.json", "../specs-other/s.json",
                 str(tmp / "secret.json"), "C:\\x", "\\x", "nope.json",
                 "bad.json", "sub", "."):
        said = refused("--os", "windows", *LAYERS, *of("file://" + name))
        assert "secret\"" not in said
