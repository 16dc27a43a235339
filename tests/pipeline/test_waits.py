"""R72: vendors that take a call and never answer it. Whatever the call of a first sync, the wait has an end: `request_timeout_seconds`, then `max_tries`.

A time-out is of one read. An answer that comes in drops, each in time, ends too: three time-outs behind its first byte it is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .faults import LEAKS
from .forked import Ended, Forks, Pipeline

pytestmark = pytest.mark.faults

DONE, UNREACHABLE = 0, 6  # the exit codes of both programs
PLUGINS = {"salesforce": "tap", "hubspot": "target"}
BOUND_SECONDS = 90  # for a run that takes about three: one that has not ended by then waits for ever
# Five times as long as a call may take. A program without a time-out gets its answer in the end: its run is complete, not unreachable.
HANGS: dict[str, dict[str, Any]] = {
    "no answer": {"action": "latency", "latency_ms": 5_000},
    "no body": {"action": "slow_drip", "latency_ms": 5_000, "pieces": 2},
}
# Each drop in time, 20 s for all of them: who waits for the whole answer gets it, and its run is complete.
DROPS = {"action": "slow_drip", "latency_ms": 400, "pieces": 50}
TRIES = {"no answer": 2, "no body": 1, "drops": 1}
BULK = {"api_mode": "bulk", "bulk_window_rows": 60, "bulk_timeout_seconds": 30}
OAUTH = {"access_token": None, "client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": "sandbox-refresh"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Calls of one kind, by half, path and method, and the settings with which a run makes them."""

    half: Literal["salesforce", "hubspot"]
    path: str
    method: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def rule(self, hang: str) -> dict[str, Any]:
        """Every call of the route hangs."""
        method = {"method": self.method} if self.method else {}
        return {"half": self.half, "path": self.path, **method, **(HANGS | {"drops": DROPS})[hang]}


ROUTES = {
    "token": Route(half="salesforce", path="/oauth2/token"),
    "describe": Route(half="salesforce", path="/sobjects/Case/describe", settings={"describe_cache_path": "describes.json"}),
    "composite": Route(half="salesforce", path="/composite"),
    "query": Route(half="salesforce", path=r"/queryAll\?"),
    "updated": Route(half="salesforce", path="/updated/", settings={"use_get_updated": True}),
    "deleted": Route(half="salesforce", path="/deleted/"),
    "job made": Route(half="salesforce", path=r"/jobs/query(\?|$)", method="POST", settings=BULK),
    "job's status": Route(half="salesforce", path=r"/jobs/query/\w+(\?|$)", method="GET", settings=BULK),
    "job's pages": Route(half="salesforce", path="/resultPages", settings=BULK),
    "job's results": Route(half="salesforce", path=r"/results(\?|$)", settings=BULK),
    "oauth": Route(half="hubspot", path="/oauth/", settings=OAUTH),
    "account": Route(half="hubspot", path="/account-info/"),
    "properties": Route(half="hubspot", path="/crm/properties/", method="GET"),
    "pipelines": Route(half="hubspot", path="/crm/pipelines/"),
    "companies": Route(half="hubspot", path="companies/batch/read"),
    "owners": Route(half="hubspot", path="/crm/owners"),
    "upsert": Route(half="hubspot", path="batch/upsert"),
    "search": Route(half="hubspot", path=r"(companies|contacts)/search"),
    "associations": Route(half="hubspot", path="/crm/associations/.*/batch/(associate|create)"),
}  # fmt: skip


def run_with(sandbox: RunningSandbox, forks: Forks, folder: Path, route: Route, hang: str) -> Ended:
    """A first sync of a small org in which the route hangs.

    Raises:
        HangError: it did not end.
    """
    sandbox.seed(20)
    sandbox.faults([route.rule(hang)])
    patience = {"request_timeout_seconds": 1, "max_tries": TRIES[hang]}
    settings: dict[str, Any] = {plugin: dict(patience) for plugin in PLUGINS.values()}
    settings[PLUGINS[route.half]] |= route.settings
    ended = Pipeline(forks=forks, folder=folder, sandbox=sandbox, **settings).run(seconds=BOUND_SECONDS)
    assert sandbox.admin("GET", "faults")["rules"][0]["hit"], "no call of this route was made"
    assert not LEAKS.search(ended.log), ended.log
    return ended


@pytest.mark.parametrize("hang", HANGS)
@pytest.mark.parametrize("name", ROUTES)
def test_R72_a_call_without_an_answer_ends_the_run(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path, name: str, hang: str
) -> None:
    """With the exit code that says so."""
    route = ROUTES[name]
    ended = run_with(sandbox, forks, tmp_path, route, hang)
    assert ended.codes[PLUGINS[route.half]] == UNREACHABLE, ended.log


@pytest.mark.parametrize(
    "name", ["token", "describe", "query", "job's results", "properties", "upsert", "search", "oauth"]
)
def test_R72_R73_an_answer_that_comes_in_drops_ends_the_run(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path, name: str
) -> None:
    """With the same exit code, and in words."""
    route = ROUTES[name]
    ended = run_with(sandbox, forks, tmp_path, route, "drops")
    assert ended.codes[PLUGINS[route.half]] == UNREACHABLE, ended.log
    assert "comes in drops" in ended.log


@pytest.mark.parametrize("hang", HANGS)
def test_R72_a_bulk_job_that_can_not_be_deleted_holds_up_nobody(
    sandbox: RunningSandbox, forks: Forks, tmp_path: Path, hang: str
) -> None:
    """The one wait that ends without ending the run: Salesforce drops the job itself."""
    route = Route(half="salesforce", path="/jobs/query/", method="DELETE", settings=BULK)
    ended = run_with(sandbox, forks, tmp_path, route, hang)
    assert set(ended.codes.values()) == {DONE}, ended.log
