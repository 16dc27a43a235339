"""Shell: the steps of setup, in the order of HubSpot's own wizard; each asks, and gives the draft with its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from case_sync_console.asking import Asking
from case_sync_console.both_sides import field_named, property_named, property_side_words
from case_sync_console.draft import Draft
from case_sync_console.errors import CommandLineError, RefusedEditError
from case_sync_console.mapping_edits import Wish, added, deleted, edited
from case_sync_console.pipeline_edits import (
    DEFAULT,
    PipelineWish,
    pipeline_deleted,
    pipeline_set,
    process_named,
    suggested_stages,
)
from case_sync_console.preview import mappings_of, required_of
from case_sync_console.preview_screen import MappingsTable, required_table
from case_sync_console.rule_changes import changes
from case_sync_console.rule_edits import rule_set
from case_sync_console.setup_answers import Answers, answer_for
from case_sync_console.suggestions import (
    current_pipeline,
    missing_required,
    pipeline_to_offer,
    processes_to_map,
    stale_statuses,
    statuses_without_stage,
    suggested_field,
    suggested_mappings,
    unknown_processes,
)

DELETED = (
    ("do_nothing", "nothing: the ticket stays as it is"),
    ("delete_ticket", "delete ticket (HubSpot can restore it for 90 days)"),
)
WITHOUT_PROCESS = "cases without a support process"
NO_PIPELINE, NONE_OF_ITS_OWN = "none", "none of its own: its cases go as unmapped_process says"
EDITS = (
    "Another field or property: PROPERTY=FIELD. Take a mapping away: PROPERTY=. Go on: Enter",
    "Change a mapping",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One page of the wizard."""

    title: str
    run: Callable[[Draft, Answers, Asking, Mapping[str, Any]], Draft]


def deletion(draft: Draft, answers: Answers, ask: Asking, _block: Mapping[str, Any]) -> Draft:
    """S06: what becomes of the ticket of a deleted case."""
    current = draft.known.rules["on_case_deleted"]
    value = answers.on_case_deleted or ask.choice(
        "When a case is deleted in Salesforce, HubSpot does",
        DELETED,
        option="--on-case-deleted",
        default=current,
    )
    return draft.plus(rule_set("on_case_deleted", value, draft.known.rules))


def associations(draft: Draft, answers: Answers, ask: Asking, _block: Mapping[str, Any]) -> Draft:
    """S07 to S11: two switches, each on its own."""
    questions = (
        (
            "account",
            answers.account,
            "Sync account association: each ticket with the company of its account?",
        ),
        ("contact", answers.contact, "Sync contact association: each ticket with its contact?"),
    )
    for name, answer, question in questions:
        current = draft.known.rules["association_switches"][name]
        is_on = (
            ask.yes_or_no(question, option=f"--{name} or --no-{name}", default=current)
            if answer is None
            else answer
        )
        draft = draft.plus(rule_set(name, "on" if is_on else "off", draft.known.rules))
    return draft


def required(draft: Draft, answers: Answers, ask: Asking, block: Mapping[str, Any]) -> Draft:
    """S12, S13: every required property and its counterpart; one without is asked for."""
    for name, field in answers.maps.items():
        draft = mapped(draft, name, field, block)
    for name in answers.unmaps:
        draft = mapped(draft, name, "", block)
    for name in missing_required(draft.known):
        draft = _fill(draft, name, ask, block)
    known = draft.known
    ask.show(required_table(required_of(mappings_of(known.rules, known.sides), known.sides)))
    return draft


def _fill(draft: Draft, name: str, ask: Asking, block: Mapping[str, Any]) -> Draft:
    default = suggested_field(name, draft.known)
    if ask.accepts and default:
        return mapped(draft, name, default, block)
    if not ask.is_interactive:
        raise CommandLineError(
            f"HubSpot requires the ticket property '{name}', and no Case field is mapped to it: give --map {name}=FIELD"
        )
    label = property_side_words(name, draft.known.sides)
    found = ask.edited(
        draft,
        f"HubSpot requires {label}. Which Case field goes there?",
        lambda d, typed: mapped(d, name, typed, block),
        default=default or "",
    )
    if found is None:
        raise RefusedEditError(
            [f"HubSpot requires the ticket property '{name}': it can't be left without a mapping"]
        )
    return found


def mapped(draft: Draft, name: str, field: str, block: Mapping[str, Any]) -> Draft:
    """The draft with a property mapped to a field, or, with an empty one, to none.

    Raises:
        RefusedEditError: it would not work.
    """
    known = draft.known
    there = {one["property"] for one in known.rules["fields"]} | set(known.rules["switched_off"])
    target = property_named(name, known.sides, there)
    if not field:
        return draft.plus(deleted(target, known))
    wish = Wish(source=field_named(field, known.sides))
    if known.mapping(target) is None:
        return draft.plus(added(target, wish, known))
    return draft.plus(edited(target, None, wish, known, block))


