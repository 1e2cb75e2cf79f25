"""Active visual reasoning: partly hidden scenes, what can be known of them, and who finds out."""
