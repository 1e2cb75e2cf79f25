"""Scores of runs, with intervals by group of scenes and paired tests."""
