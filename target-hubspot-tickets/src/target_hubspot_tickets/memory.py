"""Shell: memory: one pool for all threads, and a collector that looks for circles of garbage now and then, not all the time.

glibc gives each thread a pool of its own, and what a round frees in one is of no use to the next round in another: 262 MB in place of
215 over 100,000 tickets with associations. Python walks over all that lives after each few hundred new objects, a third of the
processor's time here, for circles that records and answers never make.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc

M_ARENA_MAX = -8  # malloc.h; mallopt(3)
NEW_OBJECTS = 500_000  # between two looks at the youngest; 700 is Python's own number
YOUNGER_LOOKS = 50  # before those that outlived a look are looked at, too; 10 is Python's own


def prepare() -> None:
    """Before the first thread; where the C library has no such switch, its pools stay as they are."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
    gc.freeze()  # programs and their modules live until the end
    gc.set_threshold(NEW_OBJECTS, YOUNGER_LOOKS, YOUNGER_LOOKS)
    gc.enable()  # it is off while the program is imported
