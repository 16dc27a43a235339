"""The SDK's standard tests for taps, each run over one sync of the sandbox."""

import pytest
from singer_sdk.testing.config import SuiteConfig
from singer_sdk.testing.runners import TapTestRunner
from singer_sdk.testing.suites import tap_stream_attribute_tests, tap_stream_tests, tap_tests

from case_sync_sandbox.testing import RunningSandbox
from tap_salesforce_cases.tap import TapSalesforceCases

# Emitted only when a reconciliation is due.
CONFIG = SuiteConfig(ignore_no_records_for_streams=["case_snapshots"])


@pytest.fixture
def runner(sandbox: RunningSandbox) -> TapTestRunner:
    sandbox.seed(60)
    config = {
        "login_url": sandbox.salesforce_url,
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    }
    made = TapTestRunner(TapSalesforceCases, config=config, parse_env_config=False)
    made.sync_all()
    return made


@pytest.mark.parametrize("test", tap_tests.tests, ids=lambda t: t.name)
def test_standard_tap(runner: TapTestRunner, test: type) -> None:
    test().run(SuiteConfig(), None, runner)


@pytest.mark.parametrize("test", tap_stream_tests.tests, ids=lambda t: t.name)
def test_standard_stream(runner: TapTestRunner, test: type) -> None:
    for stream in runner.new_tap().streams.values():
        test().run(CONFIG, None, runner, stream)


def test_standard_attributes(runner: TapTestRunner) -> None:
    """Every column of every stream through each attribute test that speaks of its type."""
    ran = 0
    for stream in runner.new_tap().streams.values():
        for name, schema in stream.schema["properties"].items():
            for test in tap_stream_attribute_tests.tests:
                if test.evaluate(stream=stream, property_name=name, property_schema=schema):
                    test().run(SuiteConfig(ignore_no_records=True), None, runner, stream, name)
                    ran += 1
    assert ran > 10


@pytest.mark.parametrize("option", ["print_version", "print_about"])
def test_standard_prints(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    getattr(TapSalesforceCases, option)()
    assert "tap-salesforce-cases" in capsys.readouterr().out
