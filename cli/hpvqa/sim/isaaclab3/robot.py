"""The robot as a configuration of Isaac Lab, and the law of its gripper's linkage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import isaaclab.sim as sim_utils
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg
from isaaclab_physx.sim.schemas import PhysxArticulationCfg, PhysxRigidBodyCfg

from hpvqa.sim.isaac.names import ENVIRONMENT, ROBOT
from hpvqa.sim.isaac.panda import HOME, SPEED_LIMIT, TORQUE_LIMIT
from hpvqa.sim.isaaclab3 import names
from hpvqa.sim.isaaclab3.spawn import tag

STIFFNESS = (4500.0, 4500.0, 3500.0, 3500.0, 2000.0, 2000.0, 2000.0)
"""Of the stiff joint control [N m/rad]; the embedded simulator's."""
DAMPING = (470.0, 470.0, 296.0, 296.0, 107.0, 107.0, 107.0)
"""Of the stiff joint control [N m s/rad]; the embedded simulator's, rounded."""
CLOSED_ANGLE = 0.8
"""The gripper's drivers when fully closed [rad]."""
FOLLOWER = -0.96
"""How a finger's last joint turns with its first, so that the pads stay parallel.

Measured on the embedded simulator's closed linkage, within 0.01 rad until the pads meet; pressed together they turn
back by 0.02 rad more, which made no difference to pushes."""
GRIP_STIFFNESS = 9.0
"""Of the fingers' first joints [N m/rad]: on a thing 5 cm wide the pads press with some 45 N.

Not at the limit of torque, or nothing would hold a thing in the middle: in the real gripper one motor closes both
fingers, here each has a drive of its own."""


def robot(file: Path) -> ArticulationCfg:
    """The robot, its base at the origin.

    Args:
        file: Its USD file.
    """
    actuators = {
        f"arm{number}": _drive([joint], TORQUE_LIMIT[number], SPEED_LIMIT[number], STIFFNESS[number], DAMPING[number])
        for number, joint in enumerate(names.ARM_JOINTS)
    }
    return ArticulationCfg(
        prim_path=f"{ENVIRONMENT}/{ROBOT}",
        spawn=sim_utils.UsdFileCfg(
            usd_path=str(file),
            fix_root_link=True,
            activate_contact_sensors=True,
            semantic_tags=tag(ROBOT),
            rigid_props=[PhysxRigidBodyCfg(disable_gravity=True, max_depenetration_velocity=1.0)],
            # Links of the gripper overlap in this model.
            articulation_props=[
                PhysxArticulationCfg(
                    enabled_self_collisions=False, solver_position_iteration_count=32, solver_velocity_iteration_count=1
                )
            ],
        ),
        # Joints that are not named start at 0: the gripper is open.
        init_state=ArticulationCfg.InitialStateCfg(joint_pos=dict(zip(names.ARM_JOINTS, HOME, strict=True))),
        actuators={
            **actuators,
            "grip": _drive([".*_spring_link_joint"], 6.0, 10.0, GRIP_STIFFNESS, 0.6),
            "pads": _drive([".*_follower_joint"], 10.0, 20.0, 50.0, 1.0),
            "cranks": _drive([".*_driver_joint", ".*_coupler_joint"], 10.0, 20.0, 50.0, 1.0),
        },
    )


def _drive(joints: Sequence[str], torque: float, speed: float, stiffness: float, damping: float) -> ImplicitActuatorCfg:
    return ImplicitActuatorCfg(
        joint_names_expr=list(joints),
        joint_effort_limit=torque,
        joint_velocity_limit=speed,
        stiffness=stiffness,
        damping=damping,
    )


def gripper_bodies(file: Path) -> list[str]:
    """Paths of the robot's bodies beyond the arm's last link, relative to its root, read from its USD file."""
    from pxr import Usd, UsdPhysics

    stage = Usd.Stage.Open(str(file))
    root = stage.GetDefaultPrim()
    bodies = [prim for prim in Usd.PrimRange(root) if prim.HasAPI(UsdPhysics.RigidBodyAPI)]
    found = [prim for prim in bodies if "/link7/" in str(prim.GetPath())]
    # Frames without a shape touch nothing.
    solid = [prim for prim in found if any(child.HasAPI(UsdPhysics.CollisionAPI) for child in prim.GetChildren())]
    return [str(prim.GetPath().MakeRelativePath(root.GetPath())) for prim in solid]
