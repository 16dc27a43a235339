"""What a test needs of both systems without asking them: recorded answers, and the mapper's own findings about rules."""

import difflib
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from case_sync_console.both_sides import BothSides, both_sides
from case_sync_console.mapping_edits import Known
from case_sync_console.yaml_splicing import Splice, spliced
from case_ticket_mapper.commands import checked_as_json
from case_ticket_mapper.rules_files import rules_of_file

RECORDED = Path(__file__).parent / "recorded"
ROOT = Path(__file__).parents[2]
BASE = ("plugins", "mappers", 0, "mappings", 0, "config", "rules")
PROJECT = (ROOT / "meltano.yml").read_text(encoding="utf-8")


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def sides(**portal: Any) -> BothSides:
    """Both systems as recorded; members of the portal's answer can be replaced."""
    return both_sides(recorded("org"), recorded("portal") | portal)


@cache
def findings(text: str, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the mapper's --check-rules=json says of the rules in this text, for the recorded systems."""
    with tempfile.TemporaryDirectory() as name:
        rules, portal = Path(name) / "meltano.yml", Path(name) / "portal.json"
        rules.write_text(text, encoding="utf-8")
        more = {"required_properties": [*recorded("portal")["required_properties"], *required]}
        portal.write_text(json.dumps(recorded("portal") | more), encoding="utf-8")
        (line,), _ = checked_as_json(lambda: rules_of_file(rules, "--rules"), [RECORDED / "org.json", portal])
    found: dict[str, Any] = json.loads(line)
    return found


def known(text: str = PROJECT, required: tuple[str, ...] = ()) -> Known:
    """What an edit is judged by, for the rules in this text."""
    found = findings(text, required)
    portal = {"required_properties": [*recorded("portal")["required_properties"], *required]}
    return Known(rules=found["rules"], fit=found["fit"], sides=sides(**portal))


def after(splices: tuple[Splice, ...], text: str = PROJECT) -> str:
    """The project's file with these edits."""
    return spliced(text, splices, BASE)


def rules_in(text: str) -> Any:
    """The rules block of the text, as plain values."""
    found = YAML(typ="safe", pure=True).load(text)
    for part in BASE:
        found = found[part]
    return found


def changed_lines(before: str, now: str) -> tuple[list[str], list[str]]:
    """Lines that left, and lines that came, in their order."""
    diff = list(difflib.ndiff(before.splitlines(), now.splitlines()))
    return [d[2:] for d in diff if d.startswith("- ")], [d[2:] for d in diff if d.startswith("+ ")]
