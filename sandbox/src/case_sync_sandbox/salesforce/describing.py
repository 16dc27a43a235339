"""Core: describe answers, made from the schema and from what the user may read.

Source: Salesforce REST API, sObject Describe and Describe Global; SOAP API, DescribeSObjectResult and Field (the members).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from case_sync_sandbox.salesforce.ids import KEY_PREFIXES
from case_sync_sandbox.salesforce.schema import UNFILTERABLE, UNSORTABLE, Field, SObject

SOAP_TYPES = {
    "boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double", "currency": "xsd:double", "percent": "xsd:double",
    "date": "xsd:date", "datetime": "xsd:dateTime", "id": "tns:ID", "reference": "tns:ID",
}  # fmt: skip


# Each object has this record type; describe lists it last (Salesforce: recordTypeInfos).
MASTER_RECORD_TYPE = {
    "recordTypeId": "012000000000000AAA",
    "name": "Master",
    "developerName": "Master",
    "active": True,
    "available": True,
    "master": True,
    "defaultRecordTypeMapping": True,
}


def describe_field(f: Field, picklist: Sequence[str]) -> dict[str, Any]:
    """One field as `fields[]` of a describe shows it; `picklist` are its active values."""
    return {
        "name": f.name,
        "label": f.label or f.name,
        "type": f.type,
        "soapType": SOAP_TYPES.get(f.type, "xsd:string"),
        "length": f.length,
        "precision": 18 if f.type in {"double", "currency", "percent"} else 0,
        "scale": 2 if f.type in {"double", "currency", "percent"} else 0,
        "digits": 9 if f.type == "int" else 0,
        "nillable": f.type not in {"id", "boolean"},
        "calculated": f.calculated,
        "custom": f.custom,
        "referenceTo": list(f.reference_to),
        "relationshipName": f.relationship,
        "compoundFieldName": f.compound,
        "picklistValues": [
            {"value": v, "label": v, "active": True, "defaultValue": False, "validFor": None}
            for v in picklist
        ],
        "filterable": f.type not in UNFILTERABLE,
        "sortable": f.type not in UNSORTABLE,
        "groupable": f.type not in {"textarea", "double", "currency"},
        "createable": not f.calculated,
        "updateable": False,
        "externalId": f.name == "External_Reference__c",
        "idLookup": f.name == "Id",
        "autoNumber": f.name == "CaseNumber",
        "unique": False,
        "deprecatedAndHidden": False,
    }


def describe_object(
    sobject: SObject, fields: Sequence[dict[str, Any]], record_types: Sequence[dict[str, Any]], version: str
) -> dict[str, Any]:
    return {
        **summary(sobject, version),
        "fields": list(fields),
        "recordTypeInfos": list(record_types),
        "childRelationships": [],
    }


def picklist_answer(values: Sequence[str]) -> dict[str, Any]:
    """User Interface API, Picklist Values; without what depends on a controlling field."""
    return {
        "controllerValues": {},
        "defaultValue": None,
        "values": [{"attributes": None, "label": v, "validFor": [], "value": v} for v in values],
    }


def is_replicateable(sobject: SObject) -> bool:
    """Whether getDeleted and getUpdated work (describe: replicateable)."""
    return sobject.deletable or sobject.name in {"User", "RecordType"}


def summary(sobject: SObject, version: str) -> dict[str, Any]:
    """One object as the global describe lists it."""
    url = f"/services/data/{version}/sobjects/{sobject.name}"
    return {
        "name": sobject.name,
        "label": sobject.name,
        "keyPrefix": KEY_PREFIXES[sobject.name],
        "custom": False,
        "queryable": True,
        "retrieveable": True,
        "searchable": sobject.deletable,
        "replicateable": is_replicateable(sobject),
        "undeletable": sobject.deletable,
        "mergeable": sobject.name in {"Account", "Contact", "Case"},
        "createable": False,
        "updateable": False,
        "deletable": False,
        "deprecatedAndHidden": False,
        "urls": {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"},
    }
