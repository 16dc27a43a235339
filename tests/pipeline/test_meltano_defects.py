"""Defects of Meltano's own (D3, D5) and what our plugins do under them: tenants that share a project, a Meltano that is killed.

What is not ours to mend: D3 makes runs fail that share one `.meltano` folder (a folder for each tenant, MELTANO_SYS_DIR_ROOT, does not),
and D5 leaves a killed run's configuration on disk with the rights that the umask gives, and refuses the next run for five minutes without
--force. The tests show that no data comes into wrong hands by either, and that the plain way out of each works.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from case_sync_sandbox.testing import RunningSandbox

from .conftest import BIN, Project

TENANTS = 3
CASES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """An org, a portal and a state of its own, in a project that others share."""

    name: str
    organization_id: str
    sandbox: RunningSandbox
    project: Project

    def start(self, *, state_of: str = "", **env: str) -> subprocess.Popen[str]:
        """`meltano run` in the background; `state_of` another tenant is what D3 comes to."""
        return subprocess.Popen(
            [str(BIN / "meltano"), "run", f"--state-id-suffix={state_of or self.name}", "case-sync"],
            cwd=self.project.folder,
            env={**self.project.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def is_own_world(self) -> bool:
        """Its portal holds its org's cases, all of them, and no other's."""
        cases = self.sandbox.admin("GET", "salesforce/records?object=Case")
        return self.tickets() == {
            (c["Id"], self.organization_id, c["Subject"] or f"Case {c['CaseNumber']}")
            for c in cases
            if not c["IsDeleted"]
        }

    def holds_nothing_foreign(self) -> bool:
        return {organization for _, organization, _ in self.tickets()} <= {self.organization_id}

    def tickets(self) -> set[tuple[str, str, str]]:
        found = [t["properties"] for t in self.sandbox.tickets()]
        return {(p["salesforce_case_id"], p["salesforce_org_id"], p["subject"]) for p in found}


@pytest.fixture
def tenants(project: Callable[..., Project]) -> Iterator[list[Tenant]]:
    """Orgs with other cases under the same ids, in one project folder."""
    shared = project()
    with ExitStack() as stack:
        yield [tenant(stack.enter_context(RunningSandbox()), shared, number) for number in range(TENANTS)]


def tenant(sandbox: RunningSandbox, shared: Project, number: int) -> Tenant:
    organization_id = f"00D5g000000000{number + 1}EAA"
    sandbox.seed(CASES, random_seed=number)
    sandbox.admin("POST", "salesforce/switches", {"organization_id": organization_id})
    env = shared.env | {
        "TAP_SALESFORCE_CASES_LOGIN_URL": sandbox.salesforce_url,
        "TARGET_HUBSPOT_TICKETS_BASE_URL": sandbox.hubspot_url,
        "TARGET_HUBSPOT_TICKETS_LEDGER_URL": str(shared.folder / f"ledger-{number}.db"),
        "TAP_SALESFORCE_CASES_REPORT_PATH": str(shared.folder / f"tap-{number}.json"),
        "TARGET_HUBSPOT_TICKETS_REPORT_PATH": str(shared.folder / f"target-{number}.json"),
    }
    project = Project(folder=shared.folder, env=env)
    return Tenant(name=f"tenant{number}", organization_id=organization_id, sandbox=sandbox, project=project)


def ended(runs: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    outputs = [run.communicate(timeout=240)[0] for run in runs]
    return [(run.returncode, output) for run, output in zip(runs, outputs, strict=True)]


def test_D03_R26_state_of_another_tenant_is_refused_before_anything_is_read(tenants: list[Tenant]) -> None:
    """What D3 does by chance, done on purpose: the second org's run gets the first one's state."""
    first, second, _ = tenants
    ((returncode, output),) = ended([first.start()])
    assert (returncode, first.is_own_world()) == (0, True), output
    seen = len(second.sandbox.requests(half="hubspot"))
    ((returncode, output),) = ended([second.start(state_of=first.name)])
    assert returncode != 0
    assert "made with another Salesforce org" in output
    assert "Traceback" not in output
    assert second.tickets() == set()
    assert [r for r in second.sandbox.requests(half="hubspot")[seen:] if "objects/" in r["path"]] == []
    ((returncode, output),) = ended([first.start()])
    assert (returncode, "another Salesforce org" in output, first.is_own_world()) == (0, False, True), output


def test_D03_R26_S22_tenants_in_parallel_in_one_project_never_write_into_another_portal(
    tenants: list[Tenant],
) -> None:
    """Runs may fail by D3; none writes what is not its own, and a run alone then mends what failed."""
    tenants[0].project.meltano("state", "list")  # makes Meltano's database, which it can't do side by side
    ended([one.start() for one in tenants])
    assert all(one.holds_nothing_foreign() for one in tenants)
    for one in tenants:
        ((returncode, output),) = ended([one.start()])
        assert (returncode, one.is_own_world()) == (0, True), output


def test_R27_tenants_in_parallel_with_a_folder_each_all_arrive(tenants: list[Tenant]) -> None:
    """MELTANO_SYS_DIR_ROOT for each: no run fails, each portal is its org's."""
    folders = [one.project.folder / f"system-{one.name}" for one in tenants]
    runs = [one.start(MELTANO_SYS_DIR_ROOT=str(folder)) for one, folder in zip(tenants, folders, strict=True)]
    for returncode, output in ended(runs):
        assert returncode == 0, output
    assert all(one.is_own_world() for one in tenants)


def test_D05_S5_after_a_killed_meltano_the_next_run_mends_all_at_once(
    sandbox: RunningSandbox, project: Callable[..., Project]
) -> None:
    """Its plugins end by themselves, our lock is free, --force passes Meltano's wait; nothing is left readable under umask 077."""
    sandbox.seed(300)
    sandbox.faults([{"half": "hubspot", "path": "batch/upsert", "latency_ms": 3000}])
    sync = project()
    umask = os.umask(0o077)
    try:
        run = subprocess.Popen(
            [str(BIN / "meltano"), "run", "case-sync"], cwd=sync.folder, env=sync.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )  # fmt: skip
    finally:
        os.umask(umask)
    wait_for(lambda: bool(sandbox.requests(half="hubspot", path="batch/upsert")) or run.poll() is not None)
    children = descendants(run.pid)
    run.send_signal(signal.SIGKILL)
    run.wait()
    sandbox.admin("DELETE", "faults")
    assert children, "Meltano was killed before or behind its run"
    wait_for(lambda: not any(map(is_alive, children)))
    left = [file for file in (sync.folder / ".meltano").rglob("*.config.json") if file.is_file()]
    assert left, "Meltano left nothing: D5 is mended, and so is this test's reason"
    assert all(file.stat().st_mode & 0o077 == 0 for file in left)
    again = sync.sync("--force")
    assert again.returncode == 0, again.output
    tickets = [t["properties"] for t in sandbox.tickets()]
    live = {c["Id"] for c in sandbox.admin("GET", "salesforce/records?object=Case") if not c["IsDeleted"]}
    assert len(tickets) == len(live)
    assert {t["salesforce_case_id"] for t in tickets} == live


def wait_for(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 90
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and theirs."""
    told = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in told.splitlines())}
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
