"""Settings from the environment, as the command lines of the plugins take them: what counts, in which order, and what is wrong with it."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from case_ticket_mapper.mapper import configured as mappers
from tap_salesforce_cases import configuration
from tap_salesforce_cases import environment as taps
from target_hubspot_tickets import environment as targets
from target_hubspot_tickets import settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the SDK hands on of --config."""

    config: Mapping[str, Any] = field(default_factory=dict)
    parse_env: bool = False


ASKED, FILE = Given(parse_env=True), {"page_size": 500}
VARIABLE = "TAP_SALESFORCE_CASES_PAGE_SIZE"


@pytest.mark.parametrize(
    ("given", "variable", "size"),
    [
        (None, None, 2000),
        (None, "300", 300),
        (Given(config=FILE), None, 500),
        (Given(config=FILE), "300", 500),
        (Given(config={"page_size": None}), "300", 300),
        (Given(config={}), "300", 300),
        (Given(config=FILE, parse_env=True), "300", 300),
        (Given(config=FILE, parse_env=True), "", 500),
        (ASKED, "", 2000),
    ],
)  # fmt: skip
def test_a_file_goes_before_a_variable_unless_env_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, given: Given | None, variable: str | None, size: int
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if variable is not None:
        monkeypatch.setenv(VARIABLE, variable)
    assert configuration.with_defaults(taps.configured(given))["page_size"] == size


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_tries", "3", 3),
        ("max_tries", " 3 ", 3),
        ("max_delete_ratio", "0.25", 0.25),
        ("create_options", "yes", True),
        ("create_options", "OFF", False),
        ("only_properties", '["subject", "content"]', ["subject", "content"]),
        ("only_properties", "subject,content", ["subject", "content"]),
        ("only_properties", "[]", []),
        ("only_properties", '["with, comma", "O\'Hara"]', ["with, comma", "O'Hara"]),
        ("only_properties", "['with, comma']", ["with, comma"]),  # as Meltano writes a list of the file
        ("only_properties", "[" * 1_000, []),
        ("write_rules", '{"subject": "if_empty"}', {"subject": "if_empty"}),
        ("run_name", "7", "7"),
    ],
)
def test_a_text_is_what_its_setting_is_of(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any
) -> None:
    monkeypatch.setenv(settings.variable(name), text)
    config = targets.configured(ASKED)
    assert settings.problems_of({"access_token": "x", **config}) == []
    assert settings.with_defaults(config)[name] == value


def test_a_name_with_a_comma_is_one_name_for_the_tap_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ('["Billing, EU", "Returns"]', "['Billing, EU', 'Returns']"):
        monkeypatch.setenv("TAP_SALESFORCE_CASES_RECORD_TYPES_INCLUDE", text)
        full = configuration.with_defaults(taps.configured(None))
        assert full["record_types_include"] == ["Billing, EU", "Returns"]


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("max_tries", "three", "integer"),
        ("max_tries", "3.5", "integer"),
        ("max_delete_ratio", "half", "number"),
        ("create_options", "maybe", "boolean"),
        ("write_rules", "{subject", "object"),
        ("write_rules", "[" * 100_000, "object"),
    ],
)
def test_a_text_that_is_no_value_names_its_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, kind: str
) -> None:
    monkeypatch.setenv(settings.variable(name), text)
    problems = settings.problems_of({"access_token": "x", **targets.configured(None)})
    assert problems == [f"{name} must be of type {kind}"]


@pytest.mark.parametrize(
    ("module", "variable", "text", "named"),
    [
        ("tap_salesforce_cases", VARIABLE, "many", "page_size must be of type integer"),
        ("target_hubspot_tickets", "TARGET_HUBSPOT_TICKETS_MAX_TRIES", "many", "max_tries must be of type integer"),
        ("case_ticket_mapper", "CASE_TICKET_MAPPER_RULES", "{", "rules: must be a mapping"),
    ],
)  # fmt: skip
def test_a_program_ends_in_a_line_that_names_the_setting(
    tmp_path: Path, module: str, variable: str, text: str, named: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--config=ENV"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path, env={variable: text},
    )  # fmt: skip
    assert done.returncode == (1 if module == "case_ticket_mapper" else 3), done.stderr
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_the_mapper_takes_variables_only_where_env_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rules stand in one place: a variable beside a file of rules would be a second one."""
    monkeypatch.setenv("CASE_TICKET_MAPPER_OTHER_STREAMS", "pass")
    assert mappers(Given(config={"rules_file": "rules.yml"})) == {"rules_file": "rules.yml"}
    assert mappers(ASKED) == {"other_streams": "pass"}
