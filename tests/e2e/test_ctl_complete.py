# SPDX-License-Identifier: Apache-2.0
"""Completion of wispctl's command line in bash, out of its own help."""
import re
import subprocess

import pytest

import world
from test_wispctl import WISPCTL

SCRIPT = world.ROOT / "packaging" / "wispctl.bash"
pytestmark = [
    pytest.mark.vm_adds_nothing,
    pytest.mark.go_fails("it is about wispctl alone", run=False)]


def complete(*words, ctl=WISPCTL):
    """What TAB offers at the end of the last word."""
    script = (f'source {SCRIPT}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
              '_wispctl; printf "%s\\n" "${COMPREPLY[@]}"')
    p = subprocess.run(["bash", "-c", script, "bash", str(ctl), *words],
                       capture_output=True, text=True, timeout=30)
    assert p.returncode == 0 and p.stderr == "", p.stderr
    return p.stdout.split()


def commands():
    out = subprocess.run([WISPCTL, "--help"], capture_output=True, text=True)
    return re.findall(r"^  ([a-z]\S*) ", out.stdout, re.M)


def test_commands():
    assert complete("") == commands() and "shims" in commands()
    assert complete("ins") == ["inspect"]
    assert "guard" not in complete("")
    assert complete("nosuch", "") == []
    assert complete("--v") == ["--version"]


@pytest.mark.parametrize("command", commands())
def test_every_command_has_options(command):
    """Its help can be read: there is --help at the least, or commands."""
    got = complete(command, "--")
    text = subprocess.run([WISPCTL, command, "--help"], capture_output=True,
                          text=True).stdout
    want = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", text, re.M))
    assert set(got) >= want
    assert want or complete(command, "")


def test_options():
    assert complete("shims", "--so") == ["--sort"]
    assert "-o" in complete("shims", "-")
    assert complete("shims", "-o", "") == ["text", "json"]
    assert complete("run", "--output", "j") == ["json"]
    assert complete("run", "--rm", "--", "") == []        # files
    assert complete("run", "--bundle", "") == []


def test_ids(raw):
    web = f"{world.RUN}-web"            # the host may have others
    one, two = f"{web}-1", f"{web}-2"
    a, b = raw().start(one), raw().start(two)
    a.run(one)
    b.run(two)
    assert complete("inspect", web) == [one, two]
    assert complete("inspect", "-n", a.ns, two) == [two]
    assert complete("inspect", "-o", web) == []
    assert complete("inspect", one, web) == []      # it takes one
    assert complete("top", one, web) == [one, two]
    assert complete("run", web) == []
    assert complete("run", "--name", web) == []


def test_commands_within_a_command(tmp):
    """A command of a wispctl to come."""
    fake = tmp / "wispctl"
    fake.write_text("""#!/bin/sh
case "$*" in
--help) printf 'Looking:\\n  peek       text\\n  poke  text\\n' ;;
"peek --help") printf 'Usage: wispctl peek COMMAND\\n\\nCommands:\\n'
	printf '  into      a\\n  onto      b\\n\\nExamples:\\n  wispctl peek\\n' ;;
"poke --help") printf 'Usage: wispctl poke a-b [-x] ID\\n'
	printf '       wispctl poke c FILE\\n\\n  -y  text\\n' ;;
"peek into --help") printf 'Usage: wispctl peek into [-x] ID [FILE]\\n\\n'
	printf '  -x, --long-one  text --not\\n' ;;
"shims -o ids") echo one; echo two ;;
*) exit 1 ;;
esac
""")
    fake.chmod(0o755)
    assert complete("p", ctl=fake) == ["peek", "poke"]
    assert complete("poke", "", ctl=fake) == ["a-b", "c"]
    assert complete("poke", "-", ctl=fake) == ["-y"]
    assert complete("peek", "", ctl=fake) == ["into", "onto"]
    assert complete("peek", "into", "-", ctl=fake) == ["-x", "--long-one"]
    assert complete("peek", "into", "t", ctl=fake) == ["two"]
    assert complete("peek", "into", "-x", "", ctl=fake) == ["one", "two"]
    assert complete("peek", "into", "two", "", ctl=fake) == []
