"""Fixtures for every test folder: one sandbox per test process, empty at the start of each test that asks for it."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from case_sync_sandbox.testing import RunningSandbox

# No test says how fast the machine is: an example may take as long as it does on a busy one. `make test` tries the same examples each
# time, so that a commit is judged by what it changes; SOAK=1 draws others with each run.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None)
settings.load_profile("soak" if os.environ.get("SOAK") == "1" else "repeatable")


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[RunningSandbox]:
    """The servers of this test process (of this worker, under pytest-xdist), on free ports, in memory."""
    with RunningSandbox() as running:
        yield running


@pytest.fixture
def sandbox(sandbox_server: RunningSandbox) -> RunningSandbox:
    """A sandbox with two empty halves."""
    sandbox_server.reset()
    return sandbox_server
