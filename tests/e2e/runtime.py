# SPDX-License-Identifier: Apache-2.0
"""A runtime that can be told to misbehave; fake_runc.sh does the work."""
import pathlib
import shutil

HANG = "exec sleep 1000"


class FakeRunc:
    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "fake-runc"
        shutil.copy(pathlib.Path(__file__).with_name("fake_runc.sh"),
                    self.path)

    def before(self, sub, script):
        """Run these shell lines in front of the real `runc SUB`."""
        self._write(f"before-{sub}", script)

    def after(self, sub, script):
        self._write(f"after-{sub}", script)

    def _write(self, name, script):
        new = self.folder / "new"
        new.write_text(script + "\n")
        new.rename(self.folder / name)

    def well(self):
        """Behave from now on."""
        for f in (*self.folder.glob("before-*"),
                  *self.folder.glob("after-*")):
            f.unlink()

    def calls(self, sub=""):
        try:
            lines = (self.folder / "calls").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [line for line in lines if line.startswith(sub)]


def fail(message, code=1):
    """A snippet that fails as runc does: the reason in the log."""
    return ('echo \'{"level":"error","msg":"' + message +
            f'"}}\' >>"$log"; exit {code}')
