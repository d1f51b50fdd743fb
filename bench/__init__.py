"""The benchmark: Penstock, its own bare relay, and its peers, side by side in one run (docs/benchmarks.md)."""
