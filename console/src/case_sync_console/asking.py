"""Shell: questions at a terminal; without one, each has to be answered by its option."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO, TypeVar

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.prompt import Prompt

from case_sync_console.errors import CommandLineError, RefusedEditError

YES, NO, NONE = "y", "n", "-"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Asks a person.

    Attributes:
        accepts: --yes: what is suggested is taken, nothing is asked.
        is_interactive: there is a person at a terminal.
    """

    screen: Console
    accepts: bool
    is_interactive: bool
    answers: TextIO | None = None  # read in place of the keyboard

    @classmethod
    def at(cls, screen: Console, *, accepts: bool) -> Asking:
        return cls(screen=screen, accepts=accepts, is_interactive=screen.is_terminal and sys.stdin.isatty())

    def yes_or_no(self, question: str, *, option: str, default: bool) -> bool:
        """An answer of y or n; Enter means the default."""
        answer = self._ask(
            f"{question} (y or n)",
            option,
            YES if default else NO,
            (YES, NO, "yes", "no"),
        )
        return answer.startswith(YES)

    def choice(self, question: str, choices: Sequence[tuple[str, str]], *, option: str, default: str) -> str:
        """One of numbered choices, of (value, words), by number or value."""
        self.say(f"{question}:")
        for number, (_, words) in enumerate(choices, start=1):
            self.say(f"  {number}  {words}")
        numbers = {str(number): value for number, (value, _) in enumerate(choices, start=1)}
        enter = next(number for number, value in numbers.items() if value == default)
        asked = question if self.accepts or not self.is_interactive else "Your choice"
        answer = self._ask(asked, option, enter, (*numbers, *numbers.values()))
        return numbers.get(answer) or next(v for v in numbers.values() if v.lower() == answer.lower())

    def text(self, question: str, *, default: str = "", is_secret: bool = False) -> str:
        """Any text, at a terminal only."""
        answer = Prompt.ask(
            escape(question),
            console=self.screen,
            password=is_secret,
            default=default,
            show_default=bool(default),
            stream=self.answers,
        )
        return (answer or "").strip() or default

    def edited(self, draft: T, question: str, act: Callable[[T, str], T], *, default: str = "") -> T | None:
        """What the act makes of the draft and the answer; what is refused is told and asked again. None: the answer was empty."""
        while answer := self.text(question, default=default):
            try:
                return act(draft, answer)
            except RefusedEditError as error:
                for problem in error.problems:
                    self.say(f"  That does not work: {problem}")
                default = ""
        return None

    def pick(self, question: str, values: Sequence[str], *, default: str) -> str:
        """One of the values by number or name, or "" for none; the default where nobody is asked."""
        if not self.asks:
            return default if self.accepts else ""
        numbers = {str(number): value for number, value in enumerate(values, start=1)}
        listed = ", ".join(f"{number} {value}" for number, value in numbers.items())
        listed += f", {NONE} none" if default else ""
        by_name = {value.lower(): value for value in values}
        while True:
            answer = self.text(f"{question} ({listed})", default=default)
            if answer in ("", NONE) or answer in numbers or answer.lower() in by_name:
                return numbers.get(answer) or by_name.get(answer.lower(), "")
            self.say("  Please give a number, a name, or nothing")

    def one_of(self, question: str, allowed: Sequence[str], *, default: str) -> str:
        """One of these words."""
        return self._ask(question, "", default, allowed).lower()

    @property
    def asks(self) -> bool:
        """Whether questions are really asked."""
        return self.is_interactive and not self.accepts

    def say(self, words: str) -> None:
        """Words that only a person who is asked needs."""
        if self.asks:
            self.screen.print(words, markup=False)

    def show(self, what: RenderableType) -> None:
        """The same of a table."""
        if self.asks:
            self.screen.print(what, soft_wrap=False)

    def _ask(self, question: str, option: str, default: str, allowed: Sequence[str]) -> str:
        if self.accepts:
            return default
        if not self.is_interactive:
            raise CommandLineError(
                f"there is no terminal to ask: {question}. Give {option}, or --yes to take what is suggested"
            )
        lower = [one.lower() for one in allowed]
        while True:
            answer = self.text(question, default=default)
            if answer.lower() in lower:
                return answer
            self.say(f"  Please answer {', '.join(dict.fromkeys(allowed))}")
