"""Core: what the project set out to reach, beside what pipeline.py measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SHARE, CPU_SECONDS, EMPTY_RATIO = 0.95, 0.2, 1.3
FLAT = 1.25  # times the memory at a tenth of the cases
OURS = ("tap", "mapper", "target")
ORGS = (
    "HubSpot's limits, 5,000 accounts and 20,000 contacts",
    "HubSpot's limits, 12,500 accounts and 25,000 contacts",
)
Import = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A goal, what was measured, and what keeps it there."""

    goal: str
    measured: str
    is_met: bool
    limit: str


def goals(found: Mapping[str, Any], ceiling: float) -> list[Goal]:
    """The goals of which `found` (.bench/pipeline.json) has something; `ceiling` is HubSpot's, in tickets a second."""
    limits, free = found.get("limits", []), found.get("free", [])
    rows = [
        *_shares(limits, ceiling),
        *_by_meltano(found.get("meltano"), ceiling),
        *_processors(zip(ORGS, limits, strict=False)),
        *_processors(("no limits", one) for one in free),
    ]
    if empty := found.get("empty"):
        rows.append(_empty(empty))
    return [*rows, *_memory(found.get("growth", []))]


def _shares(imports: Iterable[Import], ceiling: float) -> Iterator[Goal]:
    reasons = (
        "the windows of ten seconds; the start, and the last calls",
        "five searches a second: 37,500 values take over a minute",
    )
    for org, reason, one in zip(ORGS, reasons, imports, strict=False):
        share = one["cases"] / one["seconds"] / ceiling
        yield Goal(
            goal=f"95 % of HubSpot's ceiling with both associations ({org})",
            measured=f"{share:.1%}",
            is_met=share >= SHARE,
            limit=reason,
        )


def _by_meltano(one: Import | None, ceiling: float) -> Iterator[Goal]:
    if one:
        share = one["cases"] / one["seconds"] / ceiling
        yield Goal(
            goal="the same as `meltano run`, from command to exit (5,000 accounts and 20,000 contacts)",
            measured=f"{share:.1%}",
            is_met=share >= SHARE,
            limit="the start of Meltano, its discovery, and its end",
        )


def _processors(imports: Iterable[tuple[str, Import]]) -> Iterator[Goal]:
    for name, one in imports:
        seconds = sum(one["processes"][part]["cpu_seconds"] for part in OURS) / one["cases"] * 1000
        yield Goal(
            goal=f"tap, mapper and target together at most 0.2 s of processor for 1,000 cases ({name})",
            measured=f"{seconds:.3f} s", is_met=seconds <= CPU_SECONDS, limit="Python: JSON and CSV, planning, look-ups",
        )  # fmt: skip


def _empty(empty: Mapping[str, Any]) -> Goal:
    ratio = empty["seconds"] / empty["nothing_seconds"]
    return Goal(
        goal="an empty run at most 1.3 times the same run of plugins that do nothing", measured=f"{ratio:.2f}", is_met=ratio <= EMPTY_RATIO,
        limit="Meltano's look at each declared setting, and the import of the database toolkit",
    )  # fmt: skip


def _memory(imports: list[Import]) -> Iterator[Goal]:
    """Between the two largest; the smaller ones are told beside them."""
    peaks = [max(one["processes"][part]["megabytes"] for part in OURS) for one in imports]
    if len(peaks) > 1:
        yield Goal(
            goal=f"memory flat: at ten times {imports[-2]['cases']:,} cases at most {FLAT} times as much",
            measured=", ".join(f"{peak:.0f} MB at {one['cases']:,}" for one, peak in zip(imports, peaks, strict=True)) + " cases", is_met=peaks[-1] <= peaks[-2] * FLAT,
            limit="up to 200,000 values that were looked up are remembered, 54 MB, and up to 32 rounds are under way: less than 100,000 cases do not fill that",
        )  # fmt: skip
