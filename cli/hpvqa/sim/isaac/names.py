"""Names inside the stage: prims of one environment, and joints and bodies of the robot's model."""

from __future__ import annotations

ASSETS = "HPVQA_ISAAC_ASSETS"
"""Environment variable: folder of an offline copy of Isaac Sim's assets, the one that contains ``Isaac``."""
ENVIRONMENT = "{ENV_REGEX_NS}"
"""Isaac Lab puts the path of every environment here."""
ROBOT = "robot"
TABLE = "table"
FLOOR = "floor"
LAMP = "lamp"

ARM_JOINTS = [f"panda_joint{number}" for number in range(1, 8)]
GRIPPER_JOINT = "finger_joint"
"""The one driven joint of the 2F-85; the others follow it."""
WRIST = "panda_link7"
"""The last link of the arm, to which the gripper is fixed."""
FINGERS = (("left_inner_finger_pad", "right_inner_finger_pad"), ("left_inner_finger", "right_inner_finger"))
"""Bodies of the two fingers, the best names first: which ones there are depends on the model's version."""


def wall(number: int) -> str:
    """Name of a wall."""
    return f"wall_{number}"


def camera(name: str) -> str:
    """Name of a camera of the rig."""
    return f"camera_{name}"


def contact(side: str) -> str:
    """Name of the sensor that tells what an object touches."""
    return f"contact_{side}"


def shader(prim: str) -> str:
    """Path of the shader of a spawned shape."""
    return f"{prim}/geometry/look/Shader"
