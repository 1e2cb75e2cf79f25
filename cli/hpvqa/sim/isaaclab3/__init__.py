"""Isaac Lab 3: episode specs realised by PhysX without Kit (``ovphysx``), many side by side, on any machine.

It shares planner, commands, torques, impacts and rows of states with ``hpvqa.sim.isaac``, which serves Isaac Lab 2.2
and 2.3 inside Isaac Sim. All modules run in a child process, in the Python that has Isaac Lab 3.
"""
