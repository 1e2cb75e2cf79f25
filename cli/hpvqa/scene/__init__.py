"""What the world of an episode is, decided before any simulator runs."""
