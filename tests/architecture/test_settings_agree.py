"""One list of settings: the plugins, meltano.yml, .env.example and the READMEs say the same."""

import json
import re
import subprocess
import sys
from dataclasses import fields
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from case_sync_console import hook_address
from case_sync_console.own_settings import Hook
from tap_salesforce_cases import configuration
from tap_salesforce_cases.settings import PROPERTIES as TAP_SETTINGS
from target_hubspot_tickets import settings as target_settings
from target_hubspot_tickets.settings import JSON_SCHEMA as TARGET_SCHEMA

from .test_docs_resolve import ROOT

PLUGINS: dict[str, tuple[str, dict[str, Any]]] = {
    # Copies: the SDK adds its own settings to the table of a tap that is made in this process.
    "tap-salesforce-cases": ("extractors", dict(TAP_SETTINGS)),
    "target-hubspot-tickets": ("loaders", dict(TARGET_SCHEMA["properties"])),
}
SOUNDS_SECRET = re.compile(r"token|secret|password|key|assertion|credential")
# A file with a secret, or a column: neither is a secret itself.
NO_SECRETS = {"refresh_token_path", "private_key_path", "key_property"}
# The console's own; a webhook is known by its URL, and who has it can call it.
CONSOLE_SETTINGS = {f"on_failure_{field.name}" for field in fields(Hook)}
CONSOLE_SECRETS = {"on_failure_url"}
PIECES = (
    "localhost", "127.0.0.1", "[::1]", "[::2]", "example.com", "10.0.0.1", "0xA9", "a", "-", ".", ":", ":443",
    ":0", ":99999", "@", "\\", "%2f", "#", "?", ";", " ", "\n", "\uff0f", "\u0430",
)  # fmt: skip


def declared(name: str) -> dict[str, Any]:
    """The plugin's settings in meltano.yml, by name."""
    kind, _ = PLUGINS[name]
    (plugin,) = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["plugins"][kind]
    return {setting["name"]: setting for setting in plugin["settings"]}


@pytest.mark.parametrize("name", PLUGINS)
def test_meltano_declares_settings_with_their_defaults(name: str) -> None:
    """Not each: the finer ones need no declaration. But all that the console sets, for only a declared variable goes before the file."""
    _, settings = PLUGINS[name]
    in_meltano = declared(name)
    assert set(in_meltano) <= set(settings)
    for setting in in_meltano:
        if "value" in in_meltano[setting] and setting != "on_delete":  # the rule decides: see meltano.yml
            assert in_meltano[setting]["value"] == settings[setting].get("default"), setting
    assert variables_of_the_console(name) <= set(in_meltano)


def variables_of_the_console(name: str) -> set[str]:
    """Settings of a plugin whose variables stand in the console's code."""
    prefix = name.upper().replace("-", "_") + "_"
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "console/src").rglob("*.py")]
    found = {one.lower() for text in texts for one in re.findall(rf"{prefix}([A-Z][A-Z_]*)", text)}
    assert len(found) > 5
    return found


@pytest.mark.parametrize("name", PLUGINS)
def test_S2_a_secret_of_a_plugin_is_a_secret_of_meltano(name: str) -> None:
    """By its mark, and by its name: one that sounds like a secret is one, unless it is named here."""
    _, settings = PLUGINS[name]
    secrets = {setting for setting, schema in settings.items() if schema.get("secret")}
    assert secrets == {setting for setting, one in declared(name).items() if one.get("sensitive")}
    assert {setting for setting in settings if SOUNDS_SECRET.search(setting)} - NO_SECRETS <= secrets


def test_S2_a_secret_of_the_console_is_a_secret_of_meltano() -> None:
    """All that the console reads is declared, in `.env.example` and its README too; what is secret, or sounds so, is redacted."""
    (utility,) = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["plugins"]["utilities"]
    declared_here = {setting["name"]: setting for setting in utility["settings"]}
    assert set(declared_here) == CONSOLE_SETTINGS
    assert {name for name, one in declared_here.items() if one.get("sensitive")} == CONSOLE_SECRETS
    assert {name for name in CONSOLE_SETTINGS if SOUNDS_SECRET.search(name)} - NO_SECRETS <= CONSOLE_SECRETS
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#?CASE_SYNC_([A-Z_]+)=", example, re.MULTILINE)) == {
        name.upper() for name in CONSOLE_SETTINGS
    }
    readme = (ROOT / "console" / "README.md").read_text(encoding="utf-8")
    assert [name for name in CONSOLE_SETTINGS if f"`{name}`" not in readme] == []


@pytest.mark.parametrize("name", PLUGINS)
def test_S2_about_says_which_settings_are_secret(name: str) -> None:
    """What programs read: `writeOnly`, for all that are secret and no other."""
    _, settings = PLUGINS[name]
    command = [sys.executable, "-m", name.replace("-", "_"), "--about", "--format=json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    told = json.loads(done.stdout)["settings"]["properties"]
    secrets = {setting for setting, schema in settings.items() if schema.get("secret")}
    assert {setting for setting, schema in told.items() if schema.get("writeOnly")} == secrets
    assert {setting for setting, schema in told.items() if schema.get("secret")} == secrets


@pytest.mark.parametrize("name", PLUGINS)
def test_environment_example_lists_every_variable_and_no_other(name: str) -> None:
    _, settings = PLUGINS[name]
    prefix = name.upper().replace("-", "_") + "_"
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(rf"^#?({prefix}[A-Z_]+)=", text, re.MULTILINE)) == {
        prefix + s.upper() for s in settings
    }


@pytest.mark.parametrize(
    ("name", "problems_of"),
    [("tap-salesforce-cases", configuration), ("target-hubspot-tickets", target_settings)],
)
def test_environment_example_shows_defaults(name: str, problems_of: Any) -> None:
    """Of the settings that are a number, a switch or a choice; the others show what may stand there."""
    _, settings = PLUGINS[name]
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    shown = {
        setting: found[1]
        for setting in settings
        if (found := re.search(rf"^#{problems_of.variable(setting)}=([^'\n]+)$", text, re.MULTILINE))
    }
    full = problems_of.with_defaults(shown)
    kinds = {setting: settings[setting]["type"][0] for setting in shown}
    of_value = {s for s, kind in kinds.items() if kind != "string" and settings[s].get("default") is not None}
    assert len(of_value) > 10
    differing = {s: full[s] for s in of_value if full[s] != settings[s]["default"]}
    assert differing == {}


@pytest.mark.parametrize("name", PLUGINS)
def test_readme_names_every_setting(name: str) -> None:
    _, settings = PLUGINS[name]
    text = (ROOT / name / "README.md").read_text(encoding="utf-8")
    assert {setting for setting in settings if f"`{setting}`" not in text} == set()


@settings(max_examples=2000)
@given(
    st.sampled_from(["http://", "https://", "HTTPS://", "ftp://", "//", "http:", ""]),
    st.lists(st.sampled_from(PIECES), max_size=5),
    st.sampled_from(["", "/"]),
)
@example("https://", ["example.com", ":443"], "/")
@example("http://", ["example.com"], "")
def test_S8_an_address_is_allowed_by_all_three_or_by_none(scheme: str, pieces: list[str], end: str) -> None:
    """Each has the rule for itself, since each is installed alone; the console's allows a path besides."""
    url = scheme + "".join(pieces) + end
    allowed = {one.is_allowed_url(url) for one in (configuration, target_settings, hook_address)}
    assert len(allowed) == 1, url
