"""Shell: several GETs in one call of the API.

Source: Salesforce REST API, Composite: up to 25 subrequests, of which at most 5 are queries, count as one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tap_salesforce_cases.api_errors import Verdict, verdict
from tap_salesforce_cases.session import SalesforceSession, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The answer to one of the GETs, good or bad, and the server's clock when all of them were answered."""

    url: str
    status: int
    content: Any
    server_time: datetime

    @property
    def has_passing_trouble(self) -> bool:
        return verdict(self.status, self.content) is Verdict.TRY_AGAIN

    def body(self) -> Any:
        """The JSON of a good answer.

        Raises:
            SalesforceAnswerError, and what an answer of its own would raise.
        """
        judge(self.status, self.content, f"GET {self.url.split('?', maxsplit=1)[0]} (composite)")
        return self.content


def ask_together(session: SalesforceSession, urls: Sequence[str]) -> list[Part]:
    """The answers in the order of the urls, each a path of the instance."""
    requests = [{"method": "GET", "url": url, "referenceId": f"q{n}"} for n, url in enumerate(urls)]
    answer = session.call("POST", f"{session.base_path}/composite", json={"compositeRequest": requests})
    parts = [
        Part(
            url=url, status=int(part["httpStatusCode"]), content=part["body"], server_time=answer.server_time
        )
        for url, part in zip(urls, answer.json["compositeResponse"], strict=True)
    ]
    return [_asked_alone(session, part) if part.has_passing_trouble else part for part in parts]


def _asked_alone(session: SalesforceSession, part: Part) -> Part:
    """What may go well when it is tried again has a call, and tries, of its own."""
    answer = session.get(part.url)
    return Part(url=part.url, status=200, content=answer.json, server_time=answer.server_time)
