"""Shell: where a command works: the project folder, its environment, Meltano, the file, the screen."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from rich.console import Console

from case_sync_console.definition import environment_named, rules_place
from case_sync_console.errors import ConfigurationError
from case_sync_console.meltano import Meltano
from case_sync_console.project_file import YamlFile
from case_sync_console.yaml_splicing import Splice, spliced

DEFINITION = "meltano.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What every command is given; nothing is read before it is asked for."""

    folder: Path
    environment: str
    screen: Console

    @property
    def meltano(self) -> Meltano:
        return Meltano(folder=self.folder, environment=self.environment)

    def definition(self) -> YamlFile:
        """meltano.yml as it is now."""
        return YamlFile.read(self.folder / DEFINITION)

    def edit(self, wanted: Callable[[Mapping[str, Any]], Sequence[Splice]]) -> None:
        """Change meltano.yml where `wanted`, given the document, says; all other bytes stay.

        Raises:
            ConfigurationError: it can't be done there; the file is as it was.
        """
        file = self.definition()
        file.save_text(spliced(file.text, wanted(file.document)))

    def rules_file(self) -> YamlFile:
        """The file that the rules stand in: meltano.yml itself, or the one that it names."""
        definition = self.definition()
        named = rules_place(definition.document).file
        return YamlFile.read(self.folder / named) if named else definition


def find_folder(given: Path | None) -> Path:
    """The project's folder: the one given, Meltano's, or the nearest one upwards that has a meltano.yml.

    Raises:
        ConfigurationError: there is none.
    """
    outer = os.environ.get("MELTANO_PROJECT_ROOT")
    if given or outer:
        folder = Path(given or str(outer))
        if not (folder / DEFINITION).is_file():
            raise ConfigurationError(
                f"{folder} has no {DEFINITION}: name the project's folder with --project"
            )
        return folder.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / DEFINITION).is_file():
            return folder
    raise ConfigurationError(
        f"no {DEFINITION} here or above: go to the project's folder, or name it with --project"
    )


def find_environment(given: str | None, folder: Path) -> str:
    """The environment: the one given, Meltano's by its variable or in .env, or the project's default.

    Raises:
        ConfigurationError: none is chosen, or the project has none of this name.
    """
    document = YamlFile.read(folder / DEFINITION).document
    own = os.environ.get("MELTANO_ENVIRONMENT") or dotenv_values(folder / ".env").get("MELTANO_ENVIRONMENT")
    chosen: Any = given or own or document.get("default_environment")
    if not chosen:
        raise ConfigurationError(
            "no environment is chosen: name one with --environment, such as --environment=prod"
        )
    environment_named(document, str(chosen))
    return str(chosen)
