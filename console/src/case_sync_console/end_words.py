"""Core: the last words of a command that failed, with what the plugins can't know."""

from __future__ import annotations

import re

UNREACHED_HERE = re.compile(r"no answer from https?://(127\.0\.0\.1|localhost|\[::1\])[:/ ]")
SANDBOX = (
    "That is an address of this machine. Is it the sandbox's? Start it in another terminal: make sandbox"
)


def last_words(message: str) -> str:
    """The message; of the sandbox, which is not running, also how it is started."""
    return f"{message}\n{SANDBOX}" if UNREACHED_HERE.search(message) else message
