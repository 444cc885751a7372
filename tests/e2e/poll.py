# SPDX-License-Identifier: Apache-2.0
"""Waiting with a deadline; no test sleeps for a guess."""
import time


def until(cond, what, timeout=15, every=0.02):
    """Poll until cond() is true and return its value; say what on timeout."""
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
    end = time.monotonic() + timeout
    while True:
        value = cond()
        if value or time.monotonic() > end:
            return value
        time.sleep(every)
