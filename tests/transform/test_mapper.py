"""The mapper as a program: Singer lines in, Singer lines out, readable ends."""

import itertools
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CASES = (ROOT / "contracts/samples/cases.jsonl").read_text(encoding="utf-8")
TICKETS = (ROOT / "contracts/samples/tickets.jsonl").read_text(encoding="utf-8")


def run(tmp_path: Path, config: Any, lines: str) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "case_ticket_mapper", "--config", str(path)],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
    )


def parsed(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def config(block: dict[str, Any]) -> dict[str, Any]:
    """The project's rules with the fields of the samples."""
    del block["fields"]["hs_ticket_category"]
    return {"rules": block}


def test_sample_cases_in_sample_tickets_out(tmp_path: Path, config: dict[str, Any]) -> None:
    """Records and state, message by message, are those of the contract's sample; the two schemas come first."""
    done = run(tmp_path, config, CASES)
    assert done.returncode == 0, done.stderr
    out = parsed(done.stdout)
    assert [(m["type"], m["stream"]) for m in out[:2]] == [
        ("SCHEMA", "tickets"),
        ("SCHEMA", "rejected_cases"),
    ]
    assert out[2:] == parsed(TICKETS)[1:]
    assert "2 to tickets, 1 to deletions, 0 rejected, 0 skipped" in done.stderr


def test_a_state_goes_out_at_once_behind_all_before_it(tmp_path: Path, config: dict[str, Any]) -> None:
    """While the tap goes on: a target can confirm what it has."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "case_ticket_mapper", "--config", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(CASES)
    process.stdin.flush()
    kinds = [json.loads(process.stdout.readline())["type"] for _ in range(6)]
    process.stdin.close()
    assert kinds == ["SCHEMA", "SCHEMA", "RECORD", "RECORD", "RECORD", "STATE"]
    assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_R06_R07_told_to_stop_it_ends_behind_a_whole_line(
    tmp_path: Path, config: dict[str, Any], number: signal.Signals
) -> None:
    """To its very end, when Python has taken its handlers down: the exit code is the signal's, and nothing is told of a traceback."""
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    schema, *records = CASES.splitlines(keepends=True)[:4]
    (tmp_path / "cases.jsonl").write_text(schema + "".join(records) * 10_000, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "case_ticket_mapper", "--config", "config.json", "--input", "cases.jsonl"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    assert process.stderr
    begun = list(itertools.islice(process.stdout, 100))
    out = [*begun, *_read_while_signalled(process, number)]
    log = process.stderr.read()
    assert process.wait(timeout=30) == 128 + number, log
    assert "Traceback" not in log
    assert len(parsed("".join(out))) < 30_000


def _read_while_signalled(process: subprocess.Popen[str], number: signal.Signals) -> list[str]:
    assert process.stdout
    with ThreadPoolExecutor(1) as pool:
        rest = pool.submit(list, process.stdout)
        while process.poll() is None:
            process.send_signal(number)
            time.sleep(0.0005)
        return rest.result(timeout=30)


def test_rules_may_come_as_json_text(tmp_path: Path, config: dict[str, Any]) -> None:
    """As Meltano hands over an object that stands in an environment variable."""
    as_text = {"rules": json.dumps(config["rules"])}
    assert run(tmp_path, as_text, CASES).stdout == run(tmp_path, config, CASES).stdout


def test_about_names_the_settings() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "case_ticket_mapper", "--about", "--format=json"], capture_output=True, text=True, check=True
    )  # fmt: skip
    assert {"rules", "other_streams"} <= set(json.loads(done.stdout)["settings"]["properties"])


def test_unfit_case_goes_to_rejected_cases_and_the_others_on(tmp_path: Path, config: dict[str, Any]) -> None:
    done = run(tmp_path, config, CASES.replace('"Status": "Working"', '"Status": "Unheard of"'))
    assert done.returncode == 0
    streams = [m["stream"] for m in parsed(done.stdout) if m["type"] == "RECORD"]
    assert streams == ["rejected_cases", "tickets", "tickets"]


@pytest.mark.parametrize(
    ("setting", "streams"), [({}, set()), ({"other_streams": "pass"}, {"case_comments"})]
)
def test_other_streams_are_dropped_or_passed_as_they_are(
    tmp_path: Path, config: dict[str, Any], setting: dict[str, str], streams: set[str]
) -> None:
    comments = [
        {"type": "SCHEMA", "stream": "case_comments", "schema": {"type": "object", "properties": {"Id": {"type": "string"}}}, "key_properties": ["Id"]},
        {"type": "RECORD", "stream": "case_comments", "record": {"Id": "00a5g00000AbCdEAAV"}},
    ]  # fmt: skip
    lines = CASES + "".join(json.dumps(m) + "\n" for m in comments)
    done = run(tmp_path, config | setting, lines)
    assert done.returncode == 0, done.stderr
    found = [m for m in parsed(done.stdout) if m.get("stream") == "case_comments"]
    assert {m["stream"] for m in found} == streams
    assert [m["record"] for m in found if m["type"] == "RECORD"] == (
        [{"Id": "00a5g00000AbCdEAAV"}] if streams else []
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rules": {"pipelines": {}}}, "rules.pipelines.default: is missing"),
        ({"rules": "{not json"}, "rules: must be a mapping"),
        ({"rule": {}}, "rule is not a setting; did you mean 'rules'?"),
        ({"other_streams": "keep"}, "other_streams must be drop or pass"),
    ],
)  # fmt: skip
def test_wrong_settings_end_in_one_message(
    tmp_path: Path, config: dict[str, Any], change: Any, told: str
) -> None:
    done = run(tmp_path, config | change, CASES)
    assert done.returncode == 1
    assert "Error: " + told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_column_that_the_tap_does_not_send_ends_the_run_before_any_record(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    config["rules"]["fields"]["content"] = "Descripton"
    done = run(tmp_path, config, CASES)
    assert done.returncode != 0
    assert (
        "rules.fields.content.from: the tap sends no column 'Descripton'; did you mean 'Description'?"
        in done.stderr
    )
    assert "RECORD" not in done.stdout


def test_batch_messages_are_refused_not_lost(tmp_path: Path, config: dict[str, Any]) -> None:
    batch = {
        "type": "BATCH",
        "stream": "cases",
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "manifest": [],
    }
    done = run(tmp_path, config, CASES + json.dumps(batch) + "\n")
    assert done.returncode != 0
    assert "switch batch_config off" in done.stderr


@pytest.mark.parametrize(
    "line", ['{"type": "RECORD", "record": {"Subject": "private word', '{"type": "private word"}', "[]"]
)
def test_line_that_is_no_message_ends_the_run_and_is_not_quoted(
    tmp_path: Path, config: dict[str, Any], line: str
) -> None:
    """A tap that was killed leaves half a line: one message, nothing of the line in the log."""
    done = run(tmp_path, config, CASES + line)
    assert done.returncode != 0
    assert "the input has a" in done.stderr
    assert "Traceback" not in done.stderr
    assert "private word" not in done.stderr
