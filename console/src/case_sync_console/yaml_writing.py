"""Core: values as YAML that every reader takes for what they are, YAML 1.1 (Yes is true) as well as 1.2; or as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

FLOW_CHARACTERS = 90  # a longer table of plain values gets a line for each
INDENT = 2
# YAML 1.1 types, https://yaml.org/type: plain words that are no texts there. Numbers, times and dates start with no letter.
NO_TEXTS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
PLAIN_TEXT = re.compile(r"[A-Za-z_](?:[\w ./()+&-]*[\w.)])?", re.ASCII)


class Word(str):
    """A text that is written as it is, without quotes: `on` and `off` of a switch."""

    __slots__ = ()


def in_line(value: Any, *, as_json: bool = False) -> str:
    """The value in one line."""
    if as_json:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{in_line(str(k))}: {in_line(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(in_line, value)) + "]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    if isinstance(value, Word):
        return str(value)
    is_plain = PLAIN_TEXT.fullmatch(value) and value.lower() not in NO_TEXTS
    if is_plain:
        return value
    return "'" + value.replace("'", "''") + "'" if value.isprintable() else _escaped(value)


def _escaped(value: str) -> str:
    """In double quotes; JSON's own escapes would make two characters of one beyond the first 65,536."""
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in value) + '"'


def pair_lines(name: str, value: Any, indent: int) -> list[str]:
    """Lines of `name: value`, its mapping in lines of its own, tables of plain values in one line."""
    head = " " * indent + in_line(str(name)) + ":"
    if isinstance(value, Mapping) and value:
        return [head, *(line for k, v in value.items() for line in _inner_lines(str(k), v, indent + INDENT))]
    return [f"{head} {in_line(value)}"]


def _inner_lines(name: str, value: Any, indent: int) -> Iterator[str]:
    line = " " * indent + f"{in_line(name)}: {in_line(value)}"
    is_table = isinstance(value, Mapping) and not any(isinstance(v, Mapping) for v in value.values())
    if not isinstance(value, Mapping) or (is_table and len(line) <= FLOW_CHARACTERS):
        yield line
    else:
        yield from pair_lines(name, value, indent)
