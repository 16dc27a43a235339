"""The steps of `case-sync setup`: what is asked, what is suggested, what an answer makes of the rules."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from case_sync_console.asking import Asking
from case_sync_console.draft import Draft
from case_sync_console.errors import CommandLineError, RefusedEditError
from case_sync_console.login_settings import missing_logins
from case_sync_console.mapping_edits import deleted
from case_sync_console.pipeline_edits import pipeline_deleted
from case_sync_console.setup_answers import Answers, stages_by_process
from case_sync_console.setup_steps import STEPS, associations, deletion, pipelines, required, review
from case_sync_console.suggestions import suggested_mappings, unknown_processes

from .recordings import PROJECT, after, findings, known, rules_in, sides

Run = Callable[..., Draft]


class Typed(io.StringIO):
    """Lines that a person types; the screen shows them, as a terminal does."""

    screen: io.StringIO

    def readline(self, size: int = -1, /) -> str:
        line = super().readline(size)
        self.screen.write(line or "\n")
        return line


class Talk:
    """A person who types these lines, and the screen that is seen."""

    def __init__(self, *typed: str, accepts: bool = False, is_interactive: bool = True) -> None:
        self.screen = io.StringIO()
        console = Console(
            file=self.screen, width=120, highlight=False, force_terminal=True, color_system=None
        )
        lines = Typed("".join(f"{line}\n" for line in typed))
        lines.screen = self.screen
        self.ask = Asking(screen=console, accepts=accepts, is_interactive=is_interactive, answers=lines)

    def seen(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.getvalue().splitlines())


def step(
    run: Run, talk: Talk, text: str = PROJECT, answers: Answers | None = None, needed: tuple[str, ...] = ()
) -> tuple[Draft, str]:
    """The draft after a step, and the file as it would be written; the mapper finds no problem in it."""
    draft = run(Draft(known=known(text, needed)), answers or Answers(), talk.ask, rules_in(text))
    written = after(draft.splices, text)
    assert findings(written, needed)["problems"] == []
    return draft, written


def refused(
    run: Run, talk: Talk, text: str = PROJECT, answers: Answers | None = None, needed: tuple[str, ...] = ()
) -> str:
    with pytest.raises((RefusedEditError, CommandLineError)) as caught:
        run(Draft(known=known(text, needed)), answers or Answers(), talk.ask, rules_in(text))
    return str(caught.value)


# -- the whole, as it is seen


def test_the_steps_come_in_the_order_of_the_native_wizard() -> None:
    assert [one.title for one in STEPS] == [
        "Sync rules",
        "Associations",
        "Required ticket properties",
        "Field mappings",
        "Pipelines",
    ]


def test_S06_to_S19_setup_as_it_is_seen(snapshot: SnapshotAssertion) -> None:
    """An admin who takes most of what is offered, and mistypes twice."""
    talk = Talk(
        *("1", "", "n"),  # deletion rule, account, contact
        *("y", "created_by=Subject", "Reference to source-specific object=External Reference", ""),
        *("", "", ""),  # Billing, Returns, Technical Support: each status that they allow has its stage
        *("", "Bling", "Waiting on contact", ""),  # cases without a support process, two without
    )
    draft = Draft(known=known())
    for one in STEPS:
        draft = one.run(draft, Answers(), talk.ask, rules_in(PROJECT))
    written = after(draft.splices)
    assert findings(written)["problems"] == []
    assert talk.seen() == snapshot


# -- step by step


def test_S06_the_deletion_rule_is_chosen_by_number_and_kept_by_enter() -> None:
    assert rules_in(step(deletion, Talk("1"))[1])["on_case_deleted"] == "do_nothing"
    assert step(deletion, Talk(""))[1] == PROJECT
    talk = Talk("3", "nothing", "do_nothing")
    assert rules_in(step(deletion, talk)[1])["on_case_deleted"] == "do_nothing"
    assert talk.seen().count("Please answer") == 2


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (("y", "n"), (True, False)),
        (("n", "y"), (False, True)),
        (("", ""), (True, True)),
        (("n", "n"), (False, False)),
    ],
)
def test_S07_to_S11_the_two_associations_are_asked_for_on_their_own(
    typed: tuple[str, ...], expected: tuple[bool, bool]
) -> None:
    draft, text = step(associations, Talk(*typed))
    switches = known(text).rules["association_switches"]
    assert (switches["account"], switches["contact"]) == expected
    assert draft.known.rules["association_switches"] == switches


def test_S12_S13_a_required_property_without_a_field_is_asked_for_until_it_works() -> None:
    talk = Talk("Subject", "Other", "Priority")
    text = PROJECT.replace("          fields:\n", "          fields:\n            hs_ticket_priority: null\n")
    _, written = step(required, talk, text, needed=("hs_ticket_priority",))
    assert known(written).mapping("hs_ticket_priority") is not None
    assert "does not fit" in talk.seen()
    assert "there is no Case field 'Other'" in talk.seen()


def test_S13_setup_does_not_go_on_without_it() -> None:
    assert "requires" in refused(required, Talk(""), needed=("hs_resolution",))
    told = refused(required, Talk(is_interactive=False), needed=("hs_resolution",))
    assert "--map hs_resolution=FIELD" in told


def test_S14_to_S16_suggested_mappings_and_changes_of_ones_own() -> None:
    assert [(one.property, one.field) for one in suggested_mappings(known())] == [
        ("closed_date", "ClosedDate")
    ]
    talk = Talk("n", "content=", "hs_ticket_category", "source_ref=Reason", "subject=", "")
    _, text = step(review, talk)
    found = known(text)
    assert found.mapping("closed_date") is None
    assert found.mapping("content") is None
    assert found.mapping("source_ref") is not None
    assert "is not PROPERTY=FIELD" in talk.seen()
    assert "can't be left without a mapping" in " ".join(talk.seen().split())


def test_what_is_switched_off_is_not_suggested_again() -> None:
    text = after((*deleted("source_type", known()), *deleted("hs_ticket_priority", known())))
    assert {one.property for one in suggested_mappings(known(text))} == {"closed_date"}


def test_S17_S18_pipelines_are_chosen_among_those_there_are() -> None:
    talk = Talk("9", "biling", "4", *[""] * 12)
    _, text = step(pipelines, talk)
    assert rules_in(text)["pipelines"]["Billing Process"]["pipeline"] == "Returns"
    assert talk.seen().count("Please answer") == 2


def test_S17_of_an_org_that_the_rules_were_not_written_for() -> None:
    """What a new user has: the project's rules, another org's processes. What is not there is taken out, the rest suggested by name."""
    text = PROJECT.replace("            Billing Process:", "            Sales Process:").replace(
        "Working: In progress", "Assigned: In progress"
    )
    assert unknown_processes(known(text).rules, sides()) == ["Sales Process"]
    _, written = step(pipelines, Talk(accepts=True), text)
    found = rules_in(written)["pipelines"]
    assert list(found) == ["Technical Support Process", "Returns Process", "default", "Billing Process"]
    assert found["Billing Process"] == {
        "pipeline": "Billing",
        "stages": {"New": "New", "Resolved": "Resolved", "Closed": "Closed"},
    }
    assert "Assigned" not in str(found)


def test_S19_only_statuses_that_the_process_allows_are_asked_for() -> None:
    talk = Talk(*[""] * 20)
    step(
        pipelines,
        talk,
        PROJECT.replace(
            "Working: In progress, Waiting on Customer: Waiting on contact, Resolved", "Resolved"
        ),
    )
    seen = talk.seen()
    of_billing = seen[seen.index("'Billing Process'") : seen.index("'Returns Process'")]
    assert [s for s in sides().statuses if f"Stage for '{s}'" in of_billing] == [
        "Working",
        "Waiting on Customer",
    ]


def test_S19_every_active_process_is_gone_through() -> None:
    talk = Talk(*[""] * 20)
    step(pipelines, talk, after(pipeline_deleted("Returns Process", known().rules)))
    for process in (
        "'Billing Process'",
        "'Returns Process'",
        "'Technical Support Process'",
        "cases without a support process",
    ):
        assert (
            f"Ticket pipeline for {'' if process.startswith('cases') else 'support process '}{process}"
            in talk.seen()
        )


@pytest.mark.parametrize("is_first", [True, False])
def test_S17_a_process_that_was_taken_out_on_purpose_is_not_put_back_by_enter(is_first: bool) -> None:
    """A set-up that is gone through again leaves it out; a first one, of rules that nobody here wrote, suggests by name."""
    text = after(pipeline_deleted("Returns Process", known().rules))
    talk = Talk(*[""] * 20)
    draft = pipelines(Draft(known=known(text), is_first=is_first), Answers(), talk.ask, rules_in(text))
    assert ("Returns Process" in rules_in(after(draft.splices, text))["pipelines"]) == is_first
    assert talk.seen().count("none of its own: its cases go as unmapped_process says") == 1
    by_option = Answers(pipelines={"Returns Process": "Returns"})
    unattended = Talk(accepts=True)
    draft = pipelines(Draft(known=known(text), is_first=False), by_option, unattended.ask, rules_in(text))
    assert "Returns Process" in rules_in(after(draft.splices, text))["pipelines"]


# -- unattended


def test_every_answer_can_be_given_as_an_option() -> None:
    answers = Answers(
        on_case_deleted="do_nothing", account=False, contact=True, maps={"source_ref": "Reason"}, unmaps=["content"], takes_suggested=True,
        pipelines={"billing process": "Billing", "Returns Process": "Returns", "Technical Support Process": "Technical Support", "default": "Support Pipeline"},
        stages=stages_by_process({"Billing Process/Escalated": "In progress"}),
    )  # fmt: skip
    talk = Talk(is_interactive=False)
    draft = Draft(known=known())
    for one in STEPS:
        draft = one.run(draft, answers, talk.ask, rules_in(PROJECT))
    found = rules_in(after(draft.splices))
    assert (found["on_case_deleted"], found["associations"]["account"]) == ("do_nothing", "off")
    assert found["fields"]["source_ref"] == "Reason"
    assert found["fields"]["content"] is None
    assert found["pipelines"]["Billing Process"]["stages"]["Escalated"] == "In progress"
    assert talk.seen() == ""


@pytest.mark.parametrize(
    ("run", "option"),
    [
        (deletion, "--on-case-deleted"),
        (associations, "--account or --no-account"),
        (review, "--suggested or --no-suggested"),
        (pipelines, '--pipeline "Billing Process=PIPELINE"'),
    ],
)
def test_without_a_terminal_a_missing_answer_names_its_option(run: Run, option: str) -> None:
    told = refused(run, Talk(is_interactive=False))
    assert f"Give {option}, or --yes" in told


@pytest.mark.parametrize(
    ("run", "answers", "words"),
    [
        (deletion, Answers(on_case_deleted="nothing"), "do_nothing or delete_ticket"),
        (required, Answers(maps={"created_by": "Subject"}), "does not fit"),
        (required, Answers(maps={"created_bi": "Subject"}), "did you mean 'created_by'"),
        (required, Answers(unmaps=["subject"]), "requires the ticket property"),
        (pipelines, Answers(pipelines={"Billing Process": "Biling"}), "no ticket pipeline 'Biling'"),
        (pipelines, Answers(pipelines={"Biling Process": "Billing"}), "did you mean 'Billing Process'"),
        (pipelines, Answers(stages={"Billing Process": {"New": "Nu"}}), "has no stage 'Nu'"),
    ],
)
def test_an_answer_that_would_not_work_is_refused_by_name(run: Run, answers: Answers, words: str) -> None:
    assert words in refused(run, Talk(accepts=True), answers=answers)


def test_a_stage_without_its_process_is_refused() -> None:
    with pytest.raises(CommandLineError, match="PROCESS/STATUS=STAGE"):
        stages_by_process({"New": "New"})


# -- logins


GIVEN = {"login_url": "https://a.my.salesforce.com", "client_id": "i", "client_secret": "s"}


@pytest.mark.parametrize(
    ("salesforce", "hubspot", "names"),
    [
        ({}, {}, ["login_url", "client_id", "client_secret", "access_token"]),
        (GIVEN, {"access_token": "t"}, []),
        ({**GIVEN, "login_url": "https://NAME.my.salesforce.com"}, {"access_token": "t"}, ["login_url"]),
        ({"auth_method": "jwt_bearer", **GIVEN}, {"access_token": "t"}, ["username", "private_key_path"]),
        (
            {"auth_method": "jwt_bearer", **GIVEN, "username": "u", "private_key": "k"},
            {"access_token": "t"},
            [],
        ),
        (
            {"auth_method": "refresh_token", **GIVEN},
            {"client_id": "c"},
            ["refresh_token", "client_secret", "refresh_token"],
        ),
    ],
)
def test_the_login_settings_that_are_missing_are_told(
    salesforce: dict[str, Any], hubspot: dict[str, Any], names: list[str]
) -> None:
    assert [one.name for one in missing_logins("tap", salesforce, "target", hubspot)] == names
