"""Experiments: what a robot can do to one thing, and what that shows. One file each."""
