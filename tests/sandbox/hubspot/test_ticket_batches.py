"""The batch calls on tickets, over real HTTP, read back past the API."""

import json
from typing import Any

import pytest

TICKETS = "/crm/objects/2026-09/tickets"


def codes(message: str) -> list[str]:
    """The codes inside "Property values were not valid: [...]"."""
    return [problem["error"] for problem in json.loads(message.split(": ", 1)[1])]


def test_upsert_makes_a_ticket_once_and_then_updates_it(portal: Any) -> None:
    """The first upsert of a key says new, the second does not; both are one ticket with the last values."""
    first = portal.upsert("A1", subject="first").json()["results"][0]
    second = portal.upsert("A1", subject="second").json()["results"][0]
    assert (first["new"], second["new"]) == (True, False)
    assert first["id"] == second["id"]
    assert portal.ticket("A1")["subject"] == "second"


def test_a_partial_upsert_keeps_what_is_not_sent(portal: Any) -> None:
    """Properties that are not sent keep their value."""
    portal.upsert("A1", subject="kept", content="body")
    portal.upsert("A1", content="new body")
    assert portal.ticket("A1")["subject"] == "kept"


def test_an_empty_string_clears(portal: Any) -> None:
    """An empty string takes the value away; reading it gives null."""
    portal.upsert("A1", subject="gone soon")
    portal.upsert("A1", subject="")
    read = portal.post(
        f"{TICKETS}/batch/read", {"idProperty": "salesforce_case_id", "inputs": [{"id": "A1"}]}
    )
    assert read.json()["results"][0]["properties"]["subject"] is None
    assert "subject" not in portal.ticket("A1")


def test_with_trace_ids_the_good_inputs_are_written(portal: Any) -> None:
    """A bad input of a traced batch comes back with its trace id in a 207; the others are written."""
    bad = {
        "idProperty": "salesforce_case_id",
        "id": "B",
        "objectWriteTraceId": "t-b",
        "properties": {"nope": "x"},
    }
    good = {
        "idProperty": "salesforce_case_id",
        "id": "G",
        "objectWriteTraceId": "t-g",
        "properties": {"subject": "g"},
    }
    answer = portal.upsert_inputs([bad, good])
    assert answer.status_code == 207
    body = answer.json()
    assert body["numErrors"] == 1
    assert body["errors"][0]["context"] == {"objectWriteTraceId": ["t-b"]}
    assert codes(body["errors"][0]["message"]) == ["PROPERTY_DOESNT_EXIST"]
    assert [t["properties"]["salesforce_case_id"] for t in portal.sandbox.tickets()] == ["G"]


def test_without_trace_ids_one_bad_input_refuses_everything(portal: Any) -> None:
    """Without trace ids the whole call is a 400 and nothing is written."""
    answer = portal.upsert_inputs(
        [
            {"idProperty": "salesforce_case_id", "id": "B", "properties": {"nope": "x"}},
            {"idProperty": "salesforce_case_id", "id": "G", "properties": {"subject": "g"}},
        ]
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"
    assert portal.sandbox.tickets() == []


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"hs_ticket_priority": "high"}, "INVALID_OPTION"),
        ({"hs_pipeline": "0", "hs_pipeline_stage": "99"}, "INVALID_OPTION"),
        ({"hs_pipeline": "7"}, "INVALID_OPTION"),
        ({"hubspot_owner_id": "1"}, "INVALID_OWNER_ID"),
        ({"hs_is_closed": "true"}, "READ_ONLY_VALUE"),
        ({"hs_is_closed": ""}, "READ_ONLY_VALUE"),
        ({"content": "x" * 65_537}, "PROPERTY_VALUE_TOO_LONG"),
        ({"created_by": "4.5.6"}, "INVALID_INTEGER"),
        ({"closed_date": "last week"}, "INVALID_DATE"),
        ({"no_such": "x"}, "PROPERTY_DOESNT_EXIST"),
    ],
)
def test_a_value_that_hubspot_would_not_take_is_refused_by_its_code(
    portal: Any, properties: Any, code: str
) -> None:
    """Each kind of bad value has HubSpot's code, and writes nothing."""
    body = portal.upsert("A1", **properties).json()
    assert codes(body["errors"][0]["message"]) == [code]
    assert portal.sandbox.tickets() == []


