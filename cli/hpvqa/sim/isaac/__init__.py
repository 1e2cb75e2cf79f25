"""Isaac Sim: episode specs realised by PhysX and RTX, many side by side, through Isaac Lab.

Modules that ``hpvqa collect`` itself imports (``discover``, ``gpu``, ``kit_log``) need nothing of Isaac Sim. All others
run in a child process, in the Python of Isaac Sim, after Kit has started (``launch``).
"""
