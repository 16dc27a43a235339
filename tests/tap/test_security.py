"""What the tap lets into a query, and where its credentials go; numbers of reliability.md, section S (S10 and later are not the sync's)."""

import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus

import pytest
import requests
from singer_sdk.exceptions import ConfigValidationError

from case_sync_sandbox.salesforce.errors import SalesforceError
from case_sync_sandbox.salesforce.soql import Compare, Logic, Membership, Value, parse
from case_sync_sandbox.testing import RunningSandbox
from tap_salesforce_cases.configuration import is_allowed_url, problems_of, with_defaults
from tap_salesforce_cases.errors import LoginRefusedError, SettingError, TapError
from tap_salesforce_cases.filters import build_filter, record_type_names
from tap_salesforce_cases.login import read_token
from tap_salesforce_cases.session import SalesforceSession
from tap_salesforce_cases.settings import PROPERTIES
from tap_salesforce_cases.soql import Source, select_ids_of, select_snapshot

from .conftest import Tap, credentials, run_here

ENOUGH = {"login_url": "https://acme.my.salesforce.com", "client_id": "id", "client_secret": "secret"}
WRONG = (None, True, -1, 1e300, "", "no", "\0", [], [1], {}, {"a": 1}, "http://", "2026")
PIECES = (
    "'", "\\", "\\'", "\\\\", '"', "(", ")", "\n", "\r", "\t", "\0", "\u2019", "\uff07", "%", ";", "--", "/*", " OR ", " AND ", "Id != null",
    " LIMIT 1", " ORDER BY Id", "SELECT Id FROM User", " FROM User", " WHERE ", " ALL ROWS", "High", "=", "\\u0027", ",", " IN ", "NOT ", "null",
)  # fmt: skip
MOMENT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
# What a run lives by, whatever is selected: how many, which case it is, its version, and whether it is deleted.
ITS_OWN = {"COUNT()", "Id", "SystemModstamp", "IsDeleted", "MasterRecordId"}
# Columns that are joined from small tables, and the field of a case that says which row of theirs.
JOINED_BY = {
    "BusinessProcess__Name": "RecordType__BusinessProcessId", "BusinessProcess__IsActive": "RecordType__BusinessProcessId",
    "CaseStatus__IsClosed": "Status", "CaseStatus__SortOrder": "Status",
}  # fmt: skip
# Each names, to one reader of addresses or another, something that is neither a host by its name nor this machine.
ADDRESSES = [
    "http://acme.my.salesforce.com", "ftp://acme.my.salesforce.com", "acme.my.salesforce.com", "//acme.my.salesforce.com", "",
    "https://user@acme.my.salesforce.com", "https://user:password@acme.my.salesforce.com", "https://:password@acme.my.salesforce.com",
    "https://@acme.my.salesforce.com", "http://localhost:1@evil.example", "http://localhost.evil.example", "http://127.0.0.1.evil.example",
    "https://evil.example\\.my.salesforce.com", "https://evil.example\\@acme.my.salesforce.com", "https://evil.example%2f.my.salesforce.com",
    "https://evil.example%23.my.salesforce.com", "https://evil.example;.my.salesforce.com", "https://evil.example\t.my.salesforce.com",
    "https://evil.example\n.my.salesforce.com", "https://evil.example .my.salesforce.com", " https://acme.my.salesforce.com",
    "https://evil.example/.my.salesforce.com", "https://evil.example?.my.salesforce.com", "https://evil.example#.my.salesforce.com",
    "https://acme.my.salesforce.com?", "https://acme.my.salesforce.com#", "https://acme.my.salesforce.com/services",
    "https://169.254.169.254", "https://[::ffff:169.254.169.254]", "https://[fd00:ec2::254]", "https://2852039166", "https://0xA9FEA9FE",
    "https://10.0.0.1", "https://0", "https://127.1", "http://0.0.0.0", "https://\u0430cme.my.salesforce.com",
    "https://acme\u3002my.salesforce.com", "https://evil.example\uff0f.my.salesforce.com", "https://acme.my.salesforce.com:99999",
    "https://acme.my.salesforce.com:0", "https://acme.my.salesforce.com:x", "https://.salesforce.com", "https://acme..salesforce.com",
]  # fmt: skip


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A password of the machine's user, for whatever host."""
    path = tmp_path / "passwords"
    path.write_text("default login somebody password planted-password\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(path))
    return "planted-password"


def texts(count: int) -> list[str]:
    """Injections, the same in each run: pieces of SOQL, quotes and escapes in any order."""
    drawn = random.Random(7)
    return ["".join(drawn.choices(PIECES, k=drawn.randint(1, 7))) for _ in range(count)]


def users_terms(condition: str) -> list[Any]:
    """What stands for a condition in a query that is otherwise as the tap means it: one SELECT of Id from Case, in order, with an end.

    Raises:
        SalesforceError: it is no SOQL, and Salesforce would refuse it.
    """
    found = parse(select_snapshot(Source(object_name="Case", condition=condition), MOMENT, None))
    assert ([str(path) for path in found.fields], found.entity) == (["Id"], "Case")
    assert [str(one.path) for one in found.order] == ["Id"]
    assert (found.limit, found.offset, found.all_rows) == (None, 0, False)
    assert isinstance(found.where, Logic)
    assert found.where.kind == "AND"
    *users, end = found.where.terms
    assert isinstance(end, Compare)
    assert (str(end.path), end.operator) == ("CreatedDate", "<=")
    return users


def selected(query: str) -> set[str]:
    """The columns of a query in an address."""
    return set(unquote_plus(query).split("SELECT ")[1].split(" FROM ")[0].split(", "))


def asked_of_cases(sandbox: RunningSandbox, *, since: int) -> list[set[str]]:
    """The columns of each query for cases."""
    made = sandbox.requests(half="salesforce", path="queryAll", since=since)
    return [selected(one["query"]) for one in made if "FROM+Case+" in one["query"]]


# -- S1


@pytest.mark.parametrize("way", [str, quote, quote_plus])
def test_S1_a_refused_login_does_not_repeat_what_was_sent(way: Callable[[str], str]) -> None:
    """As it was sent, or as a form has it; one secret that begins with another leaves no rest."""
    sent = ["planted/+ =secret", "planted/+ =secret-and-more"]
    told = "; ".join(map(way, sent))
    with pytest.raises(LoginRefusedError) as caught:
        read_token(400, {"error": told, "error_description": told}, ENOUGH["login_url"], sent=sent)
    assert "planted" not in str(caught.value)
    assert "and-more" not in str(caught.value)


# -- S3


def test_S3_whatever_is_wrong_no_secret_is_quoted() -> None:
    """500 configurations with wrong types, in which every secret holds a word of its own, also within a list or an object."""
    drawn, problems = random.Random(7), 0
    secrets = [name for name, schema in PROPERTIES.items() if schema.get("secret")]
    for _ in range(500):
        config = {name: drawn.choice(WRONG) for name in drawn.sample(sorted(PROPERTIES), 6)}
        config |= {
            name: drawn.choice(["planted", ["planted"], {"a": "planted"}, {"planted": 1}]) for name in secrets
        }
        told = problems_of(ENOUGH | config)
        problems += bool(told)
        assert "planted" not in str(told)
    assert problems > 400


# -- S6, S7: nothing gets into a query


def test_S6_a_condition_stays_one_term_of_the_query_or_is_refused() -> None:
    """2,000 texts as `where`: by the tap, or, where brackets and quotes are right, by Salesforce's grammar."""
    passed = 0
    for text in [f"{fine}{text}" for fine in ("", "Id != null") for text in texts(1_000)]:
        if text.strip() and not problems_of(ENOUGH | {"where": text}):
            with suppress(SalesforceError):
                assert len(users_terms(build_filter(text, [], []).condition)) == 1, text
                passed += 1
    assert passed > 10


def test_S6_record_types_are_values_whatever_their_names_are() -> None:
    """1,000 names that an org could have given, and that a setting could ask for."""
    for text in texts(1_000):
        known = {text.lower(): text}
        names = record_type_names([text], known, "record_types_include")
        (term,) = users_terms(build_filter(None, names, []).condition)
        assert [value.value for value in term.values] == names
        (term,) = users_terms(build_filter(None, [], names).condition)
        assert [value.value for value in term.terms[1].values] == names


def test_S6_an_id_from_a_state_or_an_answer_is_a_value() -> None:
    cases = Source(object_name="Case")
    for text in texts(1_000):
        listed = parse(select_ids_of(cases, [text])).where
        assert isinstance(listed, Membership)
        assert [value.value for value in listed.values] == [text]
        behind = parse(select_snapshot(cases, MOMENT, text)).where
        assert isinstance(behind, Logic)
        assert [getattr(term, "value", None) for term in behind.terms][1:] == [
            Value(kind="string", value=text)
        ]


@pytest.mark.parametrize("name", ["start_date", "api_version", "auth_method", "api_mode", "sync_status"])
def test_S6_other_texts_are_of_their_form_or_refused(name: str) -> None:
    """1,000 texts for each setting that goes into a query or a path, or chooses one."""
    for text in filter(str.strip, texts(1_000)):
        assert [problem for problem in problems_of(ENOUGH | {name: text}) if problem.startswith(name)], text


def test_S6_names_of_fields_that_are_left_out_are_in_no_query(sandbox: RunningSandbox, tap: Tap) -> None:
    """1,000 texts as `exclude_fields`, which leave out the field among them and change nothing else."""
    sandbox.seed(3)
    run_here(tap, exclude_fields=[])
    plain = asked_of_cases(sandbox, since=0)
    since = max(one["seq"] for one in sandbox.requests())
    run_here(tap, exclude_fields=[*texts(1_000), "Description"])
    assert asked_of_cases(sandbox, since=since) == [fields - {"Description"} for fields in plain]
    assert any("Description" in fields for fields in plain)


def test_S7_paths_of_parents_are_names_or_refused() -> None:
    for text in filter(str.strip, texts(1_000)):
        is_path = re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", text, re.ASCII)
        assert bool(problems_of(ENOUGH | {"relationship_fields": [text]})) is not bool(is_path), text


@pytest.mark.parametrize(
    "settings",
    [
        {"relationship_fields": ["Nosuch.Name"]},
        {"relationship_fields": ["Account.Nosuch__c"]},
        {"record_types_include": ["Nosuch"]},
        {"record_types_exclude": ["') OR (Id != null"]},
    ],
)
def test_S7_what_describe_does_not_know_is_refused_before_any_query(
    sandbox: RunningSandbox, tap: Tap, settings: dict[str, Any]
) -> None:
    sandbox.seed(3)
    with pytest.raises(SettingError, match=next(iter(settings))):
        run_here(tap, **settings)
    assert not [r for r in sandbox.requests(half="salesforce", path="query") if "FROM+Case+" in r["query"]]


# -- S8, S9: the token goes nowhere else


@pytest.mark.parametrize("url", ADDRESSES)
def test_S8_an_address_that_could_be_read_in_two_ways_is_no_login_url(url: str) -> None:
    problems = problems_of(ENOUGH | {"login_url": url})
    assert [problem for problem in problems if problem.startswith("login_url")]


@pytest.mark.parametrize("url", ADDRESSES)
def test_S8_nor_may_the_login_s_answer_name_it(url: str) -> None:
    answer = {"access_token": "00D!x", "instance_url": url, "id": "https://login.salesforce.com/id/00D/005"}
    with pytest.raises(LoginRefusedError, match="no Salesforce host"):
        read_token(200, answer, ENOUGH["login_url"])


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.my.salesforce.com", "https://acme--dev.sandbox.my.salesforce.com/", "https://login.salesforce.com:443", "HTTPS://Acme.My.Salesforce.Com",
        "https://xn--cme-7cd.example", "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1", "https://127.0.0.1",
    ],
)  # fmt: skip
def test_S8_the_host_that_is_checked_is_the_one_that_is_called(url: str) -> None:
    """The check and the HTTP library read the same host out of it."""
    assert is_allowed_url(url)
    called = requests.Request("GET", url.rstrip("/") + "/services").prepare().url or ""
    assert called.split("/")[2].lower() == url.split("/")[2].lower()


