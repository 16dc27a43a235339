"""Shell: meltano.yml, or a rules file: read as a document, written as text, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from case_sync_console.errors import ConfigurationError


@dataclass(slots=True, kw_only=True)
class YamlFile:
    """A YAML document, to be read only, and the file and the text that it came from."""

    path: Path
    text: str
    document: CommentedMap

    @classmethod
    def read(cls, path: Path) -> YamlFile:
        """Raises ConfigurationError, by file, line and column, where it can't be read."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path.name} can't be read ({type(error).__name__})") from None
        return cls(path=path, text=text, document=_loaded(text, path.name))

    def save_text(self, new: str) -> None:
        """Write this text, whole or not at all; refused if somebody changed the file meanwhile.

        Raises:
            ConfigurationError: it changed, or can't be written; the file is as it was.
        """
        if new == self.text:
            return
        try:
            if self.path.read_text(encoding="utf-8") != self.text:
                raise ConfigurationError(f"{self.path.name} was changed by somebody meanwhile: try again")
            _replace(self.path, new)
        except OSError as error:
            raise ConfigurationError(f"{self.path.name} can't be written: {error.strerror}") from None
        self.text = new


@lru_cache(maxsize=8)  # a command looks into its file again and again, and a look takes a tenth of a second
def _loaded(text: str, name: str) -> CommentedMap:
    try:
        document = YAML().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigurationError(f"{name}{where}: {str(error.problem).splitlines()[0]}") from None
    except RecursionError:
        raise ConfigurationError(f"{name} is nested too deep") from None
    except YAMLError as error:
        raise ConfigurationError(f"{name} can't be read as YAML ({type(error).__name__})") from None
    if not isinstance(document, CommentedMap):
        raise ConfigurationError(f"{name} holds no YAML mapping")
    return document


def _replace(path: Path, text: str) -> None:
    """In one step, with the file's own mode."""
    handle, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(new).chmod(path.stat().st_mode & 0o777)
        Path(new).replace(path)
    except BaseException:
        Path(new).unlink(missing_ok=True)
        raise
