"""Values, owners and whole tickets: what HubSpot is sent for any value that a stream can hold."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from target_hubspot_tickets.owners import Owners, UnknownOwnerError, owner_finder, read_owners
from target_hubspot_tickets.portal import (
    CLOSED_STAGE,
    Pipeline,
    Portal,
    Property,
    Stage,
    UnknownPlaceError,
    find_pipeline,
    read_pipelines,
    read_property,
)
from target_hubspot_tickets.records import Upsert
from target_hubspot_tickets.tickets import Choices, MissingOption, TicketPlan, UnresolvedError
from target_hubspot_tickets.values import (
    CUT_MARK,
    MAX_TEXT,
    UNWANTED,
    Converter,
    ValueProblemError,
    converter_of,
)

KEY = "salesforce_case_id"


def units(text: str) -> int:
    """Characters as JavaScript and Java count them."""
    return len(text.encode("utf-16-le")) // 2


def of(kind: str, **more: Any) -> Property:
    return Property(name=more.pop("name", "p"), type=kind, **more)


def conversion(kind: str, **more: Any) -> Converter:
    return converter_of(of(kind, **more), "cut")


def code_of(convert: Callable[[Any], object], value: Any) -> str:
    """The code that a value is refused with; the reason quotes no part of the value."""
    with pytest.raises(ValueProblemError) as raised:
        convert(value)
    assert not isinstance(value, str) or len(value) < 4 or value not in str(raised.value)
    return raised.value.code


# -- texts


@settings(max_examples=5000, deadline=None)
@given(st.text(alphabet=st.characters(codec=None), max_size=60))
@example("\x00")
@example("a\ud83d")
@example("\ude00\ud83d")
@example("\u202eevil\u2066")
@example("👩\u200d👩\u200d👧")
@example("\x7f\x1b[31m")
def test_R61_any_text_is_sent_without_what_hubspot_refuses(value: str) -> None:
    """Control characters, lone surrogates, right-to-left marks, joined emoji: valid UTF-8, else untouched, never an error."""
    sent = conversion("string")(value)
    sent.encode("utf-8")
    assert sent == UNWANTED.sub("", value)
    assert not set(sent) & {chr(c) for c in range(32) if chr(c) not in "\t\n\r"}


EDGES = [
    (character * count, fits)
    for count, fits in ((MAX_TEXT - 1, True), (MAX_TEXT, True), (MAX_TEXT + 1, False))
    for character in ("x", "é")
] + [
    ("x" * (MAX_TEXT - 1 + shift) + "😀", fits)
    for shift, fits in ((-2, True), (-1, True), (0, False), (1, False))
] + [("😀" * (MAX_TEXT // 2), True), ("😀" * (MAX_TEXT // 2) + "x", False)]  # fmt: skip


@pytest.mark.parametrize(("text", "fits"), EDGES, ids=range(len(EDGES)))
def test_R60_text_at_the_limit_is_whole_or_cut_with_a_mark(text: str, fits: bool) -> None:
    """65,536 characters, however they are counted; no half of a surrogate pair is left at the edge."""
    assert len(EDGES) == 12
    sent = conversion("string")(text)
    assert units(sent) <= MAX_TEXT
    sent.encode("utf-8")
    if fits:
        assert sent == text
        return
    assert sent.endswith(CUT_MARK)
    assert text.startswith(sent.removesuffix(CUT_MARK))
    assert units(sent) >= MAX_TEXT - 1
    assert code_of(converter_of(of("string"), "reject"), text) == "PROPERTY_VALUE_TOO_LONG"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 12), st.text(alphabet="a😀é\u0301\u200d", min_size=1, max_size=12), st.integers(-9, 9))
def test_R60_cut_text_is_the_beginning_of_the_text(offset: int, edge: str, shift: int) -> None:
    """Whatever stands at the edge."""
    text = "x" * (MAX_TEXT - len(CUT_MARK) - 6 + offset) + edge * 4 + "y" * (9 + shift)
    sent = conversion("string")(text)
    assert units(sent) <= MAX_TEXT
    assert sent == text or text.startswith(sent.removesuffix(CUT_MARK))
    sent.encode("utf-16-le")


def test_only_texts_have_a_limit() -> None:
    """A text that fits exactly once it is cleaned is not refused."""
    assert converter_of(of("string"), "reject")("x" * MAX_TEXT + "\x00") == "x" * MAX_TEXT
    assert len(conversion("phone_number")("1" * 70_000)) == MAX_TEXT


@pytest.mark.parametrize(
    ("value", "sent"),
    [(True, "true"), (False, "false"), (0, "0"), (1.5, "1.5"), (Decimal("2.50"), "2.5"), (["a", 1, None, ""], "a;1"), ("", ""), ([], ""), ("  a ", "  a ")],
)  # fmt: skip
def test_text_property_takes_any_plain_value(value: Any, sent: str) -> None:
    assert conversion("string")(value) == sent
    assert conversion("phone_number")(value) == sent


# -- numbers and checkboxes


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=6)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)
def test_number_keeps_its_value_and_has_no_exponent(value: Any) -> None:
    """As a number, and as the text of one."""
    sent = conversion("number")(value)
    assert Decimal(sent) == Decimal(str(value))
    assert not set(sent) & set("eE+")
    assert conversion("number")(f" {value} ") == sent


@pytest.mark.parametrize(
    ("value", "sent"),
    [(-0.0, "0"), ("-0", "0"), ("1e3", "1000"), ("+5", "5"), (".5", "0.5"), ("7.", "7"), (Decimal("1E+2"), "100"), ("", ""), ("  ", ""), (10**18, "1" + "0" * 18)],
)  # fmt: skip
def test_number_is_digits(value: Any, sent: str) -> None:
    assert conversion("number")(value) == sent


@pytest.mark.parametrize(
    "value",
    [True, False, "many", "1,5", "1_000", "0x1f", "١٢", "NaN", "Infinity", "-inf", float("nan"), float("inf"), Decimal("sNaN"), Decimal("1E+999999"), "1e9999", pytest.param(10**5000, id="5000 digits"), [1], {}],
)  # fmt: skip
def test_what_is_no_number_is_refused(value: Any) -> None:
    """Nor does a number of a million digits fill the memory."""
    assert code_of(conversion("number"), value) == "INVALID_INTEGER"


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), Decimal("NaN"), {"a": 1}, [{"a": 1}]])
def test_text_property_refuses_what_is_no_plain_value(value: Any) -> None:
    assert code_of(conversion("string"), value) in {"INVALID_INTEGER", "INVALID_VALUE"}


@pytest.mark.parametrize(
    ("value", "sent"),
    [(True, "true"), (False, "false"), (1, "true"), (0, "false"), (Decimal(1), "true"), ("TRUE", "true"), (" no", "false"), ("1", "true"), ("", "")],
)  # fmt: skip
def test_checkbox_is_true_or_false(value: Any, sent: str) -> None:
    assert conversion("bool")(value) == sent


@pytest.mark.parametrize("value", ["perhaps", 2, -1, float("nan"), [], {}, [True]])
def test_what_is_neither_true_nor_false_is_refused(value: Any) -> None:
    assert code_of(conversion("bool"), value) == "INVALID_BOOLEAN"


# -- days and moments

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


@settings(max_examples=2000)
@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001 - the zone comes apart
    st.integers(-14 * 60, 14 * 60),
)
def test_R63_moment_is_exact_to_the_millisecond_in_any_offset(moment: datetime, minutes: int) -> None:
    """Written with +hh:mm, with +hhmm, or as milliseconds since 1970, it is the same moment; a date property gets its UTC day."""
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    wall, exact = moment.isoformat(timespec="milliseconds"), moment.replace(tzinfo=UTC)
    exact = exact.replace(microsecond=moment.microsecond // 1000 * 1000) - timedelta(minutes=minutes)
    sent = exact.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    writings: list[Any] = [
        f"{wall}{sign}{size // 60:02d}:{size % 60:02d}",
        f"{wall}{sign}{size // 60:02d}{size % 60:02d}",
        milliseconds(exact),
    ]
    assert {conversion("datetime")(written) for written in writings} == {sent}
    assert {conversion("date")(written) for written in writings} == {sent[:10]}
    assert conversion("datetime")(sent) == sent


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("2026-01-05T09:00:00.000+0000", "2026-01-05T09:00:00.000Z"),
        ("2026-01-05T09:00:00Z", "2026-01-05T09:00:00.000Z"),
        ("2026-01-05 09:00:00.123456+01:00", "2026-01-05T08:00:00.123Z"),
        ("2026-01-05T09:00:00", "2026-01-05T09:00:00.000Z"),
        ("2026-01-05", "2026-01-05T00:00:00.000Z"),
        ("0001-01-01", "0001-01-01T00:00:00.000Z"),
        ("1700-01-01T00:00:00.000Z", "1700-01-01T00:00:00.000Z"),
        ("4000-12-31T23:59:59.999Z", "4000-12-31T23:59:59.999Z"),
        ("9999-12-31T23:59:59.999+00:00", "9999-12-31T23:59:59.999Z"),
        # the hour that summer time leaves out, and both of the one that it doubles: an offset is all that counts
        ("2026-03-29T02:30:00+01:00", "2026-03-29T01:30:00.000Z"),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00.000Z"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00.000Z"),
        (1767603600000, "2026-01-05T09:00:00.000Z"),
        ("1767603600000", "2026-01-05T09:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        ("", ""),
        (" 2026-01-05 ", "2026-01-05T00:00:00.000Z"),
    ],
)
def test_R63_forms_of_a_moment(value: Any, sent: str) -> None:
    assert conversion("datetime")(value) == sent


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("2026-01-05", "2026-01-05"),
        ("20260105", "2026-01-05"),
        ("2026-01-05T23:30:00-02:00", "2026-01-06"),
        ("2026-01-05T00:30:00+02:00", "2026-01-04"),
        (1767571200000, "2026-01-05"),
        ("9999-12-31", "9999-12-31"),
        ("0001-01-01", "0001-01-01"),
        ("", ""),
    ],
)
def test_R63_forms_of_a_day(value: Any, sent: str) -> None:
    """A day stays itself; a moment is on the day that it has in UTC."""
    assert conversion("date")(value) == sent


@pytest.mark.parametrize("kind", ["date", "datetime"])
@pytest.mark.parametrize(
    "value",
    ["soon", "2026-13-01", "2026-02-30", "2026-02-30T00:00:00.000Z", "2026-01-05T25:00:00.000Z", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "1767603600", True, 1.5, 10**18, -(10**18), "9" * 15, [], {}],
)  # fmt: skip
def test_R63_what_is_no_moment_is_refused(kind: str, value: Any) -> None:
    """Seconds since 1970 are not taken for milliseconds, nor does a year beyond the calendar end the run."""
    assert code_of(conversion(kind), value) == "INVALID_DATE"


# -- options

PRIORITY = {"LOW": "Low", "HIGH": "Very high", "very high": "Other"}
CATEGORY = {"PRODUCT_ISSUE": "Product issue", "BILLING": "Billing issue"}


@pytest.mark.parametrize(
    ("value", "sent"),
    [("LOW", "LOW"), ("low", "LOW"), (" Low ", "LOW"), ("very high", "very high"), ("Other", "very high"), ("", "")],
)  # fmt: skip
def test_option_is_its_value_or_label_in_any_letters(value: Any, sent: str) -> None:
    """An exact value before one in other letters, and that before a label."""
    assert conversion("enumeration", options=PRIORITY)(value) == sent


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("PRODUCT_ISSUE;BILLING", "PRODUCT_ISSUE;BILLING"),
        (["billing issue", "Product issue"], "BILLING;PRODUCT_ISSUE"),
        (";BILLING", "BILLING"),
        ("BILLING; ;billing", "BILLING"),
        ([], ""),
    ],
)
def test_several_options_are_joined_and_never_appended(value: Any, sent: str) -> None:
    """A semicolon at the start would add to what the ticket has."""
    assert conversion("enumeration", options=CATEGORY, is_multiple=True)(value) == sent


@pytest.mark.parametrize(
    ("value", "multiple"),
    [
        ("URGENT", False),
        (["LOW"], False),
        ("LOW;HIGH", False),
        ("LOW;URGENT", True),
        (7, False),
        (True, True),
    ],
)
def test_unknown_option_is_refused(value: Any, multiple: bool) -> None:
    assert (
        code_of(conversion("enumeration", options=PRIORITY, is_multiple=multiple), value) == "INVALID_OPTION"
    )


def test_label_of_two_options_means_neither() -> None:
    convert = conversion("enumeration", options={"A": "Same", "B": "same", "C": "Else"})
    assert code_of(convert, "same") == "INVALID_OPTION"
    assert convert("else") == "C"


@pytest.mark.parametrize(
    "more", [{"has_options_elsewhere": True, "options": PRIORITY}, {"is_hubspots": True}]
)
def test_options_that_hubspot_does_not_list_are_left_to_it(more: dict[str, Any]) -> None:
    assert conversion("enumeration", **more)("910901") == "910901"


def test_property_is_read_with_all_that_decides() -> None:
    """Hidden options are valid values; the members that HubSpot may leave out are not needed."""
    body = {
        "name": "hs_ticket_category", "type": "enumeration", "fieldType": "checkbox", "label": "Category", "hubspotDefined": True,
        "options": [{"label": "A", "value": "a", "hidden": True}], "modificationMetadata": {"readOnlyOptions": True, "readOnlyValue": False},
    }  # fmt: skip
    found = read_property(body)
    assert (found.is_multiple, found.takes_options, found.is_read_only, found.is_hubspots) == (
        True,
        False,
        False,
        True,
    )
    assert found.has_known_options
    assert found.options == {"a": "A"}
    owner = read_property(
        {"name": "hubspot_owner_id", "type": "enumeration", "referencedObjectType": "OWNER"}
    )
    assert (owner.has_known_options, owner.takes_options) == (False, False)
    assert read_property({"name": "x", "calculated": True}).is_read_only


# -- pipelines and stages

PLACES = read_pipelines(
    {
        "results": [
            {"id": "7", "label": "Billing", "stages": [{"id": "71", "label": "New"}, {"id": "72", "label": "Done", "metadata": {"ticketState": "CLOSED"}}]},
            {"id": "8", "label": "Sales", "stages": [{"id": "81", "label": "Twice"}, {"id": "82", "label": "twice"}, {"id": "83", "label": "TWICE"}]},
            {"id": "9", "label": "sales", "stages": []},
            {"id": "10", "label": "SALES", "stages": [{"id": "99", "label": "Gone", "archived": True}]},
            {"id": "11", "label": "Old", "stages": [], "archived": True},
            {"id": "Billing 2", "label": "7", "stages": []},
        ]
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("pipeline", "stage", "ids"),
    [("7", "71", ("7", "71")), ("billing", "new", ("7", "71")), ("Billing", CLOSED_STAGE, ("7", "72")), ("Sales", "81", ("8", "81")), ("Sales", "Twice", ("8", "81"))],
)  # fmt: skip
def test_place_is_found_by_id_or_label(pipeline: str, stage: str, ids: tuple[str, str]) -> None:
    """An id before a label that looks like it, and a label in the same letters before others."""
    found = find_pipeline(PLACES, pipeline)
    assert (found.id, found.stage_id(stage)) == ids


@pytest.mark.parametrize(
    ("pipeline", "stage", "told"),
    [
        ("Old", "", "no ticket pipeline 'Old'; it has 'Billing', 'Sales'"),
        ("sAles", "", "several ticket pipelines 'sAles': name one by its id ('8', '9', '10')"),
        ("8", "tWice", "several stages 'tWice': name one by its id ('81', '82', '83')"),
        ("7", "Nwe", "the pipeline 'Billing' has no stage 'Nwe'; it has 'New', 'Done'"),
        ("10", "Gone", "no stage 'Gone'"),
        ("9", CLOSED_STAGE, "has no closed stage"),
    ],
)
def test_place_that_is_none_or_several_is_told(pipeline: str, stage: str, told: str) -> None:
    with pytest.raises(UnknownPlaceError) as raised:
        find_pipeline(PLACES, pipeline).stage_id(stage)
    assert told in str(raised.value)


# -- owners

OWNERS = read_owners(
    [
        {"id": "1", "email": "Ada@Example.com"},
        {"id": "2", "email": "ada@example.com"},
        {"id": "3", "email": "gone@example.com", "archived": True},
        {"id": "4", "email": ""},
        {"id": "5", "email": "bo@example.com", "userId": 55},
    ]
)
REFUSED = "refused"


@pytest.mark.parametrize(
    ("unknown_owner", "found", "unknown", "nobody"),
    [("leave", "1", None, None), ("clear", "1", "", ""), ("default", "1", "5", "5"), ("reject", "1", REFUSED, "")],
)  # fmt: skip
@pytest.mark.parametrize("default_owner", ["5", "BO@example.com "])
def test_owner_of_an_email(
    unknown_owner: Any, found: str, unknown: str | None, nobody: str | None, default_owner: str
) -> None:
    """No e-mail (a queue) is as an unknown one, but nobody's name is no reason to reject; a deactivated owner is unknown."""
    find = owner_finder(
        OWNERS, unknown_owner=unknown_owner, default_owner=default_owner, empty_values="clear"
    )
    assert find(" ADA@example.COM") == found
    assert [find(none) for none in (None, "", " ")] == [nobody] * 3
    for email in ("gone@example.com", "nobody@example.com", "5"):
        if unknown == REFUSED:
            with pytest.raises(UnknownOwnerError) as raised:
                find(email)
            assert email not in str(raised.value)
        else:
            assert find(email) == unknown


