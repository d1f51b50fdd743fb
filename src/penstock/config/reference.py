"""The configuration reference `docs/configuration.md`, made from the document's types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from penstock.config.document import Accept, Document, shown
from penstock.config.needs import NEEDS
from penstock.config.policy import OPTIONS
from penstock.config.schema import field_docs, summary, unwrapped

INTRODUCTION = """\
# Configuration

<!-- Made from the types in src/penstock/config/document by scripts/generate_config_docs.py. -->

Penstock reads one file, `penstock.yaml`. Without it, providers come from the usual environment variables
and from local model servers, and the simulator is there as `sim`.

- The file is YAML 1.2, read strictly: a key that stands twice, a tag, a merge key (`<<`) or a second
  document is an error. `no`, `yes`, `on` and `1:30` are text; `017` is no number; `1e3` is a fraction,
  not a whole number.
- A key that is not known is an error that names the nearest one. All problems are reported at once, each
  with its line and column.
- `${NAME}` is replaced by the environment variable, `${NAME:-default}` falls back when it is unset or
  empty, and `$${` stands for `${`. A variable that is not set is an error.
- **Secrets** (`api_key`, `secret`, header values, database addresses) stay references: they are resolved
  when they are used, never shown, and sealed when they are stored. They may also be `${file:/path}`, the
  content of a file without its last line break, or `${vault:MOUNT/data/PATH#FIELD}` ([secrets.md](secrets.md)).
- Names have letters, digits and `_ . : @ + -`, at most 128 of them. Routes and deployments share one set
  of names.
- Sizes are bytes, or text such as `32MB` (powers of ten) and `32MiB` (powers of two); times such as
  `30d` take `s`, `m`, `h`, `d` and `w`. Money is in dollars with at most nine digits after the point,
  and exact.

A JSON Schema for editors is `src/penstock/config/penstock.schema.json`.
"""

POLICY = """\
## Policies

A policy is a tree. Text is a target: a deployment's name, or `provider/model`. Everything else is a
mapping with one key:

| node | meaning |
|---|---|
| `fallback: [a, b]` | Try the nodes in order until one answers. |
| `weighted: [{use: a, weight: 9}, {use: b, weight: 1}]` | Choose one at random; a plain node weighs 1. |
| `when: [{if: {…}, use: a}], else: b` | Use the first case whose condition holds. |
| `cheapest: [a, b]` | Try the cheapest for this request first. |
| `fastest: [a, b]` | Try the fastest of late first. |
| `sticky: [a, b]` | Keep a session, a user or a prompt's prefix at one of them. |
| `canary: {to: a, percent: 5, from: b}` | Lead a share of the users to a candidate. |
| `ab: [a, b]` | Compare arms; each user has one. |
| `easy: {simple: a, default: b, hard: c}` | Choose by how hard the prompt looks. |
| `static: "text"` | Answer with this text, marked degraded. |
| `webhook: {url: …}` | Answer with the text that a service of yours gives, marked degraded. |

A target with parameters of its own is `{use: a, set: {…}}`. [routing.md](routing.md) has each node with an
example, and what conditions can ask.

```yaml
policy:
  fallback:
    - weighted: [{use: vllm/llama-4-scout, weight: 9}, {use: sonnet, weight: 1}]
    - static: "We cannot answer just now."
```
"""

_NAMES = {
    "name": "name",
    "size": "size",
    "duration": "time",
    "decimal": "amount",
    "address": "host:port",
    "url": "URL",
    "network": "network",
    "moment": "moment",
    "lateness": "seconds or percentile",
    "policy": "policy",
    "branch": "policy, or `{use: …, weight: …}`",
    "step": "policy, or `{use: …, accept: {…}}`",
    "condition": "condition",
    "arm": "policy, or `{use: …, name: …, weight: …}`",
}


def reference_text() -> str:
    """What `docs/configuration.md` has to contain."""
    sections = [INTRODUCTION]
    seen: set[type] = set()
    for path, kind in _structs(inspect.type_info(Document), ""):
        if kind.cls in seen:
            continue
        seen.add(kind.cls)
        sections.append(_section(path, kind))
    return "\n".join([*sections, POLICY, *_options(), _later()])


def _options() -> Iterator[str]:
    """The options of each policy node that has any."""
    seen: set[type] = set()
    parts = {"cascade.steps[].accept": (Accept, "")}
    for kind, (cls, _) in [*OPTIONS.items(), *parts.items()]:
        for path, struct in _structs(inspect.type_info(cls), kind):
            if struct.cls not in seen:
                seen.add(struct.cls)
                yield _section(f"policy.{path}", struct)


def _structs(kind: inspect.Type, path: str) -> Iterator[tuple[str, inspect.StructType]]:
    """Every mapping of the document with its path, in the order of the file, `*` for a name."""
    kind, reads = unwrapped(kind)
    if reads:
        return
    if isinstance(kind, inspect.StructType):
        yield path, kind
        for field in kind.fields:
            yield from _structs(field.type, f"{path}.{field.encode_name}" if path else field.encode_name)
    elif isinstance(kind, inspect.DictType):
        yield from _structs(kind.value_type, f"{path}.*")
    elif isinstance(kind, inspect.VarTupleType):
        yield from _structs(kind.item_type, f"{path}[]")


def _section(path: str, kind: inspect.StructType) -> str:
    docs = field_docs(kind.cls)
    lines = [f"## `{path}`" if path else "## The file", "", summary(kind.cls), ""]
    lines += ["| key | takes | default | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{field.encode_name}` | {_takes(field.type)} | {_default(field)} | {docs[field.encode_name]} |"
        for field in kind.fields
    ]
    return "\n".join([*lines, ""])


def _takes(kind: inspect.Type) -> str:
    kind, reads = unwrapped(kind)
    if reads:
        return _NAMES[reads]
    if isinstance(kind, inspect.UnionType):
        return " or ".join([_takes(one) for one in kind.types if not isinstance(one, inspect.NoneType)])
    if isinstance(kind, inspect.LiteralType):
        return ", ".join(f"`{str(value).lower()}`" for value in kind.values)
    if isinstance(kind, inspect.DictType):
        return (
            "anything by name"
            if isinstance(kind.value_type, inspect.AnyType)
            else f"{_takes(kind.value_type)} by name"
        )
    if isinstance(kind, inspect.VarTupleType):
        return f"list: {_takes(kind.item_type)}"
    if isinstance(kind, inspect.CustomType):
        return "secret"
    names: dict[type, str] = {
        inspect.StructType: "mapping",
        inspect.BoolType: "`true`, `false`",
        inspect.DateType: "day",
        inspect.StrType: "text",
    }
    return names.get(type(kind)) or _number(kind)


def _number(kind: Any) -> str:
    name = "whole number" if isinstance(kind, inspect.IntType) else "number"
    bounds = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
    said = [f"{word} {getattr(kind, key):g}" for key, word in bounds.items() if getattr(kind, key) is not None]
    return " ".join([name, *said])


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    value = field.default
    if value is None or value is msgspec.NODEFAULT or value == () or isinstance(value, msgspec.Struct):
        return ""
    return f"`{msgspec.json.encode(value, enc_hook=shown).decode()}`"


def _later() -> str:
    lines = ["## What this version does not have yet", ""]
    lines += ["The schema has these keys, but using them is an error until their part is built:", ""]
    lines += ["| key | needs | fine |", "|---|---|---|"]
    for need in NEEDS:
        fine = ", ".join(f"`{value}`" for value in need.unless)
        lines.append(f"| `{need.path}` | {need.what} | {fine} |")
    return "\n".join([*lines, ""])
