"""Shell: tells a person at a terminal that something takes a while; says nothing on a pipe."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console


def waiting(screen: Console, words: str) -> AbstractContextManager[Any]:
    """A turning mark with these words, until the block ends."""
    return screen.status(words) if screen.is_terminal else nullcontext()
