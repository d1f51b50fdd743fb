"""Routing quality on outcomes of real models: `python -m bench.routing_quality --data DIR --json FILE`."""
