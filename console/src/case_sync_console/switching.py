"""Core: the sync's switch: what each command does in each position, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from case_sync_console.definition import ACTIVE, PAUSED, SAVED
from case_sync_console.errors import ConfigurationError

NEW, ON = "new", "on"  # besides paused and saved: never switched on; on
FROM_NOW, AS_LEFT = "from now", "as left"
LATER = "Switch it on when you like: case-sync activate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a command does.

    Attributes:
        status: what meltano.yml says afterwards; None leaves it alone.
        starts_from: FROM_NOW puts the bookmark at Salesforce's clock first; AS_LEFT goes on where the sync was; None does neither.
        words: what is said when it is done.
    """

    words: str
    status: str | None = None
    starts_from: str | None = None


def position(status: str | None, *, has_state: bool) -> str:
    """Where the switch stands, by what meltano.yml says (None: nothing) and whether the sync has a bookmark."""
    if status in (PAUSED, SAVED):
        return status
    return ON if has_state else NEW


STARTED = (
    "The sync is on. A case that is created or changed in Salesforce from now on becomes a ticket, whole.\n"
    "Cases that exist already don't come by themselves. Bring them in, all or some: case-sync import"
)
SAVED_NOW = f"Saved for later: the settings are kept, and nothing is synced. {LATER}"
PAUSED_NOW = (
    "The sync is paused: nothing is read or written, and nothing is lost. To go on where it stopped: case-sync resume\n"
    "To go on without what changes until then: case-sync resume --from now"
)
RESUMED = "The sync is on again. Its next run brings what changed in Salesforce meanwhile; to have it now: case-sync run"
ON_ALREADY = "The sync is on already; nothing was changed."
START = Step(words=STARTED, status=ACTIVE, starts_from=FROM_NOW)

STEPS: dict[tuple[str, str], Step] = {
    ("activate", NEW): START,
    ("activate", SAVED): START,
    ("activate", ON): Step(words=ON_ALREADY),
    ("save", NEW): Step(words=SAVED_NOW, status=SAVED),
    ("save", SAVED): Step(words=f"It is saved for later already; nothing was changed. {LATER}"),
    # It has a place to go on from: saved for later would forget it.
    ("save", ON): Step(words=f"The sync was on. {PAUSED_NOW}", status=PAUSED),
    ("save", PAUSED): Step(
        words="The sync is paused already; nothing was changed. Go on with: case-sync resume"
    ),
    ("pause", NEW): Step(words=f"The sync was never switched on. {SAVED_NOW}", status=SAVED),
    ("pause", ON): Step(words=PAUSED_NOW, status=PAUSED),
    ("pause", PAUSED): Step(
        words="The sync is paused already; nothing was changed. Go on with: case-sync resume"
    ),
    ("pause", SAVED): Step(words=f"The sync is off already: it was saved for later. {LATER}"),
    ("resume", ON): Step(words=ON_ALREADY),
    ("resume", PAUSED): Step(words=RESUMED, status=ACTIVE, starts_from=AS_LEFT),
    ("resume from now", PAUSED): START,
    ("resume from now", ON): Step(
        words="The sync is on; nothing was changed. To leave out what changed until now, pause it first."
    ),
}
REFUSED: dict[tuple[str, str], str] = {
    ("activate", PAUSED): (
        "the sync is paused, not off. To go on where it stopped: case-sync resume. "
        "To begin with what changes from now on: case-sync resume --from now"
    ),
    (
        "resume",
        SAVED,
    ): "the sync was saved for later and is not paused. Switch it on with: case-sync activate",
    ("resume", NEW): "the sync was never switched on. Switch it on with: case-sync activate",
}


def step(command: str, where: str) -> Step:
    """What a command does in this position.

    Raises:
        ConfigurationError: it would lose something, or means another command; the message names it.
    """
    refused = REFUSED.get((command.removesuffix(" from now"), where))
    if refused:
        raise ConfigurationError(refused)
    return STEPS[command, where]
