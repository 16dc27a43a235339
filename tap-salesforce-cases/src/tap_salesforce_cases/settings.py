"""Core: the tap's settings as a table, and the schema that `--about` shows of them."""

from __future__ import annotations

from typing import Any

# The settings that each way to log in needs; "a|b" means one of them.
NEEDED: dict[str, tuple[str, ...]] = {
    "client_credentials": ("client_id", "client_secret"),
    "jwt_bearer": ("client_id", "username", "private_key|private_key_path"),
    "refresh_token": ("client_id", "refresh_token|refresh_token_path"),
}


def _setting(kind: str, title: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], "title": title, "description": description, **more}


def _secret(title: str, description: str) -> dict[str, Any]:
    return _setting("string", title, description, secret=True, writeOnly=True)


def _choice(title: str, description: str, *values: str) -> dict[str, Any]:
    """The first value is the default."""
    return _setting(
        "string", title, description, allowed_values=list(values), enum=[*values, None], default=values[0]
    )


def _whole(title: str, description: str, default: int, low: int, high: int | None = None) -> dict[str, Any]:
    limits = {"minimum": low} | ({"maximum": high} if high is not None else {})
    return _setting("integer", title, description, default=default, **limits)


def _percent(title: str, description: str, default: float) -> dict[str, Any]:
    return _setting("number", title, description, default=default, minimum=0, maximum=100)


def _names(title: str, description: str, default: list[str]) -> dict[str, Any]:
    return _setting("array", title, description, items={"type": "string"}, default=default)


PROPERTIES: dict[str, dict[str, Any]] = {
    "login_url": _setting(
        "string", "Login URL",
        "Where to log in: your My Domain (https://NAME.my.salesforce.com; client_credentials needs it), https://login.salesforce.com, "
        "or https://test.salesforce.com for a sandbox org. https only, unless the host is this machine.",
    ),
    "auth_method": _choice("Authentication", "How to log in.", *NEEDED),
    "client_id": _setting("string", "Client id", "Consumer key of the External Client App."),
    "client_secret": _secret("Client secret", "Consumer secret of the app; for client_credentials and refresh_token."),
    "refresh_token": _secret("Refresh token", "For auth_method refresh_token."),
    "refresh_token_path": _setting(
        "string", "Refresh token file",
        "File where a refresh token that Salesforce rotated is kept (mode 0600). Once it exists it counts, not refresh_token.",
    ),
    "username": _setting("string", "User name", "User that a JWT logs in; for auth_method jwt_bearer."),
    "private_key": _secret("Private key", "RS256 private key (PEM) that signs the JWT; for auth_method jwt_bearer."),
    "private_key_path": _setting("string", "Private key file", "File with that key, instead of private_key."),
    "api_version": _setting("string", "API version", "Version of the Salesforce API.", default="66.0"),
    "start_date": _setting(
        "string", "Start date", "First SystemModstamp to read on a run without state; absent means all history.", format="date-time"
    ),
    "sync_status": _choice(
        "Sync", "paused and saved (for later): nothing is read, no call is made, the state stays as it is.", "active", "paused", "saved"
    ),
    "start_now": _setting(
        "boolean", "Start now", "A run without state reads nothing and begins with what changes from now on; with a state it has no meaning.",
        default=False,
    ),
    "sample_size": _whole(
        "Sample", "Read only so many cases, those that changed last, and leave the state alone; 0 means all.", 0, 0
    ),
    "where": _setting(
        "string", "Filter", "SOQL condition that cases have to meet, such as Priority = 'High'. A condition only: no ORDER BY, no LIMIT."
    ),
    "record_types_include": _names("Record types", "Only cases of these record types (developer name or label).", []),
    "record_types_exclude": _names("Record types left out", "No cases of these record types; cases without one stay.", []),
    "relationship_fields": _names(
        "More columns of parents", "SOQL paths from Case, such as Asset.SerialNumber; the dot becomes two underscores.", []
    ),
    "exclude_fields": _names(
        "Excluded fields", "Case fields never read. The default are two that change for each user who looks at a case.",
        ["LastViewedDate", "LastReferencedDate"],
    ),
    "lookback_seconds": _whole(
        "Lookback", "Seconds that the bookmark stays behind Salesforce's clock, so that a row committed late is still read.", 600, 0
    ),
    "use_get_updated": _setting(
        "boolean", "Ask for open transactions",
        "One more call a run: getUpdated says up to when no transaction is open, and the bookmark stays behind that.", default=False,
    ),
    "max_lookback_seconds": _whole("Longest lookback", "The most that use_get_updated may hold the bookmark back.", 86_400, 0),
    "soft_deletes": _setting(
        "boolean", "Deleted", "Emit deleted cases, as tombstones, whether they meet the filter or not; off for a run that looks at a few cases.",
        default=True,
    ),
    "hard_deletes": _setting(
        "boolean", "Deleted for good", "Emit cases that were purged from the recycle bin too, by Salesforce's delete log.", default=True
    ),
    "reconcile": _setting(
        "boolean", "Reconcile now", "Emit the ids of all cases in scope (stream case_snapshots) in this run.", default=False
    ),
    "reconcile_days": _whole("Reconcile every", "Days between two reconciliations; 0 means only when asked or needed.", 0, 0),
    "api_mode": _choice("API", "auto takes REST for little and Bulk 2.0 for much.", "auto", "rest", "bulk"),
    "bulk_threshold": _whole("Bulk from", "Rows above which Bulk 2.0 is used.", 10_000, 1),
    "bulk_window_rows": _whole("Rows of a Bulk job", "A large import is cut into windows of about so many rows.", 100_000, 1),
    "bulk_jobs_in_flight": _whole("Bulk jobs in flight", "Jobs that Salesforce works on at a time.", 3, 1, 15),
    "bulk_downloads": _whole("Downloads in flight", "Result pages downloaded at a time.", 3, 1, 5),
    "bulk_timeout_seconds": _whole("Patience with a Bulk job", "Seconds after which a job is aborted.", 3_600, 1),
    "page_size": _whole("Page size", "Rows asked for in one REST page (Salesforce gives 200 to 2,000).", 2_000, 200, 2_000),
    "quota_percent": _percent(
        "Quota of the org", "Stop when the org has used more than this share of its daily API calls.", 90
    ),
    "quota_percent_per_run": _percent(
        "Quota of a run", "Stop when this run alone has used more than this share of them.", 50
    ),
    "describe_cache_path": _setting(
        "string", "Describe cache", "File for describe answers, asked for with If-Modified-Since; absent means no cache."
    ),
    "request_timeout_seconds": _whole("Time-out", "Seconds to wait for an answer.", 120, 1),
    "max_tries": _whole("Tries", "How often a call is tried before the run ends.", 5, 1),
    "retry_wait_seconds": _setting(
        "number", "Wait before a retry", "Seconds of the first wait at most; later ones double, with jitter.", default=0.5, minimum=0
    ),
    "report_path": _setting("string", "Report file", "JSON file that a run leaves: rows, tombstones, API calls, seconds, status."),
}  # fmt: skip
JSON_SCHEMA: dict[str, Any] = {"type": "object", "properties": PROPERTIES}
