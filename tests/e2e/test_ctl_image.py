# SPDX-License-Identifier: Apache-2.0
"""wispctl run --image: OCI layouts and docker archives, whatever is in them."""
import json
import os
import re
import signal
import stat
import subprocess
import tarfile

import pexpect
import pytest

import docker
import image
import poll
import world
from daemon import NO_UNIFIED
from ociimage import (ARCH, TYPE, Image, Layer, digest, docker_files,
                      write_archive, write_folder)
from test_docker import _dockerd, d  # noqa: F401 (fixtures)
from test_rootless import User, user  # noqa: F401 (a fixture)
from test_wispctl import WISPCTL, argv, run

pytestmark = [
    pytest.mark.vm_adds_nothing,
    pytest.mark.skipif(world.is_go(), reason="shims are chosen here"),
    pytest.mark.skipif(not os.access(WISPCTL, os.X_OK),
                       reason=f"no {WISPCTL}")]

# cap_net_raw=ep: capabilities(7), linux/capability.h, version 2
CAPABILITY = b"\x01\0\0\x02\0\x20\0\0" + bytes(12)
LONG = "/".join(["long" * 50] * 6)           # 1205 bytes
CHR, BLK, FIFO = tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE


def img(path, *args, cmd=(), ok=(0,), **kw):
    return run("--image", path, *args, *(["--", *cmd] if cmd else []), ok=ok,
               **kw)


def sh(path, script, *args, **kw):
    return img(path, *args, cmd=("sh", "-c", script), **kw)


def refused(path, *says, args=(), clean=True):
    """It fails, says why, and leaves nothing, although nobody said --rm."""
    p = img(path, *args, cmd=("true",), ok=(125,), rm=False)
    for text in (*says, *([str(path)] if clean else [])):
        assert text in p.stderr, p.stderr
    assert p.stderr.count("\n") == 1, p.stderr
    left = [*(world.base / "wispctl" / "bundles").iterdir()]
    assert not left, left
    return p


@pytest.fixture
def kept():
    """Runs an image and gives the tree that it ran in; it goes in the end."""
    ids = []

    def run_it(path, script="true", *args, shim=None):
        a = argv("--image", path, *args, "--", "sh", "-c", script, rm=False,
                 shim=shim)
        ids.append(a[a.index("--name") + 1])
        p = subprocess.run(a, capture_output=True, text=True, timeout=60,
                           stdin=subprocess.DEVNULL, env=world.environ())
        assert p.returncode == 0, p.stderr
        return (world.base / "wispctl" / "bundles" / ids[-1] / "rootfs"
                / "rootfs"), p
    yield run_it
    for i in ids:
        world.sh("rm", "-rf", world.base / "wispctl" / "bundles" / i)


# ---- forms

@pytest.mark.parametrize("form", [
    "folder", "tar", "tar.gzip", "tar.zstd", "tar.xz", "tar.bzip2"])
def test_layout(tmp, form):
    path = Image().add(Layer().add("f", "it is me")).write(tmp / "i", form)
    assert sh(path, "cat /f").stdout == "it is me"


@pytest.mark.parametrize("pack", ["", "gzip", "zstd", "xz", "bzip2"])
def test_compressed_layers(tmp, pack):
    path = Image().add(Layer().add("f", "me"), pack=pack).write(tmp / "i")
    assert sh(path, "cat /f").stdout == "me"


@pytest.mark.parametrize("pack", ["", "gzip"])
def test_docker_archive(tmp, pack):
    files = docker_files(Layer().add("f", "me"))
    path = write_archive(tmp / "d.tar", files, pack)
    assert sh(path, "cat /f").stdout == "me"


def test_docker_archive_with_linked_layers(tmp):
    """dockers before 25 store a layer that is there twice as a link."""
    layer = Layer().add("f", "me").bytes()
    files = docker_files(layer, layer)
    files["2/layer.tar"] = (b"", "../1/layer.tar")
    path = write_archive(tmp / "d.tar", files)
    assert sh(path, "cat /f").stdout == "me"


