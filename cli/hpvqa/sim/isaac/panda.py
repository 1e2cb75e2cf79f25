"""The arm, whatever model of it a simulator has."""

HOME = (0.0, 0.195, 0.0, -2.43, 0.0, 2.62, 0.785)
"""A posture with the elbow up and the gripper over the table [rad]: the embedded simulator's."""
TORQUE_LIMIT = (87.0,) * 4 + (12.0,) * 3
"""The Panda's joint torque limits [N m] (Franka Emika, Panda datasheet)."""
SPEED_LIMIT = (2.175,) * 4 + (2.61,) * 3
"""The Panda's joint speed limits [rad/s] (Franka Emika, Panda datasheet)."""