def review(draft: Draft, answers: Answers, ask: Asking, block: Mapping[str, Any]) -> Draft:
    """S14 to S16: all mappings; suggested ones; changes."""
    suggested = suggested_mappings(draft.known)
    if suggested:
        ask.say("Not mapped yet, and called the same in both:")
        for one in suggested:
            ask.say(f"  {property_side_words(one.property, draft.known.sides)} from {one.field}")
        takes = answers.takes_suggested
        if takes is None:
            takes = ask.yes_or_no("Map these, too?", option="--suggested or --no-suggested", default=True)
        for one in suggested if takes else ():
            draft = mapped(draft, one.property, one.field, block)
    known = draft.known
    ask.show(MappingsTable(mappings_of(known.rules, known.sides), known.rules["switched_off"]))
    if ask.asks:
        ask.say(EDITS[0])
        while (found := ask.edited(draft, EDITS[1], lambda d, typed: _typed(d, typed, block))) is not None:
            for change in changes(draft.known.rules, found.known.rules):
                ask.say(f"  {change}")
            draft = found
    return draft


def _typed(draft: Draft, typed: str, block: Mapping[str, Any]) -> Draft:
    name, equals, field = typed.partition("=")
    if not equals:
        raise RefusedEditError([f"'{typed}' is not PROPERTY=FIELD"])
    return mapped(draft, name.strip(), field.strip(), block)


def pipelines(draft: Draft, answers: Answers, ask: Asking, _block: Mapping[str, Any]) -> Draft:
    """S17 to S19: every active support process to a pipeline, every status to a stage."""
    draft = _without_unknown(draft, answers, ask)
    for process in [*answers.pipelines, *answers.stages]:
        process_named(process, draft.known.rules, draft.known.sides)
    for process in processes_to_map(draft.known.rules, draft.known.sides):
        draft = _process(draft, process, answers, ask)
    return draft


def _without_unknown(draft: Draft, answers: Answers, ask: Asking) -> Draft:
    known = draft.known
    for process in unknown_processes(known.rules, known.sides):
        drops = answers.drops_unknown
        if drops is None:
            question = f"The settings name a support process '{process}', which Salesforce does not have as an active one. Take it out?"
            drops = ask.yes_or_no(question, option="--drop-unknown or --keep-unknown", default=True)
        if drops:
            draft = draft.plus(pipeline_deleted(process, draft.known.rules))
    return draft


def _process(draft: Draft, process: str, answers: Answers, ask: Asking) -> Draft:
    rules, sides = draft.known.rules, draft.known.sides
    words = WITHOUT_PROCESS if process == DEFAULT else f"support process '{process}'"
    offered = pipeline_to_offer(process, rules, sides)
    if offered is None:
        raise RefusedEditError(["HubSpot has no ticket pipeline: create one there first"])
    is_left_out = process != DEFAULT and process not in rules["pipelines"]
    chosen = answer_for(process, answers.pipelines) or ask.choice(
        f"Ticket pipeline for {words}",
        [
            *((p.label, p.label) for p in sides.pipelines),
            *([(NO_PIPELINE, NONE_OF_ITS_OWN)] if is_left_out else []),
        ],
        option=f'--pipeline "{process}=PIPELINE"',
        default=NO_PIPELINE if is_left_out and not draft.is_first else offered.label,
    )
    if chosen == NO_PIPELINE:
        return draft
    stages = answer_for(process, answers.stages) or {}
    wish = PipelineWish(pipeline=str(chosen), stages=dict(stages))  # type: ignore[call-overload]
    draft = draft.plus(pipeline_set(process, wish, rules, sides))
    draft = draft.plus(stale_statuses(process, draft.known.rules, sides))
    return _stages(draft, process, ask)


def _stages(draft: Draft, process: str, ask: Asking) -> Draft:
    """Statuses that no stage is named for: at a terminal one by one; else the stage of the same name."""
    sides = draft.known.sides
    pipeline = current_pipeline(process, draft.known.rules, sides)
    without = statuses_without_stage(process, draft.known.rules, sides)
    if pipeline is None or not without:
        return draft
    same_name = suggested_stages(pipeline, sides.statuses_of(process))
    if ask.asks:
        ask.say(
            f"  These case statuses have no stage in '{pipeline.label}'. A case that has one gets no ticket."
        )
    for status in without:
        stage = ask.pick(f"  Stage for '{status}'", list(pipeline.stages), default=same_name.get(status, ""))
        if stage:
            wish = PipelineWish(stages={status: stage})
            draft = draft.plus(pipeline_set(process, wish, draft.known.rules, sides))
    return draft


STEPS = (
    Step(title="Sync rules", run=deletion),
    Step(title="Associations", run=associations),
    Step(title="Required ticket properties", run=required),
    Step(title="Field mappings", run=review),
    Step(title="Pipelines", run=pipelines),
)


def heading(number: int, title: str) -> Text:
    return Text(f"\n{number}. {title}", style="bold")
