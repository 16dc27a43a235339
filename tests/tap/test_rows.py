"""The pure core of the tap: what describe shows, and what becomes of a record: the same row from REST and from Bulk 2.0."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_salesforce_cases.describe import Column, Columns, read_describe, record_types_of, selected, vanished
from tap_salesforce_cases.errors import TapError
from tap_salesforce_cases.ids import to_18
from tap_salesforce_cases.objects import CASES, OTHERS
from tap_salesforce_cases.rows import CaseStatus, Joins, RowMaker, SupportProcess

# -- describe and rows


def described(*extra: dict[str, Any]) -> dict[str, Any]:
    fields = [("Id", "id"), ("IsDeleted", "boolean"), ("SystemModstamp", "datetime"), ("Status", "picklist"), ("RecordTypeId", "reference"), ("AccountId", "reference"), ("MasterRecordId", "reference"), ("LastViewedDate", "datetime")]  # fmt: skip
    return {"fields": [*({"name": name, "type": kind} for name, kind in fields), *extra]}


def columns_of(*extra: dict[str, Any], excluded: tuple[str, ...] = ()) -> Columns:
    return read_describe(described(*extra), CASES, excluded=excluded)


def test_describe_gives_every_readable_field_with_its_type() -> None:
    """And none that no API can deliver; parents come only through fields that are there."""
    columns = columns_of(
        {"name": "Weight__c", "type": "double"},
        {"name": "Blob__c", "type": "base64"},
        {"name": "Due__c", "type": "date"},
        {"name": "Old__c", "type": "string", "deprecatedAndHidden": True},
        excluded=("lastvieweddate", "id"),
    )
    own = {path for path in columns.paths if "." not in path}
    assert own == {"Id", "IsDeleted", "SystemModstamp", "Status", "RecordTypeId", "AccountId", "MasterRecordId", "Weight__c", "Due__c"}  # fmt: skip
    properties = columns.schema()["properties"]
    assert properties["Weight__c"] == {"type": ["number", "null"]}
    assert properties["Due__c"]["format"] == "date"
    assert {"RecordType.Name", "Account.Website"} <= set(columns.paths)
    assert not any(path.startswith("Contact.") for path in columns.paths)


def test_user_without_an_essential_field_is_told() -> None:
    fields = {"fields": [{"name": "Id", "type": "id"}, {"name": "IsDeleted", "type": "boolean"}]}
    with pytest.raises(TapError, match="can't read SystemModstamp of Case"):
        read_describe(fields, CASES, excluded=[])


def test_field_with_the_name_of_a_joined_column_is_told() -> None:
    with pytest.raises(TapError, match="exclude_fields"):
        columns_of({"name": "BusinessProcess__Name", "type": "string"})


def test_catalog_takes_columns_away_but_not_what_the_sync_needs() -> None:
    """What is read only because something is joined by it is not emitted."""
    columns = selected(columns_of(), {"CaseStatus__IsClosed", "BusinessProcess__Name"})
    assert set(columns.paths) == {"Id", "IsDeleted", "SystemModstamp", "Status", "MasterRecordId", "RecordType.BusinessProcessId"}  # fmt: skip
    assert set(columns.schema()["properties"]) == {
        "Id", "SystemModstamp", "CaseStatus__IsClosed", "BusinessProcess__Name", "_sf_organization_id", "_sf_delete_kind", "_sdc_deleted_at",
    }  # fmt: skip


def test_vanished_fields_are_those_that_were_read_and_are_not_there() -> None:
    assert vanished(["Id", "Gone__c", "Status"], columns_of()) == ["Gone__c"]


def test_other_objects_need_no_more_than_they_have() -> None:
    """A table without a recycle bin or a stamp is a stream too."""
    (statuses,) = [kind for kind in OTHERS if kind.name == "case_statuses"]
    columns = read_describe(
        {"fields": [{"name": "Id", "type": "id"}, {"name": "MasterLabel", "type": "string"}]},
        statuses,
        excluded=[],
    )
    assert set(columns.schema()["properties"]) == {"Id", "MasterLabel", "_sf_organization_id"}


def test_record_types_are_known_by_label_and_developer_name() -> None:
    """The master record type is none."""
    infos = [
        {"name": "Technical Support", "developerName": "Technical_Support"},
        {"name": "Master", "developerName": "Master", "master": True},
    ]
    assert record_types_of({"recordTypeInfos": infos}) == dict.fromkeys(
        ("technical support", "technical_support"), "Technical_Support"
    )


JOINS = Joins(
    organization_id="00D5g00000SandBEAA", instance_url="https://x.my.salesforce.com",
    processes={"0195g000000PrOcAAG": SupportProcess(name="Technical", is_active=True)},
    statuses={"New": CaseStatus(is_closed=False, sort_order=1)},
)  # fmt: skip
values = st.none() | st.text(max_size=20) | st.integers() | st.booleans()


def maker(columns: Columns) -> RowMaker:
    return RowMaker(columns, lambda: JOINS, is_case=True, is_known=lambda _row: False)


def one_row(record: dict[str, Any], columns: Columns) -> dict[str, Any]:
    (row,) = maker(columns).from_json([record])
    return row


@given(
    st.fixed_dictionaries({"Status": st.sampled_from(["New", "Odd", None]), "AccountId": values}),
    st.booleans(),
)
def test_row_has_every_selected_column_and_a_tombstone_none_of_them(
    record: dict[str, Any], is_deleted: bool
) -> None:
    columns = columns_of()
    whole = {
        **record,
        "Id": "5005g00000AbCdEAAV",
        "IsDeleted": is_deleted,
        "SystemModstamp": "2026-01-05T09:00:00.000+0000",
        "Account": None,
    }
    row = one_row(whole, columns)
    assert row["SystemModstamp"] == "2026-01-05T09:00:00.000Z"
    if is_deleted:
        assert set(row) == {"Id", "IsDeleted", "SystemModstamp", "_sdc_deleted_at", "_sf_delete_kind", "_sf_organization_id"}  # fmt: skip
    else:
        assert set(row) == set(columns.schema()["properties"]) - {"_sf_delete_kind"}
        assert row["_sdc_deleted_at"] is None
        assert row["Account__Name"] is None
        assert row["CaseStatus__IsClosed"] == (False if record["Status"] == "New" else None)


def test_merged_case_names_its_master() -> None:
    record = {
        "Id": "5005g00000AbCdEAAV",
        "IsDeleted": True,
        "SystemModstamp": "2026-01-05T09:00:00.000+0000",
        "MasterRecordId": "5005g00000AbCdFAAV",
    }
    row = one_row(record, columns_of())
    assert (row["_sf_delete_kind"], row["MasterRecordId"]) == ("merged", "5005g00000AbCdFAAV")


COLUMNS = Columns(
    columns=tuple(
        Column(path=path, kind=kind)
        for path, kind in (
            ("Id", "text"), ("IsDeleted", "boolean"), ("SystemModstamp", "datetime"), ("Weight__c", "number"), ("Units__c", "integer"),
            ("Due__c", "date"), ("Account.Name", "text"),
        )
    ),
    added={"_sf_organization_id": {}, "_sdc_deleted_at": {}},
    essential=("Id", "SystemModstamp", "IsDeleted"),
)  # fmt: skip
texts = st.none() | st.text(min_size=1, max_size=8)


@given(
    st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    st.none() | st.integers(-9, 9),
    texts,
)
def test_R47_rest_and_bulk_give_the_same_row(
    weight: Decimal | None, units: int | None, account: str | None
) -> None:
    """JSON's types and CSV's texts, +0000 and Z, nested parents and dotted columns."""
    record = {
        "Id": "5005g00000AbCdEAAV", "IsDeleted": False, "SystemModstamp": "2026-01-05T09:00:00.000+0000", "Weight__c": weight, "Units__c": units,
        "Due__c": "2026-01-06", "Account": account and {"Name": account},
    }  # fmt: skip
    line = ["5005g00000AbCdEAAV", "false", "2026-01-05T09:00:00.000Z", "" if weight is None else str(weight), "" if units is None else f"{units}.0", "2026-01-06", account or ""]  # fmt: skip
    rest = list(
        RowMaker(COLUMNS, lambda: JOINS, is_case=False, is_known=lambda _row: False).from_json([record])
    )
    bulk = list(
        RowMaker(COLUMNS, lambda: JOINS, is_case=False, is_known=lambda _row: False).from_csv(
            COLUMNS.paths, [line]
        )
    )
    assert rest == bulk


def test_bulk_result_with_other_columns_is_refused() -> None:
    with pytest.raises(TapError, match="other columns"):
        list(maker(COLUMNS).from_csv(["Id", "Surprise"], [["1", "2"]]))


@pytest.mark.parametrize(
    ("given_id", "whole"),
    [("001A0000006Vm9r", "001A0000006Vm9rIAC"), ("001A0000006Vm9rIAC", "001A0000006Vm9rIAC"), ("", "")],
)
def test_ids_have_18_characters(given_id: str, whole: str) -> None:
    assert to_18(given_id) == whole
