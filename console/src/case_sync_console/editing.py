"""Shell: an edit of the rules: written only if the mapper finds no new problem in it; else the file stays byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from case_sync_console.definition import rules_place
from case_sync_console.errors import ConfigurationError, RefusedEditError
from case_sync_console.looking import Look, look
from case_sync_console.mapping_edits import Known
from case_sync_console.project_file import YamlFile
from case_sync_console.rule_changes import changes, unmapped_by
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace
from case_sync_console.yaml_splicing import Path, Splice, spliced

CHECKING = "Checking the change against both ..."


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesText:
    """The file with the rules, where in it they stand, and the block as it is written."""

    file: YamlFile
    base: Path
    block: Mapping[str, Any]

    def after(self, splices: Sequence[Splice]) -> str:
        """The file's text with the edits."""
        is_json = PurePath(self.file.path.name).suffix == ".json"
        return spliced(self.file.text, splices, self.base, as_json=is_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What an edit changed, a line each, and problems that were there before and still are.

    Attributes:
        unmapped: pairs of support process and status, in words, that had a stage before and have none now.
    """

    changes: tuple[str, ...]
    problems: tuple[str, ...]
    file: str
    unmapped: tuple[str, ...] = ()


def rules_text(workplace: Workplace) -> RulesText:
    """The rules as they are written now."""
    definition = workplace.definition()
    place = rules_place(definition.document)
    if place.file is None:
        return RulesText(file=definition, base=(*place.path, "rules"), block=place.config["rules"] or {})
    file = workplace.rules_file()
    base = ("rules",) if "rules" in file.document else ()
    return RulesText(file=file, base=base, block=file.document["rules"] if base else file.document)


Wanted = Callable[[Known, Mapping[str, Any]], Sequence[Splice]]


def edit(workplace: Workplace, wanted: Wanted) -> Edited:
    """Look, let `wanted` say what is to change, check that, and write it.

    Args:
        workplace: the project.
        wanted: gets what is known and the block as it is written.

    Raises:
        RefusedEditError: it would not work; the file is as it was.
    """
    with look(workplace) as found:
        known = Known(rules=found.rules, fit=found.found.fit, sides=found.sides)
        text = rules_text(workplace)
        return written(workplace, found, text, wanted(known, text.block))


def written(workplace: Workplace, found: Look, text: RulesText, splices: Sequence[Splice]) -> Edited:
    """Check the edits, and write them.

    Raises:
        RefusedEditError: there would be new problems.
    """
    name = text.file.path.name
    new = text.after(splices)
    if new == text.file.text:
        return Edited(changes=(), problems=(), file=name)
    with waiting(workplace.screen, CHECKING):
        problems, after = found.judge(new)
    if worse := [problem for problem in problems if problem not in found.found.problems]:
        raise RefusedEditError(worse)
    if after is None:
        raise ConfigurationError(f"{name} could not be read with this change; nothing was changed")
    text.file.save_text(new)
    return Edited(
        changes=changes(found.rules, after.rules),
        problems=tuple(problems),
        file=name,
        unmapped=unmapped_by(found.found.places, after.places),
    )
