"""Alerts in the worker: what rules see, what is news, and who is told."""
