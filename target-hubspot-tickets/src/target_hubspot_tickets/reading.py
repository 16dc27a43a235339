"""Shell: the messages of the input, one after the other, with a look at the clock and at signals between two reads."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import IO, Any

from singer_sdk.io_base import SingerReader

from target_hubspot_tickets.incoming import Lines
from target_hubspot_tickets.messages import read_message

LOOK_SECONDS = 0.25


class MessageReader(SingerReader):
    """Reads bytes and polls; the SDK's reader waits for the next line, and logs a line that it can't read: customers wrote it."""

    between_reads: Callable[[], None] | None = None
    line_bytes: int = 0  # of the message that is being handled

    def deserialize_json(self, line: str | bytes) -> dict[str, Any]:
        return read_message(line.encode() if isinstance(line, str) else line)

    def process_lines(
        self, file_input: IO[Any] | None, callbacks: Mapping[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Hand each message to the callback of its type; how many there were of each.

        Raises:
            StreamError: a line that is no message; what came before it was handed over.
        """
        counted: Counter[str] = Counter()
        lines = Lines(file_input if file_input is not None else sys.stdin.buffer)
        while (read := lines.read(LOOK_SECONDS)) is not None:
            for line in read:
                if not line or line.isspace():
                    continue
                message = read_message(line)
                self.line_bytes = len(line)
                kind = message["type"]
                callbacks[kind](message)
                counted[kind] += 1
            if self.between_reads:
                self.between_reads()
        return counted