def test_the_longest_text_is_taken_byte_for_byte(portal: Any) -> None:
    """65,536 characters pass, whatever they are."""
    text = "ü\n\U0001f600" * 21_845 + "."
    assert len(text) == 65_536
    assert portal.upsert("A1", content=text).status_code == 200
    assert portal.ticket("A1")["content"] == text


def test_the_stage_message_lists_the_pipelines_stages(portal: Any) -> None:
    """A stage of another pipeline is refused in HubSpot's words."""
    body = portal.upsert("A1", hs_pipeline="0", hs_pipeline_stage="open").json()
    wanted = "open is not a valid pipeline stage ID. Valid options are: pipelineId=0 : [1, 2, 3, 4]"
    assert wanted in body["errors"][0]["message"]


def test_null_is_not_in_the_schema(portal: Any) -> None:
    """JSON null refuses the whole call, even with trace ids."""
    answer = portal.upsert("A1", "A2", subject=None)
    assert answer.status_code == 400
    assert portal.sandbox.tickets() == []


def test_the_same_id_twice_refuses_the_call_even_with_trace_ids(portal: Any) -> None:
    """Duplicates of one batch, in whatever case, are a 400 that names them."""
    answer = portal.upsert("Case1", "Case2", "cASE1", subject="x")
    assert answer.status_code == 400
    assert answer.json()["message"] == "Duplicate IDs found in batch input: [cASE1]. IDs must be unique"
    assert answer.json()["context"] == {"ids": ["cASE1"]}
    assert portal.sandbox.tickets() == []


def test_a_hundred_inputs_pass_and_one_more_does_not(portal: Any) -> None:
    """The limit of a batch is 100 inputs."""
    assert portal.upsert(*(f"K{n}" for n in range(100))).status_code == 200
    assert portal.upsert(*(f"L{n}" for n in range(101))).status_code == 400
    assert len(portal.sandbox.tickets()) == 100


def test_results_do_not_come_in_the_order_of_the_inputs(portal: Any) -> None:
    """Twenty results stand in another order than their inputs, the same one each time."""
    keys = [f"K{n:02d}" for n in range(20)]
    orders = [
        [r["properties"]["salesforce_case_id"] for r in portal.upsert(*keys).json()["results"]]
        for _ in range(2)
    ]
    assert sorted(orders[0]) == keys
    assert orders[0] != keys
    assert orders[0] == orders[1]


def test_upsert_by_a_property_that_is_not_unique_is_refused(portal: Any) -> None:
    """The message names the object type and the property."""
    answer = portal.upsert_inputs([{"idProperty": "subject", "id": "x", "properties": {}}])
    assert answer.status_code == 400
    assert (
        "Unable to perform upsert by non-unique 0-5 property subject in portal ID" in answer.json()["message"]
    )


def test_a_unique_value_belongs_to_one_ticket(portal: Any) -> None:
    """A second ticket can't take it, on create or on update, in any case; the code is CONFLICTING_UNIQUE_VALUE."""
    portal.upsert("A1", "A2")
    for answer in (
        portal.post(f"{TICKETS}", {"properties": {"subject": "x", "salesforce_case_id": "a1"}}),
        portal.call(
            "PATCH", f"{TICKETS}/{portal.ticket('A2')['id']}", {"properties": {"salesforce_case_id": "A1"}}
        ),
    ):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == "CONFLICTING_UNIQUE_VALUE"
    assert len(portal.sandbox.tickets()) == 2


def test_a_changed_unique_value_frees_the_old_one(portal: Any) -> None:
    """After a ticket takes another key its old key is free."""
    portal.upsert("A1")
    portal.call(
        "PATCH", f"{TICKETS}/{portal.ticket('A1')['id']}", {"properties": {"salesforce_case_id": "B1"}}
    )
    assert portal.upsert("A1").json()["results"][0]["new"] is True
    assert {t["properties"]["salesforce_case_id"] for t in portal.sandbox.tickets()} == {"A1", "B1"}


