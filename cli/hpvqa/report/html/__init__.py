"""The page: one self-contained file with tables, figures and clips."""
