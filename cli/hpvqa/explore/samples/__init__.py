"""Training data: what an agent sees at a step, a thought about it that is exact, and the best decision."""
