# SPDX-License-Identifier: Apache-2.0
"""The far end of CRI's Exec and Attach: Kubernetes' streams in a websocket.

s = Stream(cri.Attach(...).url)
s.send(b"line\\n"); s.until(b"answer"); s.resize(80, 24); s.close()
s.end()                         # exit code of an Exec, once it has ended

Each message begins with the number of its channel (v4.channel.k8s.io).
"""
import base64
import json
import os
import socket
import struct
import threading
import urllib.parse

import poll

STDIN, STDOUT, STDERR, STATUS, RESIZE = range(5)
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10


class Stream:
    def __init__(self, url):
        u = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((u.hostname, u.port),
                                               20 * poll.SLOW)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {u.path}?{u.query} HTTP/1.1\r\nHost: {u.netloc}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Origin: http://{u.netloc}\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        first = self.file.readline()
        assert b" 101 " in first, first + self.file.read(1000)
        while self.file.readline().strip():
            pass
        self.socket.settimeout(None)
        self.got = {n: b"" for n in range(5)}
        self.closed = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while self._frame():
                pass
        except (OSError, ValueError, struct.error):
            pass
        self.closed.set()

    def _frame(self):
        head = self.file.read(2)
        if len(head) < 2:
            return False
        kind, size = head[0] & 15, head[1] & 127
        if size == 126:
            (size,) = struct.unpack(">H", self.file.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.file.read(8))
        data = self.file.read(size)
        if kind == PING:
            self._write(PONG, data)
        elif kind == BINARY and data:
            self.got[data[0]] += data[1:]
        return kind != CLOSE

    def _write(self, kind, data):
        """A client's frames are masked; zeros mask nothing."""
        n = len(data)
        size = (struct.pack(">B", 128 | n) if n < 126 else
                struct.pack(">BH", 128 | 126, n) if n < 65536 else
                struct.pack(">BQ", 128 | 127, n))
        self.socket.sendall(bytes([128 | kind]) + size + bytes(4) + data)

    def send(self, data, channel=STDIN):
        self._write(BINARY, bytes([channel]) + data)

    def resize(self, columns, rows):
        self.send(json.dumps({"Width": columns, "Height": rows}).encode(),
                  RESIZE)

    def until(self, data, channel=STDOUT, timeout=20):
        poll.until(lambda: data in self.got[channel],
                   lambda: f"{data!r} among {self.got}", timeout)

    def end(self, timeout=20):
        """The exit code, when the other end has closed."""
        assert self.closed.wait(timeout * poll.SLOW), f"no end: {self.got}"
        status = json.loads(self.got[STATUS])
        self.close()
        if status["status"] == "Success":
            return 0
        causes = {c["reason"]: c["message"] for c in status.get(
            "details", {}).get("causes", [])}
        assert "ExitCode" in causes, status
        return int(causes["ExitCode"])

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.closed.wait(10)
        self.file.close()
        self.socket.close()
