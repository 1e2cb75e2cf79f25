"""Writing down what happened: clips, trajectory, events and the episode's folder."""
