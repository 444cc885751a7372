# SPDX-License-Identifier: Apache-2.0
"""The rootfs that a snapshotter asks for."""
import os
import shutil

import pytest

import image
import poll
import proc
import rawshim
import ttrpc
import world

Mount = rawshim.Mount


@pytest.fixture(autouse=True, scope="module")
def modules():
    """Where udev does not run, nobody has made their devices."""
    if shutil.which("modprobe"):
        world.sh("modprobe", "-aq", "loop", "fuse", check=False)


def mounted(s):
    """What is mounted on the rootfs and below it."""
    return mounted_on(str(s.bundles["c1"] / "rootfs"))


def mounted_on(top):
    with open("/proc/self/mountinfo") as f:
        return [line.split()[4][len(top):] for line in f
                if line.split()[4].startswith(top)]


def no_loops(*files, seconds=5):
    """The loop devices of these files are gone."""
    return poll.settles(lambda: not any(
        str(f) in world.sh("losetup", "-a", text=True).stdout
        for f in files), seconds)


@pytest.mark.parametrize("layers", [2, 60, 200])
def test_overlay(raw, tmp, layers):
    """200 layers need more than a page, whatever they are called from."""
    lower = []
    for n in range(layers):
        d = tmp / "snapshots" / f"{n:04}" / "a-folder-for-the-layer"
        d.mkdir(parents=True)
        (d / f"f{n}").write_text("x")
        lower.append(str(d))
    (tmp / "u").mkdir()
    (tmp / "w").mkdir()
    world.sh("cp", "-a", f"{image.rootfs()}/.", lower[-1])
    s = raw().start("c1", ["sh", "-c", "ls /f* | wc -l >/n; sync; exit 3"])
    s.run(rootfs=[Mount(type="overlay", source="overlay", options=[
        "index=off", f"workdir={tmp}/w", f"upperdir={tmp}/u",
        "lowerdir=" + ":".join(lower)])])
    assert s.wait() == 3
    assert (tmp / "u/n").read_text().strip() == str(layers)
    s.task.Delete(id="c1")
    assert mounted(s) == []


def test_targets(raw):
    """A mount inside an earlier one; all undone."""
    s = raw().start("c1", ["sh", "-c", "test -e /mnt/bin/sh && exit 4"])
    s.create(rootfs=[
        Mount(type="tmpfs", source="t", options=["mode=755"]),
        Mount(type="bind", source=str(image.rootfs()), options=["rbind"]),
        Mount(type="bind", source=str(image.rootfs()), target="/tmp",
              options=["rbind", "ro"])])
    assert mounted(s) == ["", "", "/tmp"]
    assert s.end() == 137
    assert mounted(s) == []


MAPS = ["uidmap=0:100000:65536", "gidmap=0:200000:65536"]


def test_idmapped_overlay(raw, tmp):
    """The image's files are root's in the container, and nobody has changed
    their owner."""
    for d in ("s/1", "s/2", "u", "w"):
        (tmp / d).mkdir(parents=True)
    (tmp / "s/2/extra").write_text("x")
    world.sh("cp", "-a", f"{image.rootfs()}/.", tmp / "s/1")
    os.chown(tmp / "u", 100000, 200000)
    s = raw().start("c1", [
        "sh", "-c", "set -e; [ $(stat -c %u:%g /bin) = 0:0 ]; "
        "[ $(stat -c %u:%g /extra) = 0:0 ]; echo x >/new; "
        "chown 5:6 /extra; exit 3"], userns=(100000, 200000))
    s.run(rootfs=[Mount(type="overlay", source="overlay", options=[
        f"workdir={tmp}/w", f"upperdir={tmp}/u",
        f"lowerdir={tmp}/s/2:{tmp}/s/1", *MAPS])])
    assert not (s.bundles["c1"] / "mounts").exists()
    assert s.wait() == 3
    st = (tmp / "u/new").stat()
    assert (st.st_uid, st.st_gid) == (100000, 200000)
    st = (tmp / "u/extra").stat()
    assert (st.st_uid, st.st_gid) == (100005, 200006)
    s.task.Delete(id="c1")
    assert mounted(s) == []