def test_docker_folder_without_digests(tmp):
    path = write_folder(tmp / "d", docker_files(by_digest=False))
    assert sh(path, "echo x").stdout == "x\n"


def test_what_containerd_exports(daemon, tmp):
    path = tmp / "exported.tar"
    daemon.ctr("image", "export", path, image.NAME)
    assert sh(path, "echo $PATH").stdout == "/bin\n"
    for tag in ("latest", "busybox:latest", image.NAME):
        assert sh(path, "echo x", "--tag", tag).stdout == "x\n"
    refused(path, "no image 'other'", image.NAME, args=["--tag", "other"])


def test_what_docker_saves(d, tmp):  # noqa: F811
    """An archive that is both an OCI layout and docker's own."""
    path = tmp / "saved.tar"
    d.docker("save", "-o", path, docker.NAME)
    assert sh(path, "echo $PATH").stdout == "/bin\n"
    assert sh(path, "echo x", "--tag", docker.NAME).stdout == "x\n"
    with tarfile.open(path) as tar:
        files = {m.name: tar.extractfile(m).read() for m in tar if m.isreg()}
    assert "manifest.json" in files
    files.pop("index.json", None)
    alone = write_archive(tmp / "docker.tar", files)
    assert sh(alone, "echo $PATH").stdout == "/bin\n"


# ---- what is in layers

def odd():
    mtime = {"mtime": 1000000000.25}
    low = (Layer().dir("usr").dir("usr/lib").symlink("lib", "usr/lib")
           .symlink("abs", "/usr/lib").symlink("far", "../../../../usr/lib")
           .dir("hid").add("hid/a", "a").add("hid/b", "b").dir("hid/sub")
           .add("hid/sub/c", "c").dir("opq").add("opq/old", "x")
           .dir("opq/both").add("opq/both/old", "x").add("low", "low file")
           .dir("becomes-file").add("becomes-file/x", "x")
           .add("becomes-dir", "x").symlink("becomes-real", "usr/lib")
           .dir("kept-dir", mode=0o700).add("kept-dir/x", "x"))
    high = (Layer()
            .add("lib/through", "1").add("abs/through2", "2")
            .add("far/through3", "3").add("/absolute", "abs")
            .add("./dotted//name", "dots").add("no/such/parent", "p")
            .add("suid", "s", mode=0o6755, uid=7, gid=8)
            .add("owned", "o", mode=0o640, uid=1000, gid=2 ** 31 + 5, **mtime)
            .dir("sticky", mode=0o1777, uid=3, gid=4, **mtime)
            .add("sticky/in", "later than its folder's time")
            .add("cap", "c", mode=0o755, uid=5, pax={
                "SCHILY.xattr.security.capability": CAPABILITY.decode()})
            .add("attr", "a", pax={"SCHILY.xattr.user.note": "line\n=é"})
            .add("hid/.wh.a").add(".wh.low").add("hid/.wh.sub")
            .add("opq/new", "n").add("opq/both/new", "n")
            .add("opq/.wh..wh..opq").add(".wh.never-was")
            .add("nowhere/.wh.x").add(".wh..wh.plnk/1", "aufs")
            .add("becomes-file", "file").dir("becomes-dir")
            .add("becomes-dir/in", "x").dir("becomes-real")
            .dir("kept-dir", mode=0o750)
            .link("hard", "hid/b").link("hard2", "/hard")
            .symlink("dangling", "/no/where", uid=9)
            .link("hard-to-link", "dangling").link("hid/b", "hid/b")
            .add("null", type=CHR, mode=0o666, devmajor=1, devminor=3)
            .add("loop", type=BLK, mode=0o600, devmajor=7, devminor=0)
            .add("fifo", type=FIFO, mode=0o622)
            .add(LONG + "/end", "far down").add("twice", "1").add("twice", "2")
            .add("e\u0301\u00e9", "utf8").add(os.fsdecode(b"\xff\xfe"), "raw")
            .symlink("utf8-link", "e\u0301\u00e9"))
    return low, high


