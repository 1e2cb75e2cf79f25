"""Episodes made many at a time by a child process: the simulator needs another Python than ours, and starts slowly.

Parent and child share a folder (``exchange``). The parent puts batches of episodes there, the child appends what became
of them, and publishes the episodes itself. The parent keeps all that a run promises: lock, resume, interrupts, report.
"""
