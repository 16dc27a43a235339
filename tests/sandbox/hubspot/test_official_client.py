"""Referee: HubSpot's own Python client reads and writes the sandbox, and its models accept every answer.

Its models are generated from HubSpot's contract; they raise for an answer whose required members are missing.
"""

from typing import Any

import hubspot
import pytest
from hubspot.crm.associations.v4 import models as associations
from hubspot.crm.companies import models as companies
from hubspot.crm.pipelines import models as pipelines
from hubspot.crm.properties import models as properties
from hubspot.crm.tickets import models as tickets
from hubspot.crm.tickets.exceptions import ApiException

from case_sync_sandbox.testing import RunningSandbox

KEY = "salesforce_case_id"


@pytest.fixture
def client(sandbox: RunningSandbox) -> Any:
    """The client, pointed at a sandbox with the key property."""
    client = hubspot.HubSpot(access_token="sandbox-token", host=sandbox.hubspot_url)
    client.crm.properties.core_api.create(
        "tickets",
        properties.PropertyCreate(
            name=KEY,
            label="Key",
            type="string",
            field_type="text",
            group_name="ticketinformation",
            has_unique_value=True,
        ),
    )
    return client


def upserts(*keys: str, **values: str) -> Any:
    return tickets.BatchInputSimplePublicObjectBatchInputUpsert(
        inputs=[
            tickets.SimplePublicObjectBatchInputUpsert(
                id=key, id_property=KEY, properties={KEY: key, **values}, object_write_trace_id=f"t-{key}"
            )
            for key in keys
        ]
    )


def stored(sandbox: RunningSandbox) -> dict[str, dict[str, Any]]:
    return {t["properties"][KEY]: t for t in sandbox.tickets()}


def test_tickets_are_upserted_read_updated_and_archived_in_batches(
    sandbox: RunningSandbox, client: Any
) -> None:
    """What the client writes is what the store holds, and what it reads back."""
    api = client.crm.tickets.batch_api
    made = api.upsert(upserts("A", "B", subject="first"))
    assert {(r.properties[KEY], r.new) for r in made.results} == {("A", True), ("B", True)}
    again = api.upsert(upserts("B", "C", subject="second"))
    assert {(r.properties[KEY], r.new) for r in again.results} == {("B", False), ("C", True)}
    assert {key: t["properties"]["subject"] for key, t in stored(sandbox).items()} == {
        "A": "first",
        "B": "second",
        "C": "second",
    }
    wanted = tickets.BatchReadInputSimplePublicObjectId(
        id_property=KEY,
        properties=["subject", KEY],
        properties_with_history=[],
        inputs=[tickets.SimplePublicObjectId(id=key) for key in ("A", "B", "C")],
    )
    read = api.read(wanted)
    assert {r.id: r.properties["subject"] for r in read.results} == {
        t["id"]: t["properties"]["subject"] for t in stored(sandbox).values()
    }
    number = stored(sandbox)["A"]["id"]
    api.update(
        tickets.BatchInputSimplePublicObjectBatchInput(
            inputs=[tickets.SimplePublicObjectBatchInput(id=number, properties={"subject": "third"})]
        )
    )
    assert stored(sandbox)["A"]["properties"]["subject"] == "third"
    api.archive(tickets.BatchInputSimplePublicObjectId(inputs=[tickets.SimplePublicObjectId(id=number)]))
    assert set(stored(sandbox)) == {"B", "C"}


def test_a_mixed_batch_is_a_multi_status_answer(sandbox: RunningSandbox, client: Any) -> None:
    """The client reads a 207 as BatchResponse...WithErrors, with the trace id in the error's context."""
    batch = upserts("A", "B")
    batch.inputs[0].properties["nope"] = "x"
    answer = client.crm.tickets.batch_api.upsert(batch)
    assert isinstance(answer, tickets.BatchResponseSimplePublicUpsertObjectWithErrors)
    assert (answer.num_errors, answer.errors[0].context) == (1, {"objectWriteTraceId": ["t-A"]})
    assert set(stored(sandbox)) == {"B"}


def test_a_refused_call_is_an_api_exception_with_hubspots_error(client: Any) -> None:
    """Status, category and correlation id reach the caller."""
    with pytest.raises(ApiException) as refused:
        client.crm.tickets.basic_api.create(
            tickets.SimplePublicObjectInputForCreate(
                properties={"hs_ticket_priority": "high"}, associations=[]
            )
        )
    assert refused.value.status == 400
    assert "INVALID_OPTION" in refused.value.body
    assert "correlationId" in refused.value.body


def test_single_tickets_are_made_read_changed_listed_searched_and_merged(
    sandbox: RunningSandbox, client: Any
) -> None:
    """basic_api and search_api agree with the store."""
    api = client.crm.tickets.basic_api
    ids = [
        api.create(
            tickets.SimplePublicObjectInputForCreate(
                properties={"subject": f"T{n}", KEY: f"K{n}"}, associations=[]
            )
        ).id
        for n in range(3)
    ]
    api.update(ids[0], tickets.SimplePublicObjectInput(properties={"content": "text"}))
    assert api.get_by_id(ids[0], properties=["content"]).properties["content"] == "text"
    assert api.get_by_id("K1", id_property=KEY).id == ids[1]
    assert [t.id for t in client.crm.tickets.get_all()] == ids
    found = client.crm.tickets.search_api.do_search(
        tickets.PublicObjectSearchRequest(
            filter_groups=[
                tickets.FilterGroup(
                    filters=[tickets.Filter(property_name="subject", operator="EQ", value="t2")]
                )
            ],
            properties=["subject"],
            sorts=[],
            limit=10,
            after="0",
        )
    )
    assert (found.total, found.results[0].id) == (1, ids[2])
    api.merge(tickets.PublicMergeInput(primary_object_id=ids[0], object_id_to_merge=ids[1]))
    assert api.get_by_id(ids[1]).id == ids[0]
    api.archive(ids[2])
    assert set(stored(sandbox)) == {"K0"}