def test_every_entry(tmp, kept):
    path = Image().add(*odd()).write(tmp / "i.tar", "tar")
    root, p = kept(path)
    assert p.stderr == ""

    def text(name):
        return (root / name).read_text()

    def mode(name):
        st = os.lstat(root / name)
        return f"{stat.S_IMODE(st.st_mode):o} {st.st_uid}:{st.st_gid}"

    there = {os.path.relpath(os.path.join(d, n), root)
             for d, dirs, names in os.walk(root) for n in (*dirs, *names)}
    assert "123" == "".join(text(f"usr/lib/through{i}") for i in ("", 2, 3))
    assert os.readlink(root / "lib") == "usr/lib"
    assert (text("absolute"), text("dotted/name")) == ("abs", "dots")
    assert (text("no/such/parent"), mode("no/such")) == ("p", "755 0:0")
    assert mode("suid") == "6755 7:8"
    assert mode("owned") == f"640 1000:{2 ** 31 + 5}"
    assert mode("sticky") == "1777 3:4"
    for name in ("owned", "sticky"):
        assert os.lstat(root / name).st_mtime_ns == 1000000000250000000
    assert os.getxattr(root / "cap", "security.capability") == CAPABILITY
    assert os.getxattr(root / "attr", "user.note") == "line\n=é".encode()
    assert mode("cap") == "755 5:0"
    assert {n for n in there if n.startswith("hid")} == {"hid", "hid/b"}
    assert {n for n in there if n.startswith("opq")} == {
        "opq", "opq/new", "opq/both", "opq/both/new"}
    assert "low" not in there and not [n for n in there if ".wh." in n]
    assert "nowhere" not in there
    assert text("becomes-file") == "file" and text("becomes-dir/in") == "x"
    assert stat.S_ISDIR(os.lstat(root / "becomes-real").st_mode)
    assert mode("kept-dir") == "750 0:0" and text("kept-dir/x") == "x"
    inode = os.stat(root / "hid/b")
    assert inode.st_nlink == 3 and os.path.samestat(
        inode, os.stat(root / "hard2"))
    assert os.readlink(root / "hard-to-link") == "/no/where"
    assert os.lstat(root / "dangling").st_uid == 9
    for name, kind, dev in (("null", stat.S_ISCHR, (1, 3)),
                            ("loop", stat.S_ISBLK, (7, 0))):
        st = os.lstat(root / name)
        assert kind(st.st_mode)
        assert (os.major(st.st_rdev), os.minor(st.st_rdev)) == dev
    assert stat.S_ISFIFO(os.lstat(root / "fifo").st_mode)
    assert mode("fifo") == "622 0:0"
    assert text(LONG + "/end") == "far down" and text("twice") == "2"
    assert text("e\u0301\u00e9") == "utf8" == text("utf8-link")
    assert text(os.fsdecode(b"\xff\xfe")) == "raw"
    # setuid programs of an image are not for this host's users
    assert stat.S_IMODE(os.stat(root.parent).st_mode) == 0o700


