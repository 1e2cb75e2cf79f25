"""Turning runs into tables, figures and a page: what was right, how sure that is, and what went wrong."""
