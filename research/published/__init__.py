"""What the predictions that the paper's authors published say: ``python -m research.published FILES``."""
