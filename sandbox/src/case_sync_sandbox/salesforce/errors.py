"""Core: the errors that Salesforce's REST API answers with, each with its status, code and wording.

Source: REST API, Status Codes and Error Responses (codes, the array, the wording for an expired session); SOAP API, ExceptionCode. The
wordings of SOQL's errors are in no such page: they are known by use.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SalesforceError(Exception):
    """An error answer: HTTP status, `errorCode`, `message`. The body is a JSON array (Salesforce: REST status codes)."""

    status: int
    code: str
    message: str

    def body(self) -> list[dict[str, str]]:
        return [{"message": self.message, "errorCode": self.code}]


def invalid_session() -> SalesforceError:
    return SalesforceError(401, "INVALID_SESSION_ID", "Session expired or invalid")


def malformed(message: str) -> SalesforceError:
    return SalesforceError(400, "MALFORMED_QUERY", message)


def invalid_field(name: str, entity: str, column: int) -> SalesforceError:
    return SalesforceError(
        400,
        "INVALID_FIELD",
        f"\nERROR at Row:1:Column:{column}\nNo such column '{name}' on entity '{entity}'. If you are attempting to use a "
        "custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the "
        "describe call for the appropriate names.",
    )


def invalid_type(name: str) -> SalesforceError:
    return SalesforceError(
        400,
        "INVALID_TYPE",
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the "
        "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.",
    )


def not_found() -> SalesforceError:
    return SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")


def no_writes(method: str) -> SalesforceError:
    """The sync is one way: the sandbox takes no write of Salesforce data, so that a write can't pass unseen."""
    return SalesforceError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are GET")
