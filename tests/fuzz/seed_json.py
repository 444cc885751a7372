#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seed_json.py DIR: documents to begin with."""
import json
import pathlib
import sys

CONFIG = {"ociVersion": "1.0.2", "process": {"args": ["sh"], "terminal": True},
          "annotations": {"io.kubernetes.cri.sandbox-id": "a\u00e9\n\"b"},
          "linux": {"namespaces": [{"type": "pid"},
                                   {"path": "/proc/1/ns/pid", "type": "net"}],
                    "resources": {"memory": {"limit": -1.5e3}}}}
SEEDS = [json.dumps(CONFIG), json.dumps(CONFIG, indent=2), "[" * 70 + "]" * 70,
         '{"level":"error","msg":"\\ud83d\\ude00"}', '"x', "{}", "[1,2", ""]
for i, seed in enumerate(SEEDS):
    (pathlib.Path(sys.argv[1]) / str(i)).write_text(seed)
