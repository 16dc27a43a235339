"""Shell: logs in: signs the JWT, keeps a refresh token that Salesforce rotated, reads keys from files."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tap_salesforce_cases.errors import LoginRefusedError, SettingError, TransientError
from tap_salesforce_cases.login import (
    TOKEN_PATH,
    Session,
    assertion_claims,
    read_token,
    rotated_token,
    token_form,
)
from tap_salesforce_cases.private_files import write_privately

logger = logging.getLogger("tap-salesforce-cases")
PASSING = {408, 429, 500, 502, 503, 504}
Post = Callable[[str, Mapping[str, str]], tuple[int, Any]]


class Credentials:
    """What the settings say about logging in. Not safe among threads: the session calls it under its lock."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._refresh_token: str | None = settings["refresh_token"]

    def login(self, post: Post) -> Session:
        """A new session.

        Raises:
            LoginRefusedError: the grant was refused.
            TransientError: the login may go well later.
            SettingError: a file that a setting names can't be read.
        """
        url = self._settings["login_url"].rstrip("/")
        form = token_form(
            self._settings, assertion=self._assertion(), refresh_token=self._current_refresh_token()
        )
        status, body = post(url + TOKEN_PATH, form)
        if status in PASSING or (status < 400 and not isinstance(body, dict)):
            raise TransientError(f"Salesforce answered {status} to the login")
        session = read_token(status, body, url, sent=[v for name, v in form.items() if name != "grant_type"])
        if new := rotated_token(body, self._refresh_token):
            self._keep(new)
        return session

    def _current_refresh_token(self) -> str | None:
        path = self._settings["refresh_token_path"]
        if path and Path(path).exists():
            self._refresh_token = read_file("refresh_token_path", path).strip()
        return self._refresh_token

    def _keep(self, token: str) -> None:
        """The old token is worth nothing from now on; the new one is kept, or its loss is said loudly."""
        self._refresh_token = token
        path = self._settings["refresh_token_path"]
        if not path:
            logger.warning(
                "Salesforce rotated the refresh token and refresh_token_path is not set: the new token is lost at the end of "
                "this run and the next login will be refused. Set refresh_token_path to a file that the tap may write"
            )
            return
        try:
            write_privately(Path(path), token)
        except OSError as error:
            logger.warning(
                "Salesforce rotated the refresh token and refresh_token_path can't be written (%s): the next login will be "
                "refused. Make the file writable and log in anew",
                error.strerror,
            )

    def _assertion(self) -> str | None:
        if self._settings["auth_method"] != "jwt_bearer":
            return None
        import jwt  # noqa: PLC0415 - its cryptography is slow to import, and only this way to log in needs it

        path = self._settings["private_key_path"]
        key = (
            read_file("private_key_path", path)
            if path
            else self._settings["private_key"].replace("\\n", "\n")
        )
        try:
            return jwt.encode(assertion_claims(self._settings, time.time()), key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise LoginRefusedError("private_key is no RSA private key in PEM form") from None


def read_file(setting: str, path: str) -> str:
    """The text of a file that a setting names.

    Raises:
        SettingError: it can't be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{setting} can't be read ({type(error).__name__})") from None
