"""Shell: the rules from where they stand: the setting `rules`, a YAML or JSON file, or the mapping in a meltano.yml."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from case_ticket_mapper.errors import MapperError

MOST_VALUES = 100_000  # a document with aliases of aliases is short, and stands for more than memory holds


class _Loader(yaml.SafeLoader):
    """The safe loader, which lets no name stand twice: the second would silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's form
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key.value, str):
                raise yaml.constructor.ConstructorError(None, None, "a name is no text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"'{key.value}' stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def rules_block(config: Mapping[str, Any]) -> Any:
    """The rules block of the configuration; Meltano may hand it over as JSON text.

    Raises:
        MapperError: rules_file can't be read, or there are two sources of rules.
    """
    block, path = config.get("rules"), config.get("rules_file")
    if block is not None and path is not None:
        raise MapperError("rules and rules_file are both given: keep one of them")
    if path is not None:
        return rules_of_file(Path(str(path)), "rules_file")
    if isinstance(block, str):
        try:
            return json.loads(block)
        except (ValueError, RecursionError):  # told as rules of the wrong form
            return block
    return {} if block is None else block


def rules_of_file(path: Path, named: str) -> Any:
    """The rules in a file: the block itself, under `rules`, or what the one mapping of a meltano.yml that has rules says.

    Args:
        path: a YAML file, of which JSON is one.
        named: the setting or option that names the file, for messages.
    """
    document = yaml_of(path, named)
    if isinstance(document, Mapping) and "plugins" in document:
        return _rules_of_project(document, path, named)
    return document["rules"] if isinstance(document, Mapping) and "rules" in document else document


def _rules_of_project(document: Mapping[str, Any], path: Path, named: str) -> Any:
    """A rules_file in it stands from the project's folder, in which Meltano runs its plugins."""
    configs = [mapping.get("config") or {} for mapping in mappings_of(document)]
    found = [c for c in configs if c.get("rules") is not None or c.get("rules_file") is not None]
    if len(found) != 1:
        raise MapperError(
            f"{named}: {path} holds {len(found)} mappings with rules, not one; put the rules into a file of their own"
        )
    config = dict(found[0])
    if config.get("rules_file") is not None:
        config["rules_file"] = str(path.parent / str(config["rules_file"]))
    return rules_block(config)


def mappings_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The mappings of the mappers of a meltano.yml."""
    try:
        return [
            mapping
            for mapper in document["plugins"].get("mappers", ())
            for mapping in mapper.get("mappings", ())
        ]
    except (AttributeError, TypeError):
        return []


def yaml_of(path: Path, named: str) -> Any:
    """The document; days and moments as the texts that they were, since rules compare texts."""
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
        return _without_dates(loaded, iter(range(MOST_VALUES)))
    except (OSError, UnicodeDecodeError) as error:
        raise MapperError(f"{named}: {path} can't be read ({type(error).__name__})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        why = f": {error.problem}" if isinstance(error, yaml.constructor.ConstructorError) else ""
        raise MapperError(f"{named}: {path} can't be read as YAML{where}{why}") from None
    except RecursionError:
        raise MapperError(f"{named}: {path} is nested too deep to be rules") from None
    except _TooManyError:
        raise MapperError(
            f"{named}: {path} stands for more than {MOST_VALUES:,} values: no rules do"
        ) from None


class _TooManyError(Exception):
    """A document is larger than rules are."""


def _without_dates(value: Any, room: Iterator[int]) -> Any:
    """The value, as long as there is room for one more."""
    if next(room, None) is None:
        raise _TooManyError
    if isinstance(value, Mapping):
        return {key: _without_dates(inner, room) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_dates(inner, room) for inner in value]
    return value.isoformat() if isinstance(value, date) else value
