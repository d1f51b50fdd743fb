"""Who takes part. Each module starts one contender the way its own documentation says."""

from __future__ import annotations

from bench.contenders.litellm import LiteLlm
from bench.contenders.nginx import Nginx
from bench.contenders.penstock import Penstock
from bench.contenders.portkey import Portkey
from bench.contenders.relay import Relay
from bench.stage import Contender

CONTENDERS: tuple[Contender, ...] = (Penstock(), Relay(), Nginx(), Portkey(), LiteLlm())

# Looked for in the package registries (PyPI, npm, crates.io, Go modules) and not to be had as a package.
ABSENT = {
    "Bifrost": "its npm package downloads the binary when it runs, and its Go module was not served to us",
    "agentgateway": "no package of any registry carries it",
    "TensorZero": "the PyPI package is a client, the crate an empty placeholder; the gateway is in neither",
}
