"""Shell: the body of an answer as it comes. One that is cut, or that comes in drops, is no answer.

A time-out is of one read, so that drops, each in time, would be waited for without end.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from typing import IO
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from tap_salesforce_cases.errors import TransientError

PIECE_BYTES = 1 << 16
SLOWEST = 1_000  # bytes a second, on average
PATIENCE = 3  # times the time-out of one read, before an answer is measured


def body_of(response: requests.Response, read_seconds: float) -> bytes:
    """All of it, decompressed. `read_seconds` is the time-out of one read.

    Raises:
        TransientError: it was cut, or it drips.
    """
    return b"".join(_pieces(response, read_seconds))


def spooled(response: requests.Response, read_seconds: float) -> IO[bytes]:
    """The same in a temporary file, from its start."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the reader closes it
    try:
        for piece in _pieces(response, read_seconds):
            file.write(piece)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _pieces(response: requests.Response, read_seconds: float) -> Iterator[bytes]:
    began, received = time.monotonic(), 0
    try:
        while piece := response.raw.read1(PIECE_BYTES, decode_content=True):
            received += len(piece)
            yield piece
            if is_dripping(received, time.monotonic() - began, read_seconds):
                raise TransientError(f"the answer of {origin(response.url)} comes in drops")
    except HTTPError as error:
        raise TransientError(
            f"the answer of {origin(response.url)} was cut ({type(error).__name__})"
        ) from None


def is_dripping(received_bytes: int, seconds: float, read_seconds: float) -> bool:
    """Whether so few bytes in so long are none that a server or a network sends in earnest."""
    return seconds > PATIENCE * read_seconds and received_bytes < SLOWEST * seconds


def origin(url: str) -> str:
    """Scheme and host, for messages: the rest of an address may hold what customers wrote."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
