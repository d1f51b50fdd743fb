"""Values of keys that differ from those of the base document in tests/config/test_every_key.py."""

from __future__ import annotations

import base64
from typing import Any

from tests.config.logins import OTHERS

Value = Any
SIGNING = f"whsec_{base64.b64encode(bytes(24)).decode()}"
SIGNING_2 = f"whsec_{base64.b64encode(bytes(32)).decode()}"
OWNERS = ("orgs.*", "orgs.*.teams.*", "routes.*", "keys.*")
# Another value than the base's, where the kind of the key alone does not give one.
VALUES: dict[str, Value] = {
    "orgs.*.throttles.*.downgrade": "r2",
    "alerts.actions.*.downgrade": "r2",
    "alerts.outliers.times": 5,
    "server.redis_url": "redis://127.0.0.1:7/2",
    "server.listen": "127.0.0.2:0",
    "server.control_token": "another secret that others have",
    "server.tls.cert": "missing.pem",
    "server.tls.key": "missing.pem",
    "server.max_body_bytes": 77,
    "server.cors.origins": ["https://app.example"],
    "server.database_url": "postgresql://host/name",
    "keys.*.endpoints": ["chat"],
    "keys.*.dialects": ["openai"],
    "journal.segment_bytes": 100_000,
    "defaults.provider_order": ["q", "p"],
    "providers.*.kind": "anthropic",
    "providers.*.base_url": "http://127.0.0.1:10/v1",
    "deployments.*.provider": "q",
    "deployments.*.set.*": 0.75,
    "deployments.*.price.service_tier.*": 2,
    "routes.*.policy": {"fallback": ["c/claude", "d"]},
    "routes.*.structured.lenient": False,
    "routes.*.structured.reasks": 3,
    "routes.*.compress_keep": 0.25,
    "routes.*.cache.semantic.error": 0.02,
    "routes.*.cache.semantic.threshold": 0.8,
    "routes.*.timeouts.total_s": 999.0,
    "routes.*.cache.when": {"org": "o"},
    "routes.*.cache.exact.stale_if_error_s": 7,
    "routes.*.mirror.to": "q/other",
    "routes.*.drill.to": "d",
    "routes.*.drill.max_cost_ratio": 4.5,
    "routes.*.drill.max_slowdown": 4.5,
    "routes.*.success.all": ["finish"],
    "routes.*.retry.backoff_s": 0.125,
    **{f"{of}.require.providers.{what}": ["q"] for of in OWNERS for what in ("allow", "deny")},
    "keys.*.org": "o2",
    "keys.*.team": "t",
    "keys.*.routes": ["r2"],
    "auth.passwords": False,
    "guards.*.action": "block",
    "guards.*.kind": "keywords",
    "routes.*.guards.input": ["g2"],
    "routes.*.guards.output": ["g2"],
    **OTHERS,
    "auth.tokens.*.issuer": "https://other.example",
    "auth.tokens.*.audience": ["b"],
    "auth.tokens.*.jwks_url": "https://id.example/keys",
    "auth.tokens.*.algorithms": ["RS256"],
    "auth.tokens.*.routes": ["r2"],
    "auth.tokens.*.endpoints": ["chat"],
    "auth.tokens.*.dialects": ["openai"],
    "alerts.webhooks.*.url": "http://127.0.0.1:9/b",
    "alerts.webhooks.*.secret": SIGNING_2,
    "alerts.webhooks.*.previous_secret": SIGNING_2,
}
# The same wherever such keys stand, by the end of their path.
ENDS: dict[str, Value] = {
    "timezone": "Europe/Berlin",
    "downgrade.to": "r2",
    "soft": True,
    "budget.window": "week",
    "window": "week",
    "rates.*.unit": "tokens",
    "rates.*.per": "second",
    "health.enabled": False,
    "health.skip": False,
    "health.failure_share": 0.25,
    "health.headroom": False,
    "health.max_slow": 0.25,
    "queue.overflow": False,
}
