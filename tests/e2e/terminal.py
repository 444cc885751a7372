# SPDX-License-Identifier: Apache-2.0
"""ctr on a pseudo terminal of the test's own."""
import pexpect

import poll


class Terminal(pexpect.spawn):
    def __init__(self, daemon, *args, size=(33, 117)):
        argv = daemon.argv(*args)
        super().__init__(argv[0], argv[1:], timeout=20 * poll.SLOW,
                         dimensions=size, encoding="utf-8", maxread=65536)

    def resize(self, rows, cols):
        self.setwinsize(rows, cols)

    def end(self, timeout=20):
        """Read to the end; the exit status."""
        self.expect(pexpect.EOF, timeout=timeout * poll.SLOW)
        self.wait()
        self.close()
        return self.exitstatus
