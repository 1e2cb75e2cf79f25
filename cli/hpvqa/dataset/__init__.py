"""Question answering data sets: rows, splits, the folder on disk, and the public original's form."""
