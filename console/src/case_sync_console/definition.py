"""Core: where in a meltano.yml the sync's settings, rules and schedule stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, MutableSequence
from dataclasses import dataclass
from typing import Any

from case_sync_console.errors import ConfigurationError

Document = MutableMapping[str, Any]
ACTIVE, PAUSED, SAVED = "active", "paused", "saved"
KINDS = {
    "tap-salesforce-cases": "extractors",
    "case-ticket-mapper": "mappers",
    "target-hubspot-tickets": "loaders",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesPlace:
    """Where the rules stand: `config` is the mapping's own block, `path` leads to it, `file` is the file that it names, or None."""

    mapping: str
    config: Document
    file: str | None
    path: tuple[str | int, ...]


def rules_place(document: Mapping[str, Any]) -> RulesPlace:
    """The one mapping of a mapper that has rules.

    Raises:
        ConfigurationError: there is none, or more than one.
    """
    found = [
        (path, one)
        for path, one in _mappings(document)
        if "rules" in (one.get("config") or {}) or "rules_file" in (one.get("config") or {})
    ]
    if len(found) != 1:
        raise ConfigurationError(
            f"meltano.yml has {len(found)} mappings with rules under plugins.mappers, not one; "
            "name the rules once, under config.rules or config.rules_file"
        )
    path, mapping = found[0]
    config = mapping["config"]
    return RulesPlace(
        mapping=str(mapping.get("name", "")),
        config=config,
        file=config.get("rules_file"),
        path=(*path, "config"),
    )


def has_rules(document: Mapping[str, Any]) -> bool:
    """Whether there are rules at all: `remove` leaves an empty block."""
    place = rules_place(document)
    return place.file is not None or bool(place.config.get("rules"))


def _mappings(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Document]]:
    for place, mapper in enumerate((document.get("plugins") or {}).get("mappers") or ()):
        for number, mapping in enumerate(mapper.get("mappings") or ()):
            yield ("plugins", "mappers", place, "mappings", number), mapping


def environment_named(document: Mapping[str, Any], name: str) -> Document:
    """The environment of this name.

    Raises:
        ConfigurationError: meltano.yml has none of this name; the message says which there are.
    """
    known = {str(one.get("name")): one for one in document.get("environments") or ()}
    if name not in known:
        raise ConfigurationError(
            f"meltano.yml has no environment '{name}'; it has {', '.join(sorted(known)) or 'none'}"
        )
    found: Document = known[name]
    return found


def setting(document: Mapping[str, Any], environment: str, plugin: str, name: str) -> Any:
    """A plugin's setting as the environment, else the plugin itself, gives it in the file; None where neither does."""
    places = [_in_environment(environment_named(document, environment), plugin), _plugin(document, plugin)]
    return next(
        (place["config"][name] for place in places if place and name in (place.get("config") or {})), None
    )


def set_setting(document: Document, environment: str, plugin: str, name: str, value: Any) -> None:
    """Write a plugin's setting into the environment; None takes it away."""
    chosen = environment_named(document, environment)
    if value is None:
        place = _in_environment(chosen, plugin)
        if place and name in (place.get("config") or {}):
            del place["config"][name]
        return
    plugins = chosen.setdefault("config", {}).setdefault("plugins", {}).setdefault(KINDS[plugin], [])
    place = _named(plugins, plugin)
    if place is None:
        place = {"name": plugin}
        plugins.append(place)
    if place.get("config") is None:
        place["config"] = {}
    place["config"][name] = value


def sync_status(document: Mapping[str, Any], environment: str) -> str:
    """active, paused or saved; a file that does not say is active.

    Raises:
        ConfigurationError: it is none of these.
    """
    found = setting(document, environment, "tap-salesforce-cases", "sync_status")
    if found not in (None, ACTIVE, PAUSED, SAVED):
        raise ConfigurationError(
            f"environments.{environment}: sync_status of tap-salesforce-cases is '{found}'; it can be {ACTIVE}, {PAUSED} or {SAVED}"
        )
    return found or ACTIVE


def _in_environment(environment: Mapping[str, Any], plugin: str) -> Document | None:
    plugins = ((environment.get("config") or {}).get("plugins") or {}).get(KINDS[plugin]) or []
    return _named(plugins, plugin)


def _plugin(document: Mapping[str, Any], plugin: str) -> Document | None:
    return _named((document.get("plugins") or {}).get(KINDS[plugin]) or [], plugin)


def _named(plugins: MutableSequence[Document], name: str) -> Document | None:
    return next((one for one in plugins if one.get("name") == name), None)


def utility_setting(document: Mapping[str, Any], environment: str, utility: str, name: str) -> Any:
    """A setting of a utility as the environment, else the plugin itself, gives it; None where neither does."""
    plugins = (environment_named(document, environment).get("config") or {}).get("plugins") or {}
    places = [
        _named(plugins.get("utilities") or [], utility),
        _named((document.get("plugins") or {}).get("utilities") or [], utility),
    ]
    return next(
        (place["config"][name] for place in places if place and name in (place.get("config") or {})), None
    )
