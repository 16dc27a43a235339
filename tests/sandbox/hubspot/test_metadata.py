"""Properties, groups, pipelines, stages, owners and the account."""

from typing import Any

import pytest

PROPERTIES = "/crm/properties/2026-09/tickets"
PIPELINES = "/crm/pipelines/2026-09/tickets"
NEW = {
    "name": "region",
    "label": "Region",
    "type": "string",
    "fieldType": "text",
    "groupName": "ticketinformation",
}


def test_a_new_property_can_be_written_at_once(portal: Any) -> None:
    """Before its creation its values are refused, after it they are kept."""
    assert portal.upsert("A1", region="north").status_code == 207
    assert portal.post(PROPERTIES, NEW).status_code == 201
    assert portal.upsert("A1", region="north").status_code == 200
    assert portal.ticket("A1")["region"] == "north"


def test_a_taken_name_is_a_409_and_an_archived_one_comes_back(portal: Any) -> None:
    """OBJECT_ALREADY_EXISTS names the reason; after an archive the same POST answers 201."""
    portal.post(PROPERTIES, NEW)
    taken = portal.post(PROPERTIES, NEW)
    assert (taken.status_code, taken.json()["category"]) == (409, "OBJECT_ALREADY_EXISTS")
    assert taken.json()["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"
    assert portal.call("DELETE", f"{PROPERTIES}/region").status_code == 204
    assert portal.get(f"{PROPERTIES}/region").status_code == 404
    assert portal.upsert("A1", region="north").status_code == 207
    assert portal.post(PROPERTIES, NEW).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Region"},
        {"name": "1region"},
        {"fieldType": "select"},
        {"type": "text"},
        {"groupName": "nowhere"},
        {"label": None},
    ],
)
def test_a_property_that_breaks_a_rule_is_refused(portal: Any, change: Any) -> None:
    """Names, pairs of type and field type, groups and required members are checked."""
    assert portal.post(PROPERTIES, {**NEW, **change}).status_code == 400
    assert portal.get(f"{PROPERTIES}/region").status_code == 404


def test_there_are_at_most_ten_unique_properties(portal: Any) -> None:
    """The portal has one already (the key), so nine more pass."""
    statuses = [
        portal.post(PROPERTIES, {**NEW, "name": f"u{n}", "hasUniqueValue": True}).status_code
        for n in range(10)
    ]
    assert statuses == [201] * 9 + [400]


def test_whether_values_are_unique_cannot_be_changed(portal: Any) -> None:
    """PATCH of hasUniqueValue is refused; of the label not."""
    portal.post(PROPERTIES, NEW)
    assert portal.call("PATCH", f"{PROPERTIES}/region", {"hasUniqueValue": True}).status_code == 400
    assert portal.call("PATCH", f"{PROPERTIES}/region", {"label": "Area"}).json()["label"] == "Area"


def test_options_need_four_members_in_the_newest_version(portal: Any) -> None:
    """2026-09 wants displayOrder and hidden as well; v3 is content with label and value. PATCH replaces the list."""
    short = [{"label": "North", "value": "n"}]
    body = {**NEW, "type": "enumeration", "fieldType": "select", "options": short}
    assert portal.post(PROPERTIES, body).status_code == 400
    assert portal.post("/crm/v3/properties/tickets", body).status_code == 201
    full = [{"label": "South", "value": "s", "displayOrder": 0, "hidden": False}]
    assert portal.call("PATCH", f"{PROPERTIES}/region", {"options": full}).status_code == 200
    assert portal.upsert("A1", region="n").status_code == 207
    assert portal.upsert("A1", region="s").status_code == 200


def test_batches_of_properties_name_what_failed(portal: Any) -> None:
    """batch/create and batch/read answer 207 with the bad names; batch/archive always 204."""
    made = portal.post(f"{PROPERTIES}/batch/create", {"inputs": [NEW, {**NEW, "name": "subject"}]})
    assert made.status_code == 207
    assert made.json()["errors"][0]["context"] == {"name": ["subject"]}
    read = portal.post(
        f"{PROPERTIES}/batch/read",
        {
            "archived": False,
            "dataSensitivity": "non_sensitive",
            "inputs": [{"name": "region"}, {"name": "nope"}],
        },
    )
    assert [p["name"] for p in read.json()["results"]] == ["region"]
    assert read.json()["errors"][0]["context"] == {"name": ["nope"]}
    assert (
        portal.post(
            f"{PROPERTIES}/batch/archive", {"inputs": [{"name": "region"}, {"name": "nope"}]}
        ).status_code
        == 204
    )
    assert portal.get(f"{PROPERTIES}/region").status_code == 404


def test_groups_are_made_once(portal: Any) -> None:
    """The second POST is a 409; a property can go into the new group."""
    group = {"name": "salesforce", "label": "Salesforce"}
    assert [portal.post(f"{PROPERTIES}/groups", group).status_code for _ in range(2)] == [201, 409]
    assert portal.post(PROPERTIES, {**NEW, "groupName": "salesforce"}).status_code == 201