def test_S8_an_instance_on_another_host_is_not_called(sandbox: RunningSandbox, tap: Tap) -> None:
    elsewhere = sandbox.hubspot_url.replace("127.0.0.1", "localhost")
    answer = {
        "access_token": "00D!planted",
        "instance_url": elsewhere,
        "id": "https://login.salesforce.com/id/00D/005",
    }
    sandbox.faults(
        [{"half": "salesforce", "path": "oauth2/token", "action": "answer", "status": 200, "body": answer}]
    )
    with pytest.raises(LoginRefusedError, match="nothing was sent to it"):
        run_here(tap)
    assert sandbox.requests(half="hubspot") == []


@pytest.mark.parametrize(
    "shape", ["{url}/stolen", "//{host}/stolen", "\\\\{host}\\stolen", "@{host}/stolen", ".{host}/stolen"]
)
def test_S8_a_next_page_is_a_path_of_the_instance(sandbox: RunningSandbox, tap: Tap, shape: str) -> None:
    sandbox.seed(3)
    url = shape.format(url=sandbox.hubspot_url, host=sandbox.hubspot_url.split("//")[1])
    page = {"totalSize": 9, "done": False, "nextRecordsUrl": url, "records": []}
    sandbox.faults([{"half": "salesforce", "path": "ORDER", "action": "answer", "status": 200, "body": page}])
    with pytest.raises(TapError, match="another host"):
        run_here(tap, max_tries=1)
    assert sandbox.requests(half="hubspot") == []


