"""Core: what Meltano tells of a run, line by line as JSON, as values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Meltano: kinds of plugins in `exit_codes` of "Block run completed", in the order in which their endings explain a run.
# A plugin that dies takes its neighbours with it: they end with a broken pipe, which says nothing.
KINDS = ("loaders", "extractors", "mappers")
BLOCK_END, RUN_END = "Block run completed", "Run completed"
# Meltano 4: core/plugin/singer/tap.py. A tap that fails in discovery stands in no `exit_codes`.
DISCOVERY_FAILED = re.compile(r"Catalog discovery failed: .*? returned (\d+) with stderr", re.DOTALL)
MAPPER_ENDED = re.compile(r"Intermediate block \(likely a mapper\) failed")
SHOWN_LINES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of Meltano's log.

    Attributes:
        plugin: the plugin that said it, or "" for Meltano itself.
        text: what was said.
        level: as Meltano says it: info, warning, error.
    """

    text: str
    plugin: str = ""
    level: str = "info"
    more: Mapping[str, Any] = field(default_factory=dict)


def event_of(line: str) -> Event:
    """The event of a line; a line that is no JSON is taken as it is (an early failure of Meltano's)."""
    try:
        found = json.loads(line)
    except ValueError:
        return Event(text=line.rstrip())
    if not isinstance(found, dict):
        return Event(text=line.rstrip())
    plugin = found.get("name", "") if found.get("stdio") else ""
    return Event(
        text=str(found.get("event", "")),
        plugin=str(plugin),
        level=str(found.get("level", "info")),
        more=found,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a `meltano run` ended: its own exit code, those of plugins that failed by kind, and the last words of each."""

    exit_code: int
    exit_codes: Mapping[str, int]
    last_words: Mapping[str, tuple[str, ...]]
    seconds: float | None

    def error_of(self, plugin: str) -> str:
        """A plugin's own words about its failure; "" where it has none."""
        return "\n".join(_from_error_on(self.last_words.get(plugin, ())))

    @property
    def failed(self) -> tuple[str, int] | None:
        """Kind and exit code of the plugin whose ending explains the run's; None where all is well."""
        known = [(kind, self.exit_codes[kind]) for kind in KINDS if self.exit_codes.get(kind)]
        telling = [one for one in known if one[1] > 1]
        return next(iter(telling or known), None)

    def message(self, plugin: str | None = None) -> str:
        """What a plugin said last about the failure; or all of them, or Meltano, where it said nothing."""
        own = self.error_of(plugin) if plugin else ""
        errors = [error for one in self.last_words if (error := self.error_of(one))]
        return own or "\n".join(errors) or "\n".join(self.last_words.get("", ())[-3:]) or "meltano run failed"


def _from_error_on(lines: tuple[str, ...]) -> tuple[str, ...]:
    """A plugin's lines from its "Error: ..." on, without that word."""
    for place, line in enumerate(lines):
        if line.startswith("Error: "):
            return (line.removeprefix("Error: "), *lines[place + 1 :])
    return ()


def _of_block(more: Mapping[str, Any]) -> dict[str, int]:
    """By kind.

    Of mappers that failed, and nothing else did, Meltano tells a list, each with its name; of one that ended before its neighbours it
    tells that it was likely a mapper, and makes up exit codes for the neighbours.
    """
    if MAPPER_ENDED.search(str(more.get("err", ""))):
        return {"mappers": 1}
    told = more.get("exit_codes")
    if isinstance(told, Mapping):
        return {str(kind): int(code) for kind, code in told.items()}
    codes = [int(code) for one in told or () for code in one.values()]
    return {"mappers": codes[0]} if codes else {}


def _of_discovery(more: Mapping[str, Any]) -> dict[str, int]:
    found = DISCOVERY_FAILED.search(str(more.get("err", "")))
    return {"extractors": int(found[1])} if found else {}


def run_end(exit_code: int, events: Iterable[Event]) -> RunEnd:
    """The end of a run by all its events; only the last lines of each plugin are kept."""
    words: dict[str, list[str]] = {}
    exit_codes: dict[str, int] = {}
    seconds = None
    for event in events:
        said = words.setdefault(event.plugin, [])
        said.append(event.text)
        del said[:-SHOWN_LINES]
        if event.text == BLOCK_END:
            exit_codes = _of_block(event.more) or _of_discovery(event.more)
        if event.text == RUN_END:
            seconds = event.more.get("duration_seconds")
    return RunEnd(
        exit_code=exit_code,
        exit_codes=exit_codes,
        last_words={plugin: tuple(said) for plugin, said in words.items()},
        seconds=seconds,
    )
