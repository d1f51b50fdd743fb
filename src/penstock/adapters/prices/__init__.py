"""Price catalogues compiled into `core.price_book`. Runs in control and in tools, never in the gateway."""
