"""Associations: batches, labels, primary companies, limits, and what each version answers."""

from typing import Any

import pytest

DATED = "/crm/associations/2026-09/tickets"
V4 = "/crm/v4/associations/tickets"


@pytest.fixture
def linked(portal: Any) -> Any:
    """A portal with one ticket, two companies and two contacts; `.ids` says them."""
    portal.upsert("A1")
    made = portal.load(
        companies=[{"name": "First"}, {"name": "Second"}],
        contacts=[{"email": "a@x.example"}, {"email": "b@x.example"}],
    )
    portal.ids = {"ticket": portal.ticket("A1")["id"], **made}
    return portal


def pair(from_id: str, to_id: str, **more: Any) -> dict[str, Any]:
    return {"from": {"id": from_id}, "to": {"id": to_id}, **more}


def typed(number: int, category: Any = "HUBSPOT_DEFINED") -> dict[str, Any]:
    return {"types": [{"associationCategory": category, "associationTypeId": number}]}


def companies_of(portal: Any) -> dict[str, list[int]]:
    return {a["id"]: a["types"] for a in portal.sandbox.tickets()[0]["associations"].get("companies", [])}


def test_the_first_company_becomes_primary_and_stays_it(linked: Any) -> None:
    """The unlabelled association of the first company adds the primary type 26; the second only gets 339."""
    ticket, (first, second) = linked.ids["ticket"], linked.ids["companies"]
    for company in (first, second, first):
        answer = linked.post(
            f"{DATED}/companies/batch/associate/default", {"inputs": [pair(ticket, company)]}
        )
        assert answer.status_code == 200
        assert answer.json()["results"][0]["associationSpec"]["associationTypeId"] == 339
    assert companies_of(linked) == {first: [26, 339], second: [339]}


def test_primary_can_be_moved_by_its_type(linked: Any) -> None:
    """Type 26 for another company takes the mark from the first, which stays associated."""
    ticket, (first, second) = linked.ids["ticket"], linked.ids["companies"]
    linked.post(f"{DATED}/companies/batch/associate/default", {"inputs": [pair(ticket, first)]})
    answer = linked.post(f"{DATED}/companies/batch/create", {"inputs": [pair(ticket, second, **typed(26))]})
    assert answer.status_code == 201
    assert companies_of(linked) == {first: [339], second: [26, 339]}
    read = linked.get(
        f"/crm/objects/2026-09/tickets/{ticket}?properties=hs_primary_company_id,hs_num_associated_companies"
    )
    assert read.json()["properties"]["hs_primary_company_id"] == second
    assert read.json()["properties"]["hs_num_associated_companies"] == "2"


def test_each_direction_has_its_own_type_ids(linked: Any) -> None:
    """Tickets see contacts by 16, contacts see tickets by 15."""
    ticket, contact = linked.ids["ticket"], linked.ids["contacts"][0]
    linked.post(f"{DATED}/contacts/batch/associate/default", {"inputs": [pair(ticket, contact)]})
    back = linked.post(
        "/crm/v4/associations/contacts/tickets/batch/read", {"inputs": [{"id": contact}]}
    ).json()
    assert back["results"][0]["to"] == [
        {
            "toObjectId": int(ticket),
            "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 15, "label": None}],
        }
    ]


def test_a_read_without_any_is_a_benign_error_and_ids_differ_by_version(linked: Any) -> None:
    """NO_ASSOCIATIONS_FOUND comes in a 207; v4 has numbers, the dated version strings."""
    ticket, contact = linked.ids["ticket"], linked.ids["contacts"][0]
    linked.post(f"{DATED}/contacts/batch/associate/default", {"inputs": [pair(ticket, contact)]})
    for prefix, kept in ((DATED, str), (V4, int)):
        answer = linked.post(f"{prefix}/contacts/batch/read", {"inputs": [{"id": ticket}, {"id": "77"}]})
        assert answer.status_code == 207
        error = answer.json()["errors"][0]
        assert (error["category"], error["subCategory"]) == (
            "OBJECT_NOT_FOUND",
            "crm.associations.NO_ASSOCIATIONS_FOUND",
        )
        assert error["context"] == {
            "fromObjectId": ["77"],
            "fromObjectType": ["ticket"],
            "toObjectType": ["contact"],
        }
        assert answer.json()["results"][0]["to"][0]["toObjectId"] == kept(contact)