@pytest.mark.parametrize("oci", ["runc", "crun"])
@pytest.mark.parametrize("shim", ["wisp", "go"])
def test_it_runs(tmp, shim, oci):
    path = Image().add(*odd(), config={
        "Env": ["PATH=/bin", "A=image"], "User": "user", "WorkingDir": "made",
        "Entrypoint": ["sh", "-c"]}).write(tmp / "i")
    script = ("id -u; pwd; echo $A $HOME; cat /lib/through /abs/through2; echo;"
              "stat -c '%a %u %g' /suid /sticky; ls /hid /opq; ls -l /null")
    args = argv("--image", path, "--runtime", oci, "--", script,
                shim=world.GO_SHIM if shim == "go" else None)
    if oci == "crun":              # see daemon.py
        args = ["unshare", "-m", "sh", "-c", NO_UNIFIED, "sh", *args]
    p = subprocess.run(args, capture_output=True, text=True, timeout=60,
                       stdin=subprocess.DEVNULL, env=world.environ())
    assert p.returncode == 0, p.stderr
    lines = p.stdout.splitlines()
    assert lines[:-1] == [
        "1000", "/made", "image /tmp", "12", "6755 7 8", "1777 3 4", "/hid:",
        "b", "", "/opq:", "both", "new"]
    assert re.match(r"crw-rw-rw- .* 1, +3 ", lines[-1])


def test_sparse(tmp, kept):
    """A hole of 1 GB, in the two ways that GNU tar writes it."""
    with open(tmp / "holes", "wb") as f:
        f.write(b"begin")
        f.seek(1 << 30)
        f.write(b"end")
    for form in ("gnu", "posix"):
        tar = subprocess.run(["tar", "-cSf", "-", f"--format={form}", "-C", tmp,
                              "holes"], capture_output=True, check=True).stdout
        path = Image().add(tar).write(tmp / form)
        root, _ = kept(path, "ls -l /holes", "--image-max-size", "16m")
        st = os.stat(root / "holes")
        assert st.st_size == (1 << 30) + 3 and st.st_blocks < 100
        with open(root / "holes", "rb") as f:
            assert f.read(7) == b"begin\0\0"
            f.seek(1 << 30)
            assert f.read() == b"end"


# ---- what must not be

VICTIM = "/tmp/{}-victim"


@pytest.mark.parametrize("what, says", [
    (lambda v: Layer().add("../" * 9 + v, "x"), "'..'"),
    (lambda v: Layer().add("/.." * 9 + v, "x"), "'..'"),
    (lambda v: Layer().add("a/../../" + v, "x"), "'..'"),
    (lambda v: Layer().dir("../" * 9 + v), "'..'"),
    (lambda v: Layer().link("l", "../" * 9 + v), "'..'"),
    (lambda v: Layer().link("l", v), "hard link"),
    (lambda v: Layer().symlink("s", os.path.dirname(v)).link(
        "l", "s/" + os.path.basename(v)), "hard link"),
    (lambda v: Layer().add(".wh.."), "whiteout"),
    (lambda v: Layer().add("etc/.wh..."), "whiteout"),
    (lambda v: Layer().add(".wh."), "whiteout"),
    (lambda v: Layer().add(".wh.a/b", "x"), "whiteout"),
    (lambda v: Layer().add(".wh.a/../" * 3 + v, "x"), "'..'"),
    (lambda v: Layer().symlink(".", "/tmp"), "the root must be a folder"),
    (lambda v: Layer().symlink("/", "/tmp"), "the root must be a folder"),
    (lambda v: Layer().symlink("a", "b").symlink("b", "a").add("a/x", "x"),
     "a loop"),
    (lambda v: Layer().add("etc/passwd/x", "x"), "not a folder"),
    (lambda v: Layer().add("n" * 256, "x"), "longer than 255"),
    (lambda v: Layer().add("a/" * 300 + "x", "x"), "deeper than 256"),
    (lambda v: Layer().dir("d" * 200 + ("/" + "d" * 200) * 8).symlink(
        "s", "/" + ("/" + "d" * 200) * 9).add("s/" + "e/" * 200 + "x", "x"),
     "too long"),
    (lambda v: Layer().link("l", "etc"), "hard link"),
])
def test_refused(tmp, what, says):
    victim = VICTIM.format(world.RUN)
    with open(victim, "w") as f:
        f.write("as it was")
    try:
        path = Image().add(what(victim)).write(tmp / "i")
        refused(path, says, "layer 2 of 2")
        assert os.stat(victim).st_nlink == 1
        with open(victim) as f:
            assert f.read() == "as it was"
    finally:
        os.unlink(victim)


