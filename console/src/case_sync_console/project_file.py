"""Shell: meltano.yml, or a rules file, read and written so that comments, order and form survive."""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from case_sync_console.errors import ConfigurationError

# Indentations of (sequence, offset) that people use; the one that gives the file back as it is, is kept.
FORMS = ((2, 0), (4, 2))
WIDTH = 4096  # no line is folded


@dataclass(slots=True, kw_only=True)
class YamlFile:
    """A YAML document and the file that it came from; `document` may be changed in place, `save` writes it."""

    path: Path
    text: str
    document: CommentedMap
    form: tuple[int, int]

    @classmethod
    def read(cls, path: Path) -> YamlFile:
        """Raises ConfigurationError, by file, line and column, where it can't be read."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path.name} can't be read ({type(error).__name__})") from None
        document = _loaded(text, path)
        form = next((form for form in FORMS if _dumped(_loaded(text, path), form) == text), FORMS[0])
        return cls(path=path, text=text, document=document, form=form)

    def dumped(self) -> str:
        """The document as it would be written."""
        return _dumped(self.document, self.form)

    def save(self) -> None:
        """Write the document, as save_text does."""
        self.save_text(self.dumped())

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


def _yaml(form: tuple[int, int]) -> YAML:
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = WIDTH, True
    yaml.indent(mapping=2, sequence=form[0], offset=form[1])
    return yaml


def _loaded(text: str, path: Path) -> CommentedMap:
    try:
        document = _yaml(FORMS[0]).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigurationError(f"{path.name}{where}: {str(error.problem).splitlines()[0]}") from None
    except YAMLError as error:
        raise ConfigurationError(f"{path.name} can't be read as YAML ({type(error).__name__})") from None
    if not isinstance(document, CommentedMap):
        raise ConfigurationError(f"{path.name} holds no YAML mapping")
    return document


def _dumped(document: Any, form: tuple[int, int]) -> str:
    out = io.StringIO()
    _yaml(form).dump(document, out)
    return out.getvalue()


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