def test_a_next_page_that_is_no_address_is_told(sandbox: RunningSandbox, tap: Tap) -> None:
    sandbox.seed(3)
    page = {"totalSize": 9, "done": False, "nextRecordsUrl": 7, "records": []}
    sandbox.faults([{"half": "salesforce", "path": "ORDER", "action": "answer", "status": 200, "body": page}])
    with pytest.raises(TapError, match="no address"):
        run_here(tap, max_tries=1)


@pytest.mark.parametrize("path", ["oauth2/token", "describe", "FROM.Case", "jobs/query"])
def test_S9_a_redirect_is_not_followed(sandbox: RunningSandbox, tap: Tap, path: str) -> None:
    """Wherever it comes: at the login, where the secret would go along, and behind it, where the token would."""
    sandbox.seed(3)
    away = {"action": "redirect", "location": f"{sandbox.hubspot_url}/stolen"}
    sandbox.faults([{"half": "salesforce", "path": path} | away])
    with pytest.raises(TapError):
        run_here(tap, max_tries=1, api_mode="bulk" if "jobs" in path else "rest")
    assert sandbox.requests(half="salesforce", path="services")
    assert sandbox.requests(half="hubspot") == []


def test_S9_passwords_that_the_machine_keeps_for_others_are_not_sent(
    sandbox: RunningSandbox, tap: Tap, netrc: str
) -> None:
    """A netrc file with a default entry, which the HTTP library would send to every host, in the place of the token."""
    sandbox.seed(3)
    assert requests.utils.get_netrc_auth(sandbox.salesforce_url) == ("somebody", netrc)
    read = tap.read(max_tries=1)
    assert (read.returncode, len(read.rows)) == (0, 3), read.log


