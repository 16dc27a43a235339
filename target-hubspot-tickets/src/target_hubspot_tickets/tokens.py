"""Shell: the token of each call: a fixed one, or one of OAuth that is renewed before and when it expires.

Source: HubSpot, OAuth: POST /oauth/{version}/token, form-encoded; a token lives 1,800 seconds.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from target_hubspot_tickets.errors import TokenRefusedError, TransientError

LIVES_SECONDS = 1_800  # a token, where the answer does not tell
EARLY_SECONDS = 120.0  # before its end a token is renewed
# An error's code as HubSpot and OAuth write them. Anything else is not repeated: it could quote the form, which is all secrets.
CODE = re.compile(r"[A-Z]+(_[A-Z]+)*|[a-z]+(_[a-z]+)*")
# Asks HubSpot with a form, and gives its answer: status and parsed body.
Ask = Callable[[Mapping[str, str]], tuple[int, Any]]


def _can_be_sent(token: Any) -> bool:
    """Whether a header can hold it."""
    return isinstance(token, str) and token.strip() != "" and token.isascii() and token.isprintable()


class FixedToken:
    """Token of a service key or private app: HubSpot's refusal of it is final."""

    can_be_renewed = False

    def __init__(self, value: str) -> None:
        self._value = value

    def value(self) -> str:
        """As it is in the settings; what no header can hold is no token."""
        if not _can_be_sent(self._value):
            raise TokenRefusedError(
                "access_token holds a character that no token has: copy it anew from HubSpot, without quotes and line ends"
            )
        return self._value

    def renew(self, used: str) -> None:  # noqa: ARG002 - the form that both kinds share
        raise TokenRefusedError(
            "HubSpot refused access_token: it is wrong, or it was revoked; check it in HubSpot under Development > Keys"
        )


class RefreshedToken:
    """Token of an OAuth app; however many threads meet its end at once, it is renewed once."""

    can_be_renewed = True

    def __init__(self, client_id: str, client_secret: str, refresh_token: str, ask: Ask) -> None:
        self._form = {
            "grant_type": "refresh_token",
            "client_id": client_id,
            "client_secret": client_secret,
            "refresh_token": refresh_token,
        }
        self._ask = ask
        self._lock = threading.Lock()
        self._failed: list[TransientError] = []
        self._value = ""
        self._renew_at = float("-inf")

    def value(self) -> str:
        """A token that holds for a while."""
        failures = len(self._failed)
        with self._lock:
            if time.monotonic() >= self._renew_at:
                self._fetch(failures)
            return self._value

    def renew(self, used: str) -> None:
        """HubSpot refused `used`: another one, unless another thread has brought it already."""
        failures = len(self._failed)
        with self._lock:
            if used == self._value:
                self._fetch(failures)

    def _fetch(self, failures: int) -> None:
        """`failures` were known before the lock: who waited for it while one more came shares that one.

        Else a server that hangs would be waited for by one thread after the other, each time for a whole time-out (R72).
        """
        if len(self._failed) > failures:
            raise TransientError(self._failed[-1].text, self._failed[-1].wait_seconds)
        try:
            status, body = self._ask(self._form)
        except TransientError as error:
            self._failed.append(error)
            raise
        if status != 200 or not isinstance(body, Mapping) or not _can_be_sent(body.get("access_token")):
            told = body.get("status") or body.get("error") if isinstance(body, Mapping) else None
            reason = told if isinstance(told, str) and CODE.fullmatch(told) else None
            raise TokenRefusedError(
                f"HubSpot gives no token for refresh_token ({status} {reason or 'no reason'}): check client_id, client_secret and "
                "refresh_token; if the app was uninstalled or its access revoked, connect it again"
            )
        self._value = str(body["access_token"])
        self._form["refresh_token"] = str(body.get("refresh_token") or self._form["refresh_token"])
        told = body.get("expires_in")
        lives = told if isinstance(told, int) and told > 0 else LIVES_SECONDS
        self._renew_at = time.monotonic() + max(lives - EARLY_SECONDS, lives / 2)


Token = FixedToken | RefreshedToken
