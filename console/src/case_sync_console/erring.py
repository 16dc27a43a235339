"""Shell: what is on record of cases that did not arrive whole: shown, exported, tried again."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from case_sync_console.case_filter import of_case as condition_of
from case_sync_console.case_filter import to_18
from case_sync_console.case_numbers import ids_of
from case_sync_console.counts_words import counted
from case_sync_console.error_remedies import PLACE, with_process
from case_sync_console.error_rows import (
    COLUMNS,
    REJECTED,
    ErrorRow,
    Retry,
    cell,
    chosen,
    exported,
    identity,
    of_case,
    read_row,
    retry_of,
)
from case_sync_console.errors import OK, PARTIAL, CommandLineError, ConfigurationError
from case_sync_console.errors_screen import one_case, overview
from case_sync_console.looking import shown_rules
from case_sync_console.meltano import TARGET
from case_sync_console.private_files import new_private_file
from case_sync_console.resyncing import read_cases_again
from case_sync_console.waiting import waiting
from case_sync_console.workplace import Workplace

KEYS_AT_A_TIME = 500  # of one command line
CASES_AT_A_TIME = 200  # of one SOQL condition
FORMATS = ("csv", "jsonl")


def on_record(workplace: Workplace) -> list[ErrorRow]:
    """All rejected records and waiting associations."""
    with waiting(workplace.screen, "Looking ..."):
        lines = workplace.meltano.invoke_lines(TARGET, "--config=ENV", "--rejected=list", "--pending=list")
        rows = [row for line in lines if (row := read_row(line))]
        return _with_processes(workplace, rows) if any(PLACE in row.remedy for row in rows) else rows


def _with_processes(workplace: Workplace, rows: Sequence[ErrorRow]) -> list[ErrorRow]:
    """Commands with the support process that they are about; rules that can't be read have no say."""
    try:
        pipelines = shown_rules(workplace.meltano, workplace.rules_file().path)["pipelines"]
    except ConfigurationError:
        return list(rows)
    return [replace(row, remedy=with_process(row.remedy, row.reason, pipelines)) for row in rows]


def show_all(workplace: Workplace, *, as_json: bool) -> None:
    """By category, with reasons and remedies."""
    rows = on_record(workplace)
    if as_json:
        print(json.dumps([exported(row) for row in rows], ensure_ascii=False))  # noqa: T201 - what was asked for
    else:
        workplace.screen.print(overview(rows))


def show(workplace: Workplace, key: str) -> None:
    """One case whole, by Id or number."""
    (case_id,) = _ids(workplace, [key])
    title = to_18(case_id) if case_id == key else f"{key} ({case_id})"
    workplace.screen.print(one_case(title, of_case(on_record(workplace), case_id)))


def _ids(workplace: Workplace, names: Sequence[str]) -> list[str]:
    with waiting(workplace.screen, "Looking ..."):
        return ids_of(workplace, names)


# -- export


def export(workplace: Workplace, kind: str | None, path: Path | None) -> None:
    """Write all rows to a new file that only its owner reads, or to standard output.

    Raises:
        CommandLineError: the format is unknown, or the file is there already.
    """
    chosen_kind = kind or (path.suffix.removeprefix(".").lower() if path and path.suffix else "csv")
    if chosen_kind not in FORMATS:
        what = "--format" if kind else f"what the file's name ends with, '{chosen_kind}',"
        raise CommandLineError(f"{what} can be {' or '.join(FORMATS)}; --format says which")
    rows = on_record(workplace)
    with _place(path) as file:
        _write(rows, file, chosen_kind)
    if path:
        workplace.screen.print(f"{counted(len(rows), 'row')} written to {path}", markup=False)


@contextmanager
def _place(path: Path | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stdout
        return
    with new_private_file(path) as file:
        yield file


def _write(rows: Sequence[ErrorRow], file: IO[str], kind: str) -> None:
    if kind == "jsonl":
        file.writelines(json.dumps(exported(row), ensure_ascii=False) + "\n" for row in rows)
        return
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([cell(value) for value in exported(row).values()] for row in rows)


# -- retries


def retry(workplace: Workplace, keys: Sequence[str], category: str | None, *, everything: bool) -> int:
    """Try again what is meant, cases by Id or number; returns 0 when all of it is gone from the record, else 7.

    Raises:
        CommandLineError: nothing, or nothing that is there, is meant.
    """
    ids = _ids(workplace, keys)
    meant = chosen(on_record(workplace), ids, category, everything=everything)
    if not meant:
        workplace.screen.print("Nothing is on record that could be tried again.")
        return OK
    plan = retry_of(meant)
    _from_ledger(workplace, "--rejected=retry", plan.from_ledger)
    _from_ledger(workplace, "--pending=retry", plan.waiting)
    for part in _parts(_to_read_again(workplace, plan), CASES_AT_A_TIME):
        read_cases_again(workplace, " OR ".join(condition_of(key) for key in part))
    return _tell(workplace, meant)


def _to_read_again(workplace: Workplace, plan: Retry) -> list[str]:
    """Also those that HubSpot refused once more: the repair may have been made in Salesforce, or in the rules."""
    if not plan.from_ledger:
        return list(plan.read_again)
    refused = {row.key for row in on_record(workplace) if row.kind == REJECTED}
    return [*plan.read_again, *(key for key in plan.from_ledger if key in refused)]


def _from_ledger(workplace: Workplace, command: str, keys: Sequence[str]) -> None:
    """A record that is refused once more stays on record; the target says no error for that."""
    for part in _parts(keys, KEYS_AT_A_TIME):
        named = [word for key in part for word in ("--key", key)]
        with waiting(workplace.screen, "Trying again ..."):
            workplace.meltano.invoke(TARGET, "--config=ENV", command, *named)


def _parts(keys: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def _tell(workplace: Workplace, meant: Sequence[ErrorRow]) -> int:
    """What of it is still on record, and what is new of the same cases: a ticket that arrived may wait for its company."""
    keys = {row.key for row in meant}
    left = [row for row in on_record(workplace) if row.key in keys]
    before = {identity(row) for row in meant}
    still = {row.key for row in left if identity(row) in before}
    words = f"{counted(len(keys), 'case')} tried again: {len(keys - still):,} done, {len(still):,} still on record."
    if others := {row.key for row in left} - still:
        words += f" Of those that arrived, {len(others):,} wait for an association."
    workplace.screen.print(words)
    if left:
        workplace.screen.print(overview(left))
    return PARTIAL if still else OK
