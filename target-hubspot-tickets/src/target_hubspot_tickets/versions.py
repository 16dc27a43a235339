"""Core: whether a version of a stream is complete, and so proves that a ticket without a record of it is gone.

A Singer tap numbers the records of a full read with a version, and says ACTIVATE_VERSION behind the last one. Many say it before
the first one, too, so that rows show up at once; that one marks nothing. A read that broke off may go on in a later run with the
same version: its records count together then, if the runs between them ended well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Flaw(Enum):
    """Why a version that is complete proves nothing."""

    NO_KEY = "one of its records has no key"
    NO_SOURCE = "its records do not say which org they are of, so that no ticket can be told to be theirs"
    TWO_SOURCES = "its records are of several orgs"
    BROKE_OFF = "a run that read a part of it broke off, so that it is not known in whole"
    COMPLETE_BEFORE = "it was complete in an earlier run already: this one may hold changes only"


class Status(Enum):
    """How a run left a version: in the middle of it, after an end of the input that was no end of it, or behind its marker."""

    OPEN = "open"
    PAUSED = "paused"
    COMPLETE = "complete"


RESUMED = {Status.OPEN: Flaw.BROKE_OFF, Status.PAUSED: None, Status.COMPLETE: Flaw.COMPLETE_BEFORE}


@dataclass(slots=True, kw_only=True)
class StreamVersion:
    """A version under way; its records and markers are taken in in the order of the stream.

    Attributes:
        source: mark of the org that all its records are of; None before the first one.
        goes_on: an earlier run read its first part.
    """

    stream: str
    version: int
    source: str | None = None
    goes_on: bool = False
    _flaw: Flaw | None = None
    _is_complete: bool = False

    @property
    def seen_id(self) -> str:
        """What the keys of its records are noted under."""
        return f"version {self.version} of {self.stream}"

    def take(self, key: str | None, source: str | None) -> None:
        """A record; one behind the marker says that the marker was none."""
        self._is_complete = False
        self._flaw = self._flaw or self._flaw_of(key, source)
        self.source = self.source or source

    def _flaw_of(self, key: str | None, source: str | None) -> Flaw | None:
        if not key:
            return Flaw.NO_KEY
        if not source:
            return Flaw.NO_SOURCE
        return Flaw.TWO_SOURCES if self.source not in {None, source} else None

    def activate(self, version: Any) -> None:
        """A marker came, behind a record of this stream."""
        if version == self.version:
            self._is_complete = True

    def verdict(self) -> Flaw | bool:
        """True where it is proven complete, False where its marker did not come, else what is wrong with it."""
        return (self._flaw or True) if self._is_complete else False

    def as_json(self, status: Status, noted: int) -> dict[str, Any]:
        """What the next run has to know of it; `noted` is the number of its keys that are noted."""
        return {
            "version": self.version,
            "source": self.source,
            "flaw": self._flaw.name if self._flaw else None,
            "status": status.value,
            "noted": noted,
        }

    def resume(self, last: Mapping[str, Any], noted: int) -> None:
        """Go on with what an earlier run left of this version, `noted` keys of which are still noted."""
        self.goes_on, self.source = True, last["source"]
        self._flaw = Flaw[last["flaw"]] if last["flaw"] else RESUMED[Status(last["status"])]
        if noted < last["noted"]:
            self._flaw = self._flaw or Flaw.BROKE_OFF
