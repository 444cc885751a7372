#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a corpus for fuzz_toml into the folder that is named."""
import sys
from pathlib import Path

TOML = {
    "all": b"# all\nBinaryName = \"crun\"\nRoot = '/r'\nSystemdCgroup = true\n"
           b"NoPivotRoot = false\nNoNewKeyring = true\nIoUid = 0x3e8\n"
           b"IoGid = 4_294_967_295\n",
    "rest": b"ShimCgroup = ''\r\nCriuImagePath = \"/i\"\r\nCriuPath = ''\r\n"
            b"CriuWorkPath = ''\nTypeUrl = \"x\"\nConfigPath = \"\"\n",
    "twice": b"Root = 'a'\nroot = 'b'",
    "keys": b"A-z_09 . \"b\\u00e9 \" . 'c d' = 1\n",
    "tables": b"[a]\nx = 1\n [ b . 'c' ] # d\ny.z = 2\n",
    "escapes": b'a = "\\b\\t\\n\\f\\r\\e\\"\\\\\\x41\\u20ac\\U0001F600"',
    "surrogate": b'a = "\\ud800"',
    "nul": b'Root = "/a\\u0000b"',
    "integers": b"a = -0\nb = +1_0\nc = 0xdead_BEEF\nd = 0o755\ne = 0b1_0\n",
    "limits": b"a = 9223372036854775807\nb = -9223372036854775808\n"
              b"c = 9223372036854775808",
    "others": b"a = 1.5e3", "date": b"a = 1979-05-27 07:32:00",
    "array": b"a = [1, [2]]", "inline": b"a = { b = 1 }",
    "array_table": b"[[a]]", "multi": b'a = """x\ny"""',
    "utf8": "\ufeff# \u00e9\u20ac\U0001F600\na = '\u00e9'".encode(),
    "no_utf8": b"a = '\xc0\xaf'",
    "open": b'a = "x', "cr": b"a = 1\rb = 2", "word": b"Root = /r\n",
    "long": b"a = '" + b"x" * 4097 + b"'", "long_key": b"k" * 256 + b" = 1",
}

# Messages, field by field.
RUNC = {
    "all": b"\x08\x01\x10\x01\x20\x05\x28\x06\x32\x04crun\x3a\x02/r\x48\x01"
           b"\x52\x02/i\x5a\x02/w",
    "cgroup": b"\x1a\x02/x",
    "nul": b"\x32\x03a\0b",
    "others": b"\xa2\x06\x02\0\0\xad\x06\0\0\0\0\xb1\x06" + b"\0" * 8,
    "cut": b"\x32\x04cru",
}

RUNTIME = {
    "relative": b"\x12\x01a", "missing": b"\x12\x05/none",
    "folder": b"\x12\x01/", "nul": b"\x12\x04/a\0b",
    "body": b"\x0a\x01t\x1a\x0aRoot = '/'",
    "both": b"\x12\x01a\x1a\x02\n\n",
}


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for kind, seeds in ((0, TOML), (1, TOML), (2, RUNC), (3, RUNTIME)):
        for name, data in seeds.items():
            (out / f"{kind}-{name}").write_bytes(bytes([kind]) + data)


if __name__ == "__main__":
    main()
