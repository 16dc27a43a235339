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
from case_sync_console.errors import ConfigurationError, ConsoleError
from case_sync_console.meltano import MAPPER, TAP, TARGET, Meltano, side_by_side
from case_sync_console.remedies import of_rules
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace

LOOKING = "Looking at Salesforce and HubSpot ..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the mapper says of rules: `problems`, the rules in effect, `places` by process and status, what fits what."""

    problems: Sequence[str]
    rules: Mapping[str, Any]
    places: Sequence[Mapping[str, Any]]
    fit: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Both systems as they are now, the rules, and the folder in which what was found lies for the mapper."""

    meltano: Meltano
    folder: Path
    file: str
    sides: BothSides
    found: Findings
    earlier: Mapping[str, Any] | None

    @property
    def rules(self) -> Mapping[str, Any]:
        """The rules in effect."""
        return self.found.rules

    def judge(self, text: str) -> tuple[Sequence[str], Findings | None]:
        """Problems of another text of the file with the rules, and all else, if its rules can be read."""
        path = self.folder / f"candidate-{self.file}"
        path.write_text(text, encoding="utf-8")
        return judged(self.meltano, path, self.folder)

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


@contextmanager
def look(workplace: Workplace, *, earlier: str | None = None) -> Iterator[Look]:
    """Ask for everything, as much of it side by side as can be.

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
        with waiting(workplace.screen, LOOKING):
            org, portal = together(
                lambda: meltano.invoke_json(TAP, "--describe"),
                lambda: meltano.invoke_json(f"{TARGET}:describe"),
            )
            for found, answer in (("org", org), ("portal", portal)):
                (folder / f"{found}.json").write_text(json.dumps(answer), encoding="utf-8")
            findings, before = together(
                lambda: read_findings(meltano, file.path, folder),
                lambda: (
                    None
                    if earlier is None
                    else _earlier_rules(meltano, folder / f"earlier-{file.path.name}", earlier)
                ),
            )
        yield Look(
            meltano=meltano,
            folder=folder,
            file=file.path.name,
            sides=both_sides(org, portal),
            found=findings,
            earlier=before,
        )


def judged(meltano: Meltano, path: Path, folder: Path | None = None) -> tuple[Sequence[str], Findings | None]:
    """What the mapper says of the rules in a file, with the metadata in `folder`."""
    names = [] if folder is None else [str(folder / "org.json"), str(folder / "portal.json")]
    metadata = [part for name in names for part in ("--metadata", name)]
    told = meltano.findings(MAPPER, "--rules", str(path), "--check-rules=json", *metadata)
    if told["rules"] is None:
        return told["problems"], None
    found = Findings(
        problems=told["problems"], rules=told["rules"], places=told["places"], fit=told["fit"] or {}
    )
    return told["problems"], found


def read_findings(meltano: Meltano, path: Path, folder: Path | None = None) -> Findings:
    """The same of rules that can be read.

    Raises:
        ConfigurationError: they can't; all problems at once.
    """
    problems, found = judged(meltano, path, folder)
    if found is None:
        raise ConfigurationError(listed(f"the rules in {path.name} can't be used", problems, path.name))
    return found


def shown_rules(meltano: Meltano, path: Path) -> Mapping[str, Any]:
    """The rules of a file that are in effect, without a look at the systems."""
    return read_findings(meltano, path).rules


def _earlier_rules(meltano: Meltano, path: Path, text: str) -> Mapping[str, Any] | None:
    """The rules of an earlier text; None where they could not be read."""
    path.write_text(text, encoding="utf-8")
    _, found = judged(meltano, path)
    return found.rules if found else None


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
