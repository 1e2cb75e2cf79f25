"""The adapter of the embedded model: it learns the tasks' own questions from what the vision tower saw."""
