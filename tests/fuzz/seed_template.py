#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a corpus for fuzz_template into the folder that is named."""
import sys
from pathlib import Path

SEEDS = [
    "plain", "{{ mount 0 }}", "{{source 1}}{{ target 2 }}",
    "lowerdir={{ overlay 0 2 }}:/x", "{{ overlay 2 0 }}", "{{ mount 9 }}",
    "X-containerd.mkdir.path={{ mount 0 }}/upper:0755:1:2", "{{", "}}",
    "{{ mount 0 1 }}", "{{ overlay 1 }}", "{{\tmount\n00 }}", "{{{ mount 0 }}",
    "{{ mount 18446744073709551616 }}", "{{ \"x\" }}", "{{- mount 0 -}}",
    "{{ overlay 0 2 }}" * 400,
]


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for i, text in enumerate(SEEDS):
        (out / f"{i}").write_text(text)


if __name__ == "__main__":
    main()
