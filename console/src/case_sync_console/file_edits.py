"""Core: edits of meltano.yml that concern the sync's life, as splices, so that all other bytes stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from case_sync_console.definition import KINDS, environment_named, rules_place
from case_sync_console.errors import ConfigurationError
from case_sync_console.intervals import Interval
from case_sync_console.schedule_entry import JOB, entry, name_of
from case_sync_console.yaml_splicing import Drop, Put, Splice

TAP, TARGET, STATUS = "tap-salesforce-cases", "target-hubspot-tickets", "sync_status"
# What says where the two systems are and who we are there: it stays when the sync is removed, as HubSpot's own connection
# with Salesforce does when "Remove ticket sync" is chosen there. The ledger's place stays, too: it is an address.
CONNECTION = {
    TAP: {
        "login_url", "auth_method", "client_id", "client_secret", "refresh_token", "refresh_token_path", "username",
        "private_key", "private_key_path", "api_version",
    },
    TARGET: {
        "access_token", "client_id", "client_secret", "refresh_token", "base_url", "api_version", "ledger_url",
    },
}  # fmt: skip


def put_setting(document: Mapping[str, Any], environment: str, plugin: str, name: str, value: Any) -> Splice:
    """Write a plugin's setting into the environment.

    Raises:
        ConfigurationError: the environment lists other plugins of the kind in a form that is to be edited by hand.
    """
    place = _environment_place(document, environment)
    listed = _listed(document, environment, plugin)
    for number, one in enumerate(listed):
        if one.get("name") == plugin:
            return Put(path=(*place, "config", "plugins", KINDS[plugin], number, "config", name), value=value)
    if listed:
        raise ConfigurationError(
            f"environments.{environment}: add this to {KINDS[plugin]} by hand, then try again:\n  - name: {plugin}\n    config: {{}}"
        )
    made = [{"name": plugin, "config": {name: value}}]
    return Put(path=(*place, "config", "plugins", KINDS[plugin]), value=made)


def _environment_place(document: Mapping[str, Any], environment: str) -> tuple[str | int, ...]:
    chosen = environment_named(document, environment)
    number = next(n for n, one in enumerate(document["environments"]) if one is chosen)
    return ("environments", number)


def _listed(document: Mapping[str, Any], environment: str, plugin: str) -> list[Mapping[str, Any]]:
    config = environment_named(document, environment).get("config") or {}
    return list((config.get("plugins") or {}).get(KINDS[plugin]) or [])


# -- Meltano's own schedule


def schedule_splices(document: Mapping[str, Any], interval: Interval) -> tuple[Splice, ...]:
    """Keep Meltano's own schedule in step; a name that says the interval follows it.

    Raises:
        ConfigurationError: there are schedules, and none of the sync.
    """
    found = entry(document)
    if found is None:
        if document.get("schedules"):
            raise ConfigurationError(
                f"meltano.yml has schedules, but none with job: {JOB}; add one by hand: "
                f"{{name: {name_of(interval)}, interval: '{interval.cron}', job: {JOB}}}"
            )
        made = {"name": name_of(interval), "interval": interval.cron, "job": JOB}
        return (Put(path=("schedules",), value=[made]),)
    place = ("schedules", document["schedules"].index(found))
    puts: list[Splice] = [Put(path=(*place, "interval"), value=interval.cron)]
    if str(found.get("name", "")).startswith(f"{JOB}-every-"):
        puts.append(Put(path=(*place, "name"), value=name_of(interval)))
    return tuple(puts)


# -- removal


def removal_splices(
    document: Mapping[str, Any], environment: str, *, with_shared: bool
) -> tuple[Splice, ...]:
    """Take away what the sync was set to do in an environment; with what all environments share, or without."""
    return (
        *_settings_dropped(document, environment),
        *(_shared_dropped(document) if with_shared else ()),
    )


def _settings_dropped(document: Mapping[str, Any], environment: str) -> Iterator[Splice]:
    place = _environment_place(document, environment)
    for plugin, kept in CONNECTION.items():
        for number, one in enumerate(_listed(document, environment, plugin)):
            if one.get("name") == plugin:
                names = [name for name in one.get("config") or {} if name not in kept | {STATUS}]
                at = (*place, "config", "plugins", KINDS[plugin], number, "config")
                yield from (Drop(path=(*at, name)) for name in names)


def _shared_dropped(document: Mapping[str, Any]) -> Iterator[Splice]:
    """The rules become an empty block: the file stays one that Meltano and `setup` read, and no run goes by accident."""
    place = rules_place(document)
    if place.file is None and place.config.get("rules"):
        yield Put(path=(*place.path, "rules"), value={})
    if entry(document) is not None and len(document["schedules"]) == 1:
        yield Drop(path=("schedules",))
