"""Shell: the sandbox's own calls under /_sandbox, the same on both ports: health, faults, requests, clock, seed, mutate, reset."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from case_sync_sandbox.clock import Clock
from case_sync_sandbox.faults import FaultPlan, FaultRuleError, rule_from_json
from case_sync_sandbox.hubspot.admin import summary as hubspot_summary
from case_sync_sandbox.hubspot.hub import Hub
from case_sync_sandbox.hubspot.loading import load_portal, portal_load_from_seed
from case_sync_sandbox.request_log import RequestLog
from case_sync_sandbox.salesforce.store import SalesforceStore
from case_sync_sandbox.screens import CASE_COLUMNS
from case_sync_sandbox.seeding.csv_cases import CsvError
from case_sync_sandbox.seeding.filling import Wanted, load_csv, mutate, seed
from case_sync_sandbox.seeding.portal_seed import PortalSeed

Handler = Callable[[Request, Any], Any]


class AdminError(ValueError):
    """The call asks for something that can't be; the message says what to do."""


class Admin:
    """The handlers, over both halves."""

    def __init__(
        self, *, clock: Clock, plan: FaultPlan, log: RequestLog, salesforce: SalesforceStore, hub: Hub
    ) -> None:
        """Work on these."""
        self._clock = clock
        self._plan = plan
        self._log = log
        self._salesforce = salesforce
        self._hub = hub

    def app(self) -> Starlette:
        """The ASGI application."""
        table: list[tuple[str, list[str], Handler]] = [
            ("health", ["GET"], self.health),
            ("faults", ["GET", "POST", "DELETE"], self.faults),
            ("requests", ["GET", "POST", "DELETE"], self.requests),
            ("clock", ["GET", "POST"], self.clock),
            ("seed", ["POST"], self.seed),
            ("mutate", ["POST"], self.mutate),
            ("reset", ["POST"], self.reset),
            ("show", ["GET"], self.show),
            ("cases", ["GET"], self.cases),
        ]
        return Starlette(
            routes=[
                Route(f"/_sandbox/{path}", _endpoint(work), methods=methods) for path, methods, work in table
            ]
        )

    def health(self, _request: Request, _body: Any) -> Any:
        """GET: that it runs, the process to stop, and the sandbox's time."""
        return {"ok": True, "pid": os.getpid(), "now": self._clock.now().isoformat()}

    def faults(self, request: Request, body: Any) -> Any:
        """GET the rules with counts; POST one rule or {"rules": [...]} to add; DELETE all."""
        if request.method == "DELETE":
            self._plan.clear()
        elif request.method == "POST":
            for rule in [rule_from_json(value) for value in body.get("rules", [body])]:
                self._plan.add(rule)
        return {
            "rules": [
                {
                    "half": rule.half,
                    "path": rule.path.pattern,
                    "action": rule.action.kind,
                    "matched": matched,
                    "hit": hit,
                }
                for rule, matched, hit in self._plan.counts()
            ]
        }

    def requests(self, request: Request, body: Any) -> Any:
        """GET ?since=&path=&half=&method=; POST {"keep_bodies": bool}; DELETE clears."""
        if request.method == "DELETE":
            self._log.clear()
        elif request.method == "POST":
            self._log.keep_bodies = bool(body["keep_bodies"])
        query = request.query_params
        entries = self._log.select(
            since=int(query.get("since", 0)),
            path=query.get("path", ""),
            half=query.get("half"),
            method=query.get("method"),
        )
        return {"requests": [entry.as_json() for entry in entries]}

    def clock(self, request: Request, body: Any) -> Any:
        """GET how it stands; POST {"freeze": true | "2026-01-31T12:00:00Z"}, {"offset": s}, {"advance": s} or {"reset": true}."""
        if request.method == "POST":
            self._turn_clock(body)
        setting = self._clock.setting
        frozen = setting.frozen_at.isoformat() if setting.frozen_at else None
        return {
            "now": self._clock.now().isoformat(),
            "frozen_at": frozen,
            "offset_seconds": setting.offset_seconds,
        }

    def _turn_clock(self, body: dict[str, Any]) -> None:
        if body.get("reset"):
            self._clock.reset()
        if freeze := body.get("freeze"):
            self._clock.freeze(None if freeze is True else _moment(str(freeze)))
        if "offset" in body:
            self._clock.offset(float(body["offset"]))
        if "advance" in body:
            self._clock.advance(float(body["advance"]))

    def seed(self, _request: Request, body: Any) -> Any:
        """POST {"cases": n, "random_seed": n, "accounts": n, "contacts": n} or {"from_csv": path, "columns": {...}}: fills an empty org and its portal."""
        body = body or {}
        if there := self._count_cases(deleted=False) + self._count_cases(deleted=True):
            raise AdminError(f"the org holds {there} cases already: reset the sandbox before seeding it")
        if "from_csv" in body:
            portal = load_csv(self._salesforce, self._clock, Path(body["from_csv"]), body.get("columns"))
        else:
            portal = seed(
                self._salesforce,
                self._clock,
                cases=int(body.get("cases", 1000)),
                random_seed=int(body.get("random_seed", 7)),
                **{name: int(body[name]) for name in ("accounts", "contacts") if body.get(name) is not None},
            )
        return self._loaded(portal)

    def _loaded(self, portal: PortalSeed) -> dict[str, Any]:
        made = load_portal(self._hub, portal_load_from_seed(portal))
        return {
            "cases": self._count_cases(deleted=False),
            "companies": len(made["companies"]),
            "contacts": len(made["contacts"]),
            "owners": len(portal.owners),
            "pipelines": len(portal.pipelines),
        }

    def mutate(self, _request: Request, body: Any) -> Any:
        """POST {"edits", "closes", "deletes", "undeletes", "merges", "adds": n, "random_seed"}: says the ids by kind."""
        wanted = dict(body or {})
        random_seed = int(wanted.pop("random_seed", 7))
        return asdict(mutate(self._salesforce, self._clock, Wanted(**wanted), random_seed=random_seed))

    def reset(self, _request: Request, _body: Any) -> Any:
        """POST: both halves empty, no faults, no log, the real time."""
        self._clock.reset()
        self._plan.reset()
        self._log.clear()
        self._log.keep_bodies = False
        self._salesforce.reset()
        self._hub.reset()
        return {"ok": True}

    def show(self, request: Request, _body: Any) -> Any:
        """GET the counts of both halves."""
        return {
            "salesforce": {
                "cases": self._count_cases(deleted=False),
                "deleted": self._count_cases(deleted=True),
            },
            "hubspot": hubspot_summary(self._hub, request, None),
        }

    def _count_cases(self, *, deleted: bool) -> int:
        return int(
            self._salesforce.rows('SELECT count(*) FROM "Case" WHERE "IsDeleted" = ?', (int(deleted),))[0][0]
        )

    def cases(self, request: Request, _body: Any) -> Any:
        """GET ?limit=: the cases changed last, with their record type and account by name."""
        rows = self._salesforce.rows(
            'SELECT c."CaseNumber", c."Subject", c."Status", r."Name", a."Name", c."SystemModstamp" FROM "Case" AS c'
            ' LEFT JOIN "RecordType" AS r ON r."Id" = c."RecordTypeId" LEFT JOIN "Account" AS a ON a."Id" = c."AccountId"'
            ' WHERE c."IsDeleted" = 0 ORDER BY c."SystemModstamp" DESC, c."Id" DESC LIMIT ?',
            (int(request.query_params.get("limit", 10)),),
        )
        return {"cases": [dict(zip(CASE_COLUMNS, row, strict=True)) for row in rows]}


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise AdminError(f"{text} has no time zone; add Z")
    return moment


def _endpoint(handler: Handler) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        raw = await request.body()
        try:
            body = orjson.loads(raw) if raw else None
            result, status = await run_in_threadpool(handler, request, body), 200
        except (AdminError, CsvError, FaultRuleError, KeyError, TypeError, ValueError) as error:
            result, status = {"error": str(error)}, 400
        return Response(orjson.dumps(result), status_code=status, media_type="application/json")

    return serve
