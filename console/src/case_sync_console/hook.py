"""Shell: calls the hook on_failure: a command, never by a shell, and a webhook."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from case_sync_console.hook_address import RULE, is_allowed_url
from case_sync_console.own_settings import Hook

COMMAND_SECONDS, CALL_SECONDS, TRIES = 60, 10, 3
UNREADABLE = "the command line can't be read"


class _TryAgainError(Exception):
    """The receiver was not reached, or is not well: it may be a moment later."""


def call(hook: Hook, told: Mapping[str, Any], folder: Path) -> list[str]:
    """Tell the command and the webhook; what went wrong is returned, and never raised: the run's own end counts."""
    problems = []
    if hook.command and (problem := _run(hook.command, told, folder)):
        problems.append(f"on_failure_command: {problem}")
    if hook.url and (problem := _post(hook.url, told)):
        problems.append(f"on_failure_url: {problem}")
    return problems


def flaws(hook: Hook, folder: Path) -> list[str]:
    """Why it could not be called, as far as that can be told before it has to be: by an address, or a program that is not there."""
    problems = []
    if hook.command and (problem := _unfit(hook.command, folder)):
        problems.append(f"on_failure_command: {problem}")
    if hook.url and not is_allowed_url(hook.url):
        problems.append(f"on_failure_url: {RULE}")
    return problems


def _unfit(command: str, folder: Path) -> str | None:
    try:
        program = shlex.split(command)[0]
    except ValueError as error:
        return f"{UNREADABLE}: {error}"
    except IndexError:
        return "it names no program"
    # A name is looked up in PATH; what has a slash stands from the project's folder, in which it is started.
    is_there = shutil.which(folder / program if os.sep in program else program)
    return None if is_there else f"there is no program '{program}' that may be run"


def _run(command: str, told: Mapping[str, Any], folder: Path) -> str | None:
    try:
        words = shlex.split(command)
    except ValueError as error:
        return f"{UNREADABLE}: {error}"
    variables = {
        "CASE_SYNC_EVENT": str(told["event"]),
        "CASE_SYNC_EXIT_CODE": str(told["exit_code"]),
        "CASE_SYNC_ENVIRONMENT": str(told["environment"]),
    }
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env={**os.environ, **variables},
            input=json.dumps(told),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
    except (OSError, IndexError) as error:
        return f"it can't be started ({type(error).__name__})"
    except subprocess.TimeoutExpired:
        return f"it took more than {COMMAND_SECONDS} seconds and was ended"
    return f"it ended with exit code {done.returncode}" if done.returncode else None


def _post(url: str, told: Mapping[str, Any]) -> str | None:
    """Only the host is named in problems: the rest of a webhook's URL is often a secret, and so none is called in clear text."""
    if not is_allowed_url(url):
        return RULE
    try:
        for attempt in Retrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(max=8),
            retry=retry_if_exception_type(_TryAgainError),
        ):
            with attempt:
                _post_once(url, told)
    except RetryError as error:
        return f"{_host(url)} {error.last_attempt.exception()}, {TRIES} times"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"{_host(url)} {_words(error)}"
    return None


def _post_once(url: str, told: Mapping[str, Any]) -> None:
    """What goes in clear text goes to this machine, and not by a proxy that the environment names."""
    try:
        answer = httpx.post(
            url, json=dict(told), timeout=CALL_SECONDS, trust_env=not url.lower().startswith("http:")
        )
    except httpx.TransportError as error:
        raise _TryAgainError(_words(error)) from None
    if answer.status_code >= 500 or answer.status_code == 429:
        raise _TryAgainError(f"answered {answer.status_code}")
    answer.raise_for_status()


def _words(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"answered {error.response.status_code}"
    return f"could not be called ({type(error).__name__})"


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the URL"
