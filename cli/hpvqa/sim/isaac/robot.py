"""The Panda with the Robotiq 2F-85: Isaac Sim's own model, with drives fitted to our tasks."""

from __future__ import annotations

from collections.abc import Sequence

import isaaclab.sim as sim_utils
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg
from isaaclab.utils.assets import ISAAC_NUCLEUS_DIR

from hpvqa.errors import RunError, UsageError
from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.panda import HOME, SPEED_LIMIT, TORQUE_LIMIT

MODEL = f"{ISAAC_NUCLEUS_DIR}/Robots/FrankaRobotics/FrankaPanda/franka.usd"
"""The model's file among the assets of Isaac Sim 5."""
VARIANTS = {"Gripper": "Robotiq_2F_85"}
STIFFNESS = (1100.0,) * 4 + (1000.0,) * 3
"""Of the stiff joint control [N m/rad]; those that Isaac Lab 2.3 has for this arm."""
DAMPING = 80.0
"""Of the stiff joint control [N m s/rad]."""
CLOSED_ANGLE = 0.8
"""The driven joint of the gripper when fully closed [rad]."""


def robot() -> ArticulationCfg:
    """The robot, its base at the origin, with drives that can hold a pose and let go of a sphere.

    Written out, for Isaac Lab has a configuration of this model only since 2.3.
    """
    return ArticulationCfg(
        prim_path=f"{names.ENVIRONMENT}/{names.ROBOT}",
        spawn=sim_utils.UsdFileCfg(
            usd_path=MODEL,
            variants=VARIANTS,
            rigid_props=sim_utils.RigidBodyPropertiesCfg(disable_gravity=True, max_depenetration_velocity=5.0),
            # Links of the gripper overlap links of the wrist in this model; colliding, they push the wrist out of its
            # pose.
            articulation_props=sim_utils.ArticulationRootPropertiesCfg(
                enabled_self_collisions=False, solver_position_iteration_count=32, solver_velocity_iteration_count=1
            ),
        ),
        # Joints that are not named start at 0: the gripper is open.
        init_state=ArticulationCfg.InitialStateCfg(joint_pos=dict(zip(names.ARM_JOINTS, HOME, strict=True))),
        actuators={
            "shoulder": _arm_drive(range(4)),
            "forearm": _arm_drive(range(4, 7)),
            # Users of a weaker drive (17 N m/rad) report that the linkage does not open again once closed; a stiffer
            # one opens fully, and this limit of its torque keeps it from crushing what it holds.
            "gripper": _drive([names.GRIPPER_JOINT], torque=20.0, speed=10.0, stiffness=100.0, damping=5.0),
            # A weak spring keeps the finger tips parallel; the other joints of the closed linkage follow.
            "finger_tips": _drive([".*_inner_finger_joint"], torque=50.0, speed=10.0, stiffness=0.2, damping=0.001),
            "linkage": _drive(
                [".*_inner_finger_knuckle_joint", "right_outer_knuckle_joint"],
                torque=1.0,
                speed=10.0,
                stiffness=0.0,
                damping=0.0,
            ),
        },
    )


def _arm_drive(joints: range) -> ImplicitActuatorCfg:
    return _drive(
        [names.ARM_JOINTS[number] for number in joints],
        torque=TORQUE_LIMIT[joints[0]],
        speed=SPEED_LIMIT[joints[0]],
        stiffness=STIFFNESS[joints[0]],
        damping=DAMPING,
    )


def _drive(
    joints: Sequence[str], *, torque: float, speed: float, stiffness: float, damping: float
) -> ImplicitActuatorCfg:
    return ImplicitActuatorCfg(
        joint_names_expr=list(joints),
        effort_limit_sim=torque,
        velocity_limit_sim=speed,
        stiffness=stiffness,
        damping=damping,
    )


def moving_bodies(model: str = MODEL) -> list[str]:
    """Paths of the robot's bodies beyond its arm, relative to the model's root, read from its USD file.

    Contact sensors must name what they look for, one body at a time, and names inside the model differ between its
    versions. So they are read, not assumed.

    Args:
        model: Path or address of the model.

    Raises:
        UsageError: The file cannot be opened.
        RunError: It holds no gripper that this version knows.
    """
    from pxr import Tf, Usd, UsdPhysics

    try:
        stage = Usd.Stage.Open(model)
    except Tf.ErrorException as error:
        raise no_model(model) from error
    if not stage or not stage.GetDefaultPrim():
        raise no_model(model)
    root = stage.GetDefaultPrim()
    for name, choice in VARIANTS.items():
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


def no_model(model: str) -> UsageError:
    """What to say when the model is not there."""
    return UsageError(
        f"The robot model {model} cannot be read; give Isaac Sim network access to its assets, or set {names.ASSETS} "
        "to the folder of an offline copy (the one that contains Isaac/)"
    )
