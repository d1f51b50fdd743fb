"""Public test doubles: a simulator and a gateway in threads, a journal in memory."""
