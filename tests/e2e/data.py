# SPDX-License-Identifier: Apache-2.0
"""Bytes that show where they were cut, doubled or swapped."""
import hashlib
import random


def block(size, seed=1):
    """Reproducible bytes without a period."""
    return random.Random(seed).randbytes(size)


def same(got, want, what="data"):
    """Compare big data; say how it differs in one line."""
    if got == want:
        return
    at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b),
              min(len(got), len(want)))
    raise AssertionError(
        f"{what}: {len(got)} bytes instead of {len(want)}, the first "
        f"difference at {at}; sha256 {hashlib.sha256(got).hexdigest()[:16]} "
        f"instead of {hashlib.sha256(want).hexdigest()[:16]}")
