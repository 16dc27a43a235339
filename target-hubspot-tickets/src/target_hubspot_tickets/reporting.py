"""Shell: the report of a run: the last lines of the log, and the file of report_path."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from target_hubspot_tickets.errors import SettingError
from target_hubspot_tickets.hints import hint
from target_hubspot_tickets.private_files import OWNER_ONLY, write_privately
from target_hubspot_tickets.report import Report

logger = logging.getLogger("target-hubspot-tickets")


def try_path(settings: Mapping[str, Any]) -> None:
    """Told at the start, not when everything is written.

    Raises:
        SettingError: report_path can't be written.
    """
    if path := settings["report_path"]:
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ONLY))
        except OSError as error:
            raise SettingError(f"report_path can't be written: {error.strerror}") from None


def tell(report: Report, settings: Mapping[str, Any]) -> None:
    """What the run did, and what to look at.

    Raises:
        SettingError: report_path can't be written any more.
    """
    logger.info(report.line(plan_path=settings["plan_path"] if settings["dry_run"] else None))
    if report.rejected:
        reasons = ", ".join(f"{count} {code}" for code, count in report.rejected_by_code.most_common(5))
        logger.warning(
            "%s records were rejected (%s). %s. What HubSpot refused is tried again by the next run; a case that a rule refused "
            "comes with its next change, or with a full refresh",
            report.rejected,
            reasons,
            hint("See them", "rejected"),
        )
    if path := settings["report_path"]:
        try:
            write_privately(Path(path), json.dumps(report.as_json()) + "\n")
        except OSError as error:
            raise SettingError(f"report_path can't be written: {error.strerror}") from None
