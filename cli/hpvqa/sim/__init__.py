"""Simulators that realise an episode spec, and what they share."""
