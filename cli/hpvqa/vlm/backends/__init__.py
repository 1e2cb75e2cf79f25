"""Answerers that run a model: in this process, or behind a server."""
