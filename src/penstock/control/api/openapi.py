"""The OpenAPI document: what Litestar knows of the handlers, with the bodies in the shape of the file."""

from __future__ import annotations

import json
from typing import Any, cast

from litestar import Litestar

from penstock.config.schema import definitions_of
from penstock.control.api.drills import drill_schema
from penstock.control.api.routing import question_schema
from penstock.control.kinds import KINDS, KindInfo
from penstock.control.login.sessions import COOKIE
from penstock.control.problems import CODES

_BEARER = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An admin credential."},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Who has logged in."},
}
_PROBLEM = "#/components/schemas/ProblemDetails"
# Statuses that any operation may answer with, and those of operations that change something.
_ALWAYS = (400, 401, 403, 404, 503)
_CHANGES = (409, 412, 413, 415, 422)
_OPEN_FIELD = {
    "service_account": {"type": "string", "description": "The service account that the key is of."},
    "admin_api": {
        "type": "boolean",
        "description": "Whether the key opens the admin API in the name of its user or service account.",
    },
}
_NAME = {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,127}$"}

# Where passwords are compared or hashed, attempts are counted.
_PASSWORD_PATH = "/admin/api/orgs/{org}/users/{name}/password"  # noqa: S105 - a path
_COUNTED = {("post", "/admin/api/session"), ("put", _PASSWORD_PATH), ("get", "/admin/api/login/{provider}")}
# What somebody who is not known yet may ask.
_OPEN = frozenset({"login_methods", "log_in", "begin_login", "finish_login", "provider_logout"})
# Where a browser comes, and an identity provider is asked.
_BROWSED = frozenset({"begin_login", "finish_login"})

Schema = dict[str, Any]


def document(app: Litestar) -> bytes:
    """The document as JSON."""
    told: Schema = app.openapi_schema.to_schema()
    schemas: Schema = told.setdefault("components", {}).setdefault("schemas", {})
    specs = definitions_of(*(info.body for info in KINDS.values()))
    _fit(specs)
    schemas.update({name: _moved(schema) for name, schema in specs.items()})
    schemas["ProblemDetails"] = _problem()
    told["components"]["securitySchemes"] = _BEARER
    told["security"] = [{"bearer": []}, {"session": []}]
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            _finish(method, operation, path)
    for info in KINDS.values():
        _typed(told, info)
    _body(told, "/admin/api/session", "post", _texts("user", "password", may="org"))
    told["paths"]["/admin/api/login/{provider}/logout"]["post"]["requestBody"] = {
        "required": True,
        "content": {"application/x-www-form-urlencoded": {"schema": _texts("logout_token", may="more")}},
    }
    _body(told, _PASSWORD_PATH, "put", _texts("password", may="current"))
    _body(told, "/admin/api/keys", "post", _new_key())
    _body(told, "/admin/api/apply", "post", _changes())
    _body(told, "/admin/api/routes/{name}/explain", "post", question_schema())
    _body(told, "/admin/api/routes/{name}/drill", "post", drill_schema())
    return json.dumps(told).encode()


def _fit(specs: Schema) -> None:
    """The types of the file as bodies here: without what stands in the address or is an object."""
    key, org = specs["VirtualKey"], specs["Org"]
    for name in ("name", "secret", "org", "previous"):
        key["properties"].pop(name)
    key.pop("required", None)
    key["properties"].update(_OPEN_FIELD)
    org["properties"].pop("teams")
    org["properties"].pop("throttles")
    org["properties"]["users"] = {
        "type": "object",
        "properties": {"*": {"$ref": "#/$defs/User"}},
        "additionalProperties": False,
        "description": "Bounds of each user without bounds of their own.",
    }


