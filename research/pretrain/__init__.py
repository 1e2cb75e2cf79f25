"""Pre-training of the embedded model: it learns to see and to answer what is visible, and nothing that is hidden."""