def test_names_do_nothing_to_a_terminal(tmp):
    path = Image().add(Layer().add("a\x1b[2J\n\x7f\u009b/../é", "x")).write(
        tmp / "i")
    p = refused(path, "'a?[2J ???/../é'")
    assert p.stderr.isprintable() or p.stderr[:-1].isprintable()


@pytest.mark.parametrize("link", ["{}", "../../../../../../../../..{}"])
def test_links_lead_to_the_image(tmp, kept, link):
    """What is written, whited out or made opaque through a link is where the
    link leads in the image."""
    victim = tmp / "outside"
    victim.mkdir()
    (victim / "old").write_text("old")
    to = link.format(victim)
    path = Image().add(
        Layer().symlink("out", to).symlink("etc/out", to),
        Layer().add("out/new", "in").add("out/.wh.old")
        .add("etc/out/.wh..wh..opq").add("etc/out/deep/new", "in")
        .link("out/hard", "etc/passwd")).write(tmp / "i")
    root, _ = kept(path)
    assert [f.name for f in victim.iterdir()] == ["old"]
    inside = root / str(victim)[1:]
    assert sorted(os.listdir(inside)) == ["deep", "hard", "new"]


def test_passwd_is_the_images_own(tmp):
    """Its links are followed in the image; a device or FIFO is not read."""
    path = Image().add(
        Layer().symlink("etc/passwd", "/conf/../etc/p").dir("conf")
        .add("etc/p", "me:x:55:66::/h:/bin/sh\n")
        .add("etc/group", "g:x:77:\nmine:x:78:you,me\n"),
        config={"User": "me"}).write(tmp / "i")
    assert sh(path, "id -u; id -G; echo $HOME").stdout == "55\n66 78\n/h\n"
    for user, says in (("me:g", "55\n77\n"), ("me:9", "55\n9\n"),
                       ("99", "99\n0\n"), ("99:g", "99\n77\n")):
        path = Image().add(
            Layer().add("etc/passwd", "me:x:55:66::/h:/bin/sh\n")
            .add("etc/group", "g:x:77:\n"),
            config={"User": user}).write(tmp / user.replace(":", "-"))
        assert sh(path, "id -u; id -G").stdout == says
    refused(Image().add(config={"User": "no-one"}).write(tmp / "n"),
            "no user 'no-one'")
    for bad in (Layer().add("etc/passwd", type=FIFO),
                Layer().add("etc/passwd", type=CHR, devmajor=1, devminor=5),
                Layer().dir("etc/passwd")):
        bad = Image().add(bad, config={"User": "me"}).write(
            tmp / world.fresh("bad"))
        refused(bad, "'etc/passwd' is not a file")


# ---- damage

def spoil_config(conf, manifest):
    conf["rootfs"]["diff_ids"][1] = digest(b"something else")


def drop_layer(conf, manifest):
    del manifest["layers"][1]


def wrong_size(conf, manifest):
    manifest["layers"][1]["size"] += 1


def encrypted(conf, manifest):
    manifest["layers"][1]["mediaType"] += "+encrypted"


def sha512(conf, manifest):
    manifest["layers"][1]["digest"] = "sha512:" + "0" * 128


def climbing(conf, manifest):
    manifest["layers"][1]["digest"] = "sha256:../../../" + "0" * 55


def both(conf, manifest):
    manifest["manifests"] = []


@pytest.mark.parametrize("bad, says", [
    (spoil_config, "what it unpacks to is damaged"), (drop_layer, "1 and"),
    (wrong_size, "should have"), (encrypted, "cannot be unpacked"),
    (sha512, "no digest"), (climbing, "no digest"),
    (both, "index that is a manifest")])
