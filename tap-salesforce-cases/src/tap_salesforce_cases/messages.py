"""Shell: Singer messages to standard output, encoded by msgspec and written in large pieces."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.singerlib.messages import Message

from tap_salesforce_cases.errors import StoppedError, TapError
from tap_salesforce_cases.rows import Row

PIECE_BYTES = 1 << 18


class MessageWriter(GenericSingerWriter[bytes, Message]):
    """Keeps the order of messages; a line is written whole or not at all, even when the process is told to stop."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder(decimal_format="number")
        self._waiting = bytearray()
        self._writing = False
        self._stop_signal = 0

    def serialize_message(self, message: Message) -> bytes:
        """One line."""
        return self._encoder.encode(message.to_dict()) + b"\n"

    def write_message(self, message: Message) -> None:
        """Any message but a row: at once, behind the rows before it."""
        self._waiting += self.serialize_message(message)
        self.flush()

    def write_rows(self, stream: str, rows: Iterable[Row], time_extracted: str) -> int:
        """Rows as RECORD messages; they may wait for the next message. Returns how many."""
        name = self._encoder.encode(stream)
        before = b'{"type":"RECORD","stream":' + name + b',"record":'
        after = b',"time_extracted":"' + time_extracted.encode() + b'"}\n'
        waiting, encode_into, written = self._waiting, self._encoder.encode_into, 0
        for row in rows:
            waiting += before
            encode_into(row, waiting, len(waiting))
            waiting += after
            written += 1
            if len(waiting) > PIECE_BYTES:
                self.flush()
        return written

    def flush(self) -> None:
        """Write what waits.

        Raises:
            StoppedError: the process was told to stop while it wrote.
            TapError: the reader has gone.
        """
        if not self._waiting:
            return
        self._writing = True
        try:
            _write(bytes(self._waiting))
        except BrokenPipeError:
            raise TapError("the reader of the tap's output has gone: see its own messages") from None
        finally:
            self._waiting.clear()
            self._writing = False
        if self._stop_signal:
            raise StoppedError(self._stop_signal)

    def stop(self, signal_number: int) -> None:
        """For a signal handler: stop now, or behind the piece that is being written.

        Raises:
            StoppedError: nothing is being written.
        """
        self._stop_signal = signal_number
        if not self._writing:
            raise StoppedError(signal_number)


def _write(piece: bytes) -> None:
    """Standard output as it is now: tests and the SDK put another one in its place."""
    binary: Any = getattr(sys.stdout, "buffer", None)
    if binary is not None:
        sys.stdout.flush()
        left = memoryview(piece)
        while left:  # with PYTHONUNBUFFERED it is the bare file, whose write a signal may cut short
            left = left[binary.write(left) or 0 :]
        binary.flush()
    else:
        sys.stdout.write(piece.decode())
        sys.stdout.flush()
