"""Describe: what it lists can be read, what it hides can't, and what it says of a field is how queries treat it."""

import json
import re
from typing import Any

import pytest

from .conftest import Org, as_rest, fields_of

OBJECTS = [
    "Case", "Account", "Contact", "User", "Group", "RecordType", "BusinessProcess", "CaseStatus", "CaseComment", "EmailMessage",
    "Organization",
]  # fmt: skip
# Members that Salesforce gives for each field, and that readers of describe use.
MEMBERS = {
    "name", "label", "type", "soapType", "length", "precision", "scale", "digits", "nillable", "calculated", "custom", "referenceTo",
    "relationshipName", "compoundFieldName", "picklistValues", "filterable", "sortable", "externalId", "idLookup", "autoNumber",
    "deprecatedAndHidden",
}  # fmt: skip


def no_such_column(org: Org, soql: str, name: str) -> None:
    """The query is refused for that column."""
    status, code, message = org.error(soql)
    assert (status, code) == (400, "INVALID_FIELD")
    assert f"No such column '{name}'" in message
    assert re.search(r"ERROR at Row:1:Column:\d+", message)


@pytest.mark.parametrize("name", OBJECTS)
def test_every_field_that_describe_lists_can_be_queried(org: Org, name: str) -> None:
    """One query for all of them finds the stored records with their values."""
    types = org.types(name)
    found = org.soql(f"SELECT {', '.join(types)} FROM {name} ORDER BY Id")
    expected = [as_rest(r, types) for r in org.stored(name)]
    for record in expected:
        record.update({n: json.loads(record[n]) for n, t in types.items() if t == "address" and record[n]})
    assert expected
    assert expected == [fields_of(r) for r in found]
    url = f"/services/data/v67.0/sobjects/{name}/{found[0]['Id']}"
    assert {"type": name, "url": url} == found[0]["attributes"]


def picklist(org: Org, record_type: str, field: str = "Status", name: str = "Case") -> list[str]:
    answer = org.get(f"/ui-api/object-info/{name}/picklist-values/{record_type}/{field}")
    assert answer.status_code == 200, answer.text
    return [one["value"] for one in answer.json()["values"]]


def test_a_record_type_has_the_statuses_of_its_support_process(org: Org) -> None:
    """User Interface API: picklist values are those of a record type; no case of the seed has another one."""
    processes = {p["Id"]: p["Name"] for p in org.stored("BusinessProcess")}
    allowed = {r["Id"]: picklist(org, r["Id"]) for r in org.stored("RecordType")}
    by_name = {processes[r["BusinessProcessId"]]: allowed[r["Id"]] for r in org.stored("RecordType")}
    assert by_name["Returns Process"] == ["New", "In Repair", "Resolved", "Closed"]
    assert {c["Status"] for c in org.stored("Case") if c["RecordTypeId"]} > {"In Repair"}
    assert all(c["Status"] in allowed[c["RecordTypeId"]] for c in org.stored("Case") if c["RecordTypeId"])
    assert picklist(org, "012000000000000AAA") == [s["ApiName"] for s in org.stored("CaseStatus")]
    assert picklist(org, next(iter(allowed)), "Priority") == picklist(org, "012000000000000AAA", "Priority")


@pytest.mark.parametrize(
    "path",
    [
        "Case/picklist-values/012000000000009AAA/Status",
        "Case/picklist-values/012000000000000AAA/Subject",
        "Nothing/picklist-values/012000000000000AAA/Status",
    ],
)
def test_picklists_that_are_not_there_are_404(org: Org, path: str) -> None:
    assert org.get(f"/ui-api/object-info/{path}").status_code == 404


@pytest.mark.parametrize("name", OBJECTS)
def test_each_field_has_the_members_that_readers_use(org: Org, name: str) -> None:
    for field in org.describe(name)["fields"]:
        assert set(field) >= MEMBERS, field["name"]
        assert field["name"].endswith("__c") == field["custom"]


@pytest.mark.parametrize("name", OBJECTS)
def test_filterable_and_sortable_fields_are_those_that_queries_take(org: Org, name: str) -> None:
    """WHERE and ORDER BY take a field exactly when describe says so."""
    for field in org.describe(name)["fields"]:
        filtered = org.get("/query", q=f"SELECT Id FROM {name} WHERE {field['name']} = null")
        assert (200 if field["filterable"] else 400) == filtered.status_code, field["name"]
        ordered = org.get("/query", q=f"SELECT Id FROM {name} ORDER BY {field['name']}")
        assert (200 if field["sortable"] else 400) == ordered.status_code, field["name"]