# -- S6


def test_S6_no_setting_gets_a_word_into_a_query(
    sandbox: RunningSandbox, tap: Tap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each that takes a text or names, one after the other, whatever settings there are: it is refused, or stays within quotes."""
    sandbox.seed(3)
    monkeypatch.chdir(tmp_path)  # where the settings that are paths make their files
    hostile, made, texts = "High' OR Injected__c != '", 0, 0
    for name, schema in PROPERTIES.items():
        if not {"string", "array"} & set(schema["type"]):
            continue
        texts += 1
        since = max((one["seq"] for one in sandbox.requests()), default=0)
        with suppress(TapError, ConfigValidationError, OSError):
            run_here(tap, **{name: [hostile] if "array" in schema["type"] else hostile})
        for one in sandbox.requests(half="salesforce", path="/query", since=since):
            soql = dict(parse_qsl(one["query"]))["q"]
            if name != "where":  # which may be a condition that is none: Salesforce says so
                parse(soql)
            assert "Injected__c" not in re.sub(r"'(\\.|[^'\\])*'", "", soql), (name, soql)
            made += 1
    assert (texts >= 15, made >= 10) == (True, True), (texts, made)


# -- S13


def test_S13_what_is_asked_for_is_what_is_selected(sandbox: RunningSandbox, tap: Tap) -> None:
    """50 choices of columns: a query names them and what the sync itself lives by, and no text of a customer besides."""
    sandbox.seed(3)
    catalog = tap.discover()
    (entry,) = [one for one in catalog["streams"] if one["tap_stream_id"] == "cases"]
    columns = [m for m in entry["metadata"] if m["breadcrumb"] and m["metadata"]["inclusion"] == "available"]
    names = [column["breadcrumb"][-1] for column in columns]
    drawn, since = random.Random(7), 0
    for number in range(50):
        chosen = set(drawn.sample(names, min(number, len(names))))
        for column in columns:
            column["metadata"]["selected"] = column["breadcrumb"][-1] in chosen
        run_here(tap, catalog=catalog)
        asked = set[str]().union(*asked_of_cases(sandbox, since=since))
        since = max(one["seq"] for one in sandbox.requests())
        joined = {JOINED_BY[name] for name in chosen & JOINED_BY.keys()}
        assert {name.replace(".", "__") for name in asked - ITS_OWN} <= chosen | joined, number
        assert ("Description" in asked) is ("Description" in chosen)


# -- S17


@pytest.mark.parametrize("path", ["oauth2/token", "describe", "FROM.Case"])
def test_S17_an_answer_nested_without_end_is_no_answer(sandbox: RunningSandbox, tap: Tap, path: str) -> None:
    """Deeper than a reader of JSON goes; told as what can't be read, and tried again."""
    sandbox.seed(3)
    deep = {"action": "answer", "status": 200, "body": "[" * 100_000}
    sandbox.faults([{"half": "salesforce", "path": path} | deep])
    read = tap.read(max_tries=2, retry_wait_seconds=0)
    assert read.returncode == 6, read.log
    assert "Traceback" not in read.log


# -- S23


def test_S23_a_session_that_ends_for_many_calls_is_renewed_once_and_in_memory(
    sandbox: RunningSandbox, tap: Tap
) -> None:
    session = SalesforceSession(with_defaults(credentials(tap)))
    path = f"{session.base_path}/limits"
    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            assert all(answer.json for answer in pool.map(lambda _: session.get(path), range(8)))
        sandbox.admin("POST", "salesforce/expire-tokens")
    assert len(sandbox.requests(half="salesforce", path="oauth2/token")) == 5
    assert list(tap.folder.iterdir()) == []
