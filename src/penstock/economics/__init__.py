"""The economics desk: what an answer really costs, as pure functions. Nothing here reads a ledger or a clock.

`lcpr` has the Loaded Cost Per Request, `comparing` two ways to serve a workload, `serving` GPUs, `rules` the
gates, stages and signals, `everyday` caches and cascades, `cases` all of them by name.
"""