def test_erofs_layers(raw, tmp):
    """What containerd's erofs snapshotter sends, and its mount manager
    resolves from 2.2 on: layers on loop devices, folders for the overlay."""
    world.sh("mkfs.erofs", tmp / "base", image.rootfs())
    (tmp / "d").mkdir()
    (tmp / "d/extra").write_text("x")
    world.sh("mkfs.erofs", tmp / "top", tmp / "d")
    top = tmp / "top"
    (tmp / "rw").mkdir()
    s = raw().start("c1", ["sh", "-c", "test -e /extra && echo x >/new; "
                           "exit 3"])
    s.run(rootfs=[
        Mount(type="bind", source=str(tmp / "rw"), options=["rw", "rbind"]),
        Mount(type="erofs", source=str(top), options=["ro", "loop"]),
        Mount(type="erofs", source=str(tmp / "base"), options=["ro", "loop"]),
        Mount(type="format/mkdir/overlay", source="overlay", options=[
            "X-containerd.mkdir.path={{ mount 0 }}/upper:0755",
            "X-containerd.mkdir.path={{ mount 0 }}/work:0755",
            "workdir={{ mount 0 }}/work", "upperdir={{ mount 0 }}/upper",
            "lowerdir={{ overlay 1 2 }}"])])
    assert mounted_on(str(s.bundles["c1"] / "mounts")) == ["/0", "/1", "/2"]
    assert s.wait() == 3
    assert (tmp / "rw/upper/new").exists()
    s.task.Delete(id="c1")
    assert mounted(s) == []
    assert not (s.bundles["c1"] / "mounts").exists()
    assert no_loops(top, tmp / "base")


