"""Shell: which cases Ids and numbers stand for, as the tap lists the cases that the sync reads."""

from __future__ import annotations

from collections.abc import Sequence

from case_sync_console.case_filter import CASE_ID, CASE_NUMBER
from case_sync_console.id_batches import batches
from case_sync_console.meltano import TAP
from case_sync_console.scoping import case_condition
from case_sync_console.workplace import Workplace

NAMES_AT_A_TIME = 200


def known_cases(workplace: Workplace, names: Sequence[str]) -> dict[str, str]:
    """Id -> CaseNumber of those of the cases that the sync reads now; deleted ones are not among them."""
    found: dict[str, str] = {}
    for part in batches(names, NAMES_AT_A_TIME):
        where = {"TAP_SALESFORCE_CASES_WHERE": case_condition(workplace, part)}
        lines = workplace.meltano.invoke_lines(TAP, "--config=ENV", "--list-cases", **where)
        found |= {str(line["Id"]): str(line["CaseNumber"]) for line in lines}
    return found


def ids_of(workplace: Workplace, names: Sequence[str]) -> list[str]:
    """The Id for each number; an Id, and a number of which nothing is known, stay as they are."""
    numbers = [name for name in names if CASE_NUMBER.fullmatch(name) and not CASE_ID.fullmatch(name)]
    ids = {number: case_id for case_id, number in known_cases(workplace, numbers).items()}
    return [ids.get(name, name) for name in names]