def test_batch_create_with_associations_and_reading_them_back(sandbox: RunningSandbox, client: Any) -> None:
    """A company made by the client is associated at creation, seen by basic_api, v4 and the store."""
    company = client.crm.companies.basic_api.create(
        companies.SimplePublicObjectInputForCreate(
            properties={"name": "Firm", "domain": "firm.example"}, associations=[]
        )
    ).id
    link = tickets.PublicAssociationsForObject(
        to=tickets.PublicObjectId(id=company),
        types=[tickets.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=26)],
    )
    made = client.crm.tickets.batch_api.create(
        tickets.BatchInputSimplePublicObjectBatchInputForCreate(
            inputs=[tickets.SimplePublicObjectBatchInputForCreate(properties={KEY: "A"}, associations=[link])]
        )
    )
    ticket = made.results[0].id
    seen = (
        client.crm.tickets.basic_api.get_by_id(ticket, associations=["companies"])
        .associations["companies"]
        .results
    )
    assert {(one.id, one.type) for one in seen} == {
        (company, "ticket_to_company"),
        (company, "ticket_to_company_primary"),
    }
    assert stored(sandbox)["A"]["associations"]["companies"] == [{"id": company, "types": [26, 339]}]


def test_associations_v4_in_batches_and_singly(sandbox: RunningSandbox, client: Any) -> None:
    """Default, read, labels, single put and archive through the client leave what the store says."""
    client.crm.tickets.batch_api.upsert(upserts("A", "B"))
    made = sandbox.admin(
        "POST", "hubspot/load", {"contacts": [{"email": "a@x.example"}], "companies": [{"name": "C"}]}
    )
    contact, company = made["contacts"][0], made["companies"][0]
    ticket, other = stored(sandbox)["A"]["id"], stored(sandbox)["B"]["id"]
    batch = client.crm.associations.v4.batch_api
    pair = associations.PublicDefaultAssociationMultiPost(
        _from=associations.PublicObjectId(id=ticket), to=associations.PublicObjectId(id=contact)
    )
    done = batch.create_default(
        "tickets", "contacts", associations.BatchInputPublicDefaultAssociationMultiPost(inputs=[pair])
    )
    assert done.results[0].association_spec.association_type_id == 16
    read = batch.get_page(
        "tickets",
        "contacts",
        associations.BatchInputPublicFetchAssociationsBatchRequest(
            inputs=[associations.PublicFetchAssociationsBatchRequest(id=one) for one in (ticket, other)]
        ),
    )
    assert [(r._from.id, [to.to_object_id for to in r.to]) for r in read.results] == [(ticket, [contact])]
    assert read.errors[0].sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"
    client.crm.associations.v4.basic_api.create(
        "tickets",
        ticket,
        "companies",
        company,
        [associations.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=339)],
    )
    page = client.crm.associations.v4.basic_api.get_page("tickets", ticket, "companies")
    assert [one.to_object_id for one in page.results] == [company]
    batch.archive(
        "tickets",
        "contacts",
        associations.BatchInputPublicAssociationMultiArchive(
            inputs=[
                associations.PublicAssociationMultiArchive(
                    _from=associations.PublicObjectId(id=ticket), to=[associations.PublicObjectId(id=contact)]
                )
            ]
        ),
    )
    assert set(stored(sandbox)["A"]["associations"]) == {"companies"}


def test_pipelines_properties_and_owners(sandbox: RunningSandbox, client: Any) -> None:
    """The portal's metadata passes through the client's models in both directions."""
    sandbox.seed(30)
    shown = sandbox.admin("GET", "show")["hubspot"]
    listed = client.crm.pipelines.pipelines_api.get_all("tickets").results
    assert [(p.id, [s.label for s in p.stages]) for p in listed] == [
        (p["id"], [s["label"] for s in p["stages"]]) for p in shown["pipelines"]
    ]
    made = client.crm.pipelines.pipelines_api.create(
        "tickets",
        pipelines.PipelineInput(
            label="Returns 2",
            display_order=9,
            stages=[
                pipelines.PipelineStageInput(
                    label="Done", display_order=0, metadata={"ticketState": "CLOSED"}
                )
            ],
        ),
    )
    assert (
        client.crm.pipelines.pipeline_stages_api.get_all("tickets", made.id).results[0].metadata["isClosed"]
        == "true"
    )
    assert client.crm.properties.core_api.get_by_name("tickets", KEY).has_unique_value is True
    assert KEY in {p.name for p in client.crm.properties.core_api.get_all("tickets").results}
    owners = client.crm.owners.get_all()
    assert len(owners) == shown["owners"]
    by_email = client.crm.owners.owners_api.get_page(email=owners[0].email)
    assert [o.id for o in by_email.results] == [owners[0].id]


def test_an_oauth_token_is_refreshed_by_the_client(sandbox: RunningSandbox) -> None:
    """The client's OAuth call gets a token that works."""
    api = hubspot.HubSpot(host=sandbox.hubspot_url).oauth.tokens_api
    token = api.create(
        grant_type="refresh_token",
        client_id="sandbox-client",
        client_secret="sandbox-secret",
        refresh_token="sandbox-refresh",
    )
    assert token.expires_in == 1800
    client = hubspot.HubSpot(access_token=token.access_token, host=sandbox.hubspot_url)
    assert client.crm.tickets.basic_api.get_page().results == []
