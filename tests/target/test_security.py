"""Where the target's token goes, what it may do, and what the ledger forgets; numbers of reliability.md, section S (S10 and later are not the sync's)."""

import random
import re
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from case_sync_sandbox.hubspot.access import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SCOPES
from case_sync_sandbox.testing import RunningSandbox
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.correlation import rejected
from target_hubspot_tickets.errors import TargetError, TokenRefusedError
from target_hubspot_tickets.locking import one_run
from target_hubspot_tickets.portal import Property
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.settings import JSON_SCHEMA, SECRETS, is_allowed_url, problems_of, with_defaults
from target_hubspot_tickets.tokens import FixedToken, RefreshedToken
from target_hubspot_tickets.values import MAX_TEXT, ValueProblemError, converter_of

from .conftest import Message, Target, case_id, lines, schema, state, ticket, tombstone
from .ledgers import Postgres
from .whole_runs import PRIORITY

ROOT = Path(__file__).parents[2]
# Each names, to one reader of addresses or another, something that is neither a host by its name nor this machine.
ADDRESSES = [
    "http://api.hubapi.com", "ftp://api.hubapi.com", "api.hubapi.com", "//api.hubapi.com", "https://user@api.hubapi.com", "https://@api.hubapi.com",
    "https://:password@api.hubapi.com", "http://localhost:1@evil.example", "http://localhost.evil.example", "http://127.0.0.1.evil.example",
    "https://evil.example\\.hubapi.com", "https://evil.example\\@api.hubapi.com", "https://evil.example%2f.hubapi.com", "https://evil.example;x",
    "https://evil.example\t.hubapi.com", "https://evil.example\n.hubapi.com", " https://api.hubapi.com", "https://api.hubapi.com/crm",
    "https://api.hubapi.com?", "https://api.hubapi.com#", "https://169.254.169.254", "https://[::ffff:169.254.169.254]", "https://[fd00:ec2::254]",
    "https://2852039166", "https://0xA9FEA9FE", "https://10.0.0.1", "https://127.1", "http://0.0.0.0", "https://\u0430pi.hubapi.com",
    "https://api\u3002hubapi.com", "https://evil.example\uff0f.hubapi.com", "https://api.hubapi.com:99999", "https://api.hubapi.com:0", "https://.hubapi.com",
]  # fmt: skip
WRONG = (None, True, -1, 1e300, "", "no", "\0", [], [1], {}, {"a": 1}, "http://", "2026")
TEXT = "What the customer wrote and nobody else"
PERSON = "somebody@customer.example"


def oauth(url: str) -> dict[str, Any]:
    return with_defaults(
        {
            "base_url": url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
            "max_tries": 1,
        }
    )


