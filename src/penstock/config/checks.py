"""What must agree across the document: names, targets, references and values that belong together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from penstock.config import node as nodes
from penstock.config.access_checks import access_problems, header_problems, signs
from penstock.config.allowance_checks import allowance_problems, throttle_problems
from penstock.config.cache_checks import cache_problems
from penstock.config.document import Document, Price, Provider, Secret, VirtualKey
from penstock.config.guard_checks import guard_problems
from penstock.config.held_back_checks import judge_problems
from penstock.config.login_checks import login_problems
from penstock.config.node import Node
from penstock.config.policy_checks import policy_problems
from penstock.config.problem import Problem, child, nearest, suggestion
from penstock.config.scope_checks import scope_problems
from penstock.config.server_checks import server_problems
from penstock.config.token_checks import token_problems
from penstock.core.rates import UNITS

# Guards that need no configuration of their own.
BUILT_IN_GUARDS = frozenset({"schema"})
# What the gateway itself decides in a request; a deployment that set them would undo what was authorised.
OWNED_PARAMETERS = frozenset(
    {"model", "stream", "stream_options", "messages", "input", "store", "previous_response_id"}
)
SUGGESTED_TARGETS = 3
# Parameters of ours, which every API has a place for.
PROMPT_KEYS = ("system_prompt", "system_prefix", "system_suffix")
OUTPUT_LIMIT = "output_limit"


class Checks:
    """One pass over one document. Names count as known when they stand in the file, readable or not."""

    def __init__(
        self,
        document: Document,
        root: Node | None,
        places: Mapping[str, tuple[int, int]],
        kept: Mapping[str, Sequence[int]],
        targets: Collection[tuple[Node, str, str]],
        sets: Collection[tuple[str, dict[str, Any]]] = (),
    ) -> None:
        self.document = document
        self.kept = kept
        self.places = places
        self.targets = targets
        self.sets = sets
        self.problems: list[Problem] = []
        self.names = {
            section: _keys(root, section)
            for section in ("providers", "deployments", "guards", "orgs", "routes")
        }

    def run(self) -> list[Problem]:
        """All problems, in no particular order."""
        steps: tuple[Callable[[], None], ...] = (
            self._server,
            self._names,
            self._providers,
            self._deployments,
            self._targets,
            self._routes,
            self._judges,
            self._guards,
            self._keys,
            self._tenants,
            self._tokens,
            self._logins,
            self._defaults,
            self._allowances,
            self._policies,
        )
        for step in steps:
            step()
        return self.problems

    def _report(self, path: str, message: str, hint: str = "") -> None:
        line, column = self.places.get(path) or self.places.get(path.rpartition(".")[0], (0, 0))
        self.problems.append(Problem(path=path, line=line, column=column, message=message, hint=hint))

    def _unknown(self, path: str, what: str, name: str, known: Collection[str]) -> None:
        hint = suggestion(name, known) or (f"known: {', '.join(sorted(known)[:8])}" if known else "")
        self._report(path, f"no {what} {name!r}", hint)

    def _allowances(self) -> None:
        for path, message, hint in allowance_problems(self.document, self.names["routes"]):
            self._report(path, message, hint)
        for path, message, hint in throttle_problems(self.document, self.names["routes"]):
            self._report(path, message, hint)

    def _server(self) -> None:
        for path, message, hint in server_problems(self.document.server):
            self._report(path, message, hint)

    def _names(self) -> None:
        for name in self.names["routes"] & self.names["deployments"]:
            hint = "clients could not tell them apart; rename one"
            self._report(child("routes", name), "a deployment has the same name", hint)

    def _providers(self) -> None:
        for name, provider in self.document.providers.items():
            path = child("providers", name)
            self._address(provider, path)
            for at, message, hint in (
                *header_problems(provider.headers, path),
                *access_problems(provider, path),
            ):
                self._report(at, message, hint)
            if provider.kind == "simulator":
                for key in ("base_url", "api_key", "headers"):
                    if getattr(provider, key):
                        self._report(child(path, key), "the simulator has none", "remove the key")
            elif provider.kind == "openai" and not any(
                child(path, key) in self.places for key in ("base_url", "api_key")
            ):
                hint = "add api_key, or base_url for another server"
                self._report(path, "OpenAI needs an api_key", hint)

    def _address(self, provider: Provider, path: str) -> None:
        for key in ("region", "account", "project"):
            used = key in provider.address_parts or (key == "region" and signs(provider))
            if getattr(provider, key) is not None and not used:
                self._report(child(path, key), "has no effect", "this provider's address has no such part")
        if provider.url is None and provider.kind != "simulator":
            missing = [name for name in provider.address_parts if getattr(provider, name) is None]
            self._report(path, "its address is not known", f"add base_url, or {' and '.join(missing)}")

    def _deployments(self) -> None:
        for name, deployment in self.document.deployments.items():
            path = child("deployments", name)
            if deployment.provider not in self.names["providers"]:
                self._unknown(child(path, "provider"), "provider", deployment.provider, self.names["providers"])
            self._set(deployment.set, child(path, "set"))
            if deployment.price is not None:
                self._price(deployment.price, child(path, "price"))

    def _set(self, fields: Mapping[str, object], path: str) -> None:
        """Parameters of a deployment, or at its place in a policy."""
        for key in fields:
            if key.lower() in OWNED_PARAMETERS:
                self._report(child(path, key), "cannot be set", "the gateway owns this parameter")
        for key in ("service_tier", *PROMPT_KEYS):
            if not isinstance(fields.get(key), str | None):
                self._report(
                    child(path, key), "not a text", "" if key in PROMPT_KEYS else "name a tier of the vendor"
                )
        limit = fields.get(OUTPUT_LIMIT, 1)
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            self._report(child(path, OUTPUT_LIMIT), "not a whole number above 0", "name a number of tokens")

    def _price(self, price: Price, path: str) -> None:
        if all(getattr(price, unit) is None for unit in UNITS):
            self._report(path, "a price without any unit", "write input and output; 0 means free")
        above = [tier.above_input for tier in price.tiers]
        if sorted(set(above)) != above:
            self._report(child(path, "tiers"), "tiers out of order", "list them by above_input, ascending")

    def _targets(self) -> None:
        deployments, providers = self.names["deployments"], self.names["providers"]
        for node, path, target in self.targets:
            provider, slash, model = target.partition("/")
            if target in deployments or (slash and provider in providers and model):
                continue
            known = [*deployments, *(f"{name}/{model or '…'}" for name in providers)]
            close = nearest(target, known, SUGGESTED_TARGETS, 0.5)
            hint = (
                f"did you mean {' or '.join(map(repr, close))}?"
                if close
                else "name a deployment, or provider/model"
            )
            message = f"no deployment {target!r}"
            if target in self.names["routes"]:
                message, hint = f"{target!r} is a route", "a policy names deployments or provider/model"
            elif slash:
                message = f"no provider {provider!r} for {target!r}" if model else f"no model in {target!r}"
            self.problems.append(
                Problem(path=path, line=node.line, column=node.column, message=message, hint=hint)
            )

    def _routes(self) -> None:
        for path, fields in self.sets:
            self._set(fields, path)
        for name, route in self.document.routes.items():
            path = child("routes", name)
            if route.retry.backoff_s > route.retry.max_backoff_s:
                self._report(
                    child(path, "retry"), "backoff_s is more than max_backoff_s", "raise max_backoff_s"
                )
            for phase in ("connect_s", "first_event_s", "idle_s"):
                if getattr(route.timeouts, phase) > route.timeouts.total_s:
                    self._report(child(path, "timeouts"), f"{phase} is more than total_s", "raise total_s")

    def _judges(self) -> None:
        known = self.names["routes"] | self.names["deployments"]
        for path, message, hint in judge_problems(self.document, known):
            self._report(path, message, hint)

    def _guards(self) -> None:
        known = self.names["guards"] | BUILT_IN_GUARDS
        for name, route in self.document.routes.items():
            for side in ("input", "output"):
                for index, guard in enumerate(getattr(route.guards, side)):
                    if guard not in known:
                        self._unknown(
                            child(child(child(child("routes", name), "guards"), side), index),
                            "guard",
                            guard,
                            known,
                        )
        for path, message, hint in guard_problems(self.document):
            self._report(path, message, hint)

    def _keys(self) -> None:
        names: set[str] = set()
        secrets: set[Secret] = set()
        for key, path in self._read_keys():
            if key.name in names:
                self._report(child(path, "name"), f"another key is called {key.name!r}", "rename one")
            if key.secret in secrets:
                self._report(child(path, "secret"), "another key has the same secret", "give each its own")
            names.add(key.name)
            secrets.add(key.secret)
            for index, route in enumerate(key.routes or ()):
                if route not in self.names["routes"]:
                    self._unknown(child(child(path, "routes"), index), "route", route, self.names["routes"])
            if key.routes == () and not key.direct:
                self._report(
                    child(path, "routes"), "this key may use nothing", "name routes, or set direct: true"
                )
            for at, message, hint in scope_problems(key, path):
                self._report(at, message, hint)
            if key.team and not key.org:
                self._report(child(path, "team"), "a team without its organisation", "add org")

    def _read_keys(self) -> list[tuple[VirtualKey, str]]:
        """The keys that could be read, each with its path in the file."""
        paths = [child("keys", index) for index in self.kept.get("keys", range(len(self.document.keys)))]
        return list(zip(self.document.keys, paths, strict=True))

    def _tenants(self) -> None:
        # Without `orgs`, naming an organisation in a key is what founds it.
        if not self.names["orgs"]:
            return
        for key, path in self._read_keys():
            if key.org and key.org not in self.names["orgs"]:
                self._unknown(child(path, "org"), "organisation", key.org, self.names["orgs"])
            org = self.document.orgs.get(key.org or "")
            if org and org.teams and key.team and key.team not in org.teams:
                self._unknown(child(path, "team"), f"team in {key.org!r}", key.team, org.teams)

    def _tokens(self) -> None:
        known: set[str] = set()
        for name, issuer in self.document.auth.tokens.items():
            path = child(child("auth", "tokens"), name)
            for at, message, hint in token_problems(issuer, self.document.orgs):
                self._report(child(path, at), message, hint)
            if issuer.issuer in known:
                self._report(child(path, "issuer"), "another entry has this issuer", "keep one of them")
            known.add(issuer.issuer)
            for index, route in enumerate(issuer.routes or ()):
                if route not in self.names["routes"]:
                    self._unknown(child(child(path, "routes"), index), "route", route, self.names["routes"])

    def _logins(self) -> None:
        for at, message, hint in login_problems(self.document.auth, self.document.orgs):
            self._report(f"auth.{at}", message, hint)

    def _defaults(self) -> None:
        for index, name in enumerate(self.document.defaults.provider_order):
            if name not in self.names["providers"]:
                path = child(child("defaults", "provider_order"), index)
                self._unknown(path, "provider", name, self.names["providers"])

    def _policies(self) -> None:
        for at, message, hint in policy_problems(self.document, self.names["providers"]):
            self._report(at, message, hint)
        for at, message, hint in cache_problems(self.document):
            self._report(at, message, hint)


def _keys(root: Node | None, section: str) -> set[str]:
    if not isinstance(root, nodes.Mapping) or section not in root.entries:
        return set()
    value = root.entries[section].value
    return set(value.entries) if isinstance(value, nodes.Mapping) else set()
