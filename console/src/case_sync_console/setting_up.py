"""Shell: `case-sync setup`: logins, the steps of the wizard, the preview, and then on or saved for later."""

from __future__ import annotations

from dataclasses import replace

from case_sync_console import activating
from case_sync_console.asking import Asking
from case_sync_console.definition import SAVED, setting, sync_status
from case_sync_console.draft import Draft
from case_sync_console.editing import RulesText, rules_text, written
from case_sync_console.errors import ConfigurationError, RefusedEditError
from case_sync_console.login_asking import give_logins
from case_sync_console.looking import Look, look
from case_sync_console.mapping_edits import Known
from case_sync_console.meltano import TAP
from case_sync_console.planning import preview
from case_sync_console.preview import Preview
from case_sync_console.preview_screen import unmapped_words, whole
from case_sync_console.remedies import Problem
from case_sync_console.sampling import Asked
from case_sync_console.setup_answers import Answers
from case_sync_console.setup_steps import STEPS, heading
from case_sync_console.showing import show_edit
from case_sync_console.switching import NEW, ON, position
from case_sync_console.workplace import Workplace

WRITE, LEAVE = "w", "q"
PREVIEW = len(STEPS) + 1
START = "Start continuous sync: cases that are created or changed from now on become tickets"
LATER = "Save for later: keep the settings, sync nothing yet"
STAYS_ON = " --save-for-later does not switch it off: case-sync pause does"
WRITTEN_NEXT = "Nothing is written yet."
BROKEN = "The sync can't be started before these problems are mended: {count}. The settings are saved for later; afterwards: case-sync activate"


def set_up(workplace: Workplace, answers: Answers, *, accepts: bool) -> None:
    """Ask, show, write, and switch on or save for later.

    Raises:
        CommandLineError: there is no terminal, and an answer is missing.
        RefusedEditError: what was asked for would not work; no file was changed.
        ConfigurationError: it can't be started; the settings are written.
    """
    ask = Asking.at(workplace.screen, accepts=accepts)
    give_logins(workplace, ask)
    with look(workplace) as found:
        text = rules_text(workplace)
        draft = Draft(
            known=Known(rules=found.rules, fit=found.found.fit, sides=found.sides),
            is_first=_is_first(workplace, text),
        )
        for number in range(1, PREVIEW):
            draft = _step(number, draft, answers, ask, text)
        reviewed = _reviewed(workplace, found, draft, ask, text)
        if reviewed is None:
            workplace.screen.print("Nothing was written.")
            return
        draft, shown = reviewed
        show_edit(workplace, written(workplace, found, text, draft.splices))
    _switch(workplace, answers, ask, shown)


def _is_first(workplace: Workplace, text: RulesText) -> bool:
    """Whether the rules are still those that the project came with, or none."""
    status = setting(workplace.definition().document, workplace.environment, TAP, "sync_status")
    return status is None or not text.block.get("pipelines")


def _step(number: int, draft: Draft, answers: Answers, ask: Asking, text: RulesText) -> Draft:
    step = STEPS[number - 1]
    ask.show(heading(number, step.title))
    return step.run(draft, answers, ask, text.block)


# -- preview


def _reviewed(
    workplace: Workplace, found: Look, draft: Draft, ask: Asking, text: RulesText
) -> tuple[Draft, Preview] | None:
    """S20, S21: the preview, and back to any step, until it is written or left; None: left."""
    while True:
        shown = _previewed(workplace, found, draft, text)
        ask.show(heading(PREVIEW, "Preview"))
        workplace.screen.print(whole(shown, WRITTEN_NEXT), soft_wrap=False)
        if not ask.asks:
            return draft, shown
        steps = ", ".join(f"{number} {step.title}" for number, step in enumerate(STEPS, start=1))
        choices = [*map(str, range(1, PREVIEW)), WRITE, LEAVE]
        answer = ask.one_of(
            f"Write these settings: {WRITE}. Change: {steps}. Leave without writing: {LEAVE}",
            choices,
            default=WRITE,
        )
        if answer == LEAVE:
            return None
        if answer == WRITE:
            return draft, shown
        draft = _step(int(answer), draft, Answers(), ask, text)


def _previewed(workplace: Workplace, found: Look, draft: Draft, text: RulesText) -> Preview:
    """Of the rules as they would be.

    Raises:
        RefusedEditError: they could not be read.
    """
    problems, after = found.judge(text.after(draft.splices))
    if after is None:
        raise RefusedEditError(problems)
    return preview(
        workplace, replace(found, found=after, earlier=found.rules), Asked(), since="by this setup"
    )


# -- on, or later


def _switch(workplace: Workplace, answers: Answers, ask: Asking, shown: Preview) -> None:
    status = sync_status(workplace.definition().document, workplace.environment)
    where = position(
        None if status == "active" else status,
        has_state=status == "active" and workplace.meltano.state() is not None,
    )
    if where not in (NEW, SAVED):
        words = "paused: go on with case-sync resume" if where == "paused" else "on"
        stays = where == ON and answers.activates is False
        workplace.screen.print(f"The sync is {words}.{STAYS_ON if stays else ''}")
        return
    if shown.now.problems:
        activating.save_for_later(workplace)
        raise ConfigurationError(_broken(shown.now.problems))
    starts = answers.activates
    if starts is None:
        ask.show(heading(PREVIEW + 1, "Turn on sync"))
        chosen = ask.choice(
            "Now",
            (("activate", START), ("save", LATER)),
            option="--activate or --save-for-later",
            default="activate" if ask.asks else "save",
        )
        starts = chosen == "activate"
    (activating.activate if starts else activating.save_for_later)(workplace)
    if shown.unmapped:
        workplace.screen.print(unmapped_words(shown), markup=False)


def _broken(problems: tuple[Problem, ...]) -> str:
    return BROKEN.format(count=len(problems))