def test_moving_to_a_closed_stage_closes_and_back_opens(portal: Any) -> None:
    """A CLOSED stage sets hs_is_closed, closed_date and time_to_close; an open one takes them away."""
    portal.upsert("A1", hs_pipeline="0", hs_pipeline_stage="1", createdate="2026-01-01T00:00:00Z")
    portal.upsert("A1", hs_pipeline="0", hs_pipeline_stage="4", closed_date="2026-01-02T00:00:00Z")
    closed = portal.ticket("A1")
    assert (closed["hs_is_closed"], closed["closed_date"]) == ("true", "2026-01-02T00:00:00.000Z")
    assert closed["time_to_close"] == "86400000"
    portal.upsert("A1", hs_pipeline="0", hs_pipeline_stage="2")
    opened = portal.ticket("A1")
    assert opened["hs_is_closed"] == "false"
    assert "closed_date" not in opened
    assert "time_to_close" not in opened


def test_an_archived_key_makes_another_ticket_or_is_refused_as_the_switch_says(portal: Any) -> None:
    """By default the key is free again; with archived_key=error the input is refused."""
    old = portal.upsert("A1").json()["results"][0]["id"]
    assert portal.post(f"{TICKETS}/batch/archive", {"inputs": [{"id": old}]}).status_code == 204
    portal.sandbox.settings(archived_key="error")
    refused = portal.upsert("A1")
    assert refused.status_code == 207
    assert old in refused.json()["errors"][0]["message"]
    portal.sandbox.settings(archived_key="new")
    again = portal.upsert("A1").json()["results"][0]
    assert again["new"] is True
    assert again["id"] != old