def test_pipeline_and_stage_properties_list_what_the_pipelines_hold(portal: Any) -> None:
    """hs_pipeline and hs_pipeline_stage get their options from the pipelines."""
    portal.load(pipelines=[{"id": "71", "label": "Returns", "stages": [{"id": "711", "label": "New"}]}])
    options = portal.get(f"{PROPERTIES}/hs_pipeline_stage").json()["options"]
    assert [o["value"] for o in options] == ["1", "2", "3", "4", "711"]


def test_a_new_pipeline_takes_tickets_in_its_own_stages_only(portal: Any) -> None:
    """A stage id of another pipeline is refused, its own is taken, its closed stage closes."""
    body = {
        "label": "Returns",
        "displayOrder": 1,
        "stages": [
            {"label": "Open", "displayOrder": 0, "metadata": {"ticketState": "OPEN"}},
            {"label": "Done", "displayOrder": 1, "metadata": {"ticketState": "CLOSED"}},
        ],
    }
    made = portal.post(PIPELINES, body).json()
    assert [s["metadata"]["isClosed"] for s in made["stages"]] == ["false", "true"]
    assert portal.upsert("A1", hs_pipeline=made["id"], hs_pipeline_stage="1").status_code == 207
    portal.upsert("A1", hs_pipeline=made["id"], hs_pipeline_stage=made["stages"][1]["id"])
    assert portal.ticket("A1")["hs_is_closed"] == "true"


def test_stages_can_be_added_changed_and_taken_away(portal: Any) -> None:
    """A stage in use stays when references are validated."""
    stage = portal.post(f"{PIPELINES}/0/stages", {"label": "Escalated", "displayOrder": 9}).json()
    portal.upsert("A1", hs_pipeline="0", hs_pipeline_stage=stage["id"])
    changed = portal.call(
        "PATCH", f"{PIPELINES}/0/stages/{stage['id']}", {"metadata": {"ticketState": "CLOSED"}}
    )
    assert changed.json()["metadata"] == {"ticketState": "CLOSED", "isClosed": "true"}
    delete = f"{PIPELINES}/0/stages/{stage['id']}?validateReferencesBeforeDelete=true"
    assert portal.call("DELETE", delete).status_code == 400
    portal.upsert("A1", hs_pipeline="0", hs_pipeline_stage="1")
    assert portal.call("DELETE", delete).status_code == 204
    assert portal.upsert("A1", hs_pipeline="0", hs_pipeline_stage=stage["id"]).status_code == 207


def test_a_pipeline_has_at_most_a_hundred_stages(portal: Any) -> None:
    """The hundred-and-first is refused."""
    body = {
        "label": "Long",
        "displayOrder": 1,
        "stages": [{"label": f"S{n}", "displayOrder": n} for n in range(101)],
    }
    assert portal.post(PIPELINES, body).status_code == 400
    body["stages"].pop()
    assert portal.post(PIPELINES, body).status_code == 201


def test_owners_come_in_pages_by_address_and_archived_apart(portal: Any) -> None:
    """Paging shows each active owner once; a deactivated one only on request, and no ticket can have it."""
    owners = [{"id": str(n), "email": f"o{n}@x.example", "archived": n == 3} for n in range(1, 6)]
    portal.load(owners=owners)
    first = portal.get("/crm/owners/2026-09?limit=3").json()
    second = portal.get(f"/crm/owners/2026-09?limit=3&after={first['paging']['next']['after']}").json()
    assert [o["id"] for o in first["results"] + second["results"]] == ["1", "2", "4", "5"]
    assert [o["id"] for o in portal.get("/crm/owners/2026-09?archived=true").json()["results"]] == ["3"]
    assert [o["id"] for o in portal.get("/crm/v3/owners?email=O4@x.example").json()["results"]] == ["4"]
    assert portal.upsert("A1", hubspot_owner_id="3").status_code == 207
    assert portal.upsert("A1", hubspot_owner_id="4").status_code == 200


@pytest.mark.parametrize("version", ["2026-09", "2026-03", "v3"])
def test_every_version_answers_the_same_family(portal: Any, version: str) -> None:
    """One table serves the dated and the v3 paths, with names and with type ids."""
    dated = version != "v3"
    for family, rest in (
        ("properties", "/0-5/subject"),
        ("pipelines", "/tickets"),
        ("owners", ""),
        ("objects", "/0-5?limit=1"),
    ):
        path = f"/crm/{family}/{version}{rest}" if dated else f"/crm/{version}/{family}{rest}"
        assert portal.get(path).status_code == 200, path
    assert portal.get(f"/account-info/{version}/details").json()["portalId"] == 44556677


def test_an_unknown_object_type_or_path_is_said_so(portal: Any) -> None:
    """An unknown type is a 400 in JSON, an unknown path HubSpot's 404 page."""
    assert (
        "Unable to infer object type from: cars" in portal.get("/crm/objects/2026-09/cars").json()["message"]
    )
    assert portal.get("/crm/objects/2025-01/tickets").status_code == 404
