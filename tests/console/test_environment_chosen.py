"""Which environment a command is about: the one that is named, Meltano's own variable, what .env says, the project's default."""

from pathlib import Path

import pytest

from case_sync_console.errors import ConfigurationError
from case_sync_console.workplace import find_environment

DEFINITION = "default_environment: sandbox\nenvironments:\n- name: sandbox\n- name: prod\n- name: test\n"


@pytest.mark.parametrize(
    ("given", "variable", "file", "chosen"),
    [
        (None, None, None, "sandbox"),
        (None, None, "prod", "prod"),
        (None, "test", "prod", "test"),
        ("sandbox", "test", "prod", "sandbox"),
        (None, "", "prod", "prod"),
    ],
)
def test_the_nearest_word_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, variable: str | None, file: str | None, chosen: str
) -> None:  # fmt: skip
    (tmp_path / "meltano.yml").write_text(DEFINITION, encoding="utf-8")
    if file:
        (tmp_path / ".env").write_text(f"MELTANO_ENVIRONMENT={file}\n", encoding="utf-8")
    monkeypatch.delenv("MELTANO_ENVIRONMENT", raising=False)
    if variable is not None:
        monkeypatch.setenv("MELTANO_ENVIRONMENT", variable)
    assert find_environment(given, tmp_path) == chosen


def test_an_environment_of_a_file_that_the_project_has_not_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MELTANO_ENVIRONMENT", raising=False)
    (tmp_path / "meltano.yml").write_text(DEFINITION, encoding="utf-8")
    (tmp_path / ".env").write_text("MELTANO_ENVIRONMENT=production\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no environment 'production'; it has prod, sandbox, test"):
        find_environment(None, tmp_path)