@pytest.mark.parametrize("name", OBJECTS)
def test_each_relationship_leads_to_its_object(org: Org, name: str) -> None:
    """The relationship of a reference field can be queried through, and shows the object that referenceTo names."""
    links = [f for f in org.describe(name)["fields"] if f["relationshipName"]]
    for link in links:
        path = f"{link['relationshipName']}.{'Name' if len(link['referenceTo']) > 1 else 'Id'}"
        where = f"WHERE {link['name']} != null LIMIT 3"
        for record in org.soql(f"SELECT {link['name']}, {path} FROM {name} {where}"):
            shown = record[link["relationshipName"]]["attributes"]["type"]
            assert shown in {*link["referenceTo"], "Name"}


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("Case", "Priority"),
        ("Case", "Severity__c"),
        ("Case", "Description"),
        ("Account", "Website"),
        ("Contact", "Email"),
        ("User", "Email"),
        ("CaseStatus", "SortOrder"),
        ("RecordType", "BusinessProcessId"),
        ("BusinessProcess", "Description"),
        ("CaseComment", "CommentBody"),
    ],
)
def test_a_hidden_field_is_nowhere(org: Org, name: str, hidden: str) -> None:
    """Field-level security: not in describe nor in a record; SELECT, WHERE and ORDER BY answer as for a field that is not there."""
    before = org.types(name)
    org.switch(hidden_fields=[[name, hidden]])
    assert set(before) - set(org.types(name)) == {hidden}
    no_such_column(org, f"SELECT Id, {hidden} FROM {name}", hidden)
    no_such_column(org, f"SELECT Id FROM {name} WHERE {hidden} = null", hidden)
    no_such_column(org, f"SELECT Id FROM {name} ORDER BY {hidden}", hidden)
    some = org.soql(f"SELECT Id FROM {name} LIMIT 1")[0]["Id"]
    assert hidden not in org.get(f"/sobjects/{name}/{some}").json()
    org.switch(hidden_fields=[])
    assert before == org.types(name)


def test_a_hidden_field_is_hidden_from_below_and_a_hidden_reference_leads_nowhere(org: Org) -> None:
    """A case shows no hidden field of its account; without AccountId there is no way to the account."""
    org.switch(hidden_fields=[["Account", "Website"], ["Case", "ContactId"]])
    no_such_column(org, "SELECT Account.Website FROM Case", "Website")
    assert org.soql("SELECT Account.Name FROM Case LIMIT 1")
    status, code, message = org.error("SELECT Contact.Email FROM Case")
    assert (status, code) == (400, "INVALID_FIELD")
    assert "Didn't understand relationship 'Contact'" in message


def test_a_hidden_object_is_not_found(org: Org) -> None:
    """Object permission: not in the global describe, 404 below sobjects, INVALID_TYPE in a query, no relationship to it."""
    org.switch(hidden_objects=["BusinessProcess"])
    assert {*OBJECTS} - {"BusinessProcess"} == {o["name"] for o in org.get("/sobjects").json()["sobjects"]}
    not_there = [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]
    for name in ("BusinessProcess", "Nope"):
        answer = org.get(f"/sobjects/{name}/describe")
        assert (404, not_there) == (answer.status_code, answer.json())
        status, code, message = org.error(f"SELECT Id FROM {name}")
        assert (status, code) == (400, "INVALID_TYPE")
        assert f"sObject type '{name}' is not supported" in message
    assert org.error("SELECT BusinessProcess.Name FROM RecordType")[1] == "INVALID_FIELD"


def test_the_global_describe_agrees_with_each_describe(org: Org) -> None:
    """The same members with the same values; urls lead to the object."""
    for listed in org.get("/sobjects").json()["sobjects"]:
        described = org.http.get(listed["urls"]["describe"]).json()
        assert listed == {name: described[name] for name in listed}
    case = org.describe()
    assert (
        case["replicateable"], case["undeletable"], case["mergeable"], case["keyPrefix"],
    ) == (True, True, True, "500")  # fmt: skip


def test_a_describe_that_did_not_change_is_not_sent_again(org: Org) -> None:
    """If-Modified-Since: 304 without a body until a field is hidden or shown."""
    path = "/services/data/v67.0/sobjects/Case/describe"

    def again(since: str) -> Any:
        return org.http.get(path, headers={"If-Modified-Since": since})

    modified = org.http.get(path).headers["Last-Modified"]
    assert (again(modified).status_code, again(modified).content) == (304, b"")
    org.switch(hidden_fields=[["Case", "Priority"]])
    changed = again(modified)
    assert changed.status_code == 200
    assert again(changed.headers["Last-Modified"]).status_code == 304
    assert again("yesterday").status_code == 200


def test_picklists_list_the_values_that_records_hold(org: Org) -> None:
    """Each picklist value of a case is among describe's, Status in the order of CaseStatus."""
    fields = {f["name"]: [v["value"] for v in f["picklistValues"]] for f in org.describe()["fields"]}
    for name, kind in org.types().items():
        if kind in {"picklist", "multipicklist"}:
            held = {part for r in org.stored() if r[name] for part in r[name].split(";")}
            assert held <= set(fields[name]), name
    statuses = org.soql("SELECT ApiName FROM CaseStatus ORDER BY SortOrder")
    assert [s["ApiName"] for s in statuses] == fields["Status"]


def test_record_types_lead_to_support_processes(org: Org) -> None:
    """Describe lists the record types of Case and Master; each has its process in BusinessProcess, whose table is Case."""
    listed = org.describe()["recordTypeInfos"]
    stored = org.soql("SELECT Id, Name, BusinessProcessId FROM RecordType WHERE SobjectType = 'Case'")
    assert {(r["Id"], r["Name"]) for r in stored} == {
        (i["recordTypeId"], i["name"]) for i in listed if not i["master"]
    }
    assert [i["recordTypeId"] for i in listed if i["master"]] == ["012000000000000AAA"]
    processes = {p["Id"] for p in org.soql("SELECT Id FROM BusinessProcess WHERE TableEnumOrId = 'Case'")}
    assert {r["BusinessProcessId"] for r in stored} <= processes
