"""What tests of the Salesforce half start from: a seeded sandbox and a client that is logged in."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from case_sync_sandbox.testing import RunningSandbox

LOGIN = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
V = "/services/data/v67.0"
NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


class Org:
    """A sandbox's Salesforce with one session."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        self.http = httpx.Client(base_url=sandbox.salesforce_url, timeout=30, trust_env=False)
        self.login()

    def login(self) -> None:
        token = self.http.post("/services/oauth2/token", data=LOGIN).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.http.get(V + path, params=query)

    def soql(self, text: str, *, every: bool = True) -> list[dict]:
        """The records of all pages; deleted ones too."""
        answer = self.get("/queryAll" if every else "/query", q=text)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found = page["records"]
        while not page["done"]:
            page = self.http.get(page["nextRecordsUrl"]).json()
            found += page["records"]
        return found

    def error(self, text: str) -> tuple[int, str, str]:
        answer = self.get("/query", q=text)
        body = answer.json()[0]
        return answer.status_code, body["errorCode"], body["message"]

    def switch(self, **switches: object) -> None:
        self.http.post("/_sandbox/salesforce/switches", json=switches).raise_for_status()

    def stored(self, name: str = "Case") -> list[dict]:
        """Every record as it is kept."""
        return self.http.get("/_sandbox/salesforce/records", params={"object": name}).json()

    def change(self, action: str, **what: object) -> None:
        self.http.post("/_sandbox/salesforce/records", json={"action": action, **what}).raise_for_status()

    def describe(self, name: str = "Case") -> dict:
        answer = self.get(f"/sobjects/{name}/describe")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def types(self, name: str = "Case") -> dict[str, str]:
        """Field name -> type, of all fields that the user may read."""
        return {f["name"]: f["type"] for f in self.describe(name)["fields"]}

    def now(self) -> datetime:
        """The sandbox's clock."""
        return datetime.fromisoformat(self.sandbox.admin("GET", "clock")["now"])

    def advance(self, *, seconds: float) -> None:
        """Turn the clock on, and log in anew: a session lasts two hours."""
        self.sandbox.admin("POST", "clock", {"advance": seconds})
        self.login()

    def act(self, path: str, body: object = None) -> dict:
        answer = self.http.post(f"/_sandbox/salesforce/{path}", json=body or {})
        answer.raise_for_status()
        return answer.json()


@pytest.fixture
def org(sandbox: RunningSandbox) -> Iterator[Org]:
    """An org of 300 cases."""
    sandbox.seed(300)
    org = Org(sandbox)
    yield org
    org.http.close()


@pytest.fixture
def empty_org(sandbox: RunningSandbox) -> Iterator[Org]:
    """An org without records."""
    org = Org(sandbox)
    yield org
    org.http.close()


@pytest.fixture
def frozen(sandbox: RunningSandbox) -> Iterator[Org]:
    """An org of 60 cases whose clock stands at noon."""
    sandbox.admin("POST", "clock", {"freeze": NOON.isoformat()})
    sandbox.seed(60)
    org = Org(sandbox)
    yield org
    org.http.close()


def as_rest(stored: dict[str, Any], types: dict[str, str]) -> dict[str, Any]:
    """A stored record as REST has to show it: moments with milliseconds and +0000, checkboxes as booleans."""
    shows = {"datetime": lambda v: f"{v}.000+0000", "boolean": bool}
    return {
        name: stored[name] if stored[name] is None else shows.get(kind, lambda v: v)(stored[name])
        for name, kind in types.items()
    }


def as_csv(stored: dict[str, Any], types: dict[str, str]) -> dict[str, str]:
    """A stored record as Bulk 2.0 has to show it: all texts, moments with Z, an empty text for null."""
    shows = {"datetime": lambda v: f"{v}.000Z", "boolean": lambda v: "true" if v else "false"}
    return {
        name: "" if stored[name] is None else str(shows.get(kind, str)(stored[name]))
        for name, kind in types.items()
    }


def fields_of(record: dict[str, Any]) -> dict[str, Any]:
    """A REST record without its attributes."""
    return {name: value for name, value in record.items() if name != "attributes"}
