#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seed_escape.py DIR: arguments to begin with, one on a line."""
import pathlib
import sys

SEEDS = ["cmd\n/c\necho hello", 'C:\\a b\\x.exe\n"\n\\"\n\\\\\n ', "x\n\n\n",
         'x\na\\\\"b c\\\n\u00e9 \U0001f600', ""]
for i, seed in enumerate(SEEDS):
    (pathlib.Path(sys.argv[1]) / str(i)).write_text(seed)
