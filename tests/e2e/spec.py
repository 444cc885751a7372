# SPDX-License-Identifier: Apache-2.0
"""OCI config.json for containers made without ctr."""

CAPS = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL",
        "CAP_MKNOD", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_CHROOT"]


def process(args, terminal=False, env=(), cwd="/", uid=0):
    """A process, of config.json or for Exec."""
    return {"terminal": terminal, "args": list(args), "cwd": cwd,
            "user": {"uid": uid, "gid": uid},
            "env": ["PATH=/bin", *(["TERM=xterm"] if terminal else []),
                    *env],
            "noNewPrivileges": True,
            "capabilities": {k: CAPS for k in (
                "bounding", "effective", "permitted")}}


def base(args, rootfs="rootfs", cgroup=None, without=(), terminal=False,
         annotations=None, memory=None, userns=None, **kw):
    """A small container; `without` names namespaces to leave out; `userns`:
    the uid and gid outside of root in a user namespace of its own."""
    linux = {"namespaces": [{"type": t} for t in (
                 "pid", "ipc", "uts", "mount", "network")
                 if t not in without],
             "resources": {"devices": [{"allow": True, "access": "rwm"}]}}
    if userns:
        linux["namespaces"].append({"type": "user"})
        for key, id in zip(("uidMappings", "gidMappings"), userns):
            linux[key] = [{"containerID": 0, "hostID": id, "size": 65536}]
    if memory:
        linux["resources"]["memory"] = {"limit": memory}
    if cgroup:
        linux["cgroupsPath"] = cgroup
    mounts = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666",
                     "mode=0620"]},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
         "options": ["mode=1777", "size=65536k"]}]
    return {"ociVersion": "1.0.2", "hostname": "wisp",
            "process": process(args, terminal, **kw),
            "root": {"path": rootfs, "readonly": False},
            "mounts": mounts, "linux": linux,
            "annotations": annotations or {}}
