"""Edits of YAML by places: the value is as asked for, for readers of YAML 1.1 and 1.2, and no other byte changes."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from case_sync_console.errors import ConfigurationError
from case_sync_console.yaml_splicing import Drop, Put, Rename, spliced
from case_sync_console.yaml_writing import Word, in_line, pair_lines

from .recordings import PROJECT, after, changed_lines, rules_in


def v12(text: str) -> Any:
    """As Meltano and the console read it."""
    return YAML(typ="safe", pure=True).load(text)


def v11(text: str) -> Any:
    """As PyYAML, and so the mapper, reads it."""
    return yaml.safe_load(text)


# -- values

TEXTS = st.one_of(
    st.sampled_from(["Yes", "no", "On", "null", "~", "1_000", "12:30", "0x1F", "1e3", "2026-01-01", "=", "<<", "a: b", "a #b", "- x", "", " x", "ä", "@closed", "%x", "{Case}", "it's", "a\nb"]),
    st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufeff\x85\u2028\u2029"), max_size=12),
)  # fmt: skip
PLAIN = st.one_of(TEXTS, st.integers(-1000, 1000), st.booleans())
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)


@settings(deadline=None)
@given(value=VALUES)
def test_a_value_is_read_back_as_it_was_by_every_reader(value: Any) -> None:
    for text in (f"x: {in_line(value)}", "\n".join(pair_lines("x", value, 0))):
        assert v12(text) == {"x": value}
        assert v11(text) == {"x": value}


@settings(deadline=None)
@given(value=VALUES)
def test_a_json_file_stays_json(value: Any) -> None:
    text = spliced('{"rules": {\n  "a": 1\n}}', [Put(path=("b", "c"), value=value)], ("rules",), as_json=True)
    assert json.loads(text) == {"rules": {"a": 1, "b": {"c": value}}}


def test_a_switch_is_written_as_people_write_it() -> None:
    assert in_line({"account": Word("on"), "name": "on"}) == "{account: on, name: 'on'}"


# -- places

NAMES = st.sampled_from(["a", "b", "c", "New", "In progress", "d"])
TREES = st.dictionaries(
    NAMES,
    st.recursive(PLAIN, lambda i: st.dictionaries(NAMES, i, min_size=1, max_size=3), max_leaves=6),
    min_size=1,
    max_size=4,
)


def written(tree: Mapping[str, Any], indent: int = 0, *, flow_below: int) -> list[str]:
    """A document as people write it: comments everywhere, blocks outside, braces inside."""
    lines = []
    for name, value in tree.items():
        lines.append(" " * indent + f"# about {len(lines)}")
        if isinstance(value, Mapping) and indent < flow_below:
            lines += [
                " " * indent + f"{in_line(name)}:  # here",
                *written(value, indent + 2, flow_below=flow_below),
            ]
        else:
            lines.append(" " * indent + f"{in_line(name)}: {in_line(value)} # beside")
    return lines


def paths(tree: Any, base: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(tree, Mapping):
        return []
    return [p for name, value in tree.items() for p in [(*base, name), *paths(value, (*base, name))]]


def in_tree(tree: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    return tree


@settings(deadline=None)
@given(
    tree=TREES,
    data=st.data(),
    value=PLAIN | st.dictionaries(NAMES, PLAIN, min_size=1, max_size=3),
    flow_below=st.sampled_from([0, 2, 4]),
)
def test_put_and_drop_change_what_they_name_and_no_comment_elsewhere(
    tree: dict[str, Any], data: st.DataObject, value: Any, flow_below: int
) -> None:
    text = "\n".join(written(tree, flow_below=flow_below)) + "\n"
    path = data.draw(st.sampled_from(paths(tree)))
    beside = (*path[:-1], data.draw(NAMES))
    wanted = copy.deepcopy(tree)
    in_tree(wanted, beside)[beside[-1]] = value
    put = spliced(text, [Put(path=beside, value=value)])
    assert v12(put) == wanted
    assume(len(wanted) > 1 or len(beside) > 1)  # the only entry of a file is not taken away
    del in_tree(wanted, beside)[beside[-1]]
    dropped = spliced(put, [Drop(path=beside)])
    assert v12(dropped) == wanted
    left, _ = changed_lines(text, put)
    inside = [line for line in left if "# about" in line]
    assert beside in paths(tree) or not inside


@settings(deadline=None)
@given(tree=TREES, data=st.data(), flow_below=st.sampled_from([0, 4]))
def test_rename_keeps_place_and_value(tree: dict[str, Any], data: st.DataObject, flow_below: int) -> None:
    text = "\n".join(written(tree, flow_below=flow_below)) + "\n"
    path = data.draw(st.sampled_from(paths(tree)))
    found = v12(spliced(text, [Rename(path=path, name="another")]))
    at = in_tree(tree, path)
    assert list(in_tree(found, path)) == ["another" if name == path[-1] else name for name in at]
    assert in_tree(found, path)["another"] == at[path[-1]]


def test_the_project_file_keeps_its_comments_when_entries_come_and_go() -> None:
    """What a round trip through a library moves: the comment of the next section hangs on the entry before it."""
    text = after(
        (Put(path=("fields", "source_ref"), value="Reason"), Drop(path=("fields", "hs_ticket_category")))
    )
    left, came = changed_lines(PROJECT, text)
    assert [line.strip() for line in came] == ["source_ref: Reason"]
    assert [line.strip().split(":")[0] for line in left] == ["hs_ticket_category", "from", "options"]
    assert rules_in(text)["fields"] == {"source_ref": "Reason"}


def test_comments_beside_and_below_stay_where_they_are() -> None:
    text = "fields:  # all of them\n  a: 1  # one\n  # below a\n\n# next\nother: 2  # two\n"
    left, came = changed_lines(
        text, spliced(text, [Put(path=("fields", "b"), value=2), Put(path=("third",), value=3)])
    )
    assert (left, came) == ([], ["  b: 2", "third: 3"])
    left, came = changed_lines(text, spliced(text, [Put(path=("fields", "a"), value=9)]))
    assert (left, came) == (["  a: 1  # one"], ["  a: 9  # one"])


def test_the_last_entry_leaves_an_empty_mapping() -> None:
    assert rules_in(after((Drop(path=("fields", "hs_ticket_category")),)))["fields"] == {}


@pytest.mark.parametrize(
    "text",
    [
        "fields:\nother: 1\n",
        "fields: {}\nother: 1\n",
        "other: 1\n",
        "fields:  # none yet\nother: 1\n",
        "fields: null\nother: 1",
    ],
)
def test_an_entry_comes_into_what_is_empty_or_missing(text: str) -> None:
    found = spliced(text, [Put(path=("fields", "a"), value={"from": "B", "convert": "text"})])
    assert v12(found) == {"fields": {"a": {"from": "B", "convert": "text"}}, "other": 1}
    assert ("# none yet" in found) == ("# none yet" in text)


def test_an_alias_is_not_edited_through() -> None:
    with pytest.raises(ConfigurationError, match="alias"):
        spliced("a: &x {b: 1}\nc: *x\n", [Put(path=("c", "b"), value=2)])


def test_what_is_no_mapping_is_not_edited() -> None:
    with pytest.raises(ConfigurationError, match="no mapping"):
        spliced("fields: [a]\n", [Put(path=("fields", "x"), value=2)])


def test_nothing_to_drop_is_no_error() -> None:
    assert spliced("a: 1\n", [Drop(path=("b", "c"))]) == "a: 1\n"
