"""Inputs that nobody would send on purpose: true ones with a piece changed, by a seed; and a watch over who gets them."""

from __future__ import annotations

import contextlib
import random
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

DEEP: Any = "deep"
for _ in range(60):
    DEEP = [DEEP]
JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, 10**25, -0.0, 1e308, 12.5, "", " ", "0", "null", "x", "\x00", "\ud800", "\U0001f6e0",
    "{}", "=1+1", "' OR Id != '", "../../etc/passwd", "2026-13-45T99:99:99.000Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z",
    "x" * 70_000, [], {}, [None], [[]], [{}], {"": None}, {"a": {"b": []}}, {"errorCode": 7}, {"results": {}}, {"records": 5}, DEEP,
)  # fmt: skip
NAMES = (
    "Id",
    "IsDeleted",
    "results",
    "records",
    "errors",
    "id",
    "type",
    "done",
    "associations",
    "_sdc_deleted_at",
    "",
)
Dice = random.Random
# Of CPU, so that a busy machine takes nothing of it: the slowest input needs a small part of a second.
INPUT_SECONDS = 30.0


class InputHangError(BaseException):
    """An input takes for ever. No Exception, so that nothing on the way takes it for a refusal."""


def mutated(value: Any, dice: Dice) -> Any:
    """The value with one piece changed, taken away, put twice or renamed; what is not on the way to it is shared."""
    if dice.random() < 0.08:
        return dice.choice(JUNK)
    if isinstance(value, dict) and value:
        return _changed_object(value, dice)
    if isinstance(value, list) and value:
        return _changed_list(value, dice)
    if isinstance(value, str) and value and dice.random() < 0.5:
        return dice.choice(_ON_TEXTS)(value, dice.randrange(len(value)))
    return dice.choice(JUNK)


def _changed_object(value: dict[str, Any], dice: Dice) -> dict[str, Any]:
    name = dice.choice(list(value))
    changed = dict(value)
    chance = dice.random()
    if chance < 0.12:
        del changed[name]
    elif chance < 0.2:
        changed[dice.choice(NAMES)] = changed.pop(name)
    else:
        changed[name] = mutated(value[name], dice)
    return changed


def _changed_list(value: list[Any], dice: Dice) -> list[Any]:
    place = dice.randrange(len(value))
    chance = dice.random()
    if chance < 0.12:
        return value[:place] + value[place + 1 :]
    if chance < 0.24:
        return [*value, value[place]]
    return [*value[:place], mutated(value[place], dice), *value[place + 1 :]]


_ON_TEXTS: tuple[Callable[[str, int], str], ...] = (
    lambda text, at: text[:at],
    lambda text, at: text[at:],
    lambda text, _: text + text,
    lambda text, at: text[:at] + "\x00" + text[at:],
    lambda text, at: text[:at] + "\ud83d" + text[at:],
    lambda text, _: text.swapcase(),
)


def mutated_bytes(content: bytes, dice: Dice) -> bytes:
    """Cut, doubled, with other bytes in the middle."""
    if not content:
        return b"\x00"
    at, until = sorted((dice.randrange(len(content)), dice.randrange(len(content))))
    return dice.choice(
        (
            content[:at],
            content[at:],
            content[:at] + content[until:],
            content[:until] + content[at:],
            content[:at] + bytes(dice.randrange(256) for _ in range(dice.randrange(1, 9))) + content[until:],
            b"[" * 5_000 + content,
            content[:at]
            + dice.choice((b'"', b"{", b"}", b"[", b"\n", b"\xff", b"\\", b"1e999"))
            + content[at:],
        )
    )


def several(value: Any, dice: Dice) -> Any:
    """Changed in one place, or in a few."""
    for _ in range(dice.choice((1, 1, 2, 4))):
        value = mutated(value, dice)
    return value


@contextlib.contextmanager
def watch() -> Iterator[Callable[[], None]]:
    """Gives the function that is called before each input. CPU's time: SIGALRM and the wall's are those of pytest-timeout.

    Raises:
        InputHangError: INPUT_SECONDS have passed since the last call.
    """

    def ring(*_: object) -> None:
        raise InputHangError(f"it takes more than {INPUT_SECONDS} seconds")

    def begin() -> None:
        signal.setitimer(signal.ITIMER_PROF, INPUT_SECONDS)

    before = signal.signal(signal.SIGPROF, ring)
    try:
        yield begin
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def survey(
    inputs: Iterable[Any], take: Callable[[Any], object], allowed: tuple[type[Exception], ...]
) -> tuple[int, int]:
    """Give each input to `take`: how many there were, and how many it refused in one of the ways that are allowed.

    Raises:
        AssertionError: any other error, or no end; it names the input.
    """
    refused = number = 0
    with watch() as begin:
        for number, one in enumerate(inputs, start=1):
            begin()
            try:
                take(one)
            except allowed:
                refused += 1
            except (Exception, InputHangError) as error:
                shown = repr(one)[:2_000]
                raise AssertionError(f"input {number}: {type(error).__name__}: {error}\n{shown}") from error
    return number, refused


def memory_bytes(pid: int | Literal["self"], line: Literal["VmHWM", "VmRSS"]) -> int:
    """A process's memory: the most that it ever had, or what it has now; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return next((int(text.split()[1]) * 1024 for text in status.splitlines() if text.startswith(line)), 0)


def forget_peak() -> None:
    """What `VmHWM` says of this process begins anew (proc(5), clear_refs): without, a worker that was big once hides all growth."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