def left(folder: Path, *words: str) -> list[str]:
    """The files of a folder that hold one of the words."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "config.json"]
    assert files
    return [path.name for path in files for word in words if word.encode() in path.read_bytes()]


# -- S1, S3


@pytest.mark.parametrize("member", ["status", "error", "message", "error_description"])
def test_S1_a_refused_renewal_does_not_repeat_what_was_sent(member: str) -> None:
    token = RefreshedToken(
        "id", "planted-secret", "planted/token", lambda form: (400, {member: f"{dict(form)}"})
    )
    with pytest.raises(TokenRefusedError) as caught:
        token.value()
    assert "planted" not in str(caught.value)
    told = RefreshedToken("id", "s", "t", lambda _: (400, {"status": "BAD_REFRESH_TOKEN"}))
    with pytest.raises(TokenRefusedError, match="BAD_REFRESH_TOKEN"):
        told.value()


def test_S3_whatever_is_wrong_no_secret_is_quoted() -> None:
    """500 configurations with wrong types, in which every secret holds a word of its own, also within a list or an object."""
    drawn, problems = random.Random(7), 0
    for _ in range(500):
        config = {name: drawn.choice(WRONG) for name in drawn.sample(sorted(JSON_SCHEMA["properties"]), 6)}
        config |= {
            name: drawn.choice(["planted", ["planted"], {"a": "planted"}, {"planted": 1}]) for name in SECRETS
        }
        told = problems_of(config)
        problems += bool(told)
        assert "planted" not in str(told)
    assert problems > 400


def test_S1_the_ledger_s_password_is_told_nowhere(target: Target, postgresql: Postgres) -> None:
    """A run that rejects, a list of that, a server that refuses the password: output, report and files."""
    url = postgresql.new_place()
    loaded = target.load([schema(), ticket(1, **PRIORITY), state(1)], ledger_url=url)
    assert loaded.returncode == 0, loaded.log
    told = [
        target.ask(option, ledger_url=url) for option in ("--rejected=list", "--runs", "--check", "--about")
    ]
    assert [one.returncode for one in told] == [0] * len(told)
    assert case_id(1) in told[0].stdout
    refused = target.load([schema(), ticket(1), state(1)], ledger_url=postgresql.url("wr0ng-s3cret"))
    assert (refused.returncode, "ledger_url" in refused.log) == (10, True), refused.log
    printed = "".join([loaded.log, refused.log, *(one.stdout + one.stderr for one in told)])
    assert [word for word in (postgresql.password, "wr0ng-s3cret") if word in printed] == []
    assert left(target.folder, postgresql.password, "wr0ng-s3cret") == []


# -- S4


KINDS = {kind: Property(name="p", type=kind) for kind in ("string", "number", "bool", "date", "datetime")} | {
    "options": Property(name="p", type="enumeration", options={"HIGH": "High"}),
    "several": Property(name="p", type="enumeration", options={"HIGH": "High"}, is_multiple=True),
}
# A customer's word among others, by itself, in a list or in an object.
WORDS = st.builds(
    "{}planted{}".format,
    st.text(max_size=9),
    st.text(max_size=9) | st.integers(MAX_TEXT, MAX_TEXT + 9).map("x".__mul__),
)
VALUES = st.recursive(WORDS, lambda inner: st.lists(inner, min_size=1, max_size=2) | st.dictionaries(WORDS, inner, min_size=1, max_size=2))  # fmt: skip


@settings(max_examples=500)
@given(st.sampled_from(sorted(KINDS)), VALUES)
def test_S4_a_value_that_a_property_cannot_hold_is_not_quoted(kind: str, value: Any) -> None:
    """The message is the rule that it breaks; the code is HubSpot's."""
    try:
        converter_of(KINDS[kind], "reject")(value)
    except ValueProblemError as problem:
        assert "planted" not in f"{problem} {problem.code}"  # noqa: PT017 - a text can be held
    else:
        assert kind == "string"


# Where HubSpot's answers quote values: in messages, and in members of their own; codes and names of properties it does not make up.
QUOTING = st.fixed_dictionaries(
    {},
    optional={
        "message": VALUES,
        "category": st.sampled_from(["VALIDATION_ERROR", "CONFLICT", "", "OTHER"]),
        "subCategory": VALUES,
        "context": st.dictionaries(st.sampled_from(["value", "values", "id"]), VALUES),
        "errors": VALUES
        | st.lists(
            st.fixed_dictionaries(
                {"message": VALUES, "in": VALUES},
                optional={
                    "code": st.sampled_from(["INVALID_OPTION", ""]),
                    "context": VALUES
                    | st.builds(lambda v: {"propertyName": ["subject"], "value": v}, VALUES),
                },
            ),
            max_size=2,
        ),
    },
)


@settings(max_examples=500)
@given(QUOTING)
def test_S4_whatever_hubspot_quotes_is_not_on_record(error: dict[str, Any]) -> None:
    """Neither as the reason of a rejection nor as its code."""
    told = rejected("500000000000001AAA", error)
    assert "planted" not in f"{told.code} {told.message} {told.correlation_id}"


# -- S8, S9: the token goes nowhere else


@pytest.mark.parametrize("url", ADDRESSES)
def test_S8_an_address_that_could_be_read_in_two_ways_is_no_base_url(url: str) -> None:
    problems = problems_of({"access_token": "token-of-ours", "base_url": url})
    assert [problem for problem in problems if problem.startswith("base_url")]


