# SPDX-License-Identifier: Apache-2.0
"""The rootfs that a snapshotter asks for."""
import pytest

import image
import poll
import rawshim
import ttrpc
import world

Mount = rawshim.Mount


def mounted(s):
    """What is mounted on the rootfs and below it."""
    top = str(s.bundles["c1"] / "rootfs")
    with open("/proc/self/mountinfo") as f:
        return [line.split()[4][len(top):] for line in f
                if line.split()[4].startswith(top)]


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


@pytest.mark.parametrize("kw, what", [
    (dict(type="format/overlay", source="o"), "format/"),
    (dict(type="mkdir/bind", source="/"), "mkdir/"),
    (dict(type="bind", source="/", options=["X-containerd.mkdir.path=/x"]),
     "X-containerd.mkdir"),
    (dict(type="bind", source="/", options=["bind", "uidmap=0:1:2"]),
     "idmapped"),
    (dict(type="tmpfs", source="t", target="../../x"), "x")])
def test_refused(raw, kw, what):
    """The first mount is undone again."""
    s = raw().start("c1", ["true"])
    first = Mount(type="tmpfs", source="t", options=["mode=755"])
    with pytest.raises(ttrpc.TtrpcError, match=what):
        s.create(rootfs=[first, Mount(**kw)])
    assert poll.settles(lambda: mounted(s) == [], 2)


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
    assert poll.settles(lambda: str(img) not in world.sh(
        "losetup", "-a", text=True).stdout, 5)
