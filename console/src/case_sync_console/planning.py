"""Shell: the preview: asks both systems, the mapper, the target, and git for what was committed; writes nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

from case_sync_console.case_rows import CaseRow, case_rows
from case_sync_console.definition import setting, sync_status
from case_sync_console.errors import CONFIGURATION, ConsoleError
from case_sync_console.looking import Look, look, together
from case_sync_console.meltano import TAP
from case_sync_console.preview import Circumstances, Preview, previewed
from case_sync_console.remedies import Problem, of_portal, of_rules
from case_sync_console.rule_changes import changes
from case_sync_console.sampling import Asked, Sampled, sampled_with_numbers
from case_sync_console.switching import NEW
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace

CHECKING = "Asking HubSpot whether it would take such tickets ..."
EMPTY_ORG = Problem(
    text="Salesforce has no case, no case status and no support process: the org is empty, or the Salesforce user may not read them",
    remedy="give the user read access; a sandbox is filled with: case-sync-sandbox seed",
)
TRYING = "Trying the rules on real cases ..."


def plan(workplace: Workplace, asked: Asked) -> Preview:
    """The preview of the sync as it is set up now.

    Raises:
        ConsoleError: a system can't be reached or refuses, or the rules can't be read.
    """
    with look(workplace, earlier=committed(workplace)) as found:
        return preview(workplace, found, asked, since="since the last commit")


def preview(workplace: Workplace, found: Look, asked: Asked, *, since: str) -> Preview:
    """The preview of what was found; its changes are those since the earlier rules, which `since` names."""
    with waiting(workplace.screen, TRYING if asked.is_any else CHECKING):
        portal, sample = together(
            found.preflight, lambda: sampled_with_numbers(workplace, asked) if asked.is_any else None
        )
    return previewed(
        found.rules,
        found.found.places,
        found.sides,
        Circumstances(
            environment=workplace.environment,
            sync=_sync(workplace),
            problems=tuple(_problems(found, portal, sample)),
            notes=tuple(portal.get("notes") or ()),
            changes=None if found.earlier is None else changes(found.earlier, found.rules),
            changes_since=since,
            cases=None if sample is None else _cases(sample, found, asked),
        ),
    )


def _sync(workplace: Workplace) -> str:
    document = workplace.definition().document
    is_set = setting(document, workplace.environment, TAP, "sync_status") is not None
    return sync_status(document, workplace.environment) if is_set else NEW


def _cases(sample: Sampled, found: Look, asked: Asked) -> tuple[CaseRow, ...]:
    names = () if sample.failure else asked.cases  # nothing is known of them then
    return case_rows(sample.lines, found.sides, names, sample.numbers)


def _problems(found: Look, portal: Mapping[str, Any], sample: Sampled | None) -> list[Problem]:
    if not (found.sides.cases or found.sides.statuses or found.sides.processes):
        return [EMPTY_ORG]  # each rule would be a problem of its own
    of_the_rules = of_rules(found.found.problems, found.file)
    problems = [*of_the_rules, *of_portal(portal.get("problems") or (), of_the_rules)]
    if not problems and sample and sample.failure:
        problems.append(Problem(text=str(sample.failure), remedy=_remedy(sample.failure)))
    return problems


def _remedy(failure: ConsoleError) -> str:
    return (
        ""
        if failure.exit_code == CONFIGURATION
        else "try again; case-sync plan without cases looks at the rules alone"
    )


def committed(workplace: Workplace) -> str | None:
    """The text of the file with the rules at git's last commit, where it differs from now; None without git."""
    file = workplace.rules_file()
    try:
        done = subprocess.run(
            ["git", "show", f"HEAD:./{file.path.relative_to(workplace.folder)}"],  # noqa: S607
            cwd=workplace.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        text = done.stdout.decode("utf-8")
    except (OSError, ValueError):
        return None
    return text if done.returncode == 0 and text != file.text else None