def test_bad_manifest(tmp, bad, says):
    path = Image().add(Layer().add("f", "x"), bad=bad).write(tmp / "i")
    refused(path, *([says] if bad is not drop_layer
                    else ["1 layers and the configuration 2"]))


@pytest.mark.parametrize("which", ["layer", "config", "manifest"])
@pytest.mark.parametrize("how", ["byte", "cut", "gone"])
@pytest.mark.parametrize("form", ["folder", "tar"])
def test_damaged(tmp, which, how, form):
    i = Image().add(Layer().add("f", "x" * 10000), pack="")
    manifest = json.loads(i.blobs[i.manifests[0]["digest"]])
    d = {"layer": manifest["layers"][1], "config": manifest["config"],
         "manifest": i.manifests[0]}[which]["digest"]
    data = bytearray(i.blobs[d])
    data[len(data) // 2] ^= 1
    if how == "gone":
        del i.blobs[d]
    else:
        i.blobs[d] = bytes(data if how == "byte" else data[:-512])
    path = i.write(tmp / "i", form)
    refused(path, d[7:] if how == "gone" else "damaged")


def test_trailing_bytes_count(tmp):
    """What comes after the end of the archive is part of the digests."""
    layer = Layer().add("f", "x").bytes() + b"and more"
    i = Image().add(layer, pack="")
    assert sh(i.write(tmp / "ok"), "cat /f").stdout == "x"
    i.blobs[digest(layer)] = layer[:-1] + b"E"
    refused(i.write(tmp / "bad"), "damaged")


@pytest.mark.parametrize("data, says", [
    (b"", "empty or damaged"), (b"hello, this is no archive\n" * 99, "no tar"),
    (b"\x1f\x8b\x08\x00garbage", "damaged")])
def test_no_image(tmp, data, says):
    (tmp / "f").write_bytes(data)
    refused(tmp / "f", says)


def test_neither(tmp):
    refused(tmp, "neither an OCI image layout")
    refused(tmp / "none", "No such file")
    refused("/dev/null", "neither a file nor a folder")
    path = write_folder(tmp / "j", {"index.json": b'{"manifests": [}'})
    refused(path, "line 1")
    deep = b'{"a":' + b"[" * 5000000
    refused(write_folder(tmp / "deep", {"index.json": deep}), "nested")
    big = b'{"a": "' + b"x" * (9 << 20) + b'"}'
    refused(write_folder(tmp / "big", {"index.json": big}), "more than")


def test_limits(tmp):
    bomb = Layer().add("zeros", bytes(64 << 20)).bytes()
    path = Image().add(bomb).write(tmp / "i")
    refused(path, "more than 33554432 bytes", "--image-max-size",
            args=["--image-max-size", "32m"])
    many = Layer()
    for n in range(300):
        many.add(f"f{n}")
    path = Image().add(many).write(tmp / "j")
    refused(path, "more than 500 entries", args=["--image-max-files", "500"])
    path = Image().add().write(tmp / "k.tar", "tar.gzip")
    refused(path, "more than 1048576 bytes", args=["--image-max-size", "1m"])


# ---- configuration

CONFIG = {"Entrypoint": ["echo", "entry"], "Cmd": ["cmd"]}


def test_command(tmp):
    path = Image().add(config=CONFIG).write(tmp / "i")
    assert img(path).stdout == "entry cmd\n"
    assert img(path, cmd=("mine",)).stdout == "entry mine\n"
    assert img(path, "--entrypoint", "id").stdout.startswith("uid=0")
    p = img(path, "--entrypoint", "echo", cmd=("mine",))
    assert p.stdout == "mine\n"
    p = img(path, "--entrypoint", "", cmd=("echo", "bare"))
    assert p.stdout == "bare\n"
    p = img(Image().add().write(tmp / "j"), ok=(125,))
    assert "names no command" in p.stderr
    img(path, "--entrypoint", "/no/such", ok=(127,))


def test_environment_and_folder(tmp):
    path = Image().add(config={
        "Env": ["PATH=/sbin:/bin", "A=1", "B=2", "odd", "HOME=/h"],
        "WorkingDir": "/tmp", "StopSignal": "SIGUSR1"}).write(tmp / "i")
    p = sh(path, "echo $A $B $C $HOME $PATH; pwd", "-e", "A=9", "-e", "C=3")
    assert p.stdout == "9 2 3 /h /sbin:/bin\n/tmp\n"
    assert sh(path, "pwd", "-w", "/etc").stdout == "/etc\n"


@pytest.mark.parametrize("given, status", [((), 11), (("-s", "TERM"), 12)])
def test_stop_signal(tmp, given, status):
    """What `wispctl kill` sends if nobody says which."""
    path = Image().add(config={"StopSignal": "SIGUSR1"}).write(tmp / "i")
    a = argv("--image", path, "--", "sh", "-c",
             "trap 'exit 11' USR1; trap 'exit 12' TERM; echo up;"
             "while :; do sleep 0.05; done")
    with subprocess.Popen(a, stdout=subprocess.PIPE, env=world.environ()) as p:
        assert p.stdout.readline() == b"up\n"
        world.sh(WISPCTL, "kill", "--root", a[a.index("--root") + 1], *given,
                 a[a.index("--name") + 1])
        assert p.wait(30 * poll.SLOW) == status


def test_create_start_delete(tmp):
    """Until it is deleted, a container that nobody waits for has its tree."""
    path = Image().add(config=CONFIG).write(tmp / "i")
    root, id = world.base / "wispctl", f"{world.RUN}-{world.fresh('w')}"

    def wispctl(verb, *args):
        return world.sh(WISPCTL, verb, "--root", root, *args,
                        env=world.environ()).stdout
    wispctl("create", "--shim", world.SHIM, "--name", id, "--image", path)
    wispctl("start", id)
    wispctl("wait", id)
    assert wispctl("logs", id) == b"entry cmd\n"
    tree = root / "bundles" / id / "rootfs" / "rootfs"
    assert (tree / "bin" / "busybox").exists()
    wispctl("delete", id)
    assert not (root / "bundles" / id).exists()


# ---- which one

def test_platform(tmp):
    i = Image()
    descs = [i.make(Layer().add("f", a), arch=a)
             for a in ("s390x", ARCH, "riscv64")]
    unknown = i.make(base=False, arch="unknown", os="unknown")
    i.manifests = [i.index(unknown, *descs)]
    path = i.write(tmp / "i")
    assert sh(path, "cat /f").stdout == ARCH
    p = sh(path, "cat /f", "--platform", "linux/s390x")
    assert p.stdout == "s390x"     # busybox is this host's all the same
    refused(path, "no image for linux/mips", "'linux/s390x', 'linux/",
            args=["--platform", "linux/mips"])
    refused(path, "use OS/ARCH", args=["--platform", "mips"], clean=False)
    alone = Image().add(arch="s390x", platform=False).write(tmp / "j")
    refused(alone, "for linux/s390x, not for linux/" + ARCH, "--platform")
    assert sh(alone, "echo x", "--platform", "linux/s390x").stdout == "x\n"


def test_tag(tmp):
    i = Image()
    for n in ("one", "two"):
        i.add(Layer().add("f", n), name="example.org/a/b:" + n)
    path = i.write(tmp / "i")
    refused(path, "more than one", "example.org/a/b:one", "--tag")
    for tag in ("two", "b:two", "example.org/a/b:two"):
        assert sh(path, "cat /f", "--tag", tag).stdout == "two"
    refused(path, "no image 'wo'", args=["--tag", "wo"])
    path = write_archive(tmp / "d.tar", docker_files(tags=["a:1", "a:2"]))
    assert sh(path, "echo x").stdout == "x\n"
    assert sh(path, "echo x", "--tag", "a:2").stdout == "x\n"
    refused(path, "'a:1', 'a:2'", args=["--tag", "3"])


def test_index_in_a_circle(tmp):
    i = Image()
    desc = i.make()
    for _ in range(9):
        desc = i.index(desc)
    i.manifests = [desc]
    refused(i.write(tmp / "i"), "lead nowhere")


@pytest.mark.parametrize("args", [
    ["--image", "x", "--rootfs", "/"], ["--image", "x", "--bundle", "/"],
    ["--tag", "x"], ["--entrypoint", "x"], ["--platform", "linux/amd64"],
    ["--image", "x", "--image-max-size", "0"],
    ["--image", "x", "--image-max-files", "-1"]])
def test_usage(args):
    p = run(*args, "--", "true", ok=(125,))
    assert "--" in p.stderr and p.stderr.count("\n") == 1


# ---- people

@pytest.mark.parametrize("place, uid", [("ids", 1000), ("namespace", 0)])
def test_root_of_a_namespace(user, place, uid):  # noqa: F811
    """Who has a range of ids has the image's owners and its User, too."""
    path = Image().add(
        Layer().add("f", "x", uid=7, gid=8, mode=0o4755),
        config={"User": "user", "Cmd": [
            "sh", "-c", "id -u; stat -c '%a %u %g' /f"]}).write(
        user.home / "i.tar", "tar")
    path.chmod(0o644)
    p = user.run(place, *user.wispctl("--image", path))
    path.unlink()
    assert p.returncode == 0, p.stderr
    assert p.stdout == (f"{uid}\n4755 7 8\n" if uid else "0\n4755 0 0\n")
    assert ("wants to run as" in p.stderr) == (uid == 0)
    assert ("owners cannot be set" in p.stderr) == (uid == 0)


def test_ordinary_user(tmp, user):  # noqa: F811
    path = Image().add(
        *odd(), Layer().dir("locked", mode=0o555).add("locked/f", "x"),
        config={"User": "user"}).write(user.home / "i.tar", "tar.gzip")
    path.chmod(0o644)
    p = user.run("user", *user.wispctl(
        "--image", path, "--", "sh", "-c",
        "id -u; stat -c '%a %u' /suid; cat /locked/f; [ -e /null ] || echo -"))
    path.unlink()
    assert p.returncode == 0, p.stderr
    assert p.stdout == "0\n6755 0\nx-\n"
    said = p.stderr.splitlines()
    assert len(said) == 4, p.stderr
    for text in ("owners cannot be set", "devices cannot be made",
                 "wants to run as 'user'", "extended attributes"):
        assert [x for x in said if text in x], p.stderr


@pytest.mark.parametrize("how", ["^C", "kill"])
def test_interrupted(tmp, how):
    """While a layer is unpacked: the progress line goes, and all files."""
    zeros = Layer()
    for n in range(12):
        zeros.add(f"zeros{n}", bytes(32 << 20))
    path = Image().add(zeros).write(tmp / "i")
    bundles = world.base / "wispctl" / "bundles"
    a = argv("--image", path, "--", "true", rm=False)
    t = pexpect.spawn(a[0], a[1:], timeout=60 * poll.SLOW, encoding="utf-8",
                      env=world.environ())
    t.expect(r"image: layer 2 of 2, [0-9.]+ of [0-9.]+ MB")
    assert [*bundles.glob("*/rootfs/rootfs/bin")]
    if how == "^C":
        t.sendcontrol("c")
        t.expect(r"stopped by signal 2")
    else:
        t.kill(signal.SIGKILL)
    t.expect(pexpect.EOF)
    t.close()
    if how == "^C":
        assert t.exitstatus == 128 + signal.SIGINT
    poll.until(lambda: not [*bundles.iterdir()], "the guard removes the tree")
