# SPDX-License-Identifier: Apache-2.0
"""The daemon's events as `ctr events` prints them."""
import json
import re
import subprocess
import threading
from dataclasses import dataclass

import poll
import world

LINE = re.compile(r"^(\S+ \S+) \S+ \S+ (\S+) (/\S+) (\{.*\})$")
NAMES = {"/tasks/create": "create", "/tasks/start": "start",
         "/tasks/delete": "delete", "/tasks/oom": "oom",
         "/tasks/paused": "paused", "/tasks/resumed": "resumed",
         "/tasks/exec-added": "exec-added",
         "/tasks/exec-started": "exec-started", "/tasks/exit": "exit"}


@dataclass
class Event:
    ns: str
    topic: str
    data: dict

    def __str__(self):
        """create, exit(7), exec-started(e1), exit(e1,7), ..."""
        d, name = self.data, NAMES.get(self.topic, self.topic)
        exec_id = d.get("exec_id") or d.get("id")
        args = [exec_id] if exec_id and exec_id != d["container_id"] else []
        if name == "exit":
            args.append(str(d.get("exit_status", 0)))
        return name + (f"({','.join(args)})" if args else "")


class Follower:
    """Collects events from the moment the constructor returns."""

    def __init__(self, daemon):
        self.daemon, self.events, self.raw = daemon, [], []
        self.popen = daemon.popen("events", stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=self._read, daemon=True).start()
        self._subscribe()

    def _subscribe(self):
        """Make events until one is seen: then the subscription is live."""
        mark = world.fresh("probe")

        def seen():
            self.daemon.ctr("namespaces", "label", self.daemon.ns,
                            f"{mark}={world.fresh()}", ok=None)
            return any(mark in line for line in self.raw)
        poll.until(seen, "ctr events shows a label change")

    def _read(self):
        for line in self.popen.stdout:
            self.raw.append(line)
            m = LINE.match(line.strip())
            if m and m[3].startswith("/tasks/"):
                self.events.append(Event(m[2], m[3], json.loads(m[4])))

    def of(self, id):
        return [e for e in list(self.events)
                if e.data.get("container_id") == str(id)]

    def names(self, id):
        """The container's events in order, in short form."""
        return [str(e) for e in self.of(id)]

    def until(self, id, name, timeout=15):
        """Wait for an event of that short form; all names up to now."""
        poll.until(lambda: name in self.names(id),
                   lambda: f"event {name} of {id}; seen: {self.names(id)}",
                   timeout)
        return self.names(id)

    def close(self):
        if self.popen.poll() is None:
            self.popen.terminate()
        self.popen.wait(10)