def test_batch_read_lists_unknown_ids_in_one_error_without_a_trace_id(portal: Any) -> None:
    """Misses are benign: a 207 whose one error holds the ids."""
    portal.upsert("A1")
    answer = portal.post(
        f"{TICKETS}/batch/read",
        {
            "idProperty": "salesforce_case_id",
            "inputs": [{"id": "A1"}, {"id": "X"}, {"id": "Y"}],
            "properties": ["subject"],
        },
    )
    assert answer.status_code == 207
    assert answer.json()["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert answer.json()["errors"][0]["context"] == {"ids": ["X", "Y"]}
    assert len(answer.json()["results"]) == 1


def test_batch_update_knows_no_unknown_or_merged_ids(portal: Any) -> None:
    """Unknown ids are errors of a 207; a merged-away id is unknown to the batch though not to a single PATCH."""
    portal.upsert("A1", "A2")
    one, two = portal.ticket("A1")["id"], portal.ticket("A2")["id"]
    merged = portal.post(f"{TICKETS}/merge", {"primaryObjectId": one, "objectIdToMerge": two})
    assert merged.json()["id"] == one
    batch = portal.post(f"{TICKETS}/batch/update", {"inputs": [{"id": two, "properties": {"subject": "x"}}]})
    assert batch.status_code == 207
    assert batch.json()["errors"][0]["context"]["ids"] == [two]
    single = portal.call("PATCH", f"{TICKETS}/{two}", {"properties": {"subject": "single"}})
    assert (single.status_code, single.json()["id"]) == (200, one)


@pytest.mark.parametrize(
    ("switch", "first_is_new", "second_is_new"),
    [("primary", False, True), ("secondary", True, False), ("both", False, False)],
)
def test_which_key_a_merge_keeps_is_a_switch(
    portal: Any, switch: str, first_is_new: bool, second_is_new: bool
) -> None:
    """After a merge the key of the primary, of the merged record, or both lead to the ticket that is left."""
    portal.sandbox.settings(merged_key=switch)
    portal.upsert("A1", "A2")
    one, two = portal.ticket("A1")["id"], portal.ticket("A2")["id"]
    portal.post(f"{TICKETS}/merge", {"primaryObjectId": one, "objectIdToMerge": two})
    news = []
    for key in ("A1", "A2"):
        result = portal.upsert_inputs(
            [{"idProperty": "salesforce_case_id", "id": key, "properties": {"subject": key}}]
        ).json()["results"][0]
        news.append(result["new"])
    assert news == [first_is_new, second_is_new]


def test_archive_passes_over_unknown_ids_and_single_delete_too(portal: Any) -> None:
    """204 whatever the ids; an archived ticket is read with archived=true only."""
    portal.upsert("A1")
    number = portal.ticket("A1")["id"]
    body = {"inputs": [{"id": number}, {"id": "99"}]}
    assert [portal.post(f"{TICKETS}/batch/archive", body).status_code for _ in range(2)] == [204, 204]
    assert portal.call("DELETE", f"{TICKETS}/99").status_code == 204
    assert portal.get(f"{TICKETS}/{number}").status_code == 404
    archived = portal.get(f"{TICKETS}/{number}?archived=true").json()
    assert archived["archived"] is True
    assert "archivedAt" in archived


def test_required_properties_bind_the_newest_version_only(portal: Any) -> None:
    """2026-09 enforces them on create and on the condition; v3 and 2026-03 do not."""
    portal.sandbox.settings(
        required_on_create=["subject"], required_when={"hs_ticket_priority": {"URGENT": "content"}}
    )
    refused = portal.upsert("A1", hs_ticket_priority="URGENT").json()
    assert set(codes(refused["errors"][0]["message"])) == {
        "MISSING_REQUIRED_PROPERTY",
        "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
    }
    assert [
        portal.upsert(f"B{v}", version=v, hs_ticket_priority="URGENT").status_code for v in ("2026-03", "v3")
    ] == [200] * 2


def test_a_silent_batch_says_success_and_writes_nothing(portal: Any) -> None:
    """The switch makes the next batch upsert answer with neither results nor errors."""
    portal.sandbox.settings(silent_batches=1)
    answer = portal.upsert("A1")
    assert (answer.status_code, answer.json()["results"]) == (200, [])
    assert portal.sandbox.tickets() == []
    assert len(portal.upsert("A1").json()["results"]) == 1


def test_a_leading_semicolon_appends_to_a_multiple_checkbox(portal: Any) -> None:
    """The value A;B replaces, the value ;C adds."""
    portal.upsert("A1", hs_ticket_category="PRODUCT_ISSUE;BILLING_ISSUE")
    portal.upsert("A1", hs_ticket_category=";FEATURE_REQUEST")
    assert portal.ticket("A1")["hs_ticket_category"] == "PRODUCT_ISSUE;BILLING_ISSUE;FEATURE_REQUEST"


def test_the_write_log_names_key_version_operation_and_run(portal: Any) -> None:
    """Each ticket write is one line, in order, with the run that the client named."""
    portal.add_property("salesforce_system_modstamp", type="datetime", fieldType="date")
    body = {
        "inputs": [
            {
                "idProperty": "salesforce_case_id",
                "id": "A1",
                "properties": {
                    "salesforce_case_id": "A1",
                    "salesforce_system_modstamp": "2026-01-05T09:00:00Z",
                },
            }
        ]
    }
    for run in ("one", "two"):
        portal.call("POST", f"{TICKETS}/batch/upsert", body, **{"x-case-sync-run-id": run})
    writes = portal.sandbox.writes()
    assert [(w["key"], w["op"], w["version"], w["run_id"]) for w in writes] == [
        ("A1", "create", "2026-01-05T09:00:00.000Z", "one"),
        ("A1", "update", "2026-01-05T09:00:00.000Z", "two"),
    ]
    assert [w["seq"] for w in writes] == sorted(w["seq"] for w in writes)


def test_create_takes_associations_and_refuses_unknown_records(portal: Any) -> None:
    """A create with associations makes them; one to a company that isn't there refuses the input."""
    company = portal.load(companies=[{"name": "Firm"}])["companies"][0]
    to = {"types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 26}]}
    made = portal.post(
        TICKETS, {"properties": {"subject": "x"}, "associations": [{"to": {"id": company}, **to}]}
    )
    assert made.status_code == 201
    assert portal.sandbox.tickets()[0]["associations"]["companies"] == [{"id": company, "types": [26, 339]}]
    refused = portal.post(
        TICKETS, {"properties": {"subject": "x"}, "associations": [{"to": {"id": "5"}, **to}]}
    )
    assert refused.status_code == 400
    assert len(portal.sandbox.tickets()) == 1
