"""Episodes filmed for training alone: only the frames that a model is shown are drawn, so that it takes a fraction."""
