"""Runs of agents: many scenes in lockstep, written down one by one."""