def test_fuse(raw, tmp):
    """A program that serves the rootfs, and is gone with it."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as e:
        pytest.skip(f"no FUSE here: {e}")
    for d in ("l", "u", "w"):
        (tmp / d).mkdir()
    world.sh("cp", "-a", f"{image.rootfs()}/.", tmp / "l")
    s = raw().start("c1", ["sh", "-c", "echo x >/new; exit 3"])
    s.run(rootfs=[Mount(type="fuse3.fuse-overlayfs", source="overlay",
                        options=[f"lowerdir={tmp}/l", f"upperdir={tmp}/u",
                                 f"workdir={tmp}/w"])])
    assert mounted(s) == [""]
    assert [p for p in proc.ours() if "fuse-overlayfs" in p.cmd]
    assert s.wait() == 3
    assert (tmp / "u/new").read_text() == "x\n"
    s.task.Delete(id="c1")
    assert mounted(s) == []
    assert poll.settles(lambda: not [
        p for p in proc.ours() if "fuse-overlayfs" in p.cmd], 5)


HELPER = """#!/bin/sh
case $2 in
*/rootfs) ;;
*) echo "no target: $2" >&2; exit 9 ;;
esac
%s
"""


@pytest.mark.parametrize("script, what", [
    ("echo broken >&2; exit 3", "status 3: broken"),
    ("sleep 1000 & kill -9 $$", "status 137"),
    ("[ \"$*\" = \"s $2 -o a=b -o ro -t x.y\" ] && exit 4; exit 5",
     "status 4"),
    (None, "cannot run")])
def test_fuse_fails(raw, tmp, script, what):
    """What it said; and a child that it left is not waited for."""
    (tmp / "bin").mkdir()
    if script:
        (tmp / "bin/mount.fuse").write_text(HELPER % script)
        (tmp / "bin/mount.fuse").chmod(0o755)
    for name in ("sh", "sleep", "runc"):
        (tmp / "bin" / name).symlink_to(shutil.which(name))
    s = raw(env={"PATH": str(tmp / "bin")}).start("c1", ["true"])
    with pytest.raises(ttrpc.TtrpcError, match=what):
        s.create(rootfs=[Mount(type="fuse.x.y", source="s",
                               options=["a=b", "ro"])])
    if "sleep" in (script or ""):
        left = poll.until(lambda: [p.pid for p in proc.ours()
                                   if p.cmd == "sleep 1000"], "its child", 5)
        proc.kill(*left)


def test_shim_dies_with_mounts_aside(raw, tmp):
    """`delete` undoes what a shim that was killed has mounted."""
    s = raw().start("c1")
    s.run(rootfs=[
        Mount(type="bind", source=str(image.rootfs()), options=["ro", "bind"]),
        Mount(type="format/bind", source="{{ mount 0 }}",
              options=["ro", "rbind"])])
    assert mounted_on(str(s.bundles["c1"] / "mounts")) == ["/0"]
    proc.kill(s.pid)
    assert s.delete("c1").returncode == 0
    assert mounted(s) == []
    assert not (s.bundles["c1"] / "mounts").exists()


@pytest.mark.parametrize("kw, what", [
    (dict(type="mkfs/ext4", source="o"), "mkfs/"),
    (dict(type="format/bind", source="{{ mount 1 }}"), "{{ mount 1 }}"),
    (dict(type="mkdir/bind", source="/",
          options=["X-containerd.mkdir.path=x"]), "X-containerd.mkdir"),
    (dict(type="bind", source="/", options=["X-containerd.mkdir.path=/x"]),
     "X-containerd.mkdir"),
    (dict(type="bind", source="/", options=["bind", "uidmap=0:1:2"]),
     "without gidmap"),
    (dict(type="proc", source="proc",
          options=["uidmap=0:1:2", "gidmap=0:1:2"]), "takes no map"),
    (dict(type="tmpfs", source="t", target="../../x"), "x")])
def test_refused(raw, kw, what):
    """The first mount is undone again."""
    s = raw().start("c1", ["true"])
    first = Mount(type="tmpfs", source="t", options=["mode=755"])
    with pytest.raises(ttrpc.TtrpcError, match=what):
        s.create(rootfs=[first, Mount(**kw)])
    assert poll.settles(lambda: mounted(s) == [], 2)
    assert not (s.bundles["c1"] / "mounts").exists()


@pytest.mark.go_fails("says another code")
def test_a_source_that_is_not_there(raw):
    """NotFound would be the container."""
    s = raw().start("c1", ["true"])
    for kw in (dict(type="bind", source="/none", options=["rbind"]),
               dict(type="ext4", source="/none.img", options=["loop"])):
        with pytest.raises(ttrpc.TtrpcError, match="/none") as e:
            s.create(rootfs=[Mount(**kw)])
        assert e.value.code == ttrpc.INVALID_ARGUMENT


def test_ext4_image(raw, tmp):
    """On a loop device that is gone with the container."""
    img = tmp / "image"
    world.sh("truncate", "-s", "24M", img)
    world.sh("/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-d",
             image.rootfs(), img)
    s = raw().start("c1", ["sh", "-c", "echo x >/new; exit 5"])
    s.run(rootfs=[Mount(type="ext4", source=str(img), options=["loop"])])
    assert s.wait() == 5
    s.task.Delete(id="c1")
    assert no_loops(img)


def test_xfs_image(raw, tmp):
    img = tmp / "image"
    world.sh("truncate", "-s", "320M", img)
    world.sh("mkfs.xfs", "-q", img)
    (tmp / "m").mkdir()
    world.sh("mount", "-o", "loop", img, tmp / "m")
    world.sh("cp", "-a", f"{image.rootfs()}/.", tmp / "m")
    world.sh("umount", tmp / "m")
    s = raw().start("c1", ["sh", "-c", "echo x >/new; exit 5"])
    s.run(rootfs=[Mount(type="xfs", source=str(img), options=["loop"])])
    assert s.wait() == 5
    s.task.Delete(id="c1")
    assert no_loops(img)


def test_erofs_with_devices(raw, tmp):
    """An image whose data is in another file: both are loop devices."""
    world.sh("truncate", "-s", "16M", tmp / "data")
    world.sh("mkfs.erofs", "--chunksize=4096", f"--blobdev={tmp}/data",
             tmp / "meta", image.rootfs())
    s = raw().start("c1", ["sh", "-c", "exit 6"])
    s.run(rootfs=[Mount(type="erofs", source=str(tmp / "meta"), options=[
        "ro", "loop", f"device={tmp}/data"])])
    assert s.wait() == 6
    assert not no_loops(tmp / "data", seconds=0)
    s.task.Delete(id="c1")
    assert no_loops(tmp / "meta", tmp / "data")
