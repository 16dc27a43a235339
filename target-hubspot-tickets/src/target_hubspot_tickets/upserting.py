"""Shell: batches of tickets into HubSpot: a batch refused as a whole is halved, what failed in passing is sent again."""

from __future__ import annotations

from collections.abc import Sequence

from target_hubspot_tickets.batching import Input, body_of
from target_hubspot_tickets.client import HubSpotClient
from target_hubspot_tickets.correlation import MEANINGS, Answered, match, reader_of, rejected
from target_hubspot_tickets.errors import HubSpotAnswerError
from target_hubspot_tickets.outcomes import Rejected
from target_hubspot_tickets.protocol import Api
from target_hubspot_tickets.verdicts import LOCK_SECONDS

TURNS = 3  # a record that HubSpot does not answer for, or fails in passing, is sent so often
# A whole call refused with one of these has a record at fault; any other refusal is the run's (hubspot-api 5).
RECORDS_FAULT = frozenset({400, 409, 413, 414})


class Upserter:
    """Sends batches; any thread may."""

    def __init__(self, client: HubSpotClient, api: Api, key_property: str) -> None:
        self._client, self._api, self._key_property = client, api, key_property
        self._read = reader_of(key_property)

    def send(self, batch: Sequence[Input]) -> Answered:
        """Every input of a batch to written or rejected.

        Raises:
            TargetError: the run can't go on.
            StoppedError: the run was stopped; what is not confirmed will be sent again by the next one.
        """
        total, waiting, open_keys = Answered(), list(batch), Answered()
        for turn in range(TURNS):
            if turn and open_keys.passing:
                self._client.pause(LOCK_SECONDS)
            open_keys = Answered()
            for part in [waiting] if turn == 0 else [[one] for one in waiting]:
                _add(total, open_keys, self._halved(part))
            left = {*open_keys.passing, *open_keys.silent}
            waiting = [one for one in waiting if one.key in left]
            if not waiting:
                return total
        total.rejected |= open_keys.passing
        for key in open_keys.silent:
            total.rejected[key] = Rejected(key=key, code="NO_ANSWER", message=MEANINGS["NO_ANSWER"])
        return total

    def _halved(self, batch: Sequence[Input]) -> Answered:
        """One call; one that is refused as a whole is sent in halves, down to the record at fault."""
        try:
            body = self._client.send(self._api.upsert(body_of(batch), self._read))
        except HubSpotAnswerError as error:
            if error.status not in RECORDS_FAULT:
                raise
            if len(batch) == 1:
                key = batch[0].key
                return Answered(
                    rejected={
                        key: rejected(key, error.body or {"category": error.category}, error.correlation_id)
                    }
                )
            half = len(batch) // 2
            total = self._halved(batch[:half])
            other = self._halved(batch[half:])
            _add(total, total, other)
            return total
        return match([one.key for one in batch], body, self._key_property)


def _add(total: Answered, open_keys: Answered, answered: Answered) -> None:
    """What is decided into `total`, what is not into `open_keys`."""
    total.written.update(answered.written)
    total.rejected.update(answered.rejected)
    open_keys.passing.update(answered.passing)
    open_keys.silent.extend(answered.silent)
