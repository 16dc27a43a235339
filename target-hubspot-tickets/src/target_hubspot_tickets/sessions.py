"""Shell: what a run works with: the portal, the lock on it, and the ledger; opened at the first message that needs them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from target_hubspot_tickets.associations import Associator
from target_hubspot_tickets.batching import Round
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.deleting import Deleter
from target_hubspot_tickets.deletion_guard import DeletionLimits, Marks
from target_hubspot_tickets.errors import PreflightError, reading
from target_hubspot_tickets.hints import hint
from target_hubspot_tickets.labels import Labels
from target_hubspot_tickets.ledger_opening import Beginning, hold_ledger, ledger_to_read
from target_hubspot_tickets.ledger_rows import PendingRow, RejectedRow
from target_hubspot_tickets.loading import Loader
from target_hubspot_tickets.lookups import Lookups
from target_hubspot_tickets.marked_tickets import MarkedTickets
from target_hubspot_tickets.narrowing import narrowing_problems
from target_hubspot_tickets.opening import Opened, ask_portal, open_portal
from target_hubspot_tickets.option_adding import OptionAdder
from target_hubspot_tickets.outcomes import HeldDelete, RoundOutcome
from target_hubspot_tickets.pending import retry_page
from target_hubspot_tickets.portal import read_properties
from target_hubspot_tickets.portal_reading import PortalQuestions
from target_hubspot_tickets.protocol import Api, chunks
from target_hubspot_tickets.reconciling import Reconciler
from target_hubspot_tickets.records import identity
from target_hubspot_tickets.rehearsing import PlanFile, Rehearsal
from target_hubspot_tickets.rehearsing_associations import AssociationRehearsal
from target_hubspot_tickets.report import Report
from target_hubspot_tickets.settings import Policy, choices_of, policy_of
from target_hubspot_tickets.tickets import TicketPlan
from target_hubspot_tickets.write_rules import write_rule_problems, write_rules_of

if TYPE_CHECKING:
    from target_hubspot_tickets.ledger import Ledger

# That a rejected record gets by itself; then it is tried on command, or with a newer record of its key.
AUTOMATIC_TRIES = 10
logger = logging.getLogger("target-hubspot-tickets")
Load = Callable[[Round], RoundOutcome]


class Session:
    """One portal, held by one run at a time. A context manager: at its end the lock is free.

    `retried_keys` are records that are tried again however often that was done before; None for all. One that only reads the
    ledger waits for nobody.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        client: HubSpotClient,
        *,
        check_signal: Callable[[], None] = lambda: None,
        retried_keys: Sequence[str] | None = (),
        only_reads: bool = False,
    ) -> None:
        self.settings, self.client = settings, client
        self.api = Api(settings["api_version"])
        self.policy: Policy = policy_of(settings)
        if retried_keys != ():  # what is tried again on command is written whole
            self.policy = replace(self.policy, narrowing=None)
        self._check_signal, self._retried_keys, self._only_reads = check_signal, retried_keys, only_reads
        self._beginning: Beginning | None = None
        self._held = ExitStack()
        self._questions: PortalQuestions | None = None
        self._is_new_portal = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    # -- what is opened

    def begin(self) -> None:
        """Before the first message: note what the ledger holds, so that a run that writes it meanwhile is seen."""
        self._beginning = Beginning(self.settings["ledger_url"])

    @property
    def _is_open(self) -> bool:
        """Whether a run has the ledger, to the end of its opening: one that is stopped before it must not begin it anew."""
        return "ledger" in self.__dict__ and not self._only_reads

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of the portal, once the lock on it is ours, or at once for one who only reads.

        Raises:
            LockedError: another run has it.
        """
        url = self.settings["ledger_url"]
        if self._only_reads:
            return ledger_to_read(self._held, url, self._portal_id)
        opened = hold_ledger(
            self._held,
            url,
            self._portal_id(),
            beginning=self._beginning,
            wait_seconds=self.settings["lock_wait_seconds"],
            check_signal=self._check,
        )
        if opened.is_contended:
            # What this run's tap has read meanwhile may be older than what the other one wrote (reliability.md F11).
            logger.info(
                "Another run has just written: tickets that are newer than their record are passed over"
            )
            self.policy = replace(self.policy, stale_guard=True)
        opened.ledger.forget_older_than(self.settings["retention_days"])
        return opened.ledger

    def _check(self) -> None:
        """While another run is waited for, which may take long."""
        self._check_signal()
        self.client.check()

    def _portal_id(self) -> str:
        account = self._account()
        with reading("the account"):
            return str(account["portalId"])

    def _account(self) -> Mapping[str, Any]:
        known = self._questions.account() if self._questions else None
        return self.client.send(self.api.account()) if known is None else known

    def look(self, columns: Mapping[str, Any] | None) -> tuple[str, ...]:
        """Preflight without writing: what a run would make; `columns` of a stream, or None for the portal alone.

        Raises:
            PreflightError: what does not fit.
        """
        return self._open_portal(columns, read_only=True).notes

    def open_stream(self, message: Mapping[str, Any]) -> Load:
        """What loads a stream with this schema into the portal, once everything fits.

        Raises:
            PreflightError: what does not fit; nothing was written.
        """
        columns = message["schema"].get("properties") or {}
        problems = write_rule_problems(columns, self.settings["write_rules"], self.policy.key_property)
        if self.policy.narrowing:
            problems += narrowing_problems(self.settings["only_properties"], columns)
        if problems:
            raise PreflightError(problems)
        rules = write_rules_of(columns, self.settings["write_rules"])
        self._questions = questions = ask_portal(self.client, self.api, columns)  # while the ledger is opened
        ledger = self.ledger
        opened = self._open_portal(columns, read_only=self.settings["dry_run"], questions=questions)
        for note in opened.notes:
            logger.info("%s", note)
        self._lookups.know(opened.others)
        if self.settings["dry_run"]:
            there = read_properties(self.client.send(self.api.properties("tickets")))
            self._is_new_portal = self.policy.key_property not in there
        plan = TicketPlan(columns, opened.portal, choices_of(self.settings))
        if self.settings["dry_run"]:
            return Rehearsal(
                self.client,
                self.api,
                plan,
                self.policy,
                is_new_portal=self._is_new_portal,
                file=self._plan_file,
                associations=self._association_rehearsal,
                rules=rules,
            ).load
        ledger.save_stream(message["stream"], message)
        return Loader(
            self.client,
            self.api,
            plan,
            self._associator,
            ledger,
            self.policy,
            message["stream"],
            self._adder,
            rules,
        ).load

    def rejections(self) -> Load:
        """What takes in a round of nothing but rejections of the mapper's."""
        file = self._plan_file if self.settings["dry_run"] else None

        def load(round_: Round) -> RoundOutcome:
            rejected = list(round_.rejected.values())
            if file:
                file.reject(rejected)
            return RoundOutcome(rejected=rejected)

        return load

    def _open_portal(
        self,
        columns: Mapping[str, Any] | None,
        *,
        read_only: bool,
        questions: PortalQuestions | None = None,
    ) -> Opened:
        return open_portal(
            self.client,
            self.api,
            columns,
            choices_of(self.settings),
            may_create=self.settings["create_properties"],
            may_create_options=self.settings["create_options"],
            property_group=self.settings["property_group"],
            read_only=read_only,
            questions=questions,
        )

    @cached_property
    def _plan_file(self) -> PlanFile:
        file = PlanFile(self.settings["plan_path"])
        self._held.callback(file.close)
        return file

    @cached_property
    def _adder(self) -> OptionAdder | None:
        return OptionAdder(self.client, self.api) if self.settings["create_options"] else None

    @cached_property
    def _association_rehearsal(self) -> AssociationRehearsal | None:
        if not self.settings["plan_associations"]:
            return None
        labels, primary = Labels(self.client, self.api), self.settings["primary_company"]
        return AssociationRehearsal(self.client, self.api, self._lookups, labels, primary_company=primary)

    @cached_property
    def _lookups(self) -> Lookups:
        return Lookups(self.client, self.api, self.policy.key_property)

    def hurry(self) -> None:
        """The input is over."""
        if "_lookups" in self.__dict__:
            self._lookups.hurry()

    @cached_property
    def _associator(self) -> Associator:
        return Associator(
            self.client,
            self.api,
            self._lookups,
            Labels(self.client, self.api),
            mode=self.settings["association_mode"],
            primary_company=self.settings["primary_company"],
            note_made=self.ledger.note_made,
        )

    @cached_property
    def _tickets(self) -> MarkedTickets:
        settings = self.settings
        marks = Marks(
            key=settings["key_property"],
            source=settings["source_property"],
            version=settings["version_property"],
        )
        return MarkedTickets(self.client, self.api, marks)

    @cached_property
    def reconciler(self) -> Reconciler:
        """Takes in what the stream says was there."""
        is_dry = self.settings["dry_run"]
        told = {"spare": self._plan_file.spare} if is_dry else {}
        return Reconciler(self._tickets, self.ledger, archives=self.policy.archives, is_dry=is_dry, **told)

    # -- what a run puts on record, and what earlier ones left

    def record(self, outcome: RoundOutcome) -> None:
        """Put a round's outcome on record, in one transaction; a dry run has none."""
        if self.settings["dry_run"]:
            for key in (*outcome.written, *outcome.unchanged, *(one.key for one in outcome.rejected)):
                self._rehearsed.pop(identity(key), None)
            self._rehearsed |= {identity(one.key): one for one in outcome.held}
        else:
            self.ledger.record(outcome)
        self.reconciler.note_written([*outcome.written, *outcome.unchanged, *outcome.stale])

    def waiting_associations(self, to: str | None = None) -> Iterator[list[PendingRow]]:
        """Pages of associations that wait; no key is in two pages."""
        keys = self._retried_keys or None
        if self.settings["dry_run"] or not (to or self._retries_earlier):
            return iter(())
        return self.ledger.pending(to=to, keys=keys)

    @property
    def _retries_earlier(self) -> bool:
        """What is tried again on command is, whatever the setting says."""
        return self._retried_keys != () or bool(self.settings["retry_earlier"])

    def associate_again(self, page: Sequence[PendingRow]) -> RoundOutcome:
        """Try associations that waited."""
        return retry_page(self.client, self.api, self._associator, self.policy.key_property, page)

    def rejected_to_retry(self, stream: str) -> Iterator[RejectedRow]:
        """Rejected records of a stream whose turn it is, as far as they were kept whole."""
        if self.settings["dry_run"] or self.policy.narrowing or not self._retries_earlier:
            return
        on_command = self._retried_keys != ()
        percent = self.settings["retry_below_percent"]
        for row in self.ledger.rejected(keys=self._retried_keys or None):
            is_due = on_command or row.tries <= AUTOMATIC_TRIES
            if row.stream != stream or row.record is None or not is_due:
                continue
            if not on_command and self.client.day.is_above(percent):
                logger.warning(
                    "more than %s %% of the day's HubSpot calls are used (retry_below_percent): rejected records of earlier runs wait for "
                    "a later one. %s",
                    percent,
                    hint("Try them all the same", "retry"),
                )
                return
            yield row

    def known_streams(self) -> list[dict[str, Any]]:
        """The last SCHEMA message of each stream that this portal was loaded from."""
        return self.ledger.streams()

    def delete(self, report: Report, check_signal: Callable[[], None]) -> None:
        """The deletions of the run, once its input was read to the end; a dry run has none where the key property is not there yet.

        Raises:
            MassDeletionError: they are too many; none was done.
        """
        if not self._is_open or not self.policy.archives or self._is_new_portal:
            return
        settings = self.settings
        deletion = Deleter(
            tickets=self._tickets,
            ledger=self.ledger,
            held=chunks(self._rehearsed.values(), 1000) if settings["dry_run"] else self.ledger.held(),
            reconciler=self.reconciler,
            limits=DeletionLimits(
                max_deletes=settings["max_deletes"],
                max_delete_ratio=settings["max_delete_ratio"],
                confirm_deletes=settings["confirm_deletes"],
            ),
            deletes_path=settings["deletes_path"],
            check_signal=check_signal,
            plan=self._plan_file.archive if settings["dry_run"] else None,
        ).delete()
        report.archived += deletion.archived
        report.already_gone += deletion.already_gone
        report.foreign += deletion.foreign
        report.marked_tickets = self.reconciler.marked_count

    @cached_property
    def _rehearsed(self) -> dict[str, HeldDelete]:
        """By identity what a dry run, which writes no ledger, would hold: first what is held already."""
        return {identity(one.key): one for page in self.ledger.held() for one in page}

    def note_end(self, report: Report, began: datetime, state: Mapping[str, Any] | None) -> None:
        """The run into the ledger, if it came so far as to open it; and what waits there. `state`: the last that was let out."""
        if not self._is_open:
            return
        report.pending_associations = self.ledger.counts().pending
        report.api_calls, report.refused_calls = self.client.api_calls, self.client.refusals
        day = self.client.day
        report.hubspot_calls_allowed_a_day, report.hubspot_calls_left_today = day.allowed, day.left
        if not self.settings["dry_run"]:
            name = self.settings["run_name"]
            self.ledger.add_run(report.as_json(), began, datetime.now(UTC), run_name=name, state=state)
