"""What a plugin says when it fails arrives on the screen, in its own words and with its exit code."""

import json

from case_sync_console.meltano import last_words

from .conftest import Project


def test_N31_refused_logins_of_both_systems_are_told_at_once(project: Project) -> None:
    """Meltano logs what a plugin says at level info; it has to be heard, and no secret with it."""
    ended = project.console(
        "plan",
        TAP_SALESFORCE_CASES_CLIENT_SECRET="planted-secret",
        TARGET_HUBSPOT_TICKETS_ACCESS_TOKEN="planted-token",
    )
    assert ended.exit_code == 4, ended.output
    assert "1. tap-salesforce-cases: Salesforce refused the login" in ended.stderr
    assert "2. target-hubspot-tickets: HubSpot refused access_token" in ended.stderr
    assert "planted" not in ended.output


def test_words_of_a_plugin_are_found_in_meltanos_log() -> None:
    log = [{"event": "Meltano 4.4.1"}, {"event": "Error: mend it", "stdio": "stderr"}, {"event": "  1. here"}]
    assert last_words("\n".join(map(json.dumps, log))) == "mend it\n  1. here"
    assert last_words("Error: bare") == "bare"
