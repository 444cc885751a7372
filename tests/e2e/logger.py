#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A logger for binary:// (containerd's docs/logging.md), for the tests.

Its arguments are pairs: `dir` is where it writes stdout, stderr and about
(its pid, arguments and environment), and how it behaves is up to
    ready=no|byte|late|exit     (default: it closes its ready pipe)
    slow=SECONDS                pause after each KiB, so many times
    stop=BYTES                  reads so much of stdout, then nothing
    term=ignore|note            what SIGTERM does
    eof=stay                    does not end at the end of its pipes
"""
import json
import os
import signal
import sys
import threading
import time

args = dict(zip(sys.argv[1::2], sys.argv[2::2]))
folder = args["dir"]


def on_term(*_):
    with open(f"{folder}/term", "w") as f:
        f.write("SIGTERM")
    if args["term"] != "ignore":
        os._exit(0)


def copy(fd, name):
    left = int(args.get("stop", 1 << 60)) if fd == 3 else 1 << 60
    slow = float(args.get("slow", 0))
    with open(f"{folder}/{name}", "ab", 0) as f:
        while left > 0:
            data = os.read(fd, 1024 if slow else min(65536, left))
            if not data:
                return
            left -= len(data)
            f.write(data)
            time.sleep(slow)
    threading.Event().wait()


if "term" in args:
    signal.signal(signal.SIGTERM, on_term)
with open(f"{folder}/about.new", "w") as f:
    json.dump({"pid": os.getpid(), "argv": sys.argv, "env": dict(os.environ),
               "fds": {n: os.readlink(f"/proc/self/fd/{n}")
                       for n in os.listdir("/proc/self/fd")
                       if os.path.lexists(f"/proc/self/fd/{n}")}}, f)
os.rename(f"{folder}/about.new", f"{folder}/about")
ready = args.get("ready")
if ready == "exit":
    sys.exit(3)
if ready == "no":
    threading.Event().wait()
if ready == "late":
    time.sleep(1)
if ready == "byte":
    os.write(5, b"x")
os.close(5)
threads = [threading.Thread(target=copy, args=a, daemon=True)
           for a in ((3, "stdout"), (4, "stderr"))]
for t in threads:
    t.start()
for t in threads:
    while t.is_alive():
        t.join(0.1)                 # signals are handled in between
while args.get("eof") == "stay":
    time.sleep(0.1)
