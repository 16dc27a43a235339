"""Core: HubSpot's refusals as values: what went wrong with a value, an input, a call, and the bodies that say so."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from case_sync_sandbox.hubspot.defaults import PORTAL_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueProblem:
    """One property value that HubSpot would not take. `code` is HubSpot's, such as INVALID_OPTION."""

    property_name: str
    code: str
    message: str

    def as_embedded(self) -> dict[str, Any]:
        """The form inside the message "Property values were not valid: [...]"."""
        return {
            "isValid": False,
            "message": self.message,
            "error": self.code,
            "name": self.property_name,
            "localizedErrorMessage": self.message,
            "portalId": PORTAL_ID,
        }

    def as_detail(self) -> dict[str, Any]:
        """The form inside `errors` of a single call's answer."""
        return {"message": self.message, "code": self.code, "context": {"propertyName": [self.property_name]}}


class HubSpotError(Exception):
    """An answer other than success for the whole call. The shell turns it into a response."""

    def __init__(  # noqa: PLR0913  (the members of HubSpot's Error body)
        self,
        *,
        status: int,
        category: str,
        message: str,
        sub_category: str | None = None,
        context: Mapping[str, Sequence[str]] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """`body` replaces the whole answer, for those that have another form."""
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.sub_category = sub_category
        self.context = context
        self.errors = errors
        self.body = body

    def as_json(self, correlation_id: str) -> dict[str, Any]:
        """HubSpot's Error body ("Error handling")."""
        if self.body is not None:
            return dict(self.body)
        answer: dict[str, Any] = {
            "status": "error",
            "message": self.message,
            "correlationId": correlation_id,
            "category": self.category,
        }
        if self.sub_category:
            answer["subCategory"] = self.sub_category
        if self.context:
            answer["context"] = {name: list(values) for name, values in self.context.items()}
        if self.errors:
            answer["errors"] = list(self.errors)
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class InputError:
    """Why one input of a batch was not taken; listed in a 207's `errors`, or the reason of the whole call's refusal."""

    category: str
    message: str
    status: int = 400
    sub_category: str | None = None
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    problems: Sequence[ValueProblem] = ()

    def as_json(self, trace_id: str | None = None) -> dict[str, Any]:
        """HubSpot's StandardError ("Multi-status errors")."""
        context = {name: list(values) for name, values in self.context.items()}
        if trace_id is not None:
            context["objectWriteTraceId"] = [trace_id]
        answer: dict[str, Any] = {"status": "error", "category": self.category, "message": self.message}
        if self.sub_category:
            answer["subCategory"] = self.sub_category
        if context:
            answer["context"] = context
        return answer

    def for_whole_call(self) -> HubSpotError:
        """The same reason when it refuses the call."""
        return HubSpotError(
            status=self.status,
            category=self.category,
            message=self.message,
            sub_category=self.sub_category,
            context=self.context or None,
            errors=[problem.as_detail() for problem in self.problems],
        )


def invalid_values(problems: Sequence[ValueProblem]) -> InputError:
    """The refusal of an input for its property values."""
    embedded = json.dumps(
        [problem.as_embedded() for problem in problems], separators=(",", ":"), ensure_ascii=False
    )
    return InputError(
        category="VALIDATION_ERROR",
        message=f"Property values were not valid: {embedded}",
        problems=tuple(problems),
    )


def validation_error(message: str, **context: Sequence[str]) -> HubSpotError:
    """A 400 for the whole call."""
    return HubSpotError(status=400, category="VALIDATION_ERROR", message=message, context=context or None)


def invalid_json(detail: str) -> HubSpotError:
    """A 400 for a body that is not the schema's."""
    return validation_error(f"Invalid input JSON on line 1, column 1: {detail}")


def not_found(message: str = "resource not found", **context: Sequence[str]) -> HubSpotError:
    """A 404 for the whole call."""
    return HubSpotError(status=404, category="OBJECT_NOT_FOUND", message=message, context=context or None)


def some_not_found(singular: str, ids: Sequence[str]) -> InputError:
    """The one error that a batch lists for all its unknown ids; it carries no trace id."""
    return InputError(
        status=404,
        category="OBJECT_NOT_FOUND",
        message=(
            f"Could not get some {singular.upper()} objects, they may be deleted or not exist. "
            "Check that ids are valid."
        ),
        context={"ids": list(ids)},
    )
