"""Core: what to type next, for those who run the target under Meltano and for those who run it alone."""

from __future__ import annotations

# Command of meltano.yml -> options of the program.
OPTIONS = {
    "check": "--check",
    "rejected": "--rejected=list",
    "retry": "--rejected=retry",
    "waiting": "--pending=list",
    "deletes": "--deletes=list",
    "discard-deletes": "--deletes=discard",
    "runs": "--runs",
}


def hint(purpose: str, command: str) -> str:
    """`See them with ...`: both ways to say it."""
    return f"{purpose} with `meltano invoke target-hubspot-tickets:{command}` (alone: target-hubspot-tickets --config=... {OPTIONS[command]})"
