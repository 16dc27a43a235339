"""Shell: an answer with the body that came with it. One that is cut, or that comes in drops, is no answer.

A time-out is of one read, so that drops, each in time, would be waited for without end.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError

from target_hubspot_tickets.errors import TransientError

PIECE_BYTES = 1 << 18
SLOWEST = 1_000  # bytes a second, on average
PATIENCE = 3  # times the time-out of one read, before an answer is measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the HTTP status, headers whose names have no case, the body decompressed."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def whole(response: requests.Response, read_seconds: float) -> Answer:
    """The answer once all of it is there. `read_seconds` is the time-out of one read.

    Raises:
        TransientError: it was cut, or it drips.
    """
    began, received, pieces = time.monotonic(), 0, []
    try:
        with response:
            while piece := response.raw.read1(PIECE_BYTES, decode_content=True):
                received += len(piece)
                pieces.append(piece)
                if is_dripping(received, time.monotonic() - began, read_seconds):
                    raise TransientError("an answer of HubSpot's comes in drops")
    except HTTPError as error:
        raise TransientError(f"an answer of HubSpot's was cut ({type(error).__name__})") from None
    return Answer(status=response.status_code, headers=response.headers, content=b"".join(pieces))


def is_dripping(received_bytes: int, seconds: float, read_seconds: float) -> bool:
    """Whether so few bytes in so long are none that a server or a network sends in earnest."""
    return seconds > PATIENCE * read_seconds and received_bytes < SLOWEST * seconds
