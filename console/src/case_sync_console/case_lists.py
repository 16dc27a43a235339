"""Shell: all cases of a scope, put to HubSpot: which have no ticket. The tap lists, the target looks; little is held in memory."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from case_sync_console.case_filter import literal
from case_sync_console.errors import PluginError
from case_sync_console.meltano import TAP, TARGET, Meltano, last_words

FROM_ENVIRONMENT = "--config=ENV"
# All cases, whatever the sync's scope, and of them no more than is asked: a case that left the scope has changed, too.
CHANGES = {
    "TAP_SALESFORCE_CASES_SYNC_STATUS": "active",
    "TAP_SALESFORCE_CASES_WHERE": "",
    "TAP_SALESFORCE_CASES_RECORD_TYPES_INCLUDE": "[]",
    "TAP_SALESFORCE_CASES_RECORD_TYPES_EXCLUDE": "[]",
    "TAP_SALESFORCE_CASES_START_NOW": "false",
    "TAP_SALESFORCE_CASES_SAMPLE_SIZE": "0",
    "TAP_SALESFORCE_CASES_SOFT_DELETES": "true",
    "TAP_SALESFORCE_CASES_HARD_DELETES": "true",
    "TAP_SALESFORCE_CASES_RECONCILE": "false",
    "TAP_SALESFORCE_CASES_RECONCILE_DAYS": "0",
    "TAP_SALESFORCE_CASES_REPORT_PATH": "",
    "TAP_SALESFORCE_CASES__SELECT": '["cases.Id", "cases.SystemModstamp"]',
}


@dataclass(slots=True, kw_only=True)
class Compared:
    """What the two systems hold.

    Attributes:
        cases: in scope.
        tickets: found by the id of one of them.
        without_ticket: ids of cases without one.
        changed_since: ids of cases that were created or changed at or after the moment asked for.
    """

    cases: int = 0
    tickets: int = 0
    without_ticket: list[str] = field(default_factory=list)
    changed_since: set[str] = field(default_factory=set)


def count_cases(meltano: Meltano) -> int:
    """How many cases are in scope."""
    return int(meltano.invoke_json(TAP, FROM_ENVIRONMENT, "--count-cases")["cases"])


@contextmanager
def counted(meltano: Meltano) -> Iterator[Callable[[], int | None]]:
    """How many cases there are, asked for while the run starts; None until it is known, or where it can't be told."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        asked: Future[int] = pool.submit(count_cases, meltano)
        yield lambda: asked.result() if asked.done() and not asked.exception() else None


def compare(meltano: Meltano, changed_since: datetime) -> Compared:
    """List the cases and look for their tickets, side by side.

    Raises:
        PluginError: one of the two could not.
    """
    found = Compared()
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as tap_errors,
        tempfile.TemporaryFile("w+", encoding="utf-8") as answers,
        tempfile.TemporaryFile("w+", encoding="utf-8") as target_errors,
    ):
        streams = {"stdin": subprocess.PIPE, "stdout": answers, "stderr": target_errors}
        with (
            meltano.started(
                TAP, FROM_ENVIRONMENT, "--list-cases", stdout=subprocess.PIPE, stderr=tap_errors
            ) as tap,
            meltano.started(TARGET, FROM_ENVIRONMENT, "--missing", **streams) as target,
        ):
            _hand_over(tap, target, found, changed_since)
        _check(TAP, tap.returncode, tap_errors)
        _check(TARGET, target.returncode, target_errors)
        answers.seek(0)
        for answer in _objects(answers):
            if "key" in answer:
                found.without_ticket.append(str(answer["key"]))
            elif "tickets" in answer:
                found.tickets = int(str(answer["tickets"]))
    return found


def changed_since(meltano: Meltano, moment: datetime) -> set[str]:
    """Ids of cases that were created, changed, deleted or purged at or after a moment of Salesforce's clock.

    Raises:
        PluginError: the tap could not.
    """
    given = meltano.given({**CHANGES, "TAP_SALESFORCE_CASES_START_DATE": literal(moment)})
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        with given.started(TAP, stdout=subprocess.PIPE, stderr=errors) as tap:
            found = {one for message in _objects(tap.stdout) if (one := _changed(message, moment))}
        _check(TAP, tap.returncode, errors)
    return found


def _changed(message: Mapping[str, Any], moment: datetime) -> str | None:
    """The id of a Singer record of a case, if it is of that time; a purged one has the moment of its deletion only."""
    record = message.get("record") or {}
    at = record.get("_sdc_deleted_at") or record.get("SystemModstamp")
    if message.get("type") != "RECORD" or message.get("stream") != "cases" or not at:
        return None
    return str(record["Id"]) if datetime.fromisoformat(str(at)) >= moment else None


def _hand_over(
    tap: subprocess.Popen[str], target: subprocess.Popen[str], found: Compared, changed_since: datetime
) -> None:
    """Each case to the target, counted on the way. A target that ended takes no more: its own words tell why."""
    with suppress(BrokenPipeError):
        for case in _objects(tap.stdout):
            found.cases += 1
            if datetime.fromisoformat(str(case["SystemModstamp"])) >= changed_since:
                found.changed_since.add(str(case["Id"]))
            if target.stdin:
                target.stdin.write(str(case["Id"]) + "\n")
    with suppress(BrokenPipeError):
        if target.stdin:
            target.stdin.close()
    for _rest in tap.stdout or ():
        pass


def _objects(lines: IO[str] | None) -> Iterator[dict[str, object]]:
    for line in lines or ():
        if line.startswith("{"):
            yield json.loads(line)


def _check(plugin: str, exit_code: int, errors: IO[str]) -> None:
    if exit_code:
        errors.seek(0)
        raise PluginError(plugin, exit_code, last_words(errors.read()))