def test_rejecting_unknown_owners_keeps_the_owner_of_a_case_without_one_if_empty_values_are_kept() -> None:
    find = owner_finder(OWNERS, unknown_owner="reject", default_owner=None, empty_values="keep")
    assert find(None) is None


def test_owner_is_found_by_owner_id_not_user_id() -> None:
    assert (OWNERS.find("5"), OWNERS.find("55"), Owners().find("5")) == ("5", None, None)


# -- tickets

PROPERTIES = [
    of("string", name=KEY, is_unique=True),
    of("string", name="subject"),
    of("enumeration", name="hs_ticket_priority", options=PRIORITY),
    of("number", name="amount"),
    of("datetime", name="closed_date"),
]
PORTAL = Portal(properties={p.name: p for p in PROPERTIES}, pipelines=PLACES, owners=OWNERS)
COLUMNS = (KEY, "subject", "hs_ticket_priority", "amount", "closed_date", "hs_pipeline", "hs_pipeline_stage", "hubspot_owner_email", "elsewhere", "associations", "_sdc_deleted_at")  # fmt: skip


def plan_of(**choices: Any) -> TicketPlan:
    return TicketPlan(COLUMNS, PORTAL, Choices(key_property=KEY, **choices))


def sent_of(values: dict[str, Any], **choices: Any) -> dict[str, str]:
    return plan_of(**choices).properties_of(Upsert(key="5A", values={KEY: " 5A", **values}))


