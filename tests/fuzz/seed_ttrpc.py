#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a corpus for fuzz_ttrpc into the folder that is named."""
import struct
import sys
from pathlib import Path

REQUEST, RESPONSE, DATA = 1, 2, 3
CLOSED, OPEN, NO_DATA = 1, 2, 4


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def text(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def number(field, value):
    return varint(field << 3) + varint(value & (1 << 64) - 1)


def frame(stream, kind, flags, data=b"", length=None):
    length = len(data) if length is None else length
    return struct.pack(">IIBB", length, stream, kind, flags) + data


def echo(value="hi", n=3, parts=0):
    part = text(3, text(1, b"data"))
    return text(1, value) + number(2, n) + part * parts


def request(stream, method, flags=0, payload=b"", timeout=0, keys=0,
            service="wisp.test.Echo"):
    data = text(1, service) + text(2, method) + text(3, payload)
    if timeout:
        data += number(4, timeout)
    for i in range(keys):
        data += text(5, text(1, f"key{i}") + text(2, "value"))
    return frame(stream, REQUEST, flags, data)


def response(stream, payload=b"", code=None, message=""):
    data = b"" if code is None else text(
        1, number(1, code) + text(2, message))
    return frame(stream, RESPONSE, 0, data + text(2, payload))


SERVER = {
    "say": request(1, "Say", payload=echo()),
    "say_parts": request(1, "Say", payload=echo(parts=9), keys=3),
    "two": request(1, "Say") + request(3, "Fail", payload=echo(n=5)),
    "hold": request(1, "Hold", timeout=10**9) + request(3, "Hold"),
    "deadline": request(1, "Hold", timeout=1),
    "negative": request(1, "Hold", timeout=-1),
    "big": request(1, "Big", payload=echo(n=100000)) * 2,
    "unknown": request(1, "Missing") + request(3, "X", service="no.such"),
    "even": request(2, "Say") + request(0, "Say"),
    "again": request(5, "Say") + request(5, "Say") + request(3, "Say"),
    "join": request(1, "Join", OPEN) + frame(1, DATA, 0, echo()) * 3 +
            frame(1, DATA, CLOSED | NO_DATA),
    "join_unary": request(1, "Join", 0, echo()),
    "count": request(1, "Count", CLOSED, echo(n=5)),
    "chat": request(1, "Chat", OPEN) + frame(1, DATA, 0, echo("a")) +
            frame(1, DATA, CLOSED, echo("b")),
    "chat_stop": request(1, "Chat", OPEN) + frame(1, DATA, 0, echo("stop")) +
                 frame(1, DATA, 0, echo("late")),
    "chat_fail": request(1, "Chat", OPEN, echo("fail")),
    "stray_data": frame(1, DATA, 0, echo()) + request(1, "Hold") +
                  frame(1, DATA, 0),
    "oversize": frame(1, REQUEST, 0, b"x" * 99, length=5 << 20),
    "cut": request(1, "Say")[:-1],
    "garbage": b"GET / HTTP/1.1\r\n\r\n",
    "empty": frame(1, REQUEST, 0),
    "other_type": frame(1, 9, 9, b"later") + frame(1, RESPONSE, 0),
}

CLIENT = {
    "ok": response(1, text(1, "hi")) + response(3, text(2, b"data")),
    "codes": response(1, code=5, message="no") + response(3, code=99),
    "stream": response(5, text(1, "sum")) + frame(7, DATA, 0, text(1, "a")) +
              frame(7, DATA, CLOSED | NO_DATA) +
              frame(9, DATA, 0, text(1, "b")) +
              frame(9, DATA, CLOSED, text(1, "c")),
    "stray": response(2) + response(77) + response(1) + response(1),
    "bad": frame(1, RESPONSE, 0, b"\xff\xff") + frame(3, DATA, 0) +
           frame(7, DATA, 0, b"\xff"),
    "oversize": frame(1, RESPONSE, 0, b"x" * 99, length=5 << 20),
    "cut": response(1, text(1, "hi"))[:-2],
}


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for to_client, seeds in enumerate((SERVER, CLIENT)):
        for name, data in seeds.items():
            for how in (0, 2, 4, 0x10, 0x72):
                path = out / f"{'client' if to_client else 'server'}-{name}-{how:02x}"
                path.write_bytes(bytes([how | to_client]) + data)


if __name__ == "__main__":
    main()
