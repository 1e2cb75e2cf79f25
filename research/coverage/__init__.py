"""How often intervals hold the truth, and how often tests reject a true hypothesis: ``python -m research.coverage``."""
