"""Core: which address of a webhook may be called: https, or this very machine; the plugins' rule for their vendors' addresses."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# A scheme, a host, a port and a path, and nothing that two readers of addresses could read in two ways (a backslash, an @ before the path,
# other alphabets). A path, unlike the plugins' addresses: it is what a webhook is known by.
ADDRESS = re.compile(
    r"(https?)://([a-z0-9.-]+|\[::1\])(?::\d{1,5})?(?:/[\w.~:/?@!$&'()*+,;=%\[\]-]*)?",
    re.ASCII | re.IGNORECASE,
)
# A name, and no number in disguise: its last label begins with a letter.
HOST_NAME = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?", re.ASCII | re.IGNORECASE
)
RULE = "it must start with https:// and a host by its name, without a user (http is allowed for 127.0.0.1 and localhost)"


def is_allowed_url(url: str) -> bool:
    """Whether what is told, and the path, which is a secret, can be read by nobody on the way."""
    found = ADDRESS.fullmatch(url)
    if found is None or not _has_port_of_tcp(url):
        return False
    scheme, host = found[1].lower(), found[2].strip("[]").lower()
    return host in LOOPBACK or (scheme == "https" and bool(HOST_NAME.fullmatch(host)))


def _has_port_of_tcp(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False
