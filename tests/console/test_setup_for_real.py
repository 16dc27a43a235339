"""`case-sync setup` as a process: unattended by options, and at a terminal with a person who types."""

import contextlib
import os
import pty
import select
import subprocess
import termios
import time
from itertools import pairwise
from pathlib import Path
from typing import Self

import pytest
from dotenv import dotenv_values

from .conftest import BIN, Project
from .recordings import changed_lines

pytestmark = [pytest.mark.xdist_group("console-setup"), pytest.mark.timeout(1200)]
SECONDS_TO_WAIT = 120


class Terminal:
    """case-sync at a terminal of its own."""

    def __init__(self, project: Project, *args: str) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [str(BIN / "case-sync"), *args],
            cwd=project.folder,
            env={**project.env, "TERM": "dumb"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""
        self._answered = 0  # how much of it

    def answer_secret(self, question: str, typed: str) -> None:
        """The same of a question that shows nothing: what is typed before the echo is off is thrown away."""
        self._wait_for(question)
        deadline = time.monotonic() + SECONDS_TO_WAIT
        while termios.tcgetattr(self._master)[3] & termios.ECHO:
            assert time.monotonic() < deadline, f"{question!r} would show what is typed"
            time.sleep(0.01)
        os.write(self._master, f"{typed}\n".encode())

    def answer(self, question: str, typed: str) -> None:
        """Wait for the question, then type."""
        self._wait_for(question)
        os.write(self._master, f"{typed}\n".encode())

    def answer_each(self, question: str, typed: str, *, until: str) -> None:
        """As often as it is asked before the other question, which is left to be answered."""
        while self._first_of(question, until) == question:
            self.answer(question, typed)

    def _wait_for(self, question: str) -> None:
        self._first_of(question)
        self._answered = self.seen.index(question, self._answered) + len(question)

    def _first_of(self, *questions: str) -> str:
        deadline = time.monotonic() + SECONDS_TO_WAIT
        while not (asked := [q for q in questions if q in self.seen[self._answered :]]):
            assert time.monotonic() < deadline, f"none of {questions} in:\n{self.seen}"
            if not self._read():
                raise AssertionError(f"it ended without {questions}:\n{self.seen}")
        return min(asked, key=lambda q: self.seen.index(q, self._answered))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def end(self) -> int:
        while self._read():
            pass
        return self._process.wait(timeout=SECONDS_TO_WAIT)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], SECONDS_TO_WAIT)
        data = b""
        with contextlib.suppress(OSError):  # Linux: the other end is closed
            data = os.read(self._master, 4096) if ready else b""
        self.seen += data.decode(errors="replace")
        return bool(data)


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(scope="module")
def live(module_project: Project) -> Project:
    module_project.sandbox.seed(10)
    return module_project


def test_without_logins_it_says_which_variables_belong_into_dotenv(live: Project) -> None:
    before = live.text()
    ended = live.console("-e", "prod", "setup", "--yes")
    assert ended.exit_code == 3, ended.output
    for variable in (
        "TAP_SALESFORCE_CASES_CLIENT_ID",
        "TAP_SALESFORCE_CASES_CLIENT_SECRET",
        "TARGET_HUBSPOT_TICKETS_ACCESS_TOKEN",
    ):
        assert variable in ended.stderr
    assert ".env" in ended.stderr
    assert live.text() == before
    assert not (live.folder / ".env").exists()


def test_without_a_terminal_and_without_an_answer_it_names_the_option(live: Project) -> None:
    before = live.text()
    ended = live.console("setup", "--on-case-deleted", "do_nothing")
    assert ended.exit_code == 2, ended.output
    assert "Give --account or --no-account, or --yes" in ended.stderr
    assert live.text() == before


def test_S06_to_S24_unattended_by_options_and_saved_for_later(live: Project) -> None:
    before = live.text()
    ended = live.console(
        *("setup", "--on-case-deleted", "do_nothing", "--no-account", "--contact", "--map", "source_ref=Reason", "--unmap", "content"),
        *("--pipeline", "Billing Process=Billing", "--stage", "Billing Process/Escalated=In progress", "--yes", "--save-for-later"),
    )  # fmt: skip
    assert ended.exit_code == 0, ended.output
    left, came = changed_lines(before, live.text())
    assert [line.strip().split(" ")[0] for line in left] == ["on_case_deleted:", "account:", "stages:"]
    assert "            source_ref: Reason" in came
    assert "            content: null" in came
    assert any("Escalated: In progress" in line for line in came)
    assert any("sync_status: saved" in line for line in came)
    assert "The sync would run." in ended.stdout
    assert "Saved for later" in ended.stdout
    assert live.sandbox.tickets() == []


def test_S22_S25_it_activates_and_existing_cases_do_not_come(live: Project) -> None:
    ended = live.console("setup", "--yes", "--activate")
    assert ended.exit_code == 0, ended.output
    assert "sync_status: active" in live.text()
    assert "The sync is on" in ended.stdout
    assert live.sandbox.tickets() == []
    again = live.console("setup", "--yes", "--save-for-later")
    assert again.exit_code == 0, again.output
    assert "sync_status: active" in live.text()


def test_S06_to_S24_a_person_is_asked_step_by_step_and_logins_go_into_dotenv(live: Project) -> None:
    """Goes back to a step from the preview, too; at the end it is saved for later."""
    with Terminal(live, "-e", "prod", "setup", "--no-suggested") as terminal:
        terminal.answer("Type them in now?", "y")
        terminal.answer("Consumer key", "sandbox-client")
        terminal.answer_secret("Consumer secret", "sandbox-secret")
        terminal.answer_secret("HubSpot token", "sandbox-token")
        terminal.answer("1. Sync rules", "2")
        terminal.answer("2. Associations", "y")
        terminal.answer("contact association", "y")
        terminal.answer("Change a mapping", "content=Internal_Notes__c")
        terminal.answer("Change a mapping", "")
        processes = ("'Billing Process':", "'Returns Process':", "'Technical Support Process':")
        for process, following in pairwise(
            (*processes, "without a support process:", "Write these settings")
        ):
            terminal.answer(process, "")
            terminal.answer_each("Stage for", "", until=following)
        terminal.answer("Write these settings", "1")
        terminal.answer("Your choice", "1")
        terminal.answer("Write these settings", "w")
        terminal.answer("Save for later", "2")
        code = terminal.end()
    assert code == 0, terminal.seen
    text = live.text()
    assert "on_case_deleted: do_nothing" in text
    assert "from: Internal_Notes__c" in text
    assert "sandbox-secret" not in terminal.seen
    assert "sandbox-token" not in terminal.seen
    assert "Traceback" not in terminal.seen
    dotenv = live.folder / ".env"
    assert mode_of(dotenv) == 0o600
    found = dotenv_values(dotenv)
    assert found["TAP_SALESFORCE_CASES_CLIENT_SECRET"] == "sandbox-secret"
    assert found["TARGET_HUBSPOT_TICKETS_ACCESS_TOKEN"] == "sandbox-token"
