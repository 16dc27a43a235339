"""Shell: owners, the account's details, the OAuth token, the limits of associations."""

from __future__ import annotations

from typing import Any

from case_sync_sandbox.hubspot.answer_batches import object_type_of
from case_sync_sandbox.hubspot.association_types import DEFAULT_TYPES
from case_sync_sandbox.hubspot.defaults import PORTAL_ID
from case_sync_sandbox.hubspot.errors import HubSpotError, not_found, validation_error
from case_sync_sandbox.hubspot.hub import Answer, Call

MAX_OWNERS = 500  # the maximum is not documented


def list_owners(call: Call) -> Answer:
    """GET the owners in order of id; deactivated ones only with archived=true; `email` finds one."""
    limit_text = call.query.get("limit", "100")
    if not limit_text.isdigit() or not 1 <= int(limit_text) <= MAX_OWNERS:
        raise validation_error(f"limit must be between 1 and {MAX_OWNERS}")
    archived = call.query.get("archived") == "true"
    email = call.query.get("email", "").lower()
    after = int(call.query.get("after") or 0)
    chosen = sorted(
        (
            owner
            for owner in call.hub.portal.owners.values()
            if owner.archived == archived and (not email or owner.email.lower() == email)
        ),
        key=lambda owner: int(owner.id),
    )
    rest = [owner for owner in chosen if int(owner.id) > after]
    page = rest[: int(limit_text)]
    body: dict[str, Any] = {"results": [owner.as_json() for owner in page]}
    if len(rest) > len(page):
        body["paging"] = {"next": {"after": page[-1].id, "link": f"?after={page[-1].id}"}}
    return Answer(body=body)


def read_owner(call: Call) -> Answer:
    """GET one by `id`, or with idProperty=userId by the user's id."""
    text = call.path["owner_id"]
    archived = call.query.get("archived") == "true"
    by_user = call.query.get("idProperty") == "userId"
    for owner in call.hub.portal.owners.values():
        if owner.archived == archived and text == str(owner.user_id if by_user else owner.id):
            return Answer(body=owner.as_json())
    raise not_found(f"No owner found for {text}")


def account_details(_call: Call) -> Answer:
    """GET the account's details: proves the token at little cost."""
    return Answer(
        body={
            "portalId": PORTAL_ID,
            "accountType": "STANDARD",
            "timeZone": "US/Eastern",
            "companyCurrency": "USD",
            "additionalCurrencies": [],
            "utcOffset": "-05:00",
            "utcOffsetMilliseconds": -18_000_000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        },
    )


def token(call: Call) -> Answer:
    """POST the refresh of an OAuth token; a form, not JSON."""
    hub = call.hub
    form = call.body if isinstance(call.body, dict) else {}
    told = hub.access.token(form, hub.clock.now().timestamp(), hub.portal.settings.missing_scopes)
    if told.status != 200:
        raise HubSpotError(status=told.status, category="OAUTH", message=told.body["message"], body=told.body)
    return Answer(body=told.body)


def association_limits(call: Call) -> Answer:
    """GET the records near or at the limit of associations between two types, and the limit itself."""
    from_type, to_type = object_type_of(call, "from_type"), object_type_of(call, "to_type")
    kind = DEFAULT_TYPES.get((from_type, to_type))
    if kind is None:
        raise validation_error(f"There are no associations from {from_type} to {to_type}")
    limit = call.hub.portal.settings.association_limits.get(f"{from_type}_to_{to_type}")
    return Answer(
        body={
            "results": [{"associationTypeId": kind.type_id, "label": None, "limit": limit}]
            if limit is not None
            else []
        }
    )


def record_limits(call: Call) -> Answer:
    """GET how many records of each type there are."""
    return Answer(
        body={
            "results": [
                {"objectType": name, "usage": call.hub.records.count(name)}
                for name in ("contacts", "companies", "tickets")
            ]
        }
    )
