"""Core: what an administrator of the sandbox's Salesforce may turn."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Switches:
    """What an administrator of the sandbox may turn; each stands for a fact of Salesforce's that a sync must bear."""

    hidden_fields: set[tuple[str, str]] = field(default_factory=set)  # field-level security
    hidden_objects: set[str] = field(default_factory=set)  # object permission
    null_fields_of_deleted: bool = False  # deleted rows may come with emptied fields
    query_timeout_above_rows: int | None = None  # QUERY_TIMEOUT for bigger windows
    expire_locators: bool = False
    purged_log: bool = False  # the delete log was purged: INVALID_REPLICATION_DATE
    limit_message: str | None = None  # REQUEST_LIMIT_EXCEEDED with this text
    per_app_usage: bool = False  # the longer flavour of Sforce-Limit-Info
    daily_limit: int = 100_000
    max_page_rows: int = 2000
    max_replication_ids: int = 600_000  # more in a window of getDeleted or getUpdated: EXCEEDED_ID_LIMIT
    bulk_outcome: str = "JobComplete"  # or Failed, Aborted, InProgress (stuck)
    bulk_polls: int = 1  # how often a job answers InProgress before it ends
    bulk_page_records: int = (
        50_000  # what a result page holds when maxRecords is left out; Salesforce's number is not published
    )
    rotate_refresh_tokens: bool = False
    organization_id: str | None = None  # logins lead to another org than the data was read from before
    user_id: str | None = None  # logins are another user's
    log_starts: str | None = None  # earliestDateAvailable of getDeleted, when older deletions were purged
