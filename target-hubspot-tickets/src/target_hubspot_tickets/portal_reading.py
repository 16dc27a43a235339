"""Shell: reads what preflight judges, many calls side by side; what the token may not read is collected, not raised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import HubSpotAnswerError, reading
from target_hubspot_tickets.needs import Needs
from target_hubspot_tickets.owners import read_owners
from target_hubspot_tickets.portal import read_pipelines, read_properties
from target_hubspot_tickets.preflight import Found
from target_hubspot_tickets.protocol import Api, Call
from target_hubspot_tickets.scopes import MISSING_SCOPES, Forbidden, forbidden

FORBIDDEN = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """A call and what it is for. A probe writes nothing and reads nothing: only a missing scope counts as its answer.

    That HubSpot looks at the scopes before it looks at the empty `inputs` is inferred, not documented.
    """

    call: Call
    purpose: str
    is_probe: bool = False
    is_needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What was read, and what may not be: `unneeded` does not keep a run from starting."""

    account: Mapping[str, Any]
    found: Found
    refused: Sequence[Forbidden]
    unneeded: Sequence[Forbidden]


class PortalQuestions:
    """All that a stream needs to know of the portal, asked at once; who asks may do other things until the answers are there."""

    def __init__(self, client: HubSpotClient, api: Api, needs: Needs, *, is_alone: bool) -> None:
        """Send the calls; `is_alone`: there is no stream, so that only tickets have to be accessible."""
        self._client, self._api = client, api
        self._questions = _of_tickets(api) | _of_needs(api, needs, is_needed=not is_alone)
        self._asked = {
            name: client.submit(one.call.bucket, _asker(client), one) for name, one in self._questions.items()
        }

    def account(self) -> Mapping[str, Any] | None:
        """The account's details as soon as they are there; None where the token may not read them."""
        answer = self._asked["account"].result()
        return None if isinstance(answer, Forbidden) else answer

    def readings(self) -> Readings:
        """The answers.

        Raises:
            TokenRefusedError: the token is none; nothing else can be known.
            TargetError: HubSpot gives no answer.
        """
        questions = self._questions
        answers = {name: future.result() for name, future in self._asked.items()}
        refused = {name: answer for name, answer in answers.items() if isinstance(answer, Forbidden)}
        bodies = {name: answer for name, answer in answers.items() if not isinstance(answer, Forbidden)}
        return Readings(
            account=bodies.get("account", {}),
            found=_found(self._client, self._api, bodies),
            refused=[one for name, one in refused.items() if questions[name].is_needed],
            unneeded=[one for name, one in refused.items() if not questions[name].is_needed],
        )


def _of_tickets(api: Api) -> dict[str, _Question]:
    return {
        "account": _Question(call=api.account(), purpose="read the account's details"),
        "properties": _Question(call=api.properties("tickets"), purpose="read the properties of tickets"),
        "groups": _Question(call=api.property_groups(), purpose="read the groups of ticket properties"),
        "pipelines": _Question(call=api.pipelines(), purpose="read ticket pipelines"),
        "write": _Question(call=api.upsert({"inputs": []}), purpose="write tickets", is_probe=True),
    }


def _of_needs(api: Api, needs: Needs, *, is_needed: bool) -> dict[str, _Question]:
    questions: dict[str, _Question] = {}

    def add(name: str, call: Call, purpose: str, *, is_probe: bool = False) -> None:
        questions[name] = _Question(call=call, purpose=purpose, is_probe=is_probe, is_needed=is_needed)

    for other in (name for name in needs.lookups if name != "tickets"):
        add(f"properties {other}", api.properties(other), f"read the properties of {other}")
        add(f"look up {other}", api.read_by(other, None, []), f"look up {other}", is_probe=True)
    for other in (name for name in needs.objects if name != "tickets"):
        probe = api.associations(other, "batch/associate/default", [])
        add(f"associate {other}", probe, f"associate tickets with {other}", is_probe=True)
    for other in needs.labels:
        add(f"labels {other}", api.labels(other), f"read the labels of associations with {other}")
    if needs.owners:
        add("owners", api.owners(None), "read owners")
    return questions


def _asker(client: HubSpotClient) -> Callable[[_Question], dict[str, Any] | Forbidden]:
    def ask(question: _Question) -> dict[str, Any] | Forbidden:
        try:
            return client.send(question.call, forbidden_is_answer=True)
        except HubSpotAnswerError as error:
            lacks_scope = error.category == MISSING_SCOPES or not question.is_probe
            if error.status == FORBIDDEN and lacks_scope:
                return forbidden(question.purpose, error.body)
            if question.is_probe:
                return {}
            raise

    return ask


@reading("what a portal has")
def _found(client: HubSpotClient, api: Api, bodies: Mapping[str, Mapping[str, Any]]) -> Found:
    def of(kind: str) -> dict[str, Mapping[str, Any]]:
        return {name.removeprefix(kind): body for name, body in bodies.items() if name.startswith(kind)}

    groups = bodies.get("groups")
    return Found(
        properties=read_properties(bodies["properties"]) if "properties" in bodies else None,
        pipelines=read_pipelines(bodies["pipelines"]) if "pipelines" in bodies else None,
        owners=read_owners(_all_owners(client, api, bodies["owners"])) if "owners" in bodies else None,
        groups=frozenset(str(g["name"]) for g in groups["results"]) if groups else None,
        others={name: read_properties(body) for name, body in of("properties ").items()},
        labels={name: _labels(body) for name, body in of("labels ").items()},
    )


def _labels(body: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(str(one["label"]).lower() for one in body.get("results") or () if one.get("label"))


def _all_owners(client: HubSpotClient, api: Api, first: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The owners of all pages."""
    owners, page = list(first.get("results") or ()), first
    while after := ((page.get("paging") or {}).get("next") or {}).get("after"):
        page = client.send(api.owners(str(after)))
        owners += page.get("results") or ()
    return owners