@pytest.mark.parametrize(
    "url", ["https://api.hubapi.com", "https://api-eu1.hubapi.com/", "HTTPS://API.hubapi.com:443", "http://localhost:8080", "http://[::1]:1", "https://127.0.0.1"]
)  # fmt: skip
def test_S8_the_host_that_is_checked_is_the_one_that_is_called(url: str) -> None:
    """The check and the HTTP library read the same host out of it."""
    assert is_allowed_url(url)
    called = requests.Request("GET", url.rstrip("/") + "/crm").prepare().url or ""
    assert called.split("/")[2].lower() == url.split("/")[2].lower()


@pytest.mark.parametrize("path", ["account-info", "pipelines", "batch/upsert", "properties"])
def test_S9_a_redirect_is_not_followed(sandbox: RunningSandbox, target: Target, path: str) -> None:
    away = {"action": "redirect", "location": f"{sandbox.salesforce_url}/stolen"}
    sandbox.faults([{"half": "hubspot", "path": path} | away])
    before = len(sandbox.requests(half="salesforce"))
    loaded = target.load([schema(), ticket(1), state(1)], max_tries=1)
    assert (loaded.returncode != 0, loaded.states) == (True, []), loaded.log
    assert len(sandbox.requests(half="salesforce")) == before


def test_S9_nor_is_it_where_a_token_is_renewed(sandbox: RunningSandbox) -> None:
    """Which would take the client secret along."""
    away = {"action": "redirect", "location": f"{sandbox.salesforce_url}/stolen"}
    sandbox.faults([{"half": "hubspot", "path": "oauth"} | away])
    with HubSpotClient(oauth(sandbox.hubspot_url)) as client, pytest.raises(TargetError):
        client.send(Api("2026-09").account())
    assert sandbox.requests(half="salesforce") == []


def test_S9_links_to_next_pages_are_not_followed(sandbox: RunningSandbox, target: Target) -> None:
    """The cursor of a page is a value of a query; where the link beside it leads does not count."""
    link = f"{sandbox.salesforce_url}/stolen"
    cursor = "1&archived=true#/../../x"
    page = {"results": [], "paging": {"next": {"after": cursor, "link": link}}}
    sandbox.faults(
        [{"half": "hubspot", "path": "owners", "nth": 1, "action": "answer", "status": 200, "body": page}]
    )
    loaded = target.load([schema(), ticket(1), state(1)])
    first, second = sandbox.requests(half="hubspot", path="owners")[:2]
    assert second["path"] == first["path"]
    assert "after=1%26archived%3Dtrue%23%2F..%2F..%2Fx" in second["query"], loaded.log
    assert sandbox.requests(half="salesforce", path="stolen") == []


# -- paths


