"""Referee: HubSpot's own Python client reads back what the target wrote."""

from typing import Any

import hubspot
from hubspot.crm.associations.v4 import models as associations
from hubspot.crm.tickets import models as tickets

from case_sync_sandbox.testing import RunningSandbox

from .conftest import KEY, Message, Target, schema, state


def test_official_client_reads_back_what_was_written(
    sandbox: RunningSandbox, target: Target, seeded_tickets: list[Message]
) -> None:
    """Each ticket by its key, with its values, its stage and its company."""
    loaded = target.load([schema(), *seeded_tickets, state("all")])
    assert loaded.returncode == 0, loaded.log
    client = hubspot.HubSpot(access_token="sandbox-token", host=sandbox.hubspot_url)
    wanted = {message["record"][KEY]: message["record"] for message in seeded_tickets}
    read = client.crm.tickets.batch_api.read(
        tickets.BatchReadInputSimplePublicObjectId(
            id_property=KEY,
            inputs=[{"id": key} for key in wanted],
            properties=[KEY, "subject", "content", "hs_pipeline_stage"],
            properties_with_history=[],
        )
    )
    found: dict[str, Any] = {one.properties[KEY]: one for one in read.results}
    assert found.keys() == wanted.keys()
    for key, record in wanted.items():
        values = found[key].properties
        assert (values["subject"], values["content"] or None) == (
            record["subject"],
            record["content"] or None,
        )
        assert values["hs_pipeline_stage"] == "1"
    links = client.crm.associations.v4.batch_api.get_page(
        "tickets",
        "companies",
        associations.BatchInputPublicFetchAssociationsBatchRequest(
            inputs=[{"id": one.id} for one in found.values()]
        ),
    )
    linked = {one._from.id for one in links.results}
    with_company = {
        found[key].id
        for key, record in wanted.items()
        if any(a["to"] == "company" for a in record["associations"])
    }
    assert linked
    assert linked <= with_company