def test_archive_takes_a_pair_away_in_both_directions(linked: Any) -> None:
    """v4 answers 204 and the dated version 200; nothing is left on either side."""
    ticket, (first, second) = linked.ids["ticket"], linked.ids["companies"]
    linked.post(
        f"{DATED}/companies/batch/associate/default", {"inputs": [pair(ticket, c) for c in (first, second)]}
    )
    statuses = [
        linked.post(
            f"{prefix}/companies/batch/archive",
            {"inputs": [{"from": {"id": ticket}, "to": [{"id": company}]}]},
        ).status_code
        for prefix, company in ((V4, first), (DATED, second))
    ]
    assert statuses == [204, 200]
    assert companies_of(linked) == {}
    back = linked.post(
        "/crm/v4/associations/companies/tickets/batch/read", {"inputs": [{"id": first}, {"id": second}]}
    )
    assert back.json()["numErrors"] == 2


def test_create_replaces_custom_labels_and_default_leaves_them(linked: Any) -> None:
    """batch/create sets the pair's labels anew; associate/default keeps what is there."""
    ticket, company = linked.ids["ticket"], linked.ids["companies"][0]
    made = [
        linked.post(f"{DATED}/companies/labels", {"label": name, "name": name.lower()}).json()["results"][0][
            "typeId"
        ]
        for name in ("Buyer", "Payer")
    ]
    for number in made:
        body = {"inputs": [pair(ticket, company, **typed(number, "USER_DEFINED"))]}
        assert linked.post(f"{DATED}/companies/batch/create", body).status_code == 201
    assert companies_of(linked)[company] == [26, 339, made[1]]
    linked.post(f"{DATED}/companies/batch/associate/default", {"inputs": [pair(ticket, company)]})
    assert companies_of(linked)[company] == [26, 339, made[1]]
    labels = linked.get(f"{DATED}/companies/labels").json()["results"]
    assert {(one["typeId"], one["label"]) for one in labels} == {
        (26, "Primary"),
        (339, None),
        (made[0], "Buyer"),
        (made[1], "Payer"),
    }


def test_archiving_the_unlabelled_association_takes_all_labels(linked: Any) -> None:
    """Without its unlabelled association a pair has none; a label alone can go."""
    ticket, company = linked.ids["ticket"], linked.ids["companies"][0]
    label = linked.post(f"{DATED}/companies/labels", {"label": "Buyer", "name": "buyer"}).json()["results"][
        0
    ]["typeId"]
    body = {"inputs": [pair(ticket, company, **typed(label, "USER_DEFINED"))]}
    linked.post(f"{DATED}/companies/batch/create", body)
    linked.post(f"{DATED}/companies/batch/labels/archive", body)
    assert companies_of(linked) == {company: [26, 339]}
    linked.post(f"{DATED}/companies/batch/labels/archive", {"inputs": [pair(ticket, company, **typed(339))]})
    assert companies_of(linked) == {}


@pytest.mark.parametrize(
    ("body", "sub_category"),
    [
        (pair("1", "abc"), "INVALID_IDENTIFIER"),
        (pair("1", "2"), "FROM_OBJECT_NOT_FOUND"),
    ],
)
def test_a_bad_pair_is_an_error_and_the_others_are_made(linked: Any, body: Any, sub_category: str) -> None:
    """Each input of associate/default stands for itself."""
    ticket, company = linked.ids["ticket"], linked.ids["companies"][0]
    answer = linked.post(
        f"{DATED}/companies/batch/associate/default", {"inputs": [body, pair(ticket, company)]}
    )
    assert answer.status_code == 207
    assert answer.json()["errors"][0]["subCategory"] == f"crm.associations.{sub_category}"
    assert companies_of(linked) == {company: [26, 339]}


def test_a_type_of_the_other_direction_is_invalid(linked: Any) -> None:
    """340 is company to ticket, so ticket to company can't use it."""
    body = {"inputs": [pair(linked.ids["ticket"], linked.ids["companies"][0], **typed(340))]}
    answer = linked.post(f"{DATED}/companies/batch/create", body)
    assert answer.json()["errors"][0]["subCategory"] == "crm.associations.INVALID_ASSOCIATION_TYPE"
    assert companies_of(linked) == {}


