"""Core: one value of a YAML or JSON text set or taken away, all other bytes left as they are: comments, order, form.

A round trip through a YAML library moves comments: they hang on the entry before them, and go wherever that goes.
So the text is only asked for places, and spliced there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from case_sync_console.errors import ConfigurationError
from case_sync_console.yaml_writing import in_line, pair_lines

Path = Sequence[str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Set what stands at a path; mappings that are missing on the way are made."""

    path: tuple[str | int, ...]
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Take away what stands at a path; nothing there is no error."""

    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Give an entry another name, in its place."""

    path: tuple[str | int, ...]
    name: str


Splice = Put | Drop | Rename


def spliced(text: str, splices: Sequence[Splice], base: Path = (), *, as_json: bool = False) -> str:
    """The text after all of them, their paths being below `base`.

    Raises:
        ConfigurationError: a place is a YAML alias, or no mapping: it has to be edited by hand.
    """
    for splice in splices:
        path = (*base, *splice.path)
        if isinstance(splice, Put):
            text = _put(text, path, splice.value, as_json=as_json)
        elif isinstance(splice, Drop):
            text = _dropped(text, path, as_json=as_json)
        else:
            text = _renamed(text, path, splice.name, as_json=as_json)
    return text


# -- places


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An entry of a mapping: its key and its value."""

    key: Node
    value: Node


def _root(text: str) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    root: Node | None = yaml.compose(text)
    return root


def _pair(node: Node, name: str | int) -> Pair | None:
    if not isinstance(node, MappingNode):
        return None
    return next((Pair(key=k, value=v) for k, v in node.value if k.value == str(name)), None)


def _walk(text: str, path: Path) -> tuple[list[Node], Pair | None]:
    """The nodes along a path as far as they go, and the last entry that was passed."""
    root = _root(text)
    if root is None:
        raise ConfigurationError("the file is empty: there is nothing to edit")
    nodes, last = [root], None
    for part in path:
        node = nodes[-1]
        if isinstance(node, SequenceNode) and isinstance(part, int):
            nodes.append(node.value[part])
            continue
        pair = _pair(node, part)
        if pair is None:
            break
        if pair.value.start_mark.index < pair.key.start_mark.index:
            raise ConfigurationError(f"'{part}' is a YAML alias: edit what it refers to by hand")
        nodes.append(pair.value)
        last = pair
    return nodes, last


def _end(node: Node, text: str) -> int:
    """Behind the last character of a node, comments and blank lines behind it left out."""
    if isinstance(node, (MappingNode, SequenceNode)) and not node.flow_style and node.value:
        last = node.value[-1]
        if not isinstance(last, tuple):
            return _end(last, text)
        return _pair_end(last[0], last[1], text)
    if _is_absent(node):  # its mark is where the next token is; the key before it says where it ends
        return 0
    end = int(node.end_mark.index)
    return len(text[:end].rstrip()) if _is_block_text(node) else end


def _pair_end(key: Node, value: Node, text: str) -> int:
    """Behind an entry: its value, or the colon of one that has none."""
    return max(_end(value, text), int(key.end_mark.index) + text[key.end_mark.index :].startswith(":"))


def _is_block_text(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.style in {"|", ">"}


def _is_absent(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value == "" and not node.style


def _is_empty(node: Node) -> bool:
    return (isinstance(node, ScalarNode) and str(node.tag).endswith(":null")) or (
        isinstance(node, MappingNode) and not node.value
    )


def _line_end(text: str, place: int) -> int:
    found = text.find("\n", place)
    return len(text) if found < 0 else found


def _line_start(text: str, place: int) -> int:
    return text.rfind("\n", 0, place) + 1


# -- the three ways to change


def _put(text: str, path: Path, value: Any, *, as_json: bool) -> str:
    nodes, last = _walk(text, path)
    missing = path[len(nodes) - 1 :]
    if not missing:
        return _with_value(text, last, nodes[-1], value, as_json=as_json)
    for part in reversed(missing[1:]):
        value = {part: value}
    name, mapping = str(missing[0]), nodes[-1]
    if _is_empty(mapping):
        return _with_value(text, last, mapping, {name: value}, as_json=as_json)
    if not isinstance(mapping, MappingNode):
        raise ConfigurationError(
            f"'{'.'.join(map(str, path[: len(nodes) - 1]))}' is no mapping: edit it by hand"
        )
    return _with_pair(text, mapping, name, value, as_json=as_json)


def _with_value(text: str, last: Pair | None, node: Node, value: Any, *, as_json: bool) -> str:
    """Put a value in the place of a node."""
    if last is None:
        raise ConfigurationError("the file holds no entry to change")
    colon = text.index(":", last.key.end_mark.index) + 1
    end = max(_end(node, text), colon)
    if as_json or _in_flow(text, last.key) or not (isinstance(value, Mapping) and value):
        return text[:colon] + " " + in_line(value, as_json=as_json) + text[end:]
    lines = pair_lines("x", value, last.key.start_mark.column)[1:]
    comment = text[colon : _line_end(text, colon)] if _is_empty(node) and end == colon else ""
    return text[:colon] + comment + "\n" + "\n".join(lines) + text[end + len(comment) :]


def _in_flow(text: str, key: Node) -> bool:
    """Whether an entry stands within braces: then something else than blanks and dashes is before it on its line."""
    return text[_line_start(text, key.start_mark.index) : key.start_mark.index].strip(" -") != ""


def _with_pair(text: str, mapping: MappingNode, name: str, value: Any, *, as_json: bool) -> str:
    """Add an entry behind the last one of a mapping that has some."""
    end = _pair_end(mapping.value[-1][0], mapping.value[-1][1], text)
    if mapping.flow_style:
        return (
            text[:end] + f", {in_line(name, as_json=as_json)}: {in_line(value, as_json=as_json)}" + text[end:]
        )
    line_end = _line_end(text, end)
    lines = pair_lines(name, value, mapping.value[0][0].start_mark.column)
    return text[:line_end] + "\n" + "\n".join(lines) + text[line_end:]


def _dropped(text: str, path: Path, *, as_json: bool) -> str:
    nodes, pair = _walk(text, path)
    if len(nodes) <= len(path) or pair is None:
        return text
    mapping = nodes[-2]
    if not isinstance(mapping, MappingNode):
        return text
    if len(mapping.value) == 1:
        return _put(text, path[:-1], {}, as_json=as_json)
    if mapping.flow_style:
        return _without_flow_pair(text, mapping, pair)
    start = _line_start(text, pair.key.start_mark.index)
    end = _line_end(text, _pair_end(pair.key, pair.value, text)) + 1
    if text[
        start : pair.key.start_mark.index
    ].strip():  # the first entry behind a dash: the next one takes its place
        following = mapping.value[1][0].start_mark.index
        return text[: pair.key.start_mark.index] + text[following:]
    return text[:start] + text[end:]


def _without_flow_pair(text: str, mapping: MappingNode, pair: Pair) -> str:
    place = next(n for n, (key, _) in enumerate(mapping.value) if key is pair.key)
    if place == 0:
        return text[: pair.key.start_mark.index] + text[mapping.value[1][0].start_mark.index :]
    before = _pair_end(mapping.value[place - 1][0], mapping.value[place - 1][1], text)
    return text[:before] + text[_pair_end(pair.key, pair.value, text) :]


def _renamed(text: str, path: Path, name: str, *, as_json: bool) -> str:
    nodes, pair = _walk(text, path)
    if len(nodes) <= len(path) or pair is None:
        raise ConfigurationError(f"'{path[-1]}' is not in the file: nothing to rename")
    key = pair.key
    return text[: key.start_mark.index] + in_line(name, as_json=as_json) + text[key.end_mark.index :]
