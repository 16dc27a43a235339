"""Core: the tables that `show` prints, from what the admin calls say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table


def counts(shown: Mapping[str, Any]) -> Table:
    """How many records each half holds."""
    table = Table(title="What there is", title_justify="left")
    for name in ("", "live", "deleted or archived"):
        table.add_column(name, justify="left" if not name else "right")
    salesforce, hubspot = shown["salesforce"], shown["hubspot"]
    table.add_row("Salesforce cases", f"{salesforce['cases']:,}", f"{salesforce['deleted']:,}")
    for name in ("tickets", "companies", "contacts"):
        table.add_row(f"HubSpot {name}", f"{hubspot['records'][name]:,}", f"{hubspot['archived'][name]:,}")
    table.add_row("HubSpot owners", f"{hubspot['owners']:,}", "")
    for name, number in hubspot["associations"].items():
        table.add_row(f"associations {name.replace('_', ' ')}", f"{number:,}", "")
    return table


def pipelines(hubspot: Mapping[str, Any]) -> Table:
    """Tickets per pipeline and stage, in the order that HubSpot shows them."""
    table = Table(title="Tickets by pipeline and stage", title_justify="left")
    for name in ("pipeline", "stage", ""):
        table.add_column(name)
    table.add_column("tickets", justify="right")
    for pipeline in hubspot["pipelines"]:
        for number, stage in enumerate(pipeline["stages"]):
            last = number == len(pipeline["stages"]) - 1
            table.add_row(
                pipeline["label"] if number == 0 else "",
                stage["label"],
                "closed" if stage["closed"] else "",
                f"{stage['tickets']:,}",
                end_section=last,
            )
    return table


def summary(shown: Mapping[str, Any]) -> Group:
    """Counts and pipelines."""
    return Group(counts(shown), pipelines(shown["hubspot"]))


def cases(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The cases changed last."""
    table = Table(title="Cases changed last", title_justify="left")
    for name in ("number", "subject", "status", "record type", "account", "modified"):
        table.add_column(name, overflow="ellipsis", max_width=40, no_wrap=True)
    for row in rows:
        table.add_row(*(_text(row.get(name)) for name in CASE_COLUMNS))
    return table


CASE_COLUMNS = ("CaseNumber", "Subject", "Status", "RecordType", "Account", "SystemModstamp")


def tickets(shown: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Group:
    """Pipelines, and the tickets written last with their companies and contacts."""
    labels = {
        (p["id"], s["id"]): (p["label"], s["label"])
        for p in shown["hubspot"]["pipelines"]
        for s in p["stages"]
    }
    table = Table(title="Tickets written last", title_justify="left")
    for name in ("ticket", "subject", "pipeline", "stage", "case", "companies", "contacts"):
        table.add_column(name, overflow="ellipsis", max_width=36, no_wrap=True)
    for row in rows:
        values, linked = row["properties"], row["associations"]
        place = labels.get((values.get("hs_pipeline"), values.get("hs_pipeline_stage")), ("?", "?"))
        table.add_row(
            row["id"],
            _text(values.get("subject")),
            *place,
            _text(values.get("salesforce_case_id")),
            *(", ".join(one["name"] for one in linked.get(name, [])) for name in ("companies", "contacts")),
        )
    return Group(pipelines(shown["hubspot"]), table)


def _text(value: Any) -> str:
    return "" if value is None else str(value).replace("\n", " ")
