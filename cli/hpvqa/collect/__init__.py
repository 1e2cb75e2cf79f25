"""Making many episodes: what a data folder agrees on, who may write to it, and the workers that fill it."""
