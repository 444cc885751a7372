# SPDX-License-Identifier: Apache-2.0
"""What systemd knows of a unit, by systemctl."""
import world


def show(unit, *names):
    """Its properties, as text: show("a.scope", "ActiveState")."""
    out = world.sh("systemctl", "show", unit, *(
        f"--property={n}" for n in names)).stdout.decode()
    found = dict(line.split("=", 1) for line in out.splitlines())
    return found[names[0]] if len(names) == 1 else found


def known(unit):
    return show(unit, "LoadState") != "not-found" or show(
        unit, "ActiveState") != "inactive"
