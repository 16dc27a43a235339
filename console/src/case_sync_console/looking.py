"""Shell: looks at both systems and at the rules, through the plugins; nothing is written outside a temporary folder."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from case_sync_console.both_sides import BothSides, both_sides
from case_sync_console.errors import ConfigurationError, ConsoleError, PluginError
from case_sync_console.meltano import MAPPER, TAP, TARGET, Meltano, side_by_side
from case_sync_console.remedies import of_rules
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace

LOOKING = "Looking at Salesforce and HubSpot ..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Both systems as they are now, the rules in effect, and the folder in which what was found lies for the mapper."""

    meltano: Meltano
    folder: Path
    rules_path: Path
    sides: BothSides
    rules: Mapping[str, Any]
    earlier: Mapping[str, Any] | None

    def check(self, rules_path: Path | None = None) -> Mapping[str, Any]:
        """The mapper's findings about rules: problems, places, what has no rule of its own."""
        return checked(self.meltano, rules_path or self.rules_path, self._metadata())

    def fit(self) -> Mapping[str, Any]:
        """Which Case fields fit which ticket properties."""
        found: Mapping[str, Any] = self.meltano.invoke_json(MAPPER, "--fit", *self._metadata())
        return found

    def preflight(self) -> Mapping[str, Any]:
        """The target's findings about the portal, for tickets as the rules make them."""
        schema = {
            "type": "SCHEMA",
            "stream": "tickets",
            "schema": self.rules["tickets_schema"],
            "key_properties": ["salesforce_case_id"],
        }
        path = self.folder / "tickets.jsonl"
        path.write_text(json.dumps(schema) + "\n", encoding="utf-8")
        found: Mapping[str, Any] = self.meltano.findings(
            TARGET, "--config=ENV", "--check=json", "--input", str(path)
        )
        return found

    def write(self, name: str, text: str) -> Path:
        """A file in the folder, which is gone with it."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def _metadata(self) -> list[str]:
        return [
            part for name in ("org", "portal") for part in ("--metadata", str(self.folder / f"{name}.json"))
        ]


@contextmanager
def look(workplace: Workplace, *, earlier: str | None = None) -> Iterator[Look]:
    """Ask for everything, side by side.

    Args:
        workplace: the project.
        earlier: an earlier text of the file with the rules, whose rules are wanted, too.

    Raises:
        ConsoleError: a system can't be reached or refuses; all of it at once.
        ConfigurationError: the rules can't be read; all problems at once.
    """
    file = workplace.rules_file()
    meltano = workplace.meltano
    with tempfile.TemporaryDirectory(prefix="case-sync-") as name:
        folder = Path(name)
        before = folder / f"earlier-{file.path.name}"
        if earlier is not None:
            before.write_text(earlier, encoding="utf-8")
        with waiting(workplace.screen, LOOKING):
            org, portal, rules, earlier_rules = together(
                lambda: meltano.invoke_json(f"{TAP}:describe"),
                lambda: meltano.invoke_json(f"{TARGET}:describe"),
                lambda: shown_rules(meltano, file.path),
                lambda: shown_rules(meltano, before) if earlier is not None else None,
            )
        for found, answer in (("org", org), ("portal", portal)):
            (folder / f"{found}.json").write_text(json.dumps(answer), encoding="utf-8")
        yield Look(
            meltano=meltano,
            folder=folder,
            rules_path=file.path,
            sides=both_sides(org, portal),
            rules=rules,
            earlier=earlier_rules,
        )


def shown_rules(meltano: Meltano, path: Path) -> Mapping[str, Any]:
    """The rules of a file that are in effect.

    Raises:
        ConfigurationError: they can't be read; all problems at once.
    """
    try:
        found: Mapping[str, Any] = meltano.invoke_json(MAPPER, "--rules", str(path), "--show-rules")
    except PluginError:
        problems = checked(meltano, path, []).get("problems")
        if not problems:
            raise
        raise ConfigurationError(
            listed(f"the rules in {path.name} can't be used", problems, path.name)
        ) from None
    return found


def checked(meltano: Meltano, path: Path, metadata: Sequence[str]) -> Mapping[str, Any]:
    """The mapper's findings about the rules of a file."""
    found: Mapping[str, Any] = meltano.findings(MAPPER, "--rules", str(path), "--check-rules=json", *metadata)
    return found


def listed(title: str, problems: Sequence[str], file: str) -> str:
    """Numbered problems, each with what to do."""
    lines = [f"{title}:"]
    for number, problem in enumerate(of_rules(problems, file), start=1):
        lines.append(f"  {number}. {problem.text}")
        lines += [f"     To do: {problem.remedy}"] if problem.remedy else []
    return "\n".join(lines)


def together(*works: Callable[[], Any]) -> list[Any]:
    """The results of all works, side by side.

    Raises:
        ConsoleError: those that failed, all in one, with the exit code of the first.
    """

    def tried(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except ConsoleError as error:
            return error

    found = side_by_side(*(lambda work=work: tried(work) for work in works))
    errors = [one for one in found if isinstance(one, ConsoleError)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        both = ConsoleError("\n".join(f"{number}. {error}" for number, error in enumerate(errors, start=1)))
        both.exit_code = errors[0].exit_code
        raise both
    return found
