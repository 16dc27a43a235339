"""Commands that run at the same time: each start of Meltano has its own run folder, so that none takes another's files."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from case_sync_console.meltano import Meltano

from .conftest import Project

pytestmark = [pytest.mark.xdist_group("console-side-by-side"), pytest.mark.timeout(1200)]
# In Meltano's place: it notes its run folder, and what of the project it finds there.
MELTANO = """#!/bin/sh
echo "$MELTANO_SYS_DIR_ROOT $(cat "$MELTANO_SYS_DIR_ROOT/kept" 2>/dev/null)" >> folders
echo "{}"
"""


def test_D03_each_start_of_a_plugin_has_a_run_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meltano keeps catalog and state of a tap by fixed names: `invoke` takes those of a run away."""
    program = tmp_path / "meltano"
    program.write_text(MELTANO, encoding="utf-8")
    program.chmod(0o700)
    (tmp_path / ".meltano").mkdir()
    (tmp_path / ".meltano" / "kept").write_text("the-projects", encoding="utf-8")
    monkeypatch.setenv("CASE_SYNC_MELTANO", str(program))
    meltano = Meltano(folder=tmp_path)
    meltano.run()
    meltano.invoke("tap-salesforce-cases", "--describe")
    meltano.findings("case-ticket-mapper", "--check-rules=json")
    with meltano.started("tap-salesforce-cases", stdout=subprocess.DEVNULL):
        pass
    noted = [line.split() for line in (tmp_path / "folders").read_text(encoding="utf-8").splitlines()]
    assert [kept for _, kept in noted] == ["the-projects"] * 4
    folders = [Path(folder) for folder, _ in noted]
    assert len(set(folders)) == 4
    assert not [folder for folder in folders if folder.exists()]


def test_R25_commands_that_start_together_end_well_or_say_that_another_runs(project: Project) -> None:
    """A schedule, an admin who looks, an import and a schedule of another machine, all at once."""
    project.sandbox.seed(30)
    project.switch_on()
    assert project.console("status").exit_code == 0  # Meltano's database is there then
    commands = (("run",), ("plan", "--sample", "2"), ("import",), ("run",), ("verify",))
    with ThreadPoolExecutor(len(commands)) as pool:
        ended = list(pool.map(lambda command: project.console(*command), commands))
    for one in ended:
        assert one.exit_code in {0, 7, 9}, one.output
        assert "Invalid value" not in one.output
    assert 0 in {ended[0].exit_code, ended[3].exit_code}
    assert ended[1].exit_code == 0, ended[1].output
    rest = project.console("run")
    assert rest.exit_code == 0, rest.output
    assert set(project.tickets()) == set(project.cases())
