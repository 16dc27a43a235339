"""Shell: what a run does before its first write: reads the portal, refuses what can't work, creates what may be created."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.errors import HubSpotAnswerError, PreflightError, reading
from target_hubspot_tickets.needs import OF_ANY_STREAM, needs_of
from target_hubspot_tickets.option_adding import OptionAdder
from target_hubspot_tickets.owners import Owners
from target_hubspot_tickets.portal import Portal, Property, read_properties
from target_hubspot_tickets.portal_reading import PortalQuestions, Readings
from target_hubspot_tickets.preflight import Asked, Plan, plan
from target_hubspot_tickets.protocol import Api, Call
from target_hubspot_tickets.scopes import forbidden, scope_problems
from target_hubspot_tickets.ticket_properties import Creation, listed
from target_hubspot_tickets.tickets import Choices

CONFLICT, FORBIDDEN = 409, 403
LISTED_TRIES = 6
BATCH = 100  # properties that one call creates


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A portal in which everything fits. `portal_id` and `time_zone` are "" where the token may not read the account.

    Attributes:
        time_zone: IANA name.
        notes: what was created, or would be; what is left out.
        others: properties of the other objects that are looked up.
    """

    portal_id: str
    time_zone: str
    portal: Portal
    notes: tuple[str, ...]
    others: Mapping[str, Mapping[str, Property]]


def ask_portal(client: HubSpotClient, api: Api, columns: Mapping[str, Any] | None) -> PortalQuestions:
    """What `open_portal` has to know, asked beforehand, so that other things can be done until the answers are there."""
    needs = OF_ANY_STREAM if columns is None else needs_of(columns)
    return PortalQuestions(client, api, needs, is_alone=columns is None)


def open_portal(  # noqa: PLR0913 - the settings that it goes by
    client: HubSpotClient,
    api: Api,
    columns: Mapping[str, Any] | None,
    choices: Choices,
    *,
    may_create: bool,
    may_create_options: bool,
    property_group: str,
    read_only: bool = False,
    questions: PortalQuestions | None = None,
) -> Opened:
    """The portal, ready for a stream with these columns (name -> JSON Schema), or None to look at the portal alone.

    With `read_only` nothing is created: the notes say what would be. `questions` are those of `ask_portal`, if it was called.

    Raises:
        PreflightError: all that does not fit; nothing was written.
        TokenRefusedError: the token is none.
    """
    needs = OF_ANY_STREAM if columns is None else needs_of(columns)
    creation = Creation(properties=may_create, options=may_create_options, group=property_group)
    readings = (questions or ask_portal(client, api, columns)).readings()
    planned = plan(Asked(columns=columns, needs=needs, choices=choices, creation=creation), readings.found)
    if problems := [*scope_problems(readings.refused), *planned.problems]:
        raise PreflightError(problems)
    known = readings.found.properties or {}
    would_be = planned.created() | planned.changed(known)
    made = would_be if read_only else _create(client, api, planned)
    return Opened(
        portal_id=str(readings.account.get("portalId") or ""),
        time_zone=str(readings.account.get("timeZone") or ""),
        portal=Portal(
            properties={**known, **made},
            pipelines=readings.found.pipelines or (),
            owners=readings.found.owners or Owners(),
        ),
        notes=_notes(planned, readings, "would create" if read_only else "created"),
        others=readings.found.others,
    )


def _notes(planned: Plan, readings: Readings, verb: str) -> tuple[str, ...]:
    names = [str(body["name"]) for body in planned.create]
    return (
        *planned.notes,
        *([f"{verb} the group of ticket properties '{planned.group}'"] if planned.group else []),
        *([f"{verb} the ticket properties {listed(names)}"] if names else []),
        *(f"{verb} options of '{name}': {listed(values)}" for name, values in planned.options.items()),
        *(f"not needed by every stream: {problem}" for problem in scope_problems(readings.unneeded)),
    )


# -- what is created


def _create(client: HubSpotClient, api: Api, planned: Plan) -> dict[str, Property]:
    """The new and changed properties once they are there; what another run has created meanwhile is no error."""
    if planned.group:
        title = planned.group.replace("_", " ").title()
        _post(client, api.create_property_group(planned.group, title), f"create the group '{planned.group}'")
    _create_properties(client, api, planned.create)
    created = _listed_properties(client, api, planned) if planned.create else {}
    _check_created(planned, created)
    adder = OptionAdder(client, api)
    for name, values in planned.options.items():
        if changed := adder.add(name, values):
            created[name] = changed
    return created


def _create_properties(client: HubSpotClient, api: Api, bodies: Sequence[Mapping[str, Any]]) -> None:
    """In one call; then one by one what it did not make: only an answer of its own says why."""
    made = _made_together(client, api, bodies[:BATCH]) if len(bodies) > 1 else set()
    for body in bodies:
        if body["name"] not in made:
            _post(client, api.create_property(body), f"create the ticket property '{body['name']}'")


def _made_together(client: HubSpotClient, api: Api, bodies: Sequence[Mapping[str, Any]]) -> set[str]:
    try:
        answer = client.send(api.create_properties(bodies), forbidden_is_answer=True)
    except HubSpotAnswerError:
        return set()
    with reading("properties that were created"):
        return {str(one.get("name")) for one in answer.get("results") or ()}


def _post(client: HubSpotClient, call: Call, purpose: str) -> None:
    try:
        client.send(call, forbidden_is_answer=True)
    except HubSpotAnswerError as error:
        if error.status == FORBIDDEN:
            raise PreflightError(scope_problems([forbidden(purpose, error.body)])) from None
        if error.status != CONFLICT:
            raise PreflightError([f"HubSpot refuses to {purpose}: {error}; create it by hand"]) from None


def _listed_properties(client: HubSpotClient, api: Api, planned: Plan) -> dict[str, Property]:
    """The properties once the new ones are among them: HubSpot may take a moment."""
    names = {str(body["name"]) for body in planned.create}
    retrying = Retrying(
        retry=retry_if_result(lambda found: not names <= found.keys()),
        stop=stop_after_attempt(LISTED_TRIES),
        wait=wait_exponential(multiplier=0.5, max=8),
        sleep=client.pause,
        retry_error_callback=_give_up,
    )
    found: dict[str, Property] = retrying(lambda: read_properties(client.send(api.properties("tickets"))))
    return found


def _give_up(_state: RetryCallState) -> None:
    raise PreflightError(
        ["HubSpot does not list the properties that were created a moment ago: run again in a minute"]
    )


def _check_created(planned: Plan, properties: Mapping[str, Property]) -> None:
    """A property that was archived comes back as it was when another of its name is created."""
    created = planned.created().values()
    wrong = [p.name for p in created if p.is_unique and not properties[p.name].is_unique]
    if wrong:
        text = (
            f"the ticket property {listed(wrong)} had been archived, came back, and does not require unique values: "
            "delete it for good in HubSpot, or name another key_property"
        )
        raise PreflightError([text])
