# SPDX-License-Identifier: Apache-2.0
"""Named pipes, and readers of them that come and go."""
import errno
import os
import select
import threading
import time

import poll


def make(folder, *names):
    """Paths of new FIFOs."""
    paths = [folder / n for n in names]
    for p in paths:
        os.mkfifo(p)
    return paths if len(paths) > 1 else paths[0]


class Reader:
    """Collects what arrives at a FIFO, in a thread, until EOF or stop()."""

    def __init__(self, path, limit=None):
        self.data, self.eof = bytearray(), threading.Event()
        self._limit, self._stop = limit, False
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        seen = False               # EOF counts once a writer was there
        while not self._stop:
            if not select.select([self._fd], [], [], 0.05)[0]:
                seen = True        # not at EOF: somebody holds it open
                continue
            room = 1 << 16
            if self._limit is not None:
                room = min(room, self._limit - len(self.data))
                if room == 0:
                    break
            try:
                part = os.read(self._fd, room)
            except BlockingIOError:
                continue
            if part:
                seen = True
                self.data += part
            elif seen:
                self.eof.set()
                break
            else:
                time.sleep(0.01)
        os.close(self._fd)

    def until(self, text, timeout=15):
        """Wait until these bytes have come."""
        poll.until(lambda: text in self.data,
                   lambda: f"{text!r} in {bytes(self.data[-300:])!r}",
                   timeout)

    def end(self, timeout=20):
        """Wait for EOF; everything."""
        assert self.eof.wait(timeout * poll.SLOW), (
            f"no EOF within {timeout} s; {len(self.data)} bytes came, the "
            f"last: {bytes(self.data[-100:])!r}")
        self._thread.join()
        return bytes(self.data)

    def stop(self):
        """Go away as a client that crashed."""
        self._stop = True
        self._thread.join()
        return bytes(self.data)


def _open_writer(path):
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as e:
        if e.errno != errno.ENXIO:
            raise


def write_all(path, data, timeout=30):
    """Write to a FIFO whose reader may be slow; closes it afterwards."""
    end = time.monotonic() + timeout * poll.SLOW
    view = memoryview(data)
    fd = poll.until(lambda: _open_writer(path), f"a reader of {path}")
    try:
        while view:
            assert time.monotonic() < end, f"{len(view)} bytes not taken"
            if not select.select([], [fd], [], 0.1)[1]:
                continue
            try:
                view = view[os.write(fd, view[:1 << 16]):]
            except BlockingIOError:
                pass
    finally:
        os.close(fd)
