# SPDX-License-Identifier: Apache-2.0
"""Waiting with a deadline; no test sleeps for a guess."""
import os
import time

# How much more patience than on an idle machine, for an emulated one.
SLOW = float(os.environ.get("WISP_E2E_SLOW", 1))


def times(n):
    """How often to do again what is only done often so that a race shows:
    a few times where each takes that much longer (WISP_E2E_ALL: all)."""
    if SLOW == 1 or "WISP_E2E_ALL" in os.environ:
        return n
    return min(n, 5)


def until(cond, what, timeout=15, every=0.02):
    """Poll until cond() is true and return its value; say what on timeout."""
    timeout *= SLOW
    end = time.monotonic() + timeout
    while True:
        value = cond()
        if value:
            return value
        if time.monotonic() > end:
            text = what() if callable(what) else what
            raise AssertionError(f"not within {timeout} s: {text}")
        time.sleep(every)


def settles(cond, timeout=5, every=0.02):
    """Like until(), but an answer instead of an assertion."""
    end = time.monotonic() + timeout * SLOW
    while True:
        value = cond()
        if value or time.monotonic() > end:
            return value
        time.sleep(every)
