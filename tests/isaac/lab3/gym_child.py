"""A registered environment, made, stepped and reset in part: prints what was seen as one line of JSON, last."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import hpvqa.sim.isaaclab3.gym as hpvqa_gym

# isort: split
import gymnasium
import torch
from isaaclab.app import launch_simulation
from isaaclab.managers import RewardTermCfg
from isaaclab.utils import configclass
from isaaclab_tasks.utils import parse_env_cfg

from hpvqa.sim.isaac.managed import RewardsCfg


def lifted(env: Any) -> torch.Tensor:
    """How high the gripper is: a reward."""
    height: torch.Tensor = env.action_manager.get_term("arm").arm.read().position[:, 2]
    return height


@configclass
class Rewards(RewardsCfg):
    height = RewardTermCfg(func=lifted, weight=1.0)


@configclass
class Mine(hpvqa_gym.TaskEnvCfg):
    """A configuration of somebody else."""

    rewards: Rewards = Rewards()


def main(task: str) -> None:
    asked = parse_env_cfg(hpvqa_gym.identity(task), device="cpu", num_envs=2)
    config = Mine(task=task)
    config.scene.num_envs = asked.scene.num_envs
    config.seed = 7
    with launch_simulation(config, {"device": "cpu", "headless": True}):
        env: Any = gymnasium.make(hpvqa_gym.identity(task), cfg=config).unwrapped
        first, _ = env.reset()
        first = first["policy"].tolist()
        up = torch.tensor([[0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, -1.0]])
        rewards = [env.step(up)[1].tolist() for _ in range(8)]
        moved = env.observation_manager.compute()["policy"].tolist()
        env._reset_idx(torch.tensor([1]))
        env.scene.write_data_to_sim()
        env.sim.step(render=False)
        env.scene.update(dt=env.physics_dt)
        again = env.observation_manager.compute()["policy"].tolist()
        found = {
            "ids": sorted(name for name in gymnasium.registry if name.startswith("Hpvqa-")),
            "supported": hpvqa_gym.supported(),
            "asked": type(asked).__name__,
            "first": first,
            "moved": moved,
            "again": again,
            "rewards": rewards,
            "wrong": env.event_manager.get_term_cfg("specs").func.mismatches,
        }
        print("\n" + json.dumps(found), flush=True)
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
