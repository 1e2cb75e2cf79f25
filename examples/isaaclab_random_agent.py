"""A random agent in an environment of hpvqa, in the manner of Isaac Lab's own scripts.

Run with the Python that `make isaac` has made: `.venv-isaac/bin/python examples/isaaclab_random_agent.py Hpvqa-Push`.
"""

from __future__ import annotations

import argparse
import os

import hpvqa.sim.isaaclab3.gym  # noqa: F401 - registers the ids; before anything of Isaac Lab

# isort: split
import gymnasium
import torch
from isaaclab.app import launch_simulation
from isaaclab_tasks.utils import parse_env_cfg


def main() -> None:
    """Act by chance for some steps."""
    parser = argparse.ArgumentParser()
    parser.add_argument("task", nargs="?", default="Hpvqa-Push")
    parser.add_argument("--num_envs", type=int, default=4)
    parser.add_argument("--steps", type=int, default=60)
    arguments = parser.parse_args()
    config = parse_env_cfg(arguments.task, device="cpu", num_envs=arguments.num_envs)
    with launch_simulation(config, {"device": "cpu", "headless": True}):
        env = gymnasium.make(arguments.task, cfg=config)
        seen, _ = env.reset()
        print(f"{arguments.task}: observations {tuple(seen['policy'].shape)}, actions {env.action_space.shape}")
        print("first", [round(value, 3) for value in seen["policy"][0].tolist()])
        ended = 0
        with torch.inference_mode():
            for _ in range(arguments.steps):
                action = 2 * torch.rand(env.action_space.shape) - 1
                seen, _, terminated, truncated, _ = env.step(action)
                ended += int((terminated | truncated).sum())
        print("last ", [round(value, 3) for value in seen["policy"][0].tolist()])
        print(f"{arguments.steps} steps of {arguments.num_envs} environments; {ended} episodes ended", flush=True)
        # Simulators end their process in their own ways.
        os._exit(0)


if __name__ == "__main__":
    main()