@settings(max_examples=50)
@given(st.text(alphabet="./\\~%$\0ab", max_size=20) | st.just("../../stolen"))
def test_an_account_s_id_leads_to_no_file_outside_the_ledger_s_folder(account: str) -> None:
    """It is HubSpot's answer, and part of the name of the lock's file."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "one" / "two"
        folder.mkdir(parents=True)
        with one_run(str(folder / "ledger.db"), account, wait_seconds=0):
            (lock,) = [path for path in Path(name).rglob("*") if path.is_file()]
        assert (lock.parent, lock.name[:10], lock.suffix) == (folder, "ledger.db.", ".lock")


# -- S12


def listed_scopes(document: Path) -> set[str]:
    """The scopes of the sentence that lists them."""
    (sentence,) = re.findall(
        r"scopes:? (`tickets`.*?)\.\n", document.read_text(encoding="utf-8"), re.DOTALL | re.IGNORECASE
    )
    return set(re.findall(r"`([a-z.]+)`", sentence))


def test_S12_the_scopes_that_are_listed_are_those_that_a_run_needs(
    sandbox: RunningSandbox, target: Target, seeded_tickets: list[Message]
) -> None:
    """With them alone a run of everything is refused nothing; without any one of them it is.

    But for those of schemas: HubSpot also lets the scope of an object's records read its properties.
    """
    listed = listed_scopes(ROOT / "target-hubspot-tickets" / "README.md")
    assert listed == listed_scopes(ROOT / "README.md")
    others = sorted(set(SCOPES) - listed)
    stream = [schema(), *seeded_tickets, tombstone(1), state(1)]
    assert refused(sandbox, target, stream, others) == set()
    needed = {scope for scope in listed if refused(sandbox, target, stream[:4], [*others, scope])}
    assert listed - needed == {"crm.schemas.companies.read", "crm.schemas.contacts.read"}


def refused(
    sandbox: RunningSandbox, target: Target, stream: list[Message], missing: list[str]
) -> set[tuple[str, str]]:
    """The calls of a run that HubSpot did not allow, when a token lacks some scopes."""
    sandbox.settings(missing_scopes=missing)
    since = max((one["seq"] for one in sandbox.requests()), default=0)
    target.load(stream, on_delete="archive", max_tries=1)
    calls = sandbox.requests(half="hubspot", since=since)
    assert calls
    return {(call["method"], call["path"]) for call in calls if call["status"] == 403}


# -- S15


def test_S15_a_case_that_is_forgotten_is_in_no_file_any_more(target: Target) -> None:
    """Neither what the customer wrote nor who waits to be found, nor the key: not even in free pages of the database."""
    asked = [{"to": "contact", "by": "email", "value": PERSON}]
    many = [ticket(n, **PRIORITY, content=f"{TEXT} {n}" * 50) for n in range(3, 60)]
    target.load(
        [schema(), ticket(1, **PRIORITY, content=TEXT * 40), ticket(2, associations=asked), *many, state(1)]
    )
    assert "ledger.db" in left(target.folder, TEXT)
    assert "ledger.db" in left(target.folder, PERSON)
    assert len(target.rejected()) == 58
    done = target.ask(
        "--forget", case_id(2), *(a for n in (1, *range(3, 60)) for a in ("--forget", case_id(n)))
    )
    assert done.returncode == 0, done.stderr
    assert left(target.folder, TEXT, PERSON, *map(case_id, range(1, 60))) == []


def test_S15_the_values_of_rejected_records_need_not_be_kept(target: Target) -> None:
    loaded = target.load(
        [schema(), ticket(1, **PRIORITY, content=TEXT), state(1)], keep_rejected_payloads=False
    )
    assert [one["key"] for one in loaded.rejected] == [case_id(1)]
    assert left(target.folder, TEXT) == []


# -- S17


@pytest.mark.parametrize("path", ["account-info", "pipelines", "batch/upsert"])
def test_S17_an_answer_nested_without_end_is_no_answer(
    sandbox: RunningSandbox, target: Target, path: str
) -> None:
    """Deeper than a reader of JSON goes; told as what can't be read, and tried again."""
    deep = {"action": "answer", "status": 200, "body": "[" * 100_000}
    sandbox.faults([{"half": "hubspot", "path": path} | deep])
    loaded = target.load([schema(), ticket(1), state(1)], max_tries=2)
    assert (loaded.returncode, loaded.states) == (6, []), loaded.log
    assert "Traceback" not in loaded.log


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"type":"RECORD","stream":"tickets","record":' + '{"a":' * 100_000]
)
def test_S17_a_line_nested_without_end_is_refused_in_words(target: Target, line: str) -> None:
    loaded = target.load(lines([schema()]) + line + "\n")
    assert loaded.returncode not in {0, -6, -11}
    assert "Traceback" not in loaded.log


# -- S23


def test_S23_a_token_that_ends_for_many_calls_is_renewed_once_and_in_memory(
    sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """Also where HubSpot gives another refresh token each time: the old one would be refused."""
    sandbox.admin("POST", "hubspot/refresh-tokens", {"rotate": True})
    account = Api("2026-09").account()
    with chdir(tmp_path), HubSpotClient(oauth(sandbox.hubspot_url)) as client:
        for _ in range(5):
            assert all(isinstance(answer, dict) for answer in client.send_all([account] * 16))
            sandbox.admin("POST", "hubspot/expire-tokens")
    assert len(sandbox.requests(half="hubspot", path="oauth")) == 5
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("token", ["", " ", "\u201cpat-eu1-7\u201d", "pat-eu1-7\nX: y"])
def test_a_token_that_no_header_can_hold_is_none(token: str) -> None:
    """Copied with quotes of a text program, or with a line end; or HubSpot's answer is none."""
    with pytest.raises(TokenRefusedError, match="access_token holds a character"):
        FixedToken(token).value()
    with pytest.raises(TokenRefusedError, match="gives no token"):
        RefreshedToken("id", "s", "t", lambda _: (200, {"access_token": token})).value()
