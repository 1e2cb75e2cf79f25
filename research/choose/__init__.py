"""A tiny pooled model that learns to choose experiments in active scenes; see docs/explore-results.md."""
