"""The Panda with the Robotiq 2F-85, as Isaac Lab's own configuration has it, fitted to our frame and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg
from isaaclab_assets.robots.franka import FRANKA_ROBOTIQ_GRIPPER_CFG

from hpvqa.errors import RunError
from hpvqa.sim.isaac import names

HOME = (0.0, 0.195, 0.0, -2.43, 0.0, 2.62, 0.785)
"""Joint angles with the elbow up and the gripper over the table [rad]: the embedded simulator's posture."""
TORQUE_LIMIT = (87.0,) * 4 + (12.0,) * 3
"""The Panda's joint torque limits [N m] (Franka Emika, Panda datasheet)."""
SPEED_LIMIT = (2.175,) * 4 + (2.61,) * 3
"""The Panda's joint speed limits [rad/s] (Franka Emika, Panda datasheet)."""
STIFFNESS = (1100.0,) * 4 + (1000.0,) * 3
"""Of the stiff joint control [N m/rad]; Isaac Lab's values for this arm."""
DAMPING = 80.0
"""Of the stiff joint control [N m s/rad]."""
CLOSED_ANGLE = 0.8
"""The driven joint of the gripper when fully closed [rad]."""


def robot() -> ArticulationCfg:
    """The robot, its base at the origin, with drives that can hold a pose and let go of a sphere."""
    config = FRANKA_ROBOTIQ_GRIPPER_CFG.replace(prim_path=f"{names.ENVIRONMENT}/{names.ROBOT}")
    # Isaac Lab's own copy stands beside a table of its tasks; ours is at the origin, on its stand.
    config.init_state = config.init_state.replace(pos=(0.0, 0.0, 0.0), rot=(1.0, 0.0, 0.0, 0.0))
    config.init_state.joint_pos = {**config.init_state.joint_pos, **dict(zip(names.ARM_JOINTS, HOME, strict=True))}
    # Links of the gripper overlap links of the wrist in this model; colliding, they push the wrist out of its pose.
    config.spawn.articulation_props = config.spawn.articulation_props.replace(
        enabled_self_collisions=False, solver_position_iteration_count=32, solver_velocity_iteration_count=1
    )
    config.actuators = {**config.actuators, **_arm_drives(), "gripper_drive": _gripper_drive()}
    return config


def _arm_drives() -> dict[str, ImplicitActuatorCfg]:
    return {
        name: ImplicitActuatorCfg(
            joint_names_expr=[names.ARM_JOINTS[number] for number in joints],
            effort_limit_sim=TORQUE_LIMIT[joints[0]],
            velocity_limit_sim=SPEED_LIMIT[joints[0]],
            stiffness=STIFFNESS[joints[0]],
            damping=DAMPING,
        )
        for name, joints in (("panda_shoulder", range(4)), ("panda_forearm", range(4, 7)))
    }


def _gripper_drive() -> ImplicitActuatorCfg:
    # Users of the stock drive (stiffness 17) report that the linkage does not open again once closed; a stiffer drive
    # opens fully, and this limit of its torque keeps it from crushing what it holds.
    return ImplicitActuatorCfg(
        joint_names_expr=[names.GRIPPER_JOINT],
        effort_limit_sim=20.0,
        velocity_limit_sim=10.0,
        stiffness=100.0,
        damping=5.0,
    )


def moving_bodies(model: str, variants: Mapping[str, str]) -> list[str]:
    """Paths of the robot's bodies beyond its arm, relative to the model's root, read from its USD file.

    Contact sensors must name what they look for, one body at a time, and names inside the model differ between its
    versions. So they are read, not assumed.

    Args:
        model: Path or address of the model.
        variants: Which variants of it are chosen.

    Raises:
        RunError: The file cannot be opened, or holds no gripper.
    """
    from pxr import Tf, Usd, UsdPhysics

    try:
        stage = Usd.Stage.Open(model)
    except Tf.ErrorException as error:
        raise _no_model(model) from error
    if not stage or not stage.GetDefaultPrim():
        raise _no_model(model)
    root = stage.GetDefaultPrim()
    for name, choice in variants.items():
        root.GetVariantSets().GetVariantSet(name).SetVariantSelection(choice)
    bodies = [prim for prim in Usd.PrimRange(root) if prim.HasAPI(UsdPhysics.RigidBodyAPI)]
    found = [str(prim.GetPath().MakeRelativePath(root.GetPath())) for prim in bodies]
    gripper = [path for path in found if not path.rsplit("/", 1)[-1].startswith("panda_link")]
    leaves = {path.rsplit("/", 1)[-1] for path in gripper}
    if not any(set(pair) <= leaves for pair in names.FINGERS):
        raise RunError(
            f"The robot model {model} has no fingers that this version knows; "
            f"its bodies are: {', '.join(sorted(found))}"
        )
    return gripper


def finger_names(bodies: list[str]) -> tuple[str, str]:
    """Names of the left and the right finger among a robot's bodies.

    Raises:
        RunError: There are none that this version knows.
    """
    for pair in names.FINGERS:
        if set(pair) <= set(bodies):
            return pair
    raise RunError(f"The robot has no fingers that this version knows; its bodies are: {', '.join(bodies)}")


def variants(config: ArticulationCfg) -> dict[str, str]:
    """The variants that a robot's configuration chooses."""
    chosen: Any = config.spawn.variants
    return dict(chosen) if isinstance(chosen, Mapping) else {}


def _no_model(model: str) -> RunError:
    return RunError(
        f"The robot model {model} cannot be read; give Isaac Sim network access to its assets, or set "
        "HPVQA_ISAAC_ASSETS to the folder of an offline copy (the one that contains Isaac/)"
    )
