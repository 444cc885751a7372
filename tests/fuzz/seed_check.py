#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seed_check.py DIR: documents to begin with."""
import json
import pathlib
import sys

PROCESS = {"args": ["sh"], "cwd": "/", "env": ["A=b", "PATH=/bin"],
           "capabilities": {"bounding": ["CAP_KILL"], "ambient": []},
           "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2}],
           "consoleSize": {"height": 1, "width": 2}, "terminal": True,
           "scheduler": {"policy": "SCHED_RR", "priority": 1}}
MOUNT = {"destination": "/a", "type": "bind", "source": "/b",
         "options": ["rbind", "ro"], "uidMappings": []}
LINUX = {"namespaces": [{"type": "pid"}, {"type": "user", "path": "/x"}],
         "uidMappings": [{"containerID": 0, "hostID": 1, "size": 2}],
         "cgroupsPath": "system.slice:a:b", "sysctl": {"net.a": "1"},
         "devices": [{"path": "/dev/a", "type": "c", "major": 1, "minor": 2}],
         "resources": {"memory": {"limit": 1, "swap": 2},
                       "cpu": {"cpus": "0-3,7", "quota": -1},
                       "hugepageLimits": [{"pageSize": "2MB", "limit": 1}],
                       "blockIO": {"weightDevice": [{"major": 1}]},
                       "unified": {"a.b": "c"}, "pids": {"limit": 1}},
         "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
             {"names": ["read"], "action": "SCMP_ACT_NOTIFY", "args": [
                 {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]}}
WINDOWS = {"layerFolders": ["C:\\a", "C:\\b"],
           "credentialSpec": "{\"a\": 1}", "hyperv": {},
           "resources": {"cpu": {"count": 1, "maximum": 2}},
           "network": {"networkNamespace": "x", "endpointList": ["y"]},
           "devices": [{"id": "x", "idType": "class"}]}
HOOK = {"path": "/x", "timeout": 1}
SEEDS = [{"ociVersion": "1.0.2", "process": PROCESS, "mounts": [MOUNT, MOUNT],
          "root": {"path": "rootfs"}, "hostname": "x", "linux": LINUX,
          "hooks": {"prestart": [HOOK]}, "annotations": {"a.b": "c"}},
         {"process": {"commandLine": "a", "cwd": "C:\\"}, "windows": WINDOWS,
          "mounts": [{"destination": "C:\\a", "source": "D:\\b"}],
          "root": {"path": "\\\\?\\Volume{x}\\"}}, [], {"procces": 1}]
for i, seed in enumerate(SEEDS):
    (pathlib.Path(sys.argv[1]) / str(i)).write_text(json.dumps(seed, indent=1))
