"""Shell: how fast cases are mapped: the pure core, and the whole process beside the SDK's own stream maps doing the same mapping.

`make bench` runs it. Both processes read the same stream from a file, one after the other, in turns; the ratio of their best
rates is what counts: rates depend on the machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from case_ticket_mapper.rules_reading import read_rules
from case_ticket_mapper.ticket import TicketMaker

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".bench"
PEER = "meltano-map-transform==0.12.3"
CASES = 150_000
COLUMNS = 40
ROUNDS = 3
# The project's rules for the sample's process and status, as stream maps say them.
STREAM_MAP = {
    "__alias__": "tickets",
    "__else__": None,
    "__key_properties__": ["salesforce_case_id"],
    "salesforce_case_id": "Id",
    "subject": "record['Subject'] if record['Subject'] else 'Case ' + record['CaseNumber']",
    "content": "record['Description']",
    "hs_ticket_priority": "{'High': 'HIGH', 'Medium': 'MEDIUM', 'Low': 'LOW'}.get(record['Priority'])",
    "source_type": "{'Phone': 'PHONE', 'Email': 'EMAIL', 'Web': 'FORM', 'Chat': 'CHAT'}.get(record['Origin'])",
    "hubspot_owner_email": "record['Owner__Email']",
    "salesforce_case_number": "record['CaseNumber']",
    "salesforce_case_url": "record['_sf_case_url']",
    "hs_ticket_category": "{'Mechanical': 'PRODUCT_ISSUE', 'Billing': 'BILLING_ISSUE'}.get(record['Type'])",
    "hs_pipeline": "{'Technical Support Process': 'Technical Support'}.get(record['BusinessProcess__Name'], 'Support Pipeline')",
    "hs_pipeline_stage": "{'New': 'New', 'Working': 'In progress'}.get(record['Status'])",
    "salesforce_org_id": "record['_sf_organization_id']",
    "salesforce_system_modstamp": "record['SystemModstamp']",
}


def project_rules() -> dict[str, Any]:
    plugins = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["plugins"]
    found: dict[str, Any] = plugins["mappers"][0]["mappings"][0]["config"]["rules"]
    return found


def sample() -> tuple[dict[str, Any], dict[str, Any]]:
    """SCHEMA message and a case of 40 columns."""
    lines = (ROOT / "contracts/samples/cases.jsonl").read_text(encoding="utf-8").splitlines()
    schema, case = json.loads(lines[0]), json.loads(lines[1])["record"]
    for number in range(COLUMNS - len(case)):
        case[f"Extra{number}__c"] = f"value {number}"
        schema["schema"]["properties"][f"Extra{number}__c"] = {"type": ["string", "null"]}
    return schema, case


def messages() -> Iterator[dict[str, Any]]:
    schema, case = sample()
    yield schema
    for number in range(CASES):
        yield {"type": "RECORD", "stream": "cases", "record": case | {"Id": f"500{number:012d}AAA"}}


def core_rate() -> float:
    """Cases per second through the pure core, on one core of the machine."""
    _, case = sample()
    rules = project_rules()
    rules["fields"] |= {f"copy_of_{name.lower()}": name for name in list(case)[: COLUMNS - 8]}
    maker = TicketMaker(rules=read_rules(rules))

    def map_all() -> None:
        for _ in range(CASES):
            maker.make(case)

    return max(_rate(map_all) for _ in range(ROUNDS))


def _rate(work: Any) -> float:
    started = time.perf_counter()
    work()
    return CASES / (time.perf_counter() - started)


def process_rate(command: list[str], stream: Path) -> float:
    """Cases per second of a whole process, its start included."""
    with stream.open("rb") as lines:
        return _rate(
            lambda: subprocess.run(
                command, stdin=lines, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
            )
        )


def peer() -> str:
    """The SDK's stream maps as a program, in an environment of its own."""
    program = FOLDER / "map-transform" / "bin" / "meltano-map-transform"
    if not program.exists():
        venv.create(FOLDER / "map-transform", with_pip=True)
        subprocess.run([str(program.parent / "pip"), "install", "-q", PEER], check=True)
    return str(program)


def main() -> None:
    """Print the rates and their ratio."""
    FOLDER.mkdir(exist_ok=True)
    stream, ours, theirs = (FOLDER / name for name in ("cases.jsonl", "rules.json", "stream_maps.json"))
    stream.write_text("".join(json.dumps(m) + "\n" for m in messages()), encoding="utf-8")
    ours.write_text(json.dumps({"rules": project_rules()}), encoding="utf-8")
    theirs.write_text(json.dumps({"stream_maps": {"cases": STREAM_MAP}}), encoding="utf-8")
    commands = {
        "case-ticket-mapper": [
            str(Path(sys.executable).parent / "case-ticket-mapper"),
            "--config",
            str(ours),
        ],
        PEER: [peer(), "--config", str(theirs)],
    }
    best = dict.fromkeys(commands, 0.0)
    for _ in range(ROUNDS):
        for name, command in commands.items():
            best[name] = max(best[name], process_rate(command, stream))
    print(f"pure core, {COLUMNS} fields mapped: {core_rate():,.0f} cases/s")
    for name, rate in best.items():
        print(f"whole process, {name}: {rate:,.0f} cases/s")
    print(f"ratio: {best['case-ticket-mapper'] / best[PEER]:.1f}")


if __name__ == "__main__":
    main()
