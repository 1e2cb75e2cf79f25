"""Everything that docs/results.md says of the embedded model, from nothing: ``python -m benchmarks.results``."""