def _finish(method: str, operation: Schema, path: str) -> None:
    responses: Schema = operation["responses"]
    ok = {status: said for status, said in responses.items() if status[0] in "23"}
    browsed = operation["operationId"] in _BROWSED
    if operation["operationId"] in _OPEN:
        operation["security"] = []
    changes = method != "get"
    if method == "get" and any(one["name"] == "If-None-Match" for one in operation.get("parameters", [])):
        ok["304"] = {"description": "The caller has it already."}
    if method == "put":
        ok["201"] = {**ok["200"], "description": "It was made."}
        ok["200"] = {**ok["200"], "description": "It was changed, or was so already."}
    counted = (429,) if (method, path) in _COUNTED else ()
    failed = (502,) if browsed else ()
    for status in (*_ALWAYS, *(_CHANGES if changes else ()), *counted, *failed):
        codes = sorted(code for code, (known, _) in CODES.items() if known == status)
        ok[str(status)] = {
            "description": ", ".join(codes),
            "content": {"application/problem+json": {"schema": {"$ref": _PROBLEM}}},
        }
        if browsed:
            ok[str(status)]["content"]["text/html"] = {"schema": {"type": "string"}}
    operation["responses"] = ok
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path" and parameter["schema"].get("type") == "string":
            parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": 128}
    if path.endswith("/export"):
        kinds = ("application/x-ndjson", *(["text/csv"] if path.endswith("/metering/export") else []))
        ok["200"] = {
            "description": "One entry a line.",
            "content": {kind: {"schema": {"type": "string"}} for kind in kinds},
        }


def _typed(told: Schema, info: KindInfo) -> None:
    """The kind's own body and answer, instead of anything."""
    schemas: Schema = told["components"]["schemas"]
    base = "KeyView" if info.kind == "key" else "ItemView"
    spec = {"$ref": f"#/components/schemas/{info.body.__name__}"}
    own = f"{info.body.__name__}Item"
    schemas[own] = {"allOf": [{"$ref": f"#/components/schemas/{base}"}]}
    if info.kind != "key":
        schemas[own]["allOf"].append({"type": "object", "description": info.what})
    for operations in told["paths"].values():
        for method, operation in operations.items():
            if operation.get("operationId") == f"put_{info.kind}":
                operation["requestBody"] = _json_body(spec)
            if operation.get("operationId") in {f"put_{info.kind}", f"get_{info.kind}"}:
                for status in ("200", "201"):
                    if status in operation["responses"]:
                        operation["responses"][status]["content"] = {
                            "application/json": {"schema": {"$ref": f"#/components/schemas/{own}"}}
                        }
            if operation.get("operationId") == f"list_{info.kind}" and info.kind == "key":
                operation["responses"]["200"]["content"] = {"application/json": {"schema": _page_of("KeyView")}}
            del method


def _page_of(item: str) -> Schema:
    return {
        "type": "object",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{item}"}},
            "next_cursor": {"type": ["string", "null"]},
        },
    }


def _body(told: Schema, path: str, method: str, schema: Schema) -> None:
    told["paths"][path][method]["requestBody"] = _json_body(schema)


def _json_body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _new_key() -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": _NAME,
            "org": {"type": "string", "description": "The organisation; without it, the installation's own."},
            "spec": {"$ref": "#/components/schemas/VirtualKey"},
        },
    }


def _texts(*must: str, may: str) -> Schema:
    properties = {name: {"type": "string"} for name in (*must, may)}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(must),
        "properties": properties,
    }


def _changes() -> Schema:
    def section(name: str) -> Schema:
        return {"type": "object", "additionalProperties": {"$ref": f"#/components/schemas/{name}"}}

    names = {"type": "array", "items": {"type": "string"}}
    kinds = {"providers": "Provider", "deployments": "Deployment", "guards": "Guard", "routes": "Route"}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "set": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    **{name: section(kind) for name, kind in kinds.items()},
                    "orgs": {"type": "object", "additionalProperties": {"type": "object"}},
                },
            },
            "remove": {
                "type": "object",
                "additionalProperties": False,
                "properties": dict.fromkeys((*kinds, "orgs"), names),
            },
        },
    }


def _problem() -> Schema:
    error = {
        "type": "object",
        "required": ["path", "message", "hint"],
        "properties": {name: {"type": "string"} for name in ("path", "message", "hint")},
    }
    return {
        "type": "object",
        "description": "RFC 9457 problem details.",
        "required": ["type", "title", "status", "code", "detail", "request_id", "errors"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"enum": sorted(CODES)},
            "detail": {"type": "string"},
            "request_id": {"type": "string"},
            "errors": {"type": "array", "items": error},
        },
    }


def _moved(schema: object) -> Any:
    """The same schema with its references where OpenAPI keeps them."""
    if isinstance(schema, dict):
        found = cast("dict[str, object]", schema)
        return {
            key: value.replace("#/$defs/", "#/components/schemas/")
            if key == "$ref" and isinstance(value, str)
            else _moved(value)
            for key, value in found.items()
        }
    return [_moved(one) for one in cast("list[object]", schema)] if isinstance(schema, list) else schema
