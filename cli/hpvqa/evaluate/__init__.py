"""Answering a data set, resumably, and scoring the answers."""
