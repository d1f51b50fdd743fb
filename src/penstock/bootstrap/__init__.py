"""Each process put together: the only place where adapters, state and stages meet."""
