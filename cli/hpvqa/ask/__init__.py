"""Questions to a model about an episode that was recorded, perhaps just now."""