def refusal_of(values: dict[str, Any], **choices: Any) -> UnresolvedError:
    with pytest.raises(UnresolvedError) as raised:
        sent_of(values, **choices)
    return raised.value


ABSENT = object()


@pytest.mark.parametrize("name", ["subject", "amount", "closed_date", "hs_ticket_priority"])
@pytest.mark.parametrize(
    ("value", "empty_values", "is_sent"),
    [
        (None, "clear", True), (None, "keep", False),
        ("", "clear", True), ("", "keep", False),
        (ABSENT, "clear", False), (ABSENT, "keep", False),
    ],
)  # fmt: skip
def test_R62_null_empty_and_absent_by_policy(name: str, value: Any, empty_values: str, is_sent: bool) -> None:
    """Clear: null and an empty text empty the property. Keep: they leave it alone. An absent column always does."""
    values = {} if value is ABSENT else {name: value}
    expected = {KEY: "5A", name: ""} if is_sent else {KEY: "5A"}
    assert sent_of(values, empty_values=empty_values) == expected


def test_ticket_is_sent_with_its_key_and_ids() -> None:
    """The key as it is trimmed, so that the answer echoes what the record is known by."""
    values = {
        "subject": "s\x00", "hs_pipeline": "billing", "hs_pipeline_stage": "new", "hubspot_owner_email": "bo@example.com",
        "hs_ticket_priority": "low", "amount": 12, "closed_date": "2026-01-05",
    }  # fmt: skip
    assert sent_of(values) == {
        KEY: "5A", "subject": "s", "hs_pipeline": "7", "hs_pipeline_stage": "71", "hubspot_owner_id": "5", "hs_ticket_priority": "LOW",
        "amount": "12", "closed_date": "2026-01-05T00:00:00.000Z",
    }  # fmt: skip


