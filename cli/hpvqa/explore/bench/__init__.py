"""Experiments on things whose properties cannot be seen: how heavy, rough or bouncy they are."""