def test_the_limit_of_a_pair_of_types_is_kept(linked: Any) -> None:
    """The company's third ticket is over a limit of two; those it has already can be associated again."""
    company = linked.ids["companies"][0]
    linked.sandbox.settings(association_limits={"companies_to_tickets": 2})
    linked.upsert("A2", "A3")
    tickets = [linked.ticket(key)["id"] for key in ("A1", "A2", "A3")]
    answer = linked.post(
        f"{DATED}/companies/batch/associate/default", {"inputs": [pair(t, company) for t in tickets]}
    )
    assert answer.status_code == 207
    error = answer.json()["errors"][0]
    assert error["subCategory"] == "crm.associations.ASSOCIATION_LIMIT_EXCEEDED"
    assert "COMPANY_TO_TICKET_UNLABELED" in error["message"]
    assert error["context"]["fromObjectId"] == [tickets[2]]
    again = linked.post(f"{DATED}/companies/batch/associate/default", {"inputs": [pair(tickets[0], company)]})
    assert again.status_code == 200


def test_the_sizes_of_batches(linked: Any) -> None:
    """batch/read takes 1,000 inputs, batch/create 2,000, associate/default what the switch says."""
    linked.sandbox.settings(associate_default_limit=3)
    many = [pair("1", "2", **typed(339))] * 2001
    assert linked.post(f"{DATED}/companies/batch/read", {"inputs": [{"id": "1"}] * 1001}).status_code == 400
    assert linked.post(f"{DATED}/companies/batch/read", {"inputs": [{"id": "1"}] * 1000}).status_code == 207
    assert linked.post(f"{DATED}/companies/batch/create", {"inputs": many}).status_code == 400
    assert linked.post(f"{DATED}/companies/batch/create", {"inputs": many[:2000]}).status_code == 207
    assert linked.post(f"{DATED}/companies/batch/associate/default", {"inputs": many[:4]}).status_code == 400
    assert linked.post(f"{DATED}/companies/batch/associate/default", {"inputs": many[:3]}).status_code == 207


def test_single_calls_make_list_and_take_away(linked: Any) -> None:
    """PUT default, PUT with types, GET, DELETE under the object's path, dated and v4."""
    ticket, (first, second) = linked.ids["ticket"], linked.ids["companies"]
    assert (
        linked.call(
            "PUT", f"/crm/objects/2026-09/tickets/{ticket}/associations/default/companies/{first}"
        ).status_code
        == 200
    )
    put = linked.call(
        "PUT", f"/crm/v4/objects/tickets/{ticket}/associations/companies/{second}", typed(339)["types"]
    )
    assert put.status_code == 201
    listed = linked.get(f"/crm/v4/objects/tickets/{ticket}/associations/companies").json()["results"]
    assert [one["toObjectId"] for one in listed] == [int(first), int(second)]
    assert (
        linked.call(
            "DELETE", f"/crm/objects/2026-09/tickets/{ticket}/associations/companies/{first}"
        ).status_code
        == 204
    )
    assert companies_of(linked) == {second: [339]}


def test_tickets_associate_with_tickets(linked: Any) -> None:
    """Type 452 joins two tickets, seen from both."""
    linked.upsert("A2")
    one, two = linked.ids["ticket"], linked.ticket("A2")["id"]
    linked.post(f"{DATED}/tickets/batch/associate/default", {"inputs": [pair(one, two)]})
    seen = {t["id"]: t["associations"]["tickets"] for t in linked.sandbox.tickets()}
    assert seen == {one: [{"id": two, "types": [452]}], two: [{"id": one, "types": [452]}]}


def test_a_read_pages_past_five_hundred(linked: Any) -> None:
    """A company with 501 tickets is read in two pages."""
    company = linked.ids["companies"][0]
    tickets = linked.load(tickets=[{"subject": f"T{n}"} for n in range(501)])["tickets"]
    linked.post(f"{DATED}/companies/batch/associate/default", {"inputs": [pair(t, company) for t in tickets]})
    path = "/crm/associations/2026-09/companies/tickets/batch/read"
    first = linked.post(path, {"inputs": [{"id": company}]}).json()["results"][0]
    after = first["paging"]["next"]["after"]
    second = linked.post(path, {"inputs": [{"id": company, "after": after}]}).json()["results"][0]
    found = [one["toObjectId"] for page in (first, second) for one in page["to"]]
    assert sorted(found) == sorted(tickets)
    assert "paging" not in second
