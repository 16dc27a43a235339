"""Shell: the search call."""

from __future__ import annotations

import re
from typing import Any

import orjson

from case_sync_sandbox.hubspot.answer_batches import object_type_of, rendered
from case_sync_sandbox.hubspot.hub import Answer, Call
from case_sync_sandbox.hubspot.record import Record, shown_properties
from case_sync_sandbox.hubspot.search_filters import read_search


def search(call: Call) -> Answer:
    """POST search: sees writes after the portal's lag, never archived records, and at most 10,000 of a query's results."""
    object_type = object_type_of(call)
    properties = call.hub.portal.live_properties(object_type)
    lagging = _drop_visible(call, object_type)
    source, raw = _source(object_type, lagging=lagging)
    asked = read_search(call.body, call.body_size, properties, raw)
    where, parameters = asked.where.sql, asked.where.parameters
    with call.hub.database.reading() as connection:
        connection.create_function("contains_token", 2, contains_token, deterministic=True)
        total = connection.execute(f"SELECT count(*) FROM {source} AND {where}", parameters).fetchone()[0]
        rows = connection.execute(
            f"SELECT id, {_shown(object_type, lagging=lagging)}, created_at, updated_at FROM {source} AND {where}"
            f" ORDER BY {asked.order_by} LIMIT ? OFFSET ?",
            (*parameters, asked.limit, asked.offset),
        ).fetchall()
    records = [
        Record(id=row[0], properties=orjson.loads(row[1]), created_at=row[2], updated_at=row[3])
        for row in rows
    ]
    body: dict[str, Any] = {
        "total": total,
        "results": rendered(call.hub, object_type, records, shown_properties(object_type, asked.properties)),
    }
    if asked.offset + len(records) < total:
        after = str(asked.offset + len(records))
        body["paging"] = {"next": {"after": after, "link": f"?after={after}"}}
    return Answer(body=body)


def _drop_visible(call: Call, object_type: str) -> bool:
    """Forget old states whose time is over; says whether any is left."""
    with call.hub.database.transaction() as connection:
        connection.execute("DELETE FROM search_index_lag WHERE visible_at <= ?", (call.hub.now(),))
        row = connection.execute(
            "SELECT 1 FROM search_index_lag WHERE object_type = ? LIMIT 1", (object_type,)
        ).fetchone()
    return row is not None


def _shown(object_type: str, *, lagging: bool) -> str:
    return (
        "CASE WHEN lag_id IS NULL THEN properties ELSE lagged END" if lagging else f"{object_type}.properties"
    )


def _source(object_type: str, *, lagging: bool) -> tuple[str, Any]:
    """The rows that search sees, and the SQL of a property of them."""
    if not lagging:
        return (
            f"{object_type} WHERE archived = 0",
            lambda name: f"json_extract({object_type}.properties, '$.{name}')",
        )
    source = (
        f"(SELECT r.*, l.id AS lag_id, l.properties AS lagged FROM {object_type} AS r LEFT JOIN search_index_lag AS l"
        f" ON l.object_type = '{object_type}' AND l.id = r.id) WHERE archived = 0"
        " AND (lag_id IS NULL OR lagged IS NOT NULL)"
    )
    return source, lambda name: f"json_extract({_shown(object_type, lagging=True)}, '$.{name}')"


def contains_token(text: str | None, wanted: str) -> bool:
    """Whether a word of the text is the wanted one; * stands for any characters."""
    if text is None:
        return False
    if "*" in wanted:
        pattern = ".*".join(re.escape(part) for part in wanted.split("*"))
        return any(re.fullmatch(pattern, word) for word in re.findall(r"\S+", text))
    return all(word in set(re.findall(r"\w+", text)) for word in re.findall(r"\w+", wanted))
