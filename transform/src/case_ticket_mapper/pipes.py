"""Shell: Singer lines from stdin and to stdout."""

from __future__ import annotations

import contextlib
import sys
from typing import IO, Any

from singer_sdk.singerlib import StateMessage
from singer_sdk.singerlib.encoding.base import GenericSingerReader, GenericSingerWriter

from case_ticket_mapper.errors import StoppedError
from case_ticket_mapper.messages import line_of, read_message

FULL_BYTES = 64 * 1024
PIPE_BYTES = 1 << 20  # what Linux lets anybody have; 64 KiB is its own choice


class MessageReader(GenericSingerReader[bytes]):
    """Reads messages without the SDK's habit of logging a line that it can't read: customers wrote it."""

    @property
    def default_input(self) -> IO[bytes]:
        """Standard input, read in larger pieces than Python's own of 8 KiB, which are four cases."""
        descriptor = sys.stdin.fileno()
        _widen(descriptor)
        return open(descriptor, "rb", buffering=FULL_BYTES, closefd=False)

    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        return read_message(line)


class MessageWriter(GenericSingerWriter[bytes, Any]):
    """Writes lines in blocks; a state goes out at once, behind all that came before it.

    A line is written whole or not at all, even when the process is told to stop.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()
        self._writing = False
        self._stop_signal = 0

    def serialize_message(self, message: Any) -> bytes:
        return line_of(message.to_dict())

    def write_message(self, message: Any) -> None:
        self.write_line(self.serialize_message(message))
        if isinstance(message, StateMessage):
            self.flush()

    def write_record(self, stream: str, record: dict[str, Any]) -> None:
        """A RECORD message, the short way."""
        self.write_line(line_of({"type": "RECORD", "stream": stream, "record": record}))

    def write_line(self, line: bytes) -> None:
        self._waiting += line
        if len(self._waiting) >= FULL_BYTES:
            self.flush()

    def flush(self) -> None:
        """Everything that waits, out.

        Raises:
            StoppedError: the process was told to stop while it wrote.
        """
        self._writing = True
        try:
            _write(bytes(self._waiting))
        finally:
            self._waiting.clear()
            self._writing = False
        if self._stop_signal:
            raise StoppedError(self._stop_signal)

    def stop(self, signal_number: int) -> None:
        """For a signal handler: stop now, or behind the block that is being written.

        Raises:
            StoppedError: nothing is being written.
        """
        self._stop_signal = signal_number
        if not self._writing:
            raise StoppedError(signal_number)


def _write(block: bytes) -> None:
    left = memoryview(block)
    while left:  # with PYTHONUNBUFFERED it is the bare file, whose write a signal may cut short
        left = left[sys.stdout.buffer.write(left) or 0 :]
    sys.stdout.buffer.flush()


def _widen(descriptor: int) -> None:
    """A larger pipe saves the tap and the mapper from waking each other for each thirty cases."""
    with contextlib.suppress(ImportError, AttributeError, OSError):  # no pipe, or another system
        import fcntl  # noqa: PLC0415 - not on every system

        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
