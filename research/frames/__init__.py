"""What single pictures and samplers retain of the answer: ``python -m research.frames DATA``."""
