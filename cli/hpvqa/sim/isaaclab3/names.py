"""Names inside the stage: joints and bodies of our robot's USD file. Those of the scenery are Isaac Sim's."""

from __future__ import annotations

ROOT = "panda"
"""The root of the robot's file; every body lies below it, each inside of the one that carries it."""
ARM_JOINTS = [f"joint{number}_1" for number in range(1, 8)]
"""The converter adds a digit where a site has the joint's name."""
SIDES = ("left", "right")
HAND = "base"
"""The body of the gripper whose frame is the pinch frame, but for a shift along its z axis."""
PINCH = 0.145
"""From the hand's origin along its z axis to the pinch point [m]; the site ``pinch`` of the MJCF."""
FINGER_JOINTS = [f"{side}_{part}_joint" for part in ("driver", "spring_link", "follower") for side in SIDES]
"""Joints that close the gripper; those of the couplers hardly move."""
BASE, STEM, SPRING_JOINT = "/base", "stem", "spring"
"""Parts of a plate on a spring, beside the plate."""
FINGER_LINKS = [f"{side}_spring_link" for side in SIDES]
"""Bodies of the fingers above the pads, which meet the upper edge of what is pushed."""
COUPLER_JOINTS = [f"{side}_coupler_joint" for side in SIDES]
