"""A fixed suite: any model on the same episodes and scenes, and one score card of it."""
