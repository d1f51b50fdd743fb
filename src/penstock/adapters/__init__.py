"""The only place that imports drivers: each module implements ports."""
