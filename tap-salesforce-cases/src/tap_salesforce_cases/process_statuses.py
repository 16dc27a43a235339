"""Shell: which case statuses each support process allows: a process is chosen by record types, and theirs is the picklist.

Source: User Interface API, Get Values for a Picklist Field (version 41.0 and later).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from tap_salesforce_cases.errors import SalesforceAnswerError
from tap_salesforce_cases.session import SalesforceSession

logger = logging.getLogger("tap-salesforce-cases")
Records = Sequence[Mapping[str, Any]]
NOT_FOR_THIS_USER = {400, 403, 404}


def statuses_by_process(
    session: SalesforceSession, processes: Records, record_types: Records
) -> dict[str, list[str]]:
    """Name of a support process -> its statuses. Of one without an active record type nothing is known, and no case has it."""
    chosen = {str(r["BusinessProcessId"]): str(r["Id"]) for r in record_types if r["IsActive"]}
    found: dict[str, list[str]] = {}
    for process in processes:
        record_type = chosen.get(str(process["Id"]))
        statuses = _statuses(session, record_type) if record_type else None
        if statuses is not None:
            found[str(process["Name"])] = statuses
    return found


def _statuses(session: SalesforceSession, record_type: str) -> list[str] | None:
    path = f"{session.base_path}/ui-api/object-info/Case/picklist-values/{record_type}/Status"
    try:
        return [str(one["value"]) for one in session.get(path).json["values"]]
    except SalesforceAnswerError as error:
        if error.status not in NOT_FOR_THIS_USER:
            raise
        logger.warning("Which statuses record type %s allows is not known: %s", record_type, error)
        return None