def test_all_that_is_wrong_with_a_record_is_told_without_its_values() -> None:
    """Code of the first; every property is named, and no word of a customer."""
    error = refusal_of(
        {
            "amount": "secret-a", "hs_ticket_priority": "secret-b", "closed_date": "secret-c", "hs_pipeline": "billing", "hs_pipeline_stage": "Nwe",
            "hubspot_owner_email": "secret@example.com", "surprise": "secret-d",
        },
        unknown_owner="reject",
    )  # fmt: skip
    assert error.code == "INVALID_INTEGER"
    assert "secret" not in str(error)
    for named in ("amount: ", "hs_ticket_priority: not one of its options", "closed_date: ", "'Nwe'", "hubspot_owner_email: ", "surprise: "):  # fmt: skip
        assert named in str(error)
    assert error.missing_options == ()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"hs_pipeline": "billing"}, "UNRESOLVED"),
        ({"hs_pipeline_stage": "New", "hs_pipeline": None}, "UNRESOLVED"),
        ({"hs_pipeline": ["a"], "hs_pipeline_stage": {"a": 1}}, "UNRESOLVED"),
        ({"surprise": None}, "UNKNOWN_COLUMN"),
        ({"elsewhere": "x"}, "UNKNOWN_COLUMN"),
        ({"subject": "x" * (MAX_TEXT + 1)}, "PROPERTY_VALUE_TOO_LONG"),
    ],
)
def test_code_says_what_is_wrong(values: dict[str, Any], code: str) -> None:
    """A pipeline without a stage, or the other way round, is no place; a column that nobody announced is no property."""
    assert refusal_of(values, long_text="reject").code == code


