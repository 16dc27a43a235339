"""Fixtures for every test folder: one sandbox per test process, empty at the start of each test that asks for it."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from case_sync_sandbox.testing import RunningSandbox

# No test says how fast the machine is: an example may take as long as it does on a busy one.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


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