@pytest.mark.parametrize("place", [{"hs_pipeline": "7"}, {"hs_pipeline_stage": "71", "hs_pipeline": ""}])
def test_half_a_place_is_told_as_such(place: dict[str, str]) -> None:
    assert "hs_pipeline and hs_pipeline_stage go together" in str(refusal_of(place))


def test_unknown_columns_can_be_ignored() -> None:
    """Those that the schema announced, and those that it did not."""
    sent = sent_of({"surprise": "x", "elsewhere": "y", "subject": "z"}, unknown_columns="ignore")
    assert sent == {KEY: "5A", "subject": "z"}


def test_key_that_hubspot_would_keep_in_another_form_is_refused() -> None:
    """Its answer would not be recognised."""
    with pytest.raises(UnresolvedError) as raised:
        plan_of().properties_of(Upsert(key="5\x00A", values={KEY: "5\x00A"}))
    assert raised.value.code == "INVALID_KEY"


def test_missing_options_are_told_so_that_they_can_be_created_and_learnt() -> None:
    """Only where they are all that is wrong."""
    plan = plan_of()
    upsert = Upsert(key="5A", values={"hs_ticket_priority": "Urgent "})
    with pytest.raises(UnresolvedError) as raised:
        plan.properties_of(upsert)
    assert raised.value.missing_options == (MissingOption("hs_ticket_priority", "Urgent"),)
    plan.learn(of("enumeration", name="hs_ticket_priority", options={**PRIORITY, "Urgent": "Urgent"}))
    assert plan.properties_of(upsert) == {KEY: "5A", "hs_ticket_priority": "Urgent"}


plain_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
any_values = st.recursive(plain_values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2))  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*COLUMNS[1:8], "surprise"]), any_values),
    st.sampled_from(["clear", "keep"]),
)
def test_any_record_is_sent_as_texts_or_refused(values: dict[str, Any], empty_values: Any) -> None:
    """Never another error, which would end the run; and what is sent can be encoded."""
    plan = plan_of(empty_values=empty_values, unknown_owner="reject")
    sent: dict[str, str] = {}
    with suppress(UnresolvedError):
        sent = plan.properties_of(Upsert(key="5A", values=values))
    assert all(isinstance(text, str) for text in sent.values())
    "".join(sent.values()).encode("utf-8")
    assert ("hs_pipeline" in sent) == ("hs_pipeline_stage" in sent)


def test_stage_is_closed_where_hubspot_says_so() -> None:
    assert PLACES[0] == Pipeline(id="7", label="Billing", stages=(Stage(id="71", label="New"), Stage(id="72", label="Done", is_closed=True)))  # fmt: skip
